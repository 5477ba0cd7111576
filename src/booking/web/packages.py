"""/app/<slug>/packages: prepaid credits as they are offered, and what is given back for a date."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from src.billing.commands.packages import (
    delete_package,
    get_package,
    is_ever_sold,
    set_package_active,
)
from src.billing.domain.credits import end_of_day
from src.billing.queries.payment_settings import find_transfer_terms
from src.booking.commands.packages import save_package
from src.booking.queries.packages import (
    get_package_row,
    list_known_tags,
    list_packages,
    list_service_choices,
)
from src.booking.queries.refund_policy_use import PolicyUse, list_policies_giving
from src.booking.queries.resources import Choice
from src.booking.views.packages import PackageRow
from src.booking.web.package_forms import (
    PackageForm,
    at_the_form,
    draft_of,
    initial_of,
    paid_in_words,
    parts_in_words,
    purpose_choices,
    rule_choices,
    unit_choices,
    visibility_choices,
    visibility_words,
    way_choices,
    with_all_errors,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_EDIT = [*MAY_SEE, requires(Feature.PACKAGES)]
HOME = "/app/{slug:str}/packages"
ONE = HOME + "/{package_id:uuid}"
EXAMPLE_DAYS = 90

AnyRequest = Request[Any, Any, Any]


class PackagesView(msgspec.Struct, frozen=True, kw_only=True):
    """`is_frozen` when the plan no longer has packages."""

    for_sale: list[PackageRow]
    given_back: list[PackageRow]
    base: str
    currency: str
    zone: str
    is_frozen: bool
    visibilities: dict[str, str]


class PackageFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `package_id` is None for a new one. `example_ends_at` is when credits end that
    are valid for `example_days` and paid today.
    """

    form: Any
    package_id: UUID | None
    name: str
    base: str
    currency: str
    zone: str
    purposes: list[tuple[str, str, str]]
    ways: list[tuple[str, str, str]]
    units: list[tuple[str, str]]
    rules: list[tuple[str, str, str]]
    visibilities: list[tuple[str, str, str]]
    services: list[Choice]
    known_tags: list[str]
    example_days: int
    example_ends_at: datetime | None


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    row: PackageRow
    base: str
    here: str
    currency: str
    zone: str
    is_frozen: bool
    may_delete: bool
    visibilities: dict[str, str]
    paid: str
    in_parts: str


class DeleteView(msgspec.Struct, frozen=True, kw_only=True):
    """`policies` are the refund policies that give the package and would sell plain terms."""

    name: str
    base: str
    home: str
    here: str
    may_delete: bool
    policies: list[PolicyUse]


@get(HOME, guards=MAY_SEE, include_in_schema=False)
async def show_packages(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_packages(uow, ctx.here)
    view = PackagesView(
        for_sale=[row for row in rows if row.is_for_sale],
        given_back=[row for row in rows if not row.is_for_sale],
        base=_base(ctx),
        currency=ctx.here.currency,
        zone=ctx.here.timezone,
        is_frozen=_is_frozen(ctx),
        visibilities=visibility_words(),
    )
    return page(request, "booking/packages/list.html", view)


@get(HOME + "/new", guards=MAY_EDIT, include_in_schema=False)
async def show_new_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    copy: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    """With `?copy=`: filled in as that package is, under another name."""
    initial: dict[str, Any] = {"purpose": "sale", "credits": 10, "pays": ["online"]}
    if copy is not None:
        async with services.uow_factory(ctx.here.id) as uow:
            initial = initial_of(await get_package(uow, copy), ctx.here.currency)
        initial["name"] = _("%(name)s (copy)", name=initial["name"])
    form = blank(PackageForm, {**initial, "token": new_id()})
    return await _editor(request, services, ctx, form, None)


@post(HOME + "/new", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_new_package(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return await _save(request, services, ctx, None)


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        package = await get_package(uow, package_id)
        view = PackageView(
            row=await get_package_row(uow, ctx.here, package),
            base=_base(ctx),
            here=f"{_base(ctx)}/packages/{package_id}",
            currency=ctx.here.currency,
            zone=ctx.here.timezone,
            is_frozen=_is_frozen(ctx),
            may_delete=not await is_ever_sold(uow, package_id),
            visibilities=visibility_words(),
            paid=paid_in_words(package.pays, takes_transfers=await _takes_transfers(uow)),
            in_parts=parts_in_words(package),
        )
    return page(request, "booking/packages/show.html", view)


@get(ONE + "/edit", guards=MAY_EDIT, include_in_schema=False)
async def show_package_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        package = await get_package(uow, package_id)
    form = blank(PackageForm, initial_of(package, ctx.here.currency))
    return await _editor(request, services, ctx, form, package_id)


@post(ONE + "/edit", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_package_form(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await get_package(uow, package_id)
    return await _save(request, services, ctx, package_id)


@post(ONE + "/active", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def switch_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    """On with `on=1`, off with anything else."""
    active = (await read_form(request)).texts.get("on", [""])[-1] == "1"
    async with services.uow_factory(ctx.here.id) as uow:
        name = await set_package_active(uow, ctx, package_id, active=active)
    said = (
        _("“%(name)s” is on offer again.", name=name)
        if active
        else _("“%(name)s” is off. Credits that are about stay good.", name=name)
    )
    flash(request, "success", said)
    return redirect(request, f"{_base(ctx)}/packages/{package_id}")


@get(ONE + "/delete", guards=MAY_SEE, include_in_schema=False)
async def ask_delete_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done."""
    async with services.uow_factory(ctx.here.id) as uow:
        package = await get_package(uow, package_id)
        may_delete = not await is_ever_sold(uow, package_id)
        policies = await list_policies_giving(uow, package_id)
    base = f"{_base(ctx)}/packages"
    view = DeleteView(
        name=package.name,
        base=base,
        home=_base(ctx),
        here=f"{base}/{package_id}",
        may_delete=may_delete,
        policies=policies,
    )
    return page(request, "booking/packages/delete.html", view)


@post(ONE + "/delete", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def remove_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            name = await delete_package(uow, ctx, package_id)
            left = await list_policies_giving(uow, package_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
        return redirect(request, f"{_base(ctx)}/packages/{package_id}")
    flash(request, "success", _("“%(name)s” is deleted.", name=name))
    _warn_of_policies(request, left)
    return redirect(request, f"{_base(ctx)}/packages")


def _base(ctx: RequestContext) -> str:
    return f"/app/{ctx.here.slug}"


def _warn_of_policies(request: AnyRequest, left: list[PolicyUse]) -> None:
    """A word about policies that give what cannot be given any more."""
    if left:
        said = _(
            "It was given back by the refund policies of %(names)s. What is booked from now on has"
            " the plain terms there, until you choose another credit.",
            names=", ".join(f"“{one.name}”" for one in left),
        )
        flash(request, "warning", said)


def _is_frozen(ctx: RequestContext) -> bool:
    return not ctx.here.entitlements.has(Feature.PACKAGES)


async def _save(
    request: AnyRequest, services: Services, ctx: RequestContext, package_id: UUID | None
) -> Response[bytes]:
    """A new one when there is no id yet."""
    bound = bind(PackageForm, await read_form(request))
    form = bound.struct
    if form is None:
        bound = with_all_errors(bound, ctx.here.currency)
        return await _editor(request, services, ctx, bound, package_id, status_code=422)
    saved_id, is_new = package_id or form.token or new_id(), package_id is None
    try:
        draft = draft_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await save_package(uow, ctx, saved_id, draft, is_new=is_new)
            left = await list_policies_giving(uow, saved_id) if draft.is_for_sale else []
    except InvalidInput as refused:
        bound = bound.refused(at_the_form(refused))
        return await _editor(request, services, ctx, bound, package_id, status_code=422)
    flash(request, "success", _("“%(name)s” is saved.", name=draft.name.strip()))
    _warn_of_policies(request, left)
    return redirect(request, f"{_base(ctx)}/packages/{saved_id}")


async def _editor(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[PackageForm],
    package_id: UUID | None,
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offered, tags = await list_service_choices(uow), await list_known_tags(uow)
        name = "" if package_id is None else (await get_package(uow, package_id)).name
        takes_transfers = await _takes_transfers(uow)
    typed = form.value("validity_days")
    days = int(typed) if typed.isascii() and typed.isdigit() and 0 < int(typed) < 10_000 else 0
    view = PackageFormView(
        form=form,
        package_id=package_id,
        name=name,
        base=_base(ctx),
        currency=ctx.here.currency,
        zone=ctx.here.timezone,
        purposes=purpose_choices(),
        ways=way_choices(takes_transfers=takes_transfers),
        units=unit_choices(),
        rules=rule_choices(),
        visibilities=visibility_choices(),
        services=offered,
        known_tags=tags,
        example_days=days or EXAMPLE_DAYS,
        example_ends_at=end_of_day(days or EXAMPLE_DAYS, services.clock.now(), ctx.here.zone),
    )
    return page(request, "booking/packages/form.html", view, status_code=status_code)


async def _takes_transfers(uow: UnitOfWork) -> bool:
    return await find_transfer_terms(uow) is not None


route_handlers = [
    show_packages,
    show_new_package,
    save_new_package,
    show_package,
    show_package_form,
    save_package_form,
    switch_package,
    ask_delete_package,
    remove_package,
]
