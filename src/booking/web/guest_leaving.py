"""A guest who cannot come: one date or a whole course, consequences first, then one press."""

from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.owed import get_owed_minor
from src.booking.commands.leave import Promised, leave_course, leave_dates
from src.booking.commands.leave_money import CameBack
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.credit_words import credit_lines, credits_are_lost
from src.booking.guest_links import open_link
from src.booking.money_words import in_all_due
from src.booking.queries.credits_back import count_credits_lost, find_credits_given
from src.booking.queries.guest_leaving import get_leaving_page, get_left_late_minor
from src.booking.views.leaving import LeavingPage
from src.booking.web.guest_page import PRIVATE, PUBLIC
from src.booking.web.hub import uuid_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ratelimit import BOOKING_BY_ADDRESS, Limit
from src.platform.services import Services
from src.platform.web.formats import money
from src.platform.web.forms import FormData, read_form
from src.platform.web.pages import flash, page, redirect
from src.platform.web.security import client_address
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

TEMPLATE = "booking/guest/leave.html"
LEAVING_BY_ORDER = Limit("leaving", 60, 10 * 60)


class _Left(NamedTuple):
    """What comes back the way it was paid, what by the business's own hand, and what of a price to
    be paid on site stays due; `owed_minor` is to be paid there for all that was booked. Of what
    comes back, `on_voucher_minor` is on the voucher that had paid. So many credits are `lost`.
    """

    back_minor: int
    by_hand_minor: int
    stays_due_minor: int
    owed_minor: int
    credits: list[str]
    lost: int
    on_voucher_minor: int


@get("/b/{slug:str}/bookings/{token:str}/leave", opt=PUBLIC)
async def show_leaving(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What leaving `?date=` would mean, or without it the whole course; nothing is done. With
    `ticked` it is asked for those of the party that are named as `seat`.
    """
    order_id = await open_link(services, ctx, token)
    view = await _view(request, services, ctx, order_id, _ticked(request))
    return page(request, TEMPLATE, view, headers=PRIVATE)


@post("/b/{slug:str}/bookings/{token:str}/leave", opt=PUBLIC, status_code=200)
async def send_leaving(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Leaves the ticked places; pressed again it changes nothing."""
    order_id = await open_link(services, ctx, token)
    await limit_guest(request, services, order_id)
    promised = read_promised(await read_form(request))
    try:
        left = await _leave(request, services, ctx, order_id, promised)
    except (Conflict, InvalidInput) as refusal:
        view = await _view(request, services, ctx, order_id)
        shown = msgspec.structs.replace(view, refusal=refusal.message)
        return page(request, TEMPLATE, shown, status_code=refusal.status, headers=PRIVATE)
    flash(request, "success", _said(ctx, left))
    return redirect(request, request.scope["path"].removesuffix("/leave"))


@post(
    "/b/{slug:str}/bookings/{token:str}/ask-to-leave",
    opt=PUBLIC,
    status_code=200,
    shown_at="/b/{slug}/bookings/{token}/leave",
)
async def send_request(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Asks the business to let the guest leave the course; pressed again it asks once."""
    order_id = await open_link(services, ctx, token)
    await limit_guest(request, services, order_id)
    reason = (await read_form(request)).texts.get("reason", [""])[-1]
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await ask_to_leave(uow, order_id, reason)
    except (Conflict, InvalidInput) as refusal:
        async with services.uow_factory(ctx.here.id) as uow:
            view = await get_leaving_page(uow, ctx.here, services.settings, order_id, None)
        shown = msgspec.structs.replace(view, refusal=refusal.message, reason=reason)
        return page(request, TEMPLATE, shown, status_code=refusal.status, headers=PRIVATE)
    flash(request, "success", _("The business has your request and answers by mail."))
    return redirect(request, request.scope["path"].removesuffix("/ask-to-leave"))


async def limit_guest(request: AnyRequest, services: Services, order_id: UUID) -> None:
    """By sender everywhere, and by booking. Raises: TooManyRequests."""
    await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
    await services.limiter.check(LEAVING_BY_ORDER, str(order_id))


def read_promised(data: FormData) -> Promised:
    """What was ticked, with what the guest was told comes back. Raises: NotFound for nonsense."""
    seats: dict[UUID, int] = {}
    credited: set[UUID] = set()
    for value in data.texts.get("seat", []):
        typed, _colon, rest = value.partition(":")
        minor, _colon, credit = rest.partition(":")
        seat_id = uuid_of(typed)
        if seat_id is None:
            raise NotFound(_("There is no such booking."))
        seats[seat_id] = _minor(minor)
        if credit:
            credited.add(seat_id)
    most, fee = (_minor(data.texts.get(name, ["0"])[-1]) for name in ("most", "fee"))
    return Promised(seats, most, frozenset(credited), fee)


def _minor(typed: str) -> int:
    if not (typed.isascii() and typed.isdigit() and len(typed) < 12):
        raise NotFound(_("There is no such booking."))
    return int(typed)


async def _leave(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    promised: Promised,
) -> _Left:
    async with services.uow_factory(ctx.here.id) as uow:
        late_minor = await get_left_late_minor(uow, order_id)
        came = await _leave_in(uow, request, ctx, order_id, promised)
        given = await find_credits_given(uow, promised.by_seat)
        return _Left(
            back_minor=came.back_minor,
            by_hand_minor=came.by_hand_minor,
            stays_due_minor=await get_left_late_minor(uow, order_id) - late_minor,
            owed_minor=await get_owed_minor(uow, order_id),
            credits=credit_lines(list(given.values()), ctx.here.zone),
            lost=await count_credits_lost(uow, promised.by_seat),
            on_voucher_minor=came.on_voucher_minor,
        )


async def _leave_in(
    uow: UnitOfWork, request: AnyRequest, ctx: RequestContext, order_id: UUID, promised: Promised
) -> CameBack:
    if "date" not in request.query_params:
        return await leave_course(uow, ctx.here, order_id, promised)
    if not promised.by_seat:
        raise InvalidInput(_("Please say who cannot come."))
    seat_ids = list(promised.by_seat)
    return await leave_dates(
        uow, ctx.here, order_id, seat_ids, promised, session_id=_asked_date(request)
    )


def _said(ctx: RequestContext, left: _Left) -> str:
    currency = ctx.here.currency
    if left.credits or left.lost:
        some = bool(left.credits)
        lost = [credits_are_lost(left.lost, others_come_back=some)] if left.lost else []
        return " ".join([_("It is cancelled."), *left.credits, *lost])
    if left.back_minor:
        amount = money(left.back_minor, currency)
        if left.on_voucher_minor >= left.back_minor:
            return _("It is cancelled. %(amount)s is on your voucher again.", amount=amount)
        if left.on_voucher_minor:
            return _(
                "It is cancelled. %(on_voucher)s is on your voucher again, and %(rest)s is on its"
                " way back to you.",
                on_voucher=money(left.on_voucher_minor, currency),
                rest=money(left.back_minor - left.on_voucher_minor, currency),
            )
        return _("It is cancelled. %(amount)s is on its way back to you.", amount=amount)
    if left.by_hand_minor:
        amount = money(left.by_hand_minor, currency)
        return _("It is cancelled. The business gives you %(amount)s back.", amount=amount)
    said = _("It is cancelled. A mail says so, too.")
    if left.stays_due_minor:
        amount = money(left.stays_due_minor, currency)
        said = _("It is cancelled. %(amount)s stays due.", amount=amount)
    if left.owed_minor in (0, left.stays_due_minor):
        return said
    return f"{said} {in_all_due(money(left.owed_minor, currency))}"


def _asked_date(request: AnyRequest) -> UUID | None:
    """The date in the address, None for the whole course. Raises: NotFound for what is none."""
    typed = request.query_params.get("date")
    session_id = None if typed is None else uuid_of(typed)
    if typed is not None and session_id is None:
        raise NotFound(_("There is no such date in this booking."))
    return session_id


def _ticked(request: AnyRequest) -> set[UUID] | None:
    """Whom the guest has ticked on the page of one date."""
    query = request.query_params
    if "ticked" not in query or "date" not in query:
        return None
    named = [uuid_of(value.partition(":")[0]) for value in query.getall("seat", [])]
    return {seat_id for seat_id in named if seat_id is not None}


async def _view(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    ticked: set[UUID] | None = None,
) -> LeavingPage:
    session_id = _asked_date(request)
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_leaving_page(
            uow, ctx.here, services.settings, order_id, session_id, ticked
        )


route_handlers: list[Any] = [show_leaving, send_leaving, send_request]
