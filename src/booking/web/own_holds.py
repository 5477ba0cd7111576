"""What the visitor's own browser holds: kept in a cookie, for a second tab not to call it sold out.

The pages of the service say so; the overview, which is the same for everybody, does not.
The cookie is made of the links of the orders, which are signed, and which this browser was sent
before. It opens nothing that they do not; what has ended, or is another business's, is passed over.
"""

from typing import Any
from uuid import UUID

from litestar import Request

from src.booking.guest_links import LinkedOrder, order_behind
from src.booking.queries.own_holds import list_own_holds
from src.booking.views.hub import OwnHold
from src.platform.errors import DomainError
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

MOST = 3
LIFETIME_SECONDS = 2 * 60 * 60
"""Longer than a payment page stands; what has ended is told from the orders."""
BETWEEN = "~"


def remember_hold(request: AnyRequest, guest_path: str) -> None:
    """Lets this browser know the hold of that page as its own."""
    token = guest_path.rsplit("/", 1)[-1]
    kept = [token, *(one for one in _tokens(request) if one != token)][:MOST]
    exchange = exchange_of(request.scope)
    cookies = exchange.kit.cookies
    value = BETWEEN.join(kept)
    exchange.cookies_to_write.append(cookies.written(cookies.holds, value, LIFETIME_SECONDS))


def may_hold(request: AnyRequest) -> bool:
    """Whether the browser held something not long ago, at whichever business."""
    return bool(_tokens(request))


async def own_holds(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    service_slug: str,
    subject_id: UUID | None = None,
) -> list[OwnHold]:
    """What this browser holds of the service, or of just one of its sessions or series."""
    linked = _linked(request, services, ctx)
    if not linked:
        return []
    async with services.uow_factory(ctx.here.id) as uow:
        return await list_own_holds(
            uow, ctx.here, services.settings, linked, service_slug, subject_id
        )


def _linked(request: AnyRequest, services: Services, ctx: RequestContext) -> list[LinkedOrder]:
    found, now = [], services.clock.now()
    for token in _tokens(request):
        try:
            found.append(order_behind(services.settings, token, ctx.here.id, now))
        except DomainError:
            continue
    return found


def _tokens(request: AnyRequest) -> list[str]:
    value = exchange_of(request.scope).cookie("holds") or ""
    return [one for one in value.split(BETWEEN) if one][:MOST]
