"""/app/<slug>/services/new and its siblings: the editor of what the business offers."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.givers import list_givers
from src.booking.commands.services import (
    CreateService,
    UpdateService,
    create_service,
    get_details,
    get_service,
    update_service,
)
from src.booking.domain.kinds import SalesMode, ServiceKind
from src.booking.domain.seen import CHANGED_MEANWHILE
from src.booking.models import Service
from src.booking.queries.hours import list_booked_of
from src.booking.queries.leaving import sample_start
from src.booking.queries.resources import Choice, list_location_choices, list_performer_choices
from src.booking.queries.services import has_prices_of_their_own, reminded_of
from src.booking.web.appointment_forms import LengthsView, begun_as, kind_choices, lengths_view
from src.booking.web.leaving_forms import LeavingView, leaving_view, typed_terms
from src.booking.web.lost_tags import warn_of_lost_tags, warn_of_service_off
from src.booking.web.meanwhile import Fact, saved_now, stale
from src.booking.web.price_tier_forms import TiersView, dearer_words, tiers_view
from src.booking.web.service_folds import Fold, folds
from src.booking.web.service_forms import (
    SPARE_QUESTIONS,
    ServiceForm,
    amount_errors,
    at_the_form,
    details_of,
    field_labels,
    initial_of,
    saved_words,
)
from src.booking.web.service_presets import (
    PresetButton,
    of_the_other_kind,
    offered_presets,
    preset_values,
)
from src.booking.web.service_words import (
    mode_words,
    price_type_choices,
    sales_mode_choices,
    visibility_words,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, ngettext
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import minutes, money
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import FEATURE_OF_SERVICE_KIND, Feature
from src.tenants.domain.roles import Role
from src.tenants.gates import require_feature
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
NOTICES = (0, 30, 60, 120, 240, 720, 1440, 2880, 10_080)


class ServiceFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `service_id` is None for a new service. `meanwhile`: what somebody else saved;
    `presets`: what a new one may begin with.
    """

    form: Any
    meanwhile: list[Fact]
    service_id: UUID | None
    name: str
    is_active: bool
    reminded: str
    base: str
    public: str
    currency: str
    payments_ready: bool
    question_rows: int
    leaving: LeavingView
    tiers: TiersView
    choices: dict[str, Any]
    presets: Sequence[PresetButton]
    kind: ServiceKind
    lengths: LengthsView
    folds: dict[str, Fold]


@get("/app/{slug:str}/services/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    usual = {"token": new_id(), "price_type": "online", "active": True, "may_cancel": True}
    kind = _usual_kind(ctx, request.query_params.get("kind", ""))
    require_feature(ctx, FEATURE_OF_SERVICE_KIND[kind])
    form = blank(ServiceForm, usual | begun_as(kind))
    return await _begin_with(request, services, ctx, form, request.query_params.get("as", ""))


def _usual_kind(ctx: RequestContext, asked: str) -> ServiceKind:
    """The one that is asked for, or else the first that the plan has."""
    if asked in list(ServiceKind):
        return ServiceKind(asked)
    has = ctx.here.entitlements.has
    only_appointments = has(Feature.APPOINTMENTS) and not has(Feature.GROUP_SERVICES)
    return ServiceKind.APPOINTMENT if only_appointments else ServiceKind.GROUP


async def _begin_with(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    form: Bound[ServiceForm],
    key: str,
) -> Response[bytes]:
    """The form, filled in as what `key` says, such as a workshop, if it is one of those offered;
    what stands in the other fields stays.
    """
    features = ctx.here.entitlements.features
    filled = form.filled_with(preset_values(key, features))
    filled = filled.filled_with(of_the_other_kind(filled))
    presets = offered_presets(key, features)
    return await _editor(request, services, ctx, filled, None, presets=presets)


@post("/app/{slug:str}/services/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    raw = await read_form(request)
    if "as_kind" in raw.texts:
        kind = _usual_kind(ctx, raw.texts.pop("as_kind")[-1])
        require_feature(ctx, FEATURE_OF_SERVICE_KIND[kind])
        begun: Bound[ServiceForm] = Bound(None, raw).filled_with(begun_as(kind))
        return await _begin_with(request, services, ctx, begun, "")
    if "as" in raw.texts:
        key = raw.texts.pop("as")[-1]
        return await _begin_with(request, services, ctx, Bound(None, raw), key)
    if "preview" in raw.texts:
        return await _editor(request, services, ctx, Bound(None, raw), None)
    require_feature(ctx, FEATURE_OF_SERVICE_KIND[_kind_of(Bound(None, raw), None)])
    bound = bind(ServiceForm, raw)
    form = bound.struct
    if form is None:
        bound = bound.with_errors(amount_errors(bound, ctx.here.currency))
        return await _editor(request, services, ctx, bound, None, status_code=422)
    try:
        details = details_of(form, ctx.here.currency, form.kind)
        cmd = CreateService(service_id=form.token, kind=form.kind, **details)
        async with services.uow_factory(ctx.here.id) as uow:
            service_id = await create_service(uow, ctx, cmd)
    except InvalidInput as refused:
        bound = bound.refused(at_the_form(refused, form))
        return await _editor(request, services, ctx, bound, None, status_code=422)
    flash(request, "success", _created(form))
    return redirect(request, f"/app/{ctx.here.slug}/services/{service_id}/sessions")


def _created(form: ServiceForm) -> str:
    if form.kind is ServiceKind.GROUP:
        return _("“%(name)s” is there. Now publish its dates.", name=form.name)
    return _(
        "“%(name)s” is there. Guests can book it whenever those who give it have hours.",
        name=form.name,
    )


def _kind_of(form: Bound[Any], service: Service | None) -> ServiceKind:
    """What a service is stays; a new one is what its form says."""
    said = service.kind if service is not None else form.value("kind")
    return ServiceKind(said) if said in list(ServiceKind) else ServiceKind.GROUP


@get("/app/{slug:str}/services/{service_id:uuid}/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
        details = await get_details(uow, service)
    form = blank(ServiceForm, initial_of(service, details, ctx.here.currency))
    return await _editor(request, services, ctx, form, service)


@post(
    "/app/{slug:str}/services/{service_id:uuid}/edit",
    guards=MAY_EDIT,
    status_code=200,
    include_in_schema=False,
)
async def save_service(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
    raw = await read_form(request)
    if "preview" in raw.texts:
        return await _editor(request, services, ctx, Bound(None, raw), service)
    bound = bind(ServiceForm, raw)
    form = bound.struct
    if form is None:
        bound = bound.with_errors(amount_errors(bound, ctx.here.currency))
        return await _editor(request, services, ctx, bound, service, status_code=422)
    try:
        details = details_of(form, ctx.here.currency, ServiceKind(service.kind))
        cmd = UpdateService(service_id=service_id, seen=form.seen or None, **details)
        async with services.uow_factory(ctx.here.id) as uow:
            before = await list_givers(uow, service_id)
            await update_service(uow, ctx, cmd)
        async with services.uow_factory(ctx.here.id) as uow:
            has_others = await has_prices_of_their_own(uow, service_id)
    except Conflict as refused:
        if refused.code != CHANGED_MEANWHILE:
            raise
        return await _stale_editor(request, services, ctx, bound, service_id, refused)
    except InvalidInput as refused:
        bound = bound.refused(at_the_form(refused, form))
        return await _editor(request, services, ctx, bound, service, status_code=422)
    await _tell_of_those_who_stay(request, services, ctx, service_id, before, details)
    flash(request, "success", _saved(form.name, cmd, ctx.here.currency, has_others=has_others))
    await warn_of_lost_tags(request, services, ctx, service.tags)
    if service.active and not form.active:
        await warn_of_service_off(request, services, ctx, service_id, form.name)
    return redirect(request, f"/app/{ctx.here.slug}/services")


async def _tell_of_those_who_stay(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    service_id: UUID,
    before: Sequence[UUID],
    details: dict[str, Any],
) -> None:
    """What is booked of the service with those who give it no more."""
    gone = set(before) - set(details.get("performer_ids") or before)
    for performer_id in sorted(gone):
        async with services.uow_factory(ctx.here.id) as uow:
            now = services.clock.now()
            ahead = await list_booked_of(uow, performer_id, now, service_id=service_id)
        if ahead:
            said = ngettext(
                "%(num)s appointment of %(name)s lies ahead and stays as booked.",
                "%(num)s appointments of %(name)s lie ahead and stay as booked.",
                len(ahead),
                name=ahead[0].performer,
            )
            flash(request, "info", said)


def _saved(name: str, cmd: UpdateService, currency: str, *, has_others: bool) -> str:
    """With the price as it was understood, since people write amounts in more than one way.

    `has_others`: some of what is sold of it has a price of its own, which may be all that guests
    read.
    """
    if not cmd.price_minor:
        return _("“%(name)s” is saved.", name=name)
    price = money(cmd.price_minor, currency)
    if has_others:
        said = _(
            "“%(name)s” is saved. Its own price is %(price)s; series, and dates with a price of"
            " their own, cost what they say.",
            name=name,
            price=price,
        )
    elif cmd.price_tiers:
        said = _("“%(name)s” is saved. The full price is %(price)s.", name=name, price=price)
    else:
        said = _("“%(name)s” is saved. It costs %(price)s.", name=name, price=price)
    return f"{said} {dearer_words(cmd.price_tiers, cmd.price_minor)}".strip()


async def _stale_editor(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    bound: Bound[ServiceForm],
    service_id: UUID,
    refused: Conflict,
) -> Response[bytes]:
    """What was typed stays; saving it again is then said of what is saved by now."""
    async with services.uow_factory(ctx.here.id) as uow:
        service = await get_service(uow, service_id)
        details = await get_details(uow, service)
    initial = initial_of(service, details, ctx.here.currency)
    form = stale(bound, ServiceForm, {"seen": initial["seen"]}, refused)
    return await _editor(request, services, ctx, form, service, status_code=409, initial=initial)


async def _editor(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    form: Bound[ServiceForm],
    service: Service | None,
    *,
    status_code: int = 200,
    initial: dict[str, Any] | None = None,
    presets: Sequence[PresetButton] = (),
) -> Response[bytes]:
    """`initial` is what is saved by now, where that is another than what was shown."""
    async with services.uow_factory(ctx.here.id) as uow:
        choices = await _choices(uow, ctx.here, form, service)
        typed = typed_terms(form, ctx.here.currency)
        sample_at = await sample_start(uow, service.id if service else None, typed.found)
    meanwhile: list[Fact] = []
    if initial is not None:
        meanwhile = saved_now(form, ServiceForm, initial, field_labels(), saved_words(choices))
    view = ServiceFormView(
        form=form,
        meanwhile=meanwhile,
        service_id=service.id if service is not None else None,
        name=service.name if service is not None else "",
        is_active=service.active if service is not None else True,
        reminded=reminded_of(service) if service is not None else "",
        base=f"/app/{ctx.here.slug}",
        public=f"/b/{ctx.here.slug}/",
        currency=ctx.here.currency,
        payments_ready=ctx.here.payments_ready,
        question_rows=_question_rows(form, status_code),
        leaving=leaving_view(form, typed, ctx.here.zone, sample_at),
        tiers=tiers_view(form),
        choices=choices,
        presets=presets,
        kind=_kind_of(form, service),
        lengths=lengths_view(form),
        folds=folds(form, all_open=initial is not None),
    )
    return page(request, "booking/services/form.html", view, status_code=status_code)


def _question_rows(form: Bound[ServiceForm], status_code: int) -> int:
    """All that are there and a few empty ones; a refused form already has its empty ones."""
    rows = form.rows("questions")
    return max(rows, SPARE_QUESTIONS) if status_code != 200 else rows + SPARE_QUESTIONS


async def _choices(
    uow: UnitOfWork, tenant: TenantSnapshot, form: Bound[ServiceForm], service: Service | None
) -> dict[str, Any]:
    performer_id = service.default_performer_id if service is not None else None
    location_id = service.default_location_id if service is not None else None
    keeps_series = service is not None and service.sales_mode != SalesMode.SINGLE
    has_series = keeps_series or tenant.entitlements.has(Feature.SERIES)
    given_by = () if service is None else await list_givers(uow, service.id)
    performers: list[Choice] = await list_performer_choices(uow, performer_id, *given_by)
    return {
        "kinds": kind_choices(),
        "performers": performers,
        "locations": await list_location_choices(uow, location_id),
        "modes": list(mode_words().items()),
        "price_types": price_type_choices(),
        "sales_modes": sales_mode_choices(may_sell_series=has_series),
        "visibilities": list(visibility_words().items()),
        "notices": _notices(form.value("min_notice_minutes")),
    }


def _notices(chosen: str) -> list[Choice]:
    """The usual ones, and whatever an API client has set."""
    usual = {str(one): minutes(one) if one else _("None") for one in NOTICES}
    if chosen.isdigit() and chosen not in usual and len(chosen) < 7:
        usual[chosen] = minutes(int(chosen))
    return sorted(usual.items(), key=lambda pair: int(pair[0]))


route_handlers = [
    show_new_service,
    save_new_service,
    show_service,
    save_service,
]
