"""Refunds of many orders asked for at once, as cancelling does it: a few statements for all.

What is asked for one order is the same that `request_refunds` asks for, but for a cause that has
asked before: the caller's seats end only once, and so does its cause.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.due import add_due
from src.billing.commands.open_items import close_failures_of_used_up
from src.billing.commands.refunds import refund_row, set_aside
from src.billing.domain.kinds import BY_HAND_METHODS, VOUCHER_METHOD, RefundCause
from src.billing.domain.retries import REFUND_DUE, next_refund_check
from src.billing.events import RefundRequested
from src.billing.models import Order, Payment, Refund
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.unreturned import list_unreturned_minor
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to go back for one order, whose row is locked; `cause_key` was never used before."""

    order: Order
    amount_minor: int
    cause: RefundCause
    cause_key: str


@dataclass(frozen=True, slots=True)
class Given:
    """What was asked for through the processor; of the rest, what the business has of it itself
    and can hand back.
    """

    asked_minor: int
    by_hand_minor: int


async def request_refunds_together(uow: UnitOfWork, wanted: Sequence[Wanted]) -> dict[UUID, Given]:
    """Spreads each amount over what is left of its order's payments through the processor.

    Returns by order what was asked for: less than wanted where less is left, or lies in credits or
    was promised already.
    """
    wanted = await at_most_unreturned(uow, wanted)
    payments = await payments_of_orders(uow, [one.order.id for one in wanted])
    given: dict[UUID, Given] = {}
    for one in wanted:
        own = payments[one.order.id]
        asked = 0
        for payment in own:
            if payment.method not in BY_HAND_METHODS:
                asked += await ask_part(uow, one, payment, one.amount_minor - asked)
        taken = sum(p.amount_minor - p.refunded_minor for p in own if p.method in BY_HAND_METHODS)
        given[one.order.id] = Given(asked, min(one.amount_minor - asked, taken))
    await close_failures_of_used_up(uow, chain.from_iterable(payments.values()))
    return given


async def at_most_unreturned(uow: UnitOfWork, wanted: Sequence[Wanted]) -> list[Wanted]:
    """The same, each with no more than has come back for its order in no other way."""
    unreturned = await list_unreturned_minor(uow, [one.order.id for one in wanted])
    return [
        replace(one, amount_minor=min(one.amount_minor, unreturned.get(one.order.id, 0)))
        for one in wanted
    ]


async def payments_of_orders(
    uow: UnitOfWork, order_ids: Sequence[UUID]
) -> dict[UUID, list[Payment]]:
    """What came for the orders and was waited for, in the order in which it goes back; what a bank
    has taken back is gone to the guest already.
    """
    found = await uow.session.scalars(
        select(Payment)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id.in_(order_ids),
            Payment.is_extra.is_(False),
            ~is_payment_with_the_bank(),
        )
        .order_by(Payment.method != VOUCHER_METHOD, Payment.received_at, Payment.id)
        .execution_options(populate_existing=True)
    )
    by_order: dict[UUID, list[Payment]] = defaultdict(list)
    for payment in found:
        by_order[payment.order_id].append(payment)
    return by_order


async def ask_part(uow: UnitOfWork, wanted: Wanted, payment: Payment, left_minor: int) -> int:
    part = min(left_minor, payment.amount_minor - payment.refunded_minor)
    if part <= 0:
        return 0
    refund = Refund(
        **refund_row(uow, wanted.order, payment, new_id(), part),
        cause=str(wanted.cause),
        cause_key=f"{wanted.cause_key}:{payment.id}",
    )
    uow.session.add(refund)
    set_aside(wanted.order, payment, part)
    uow.record(RefundRequested(refund_id=refund.id))
    now = uow.clock.now()
    await add_due(uow, REFUND_DUE, refund.id, next_refund_check(now, now))
    return part
