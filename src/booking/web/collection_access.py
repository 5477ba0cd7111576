"""For whom things are before and after a change of collections, and the words for it."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from litestar import Request

from src.booking.queries.collections import access_by_thing, closed, names_of, opened
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import flash
from src.tenants.context import RequestContext


class AccessChange(NamedTuple):
    """The names of what everybody may book by now, and of what only known customers may."""

    opened: list[str]
    closed: list[str]


async def changing(
    services: Services, ctx: RequestContext, act: Callable[[UnitOfWork], Awaitable[Any]]
) -> AccessChange:
    """Does it in a transaction of its own. Raises: what `act` does."""
    async with services.uow_factory(ctx.here.id) as uow:
        before = await access_by_thing(uow)
        await act(uow)
        after = await access_by_thing(uow)
        return AccessChange(
            opened=await names_of(uow, opened(before, after)),
            closed=await names_of(uow, closed(before, after)),
        )


def tell_of_access(request: Request[Any, Any, Any], change: AccessChange) -> None:
    """Nobody is to find out by chance that something is for others than before."""
    if change.opened:
        said = _("Everybody can book this now: %(names)s.", names=", ".join(change.opened))
        flash(request, "warning", said)
    if change.closed:
        said = _(
            "Only known customers can book this now: %(names)s.", names=", ".join(change.closed)
        )
        flash(request, "info", said)
