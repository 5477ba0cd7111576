"""The pictures that links to the hub, to a service and to a series show where they are sent.

Each is drawn of what the page says, so it is there for what everybody may see who has the
link, and for nothing else: not for what is hidden, frozen or kept for some.
"""

import asyncio
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.appointment_page import get_appointment_page
from src.booking.queries.dates import Wanted
from src.booking.queries.hub import get_hub
from src.booking.queries.service_page import Asked, get_service_page, no_such_service
from src.booking.queries.time_picker import Picked
from src.booking.share_picture import share_picture
from src.booking.views.sharing import ShareCard
from src.booking.web.hub import uuid_of
from src.booking.web.share_cards import card_of, hub_card, service_card
from src.platform.errors import NotFound
from src.platform.services import Services
from src.platform.web.cookies import header_of
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly

AnyRequest = Request[Any, Any, Any]

PUBLIC = {
    "public": "The picture of a page that everybody sees.",
    "quiet": True,
    "session": False,
}
NOT_MODIFIED = 304
AN_HOUR = "public, max-age=3600"


@get("/b/{slug:str}/app/share.png", opt=PUBLIC, include_in_schema=False)
async def show_hub_picture(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """Of the business's front page."""
    base_url = services.settings.base_url
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_hub(uow, ctx.here, Wanted(), services.clock.now(), base_url)
    return await _drawn(request, hub_card(ctx.here, view, base_url))


@get("/b/{slug:str}/{service_slug:str}/share.png", opt=PUBLIC, include_in_schema=False)
async def show_service_picture(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Of a service, with `series` of that one. Raises: NotFound for what strangers do not see."""
    series_id = uuid_of(request.query_params.get("series", ""))
    asked = Asked(slug=service_slug, series=series_id)
    base_url = services.settings.base_url
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            view = await get_service_page(uow, ctx.here, asked, base_url)
        card = card_of(ctx.here, view, asked, base_url)
    except NotFound:
        card = await _appointment_card(services, ctx, service_slug)
    except EstablishedOnly:
        raise no_such_service() from None
    return await _drawn(request, card)


async def _appointment_card(services: Services, ctx: RequestContext, slug: str) -> ShareCard:
    """Raises: NotFound."""
    base_url = services.settings.base_url
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            view = await get_appointment_page(uow, ctx.here, slug, Picked(), None, base_url)
    except EstablishedOnly:
        raise no_such_service() from None
    return service_card(ctx.here, view, base_url)


async def _drawn(request: AnyRequest, card: ShareCard) -> Response[bytes]:
    """The picture, or only that it is the one which the reader has."""
    etag = f'"{card.poster.version}"'
    headers = {"etag": etag, "cache-control": AN_HOUR}
    if header_of(request.scope, b"if-none-match") == etag:
        return Response(b"", status_code=NOT_MODIFIED, media_type="image/png", headers=headers)
    drawn = await asyncio.to_thread(share_picture, card.poster)
    return Response(drawn, media_type="image/png", headers=headers)


route_handlers: list[Any] = [show_hub_picture, show_service_picture]
