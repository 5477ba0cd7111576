"""/admin/tenants/<id>: moving a business to a plan, and overrides of what it may do."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.localtime import local_day_bounds
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, form_data, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.entitlements import AddGrant, add_grant, remove_grant
from src.tenants.commands.plans import MoveTenant, move_tenant
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import BUILT, Feature, Limit
from src.tenants.plan_words import feature_name, limit_name
from src.tenants.queries.admin_plans import VersionChoice, list_version_choices
from src.tenants.queries.admin_tenant import (
    get_tenant_detail,
    preview_grant_removal,
    preview_move,
)
from src.tenants.views.admin import GrantRemovalView, MoveView, TenantDetail

FEATURE_PREFIX, LIMIT_PREFIX = "feature:", "limit:"
LAST_SECOND = timedelta(seconds=1)


class MoveQuery(msgspec.Struct):
    """Which move is looked at; `plan` stands for its newest version."""

    version: UUID | None = None
    plan: str = ""
    keep_trial: bool = False


class MoveForm(msgspec.Struct):
    """A move that was looked at, as it is sent."""

    version_id: UUID
    expected_version_id: UUID
    keep_trial: bool = False
    note: Annotated[str, Meta(max_length=500)] = ""


class MovePage(msgspec.Struct, frozen=True, kw_only=True):
    """Choosing a plan for a business, and what the choice would do."""

    tenant: TenantDetail
    form: Any
    choices: list[tuple[str, str]]
    preview: MoveView | None


class GrantForm(msgspec.Struct, kw_only=True):
    """An override as it is typed: `what` is "feature:..." or "limit:..."."""

    what: Annotated[str, Meta(max_length=60)]
    value: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    ends_on: date | None = None
    note: Annotated[str, Meta(max_length=500)]


class GrantPage(msgspec.Struct, frozen=True, kw_only=True):
    """Giving a business something beyond its plan."""

    tenant: TenantDetail
    form: Any
    options: list[tuple[str, str]]


class RemovalPage(msgspec.Struct, frozen=True, kw_only=True):
    """Taking an override back, and what that would do."""

    removal: GrantRemovalView


@get("/tenants/{tenant_id:uuid}/move", include_in_schema=False)
async def ask_about_move(
    request: Request[Any, Any, Any], services: NamedDependency[Services], tenant_id: FromPath[UUID]
) -> Response[bytes]:
    """The choice of a plan; with one chosen, what the move would do."""
    query = bind(MoveQuery, form_data(request.query_params)).struct or MoveQuery()
    now = services.clock.now()
    async with services.uow_factory(tenant_id) as uow:
        detail = await get_tenant_detail(uow, tenant_id, now)
        choices = await list_version_choices(uow)
        version_id = query.version or _newest(choices, query.plan)
        preview = None
        if version_id is not None:
            preview = await preview_move(
                uow, tenant_id, version_id, keep_trial=query.keep_trial, now=now
            )
    shown = MovePage(
        tenant=detail,
        form=blank(MoveQuery, {"version": version_id, "keep_trial": query.keep_trial}),
        choices=[(str(choice.version_id), choice.label) for choice in choices],
        preview=preview,
    )
    return page(request, "tenants/admin/move.html", shown)


@post("/tenants/{tenant_id:uuid}/move", status_code=200, include_in_schema=False)
async def make_move(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(MoveForm, await read_form(request)).struct
    if form is None:
        flash(request, "warning", _("Please choose a plan."))
        return redirect(request, f"/admin/tenants/{tenant_id}/move")
    cmd = MoveTenant(
        tenant_id=tenant_id,
        version_id=form.version_id,
        expected_version_id=form.expected_version_id,
        keep_trial=form.keep_trial,
        note=form.note,
    )
    try:
        async with services.uow_factory(tenant_id) as uow:
            await move_tenant(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "warning", meanwhile.message)
    else:
        flash(request, "success", _("Moved. The owners are told by mail."))
    return redirect(request, f"/admin/tenants/{tenant_id}")


@get("/tenants/{tenant_id:uuid}/grants/new", include_in_schema=False)
async def show_grant_form(
    request: Request[Any, Any, Any], services: NamedDependency[Services], tenant_id: FromPath[UUID]
) -> Response[bytes]:
    return await _grant_page(request, services, tenant_id, blank(GrantForm))


@post("/tenants/{tenant_id:uuid}/grants/new", status_code=200, include_in_schema=False)
async def give_grant(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(GrantForm, await read_form(request))
    if bound.struct is None:
        return await _grant_page(request, services, tenant_id, bound, status_code=422)
    try:
        async with services.uow_factory(tenant_id) as uow:
            detail = await get_tenant_detail(uow, tenant_id, services.clock.now())
            await add_grant(uow, ctx, _grant_from(bound.struct, tenant_id, detail.row.timezone))
    except InvalidInput as refusal:
        return await _grant_page(
            request, services, tenant_id, bound.refused(refusal), status_code=422
        )
    flash(request, "success", _("Given. It counts from now on."))
    return redirect(request, f"/admin/tenants/{tenant_id}")


@get("/tenants/{tenant_id:uuid}/grants/{grant_id:uuid}/remove", include_in_schema=False)
async def ask_about_removal(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    tenant_id: FromPath[UUID],
    grant_id: FromPath[UUID],
) -> Response[bytes]:
    """What taking the override back would do, before it is done."""
    async with services.uow_factory(tenant_id) as uow:
        removal = await preview_grant_removal(uow, tenant_id, grant_id, services.clock.now())
    return page(request, "tenants/admin/grant_remove.html", RemovalPage(removal=removal))


@post(
    "/tenants/{tenant_id:uuid}/grants/{grant_id:uuid}/remove",
    status_code=200,
    include_in_schema=False,
)
async def take_grant(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
    grant_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(tenant_id) as uow:
            await remove_grant(uow, ctx, grant_id)
    except NotFound:
        flash(request, "info", _("This override was removed already."))
    else:
        flash(request, "success", _("Removed. It no longer counts."))
    return redirect(request, f"/admin/tenants/{tenant_id}")


async def _grant_page(
    request: Request[Any, Any, Any],
    services: Services,
    tenant_id: UUID,
    bound: Bound[GrantForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(tenant_id) as uow:
        detail = await get_tenant_detail(uow, tenant_id, services.clock.now())
    view = GrantPage(tenant=detail, form=bound, options=_grant_options())
    return page(request, "tenants/admin/grant.html", view, status_code=status_code)


def _grant_options() -> list[tuple[str, str]]:
    limits = [(LIMIT_PREFIX + limit, limit_name(limit)) for limit in Limit]
    return [
        *limits,
        *((FEATURE_PREFIX + one, feature_name(one)) for one in Feature if one in BUILT),
    ]


def _grant_from(form: GrantForm, tenant_id: UUID, timezone: str) -> AddGrant:
    """An override that ends on a day counts until that day's end on the business's clocks."""
    what = form.what
    feature = next((one for one in Feature if what == FEATURE_PREFIX + one), None)
    limit = next((one for one in Limit if what == LIMIT_PREFIX + one), None)
    return AddGrant(
        tenant_id=tenant_id,
        feature=feature,
        limit=limit,
        value=form.value if limit is not None else None,
        ends_at=_end_of(form.ends_on, timezone),
        note=form.note,
    )


def _end_of(on: date | None, timezone: str) -> datetime | None:
    if on is None:
        return None
    return local_day_bounds(on, ZoneInfo(timezone))[1] - LAST_SECOND


def _newest(choices: list[VersionChoice], key: str) -> UUID | None:
    return next((one.version_id for one in choices if one.key == key and one.is_newest), None)
