"""/app/<slug>/series: what is sold as a course, who bought it, and the editor of it."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.series import (
    NotPublishable,
    create_series,
    get_series,
    publish_series,
    reasons_against_publishing,
    unpublish_series,
    update_series,
)
from src.booking.domain.bookable import why_not_bookable_series
from src.booking.domain.reasons import Reason
from src.booking.models import Series
from src.booking.queries.buyers import list_buyers
from src.booking.queries.offer_facts import business_facts, series_facts
from src.booking.queries.offers import get_series_offer
from src.booking.queries.series import get_series_overview, list_rhythms, list_series
from src.booking.queries.services import get_service_head
from src.booking.views.series import BuyerPage, Rhythm, SeriesOverview, SeriesRow
from src.booking.views.services import ServiceHead
from src.booking.web.series_forms import (
    SeriesForm,
    command_of,
    gap_choices,
    initial_of,
    join_choices,
    with_rhythm_ticked,
)
from src.booking.web.service_words import price_type_choices, visibility_words
from src.booking.web.sold_words import Word, booking_words, price_type_words
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_EDIT = [*MAY_SEE, requires(Feature.GROUP_SERVICES), requires(Feature.SERIES)]

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
    """One series. `against` says why guests cannot buy it now, and how to mend it."""

    overview: SeriesOverview
    buyers: BuyerPage
    against: list[Reason]
    base: str
    here: str
    hub_href: str
    zone: str
    currency: str
    may_edit: bool
    shows_buyers: bool
    words: dict[str, str]
    states: dict[str, Word]


class SeriesFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `series_id` is None for a new series."""

    form: Any
    series_id: UUID | None
    is_published: bool
    service: ServiceHead
    rhythms: list[Rhythm]
    base: str
    zone: str
    currency: str
    payments_ready: bool
    choices: dict[str, Any]


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


@get(
    "/app/{slug:str}/services/{service_id:uuid}/series/new",
    guards=MAY_EDIT,
    include_in_schema=False,
)
async def show_new_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    form = blank(SeriesForm, {"token": new_id()})
    return await _editor(request, services, ctx, form, service_id, None)


@post(
    "/app/{slug:str}/services/{service_id:uuid}/series/new",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def save_new_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    raw = await read_form(request)
    if key := "".join(raw.texts.get("tick", [])):
        ticked = await _ticked(services, ctx, raw, service_id, None, key)
        return await _editor(request, services, ctx, ticked, service_id, None)
    bound = bind(SeriesForm, raw)
    form = bound.struct
    if form is None:
        return await _editor(request, services, ctx, bound, service_id, None, status_code=422)
    try:
        cmd = command_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            series_id = await create_series(uow, ctx, service_id, cmd, series_id=form.token)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(request, services, ctx, bound, service_id, None, status_code=422)
    flash(request, "success", _("“%(title)s” is saved. It is not on sale yet.", title=form.title))
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


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


@get("/app/{slug:str}/series/{series_id:uuid}/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_series_editor(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_series_offer(uow, series_id)
    attached = [session.id for session in offer.sessions]
    form = blank(SeriesForm, initial_of(offer.series, attached, ctx.here.currency))
    return await _editor(request, services, ctx, form, offer.service.id, offer.series)


@post(
    "/app/{slug:str}/series/{series_id:uuid}/edit",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def save_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    raw = await read_form(request)
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_series_offer(uow, series_id)
    series = offer.series
    if key := "".join(raw.texts.get("tick", [])):
        bound = await _ticked(services, ctx, raw, series.service_id, series_id, key)
        return await _editor(request, services, ctx, bound, series.service_id, series)
    bound = bind(SeriesForm, raw)
    form = bound.struct
    if form is None:
        return await _editor(
            request, services, ctx, bound, series.service_id, series, status_code=422
        )
    try:
        cmd = command_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await update_series(uow, ctx, series_id, cmd)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _editor(
            request, services, ctx, bound, series.service_id, series, status_code=422
        )
    flash(request, "success", _("“%(title)s” is saved.", title=form.title))
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


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
        against = await _against(uow, ctx, series_id)
    base = f"/app/{ctx.here.slug}"
    view = SeriesPageView(
        overview=overview,
        buyers=buyers,
        against=against,
        base=base,
        here=f"{base}/series/{series_id}",
        hub_href=f"/b/{ctx.here.slug}/{overview.head.service_slug}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        may_edit=_may_sell_series(ctx.here),
        shows_buyers=shows_buyers,
        words=price_type_words(),
        states=booking_words(),
    )
    return page(request, "booking/series/show.html", view)


async def _against(uow: UnitOfWork, ctx: RequestContext, series_id: UUID) -> list[Reason]:
    """While it is on sale, why guests cannot buy it; before, why it cannot be published."""
    series = await get_series(uow, series_id)
    if not series.active:
        return await reasons_against_publishing(uow, series)
    facts = series_facts(await get_series_offer(uow, series_id), business_facts(ctx.here))
    return why_not_bookable_series(facts, uow.clock.now())


async def _ticked(
    services: Services,
    ctx: RequestContext,
    raw: Any,
    service_id: UUID,
    series_id: UUID | None,
    key: str,
) -> Bound[SeriesForm]:
    async with services.uow_factory(ctx.here.id) as uow:
        rhythms = await list_rhythms(
            uow, service_id, series_id, ctx.here.zone, services.clock.now()
        )
    return with_rhythm_ticked(raw, rhythms, key)


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[SeriesForm],
    service_id: UUID,
    series: Series | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    series_id = series.id if series is not None else None
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, service_id)
        rhythms = await list_rhythms(
            uow, service_id, series_id, ctx.here.zone, services.clock.now()
        )
    view = SeriesFormView(
        form=form,
        series_id=series_id,
        is_published=series is not None and series.published_at is not None,
        service=service,
        rhythms=rhythms,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        payments_ready=ctx.here.payments_ready,
        choices={
            "price_types": price_type_choices(),
            "visibilities": list(visibility_words().items()),
            "joins": join_choices(),
            "gaps": gap_choices(),
        },
    )
    return page(request, "booking/series/form.html", view, status_code=status_code)


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
    show_new_series,
    save_new_series,
    show_series,
    show_buyers,
    show_series_editor,
    save_series,
    put_on_sale,
    take_off_sale,
]
