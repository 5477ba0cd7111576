"""Vouchers as their bearer and their buyer see them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select

from src.billing.commands.ending import can_still_be_paid, is_payment_on_its_way
from src.billing.commands.orders import get_order
from src.billing.commands.voucher_lines import vouchers_of
from src.billing.commands.voucher_settings import get_voucher_offer
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState
from src.billing.domain.vouchers import VoucherState, is_over
from src.billing.models import Order, Voucher, VoucherEntry
from src.billing.views.vouchers import GuestVoucherView, PurchaseView, VoucherUse
from src.billing.voucher_links import no_such_voucher, purchase_path, voucher_path
from src.billing.voucher_mails import valid_until
from src.billing.voucher_words import entry_words, voucher_state
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import current_locale
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.person_rows import Person


async def get_voucher(uow: UnitOfWork, voucher_id: UUID) -> Voucher:
    """Raises: NotFound."""
    voucher = await uow.session.get(Voucher, (uow.tenant, voucher_id), populate_existing=True)
    if voucher is None:
        raise no_such_voucher()
    return voucher


async def entries_of(uow: UnitOfWork, voucher_id: UUID) -> Sequence[VoucherEntry]:
    """Oldest first."""
    found = await uow.session.scalars(
        select(VoucherEntry)
        .where(VoucherEntry.tenant_id == uow.tenant, VoucherEntry.voucher_id == voucher_id)
        .order_by(VoucherEntry.at, VoucherEntry.id)
    )
    return found.all()


async def list_worth_of(uow: UnitOfWork, person: Person) -> list[Money]:
    """By currency, what can be spent of the vouchers that somebody bought or was given: it stays
    with whoever has their codes.
    """
    worth = func.sum(Voucher.balance_minor)
    found = await uow.session.execute(
        select(worth, Voucher.currency)
        .where(
            Voucher.tenant_id == uow.tenant,
            or_(
                Voucher.customer_id.in_(person.customer_ids),
                func.lower(Voucher.recipient_email).in_(person.addresses),
            ),
            Voucher.state == str(VoucherState.ACTIVE),
            or_(Voucher.expires_at.is_(None), Voucher.expires_at > uow.clock.now()),
        )
        .group_by(Voucher.currency)
        .having(worth > 0)
        .order_by(Voucher.currency)
    )
    return [Money(int(minor), currency) for minor, currency in found]


async def get_guest_voucher(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, voucher_id: UUID
) -> GuestVoucherView:
    """Raises: NotFound, for one that is not paid as well."""
    voucher, now = await get_voucher(uow, voucher_id), uow.clock.now()
    if voucher.state == VoucherState.PENDING:
        raise no_such_voucher()
    badge = voucher_state(voucher, now)
    is_usable = voucher.state == VoucherState.ACTIVE and not is_over(voucher.expires_at, now)
    return GuestVoucherView(
        code=voucher.code,
        state=(badge.label, badge.tone),
        is_usable=is_usable and voucher.balance_minor > 0,
        initial_minor=voucher.initial_minor,
        balance_minor=voucher.balance_minor,
        currency=voucher.currency,
        expires=valid_until(tenant, voucher),
        recipient_name=voucher.recipient_name,
        uses=[
            VoucherUse(at=one.at, words=entry_words(one.kind), amount_minor=one.amount_minor)
            for one in await entries_of(uow, voucher_id)
        ],
        zone=tenant.timezone,
        print_href=f"{voucher_path(settings, tenant.slug, voucher)}/voucher.pdf",
        hub_href=f"/b/{tenant.slug}",
        words=(await get_voucher_offer(uow)).words,
    )


async def get_purchase(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, order_id: UUID, *, has_paid: bool
) -> PurchaseView:
    """Raises: NotFound."""
    order = await get_order(uow, order_id)
    found = await vouchers_of(uow, order_id)
    if not found:
        raise no_such_voucher()
    voucher = found[0]
    shop = f"/b/{tenant.slug}/vouchers"
    href = voucher_path(settings, tenant.slug, voucher)
    is_paid = voucher.state != VoucherState.PENDING
    return PurchaseView(
        stage="paid" if is_paid else await _stage(uow, order, has_paid=has_paid),
        amount=format_money(Money(order.total_minor, order.currency), current_locale()),
        reference=order.reference,
        recipient_name=voucher.recipient_name,
        recipient_email=voucher.recipient_email,
        send_on=voucher.send_on,
        is_sent=voucher.sent_at is not None,
        until_at=payable_until(order.hold_expires_at),
        zone=tenant.timezone,
        here=purchase_path(settings, tenant.slug, order),
        voucher_href=href,
        print_href=f"{href}/voucher.pdf",
        shop_href=shop,
        hub_href=f"/b/{tenant.slug}",
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


async def _stage(uow: UnitOfWork, order: Order, *, has_paid: bool) -> str:
    if order.state != OrderState.OPEN:
        # One that staff sold waits to be paid on site.
        return "unpaid" if order.state == OrderState.CONFIRMED else "ended"
    if await is_payment_on_its_way(uow, order.id):
        return "processing"
    return "processing" if has_paid and await can_still_be_paid(uow, order.id) else "open"
