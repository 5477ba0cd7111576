"""The hub, and one service or series, to be put into the business's own site.

Frames know nobody: they ask for no cookie and set none, so they show what everybody is shown, and
are kept for a moment as pages are. What leads to a form leads out of the frame.
"""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.appointment_page import get_appointment_page
from src.booking.queries.dates import Wanted
from src.booking.queries.guest_collections import series_path
from src.booking.queries.hub import get_hub
from src.booking.queries.service_page import Asked, get_service_page
from src.booking.queries.time_picker import Picked, Place
from src.booking.views.appointments import AppointmentPageView
from src.booking.web.appointment_page import picked_of
from src.booking.web.for_established import kept_frame
from src.booking.web.guest_subject import slot_query
from src.booking.web.hub import FRESH, wanted_of
from src.booking.web.page_cache import PageCache
from src.booking.web.service_page import asked_of
from src.platform.errors import NotFound
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import CachedPage, cacheable_page
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly

AnyRequest = Request[Any, Any, Any]

EMBEDDED = {
    "public": "What everybody sees of a business, for its own site.",
    "embeddable": True,
    "session": False,
}

frames = PageCache(fresh=FRESH)


@get("/embed/{slug:str}", opt=EMBEDDED)
async def embedded_hub(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """All that can be booked; `month` and `after` move through the dates."""
    asked, now = _dates_of(wanted_of(request)), services.clock.now()

    async def make() -> CachedPage:
        async with services.uow_factory(ctx.here.id) as uow:
            base_url = services.settings.base_url
            view = await get_hub(uow, ctx.here, asked, now, base_url, in_frame=True)
        return cacheable_page(request, "booking/guest/hub_embed.html", view)

    key = (ctx.here.id, current_locale(), asked)
    return (await frames.get(key, ctx.here, now, make)).respond(request)


@get("/embed/{slug:str}/{service_slug:str}", opt=EMBEDDED)
async def embedded_service(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Its series and dates, or its free times; with `series` that one alone. Of what is kept for
    established customers nothing but the way to its page.

    Raises: NotFound.
    """
    asked, picked = asked_of(request, service_slug), picked_of(request)
    asked = msgspec.structs.replace(asked, dates=_dates_of(asked.dates), in_frame=True)

    async def make() -> CachedPage:
        try:
            return await _offered(request, services, ctx, asked, picked)
        except EstablishedOnly:
            slug, href = ctx.here.slug, f"/b/{ctx.here.slug}/{service_slug}"
            if asked.series is not None:
                href = series_path(slug, service_slug, asked.series)
            return kept_frame(request, href)

    key = (ctx.here.id, current_locale(), asked, picked)
    now = services.clock.now()
    return (await frames.get(key, ctx.here, now, make)).respond(request)


def _dates_of(wanted: Wanted) -> Wanted:
    """A frame has no filters, only months."""
    return Wanted(month=wanted.month, after=wanted.after)


async def _offered(
    request: AnyRequest, services: Services, ctx: RequestContext, asked: Asked, picked: Picked
) -> CachedPage:
    """Raises: NotFound, EstablishedOnly."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            view = await get_service_page(uow, ctx.here, asked, services.settings.base_url)
    except NotFound:
        times = await _free_times(services, ctx, asked.slug, picked)
        return cacheable_page(request, "booking/guest/appointment_embed.html", times)
    return cacheable_page(request, "booking/guest/service_embed.html", view)


async def _free_times(
    services: Services, ctx: RequestContext, slug: str, picked: Picked
) -> AppointmentPageView:
    """A chosen time leads to its form, everything before it stays in the frame."""
    place = Place(
        path=f"/embed/{ctx.here.slug}/{slug}",
        href_of=lambda slot: f"/b/{ctx.here.slug}/{slug}/book?{slot_query(slot)}",
    )
    async with services.uow_factory(ctx.here.id) as uow:
        base_url = services.settings.base_url
        return await get_appointment_page(uow, ctx.here, slug, picked, place, base_url)


route_handlers: list[Any] = [embedded_hub, embedded_service]
