"""A package is there again that was cancelled as never paid: its transfer has come after all."""

from src.billing.commands.credits import Author, refill_lots
from src.billing.commands.voucher_claims import (
    pay_by_voucher_again,
    restore_spend,
    retake_voucher,
)
from src.billing.domain.kinds import NotHad
from src.billing.events import PackageBought
from src.billing.models import Order
from src.billing.queries.never_paid import (
    get_refunded_for_credits_minor,
    is_voucher_part_on_its_way,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext


class _NotBack(Exception):
    """Rolls back what a half-done coming back wrote; `why` there is nothing to be had."""

    def __init__(self, why: NotHad) -> None:
        super().__init__(why)
        self.why = why


async def bring_back_package(uow: UnitOfWork, ctx: RequestContext, order: Order) -> NotHad | None:
    """The credits that were bought are there again, until the end that they had, and the voucher
    pays its part again; all of it or nothing. The order's row is locked, `was_never_paid`, and the
    price is written down. Nothing may follow it in its transaction. What was refunded for credits
    stays refunded: such a package does not come back.

    Returns why it is nothing, None where it is all. Raises: Conflict while the voucher's part is
    still on its way back.
    """
    if await get_refunded_for_credits_minor(uow, order.id):
        return NotHad.REFUNDED
    if await is_voucher_part_on_its_way(uow, order):
        raise Conflict(
            _("What the voucher had paid is just going back to it. Please try again in a moment."),
            code="on_its_way_back",
        )
    try:
        async with uow.attempt():
            await _bring_back(uow, ctx, order)
    except _NotBack as failure:
        await uow.session.refresh(order)
        return failure.why
    return None


async def _bring_back(uow: UnitOfWork, ctx: RequestContext, order: Order) -> None:
    """Raises: _NotBack."""
    now = uow.clock.now()
    order.closed_at = order.closed_why = None
    spent = await restore_spend(uow, order, now)
    if spent is not None:
        pay_by_voucher_again(uow, order, spent, now)
    uow.record(PackageBought(order_id=order.id, again=new_id()))
    await audit(uow, ctx, "order.package_brought_back", "order", order.id)
    await uow.settle()
    author = Author.of_staff(ctx.actor, _("The transfer came after all"))
    if not await refill_lots(uow, order.id, author, now):
        raise _NotBack(NotHad.GONE)
    if spent is not None and not await retake_voucher(uow, spent):
        raise _NotBack(NotHad.VOUCHER)
