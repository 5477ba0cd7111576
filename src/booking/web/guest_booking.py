"""Booking: the form, and sending it."""

from typing import Any, NamedTuple, cast
from urllib.parse import quote

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.credits import CreditsGone
from src.billing.commands.orders import find_order_by_form_token
from src.billing.domain.kinds import OrderState
from src.booking.commands.waitlist_admits import is_offered_to
from src.booking.errors import PriceChanged
from src.booking.place import place_booking
from src.booking.queries.service_page import not_offered
from src.booking.queries.wish import Typed, get_wish
from src.booking.queries.wish_credits import Purse, lot_of_way
from src.booking.views.guest import BookingFormView, Wish
from src.booking.views.hub import OwnHold
from src.booking.web.agreed import signing_of
from src.booking.web.booking_guest import (
    has_place,
    known_of,
    look_who_books,
    own_people,
    proved_id,
    under_own_address,
    with_sentence,
)
from src.booking.web.card_choice import Wallet, pay_choice, wallet_of
from src.booking.web.code_told import code_told, code_words, exchanged
from src.booking.web.guest_forms import (
    BookingForm,
    at_slot,
    checked,
    command_of,
    new_form_token,
    nobody_comes,
    token_of,
    typed_of,
    way_of,
)
from src.booking.web.guest_subject import Subject, subject_of
from src.booking.web.kept_typing import keep_typing, kept_typing
from src.booking.web.offered_place import OfferedPlace, offered_place
from src.booking.web.own_holds import own_holds, remember_hold
from src.platform.errors import DomainError, InvalidInput, NotFound, TooManyRequests
from src.platform.ratelimit import BOOKING_BY_ADDRESS, Limit, Outage
from src.platform.services import Services
from src.platform.web.forms import Bound, FormData, bind, blank, read_form
from src.platform.web.pages import page, redirect
from src.platform.web.security import client_address
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext
from src.tenants.errors import EstablishedOnly
from src.tenants.web.portal import found_guest, portal_path

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests book without an account."}
TEMPLATE = "booking/guest/book.html"
PARTY_FRAGMENT = "booking/guest/_party.html"
FORM_HEADERS = {
    "x-robots-tag": "noindex",
    "vary": "HX-Request, Accept-Language",
    "cache-control": "private, no-cache",
}
"""Who goes back is to find the same form with the same token, not a new one beside the old one's
hold. So it does not vary by cookie, since the first cookie comes with this very page, and browsers
keep that of who is signed in too; and it is sent to an address of its own (`send=1`), since posting
to an address makes browsers forget it."""
BOOKING_BY_EMAIL = Limit("booking-email", 20, 10 * 60)
CODES_BY_ADDRESS = Limit("coupon-address", 30, 10 * 60, Outage.COUNT_HERE)
"""How many codes of coupons one sender tries, right ones too: it keeps guessing slow."""


@get("/b/{slug:str}/{service_slug:str}/book", opt=PUBLIC)
async def booking_form(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """An empty form for `?series=`, `?session=` or a time `?at=`. The browser may show it again on
    going back, so that its token, and with it the booking, stays the same. To who has taken what
    they were offered the place would look sold out: they are led to its own page, which knows
    better.
    """
    subject = subject_of(request, service_slug)
    place = await _place_of(services, ctx, subject)
    if place.taken_by is not None:
        return redirect(request, f"/b/{ctx.here.slug}/waitlist/{subject.place}")
    offered = bool(subject.place)
    guest = await look_who_books(request, services, ctx, is_offered=offered, what=subject)
    kept = kept_typing(request, services, ctx, subject.id) if guest is not None else {}
    form = blank(BookingForm, {**known_of(guest), **place.typed})
    typed = Typed(size=place.size)
    if kept:
        data = FormData()
        data.texts = {name: [text] for name, text in {**known_of(guest), **kept}.items()}
        form, typed = Bound[BookingForm](None, data), typed_of(data)
    wish = await _wish(services, ctx, subject, _with_purse(request, typed))
    own = await _own(request, services, ctx, subject)
    return _form_page(request, ctx, subject, wish, form, new_form_token(), own=own)


@post("/b/{slug:str}/{service_slug:str}/book", opt=PUBLIC)
async def send_booking(
    request: AnyRequest,
    service_slug: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Books and leads on to the payment page or the booking's own; `step=update` only works out
    the price for another size of the party or a coupon's code. Who has taken what they were offered
    by another form is led to its own page.
    """
    subject, data = subject_of(request, service_slug), await read_form(request)
    token, step = token_of(data), data.texts.get("step", [""])[-1]
    await look_who_books(request, services, ctx, is_offered=bool(subject.place), what=subject)
    if step == "sign-in":
        keep_typing(request, services, ctx, subject.id, data)
        here = quote(f"{request.scope['path']}?{subject.query}")
        return redirect(request, f"{portal_path(ctx)}/sign-in?next={here}")
    typed = _with_purse(request, typed_of(data))
    not_seen = under_own_address(request, data)
    if await _is_taken_by_another(services, ctx, subject, token):
        return redirect(request, f"/b/{ctx.here.slug}/waitlist/{subject.place}")
    slow_down = await _slow_down(request, services) if typed.code else None
    if slow_down:
        typed = msgspec.structs.replace(typed, code="")
    wish = await _wish(services, ctx, subject, typed)
    if slow_down:
        wish = msgspec.structs.replace(wish, takes_codes=True, code_error=slow_down)
    if nobody := nobody_comes(data):
        wish = msgspec.structs.replace(wish, size_error=nobody)
    if step == "update":
        own = await _own(request, services, ctx, subject)
        return _updated(request, ctx, subject, wish, data, token, own)
    if not slow_down and await _is_own_hold(services, ctx, wish, token):
        unspent = msgspec.structs.replace(wish.credits, error=None)
        wish = msgspec.structs.replace(
            wish, closed=None, size_error=None, code_error=None, credits=unspent, agreements=[]
        )
    bound = with_sentence(checked(bind(BookingForm, data), wish, ctx.here), not_seen)
    own = await _own(request, services, ctx, subject)
    if no_card := own.wallet.why_not(bound.value("way")):
        bound = bound.with_errors({"way": no_card})
    if bound.struct is None:
        status = 409 if wish.closed else 422
        return _form_page(request, ctx, subject, wish, bound, token, status, own=own)
    return await _place(request, services, ctx, subject, wish, bound, token)


async def _slow_down(request: AnyRequest, services: Services) -> str | None:
    """The sentence for who has tried too many codes."""
    try:
        await services.limiter.check(CODES_BY_ADDRESS, client_address(request.scope))
    except TooManyRequests as refusal:
        return refusal.message
    return None


async def _is_own_hold(services: Services, ctx: RequestContext, wish: Wish, token: str) -> bool:
    """Whether what looks sold out, used up, or not agreed to as it is now, is what this very form
    has booked before, and still has.
    """
    against = (wish.closed, wish.size_error, wish.code_error, wish.credits.error, wish.agreements)
    if not any(against):
        return False
    async with services.uow_factory(ctx.here.id) as uow:
        order = await find_order_by_form_token(uow, token)
    return order is not None and order.state in (OrderState.OPEN, OrderState.CONFIRMED)


async def _is_taken_by_another(
    services: Services, ctx: RequestContext, subject: Subject, token: str
) -> bool:
    """Whether what was offered was booked by another form than this, and still is."""
    taken_by = (await _place_of(services, ctx, subject)).taken_by
    if taken_by is None:
        return False
    async with services.uow_factory(ctx.here.id) as uow:
        own = await find_order_by_form_token(uow, token)
    return own is None or own.id != taken_by


async def _place(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    subject: Subject,
    wish: Wish,
    bound: Bound[BookingForm],
    token: str,
) -> Response[bytes]:
    form = cast("BookingForm", bound.struct)
    now, guest = services.clock.now(), found_guest(request)
    command = command_of(form, wish, subject.id, token, ctx.here, now, guest)
    if subject.slot is not None:
        command = at_slot(command, wish, subject.slot)
    offer_id = (await _place_of(services, ctx, subject)).offer_id
    signing = signing_of(request, form)
    command = msgspec.structs.replace(
        command, offer_id=offer_id, customer_id=proved_id(request), signing=signing
    )
    pay = pay_choice(guest, form.way, keeps=form.keep_card, tenant=ctx.here, now=now)
    try:
        await _limit(request, services, ctx, form.email)
        placed = await place_booking(services, ctx, command, pay=pay)
    except (NotFound, EstablishedOnly):
        raise
    except DomainError as refusal:
        if await _is_taken_by_another(services, ctx, subject, token):
            return redirect(request, f"/b/{ctx.here.slug}/waitlist/{subject.place}")
        return await _refused(request, services, ctx, subject, bound, token, refusal)
    if placed.payment_url is not None or pay.card_id is not None:
        remember_hold(request, placed.guest_path)
    return redirect(request, placed.payment_url or placed.guest_path)


async def _limit(request: AnyRequest, services: Services, ctx: RequestContext, email: str) -> None:
    """By sender everywhere, by address within the business. Raises: TooManyRequests."""
    limiter = services.limiter
    await limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
    await limiter.check(BOOKING_BY_EMAIL, f"{ctx.here.id}:{normalise_email(email)}")


async def _refused(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    subject: Subject,
    bound: Bound[BookingForm],
    token: str,
    refusal: DomainError,
) -> Response[bytes]:
    """The same form as typed, with the reason, beside the price and the seats as they are now."""
    form = cast("BookingForm", bound.struct)
    is_code = "coupon" in refusal.fields
    typed = Typed(
        size=form.size_of_party,
        tiers=form.tiers(),
        code="" if is_code else form.coupon,
        way=way_of(form.way),
        purse=Purse(lot_id=lot_of_way(form.way)),
        owner=form.name,
        names=form.party(),
    )
    wish = await _wish(services, ctx, subject, _with_purse(request, typed))
    if is_code:
        wish = msgspec.structs.replace(wish, takes_codes=True)
    told = _told(form, wish, ctx) if isinstance(refusal, PriceChanged) else ""
    if told:
        bound = bound.with_errors()
    elif isinstance(refusal, InvalidInput):
        bound = bound.refused(_at_the_form(refusal))
    elif wish.size_error:
        bound = bound.with_errors({"size": wish.size_error}, refusal.message)
    elif isinstance(refusal, CreditsGone) or refusal.code == "card_gone":
        bound = bound.with_errors({"way": refusal.message})
    else:
        bound = bound.with_errors(None, refusal.message)
    status = 409 if refusal.status == 402 else refusal.status
    own = await _own(request, services, ctx, subject)
    return _form_page(request, ctx, subject, wish, bound, token, status, own=own, told=told)


def _told(form: BookingForm, wish: Wish, ctx: RequestContext) -> str:
    code = wish.lines[-1][0] if wish.lines and form.coupon else ""
    shown = (form.quoted_minor, form.quoted_off_minor)
    now = (wish.money_minor, wish.code_off_minor)
    return code_told(code, shown, now, ctx.here.currency)


def _at_the_form(refusal: InvalidInput) -> InvalidInput:
    """What is wrong with the prices stands at how many come."""
    if "tiers" not in refusal.fields:
        return refusal
    return InvalidInput(refusal.message, fields={"size": refusal.fields["tiers"]})


def _updated(
    request: AnyRequest,
    ctx: RequestContext,
    subject: Subject,
    wish: Wish,
    data: FormData,
    token: str,
    own: "_Own",
) -> Response[bytes]:
    """What was typed, unjudged, with another price; and why credits that were chosen before cannot
    pay it any more.
    """
    if wish.credits.error:
        told = msgspec.structs.replace(wish.credits, note=wish.credits.error)
        wish = msgspec.structs.replace(wish, credits=told)
    errors = {"size": wish.size_error, "coupon": wish.code_error}
    found = {name: error for name, error in errors.items() if error}
    typed = Bound[BookingForm](None, data).with_errors(found)
    return _form_page(request, ctx, subject, wish, typed, token, own=own)


def _form_page(
    request: AnyRequest,
    ctx: RequestContext,
    subject: Subject,
    wish: Wish,
    form: Bound[BookingForm],
    token: str,
    status_code: int = 200,
    *,
    own: "_Own",
    told: str = "",
) -> Response[bytes]:
    tenant, now_words = ctx.here, code_words(wish.lines, wish.code_off_minor)
    held = own.held
    view = BookingFormView(
        wish=wish,
        form=form,
        form_token=token,
        action=f"{request.scope['path']}?{subject.query}&send=1",
        zone=tenant.zone,
        currency=tenant.currency,
        terms=tenant.booking_terms,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        held=held,
        is_held=any(subject.id in hold.what for hold in held),
        told=told,
        code_words=now_words,
        exchanged=exchanged(form.value("code_words"), now_words, typed=form.value("coupon")),
        guest=found_guest(request),
        own_people=own_people(request),
        has_place=has_place(request),
        me=portal_path(ctx),
        **own.wallet.fields(form.value("way"), wish.payment_mode, wish.ways),
    )
    return page(
        request,
        TEMPLATE,
        view,
        fragment=PARTY_FRAGMENT,
        status_code=status_code,
        headers=FORM_HEADERS,
    )


async def _place_of(services: Services, ctx: RequestContext, subject: Subject) -> OfferedPlace:
    return await offered_place(services, ctx, subject.kind, subject.id, subject.place)


class _Own(NamedTuple):
    """What the visitor has already: what this browser holds of the same, and their cards."""

    held: list[OwnHold]
    wallet: Wallet


async def _own(
    request: AnyRequest, services: Services, ctx: RequestContext, subject: Subject
) -> _Own:
    held = await own_holds(request, services, ctx, subject.service_slug, subject.stored_id)
    return _Own(held, await wallet_of(services, ctx, found_guest(request)))


def _with_purse(request: AnyRequest, typed: Typed) -> Typed:
    """Whose credits may be looked at: those of who is signed in, and of nobody else."""
    guest = found_guest(request)
    customer_id = guest.customer_id if guest is not None else None
    purse = msgspec.structs.replace(typed.purse, customer_id=customer_id)
    return msgspec.structs.replace(typed, purse=purse)


async def _wish(services: Services, ctx: RequestContext, subject: Subject, typed: Typed) -> Wish:
    where = (subject.kind, subject.id, subject.service_slug)
    place = await _place_of(services, ctx, subject)
    async with services.uow_factory(ctx.here.id) as uow:
        try:
            wish = await get_wish(
                uow,
                ctx.here,
                *where,
                typed,
                place.held,
                slot=subject.slot,
                admits=await is_offered_to(uow, place.offer_id),
            )
        except NotFound as refusal:
            raise await not_offered(uow, ctx.here, subject.service_slug) from refusal
    if place.until_at is None:
        return wish
    return msgspec.structs.replace(wish, offered_places=place.size, offered_until_at=place.until_at)


route_handlers: list[Any] = [booking_form, send_booking]
