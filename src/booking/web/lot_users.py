"""Who may use credits: the guest says so on their own pages, and staff on the lot's."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.lot_users import choose_users, set_users
from src.billing.domain.lot_users import OWNER, LotUsers
from src.billing.queries.lots import no_such_credits
from src.booking.queries.credits import get_lot
from src.booking.queries.lot_users import choices_of, find_names, list_choices
from src.booking.views.lot_users import OwnLotUsersView, StaffLotUsersView
from src.booking.web.hub import uuid_of
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, FormData, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.portal_sections import Portal, portal_head
from src.tenants.web.guards import requires_member
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]

OWN = ME + "/credits/{lot_id:uuid}/people"
STAFFS = "/app/{slug:str}/credits/{lot_id:uuid}/people"
MAY_CARE = [requires_member(Role.MANAGER)]


class ReasonForm(msgspec.Struct):
    """Why staff change it."""

    reason: Annotated[str, Meta(max_length=2000)] = ""


@get(OWN, opt=GUESTS)
async def show_own_users(
    request: AnyRequest,
    lot_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    return await _own(request, services, portal, lot_id)


@post(OWN, opt=GUESTS, status_code=200)
async def save_own_users(
    request: AnyRequest,
    lot_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    data = await read_form(request)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await choose_users(uow, portal.guest.customer_id, lot_id, users_of(data))
    except InvalidInput as refused:
        return await _own(request, services, portal, lot_id, data, refused.message)
    flash(request, "success", _("Saved."))
    return redirect(request, f"{portal.path}#credits-{lot_id}")


@get(STAFFS, guards=MAY_CARE, include_in_schema=False)
async def show_users(
    request: AnyRequest,
    lot_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _staffs(request, services, ctx, lot_id)


@post(STAFFS, guards=MAY_CARE, status_code=200, include_in_schema=False)
async def save_users(
    request: AnyRequest,
    lot_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    data = await read_form(request)
    form = bind(ReasonForm, data)
    if form.struct is None:
        return await _staffs(request, services, ctx, lot_id, data, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await set_users(uow, ctx, lot_id, users_of(data), form.struct.reason)
    except InvalidInput as refused:
        return await _staffs(request, services, ctx, lot_id, data, form.refused(refused))
    flash(request, "success", _("Saved."))
    return redirect(request, f"/app/{ctx.here.slug}/credits/{lot_id}")


def users_of(data: FormData) -> LotUsers:
    """Those who are ticked. Raises: InvalidInput where it is neither everyone nor anybody."""
    if data.texts.get("who", ["some"])[-1] == "everyone":
        return LotUsers()
    typed = data.texts.get("people", [])
    people = [one for key in typed if (one := uuid_of(key)) is not None]
    users = LotUsers(OWNER in typed, frozenset(people))
    if users.is_everyone:
        sentence = _("Please tick somebody, or let everyone use them.")
        raise InvalidInput(sentence, fields={"people": sentence})
    return users


async def _own(
    request: AnyRequest,
    services: Services,
    portal: Portal,
    lot_id: UUID,
    data: FormData | None = None,
    error: str = "",
) -> Response[bytes]:
    async with services.uow_factory(portal.tenant.id) as uow:
        lot = await get_lot(uow, lot_id)
        if lot.customer_id != portal.guest.customer_id:
            raise no_such_credits()
        choices = await list_choices(uow, lot)
        if data is not None:
            names = await find_names(uow, lot.customer_id)
            choices = choices_of(names, data.texts.get("people", []))
    view = OwnLotUsersView(
        head=portal_head(portal, "bookings"),
        lot_id=lot_id,
        name=lot.name,
        choices=choices,
        error=error,
        here=f"{portal.path}/credits/{lot_id}/people",
        back=f"{portal.path}#credits-{lot_id}",
        people_href=f"{portal.path}/people",
    )
    template = "booking/portal/lot_users.html"
    return page(request, template, view, status_code=422 if error else 200, headers=PRIVATE)


async def _staffs(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    lot_id: UUID,
    data: FormData | None = None,
    form: Bound[ReasonForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        lot = await get_lot(uow, lot_id)
        names = await find_names(uow, lot.customer_id)
        choices = await list_choices(uow, lot)
    if data is not None:
        choices = choices_of(names, data.texts.get("people", []))
    view = StaffLotUsersView(
        form=form or blank(ReasonForm),
        name=lot.name,
        owner=names[OWNER],
        choices=choices,
        base=f"/app/{ctx.here.slug}",
        here=f"/app/{ctx.here.slug}/credits/{lot_id}",
    )
    status = 200 if form is None else 422
    return page(request, "booking/credits/users.html", view, status_code=status)


route_handlers: list[Any] = [show_own_users, save_own_users, show_users, save_users]
