"""Waiting for a place: the form, and the page of who waits, for whoever has its link."""

from datetime import time
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.orders import get_order
from src.booking.commands.completing import command_of_offer, wait_for_missing_of_order
from src.booking.commands.waitlist import (
    JoinWaitlist,
    PlacesAreFree,
    join_waitlist,
    leave_waitlist,
    room_in_list,
    wait_again,
)
from src.booking.domain.seats_told import is_told
from src.booking.domain.waiting import WaitlistTerms, WhyNot
from src.booking.guest_links import booking_path, open_link
from src.booking.models import WaitlistEntry
from src.booking.place import place_booking
from src.booking.queries.service_page import not_offered
from src.booking.queries.waitlist_page import get_entry_view
from src.booking.queries.wish import Typed, get_wish
from src.booking.views.guest import Wish
from src.booking.views.waiting import JoinView
from src.booking.waitlist_links import entry_behind, waitlist_path
from src.booking.web.guest_forms import LARGEST_PARTY, LARGEST_TOTAL_MINOR, size_of
from src.booking.web.guest_page import PRIVATE
from src.booking.web.guest_subject import Subject, subject_of
from src.booking.web.own_holds import own_holds
from src.platform.errors import Conflict, DomainError, InvalidInput, NotFound
from src.platform.i18n import _, current_locale
from src.platform.ratelimit import BOOKING_BY_ADDRESS, Limit
from src.platform.services import Services
from src.platform.web.formats import clock
from src.platform.web.forms import Bound, Email, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.platform.web.security import client_address
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly
from src.tenants.queries.established import is_established
from src.tenants.views.portal import PortalGuest
from src.tenants.web.portal import portal_guest

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests wait for a place without an account."}
OWN = {"public": "The signed link is the key to this one entry.", "while_suspended": True}
AGAIN = {"public": OWN["public"]}
JOIN = "booking/guest/waitlist_join.html"
ENTRY = "booking/guest/waitlist_entry.html"
JOIN_HEADERS = {"x-robots-tag": "noindex", "cache-control": "private, no-store"}
OF_SIZE = frozenset(f"waitlist_{why}" for why in (WhyNot.PARTY_TOO_BIG, WhyNot.NEVER_FITS))
JOINING_BY_EMAIL = Limit("waitlist-email", 5, 60 * 60)
"""Each asking sends a mail to whoever has the address, which somebody else may have typed."""
CHANGES_BY_ENTRY = Limit("waitlist-entry", 30, 10 * 60)
CHANGES_BY_BOOKING = Limit("waitlist-booking", 30, 10 * 60)


class TakeForm(msgspec.Struct, kw_only=True):
    """What was shown beside the button: the `dates_key` of the date, and the price in all."""

    quoted_dates: str
    quoted_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)]


class JoinForm(msgspec.Struct, kw_only=True):
    name: Annotated[str, Meta(max_length=120)]
    email: Email
    size: Annotated[int, Meta(ge=1, le=LARGEST_PARTY)] = 1


@get("/b/{slug:str}/{service_slug:str}/waitlist", opt=PUBLIC)
async def waitlist_form(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The form for `?series=` or `?session=`, or why nobody has to wait, or can."""
    subject = subject_of(request, service_slug)
    guest = await portal_guest(request, services, ctx)
    known = {} if guest is None else {"name": guest.name, "email": guest.email}
    return await _join_page(request, services, ctx, subject, blank(JoinForm, known), 1)


@post("/b/{slug:str}/{service_slug:str}/waitlist", opt=PUBLIC, status_code=200)
async def join_list(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Puts the address on the list. The answer is the same for one that is on it. `step=fill` only
    shows the form, with what was typed into the one for booking.
    """
    subject, data = subject_of(request, service_slug), await read_form(request)
    size, bound = size_of(data, LARGEST_PARTY), bind(JoinForm, data)
    if data.texts.get("step", [""])[-1] == "fill":
        return await _join_page(request, services, ctx, subject, Bound(None, data), size)
    form = bound.struct
    if form is None:
        return await _join_page(request, services, ctx, subject, bound, size, status_code=422)
    try:
        await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
        await services.limiter.check(
            JOINING_BY_EMAIL, f"{ctx.here.id}:{normalise_email(form.email)}"
        )
        guest = await portal_guest(request, services, ctx)
        async with services.uow_factory(ctx.here.id) as uow:
            await _wish_in(uow, ctx, subject, form.size, guest)
            await join_waitlist(uow, ctx.here, _command(subject, form, guest))
    except (NotFound, EstablishedOnly):
        raise
    except DomainError as refusal:
        shown = _refused(bound, refusal)
        return await _join_page(
            request, services, ctx, subject, shown, size, status_code=refusal.status
        )
    return await _join_page(request, services, ctx, subject, bound, size, sent_to=form.email)


@get("/b/{slug:str}/waitlist/{place:str}", opt=OWN)
async def waitlist_entry(
    request: AnyRequest,
    place: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Where one stands, or what one is offered."""
    entry_id = _entry_id(services, ctx, place)
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_entry_view(uow, ctx.here, services.settings, entry_id)
    return page(request, ENTRY, view, headers=PRIVATE)


@post("/b/{slug:str}/waitlist/{place:str}/take", opt=AGAIN)
async def take_missing_date(
    request: AnyRequest,
    place: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Books the date that a course was sold without, as it was shown: on to the payment page or to
    the booking. Pressed again it is the same booking.
    """
    entry_id, data = _entry_id(services, ctx, place), await read_form(request)
    await services.limiter.check(CHANGES_BY_ENTRY, str(entry_id))
    path = request.scope["path"].removesuffix("/take")
    shown = bind(TakeForm, data).struct
    if shown is None:
        # Nobody was shown anything of it: the page shows it now.
        return redirect(request, path)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            command = await command_of_offer(uow, entry_id, shown.quoted_dates, shown.quoted_minor)
        placed = await place_booking(services, ctx, command, cancel_path=path)
    except DomainError as refusal:
        flash(request, "error", refusal.message)
        return redirect(request, path)
    return redirect(request, placed.payment_url or placed.guest_path)


@post("/b/{slug:str}/bookings/{token:str}/missing/{session_id:uuid}", opt=AGAIN)
async def wait_for_missing_date(
    request: AnyRequest,
    token: FromPath[str],
    session_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Who has the booking's link waits for a date that it was sold without. Pressed again it
    changes nothing.
    """
    order_id = await open_link(services, ctx, token)
    await services.limiter.check(CHANGES_BY_BOOKING, str(order_id))
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await wait_for_missing_of_order(uow, ctx.here, order_id, session_id)
    except Conflict as refusal:
        flash(request, "error", refusal.message)
    else:
        flash(request, "success", _("You are on the waiting list. We write to you about it."))
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
    return redirect(request, f"{booking_path(services.settings, ctx.here.slug, order)}#missing")


@post("/b/{slug:str}/waitlist/{place:str}/leave", opt=OWN)
async def leave_list(
    request: AnyRequest,
    place: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Off the list; an offer's places go to the next. Pressed again it changes nothing."""
    entry_id = _entry_id(services, ctx, place)
    await services.limiter.check(CHANGES_BY_ENTRY, str(entry_id))
    async with services.uow_factory(ctx.here.id) as uow:
        await leave_waitlist(uow, entry_id)
    return redirect(request, request.scope["path"].removesuffix("/leave"))


@post("/b/{slug:str}/waitlist/{place:str}/again", opt=AGAIN)
async def wait_once_more(
    request: AnyRequest,
    place: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """To the end of the list, after an offer that passed or after leaving."""
    entry_id = _entry_id(services, ctx, place)
    await services.limiter.check(CHANGES_BY_ENTRY, str(entry_id))
    path = request.scope["path"].removesuffix("/again")
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            new_id = await wait_again(uow, ctx.here, entry_id)
            await uow.session.flush()
            entry = await uow.session.get_one(WaitlistEntry, (uow.tenant, new_id))
            path = waitlist_path(services.settings, ctx.here.slug, entry)
    except PlacesAreFree:
        # Its page says so, and leads to the booking form.
        return redirect(request, path)
    except Conflict as refusal:
        flash(request, "error", refusal.message)
    return redirect(request, path)


def _entry_id(services: Services, ctx: RequestContext, place: str) -> UUID:
    """Raises: NotFound, Gone."""
    return entry_behind(services.settings, place, ctx.here.id, services.clock.now())


def _refused(bound: Bound[JoinForm], refusal: DomainError) -> Bound[JoinForm]:
    """What is wrong with the size stands at its field, which `_join_page` minds the lack of."""
    if refusal.code in OF_SIZE:
        return bound.with_errors({"size": refusal.message})
    if isinstance(refusal, InvalidInput):
        return bound.refused(refusal)
    return bound.with_errors(None, refusal.message)


def _command(subject: Subject, form: JoinForm, guest: PortalGuest | None) -> JoinWaitlist:
    return JoinWaitlist(
        kind=subject.kind,
        subject_id=subject.id,
        name=form.name,
        email=form.email,
        size=form.size,
        locale=current_locale(),
        customer_id=None if guest is None else guest.customer_id,
    )


async def _wish_in(
    uow: Any, ctx: RequestContext, subject: Subject, size: int, guest: PortalGuest | None
) -> Wish:
    where = (subject.kind, subject.id, subject.service_slug)
    try:
        admits = guest is not None and await is_established(uow, guest.customer_id)
        return await get_wish(uow, ctx.here, *where, Typed(size=size), admits=admits)
    except NotFound as refusal:
        raise await not_offered(uow, ctx.here, subject.service_slug) from refusal


async def _join_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    subject: Subject,
    form: Bound[JoinForm],
    size: int,
    *,
    sent_to: str = "",
    status_code: int = 200,
) -> Response[bytes]:
    refusal, book_href, sizes, minutes, quiet = "", "", range(0), 0, ""
    places: int | None = None
    guest = await portal_guest(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        wish = await _wish_in(uow, ctx, subject, size, guest)
        try:
            room = await room_in_list(uow, ctx.here, subject.id)
            sizes = range(room.places + 1, min(room.facts.biggest_party, LARGEST_PARTY) + 1)
            minutes, quiet = room.terms.offer_minutes, _quiet_words(room.terms)
            if is_told(room.places, ctx.here.seats_told_up_to):
                places = room.places
            if room.places:
                book_href = f"{wish.service_href}/book?{subject.kind}={subject.id}"
        except Conflict as refused:
            refusal = refused.message
    if form.error("size") and max(sizes, default=1) == 1:
        # The form asks for no size, so what is wrong with it is said above.
        form = form.with_errors(None, form.error("size"))
    view = JoinView(
        wish=wish,
        form=form,
        sizes=list(sizes),
        places=places,
        offer_minutes=minutes,
        quiet=quiet,
        refusal=refusal,
        book_href=book_href,
        sent_to=sent_to,
        zone=ctx.here.zone,
        contact_email=ctx.here.contact_email,
        contact_phone=ctx.here.contact_phone,
        held=await own_holds(request, services, ctx, subject.service_slug, subject.id),
    )
    return page(request, JOIN, view, status_code=status_code, headers=JOIN_HEADERS)


def _quiet_words(terms: WaitlistTerms) -> str:
    if terms.quiet_from == terms.quiet_until:
        return ""
    return f"{clock(time(terms.quiet_from))}–{clock(time(terms.quiet_until % 24))}"


route_handlers: list[Any] = [
    waitlist_form,
    join_list,
    waitlist_entry,
    leave_list,
    wait_once_more,
    take_missing_date,
    wait_for_missing_date,
]
