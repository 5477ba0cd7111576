"""One way to pay gives way to another: the attempt ends at the processor first, the hold stays."""

from collections.abc import Callable
from contextlib import suppress
from uuid import UUID

from src.billing.commands.connect import recheck_account
from src.billing.commands.settle import lock_page
from src.billing.domain.kinds import OrderState, PageState
from src.billing.gates import payments_not_ready
from src.billing.models import PaymentPage
from src.billing.payable import no_answer
from src.billing.processor import Uncertain
from src.billing.queries.attempts import newest_page
from src.billing.settlement import close_page
from src.platform.errors import Conflict, Unavailable
from src.platform.services import Services

WAITING = (PageState.PENDING, PageState.OPEN)


class InTheWay(Exception):
    """An attempt before was to give way and still waits."""


async def put_aside(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    in_the_way: Callable[[PaymentPage], bool],
) -> None:
    """Ends the order's latest attempt where it waits and is `in_the_way`, or was before: it could
    not be ended then. That it is to give way is kept before it is ended, for whoever hears of the
    end first: the order must not end with it. One that turns out paid has fulfilled the order
    instead.

    Never call it inside a transaction. Raises: Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        newest = await newest_page(uow, order_id)
        if newest is None or newest.state not in WAITING:
            return
        if newest.put_aside_at is None and not in_the_way(newest):
            return
        order, page = await lock_page(uow, newest.id)
        if order.state != OrderState.OPEN or page.state not in WAITING:
            return
        page.put_aside_at = page.put_aside_at or uow.clock.now()
    await close_page(services, tenant_id, newest.id)


async def why_in_the_way(services: Services, tenant_id: UUID) -> Conflict | Unavailable:
    """What somebody reads where an attempt before could not be put aside: that nothing can be paid
    here where the business may not charge any more, or else that there was no answer.

    Never call it inside a transaction.
    """
    with suppress(Uncertain):
        if not await recheck_account(services, tenant_id):
            return payments_not_ready()
    return no_answer()
