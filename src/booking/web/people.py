"""A booking's note and the names of who comes, written by staff after it was made.

By booking for those who run the business, by place of a roster for whoever is at its door.
"""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.people import Said, say_of_booking
from src.booking.domain.naming import LONGEST_NAME
from src.booking.queries.people import get_people, get_person_in_seat
from src.booking.queries.sessions import get_session_detail
from src.booking.views.people import BookingPeople, OnePerson
from src.booking.web.roster import MAY_SEE, ONE
from src.booking.web.sessions import led_by
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_WRITE = [requires_member(Role.MANAGER)]
OF_BOOKING = "/app/{slug:str}/bookings/{booking_id:uuid}/people"
OF_SEAT = ONE + "/seats/{seat_id:uuid}"
TEMPLATE = "booking/bookings/people.html"
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class NamesForm(msgspec.Struct, kw_only=True):
    """Names by participant; `was` are those that the form was opened with, so that a name which
    somebody else has given meanwhile stays unless it was changed here too.
    """

    names: dict[UUID, Name] = msgspec.field(default_factory=dict)
    was: dict[UUID, Name] = msgspec.field(default_factory=dict)

    def changed(self) -> dict[UUID, str]:
        """An emptied field is not sent on by the form kit, and so missing from `names`."""
        return {
            one: self.names.get(one, "")
            for one in self.names.keys() | self.was.keys()
            if self.names.get(one, "") != self.was.get(one, "")
        }


class PeopleForm(NamesForm, kw_only=True):
    """How long the note is, the command judges, and only where it was changed here."""

    note: str = ""
    note_was: str = ""

    def said(self) -> Said:
        return Said(names=self.changed(), note=self.note if self.note != self.note_was else None)


class PeopleView(msgspec.Struct, frozen=True, kw_only=True):
    """The form for `people` of a booking; `others` are so many of it who are not in the form.
    `hand_on_href` leads to giving the place to somebody else, empty where that cannot be.
    """

    form: Bound[PeopleForm]
    booking: BookingPeople
    people: Sequence[OnePerson]
    others: int
    crumbs: list[tuple[str, str]]
    back: str
    hand_on_href: str = ""


@get(OF_BOOKING, guards=MAY_WRITE, include_in_schema=False)
async def edit_people(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        booking = await get_people(uow, booking_id)
    return _form(request, _of_booking(ctx, booking), None)


@post(OF_BOOKING, guards=MAY_WRITE, status_code=200, include_in_schema=False)
async def save_people(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        booking = await get_people(uow, booking_id)
    return await _save(request, services, ctx, _of_booking(ctx, booking))


@get(OF_SEAT, guards=MAY_SEE, include_in_schema=False)
async def edit_seat(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    seat_id: FromPath[UUID],
) -> Response[bytes]:
    """Instructors in sessions that they lead. Raises: NotFound for any other."""
    return _form(request, await _of_seat(services, ctx, session_id, seat_id), None)


@post(OF_SEAT, guards=MAY_SEE, status_code=200, include_in_schema=False)
async def save_seat(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    seat_id: FromPath[UUID],
) -> Response[bytes]:
    """Who sits in it, and the note of its booking; nobody else of the booking is named by it."""
    view = await _of_seat(services, ctx, session_id, seat_id)
    return await _save(request, services, ctx, view)


def _of_booking(ctx: RequestContext, booking: BookingPeople) -> PeopleView:
    here = f"/app/{ctx.here.slug}/bookings/{booking.booking_id}"
    return PeopleView(
        form=_blank(booking, booking.people),
        booking=booking,
        people=booking.people,
        others=0,
        crumbs=[(_("Booking of %(name)s", name=booking.guest_name), here)],
        back=here,
    )


async def _of_seat(
    services: Services, ctx: RequestContext, session_id: UUID, seat_id: UUID
) -> PeopleView:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id, led_by=led_by(ctx))
        booking, person = await get_person_in_seat(uow, session_id, seat_id)
    base = f"/app/{ctx.here.slug}/sessions"
    title = " · ".join(filter(None, (session.service_name, session.title)))
    return PeopleView(
        form=_blank(booking, [person]),
        booking=booking,
        people=[person],
        others=len(booking.people) - 1,
        crumbs=[(_("Sessions"), base), (title, f"{base}/{session_id}")],
        back=f"{base}/{session_id}#seat-{seat_id}",
        hand_on_href=f"{base}/{session_id}/seats/{seat_id}/hand-on" if led_by(ctx) is None else "",
    )


def _blank(booking: BookingPeople, people: Sequence[OnePerson]) -> Bound[PeopleForm]:
    names = {one.participant_id: one.name for one in people}
    known = {"names": names, "was": names, "note": booking.note, "note_was": booking.note}
    return blank(PeopleForm, known)


async def _save(
    request: AnyRequest, services: Services, ctx: RequestContext, view: PeopleView
) -> Response[bytes]:
    form = bind(PeopleForm, await read_form(request))
    if form.struct is None:
        return _form(request, view, form)
    said = form.struct.said()
    shown = {one.participant_id for one in view.people}
    wanted = msgspec.structs.replace(
        said, names={one: name for one, name in said.names.items() if one in shown}
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            is_changed = await say_of_booking(uow, ctx, view.booking.booking_id, wanted)
    except InvalidInput as refusal:
        return _form(request, view, form.refused(refusal))
    flash(request, "success", _("Saved.") if is_changed else _("Nothing was changed."))
    return redirect(request, view.back)


def _form(request: AnyRequest, view: PeopleView, form: Bound[PeopleForm] | None) -> Response[bytes]:
    shown = view if form is None else msgspec.structs.replace(view, form=form)
    return page(request, TEMPLATE, shown, status_code=200 if form is None else 422)


route_handlers = [edit_people, save_people, edit_seat, save_seat]
