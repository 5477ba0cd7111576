"""Vouchers in place of refunds for many orders at once, as cancelling gives them."""

from collections.abc import Sequence
from itertools import chain
from uuid import UUID

from src.billing.commands.open_items import close_failures_of_used_up
from src.billing.commands.refunds import set_aside
from src.billing.commands.refunds_together import (
    Given,
    Wanted,
    ask_part,
    at_most_unreturned,
    payments_of_orders,
)
from src.billing.commands.voucher_giving import given_as, voucher_for
from src.billing.commands.voucher_lines import activate, zone_of
from src.billing.domain.kinds import VOUCHER_METHOD
from src.billing.models import Payment
from src.platform.db.uow import UnitOfWork


async def give_as_vouchers(uow: UnitOfWork, wanted: Sequence[Wanted]) -> dict[UUID, Given]:
    """Each order's amount as one new voucher, what was paid on site too; what a voucher had paid
    goes back on that. The orders' rows are locked.

    Returns by order what was given: less than wanted where less is left, or lies in credits.
    """
    wanted = await at_most_unreturned(uow, wanted)
    payments = await payments_of_orders(uow, [one.order.id for one in wanted])
    given: dict[UUID, Given] = {}
    for one in wanted:
        own, asked = payments[one.order.id], 0
        for payment in own:
            if payment.method == VOUCHER_METHOD:
                asked += await ask_part(uow, one, payment, one.amount_minor - asked)
        others = [payment for payment in own if payment.method != VOUCHER_METHOD]
        asked += await _give(uow, one, others, one.amount_minor - asked)
        given[one.order.id] = Given(asked, 0)
    await close_failures_of_used_up(uow, chain.from_iterable(payments.values()))
    return given


async def _give(
    uow: UnitOfWork, wanted: Wanted, payments: Sequence[Payment], left_minor: int
) -> int:
    parts: list[tuple[Payment, int]] = []
    for payment in payments:
        part = min(left_minor, payment.amount_minor - payment.refunded_minor)
        if part > 0:
            parts.append((payment, part))
            left_minor -= part
    total = sum(part for _payment, part in parts)
    if not total:
        return 0
    order = wanted.order
    voucher = await voucher_for(uow, await zone_of(uow), order, order.currency, total)
    refunds = []
    for payment, part in parts:
        key = f"{wanted.cause_key}:{payment.id}"
        refunds.append(given_as(uow, order, payment, voucher, part, wanted.cause, key))
        set_aside(order, payment, part)
    uow.session.add_all(refunds)
    await uow.session.flush()
    await activate(uow, voucher, uow.clock.now(), refund_id=refunds[0].id)
    return total
