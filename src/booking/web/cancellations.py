"""Cancelling a session or a purchase: consequences first, then progress with a way back."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.fee_words import FeeWords, fee_words
from src.billing.queries.fees import list_fees_of_order
from src.billing.views.fees import FeeRow
from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.commands.sessions import get_session
from src.booking.domain.kinds import DateScope
from src.booking.models import Seat
from src.booking.queries.being_cancelled import list_going
from src.booking.queries.born_credits import BornCredit, list_born_credits, worths_by_order
from src.booking.queries.buyers import get_booking_detail
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.cancellations import (
    find_live_cancellation,
    toll_of_purchase,
    toll_of_session,
)
from src.booking.queries.leave_requests import find_open_request
from src.booking.queries.lost import list_lost_dates
from src.booking.queries.price_without import list_prices_without
from src.booking.queries.purchases import left_of_purchase
from src.booking.queries.reached import count_others
from src.booking.queries.seat_answers import get_guest_may
from src.booking.queries.sessions import get_session_detail
from src.booking.queries.sold_terms import list_packages_to_give
from src.booking.views.cancellations import Going, LostDate
from src.booking.views.leaving import LeaveAsked
from src.booking.views.returns import MoneyAsked
from src.booking.views.seat_answers import GuestMay
from src.booking.views.series import BookingDetail
from src.booking.views.sessions import SessionDetail
from src.booking.web.cancellation_money import CancelForm, money_asked, money_wanted
from src.booking.web.price_without_words import price_facts
from src.booking.web.sold_words import Word, booking_words, payment_words, seat_words
from src.booking.web.toll_words import Fact, cancelled_people, lost_hold_people, toll_facts
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_CANCEL = [requires_member(Role.MANAGER)]
POST_OPTIONS: dict[str, Any] = {
    "guards": MAY_CANCEL,
    "status_code": 200,
    "include_in_schema": False,
}

AnyRequest = Request[Any, Any, Any]


class CancelSessionView(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling the session would do; `why_not` when it cannot be cancelled any more, `going`
    while places of it are being cancelled. `following` are the dates after it that could be
    cancelled with it.
    """

    form: Any
    session: SessionDetail
    facts: list[Fact]
    people: list[Fact]
    more: int
    money: MoneyAsked | None
    why_not: str | None
    going: list[Going]
    following: int
    base: str
    zone: str
    undo_seconds: int


class CancelPurchaseView(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling the purchase would do; `why_not` when no seat is left to cancel, `going`
    while some are being cancelled already. `asked` is what its guest wrote who asks to leave.
    """

    form: Any
    booking: BookingDetail
    asked: LeaveAsked | None
    facts: list[Fact]
    people: list[Fact]
    dates: list[LostDate]
    born: list[BornCredit] = []
    money: MoneyAsked | None
    why_not: str | None
    going: list[Going]
    base: str
    zone: str
    undo_seconds: int


class BookingView(msgspec.Struct, frozen=True, kw_only=True):
    """One booking; `words` are those of its payment, `states` of it, `seat_states` of its seats.
    `fees` come on top of its own sums. `token` makes two presses of sending a link one.
    """

    booking: BookingDetail
    fees: list[FeeRow]
    fee_words: FeeWords
    token: UUID
    guest_may: GuestMay
    base: str
    zone: str
    words: dict[str, str]
    states: dict[str, Word]
    seat_states: dict[str, Word]


@get("/app/{slug:str}/bookings/{booking_id:uuid}", guards=MAY_CANCEL, include_in_schema=False)
async def show_booking(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        booking = await get_booking_detail(uow, booking_id, services.clock.now())
        guest_may = await get_guest_may(uow, ctx.here, booking.order_id)
        fees = await list_fees_of_order(uow, booking.order_id)
    view = BookingView(
        booking=booking,
        fees=fees,
        fee_words=fee_words(),
        token=new_id(),
        guest_may=guest_may,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        words=payment_words(),
        states=booking_words(),
        seat_states=seat_words(),
    )
    return page(request, "booking/bookings/show.html", view)


@get(
    "/app/{slug:str}/sessions/{session_id:uuid}/cancel",
    guards=MAY_CANCEL,
    include_in_schema=False,
)
async def ask_cancel_session(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    return await _ask_session(request, services, ctx, session_id, blank(CancelForm))


@post("/app/{slug:str}/sessions/{session_id:uuid}/cancel", **POST_OPTIONS)
async def do_cancel_session(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async def ask_again(form: Bound[CancelForm]) -> Response[bytes]:
        return await _ask_session(request, services, ctx, session_id, form, status_code=422)

    return await cancel(request, services, ctx, cancel_session, session_id, ask_again)


@get(
    "/app/{slug:str}/bookings/{booking_id:uuid}/cancel",
    guards=MAY_CANCEL,
    include_in_schema=False,
)
async def ask_cancel_purchase(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    form = blank(CancelForm, {"revoke": True})
    return await _ask_purchase(request, services, ctx, booking_id, form)


@post("/app/{slug:str}/bookings/{booking_id:uuid}/cancel", **POST_OPTIONS)
async def do_cancel_purchase(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    booking_id: FromPath[UUID],
) -> Response[bytes]:
    async def ask_again(form: Bound[CancelForm]) -> Response[bytes]:
        return await _ask_purchase(request, services, ctx, booking_id, form, status_code=422)

    return await cancel(request, services, ctx, cancel_purchase, booking_id, ask_again)


async def _ask_session(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    form: Bound[CancelForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
        toll = await toll_of_session(uow, session_id)
        which = [Seat.session_id == session_id]
        able = await list_returnable(uow, ctx.here, which)
        packages = await list_packages_to_give(uow)
        going = await list_going(uow, which)
        prices = await list_prices_without(uow, ctx.here, [session_id])
        this = await get_session(uow, session_id)
        following = await count_others(uow, this, DateScope.FOLLOWING, ctx.here.zone)
    if session.waiting_cancellation is not None:
        return to_progress(request, ctx, session.waiting_cancellation)
    view = CancelSessionView(
        form=form,
        session=session,
        facts=toll_facts(toll, ctx.here.currency, chooses=bool(able))
        + price_facts(prices, ctx.here.currency),
        people=cancelled_people(toll, ctx.here.currency, ctx.here.zone),
        more=toll.more,
        money=money_asked(able, ctx.here.currency, ctx.here.zone, packages),
        why_not=_why_session_stays(session, services.clock.now()),
        going=going,
        following=following,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        undo_seconds=services.settings.undo_window_seconds,
    )
    return page(request, "booking/cancellations/session.html", view, status_code=status_code)


async def _ask_purchase(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    booking_id: UUID,
    form: Bound[CancelForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        booking = await get_booking_detail(uow, booking_id, now)
        toll = await toll_of_purchase(uow, booking_id, now)
        dates = await list_lost_dates(uow, booking_id, now)
        which = left_of_purchase(booking_id, now)
        born = await list_born_credits(uow, booking_id)
        more = worths_by_order(born) if form.checked("revoke") else {}
        able = await list_returnable(uow, ctx.here, which, more)
        packages = await list_packages_to_give(uow)
        asked = await find_open_request(uow, booking_id)
        going = await list_going(uow, which)
    if booking.cancellation_id is not None:
        return to_progress(request, ctx, booking.cancellation_id)
    nothing = _("No seat of this booking is still to come, so there is nothing to cancel.")
    view = CancelPurchaseView(
        form=form,
        booking=booking,
        asked=asked,
        facts=toll_facts(toll, booking.currency, chooses=bool(able)),
        people=lost_hold_people(toll, ctx.here.zone),
        dates=dates,
        born=born,
        money=money_asked(able, booking.currency, ctx.here.zone, packages),
        why_not=None if toll.seats or toll.in_checkout else nothing,
        going=going,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        undo_seconds=services.settings.undo_window_seconds,
    )
    return page(request, "booking/cancellations/purchase.html", view, status_code=status_code)


async def cancel(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    command: Callable[..., Awaitable[UUID]],
    subject_id: UUID,
    ask_again: Callable[[Bound[CancelForm]], Awaitable[Response[bytes]]],
) -> Response[bytes]:
    """Asks for it and shows its progress; a second press shows that of the first."""
    bound = bind(CancelForm, await read_form(request))
    form, seconds = bound.struct, services.settings.undo_window_seconds
    if form is None:
        return await ask_again(bound)
    try:
        wanted = money_wanted(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            made = await command(
                uow, ctx, subject_id, reason=form.reason, undo_seconds=seconds, money=wanted
            )
    except InvalidInput as refused:
        return await ask_again(bound.refused(refused))
    except Conflict as refused:
        async with services.uow_factory(ctx.here.id) as uow:
            live = await find_live_cancellation(uow, subject_id)
        if live is None:
            flash(request, "warning", refused.message)
            return redirect(request, request.url.path)
        made = live
    return to_progress(request, ctx, made)


def to_progress(request: AnyRequest, ctx: RequestContext, cancellation_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/cancellations/{cancellation_id}")


def _why_session_stays(session: SessionDetail, now: datetime) -> str | None:
    if session.state != "scheduled":
        return _("This session is cancelled already.")
    if session.ends_at <= now:
        return _("This session is over; it stays as history.")
    return None


route_handlers: list[Any] = [
    show_booking,
    ask_cancel_session,
    do_cancel_session,
    ask_cancel_purchase,
    do_cancel_purchase,
]
