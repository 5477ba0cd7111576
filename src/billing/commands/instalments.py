"""The parts of an order's price: written with it, paid once each, let go.

The order's row is locked by whoever changes one of its parts, so that a job, a guest and the desk
take turns; the lot, which grows by what was paid for it, comes last as ever.
Source: docs/algorithms/payment-plans.md.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

from sqlalchemy import Table, select, update

from src.billing.commands.due import add_due, drop_due, move_due
from src.billing.commands.odd_payments import send_back, tell_of_mismatch
from src.billing.commands.open_items import close_open_items, raise_open_item
from src.billing.commands.refunds import MoneyBack, request_refund
from src.billing.domain.credits import LotSource
from src.billing.domain.kinds import VOUCHER_METHOD, OpenItemKind, OrderState, RefundCause
from src.billing.domain.parts import (
    PART_DUE,
    STILL_TO_PAY,
    PartState,
    charged_at,
    next_try,
    reminded_at,
)
from src.billing.domain.schedules import Part
from src.billing.events import PartNotPaid, PartsPaid, PaymentCameTooLate
from src.billing.models import CreditLot, Instalment, Order, Payment, PaymentPage
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot

INSTALMENTS = cast(Table, Instalment.__table__)


def insert_parts(uow: UnitOfWork, order: Order, parts: Sequence[Part]) -> None:
    """Writes them beside the order, which is not in the database yet; they sum to what is to pay
    beside a voucher. Nothing is charged before the order stands.
    """
    assert sum(part.minor for part in parts) == order.total_minor - order.voucher_minor
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "order_id": order.id,
            "number": number,
            "due_on": part.due_on,
            "minor": part.minor,
            "state": str(PartState.DUE),
            "attempts": 0,
            "why": "",
        }
        for number, part in enumerate(parts, start=1)
    ]
    uow.insert(INSTALMENTS, rows)


async def list_parts(uow: UnitOfWork, order_id: UUID) -> list[Instalment]:
    """All of the order's as they are now, by number; none of one that is paid at once."""
    found = await uow.session.scalars(
        select(Instalment)
        .where(Instalment.tenant_id == uow.tenant, Instalment.order_id == order_id)
        .order_by(Instalment.number)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def get_part(uow: UnitOfWork, order_id: UUID, part_id: UUID) -> Instalment:
    """Raises: NotFound, also for another order's."""
    for part in await list_parts(uow, order_id):
        if part.id == part_id:
            return part
    raise NotFound(_("There is no such part."))


def refuse_unless_bought(order: Order) -> None:
    """Raises: Conflict for an order that does not stand: its first part is paid otherwise, and the
    others are not asked.
    """
    if order.state == OrderState.OPEN:
        raise Conflict(_("The first part has to be paid before the others."), code="not_bought")
    if order.state != OrderState.CONFIRMED:
        raise Conflict(_("This was not bought, so no part of it is to be paid."), code="not_bought")


async def begin_parts(uow: UnitOfWork, order: Order, tenant: TenantSnapshot) -> None:
    """The order stands: its first part was paid, and the others are waited for from now on; those
    of one that had ended too.
    """
    if not order.later_minor:
        return
    first, *others = await list_parts(uow, order.id)
    now, payment_id = uow.clock.now(), await _paid_first(uow, order)
    assert payment_id is not None, "an order that waits for its first part stands by a payment"
    _mark_paid(first, payment_id, now)
    for part in others:
        if part.state not in (PartState.DUE, PartState.VOID):
            continue
        part.state, part.decided_at = str(PartState.DUE), None
        part.next_try_at = charged_at(part.due_on, tenant.zone)
        await add_due(uow, PART_DUE, part.id, reminded_at(part.due_on, tenant.zone))
    await uow.settle()


async def _paid_first(uow: UnitOfWork, order: Order) -> UUID | None:
    found: UUID | None = await uow.session.scalar(
        select(Payment.id)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order.id,
            Payment.is_extra.is_(False),
            Payment.method != VOUCHER_METHOD,
        )
        .order_by(Payment.received_at.desc(), Payment.id.desc())
        .limit(1)
    )
    return found


def _mark_paid(part: Instalment, payment_id: UUID, now: datetime) -> None:
    part.state, part.payment_id, part.decided_at = str(PartState.PAID), payment_id, now
    part.page_id = part.next_try_at = None


async def take_parts(uow: UnitOfWork, order: Order, page: PaymentPage, payment: Payment) -> None:
    """Money came for parts of the locked order: those that are still to be paid are paid by it, and
    what was for others goes back, and all of it where nothing was bought. Nothing may follow it in
    its transaction.
    """
    if order.state != OrderState.CONFIRMED:
        refund_id = await send_back(uow, order, payment, RefundCause.TOO_LATE)
        uow.record(PaymentCameTooLate(order_id=order.id, refund_id=refund_id))
        return
    wanted = set(page.parts or ())
    parts = [part for part in await list_parts(uow, order.id) if str(part.id) in wanted]
    asked_minor = sum(part.minor for part in parts)
    if (payment.amount_minor, payment.currency) != (asked_minor, order.currency):
        await tell_of_mismatch(uow, order, payment, asked_minor)
        return
    waiting = [part for part in parts if part.state in STILL_TO_PAY]
    over = _over(parts)
    if not waiting:
        await send_back(uow, order, payment, next(iter(over)))
        return
    await uow.session.flush()
    for cause, minor in over.items():
        back = MoneyBack(amount_minor=minor, cause=cause, cause_key=f"{cause}:{payment.id}")
        await request_refund(uow, order, payment, back)
    await pay_parts(uow, order, waiting, payment)


def _over(parts: Sequence[Instalment]) -> dict[RefundCause, int]:
    """What came for parts that nobody waits for, by why it goes back."""
    over: dict[RefundCause, int] = {}
    for part in parts:
        if part.state not in STILL_TO_PAY:
            is_paid = part.state == PartState.PAID
            cause = RefundCause.PAID_TWICE if is_paid else RefundCause.NOT_ASKED
            over[cause] = over.get(cause, 0) + part.minor
    return over


async def pay_parts(
    uow: UnitOfWork, order: Order, parts: Sequence[Instalment], payment: Payment
) -> None:
    """These parts of the locked order, which were still to be paid, are. What was paid for the
    credits is so much more by now. Nothing may follow it in its transaction.
    """
    await uow.session.flush()
    now = uow.clock.now()
    for part in parts:
        assert part.state in STILL_TO_PAY, "a part is paid once at most"
        _mark_paid(part, payment.id, now)
        await drop_due(uow, part.id)
        await close_open_items(uow, OpenItemKind.PART_OVERDUE, part.id)
    uow.record(PartsPaid(order_id=order.id, payment_id=payment.id))
    await uow.settle()
    await uow.session.flush()
    paid_minor = sum(part.minor for part in parts)
    await uow.session.execute(
        update(CreditLot)
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order.id,
            CreditLot.source == str(LotSource.PACKAGE),
        )
        .values(paid_minor=CreditLot.paid_minor + paid_minor)
        .execution_options(synchronize_session=False)
    )


async def note_attempt(uow: UnitOfWork, part: Instalment, page_id: UUID) -> None:
    """The card is charged once more."""
    part.attempts += 1
    part.page_id = page_id
    await uow.session.flush()


async def take_attempt_back(uow: UnitOfWork, part: Instalment, again_at: datetime) -> None:
    """It says nothing of the card, so it was none of its tries."""
    part.attempts -= 1
    part.page_id, part.next_try_at = None, again_at
    await move_due(uow, part.id, again_at)
    await uow.session.flush()


async def note_not_paid(
    uow: UnitOfWork, order: Order, part: Instalment, tenant: TenantSnapshot, *, has_card: bool
) -> None:
    """The attempt was in vain, or there was no card to make one with: the next is planned, or the
    part is overdue, of which guest and business hear. Without a card it is so at once. Nothing that
    was bought is taken away by that.
    """
    part.page_id, now = None, uow.clock.now()
    at = next_try(part.due_on, part.attempts, now, tenant.zone) if has_card else None
    part.next_try_at = at
    if at is not None:
        await move_due(uow, part.id, at)
    else:
        part.state = str(PartState.OVERDUE)
        await drop_due(uow, part.id)
        await raise_open_item(
            uow, OpenItemKind.PART_OVERDUE, part.id, order.id, await overdue_facts(uow, order, part)
        )
    if part.attempts == 1 or at is None:
        day = to_local(uow.clock.now(), tenant.zone).date()
        told = PartNotPaid(order_id=order.id, part_id=part.id, day=day, is_last=at is None)
        uow.record(told)
    await uow.session.flush()


async def overdue_facts(uow: UnitOfWork, order: Order, part: Instalment) -> dict[str, object]:
    return {
        "guest": order.guest_name,
        "reference": order.reference,
        "number": part.number,
        "of": len(await list_parts(uow, order.id)),
        "due_on": part.due_on.isoformat(),
        "amount_minor": part.minor,
        "currency": order.currency,
    }
