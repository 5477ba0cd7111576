"""/admin/bolt-ons: what businesses can have beside a plan, and editing it into a new version."""

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
from src.tenants.commands.bolt_ons import EditBoltOn, edit_bolt_on, terms_of
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import BoltOnVisibility, OfferedBoltOn
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import price_list
from src.tenants.plan_words import all_feature_names
from src.tenants.queries.admin_bolt_ons import get_bolt_on_detail, list_bolt_on_rows
from src.tenants.queries.bolt_ons import find_bolt_on
from src.tenants.views.admin import BoltOnDetail, BoltOnRow
from src.tenants.web.bolt_on_forms import (
    BoltOnForm,
    changes_of,
    command_from,
    initial_of,
    seen_by,
    with_price_errors,
)

REVIEW, SAVE = "review", "save"


class BoltOnsPage(msgspec.Struct, frozen=True, kw_only=True):
    """The list of bolt-ons."""

    rows: list[BoltOnRow]
    visibilities: dict[str, str]


class BoltOnPage(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on with its history and who has it."""

    bolt_on: BoltOnDetail
    visibility: str


class EditPage(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; with `changes` it shows what they are and asks once more."""

    bolt_on: BoltOnDetail
    form: Any
    features: list[tuple[str, str]]
    visibilities: list[tuple[str, str, str]]
    changes: list[tuple[str, str]]
    makes_version: bool


class Editing(msgspec.Struct):
    """A bolt-on under edit with the state it was read in."""

    offered: OfferedBoltOn
    detail: BoltOnDetail


@get("/bolt-ons", include_in_schema=False)
async def show_bolt_ons(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    async with services.uow_factory(None) as uow:
        rows = await list_bolt_on_rows(uow)
    names = {one.value: seen_by(one.value) for one in BoltOnVisibility}
    view = BoltOnsPage(rows=rows, visibilities=names)
    return page(request, "tenants/plans/bolt_ons.html", view)


@get("/bolt-ons/{key:str}", include_in_schema=False)
async def show_one_bolt_on(
    request: Request[Any, Any, Any], services: NamedDependency[Services], key: FromPath[str]
) -> Response[bytes]:
    async with services.uow_factory(None) as uow:
        detail = await get_bolt_on_detail(uow, key)
    view = BoltOnPage(bolt_on=detail, visibility=seen_by(detail.visibility))
    return page(request, "tenants/plans/bolt_on_detail.html", view)


@get("/bolt-ons/{key:str}/edit", include_in_schema=False)
async def show_bolt_on_editor(
    request: Request[Any, Any, Any], services: NamedDependency[Services], key: FromPath[str]
) -> Response[bytes]:
    editing = await _editing(services, key)
    return _editor(request, editing, blank(BoltOnForm, initial_of(editing.offered)))


@post("/bolt-ons/{key:str}/edit", status_code=200, include_in_schema=False)
async def save_bolt_on(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    key: FromPath[str],
) -> Response[bytes]:
    """First shows what would change and whom it touches; the second step saves."""
    editing = await _editing(services, key)
    bound = bind(BoltOnForm, await read_form(request))
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
    request: Request[Any, Any, Any], editing: Editing, bound: Bound[BoltOnForm], cmd: EditBoltOn
) -> Response[bytes]:
    """The changes before they are made, or the form again for whoever goes back to it."""
    if bound.value("step") != REVIEW:
        return _editor(request, editing, bound)
    changes = changes_of(editing.offered, cmd)
    if not changes:
        flash(request, "info", _("Nothing has changed."))
        return redirect(request, f"/admin/bolt-ons/{cmd.key}")
    return _editor(request, editing, bound, cmd, changes)


async def _save(
    request: Request[Any, Any, Any], services: Services, ctx: RequestContext, cmd: EditBoltOn
) -> Response[bytes]:
    try:
        async with services.uow_factory(None) as uow:
            after = await edit_bolt_on(uow, ctx, cmd)
    except Conflict as meanwhile:
        flash(request, "warning", meanwhile.message)
        return redirect(request, f"/admin/bolt-ons/{cmd.key}/edit")
    price_list.forget()
    if after.version > cmd.based_on_version:
        saved = _("Saved as version %(version)s. Businesses keep theirs.", version=after.version)
    else:
        saved = _("Saved.")
    flash(request, "success", saved)
    return redirect(request, f"/admin/bolt-ons/{cmd.key}")


async def _editing(services: Services, key: str) -> Editing:
    async with services.uow_factory(None) as uow:
        offered = await find_bolt_on(uow, key)
        if offered is None:
            raise NotFound(_("There is no such bolt-on."))
        return Editing(offered, await get_bolt_on_detail(uow, key))


def _editor(
    request: Request[Any, Any, Any],
    editing: Editing,
    bound: Bound[BoltOnForm],
    cmd: EditBoltOn | None = None,
    changes: list[tuple[str, str]] | None = None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = EditPage(
        bolt_on=editing.detail,
        form=bound,
        features=list(zip(Feature, all_feature_names(Feature), strict=True)),
        visibilities=_visibilities(),
        changes=changes or [],
        makes_version=cmd is not None and terms_of(editing.offered) != cmd.terms,
    )
    template = "tenants/plans/bolt_on_review.html" if changes else "tenants/plans/bolt_on_edit.html"
    return page(request, template, view, status_code=status_code)


def _visibilities() -> list[tuple[str, str, str]]:
    hints = {
        BoltOnVisibility.PUBLIC: _("It stands on every business's page of its plan."),
        BoltOnVisibility.HIDDEN: _("Only admins see it, and give it by hand."),
    }
    return [(one.value, seen_by(one.value), hint) for one, hint in hints.items()]
