"""/app/<slug>/series: what is sold as a course, who bought it, and the editor of it."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.series import (
    NotPublishable,
    get_series,
    publish_series,
    reasons_against_publishing,
    unpublish_series,
)
from src.booking.mend_links import why_lines
from src.booking.queries.buyers import list_buyers
from src.booking.queries.finding import find_series, subject_of_series
from src.booking.queries.leave_requests import list_open_requests
from src.booking.queries.series import get_series_overview, list_series
from src.booking.queries.services import get_service_head
from src.booking.views.finding import Found
from src.booking.views.leaving import LeaveAsked
from src.booking.views.series import BuyerPage, SeriesOverview, SeriesRow
from src.booking.views.services import ServiceHead
from src.booking.web.series_editor import MAY_EDIT
from src.booking.web.series_words import seats_words, selling_words
from src.booking.web.service_words import visibility_words
from src.booking.web.sold_words import Word, booking_words, price_type_words
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]

AnyRequest = Request[Any, Any, Any]


class SeriesListView(msgspec.Struct, frozen=True, kw_only=True):
    """The list; `service` is the one they are all of, None for all services."""

    rows: list[SeriesRow]
    service: ServiceHead | None
    base: str
    zone: str
    currency: str
    may_create: bool
    words: dict[str, dict[str, str]]


class SeriesPageView(msgspec.Struct, frozen=True, kw_only=True):
    """One series. `found` says how guests find it, for one off sale why it cannot go on sale, and
    how either is mended. `asked` are the guests who want to leave it. `selling` has its other
    prices and that of a single date, in words, and `seats_note` what its seats left are about.
    `has_ticks` when a date is still to come, `tick_all` when all of them are chosen at first.
    """

    overview: SeriesOverview
    selling: list[str]
    seats_note: str
    buyers: BuyerPage
    asked: list[LeaveAsked]
    found: Found
    base: str
    here: str
    hub_href: str
    zone: str
    currency: str
    may_edit: bool
    shows_buyers: bool
    now: datetime
    has_ticks: bool
    tick_all: bool
    words: dict[str, str]
    states: dict[str, Word]


@get("/app/{slug:str}/series", guards=MAY_SEE, include_in_schema=False)
async def show_all_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _list(request, services, ctx, None)


@get("/app/{slug:str}/services/{service_id:uuid}/series", guards=MAY_SEE, include_in_schema=False)
async def show_series_of_service(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    return await _list(request, services, ctx, service_id)


@get("/app/{slug:str}/series/{series_id:uuid}", guards=MAY_SEE, include_in_schema=False)
async def show_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _page(request, services, ctx, series_id, shows_buyers=False)


@get("/app/{slug:str}/series/{series_id:uuid}/buyers", guards=MAY_SEE, include_in_schema=False)
async def show_buyers(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _page(request, services, ctx, series_id, shows_buyers=True)


@post(
    "/app/{slug:str}/series/{series_id:uuid}/publish",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def put_on_sale(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    """The page itself lists the reasons against, so a refusal only has to lead back to it."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await publish_series(uow, ctx, series_id)
    except NotPublishable:
        flash(request, "warning", _("It cannot go on sale yet. See below what is missing."))
    else:
        flash(request, "success", _("It is on sale."))
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


@post(
    "/app/{slug:str}/series/{series_id:uuid}/unpublish",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def take_off_sale(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await unpublish_series(uow, ctx, series_id)
    flash(request, "success", _("It is off sale. What is sold runs on."))
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


async def _list(
    request: AnyRequest, services: Services, ctx: RequestContext, service_id: UUID | None
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, service_id) if service_id else None
        rows = await list_series(uow, services.clock.now(), service_id)
    view = SeriesListView(
        rows=rows,
        service=service,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        may_create=_may_sell_series(ctx.here),
        words={"price_type": price_type_words(), "visibility": visibility_words()},
    )
    return page(request, "booking/series/list.html", view)


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    series_id: UUID,
    *,
    shows_buyers: bool,
) -> Response[bytes]:
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        overview = await get_series_overview(uow, series_id, now)
        buyers = await list_buyers(uow, series_id, now, page=page_number(request))
        asked = await list_open_requests(uow, series_id) if shows_buyers else []
        found = await _found(uow, ctx, series_id)
    base = f"/app/{ctx.here.slug}"
    view = SeriesPageView(
        overview=overview,
        selling=selling_words(
            overview.head, ctx.here.currency, to_local(now, ctx.here.zone).date()
        ),
        seats_note=seats_words(overview.head, ctx.here.zone),
        buyers=buyers,
        asked=asked,
        found=found,
        base=base,
        here=f"{base}/series/{series_id}",
        hub_href=f"/b/{ctx.here.slug}/{overview.head.service_slug}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        may_edit=_may_sell_series(ctx.here),
        shows_buyers=shows_buyers,
        now=now,
        has_ticks=any(run.state == "scheduled" and run.starts_at > now for run in overview.runs),
        tick_all=request.query_params.get("tick") == "all",
        words=price_type_words(),
        states=booking_words(),
    )
    return page(request, "booking/series/show.html", view)


async def _found(uow: UnitOfWork, ctx: RequestContext, series_id: UUID) -> Found:
    """While it is on sale, why guests do not find it or cannot buy it; before, why it cannot be put
    on sale.
    """
    series = await get_series(uow, series_id)
    if series.active:
        return await find_series(uow, ctx.here, series_id)
    against = await reasons_against_publishing(uow, series)
    return Found(seen="off", why=why_lines(against, subject_of_series(ctx.here, series)))


def _may_sell_series(tenant: TenantSnapshot) -> bool:
    entitlements = tenant.entitlements
    return entitlements.has(Feature.GROUP_SERVICES) and entitlements.has(Feature.SERIES)


def page_number(request: AnyRequest) -> int:
    """The `page` of the address; 1 for anything that is none."""
    asked = request.query_params.get("page", "1")
    return min(int(asked), 1000) if asked.isdecimal() and asked.isascii() and int(asked) else 1


route_handlers: list[Any] = [
    show_all_series,
    show_series_of_service,
    show_series,
    show_buyers,
    put_on_sale,
    take_off_sale,
]
