"""The page of one service, which can also be linked to directly."""

from typing import Any, cast
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.queries.service_page import Asked, Side, get_service_page
from src.booking.views.hub import DateRow, Day, OwnHold, SeriesOffer, ServicePageView
from src.booking.web.appointment_page import appointment_page
from src.booking.web.for_established import PRIVATE, require_established
from src.booking.web.hub import FRESH, uuid_of, wanted_of
from src.booking.web.own_holds import may_hold, own_holds
from src.booking.web.page_cache import PageCache
from src.booking.web.share_cards import card_of
from src.platform.errors import NotFound
from src.platform.i18n import current_locale
from src.platform.services import Services
from src.platform.web.pages import cacheable_page, may_be_cached, page
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests look at a service before they book it."}
TEMPLATE = "booking/guest/service.html"

service_pages = PageCache(fresh=FRESH)


@get("/b/{slug:str}/{service_slug:str}", opt=PUBLIC)
async def service_page(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Description, dates and prices. `how` picks series or single dates, `series` shows an
    unlisted series, `month` and `after` move through the dates. A service by appointment has a
    page of its own kind at the same address.
    """
    try:
        return await _dates_page(request, services, ctx, service_slug)
    except NotFound:
        return await appointment_page(request, services, ctx, service_slug)
    except EstablishedOnly:
        return await _kept_page(request, services, ctx, service_slug)


async def _kept_page(
    request: AnyRequest, services: Services, ctx: RequestContext, service_slug: str
) -> Response[bytes]:
    """The same of what is kept for established customers, for one of them; nobody keeps it.

    Raises: EstablishedOnly.
    """
    await require_established(request, services, ctx)
    asked = asked_of(request, service_slug)
    async with services.uow_factory(ctx.here.id) as uow:
        base_url = services.settings.base_url
        view = await get_service_page(uow, ctx.here, asked, base_url, to_established=True)
    held = await own_holds(request, services, ctx, service_slug)
    return page(request, TEMPLATE, _with_own(view, held), headers=PRIVATE)


async def _dates_page(
    request: AnyRequest, services: Services, ctx: RequestContext, service_slug: str
) -> Response[bytes]:
    """As a stranger sees it. Raises: NotFound for what is absent, hidden or has no dates;
    EstablishedOnly.
    """
    asked = asked_of(request, service_slug)

    async def view() -> Any:
        base_url = services.settings.base_url
        async with services.uow_factory(ctx.here.id) as uow:
            found = await get_service_page(uow, ctx.here, asked, base_url)
        return msgspec.structs.replace(found, card=card_of(ctx.here, found, asked, base_url))

    if may_hold(request):
        held = await own_holds(request, services, ctx, service_slug)
        return page(request, TEMPLATE, _with_own(await view(), held))

    async def make() -> Any:
        return cacheable_page(request, TEMPLATE, await view())

    if not may_be_cached(request):
        return page(request, TEMPLATE, await view())
    key = (ctx.here.id, current_locale(), asked)
    now = services.clock.now()
    return (await service_pages.get(key, ctx.here, now, make)).respond(request)


def _with_own(view: ServicePageView, held: list[OwnHold]) -> ServicePageView:
    """What is held is not called sold out, nor is there a list to wait for it: it is to be paid."""
    own = frozenset[UUID]().union(*(hold.what for hold in held))
    month, price = view.month, view.price_alone if held else view.price
    if month is not None:
        days = [
            Day(day.starts_at, [_date_with_own(row, own) for row in day.rows]) for day in month.days
        ]
        month = msgspec.structs.replace(month, days=days)
    series = [_series_with_own(offer, own) for offer in view.series]
    return msgspec.structs.replace(view, held=held, price=price, month=month, series=series)


def _date_with_own(row: DateRow, own: frozenset[UUID]) -> DateRow:
    if not row.is_full or row.session_id not in own:
        return row
    return msgspec.structs.replace(row, is_full=False, seats="", href=None)


def _series_with_own(offer: SeriesOffer, own: frozenset[UUID]) -> SeriesOffer:
    if offer.seats.left != 0 or offer.series_id not in own:
        return offer
    dates = [
        msgspec.structs.replace(date, state="included") if date.state == "full" else date
        for date in offer.dates
    ]
    return msgspec.structs.replace(offer, dates=dates, reason="", waitlist_href=None)


def asked_of(request: AnyRequest, service_slug: str) -> Asked:
    query = request.query_params
    side = query.get("how")
    return Asked(
        slug=service_slug,
        side=cast("Side", side) if side in {"series", "single"} else None,
        series=uuid_of(query.get("series", "")),
        dates=wanted_of(request),
    )


route_handlers: list[Any] = [service_page]
