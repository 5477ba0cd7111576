"""/admin/tenants: the businesses, one of them, and letting it work or not."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, form_data, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.admins import SetStatus, next_statuses, set_status
from src.tenants.context import RequestContext
from src.tenants.domain.roles import TenantStatus
from src.tenants.plan_words import status_name
from src.tenants.queries.admin import list_tenants
from src.tenants.queries.admin_tenant import get_tenant_detail
from src.tenants.queries.plans import list_plans
from src.tenants.views.admin import TenantDetail, TenantFilter, TenantList, TenantRow

LONGEST_TEXT = 100


class FilterQuery(msgspec.Struct):
    """The list's filter as the address has it; what cannot be used narrows nothing."""

    text: str = ""
    plan: str = ""
    status: str = ""
    page: Annotated[int, Meta(ge=1, le=10_000)] = 1


class TenantsView(msgspec.Struct, frozen=True, kw_only=True):
    """The list of businesses."""

    found: TenantList
    form: Any
    plans: list[tuple[str, str]]
    statuses: list[tuple[str, str]]
    is_narrowed: bool
    newer_href: str | None
    older_href: str | None


class TenantView(msgspec.Struct, frozen=True, kw_only=True):
    """One business, with what may be done about it."""

    tenant: TenantDetail
    status: str
    next_statuses: list[tuple[str, str]]


class StatusForm(msgspec.Struct):
    """A change of status with its reason."""

    status: TenantStatus
    expected: TenantStatus
    reason: Annotated[str, Meta(max_length=500)]


class StatusView(msgspec.Struct, frozen=True, kw_only=True):
    """A change of status before it is made."""

    row: TenantRow
    form: Any
    now_name: str
    then: str
    then_name: str
    consequences: list[str]


@get("/tenants", include_in_schema=False)
async def show_tenants(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    bound = bind(FilterQuery, form_data(request.query_params))
    query = bound.struct or FilterQuery()
    wanted = TenantFilter(
        text=query.text[:LONGEST_TEXT], plan=query.plan, status=query.status, page=query.page
    )
    found = await list_tenants(services.uow_factory, wanted, services.clock.now())
    async with services.uow_factory(None) as uow:
        plans = [(plan.key, plan.name) for plan in await list_plans(uow)]
    view = TenantsView(
        found=found,
        form=bound,
        plans=plans,
        statuses=[(one.value, status_name(one)) for one in TenantStatus],
        is_narrowed=bool(wanted.text or wanted.plan or wanted.status),
        newer_href=_list_href(wanted, wanted.page - 1) if wanted.page > 1 else None,
        older_href=_list_href(wanted, wanted.page + 1) if found.has_more else None,
    )
    return page(request, "tenants/admin/tenants.html", view)


@get("/tenants/{tenant_id:uuid}", include_in_schema=False)
async def show_tenant(
    request: Request[Any, Any, Any], services: NamedDependency[Services], tenant_id: FromPath[UUID]
) -> Response[bytes]:
    async with services.uow_factory(tenant_id) as uow:
        detail = await get_tenant_detail(uow, tenant_id, services.clock.now())
    view = TenantView(
        tenant=detail,
        status=status_name(detail.row.status),
        next_statuses=[(one.value, _verb(one)) for one in next_statuses(detail.row.status)],
    )
    return page(request, "tenants/admin/tenant.html", view)


@get("/tenants/{tenant_id:uuid}/status", include_in_schema=False)
async def ask_about_status(
    request: Request[Any, Any, Any], services: NamedDependency[Services], tenant_id: FromPath[UUID]
) -> Response[bytes]:
    """What a change of status would do, before it is made."""
    detail = await _detail(services, tenant_id)
    then = request.query_params.get("to", "")
    if then not in [one.value for one in next_statuses(detail.row.status)]:
        flash(request, "info", _("This is not possible from here."))
        return redirect(request, f"/admin/tenants/{tenant_id}")
    initial = {"status": then, "expected": detail.row.status.value}
    return _status_page(request, detail, TenantStatus(then), blank(StatusForm, initial))


@post("/tenants/{tenant_id:uuid}/status", status_code=200, include_in_schema=False)
async def change_status(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    tenant_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(StatusForm, await read_form(request))
    if bound.struct is None:
        return await _status_again(request, services, tenant_id, bound)
    form = bound.struct
    cmd = SetStatus(
        tenant_id=tenant_id, status=form.status, expected=form.expected, reason=form.reason
    )
    try:
        async with services.uow_factory(tenant_id) as uow:
            await set_status(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "warning", meanwhile.message)
    except InvalidInput as refusal:
        return await _status_again(request, services, tenant_id, bound.refused(refusal))
    else:
        flash(request, "success", _("Status: %(status)s.", status=status_name(form.status)))
    return redirect(request, f"/admin/tenants/{tenant_id}")


async def _status_again(
    request: Request[Any, Any, Any],
    services: Services,
    tenant_id: UUID,
    bound: Bound[StatusForm],
) -> Response[bytes]:
    detail = await _detail(services, tenant_id)
    known = {one.value: one for one in next_statuses(detail.row.status)}
    then = known.get(bound.value("status"))
    if then is None:
        flash(request, "info", _("This is not possible from here."))
        return redirect(request, f"/admin/tenants/{tenant_id}")
    return _status_page(request, detail, then, bound, status_code=422)


def _status_page(
    request: Request[Any, Any, Any],
    detail: TenantDetail,
    then: TenantStatus,
    bound: Bound[StatusForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = StatusView(
        row=detail.row,
        form=bound,
        now_name=status_name(detail.row.status),
        then=then.value,
        then_name=_verb(then),
        consequences=_consequences(then),
    )
    asked = [("to", then.value)]
    return page(
        request, "tenants/admin/status.html", view, status_code=status_code, again_with=asked
    )


async def _detail(services: Services, tenant_id: UUID) -> TenantDetail:
    async with services.uow_factory(tenant_id) as uow:
        return await get_tenant_detail(uow, tenant_id, services.clock.now())


def _list_href(wanted: TenantFilter, number: int) -> str:
    parts = {"text": wanted.text, "plan": wanted.plan, "status": wanted.status, "page": number}
    return "/admin/tenants?" + urlencode({name: value for name, value in parts.items() if value})


def _verb(status: TenantStatus) -> str:
    """What an admin does to bring a business there."""
    return {
        TenantStatus.ACTIVE: _("Let it work again"),
        TenantStatus.PAST_DUE: _("Mark as past due"),
        TenantStatus.PAUSED: _("Pause"),
        TenantStatus.SUSPENDED: _("Suspend"),
        TenantStatus.CLOSED: _("Close"),
    }[status]


def _consequences(status: TenantStatus) -> list[str]:
    if status is TenantStatus.SUSPENDED:
        return [
            _("Its public page and its dashboard show that it is not available at present."),
            _("Nobody can book or sign in to it; API keys are refused."),
            _("Guests see what they have by their links, and can cancel it."),
            _("Nothing is deleted. Letting it work again restores everything as it was."),
        ]
    if status is TenantStatus.PAUSED:
        return [
            _("Guests see its page and can cancel; nothing new can be booked."),
            _("The business works in its dashboard as before."),
        ]
    return [_("Its page, its dashboard and its sales work as its plan says.")]
