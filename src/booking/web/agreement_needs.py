"""What asks for which agreement, chosen on the agreement's page or on the thing's own."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.packages import get_package
from src.booking.commands.agreements import (
    AskedBy,
    Thing,
    ask_for_agreement,
    get_agreement,
    set_agreements_of,
)
from src.booking.commands.series import get_series
from src.booking.commands.services import get_service
from src.booking.queries.agreement_pages import (
    agreements_of,
    asked_by_of,
    list_agreements,
    list_choices,
)
from src.booking.views.agreements import AgreementRow, AgreementsOfView, AskedForView
from src.booking.web.agreements import MAY_EDIT, ONE, base_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext

OF_SERVICE = "/app/{slug:str}/services/{service_id:uuid}/agreements"
OF_SERIES = "/app/{slug:str}/series/{series_id:uuid}/agreements"
OF_PACKAGE = "/app/{slug:str}/packages/{package_id:uuid}/agreements"


class AskedForForm(msgspec.Struct, kw_only=True):
    """What asks for one agreement."""

    service_ids: list[UUID] = msgspec.field(default_factory=list)
    series_ids: list[UUID] = msgspec.field(default_factory=list)
    package_ids: list[UUID] = msgspec.field(default_factory=list)


class AgreementsOfForm(msgspec.Struct, kw_only=True):
    """Which agreements one thing asks for."""

    agreement_ids: list[UUID] = msgspec.field(default_factory=list)


@get(ONE + "/asked-for", guards=MAY_EDIT, include_in_schema=False)
async def show_asked_for(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        form = blank(AskedForForm, await asked_by_of(uow, agreement_id))
    return await _asked_for(request, services, ctx, agreement_id, form)


@post(ONE + "/asked-for", guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_asked_for(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    agreement_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(AskedForForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _asked_for(request, services, ctx, agreement_id, bound, status_code=422)
    asked = AskedBy(
        service_ids=frozenset(form.service_ids),
        series_ids=frozenset(form.series_ids),
        package_ids=frozenset(form.package_ids),
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await ask_for_agreement(uow, ctx, agreement_id, asked)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _asked_for(request, services, ctx, agreement_id, bound, status_code=422)
    flash(request, "success", _("Saved. It holds for whoever books from now on."))
    return redirect(request, f"{base_of(ctx)}/agreements/{agreement_id}")


async def _asked_for(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    agreement_id: UUID,
    form: Bound[AskedForForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        agreement = await get_agreement(uow, agreement_id)
        of_services, of_series, of_packages = await list_choices(uow)
    view = AskedForView(
        form=form,
        title=agreement.title,
        services=of_services,
        series=of_series,
        packages=of_packages,
        here=f"{base_of(ctx)}/agreements/{agreement_id}",
        base=base_of(ctx),
    )
    return page(request, "booking/agreements/asked_for.html", view, status_code=status_code)


class _Thing(msgspec.Struct, frozen=True):
    """What asks: its kind, and how it is called and found in the dashboard."""

    kind: Thing
    id: UUID
    name: str
    path: str


@get(OF_SERVICE, guards=MAY_EDIT, include_in_schema=False)
async def show_of_service(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, "service", service_id)


@post(OF_SERVICE, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_of_service(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    service_id: FromPath[UUID],
) -> Response[bytes]:
    return await _save(request, services, ctx, "service", service_id)


@get(OF_SERIES, guards=MAY_EDIT, include_in_schema=False)
async def show_of_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, "series", series_id)


@post(OF_SERIES, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_of_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _save(request, services, ctx, "series", series_id)


@get(OF_PACKAGE, guards=MAY_EDIT, include_in_schema=False)
async def show_of_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, "package", package_id)


@post(OF_PACKAGE, guards=MAY_EDIT, status_code=200, include_in_schema=False)
async def save_of_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    package_id: FromPath[UUID],
) -> Response[bytes]:
    return await _save(request, services, ctx, "package", package_id)


async def _find(uow: UnitOfWork, kind: Thing, thing_id: UUID) -> _Thing:
    """Raises: NotFound."""
    if kind == "service":
        service = await get_service(uow, thing_id)
        return _Thing(kind, thing_id, service.name, f"services/{thing_id}/edit")
    if kind == "series":
        series = await get_series(uow, thing_id)
        return _Thing(kind, thing_id, series.title, f"series/{thing_id}")
    package = await get_package(uow, thing_id)
    return _Thing(kind, thing_id, package.name, f"packages/{thing_id}")


async def _show(
    request: AnyRequest, services: Services, ctx: RequestContext, kind: Thing, thing_id: UUID
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        chosen = await agreements_of(uow, **{f"{kind}_id": thing_id})
    form = blank(AgreementsOfForm, {"agreement_ids": chosen})
    return await _page(request, services, ctx, kind, thing_id, form)


async def _save(
    request: AnyRequest, services: Services, ctx: RequestContext, kind: Thing, thing_id: UUID
) -> Response[bytes]:
    bound = bind(AgreementsOfForm, await read_form(request))
    if bound.struct is None:
        return await _page(request, services, ctx, kind, thing_id, bound, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            thing = await _find(uow, kind, thing_id)
            await set_agreements_of(uow, ctx, kind, thing_id, bound.struct.agreement_ids)
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _page(request, services, ctx, kind, thing_id, bound, status_code=422)
    flash(request, "success", _("Saved. It holds for whoever books from now on."))
    return redirect(request, f"{base_of(ctx)}/{thing.path}")


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    kind: Thing,
    thing_id: UUID,
    form: Bound[AgreementsOfForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        thing = await _find(uow, kind, thing_id)
        rows = await list_agreements(uow)
    view = AgreementsOfView(
        form=form,
        name=thing.name,
        agreements=[(str(row.id), row.title, _state(row)) for row in rows],
        back=f"{base_of(ctx)}/{thing.path}",
        back_label=thing.name,
        base=base_of(ctx),
    )
    return page(request, "booking/agreements/of_thing.html", view, status_code=status_code)


def _state(row: AgreementRow) -> str:
    if not row.number:
        return _("Not published yet, so nobody is asked for it.")
    return "" if row.active else _("Switched off, so nobody is asked for it.")


route_handlers: list[Any] = [
    show_asked_for,
    save_asked_for,
    show_of_service,
    save_of_service,
    show_of_series,
    save_of_series,
    show_of_package,
    save_of_package,
]
