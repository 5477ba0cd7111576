"""/b/<slug>/me/people: the people whom a guest books for."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import N_, _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.commands.own_people import (
    LONGEST_NAME,
    LONGEST_NOTE,
    change_person,
    keep_person,
    remove_person,
)
from src.tenants.context import RequestContext
from src.tenants.portal_sections import Portal, PortalHead, portal_head, register_portal_tab
from src.tenants.queries.own_people import OwnPerson, list_own_people, say_what_follows
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
LIST = f"{ME}/people"
ONE = LIST + "/{participant_id:uuid}"


def register_people_tab() -> None:
    register_portal_tab("people", 60, N_("My people"), "/people")


class PersonForm(msgspec.Struct):
    """Somebody whom the guest books for."""

    name: Annotated[str, Meta(max_length=LONGEST_NAME)]
    note: Annotated[str, Meta(max_length=LONGEST_NOTE)] = ""


class OwnPeopleView(msgspec.Struct, frozen=True, kw_only=True):
    """All of them with the form for a new one, or that of the one being `changed`. `what_follows`
    says of whom more ends than being offered, once they are removed.
    """

    head: PortalHead
    people: list[OwnPerson]
    form: Bound[PersonForm]
    here: str
    what_follows: Mapping[UUID, list[str]]
    changed: OwnPerson | None = None


@get(LIST, opt=GUESTS)
async def show_own_people(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    return await _show(request, services, await open_portal(request, services, ctx), None)


@post(LIST, opt=GUESTS, status_code=200)
async def add_own_person(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    form = bind(PersonForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, portal, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await keep_person(uow, portal.guest.customer_id, form.struct.name, form.struct.note)
    except InvalidInput as refusal:
        return await _show(request, services, portal, form.refused(refusal))
    flash(request, "success", _("%(name)s is one of your people now.", name=form.struct.name))
    return redirect(request, f"{portal.path}/people")


@get(ONE, opt=GUESTS)
async def edit_own_person(
    request: AnyRequest,
    participant_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    return await _show(request, services, portal, None, participant_id)


@post(ONE, opt=GUESTS, status_code=200)
async def save_own_person(
    request: AnyRequest,
    participant_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    form = bind(PersonForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, portal, form, participant_id)
    guest, said = portal.guest.customer_id, form.struct
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await change_person(uow, guest, participant_id, said.name, said.note)
    except InvalidInput as refusal:
        return await _show(request, services, portal, form.refused(refusal), participant_id)
    flash(request, "success", _("Saved."))
    return redirect(request, f"{portal.path}/people")


@post(ONE + "/remove", opt=GUESTS, status_code=200)
async def remove_own_person(
    request: AnyRequest,
    participant_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Their bookings stay."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        await remove_person(uow, portal.guest.customer_id, participant_id)
    flash(request, "success", _("Removed. Bookings that are there stay."))
    return redirect(request, f"{portal.path}/people")


async def _show(
    request: AnyRequest,
    services: Services,
    portal: Portal,
    form: Bound[PersonForm] | None,
    person_id: UUID | None = None,
) -> Response[bytes]:
    async with services.uow_factory(portal.tenant.id) as uow:
        people = await list_own_people(uow, portal.guest.customer_id)
        what_follows = await say_what_follows(uow, portal.guest.customer_id, people)
    changed = next((one for one in people if one.id == person_id), None)
    if person_id is not None and changed is None:
        raise NotFound(_("There is no such person among yours."))
    known = {} if changed is None else {"name": changed.name, "note": changed.note}
    view = OwnPeopleView(
        head=portal_head(portal, "people"),
        people=people,
        form=form or blank(PersonForm, known),
        here=f"{portal.path}/people",
        what_follows=what_follows,
        changed=changed,
    )
    status = 200 if form is None else 422
    return page(request, "tenants/portal/people.html", view, status_code=status, headers=PRIVATE)


route_handlers: list[Any] = [
    show_own_people,
    add_own_person,
    edit_own_person,
    save_own_person,
    remove_own_person,
]
