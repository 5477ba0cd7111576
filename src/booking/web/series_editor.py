"""/app/<slug>/series/.../edit: what belongs to a series, what it costs and who may join."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.series import (
    SeriesCommand,
    create_series,
    get_series_command,
    update_series,
)
from src.booking.commands.services import get_group_service
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.price_tiers import read_tiers
from src.booking.domain.seen import CHANGED_MEANWHILE, mark_of
from src.booking.models import Series, Service
from src.booking.queries.leaving import sample_start
from src.booking.queries.offers import get_series_offer
from src.booking.queries.series import list_rhythms
from src.booking.queries.services import get_service_head
from src.booking.views.series import Rhythm
from src.booking.views.services import ServiceHead
from src.booking.web.drop_in_forms import unit_choices, way_choices
from src.booking.web.leaving_forms import LeavingView, leaving_view, typed_terms
from src.booking.web.lost_tags import warn_of_lost_tags
from src.booking.web.meanwhile import Fact, saved_now, stale
from src.booking.web.price_tier_forms import (
    TiersView,
    at_the_rows,
    dearer_words,
    only_price_hint,
    tiers_view,
)
from src.booking.web.series_forms import (
    SeriesForm,
    amount_errors,
    command_of,
    field_labels,
    gap_choices,
    initial_of,
    join_choices,
    saved_words,
    with_rhythm_ticked,
)
from src.booking.web.service_words import price_type_choices, visibility_words
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_EDIT = [
    requires_member(Role.MANAGER),
    requires(Feature.GROUP_SERVICES),
    requires(Feature.SERIES),
]

AnyRequest = Request[Any, Any, Any]


class SeriesFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `series_id` is None for a new series. `meanwhile` is what somebody else saved."""

    form: Any
    meanwhile: list[Fact]
    series_id: UUID | None
    is_published: bool
    service: ServiceHead
    rhythms: list[Rhythm]
    base: str
    zone: str
    currency: str
    payments_ready: bool
    leaving: LeavingView
    drop_in_hint: str
    tiers: TiersView
    choices: dict[str, Any]


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
    form = blank(SeriesForm, {"token": new_id(), "may_cancel": True})
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
    if "preview" in raw.texts:
        return await _editor(request, services, ctx, Bound(None, raw), service_id, None)
    bound = bind(SeriesForm, raw)
    form = bound.struct
    if form is None:
        bound = bound.with_errors(amount_errors(bound, ctx.here.currency))
        return await _editor(request, services, ctx, bound, service_id, None, status_code=422)
    try:
        cmd = command_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            series_id = await create_series(uow, ctx, service_id, cmd, series_id=form.token)
    except InvalidInput as refused:
        fields = at_the_rows(refused.fields, form.prices)
        bound = bound.refused(InvalidInput(refused.message, fields=fields))
        return await _editor(request, services, ctx, bound, service_id, None, status_code=422)
    said = _("“%(title)s” is saved. It is not on sale yet.", title=form.title)
    flash(request, "success", _with_dearer(said, cmd))
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


@get("/app/{slug:str}/series/{series_id:uuid}/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_series_editor(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_series_offer(uow, series_id)
        seen = mark_of(await get_series_command(uow, series_id))
    attached = [session.id for session in offer.sessions]
    initial = initial_of(offer.series, attached, ctx.here.currency)
    form = blank(SeriesForm, {**initial, "seen": seen})
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
    if "preview" in raw.texts:
        return await _editor(request, services, ctx, Bound(None, raw), series.service_id, series)
    bound = bind(SeriesForm, raw)
    form = bound.struct
    if form is None:
        bound = bound.with_errors(amount_errors(bound, ctx.here.currency))
        return await _editor(
            request, services, ctx, bound, series.service_id, series, status_code=422
        )
    try:
        cmd = command_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await update_series(uow, ctx, series_id, cmd, seen=form.seen or None)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        return await _stale_editor(request, services, ctx, bound, series_id, refused)
    except InvalidInput as refused:
        fields = at_the_rows(refused.fields, form.prices)
        bound = bound.refused(InvalidInput(refused.message, fields=fields))
        return await _editor(
            request, services, ctx, bound, series.service_id, series, status_code=422
        )
    flash(request, "success", _with_dearer(_saved(form.title, cmd, ctx.here.currency), cmd))
    await warn_of_lost_tags(request, services, ctx, series.tags)
    return redirect(request, f"/app/{ctx.here.slug}/series/{series_id}")


def _with_dearer(said: str, cmd: SeriesCommand) -> str:
    return f"{said} {dearer_words(cmd.price_tiers, cmd.price_minor)}".strip()


def _saved(title: str, cmd: SeriesCommand, currency: str) -> str:
    """With the price as it was understood, since a comma means one thing here and another there."""
    if not cmd.price_minor:
        return _("“%(title)s” is saved.", title=title)
    price = money(cmd.price_minor, currency)
    if cmd.price_tiers:
        return _("“%(title)s” is saved. The full price is %(price)s.", title=title, price=price)
    return _("“%(title)s” is saved. It costs %(price)s.", title=title, price=price)


async def _stale_editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    bound: Bound[SeriesForm],
    series_id: UUID,
    refused: Conflict,
) -> Response[bytes]:
    """What was typed stays; saving it again is then said of what is saved by now."""
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_series_offer(uow, series_id)
        seen = mark_of(await get_series_command(uow, series_id))
    initial = initial_of(offer.series, [one.id for one in offer.sessions], ctx.here.currency)
    words = saved_words({one.id: one.starts_at for one in offer.sessions}, ctx.here.zone)
    return await _editor(
        request,
        services,
        ctx,
        stale(bound, SeriesForm, {"seen": seen}, refused),
        offer.service.id,
        offer.series,
        status_code=409,
        meanwhile=saved_now(bound, SeriesForm, initial, field_labels(), words),
    )


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
    meanwhile: list[Fact] | None = None,
) -> Response[bytes]:
    series_id = series.id if series is not None else None
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service_head(uow, service_id)
        offered = await get_group_service(uow, service_id)
        rhythms = await list_rhythms(
            uow, service_id, series_id, ctx.here.zone, services.clock.now()
        )
        typed = typed_terms(form, ctx.here.currency)
        sample_at = await sample_start(uow, service_id, typed.found)
    view = SeriesFormView(
        form=form,
        meanwhile=meanwhile or [],
        series_id=series_id,
        is_published=series is not None and series.published_at is not None,
        service=service,
        rhythms=rhythms,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        currency=ctx.here.currency,
        payments_ready=ctx.here.payments_ready,
        leaving=leaving_view(form, typed, ctx.here.zone, sample_at),
        tiers=tiers_view(form),
        drop_in_hint=_drop_in_hint(offered, ctx.here.currency),
        choices={
            "price_types": price_type_choices(),
            "visibilities": list(visibility_words().items()),
            "joins": join_choices(),
            "gaps": gap_choices(),
            "units": unit_choices(),
            "ways": way_choices(),
        },
    )
    return page(request, "booking/series/form.html", view, status_code=status_code)


def _drop_in_hint(service: Service, currency: str) -> str:
    """What holds where the field is empty, and what goes where it is not."""
    if service.price_type == SeriesPriceType.FREE:
        return _("Empty: what the service says, free at present. 0: free.")
    price = money(service.price_minor, currency)
    empty = _("Empty: what the service says, %(price)s at present. 0: free.", price=price)
    return f"{empty} {only_price_hint(read_tiers(service.price_tiers))}".strip()


route_handlers: list[Any] = [show_new_series, save_new_series, show_series_editor, save_series]
