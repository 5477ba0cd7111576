"""/app/<slug>/orders/<id>/transfer: the bank transfer that an order waits for, matched by hand."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.orders import get_order
from src.billing.commands.transfers import (
    Outcome,
    Received,
    TransferReceived,
    extend_transfer,
    mark_transfer_received,
)
from src.billing.domain.kinds import OrderEnd, OrderState, PaymentMode, order_end
from src.billing.lines import first_start_of, handlers_of
from src.billing.models import Order
from src.billing.processor import ProcessorError
from src.billing.queries.never_paid import find_comeback
from src.billing.queries.transfers import (
    due_on_of,
    get_noted_minor,
    get_paid_by_voucher_minor,
    get_received_minor,
    list_mistakable,
)
from src.billing.queries.what_was_bought import what_was_bought
from src.billing.settlement import give_up_order, released_by
from src.billing.standing import get_is_all_cancelled
from src.billing.views.transfers import TransferPage
from src.billing.web.amounts import plain_amount, read_amount
from src.billing.words import not_had_words, who_ended_it
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.money import Money, format_money
from src.platform.services import Services
from src.platform.web.flash import Level
from src.platform.web.formats import day_medium
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_MATCH = [requires_member(Role.MANAGER)]
PATH = "/app/{slug:str}/orders/{order_id:uuid}/transfer"
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


class ReceivedForm(msgspec.Struct):
    """What is on the account; `token` makes two presses one, `seen` is what was noted of transfers
    when the form was shown.
    """

    amount: Annotated[str, Meta(max_length=30)]
    arrived_on: date
    token: UUID
    seen: int | None = None


class LaterForm(msgspec.Struct):
    """Until when the money is waited for instead."""

    due_on: date


@get(PATH, guards=MAY_MATCH, include_in_schema=False)
async def show_transfer(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    """An order that is paid in another way has none, and leads to itself."""
    return await _shown(request, services, ctx, order_id)


@post(f"{PATH}/received", guards=MAY_MATCH, status_code=200, include_in_schema=False, shown_at=PATH)
async def receive_transfer(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(ReceivedForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, order_id, received=bound)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            order = await get_order(uow, order_id)
            currency = order.currency
            cmd = TransferReceived(
                order_id=order_id,
                amount_minor=read_amount(form.amount, currency, "amount"),
                arrived_on=form.arrived_on,
                token=form.token,
                seen_minor=form.seen,
            )
            received = await mark_transfer_received(uow, ctx, cmd)
            end = order_end(order.state, order.closed_why)
    except InvalidInput as refusal:
        return await _shown(request, services, ctx, order_id, received=bound.refused(refusal))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        flash(request, *_said(received, currency, end))
    return _to_order(request, ctx, order_id)


@post(f"{PATH}/due", guards=MAY_MATCH, status_code=200, include_in_schema=False, shown_at=PATH)
async def wait_longer(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(LaterForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, order_id, later=bound)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await extend_transfer(uow, ctx, order_id, form.due_on)
    except InvalidInput as refusal:
        return await _shown(request, services, ctx, order_id, later=bound.refused(refusal))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        day = day_medium(form.due_on)
        flash(request, "success", _("The transfer is waited for until %(day)s.", day=day))
    return _to_order(request, ctx, order_id)


@post(f"{PATH}/release", guards=MAY_MATCH, status_code=200, include_in_schema=False)
async def release_transfer(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
    if order.payment_mode != PaymentMode.TRANSFER:
        return _to_order(request, ctx, order_id)
    was_open = order.state == OrderState.OPEN
    try:
        state = await give_up_order(services, ctx.here.id, order_id, released_by(ctx))
    except ProcessorError:
        state = OrderState.OPEN
    if was_open and state == OrderState.CANCELLED:
        flash(request, "success", _("The transfer is not waited for any more."))
    else:
        flash(request, "info", _("No bank transfer is waited for any more."))
    return _to_order(request, ctx, order_id)


def _said(received: Received, currency: str, end: OrderEnd) -> tuple[Level, str]:
    why = "" if received.why is None else not_had_words(received.why, end)
    amount = format_money(Money(received.minor, currency), current_locale())
    match received.outcome:
        case Outcome.CONFIRMED:
            return "success", _("The money has come, and the order is confirmed.")
        case Outcome.BROUGHT_BACK:
            return "success", _("The money has come, and the package is there again.")
        case Outcome.PARTIAL:
            return "info", _("Noted. %(amount)s is still missing.", amount=amount)
        case Outcome.TOO_MUCH:
            return "warning", _(
                "The order is confirmed. %(amount)s is too much; please send it back.",
                amount=amount,
            )
        case Outcome.TO_HAND_BACK:
            return "warning", _(
                "Nothing can be had with it any more. %(why)s Please send back %(amount)s.",
                why=why,
                amount=amount,
            )
        case Outcome.PAID_ALREADY if why:
            return "warning", _(
                "%(why)s Please send back %(amount)s that came now.", why=why, amount=amount
            )
        case Outcome.PAID_ALREADY:
            return "warning", _(
                "The order was paid already. Please send back %(amount)s.", amount=amount
            )
        case Outcome.KNOWN:
            return "info", _("This transfer was noted before.")
        case Outcome.TAKEN_OFF:
            return "warning", _(
                "This form noted its transfer before, which was taken off as a mistake. Nothing was"
                " noted now. If the money has come after all, note it on a page that you open anew."
            )


def _ended(order: Order) -> str:
    """Why nothing can be had with what comes now; empty where something may be."""
    if order.state != OrderState.CANCELLED:
        return ""
    return who_ended_it(order_end(order.state, order.closed_why))


async def _on_order_minor(uow: UnitOfWork, order: Order) -> int:
    """What of a voucher is kept for the order, or was paid with it and has not gone back."""
    if order.state == OrderState.OPEN:
        return order.voucher_minor
    return await get_paid_by_voucher_minor(uow, order.id)


def _to_order(request: AnyRequest, ctx: RequestContext, order_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")


async def _shown(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    *,
    received: Bound[ReceivedForm] | None = None,
    later: Bound[LaterForm] | None = None,
) -> Response[bytes]:
    zone = ctx.here.zone
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
        if order.payment_mode != PaymentMode.TRANSFER:
            return _to_order(request, ctx, order_id)
        came_minor = await get_received_minor(uow, order_id)
        noted_minor = await get_noted_minor(uow, order_id)
        mistakable = await list_mistakable(uow, order_id)
        starts_at = await first_start_of(uow, order)
        what = await what_was_bought(uow, order, zone)
        kinds = await handlers_of(uow, order)
        is_all_gone = await get_is_all_cancelled(uow, order_id)
        on_order_minor = await _on_order_minor(uow, order)
        comeback = await find_comeback(uow, order)
    today, due_on = to_local(services.clock.now(), zone).date(), due_on_of(order, zone)
    left_minor = max(order.to_pay_minor - came_minor, 0) or order.to_pay_minor
    view = TransferPage(
        slug=ctx.here.slug,
        zone=ctx.here.timezone,
        order_id=order_id,
        reference=order.reference,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        what=what,
        state=order.state,
        currency=order.currency,
        total_minor=order.total_minor,
        voucher_minor=order.voucher_minor,
        on_voucher_minor=order.voucher_minor - on_order_minor,
        received_minor=came_minor,
        noted_minor=noted_minor,
        may_be_mistaken=bool(mistakable),
        is_all_cancelled=is_all_gone,
        comeback=comeback,
        ended=_ended(order),
        due_on=due_on,
        holds_places=not kinds or any(kind.holds_places for kind in kinds),
        starts_at=starts_at,
        created_at=order.created_at,
        received=received or _first(plain_amount(left_minor, order.currency), today),
        later=later or blank(LaterForm, {"due_on": _later(due_on or today, starts_at, zone)}),
    )
    if received is None and view.is_in_vain:
        view = msgspec.structs.replace(view, received=_first("", today))
    is_refused = received is not None or later is not None
    status = REFUSED if is_refused else 200
    return page(request, "billing/transfer.html", view, status_code=status)


def _first(amount: str, today: date) -> Bound[ReceivedForm]:
    """The form as it is shown first. No sum is proposed where none is waited for: one press would
    note it, and tell its guest that it goes back.
    """
    return blank(ReceivedForm, {"amount": amount, "arrived_on": today, "token": new_id()})


def _later(due_on: date, starts_at: datetime | None, zone: ZoneInfo) -> date:
    """A few days more, as far as that is before the first date."""
    wanted = due_on + timedelta(days=3)
    if starts_at is None:
        return wanted
    return max(min(wanted, to_local(starts_at, zone).date() - timedelta(days=1)), due_on)


route_handlers: list[Any] = [show_transfer, receive_transfer, wait_longer, release_transfer]
