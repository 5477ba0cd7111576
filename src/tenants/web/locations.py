"""/app/<slug>/settings/locations: the rooms and online places that sessions take place in."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.commands.catalogue import (
    LocationDetails,
    TellsGuests,
    add_location,
    change_location,
    set_location_active,
)
from src.tenants.context import RequestContext
from src.tenants.queries.settings import get_location, list_locations
from src.tenants.views.settings import GuestsThere, LocationRow
from src.tenants.web.performers import ActiveForm
from src.tenants.web.settings_tabs import MAY_SET, Tab, settings_path, settings_tabs

HOME = "/app/{slug:str}/settings/locations"
ONE = HOME + "/{location_id:uuid}"


class LocationForm(msgspec.Struct):
    """A place as typed; `tell` says that its guests are told, after it was said how many."""

    name: Annotated[str, Meta(max_length=100)]
    address: Annotated[str, Meta(max_length=300)] = ""
    room_capacity: int | None = None
    is_online: bool = False
    tell: bool = False

    def details(self) -> LocationDetails:
        return LocationDetails(
            name=self.name,
            address=self.address,
            room_capacity=self.room_capacity,
            is_online=self.is_online,
        )


class LocationsView(msgspec.Struct, frozen=True, kw_only=True):
    tabs: list[Tab]
    rows: list[LocationRow]
    base: str


class LocationView(msgspec.Struct, frozen=True, kw_only=True):
    """The editor; `row` is None for a new place. `there` are those who would be told."""

    tabs: list[Tab]
    row: LocationRow | None
    base: str
    form: Any
    there: GuestsThere | None


@get(HOME, guards=MAY_SET, include_in_schema=False)
async def show_locations(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_locations(uow)
    base = settings_path(ctx, "locations")
    view = LocationsView(tabs=settings_tabs(ctx, "locations"), rows=rows, base=base)
    return page(request, "tenants/settings/locations.html", view)


@get(HOME + "/new", guards=MAY_SET, include_in_schema=False)
async def show_new_location(
    request: Request[Any, Any, Any], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    return _editor(request, ctx, None, blank(LocationForm))


@post(HOME + "/new", guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_new_location(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    form = bind(LocationForm, await read_form(request))
    if form.struct is None:
        return _editor(request, ctx, None, form, 422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await add_location(uow, ctx, form.struct.details())
    except InvalidInput as refusal:
        return _editor(request, ctx, None, form.refused(refusal), 422)
    flash(request, "success", _("“%(name)s” is added.", name=form.struct.name))
    return redirect(request, settings_path(ctx, "locations"))


@get(ONE, guards=MAY_SET, include_in_schema=False)
async def show_location(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    location_id: FromPath[UUID],
) -> Response[bytes]:
    row = await _row(services, ctx, location_id)
    return _editor(request, ctx, row, blank(LocationForm, row))


@post(ONE, guards=MAY_SET, status_code=200, include_in_schema=False)
async def save_location(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    location_id: FromPath[UUID],
) -> Response[bytes]:
    row = await _row(services, ctx, location_id)
    form = bind(LocationForm, await read_form(request))
    if form.struct is None:
        return _editor(request, ctx, row, form, 422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            details = form.struct.details()
            await change_location(uow, ctx, location_id, details, tell_guests=form.struct.tell)
    except InvalidInput as refusal:
        return _editor(request, ctx, row, form.refused(refusal), 422)
    except TellsGuests as asked:
        return _editor(request, ctx, row, form, 200, asked.there)
    except Conflict as refusal:
        return _editor(request, ctx, row, form.with_errors(form_error=refusal.message), 409)
    flash(request, "success", _("“%(name)s” is saved.", name=form.struct.name))
    return redirect(request, settings_path(ctx, "locations"))


@post(ONE + "/active", guards=MAY_SET, status_code=200, include_in_schema=False)
async def switch_location(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    location_id: FromPath[UUID],
) -> Response[bytes]:
    form = bind(ActiveForm, await read_form(request))
    is_on = form.struct is not None and form.struct.active
    async with services.uow_factory(ctx.here.id) as uow:
        name = await set_location_active(uow, ctx, location_id, is_on)
    sentence = (
        _("“%(name)s” can be chosen for sessions again.", name=name)
        if is_on
        else _("“%(name)s” gets no new sessions; those there are stay.", name=name)
    )
    flash(request, "success", sentence)
    return redirect(request, settings_path(ctx, "locations"))


async def _row(services: Services, ctx: RequestContext, location_id: UUID) -> LocationRow:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_location(uow, location_id)


def _editor(
    request: AnyRequest,
    ctx: RequestContext,
    row: LocationRow | None,
    form: Bound[LocationForm],
    status_code: int = 200,
    there: GuestsThere | None = None,
) -> Response[bytes]:
    view = LocationView(
        tabs=settings_tabs(ctx, "locations"),
        row=row,
        base=settings_path(ctx, "locations"),
        form=form,
        there=there,
    )
    return page(request, "tenants/settings/location.html", view, status_code=status_code)


route_handlers = [
    show_locations,
    show_new_location,
    save_new_location,
    show_location,
    save_location,
    switch_location,
]
