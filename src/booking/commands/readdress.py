"""Correcting a customer, and with a mistyped address what goes to it.

Orders keep what the guest typed, so their mails would go on to the wrong address; and the links in
those that went there may be in a stranger's hands.
"""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, case, exists, not_, or_, select, update

from src.billing.commands.fees import tell_fees_again
from src.billing.domain.kinds import OrderState
from src.billing.events import PackageBought
from src.billing.models import Order
from src.booking.commands.feeds import revoke_booking_feed, revoke_customer_feed
from src.booking.commands.waking import wake_waitlists
from src.booking.commands.worksheet_copies import mail_links_again
from src.booking.events import BookingReaddressed, PaymentLinkPromised
from src.booking.models import Booking, WaitlistEntry, WaitlistOffer, WorksheetCopy
from src.booking.queries.mistyped import (
    TYPED,
    comes_to,
    has_credits_to_use,
    has_dates_to_come,
    has_parts_to_pay,
    has_voucher_to_use,
)
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.audit import audit
from src.tenants.commands.customer_care import CustomerDetails, change_customer
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.context import RequestContext
from src.tenants.models import Customer

FROM_A_LIST = (
    exists()
    .where(WaitlistOffer.tenant_id == Order.tenant_id, WaitlistOffer.order_id == Order.id)
    .correlate(Order)
)
HAS_LINKS_OUT = or_(
    Order.state == str(OrderState.CONFIRMED),
    and_(Order.state == str(OrderState.OPEN), or_(Order.source == "staff", FROM_A_LIST)),
)
"""A guest who pays at once is led on by the form; one for whom staff hold seats, by a mail. Who was
offered a place has had a mail too, whose page leads on to the booking.
"""


class Readdressed(NamedTuple):
    """How many purchases get their confirmation anew, and how many their link to pay; and how many
    worksheets their link.
    """

    confirmations: int = 0
    payment_links: int = 0
    worksheets: int = 0


async def correct_customer(
    uow: UnitOfWork,
    ctx: RequestContext,
    customer_id: UUID,
    cmd: CustomerDetails,
    *,
    readdress: bool = False,
) -> Readdressed:
    """Changes the customer; with `readdress`, what is still to come and was booked with the former
    address writes to the new one. Of that each booking that had a mail with links gets it anew, and
    the links and the feed that the former address had are over. The feed of all their dates and the
    links of worksheets end with the address that they went to, in any case; those of what is still
    to be filled in go to the new one.

    Raises: what `change_customer` raises.
    """
    orders = await _lock_orders(uow, customer_id) if readdress else {}
    before = await _address_of(uow, customer_id)
    await change_customer(uow, ctx, customer_id, cmd)
    address = await _address_of(uow, customer_id)
    worksheets = 0
    if address != before:
        await revoke_customer_feed(uow, [customer_id])
        worksheets = await mail_links_again(uow, customer_id) if address else 0
    wrong = [order_id for order_id, typed in orders.items() if address and typed != address]
    told = await _write_to(uow, ctx, customer_id, address or "", wrong)
    return told._replace(worksheets=worksheets)


async def _write_to(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, address: str, order_ids: list[UUID]
) -> Readdressed:
    """The locked orders' mails go to the address, the last one with links at once.

    Of a fee the mail comes when fees are told. The page of a bought voucher is the voucher itself,
    which staff send again or block.
    """
    if not order_ids:
        return Readdressed()
    has_links_out = and_(HAS_LINKS_OUT, not_(has_voucher_to_use(uow)))
    written = await uow.session.execute(
        update(Order)
        .where(Order.tenant_id == uow.tenant, Order.id.in_(order_ids))
        .values(
            guest_email=address,
            link_version=Order.link_version + case((has_links_out, 1), else_=0),
        )
        .returning(
            Order.id,
            Order.state,
            has_links_out,
            or_(has_credits_to_use(uow), has_parts_to_pay(uow)),
            has_dates_to_come(uow),
        )
        .execution_options(synchronize_session=False)
    )
    confirmations = payment_links = 0
    for order_id, state, is_out, has_credits, has_dates in sorted(written.tuples()):
        if not is_out:
            continue
        if state != OrderState.CONFIRMED:
            uow.record(PaymentLinkPromised(order_id=order_id))
            payment_links += 1
            continue
        await revoke_booking_feed(uow, order_id)
        if has_credits:
            uow.record(PackageBought(order_id=order_id))
        elif has_dates:
            uow.record(BookingReaddressed(order_id=order_id))
        confirmations += has_credits or has_dates
    await tell_fees_again(uow, order_ids)
    await _wake_lists_of(uow, order_ids)
    await audit(uow, ctx, "customer.readdressed", "customer", customer_id, count=len(order_ids))
    return Readdressed(confirmations, payment_links)


async def _wake_lists_of(uow: UnitOfWork, order_ids: list[UUID]) -> None:
    """Who waited for a date that one of the orders lacks did so at the former address: they wait no
    more, and what was offered there goes to the next.
    """
    waited = await uow.session.scalars(
        select(WaitlistEntry.session_id)
        .join(
            Booking,
            (Booking.tenant_id == WaitlistEntry.tenant_id)
            & (Booking.id == WaitlistEntry.for_booking_id),
        )
        .where(WaitlistEntry.tenant_id == uow.tenant, Booking.order_id.in_(order_ids))
    )
    await wake_waitlists(uow, {one for one in waited if one is not None})


async def merge_and_correct(
    uow: UnitOfWork, ctx: RequestContext, gone_id: UUID, kept_id: UUID, *, readdress: bool = False
) -> Readdressed:
    """Merges the two; with `readdress`, the address of who is gone was a mistyped one of who is
    left, and what comes with it is corrected as `correct_customer` does. As there, whoever books
    with that address later is somebody else: it leads nowhere, and only the audit log has it. What
    the one who is gone was to fill in has its links anew in any case, as there.

    Raises: what `merge_customers` raises.
    """
    before = await _address_of(uow, gone_id)
    moved = await merge_customers(uow, ctx, gone_id, kept_id)
    address = await _address_of(uow, kept_id)
    if not address:
        return Readdressed()
    copies = [] if address == before else moved[WorksheetCopy.__tablename__]
    worksheets = await mail_links_again(uow, kept_id, copies)
    if not readdress:
        return Readdressed(worksheets=worksheets)
    # The merge holds what it moved, and nothing else may be locked after the customers.
    wrong = await uow.session.scalars(
        select(Order.id)
        .where(comes_to(uow, kept_id, gone_id), Order.id.in_(moved[Order.__tablename__]))
        .order_by(Order.id)
    )
    order_ids = list(wrong)
    await uow.session.execute(
        update(Customer)
        .where(
            Customer.tenant_id == uow.tenant,
            Customer.id == gone_id,
            Customer.merged_into == kept_id,
        )
        .values(email=None)
    )
    told = await _write_to(uow, ctx, kept_id, address, order_ids)
    return told._replace(worksheets=worksheets)


async def _address_of(uow: UnitOfWork, customer_id: UUID) -> str | None:
    found: str | None = await uow.session.scalar(
        select(Customer.email).where(Customer.tenant_id == uow.tenant, Customer.id == customer_id)
    )
    return found


async def _lock_orders(uow: UnitOfWork, customer_id: UUID) -> dict[UUID, str]:
    """By id, as everybody does, before the customer: those with something to come that were booked
    with the customer's address as it still is.
    """
    found = await uow.session.execute(
        select(Order.id, TYPED)
        .where(comes_to(uow, customer_id, customer_id))
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    return dict(found.tuples().all())
