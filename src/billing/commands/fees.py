"""Fees: asked, forgiven, taken on site, and paid by a guest.

A fee is one row for one part of an order, so that it is asked once however often somebody is
marked. Whoever changes one locks its row; where an order is locked too, that comes first.
Source: docs/algorithms/fees.md.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.by_staff import mark_paid_on_site
from src.billing.commands.due import add_due, drop_due, drop_several_due
from src.billing.commands.orders import NewLine, NewOrder, get_order, insert_order
from src.billing.domain.kinds import FeeKind, FeeState, OrderState, PaymentMode
from src.billing.events import FeeForgiven
from src.billing.gates import require_payments_ready_now
from src.billing.models import Fee, Order
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.money import Money
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext

FEE_LINE = "fee"
FEE_DUE = "fee"
TIME_TO_FORGIVE = timedelta(hours=24)
LONGEST_REASON = 500
FEES = cast(Table, Fee.__table__)


class NewFee(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for one part of an order, and what that was."""

    subject_id: UUID
    order_id: UUID
    customer_id: UUID
    kind: FeeKind
    amount_minor: int
    currency: str
    what: str
    starts_at: datetime


async def tell_fees_again(uow: UnitOfWork, order_ids: Sequence[UUID]) -> None:
    """The address of the locked orders was corrected, so whoever was told of their fees was a
    stranger, and the links to pay them are over: they are told at once, by the next mail.
    """
    found = await uow.session.scalars(
        update(Fee)
        .where(
            Fee.tenant_id == uow.tenant,
            Fee.order_id.in_(order_ids),
            Fee.state == str(FeeState.ASKED),
            Fee.told_at.is_not(None),
        )
        .values(told_at=None)
        .returning(Fee.id)
        .execution_options(synchronize_session=False)
    )
    for fee_id in sorted(found):
        await add_due(uow, FEE_DUE, fee_id, uow.clock.now())


async def ask_fees(uow: UnitOfWork, fees: Sequence[NewFee], *, by: str) -> int:
    """Asks for those that are not asked yet; one that was dropped is asked anew. Nobody is told for
    a day. Returns how many. The parts' rows are locked.
    """
    now, asked = uow.clock.now(), 0
    for fee in sorted(fees, key=lambda one: one.subject_id):
        values = {
            "kind": str(fee.kind),
            "amount_minor": fee.amount_minor,
            "currency": fee.currency,
            "state": str(FeeState.ASKED),
            "what": fee.what,
            "starts_at": fee.starts_at,
            "why": "",
            "at": now,
            "by": by,
            "chargeable_at": now + TIME_TO_FORGIVE,
            "told_at": None,
            "decided_at": None,
            "decided_by": None,
            "pays_id": None,
        }
        row = insert(FEES).values(
            tenant_id=uow.tenant,
            id=new_id(),
            customer_id=fee.customer_id,
            order_id=fee.order_id,
            subject_id=fee.subject_id,
            **values,
        )
        written = await uow.session.scalar(
            row.on_conflict_do_update(
                constraint="uq_fees_subject",
                set_=values,
                where=FEES.c.state == str(FeeState.DROPPED),
            ).returning(FEES.c.id)
        )
        if written is not None:
            await add_due(uow, FEE_DUE, written, now + TIME_TO_FORGIVE)
            asked += 1
    return asked


async def drop_fees(
    uow: UnitOfWork, subject_ids: Sequence[UUID], kind: FeeKind = FeeKind.NO_SHOW
) -> int:
    """The guests had come after all, or what they left late was called off: what is not paid is not
    asked any more. Returns how many.
    """
    found = await uow.session.execute(
        update(Fee)
        .where(
            Fee.tenant_id == uow.tenant,
            Fee.subject_id.in_(subject_ids),
            Fee.kind == str(kind),
            Fee.state == str(FeeState.ASKED),
        )
        .values(state=str(FeeState.DROPPED), decided_at=uow.clock.now())
        .returning(Fee.id, Fee.kind, Fee.told_at)
        .execution_options(synchronize_session=False)
    )
    dropped = found.all()
    if dropped:
        await drop_several_due(uow, [row.id for row in dropped])
    for row in dropped:
        if _is_known(row.kind, row.told_at):
            uow.record(FeeForgiven(fee_id=row.id))
    return len(dropped)


def _is_known(kind: str, told_at: datetime | None) -> bool:
    """Who leaves late reads of it as they do; who did not come, with the mail to pay it."""
    return kind == FeeKind.LATE_CANCEL or told_at is not None


async def lock_fee(uow: UnitOfWork, fee_id: UUID) -> Fee:
    """Raises: NotFound."""
    fee = await uow.session.scalar(
        select(Fee)
        .where(Fee.tenant_id == uow.tenant, Fee.id == fee_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if fee is None:
        raise NotFound(_("There is no such fee."))
    return fee


async def forgive_fee(uow: UnitOfWork, ctx: RequestContext, fee_id: UUID, reason: str) -> bool:
    """Staff let it go, and say why. Returns whether it was asked until now.

    Raises: NotFound; InvalidInput at `reason`; Conflict for one that is paid.
    """
    words = " ".join(reason.split())
    if not words or len(words) > LONGEST_REASON:
        said = _("Please say why, in at most %(most)s characters.", most=LONGEST_REASON)
        raise InvalidInput(said, fields={"reason": said})
    fee = await lock_fee(uow, fee_id)
    if fee.state == FeeState.PAID:
        raise Conflict(_("It is paid already. Give the money back from its order."))
    if fee.state != FeeState.ASKED:
        return False
    fee.state, fee.why = str(FeeState.FORGIVEN), words
    fee.decided_at, fee.decided_by = uow.clock.now(), ctx.actor.user_id
    await drop_due(uow, fee.id)
    if _is_known(fee.kind, fee.told_at):
        uow.record(FeeForgiven(fee_id=fee.id))
    facts = {"amount_minor": fee.amount_minor, "currency": fee.currency}
    await audit(uow, ctx, "fee.forgiven", "order", fee.order_id, reason=words, **facts)
    return True


async def take_fee_on_site(uow: UnitOfWork, ctx: RequestContext, fee_id: UUID) -> Money:
    """The business took it itself: an order of its own, paid on site. Returns what is written down.

    Raises: NotFound; Conflict for one that is not asked any more.
    """
    fee = await lock_fee(uow, fee_id)
    if fee.state == FeeState.PAID:
        return Money(0, fee.currency)
    _refuse_unless_asked(fee)
    order = await _insert_order(uow, fee, PaymentMode.ON_SITE)
    await uow.settle()
    fee.state, fee.decided_at = str(FeeState.PAID), uow.clock.now()
    fee.pays_id, fee.decided_by = order.id, ctx.actor.user_id
    await drop_due(uow, fee.id)
    return await mark_paid_on_site(uow, ctx, order.id)


async def begin_fee_payment(uow: UnitOfWork, fee_id: UUID) -> UUID:
    """The order to pay the fee with: the one that waits for its payment already, or a new one.

    Raises: NotFound; Conflict for one that is not asked any more, or where nobody can pay online.
    """
    fee = await lock_fee(uow, fee_id)
    _refuse_unless_asked(fee)
    if fee.pays_id is not None:
        before = await get_order(uow, fee.pays_id)
        ends_at = before.hold_expires_at
        if before.state == OrderState.OPEN and ends_at is not None and uow.clock.now() < ends_at:
            return before.id
    await require_payments_ready_now(uow)
    order = await _insert_order(uow, fee, PaymentMode.ONLINE)
    await uow.settle()
    fee.pays_id = order.id
    return order.id


def _refuse_unless_asked(fee: Fee) -> None:
    if fee.state == FeeState.PAID:
        raise Conflict(_("This fee is paid already."), code="already_paid")
    if fee.state != FeeState.ASKED:
        raise Conflict(_("This fee is not asked any more."), code="not_asked")


async def _insert_order(uow: UnitOfWork, fee: Fee, mode: PaymentMode) -> Order:
    """Counts as no booking: it takes no unit of the month."""
    source, order_id = await get_order(uow, fee.order_id), new_id()
    line = NewLine(
        kind=FEE_LINE,
        subject_id=fee.id,
        description=f"{_('Fee')}: {fee.what}",
        unit_minor=fee.amount_minor,
    )
    new = NewOrder(
        order_id=order_id,
        customer_id=fee.customer_id,
        payment_mode=mode,
        currency=fee.currency,
        lines=(line,),
        guest_name=source.guest_name,
        guest_email=source.guest_email,
        guest_phone=source.guest_phone,
        locale=source.locale,
        form_token=f"fee:{order_id}",
        fingerprint=f"fee:{fee.id}",
        source=FEE_LINE,
    )
    return await insert_order(uow, new, month=None, now=uow.clock.now())
