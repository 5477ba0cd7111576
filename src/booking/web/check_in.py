"""Checking in by code: what the picture leads to, and one booking at the door.

A phone's own camera opens the picture's address, so nobody needs an app: whoever is signed in and a
member of the business comes to the check-in. Anyone else learns nothing: the code stands in the
addresses of the staff's pages, so it must not be the guest's own link.
"""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.orders import get_order
from src.booking.check_in_codes import check_in_code, code_in, order_of_code
from src.booking.commands.attendance import mark_attendance
from src.booking.domain.attendance import TICKED_FROM, why_not_tick, why_not_tick_this
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.guest_links import open_link
from src.booking.mails import check_in_address
from src.booking.qr_codes import qr_png, qr_svg
from src.booking.queries.check_in import find_order_by_reference, get_check_in
from src.booking.views.check_in import CheckInBooking, CheckInSeat
from src.booking.web.roster_words import consent_words
from src.booking.web.seen_seats import overtaken_words, seen_seats
from src.booking.web.sessions import led_by
from src.booking.web.sold_words import door_words
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.forms import bind, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]
MAY_CHECK_IN = [requires_member(Role.INSTRUCTOR)]
OF_CODE = "/app/{slug:str}/check-in/{code:str}"
DOOR = {
    "public": "The signed code is known at the door; nothing of its booking is shown.",
    "while_suspended": True,
}
PUBLIC = {"public": "The signed link is the key to this one booking.", "while_suspended": True}
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


class DoorView(msgspec.Struct, frozen=True, kw_only=True):
    """For whoever is no member: nothing of the booking."""

    sign_in_href: str


class CheckInForm(msgspec.Struct):
    """Which of the booking's places are to be attended, or, as confirmed, no longer; and what they
    `was`, each, on the page. As many as the page shows: they are held against the booking's own.
    """

    wanted: Annotated[str, Meta(max_length=20)] = "attended"
    seat_ids: list[UUID] = []
    was: list[Annotated[str, Meta(max_length=60)]] = []


class CheckInView(msgspec.Struct, frozen=True, kw_only=True):
    """A booking at the door; `why_not` says by seat why it cannot be checked in now, `may_tick` has
    the seats that can; `why_none` says why it has no place today. `said`: tone and sentence of what
    was just done, where the page does not say it above; `is_in_place` where the booking is shown
    below the camera.
    """

    booking: CheckInBooking
    why_not: dict[UUID, str | None]
    may_tick: list[UUID]
    why_none: str | None
    seat_words: dict[str, tuple[str, str]]
    consent_words: dict[str, str]
    may_edit: bool
    here: str
    base: str
    zone: str
    said: tuple[str, str] | None = None
    is_in_place: bool = False


@get("/c/{slug:str}/{code:str}", opt=DOOR, include_in_schema=False)
async def open_code(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    code: FromPath[str],
) -> Response[bytes]:
    """Members to the check-in; anyone else is told what the code is for. Raises: NotFound."""
    order_of_code(services.settings, ctx.here.id, code)
    if ctx.actor.role is not None:
        return redirect(request, f"/app/{ctx.here.slug}/check-in/{code}")
    back = quote(f"/c/{ctx.here.slug}/{code}", safe="")
    view = DoorView(sign_in_href=f"/sign-in?next={back}")
    return page(request, "booking/check_in/door.html", view, headers=PRIVATE)


@get("/b/{slug:str}/bookings/{token:str}/code.svg", opt=PUBLIC, include_in_schema=False)
async def show_drawing(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    token: FromPath[str],
) -> Response[bytes]:
    """The code for the booking's page."""
    drawn = qr_svg(await _address(services, ctx, token))
    return Response(drawn, media_type="image/svg+xml", headers=PRIVATE)


@get("/b/{slug:str}/bookings/{token:str}/code.png", opt=PUBLIC, include_in_schema=False)
async def show_picture(
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    token: FromPath[str],
) -> Response[bytes]:
    """The code for the booking's mail."""
    drawn = qr_png(await _address(services, ctx, token))
    return Response(drawn, media_type="image/png", headers=PRIVATE)


async def _address(services: Services, ctx: RequestContext, token: str) -> str:
    order_id = await open_link(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
    return check_in_address(services.settings, ctx.here.slug, order)


@get(OF_CODE, guards=MAY_CHECK_IN, include_in_schema=False)
async def show_check_in(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    code: FromPath[str],
) -> Response[bytes]:
    view = await look_at_booking(services, ctx, code)
    return page(request, "booking/check_in/booking.html", view, headers=PRIVATE)


async def look_at_booking(services: Services, ctx: RequestContext, code: str) -> CheckInView:
    """Raises: NotFound, for another instructor's booking too."""
    booking = await _booking(services, ctx, code)
    why_not = {seat.seat_id: _why_not(seat, services, ctx) for seat in booking.today}
    base = f"/app/{ctx.here.slug}"
    return CheckInView(
        booking=booking,
        why_not=why_not,
        may_tick=[
            seat.seat_id
            for seat in booking.today
            if seat.state in TICKED_FROM[SeatState.ATTENDED] and not why_not[seat.seat_id]
        ],
        why_none=_why_none(booking),
        seat_words=door_words(),
        consent_words=consent_words(),
        may_edit=ctx.actor.role is not Role.INSTRUCTOR,
        here=f"{base}/check-in/{code}",
        base=base,
        zone=ctx.here.timezone,
    )


@post(OF_CODE, guards=MAY_CHECK_IN, status_code=200, include_in_schema=False)
async def check_in(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    code: FromPath[str],
) -> Response[bytes]:
    """Ticks today's places of this booking, session by session; below the camera it answers with
    the booking alone. Raises: NotFound for another's.
    """
    form = bind(CheckInForm, await read_form(request)).struct or CheckInForm()
    wanted = SeatState.CONFIRMED if form.wanted == "confirmed" else SeatState.ATTENDED
    was = seen_seats(form.was)
    tone, sentence = await tick_today(services, ctx, code, form.seat_ids, wanted, was)
    if exchange_of(request.scope).is_htmx:
        view = await look_at_booking(services, ctx, code)
        shown = msgspec.structs.replace(view, said=(tone, sentence), is_in_place=True)
        status = 422 if tone == "error" else 200
        return page(
            request, "booking/check_in/_scanned.html", shown, status_code=status, headers=PRIVATE
        )
    flash(request, "success" if tone == "success" else "warning", sentence)
    return redirect(request, f"/app/{ctx.here.slug}/check-in/{code}")


async def tick_today(
    services: Services,
    ctx: RequestContext,
    code: str,
    seat_ids: list[UUID],
    wanted: SeatState,
    was: Mapping[UUID, SeatState] | None = None,
) -> tuple[str, str]:
    """Tone and sentence of what became of it; what one session refuses stops no other, and what is
    no longer what it `was` stays. Raises: NotFound for another's booking, and for a place of
    another day.
    """
    booking = await _booking(services, ctx, code)
    if not seat_ids:
        return "error", _("Nobody was chosen, so nothing was changed.")
    session_of = {seat.seat_id: seat.session_id for seat in booking.today}
    if not set(seat_ids) <= set(session_of):
        raise NotFound(_("This booking has no such place today."))
    changed = 0
    refusals: list[str] = []
    for session_id in sorted({session_of[seat_id] for seat_id in seat_ids}):
        here = [one for one in seat_ids if session_of[one] == session_id]
        try:
            async with services.uow_factory(ctx.here.id) as uow:
                done = await mark_attendance(uow, ctx, session_id, here, wanted, was)
        except Conflict as refused:
            refusals.append(refused.message)
            continue
        changed += done.changed
        if done.being_cancelled:
            refusals.append(why_not_tick_this())
        if done.overtaken:
            names = {seat.seat_id: seat.name for seat in booking.today}
            refusals.append(overtaken_words(done.overtaken, names))
    if not refusals:
        return _said(wanted, changed)
    said = [_said(wanted, changed)[1]] if changed else []
    return "warning", " ".join([*said, *dict.fromkeys(refusals)])


def _why_none(booking: CheckInBooking) -> str | None:
    if booking.today:
        return None
    words = {
        "stands": _("This booking has no place today."),
        "unpaid": _("This booking is not paid for yet, so it has no place that stands."),
        "expired": _("This booking was not paid in time, so its places were freed."),
        "released": _("The places of this booking were released before they were paid for."),
        "given_up": _("This booking was given up before it was paid for, so it has no place."),
        "not_payable": _("This booking could not be paid for, so its places were freed."),
        "cancelled": _("This booking is cancelled: none of its places stands any more."),
    }
    return words[booking.standing]


def _why_not(seat: CheckInSeat, services: Services, ctx: RequestContext) -> str | None:
    if seat.is_being_cancelled:
        return why_not_tick_this()
    state, now = SessionState(seat.session_state), services.clock.now()
    return why_not_tick(SeatState.ATTENDED, state, seat.starts_at, ctx.here.zone, now)


def _said(wanted: SeatState, changed: int) -> tuple[str, str]:
    if not changed:
        return "warning", _("That was done already.")
    if wanted is SeatState.CONFIRMED:
        return "success", _("Taken back.")
    said = ngettext("%(num)s person is checked in.", "%(num)s people are checked in.", changed)
    return "success", said


async def known_code(services: Services, ctx: RequestContext, typed: str) -> str:
    """The code that was meant. Raises: NotFound, also for a booking whose places are another's."""
    code = code_in(typed)
    async with services.uow_factory(ctx.here.id) as uow:
        order = await find_order_by_reference(uow, code)
        if order is not None:
            await get_check_in(uow, order.id, ctx.here.zone, led_by=led_by(ctx))
    if order is not None:
        return check_in_code(services.settings, order)
    order_of_code(services.settings, ctx.here.id, code)
    return code


async def _booking(services: Services, ctx: RequestContext, code: str) -> CheckInBooking:
    order_id = order_of_code(services.settings, ctx.here.id, code)
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_check_in(uow, order_id, ctx.here.zone, led_by=led_by(ctx))


route_handlers = [open_code, show_drawing, show_picture, show_check_in, check_in]
