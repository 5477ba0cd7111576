"""/admin/plans: what businesses can be on, and editing it into a new version."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.plans import EditPlan, edit_plan, terms_of
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import OfferedPlan, PlanVisibility
from src.tenants.gates import price_list
from src.tenants.plan_words import all_feature_names
from src.tenants.queries.admin_plans import get_plan_detail, list_plan_rows
from src.tenants.queries.plans import find_plan
from src.tenants.views.admin import PlanDetail, PlanRow
from src.tenants.web.plan_forms import (
    PlanForm,
    changes_of,
    command_from,
    initial_of,
    visibility_name,
    with_price_errors,
)

REVIEW, SAVE = "review", "save"


class PlansView(msgspec.Struct, frozen=True, kw_only=True):
    """The list of plans."""

    rows: list[PlanRow]
    visibilities: dict[str, str]


class PlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with its history."""

    plan: PlanDetail
    visibility: str


class EditView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; with `changes` it shows what they are and asks once more."""

    plan: PlanDetail
    form: Any
    features: list[tuple[str, str]]
    visibilities: list[tuple[str, str, str]]
    changes: list[tuple[str, str]]
    makes_version: bool


class Editing(msgspec.Struct):
    """A plan under edit with the state it was read in."""

    offered: OfferedPlan
    detail: PlanDetail


@get("/plans", include_in_schema=False)
async def show_plans(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    async with services.uow_factory(None) as uow:
        rows = await list_plan_rows(uow)
    names = {one.value: visibility_name(one.value) for one in PlanVisibility}
    return page(request, "tenants/plans/list.html", PlansView(rows=rows, visibilities=names))


@get("/plans/{key:str}", include_in_schema=False)
async def show_plan(
    request: Request[Any, Any, Any], services: NamedDependency[Services], key: FromPath[str]
) -> Response[bytes]:
    async with services.uow_factory(None) as uow:
        detail = await get_plan_detail(uow, key)
    view = PlanView(plan=detail, visibility=visibility_name(detail.visibility))
    return page(request, "tenants/plans/detail.html", view)


@get("/plans/{key:str}/edit", include_in_schema=False)
async def show_editor(
    request: Request[Any, Any, Any], services: NamedDependency[Services], key: FromPath[str]
) -> Response[bytes]:
    editing = await _editing(services, key)
    return _editor(request, editing, blank(PlanForm, initial_of(editing.offered)))


@post("/plans/{key:str}/edit", status_code=200, include_in_schema=False)
async def save_plan(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    key: FromPath[str],
) -> Response[bytes]:
    """First shows what would change and whom it touches; the second step saves."""
    editing = await _editing(services, key)
    bound = bind(PlanForm, await read_form(request))
    if bound.struct is None:
        refused = with_price_errors(bound, editing.offered.currency)
        return _editor(request, editing, refused, status_code=422)
    try:
        cmd = command_from(bound.struct, key, editing.offered.currency)
        if bound.struct.step != SAVE:
            return _second_look(request, editing, bound, cmd)
        return await _save(request, services, ctx, cmd)
    except InvalidInput as refusal:
        return _editor(request, editing, bound.refused(refusal), status_code=422)


def _second_look(
    request: Request[Any, Any, Any], editing: Editing, bound: Bound[PlanForm], cmd: EditPlan
) -> Response[bytes]:
    """The changes before they are made, or the form again for whoever goes back to it."""
    if bound.value("step") != REVIEW:
        return _editor(request, editing, bound)
    changes = changes_of(editing.offered, cmd)
    if not changes:
        flash(request, "info", _("Nothing has changed."))
        return redirect(request, f"/admin/plans/{cmd.key}")
    return _editor(request, editing, bound, cmd, changes)


async def _save(
    request: Request[Any, Any, Any], services: Services, ctx: RequestContext, cmd: EditPlan
) -> Response[bytes]:
    try:
        async with services.uow_factory(None) as uow:
            after = await edit_plan(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "warning", meanwhile.message)
        return redirect(request, f"/admin/plans/{cmd.key}/edit")
    price_list.forget()
    if after.version > cmd.based_on_version:
        saved = _("Saved as version %(version)s. Businesses stay on theirs.", version=after.version)
    else:
        saved = _("Saved.")
    flash(request, "success", saved)
    return redirect(request, f"/admin/plans/{cmd.key}")


async def _editing(services: Services, key: str) -> Editing:
    async with services.uow_factory(None) as uow:
        offered = await find_plan(uow, key)
        if offered is None:
            raise NotFound(_("There is no such plan."))
        return Editing(offered, await get_plan_detail(uow, key))


def _editor(
    request: Request[Any, Any, Any],
    editing: Editing,
    bound: Bound[PlanForm],
    cmd: EditPlan | None = None,
    changes: list[tuple[str, str]] | None = None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = EditView(
        plan=editing.detail,
        form=bound,
        features=list(zip(Feature, all_feature_names(Feature), strict=True)),
        visibilities=_visibilities(),
        changes=changes or [],
        makes_version=cmd is not None and terms_of(editing.offered) != cmd.terms,
    )
    template = "tenants/plans/review.html" if changes else "tenants/plans/edit.html"
    return page(request, template, view, status_code=status_code)


def _visibilities() -> list[tuple[str, str, str]]:
    hints = {
        PlanVisibility.PUBLIC: _("Everyone sees it and can ask for it."),
        PlanVisibility.HIDDEN: _("Only admins see it, and give it by hand."),
        PlanVisibility.INTERNAL: _("For our own use; never counted as sold."),
    }
    return [(one.value, visibility_name(one.value), hint) for one, hint in hints.items()]
