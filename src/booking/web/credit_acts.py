"""What staff do with a customer's credits, each act on its own page with what follows first."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.credit_acts import (
    CREDITS_CHANGED,
    ChangeNumber,
    add_credits,
    change_end,
    remove_credits,
    roll_over,
)
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.domain.credit_acts import number_error
from src.billing.domain.credits import MOST_CREDITS
from src.booking.queries.credits import get_lot_view
from src.booking.views.credits import LotView
from src.booking.web.amounts import read_amount, show_amount
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, current_locale, ngettext
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.money import Money, format_money
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_CARE = [requires_member(Role.MANAGER)]
ROLLED_OVER_DAYS = 30
ACT = "/app/{slug:str}/credits/{lot_id:uuid}/{act:str}"

AnyRequest = Request[Any, Any, Any]


class ActForm(msgspec.Struct, kw_only=True):
    """What any of the acts asks for. `token` makes two presses one, `seen` is what was shown as
    left, or as lost at the end. Without a last day credits never end.
    """

    token: UUID
    seen: int | None = None
    number: int | None = None
    amount: Annotated[str, Meta(max_length=30)] = ""
    ends_on: date | None = None
    reason: Annotated[str, Meta(max_length=2000)] = ""


class ActView(msgspec.Struct, frozen=True, kw_only=True):
    """One act before it is done. `today` is the earliest day an end can move to."""

    lot: LotView
    act: str
    form: Any
    base: str
    here: str
    zone: str
    currency: str
    today: str


Carry = Callable[[UnitOfWork, RequestContext, UUID, ActForm], Awaitable[str]]


async def _add(uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, form: ActForm) -> str:
    await add_credits(uow, ctx, _change(lot_id, form))
    return ngettext("%(num)s credit is added.", "%(num)s credits are added.", form.number or 0)


async def _remove(uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, form: ActForm) -> str:
    await remove_credits(uow, ctx, _change(lot_id, form))
    return ngettext("%(num)s credit is gone.", "%(num)s credits are gone.", form.number or 0)


async def _end(uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, form: ActForm) -> str:
    done = await change_end(uow, ctx, lot_id, form.ends_on, form.reason, form.token, seen=form.seen)
    if done is None:
        return _("They end then already; nothing was changed.")
    return _("The new end is saved, and the customer is told.")


async def _roll(uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, form: ActForm) -> str:
    await roll_over(uow, ctx, lot_id, form.ends_on, form.reason, seen=form.seen)
    return _("The customer has them again, as new credits.")


async def _refund(uow: UnitOfWork, ctx: RequestContext, lot_id: UUID, form: ActForm) -> str:
    currency = ctx.here.currency
    cmd = RefundCredits(
        lot_id=lot_id,
        amount_minor=read_amount(form.amount, currency, "amount"),
        seen=form.seen or 0,
        reason=form.reason,
        token=form.token,
    )
    done = await refund_credits(uow, ctx, cmd)
    if done is None:
        return _("That was asked for before; nothing was done twice.")
    by_hand = format_money(Money(done.by_hand_minor, currency), current_locale())
    if done.by_hand_minor == done.amount_minor:
        return _("The credits are gone. Please give back %(amount)s by hand.", amount=by_hand)
    other = Money(done.amount_minor - done.by_hand_minor, currency)
    amount = format_money(other, current_locale())
    said = _("The credits are gone, and %(amount)s is on its way back.", amount=amount)
    if not done.by_hand_minor:
        return said
    return " ".join((said, _("Please give back another %(amount)s by hand.", amount=by_hand)))


def _change(lot_id: UUID, form: ActForm) -> ChangeNumber:
    return ChangeNumber(
        lot_id=lot_id, number=form.number or 0, reason=form.reason, token=form.token, seen=form.seen
    )


ACTS: dict[str, Carry] = {
    "add": _add,
    "remove": _remove,
    "end": _end,
    "roll-over": _roll,
    "refund": _refund,
}


@get(ACT, guards=MAY_CARE, include_in_schema=False)
async def ask_act(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    lot_id: FromPath[UUID],
    act: FromPath[str],
) -> Response[bytes]:
    """What follows, before it is done. Raises: NotFound for an act that there is none."""
    _carry(act)
    async with services.uow_factory(ctx.here.id) as uow:
        lot = await get_lot_view(uow, lot_id)
    if not _is_open(act, lot):
        flash(request, "warning", _why_not(act, lot))
        return redirect(request, f"/app/{ctx.here.slug}/credits/{lot_id}")
    initial = {
        "token": new_id(),
        "seen": lot.kept,
        "number": 1,
        "amount": show_amount(lot.worth_minor, lot.currency),
        "ends_on": _first_end(act, lot, ctx, services.clock.now()),
    }
    return _page(request, services, ctx, lot, act, blank(ActForm, initial))


@post(ACT, guards=MAY_CARE, status_code=200, include_in_schema=False)
async def do_act(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    lot_id: FromPath[UUID],
    act: FromPath[str],
) -> Response[bytes]:
    carry = _carry(act)
    async with services.uow_factory(ctx.here.id) as uow:
        lot = await get_lot_view(uow, lot_id)
    bound = _in_words(bind(ActForm, await read_form(request)), act, lot)
    if bound.struct is None:
        return _page(request, services, ctx, lot, act, bound, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            said = await carry(uow, ctx, lot_id, bound.struct)
    except InvalidInput as refused:
        return _page(request, services, ctx, lot, act, bound.refused(refused), status_code=422)
    except Conflict as refused:
        if refused.code == CREDITS_CHANGED:
            return await _changed(request, services, ctx, lot_id, act, bound, refused)
        flash(request, "warning", refused.message)
    else:
        flash(request, "success", said)
    return redirect(request, f"/app/{ctx.here.slug}/credits/{lot_id}")


async def _changed(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    lot_id: UUID,
    act: str,
    bound: Bound[ActForm],
    refused: Conflict,
) -> Response[bytes]:
    """What was typed, on top of what is left by now: to send it again is a decision."""
    async with services.uow_factory(ctx.here.id) as uow:
        lot = await get_lot_view(uow, lot_id)
    if not _is_open(act, lot):
        flash(request, "warning", refused.message)
        return redirect(request, f"/app/{ctx.here.slug}/credits/{lot_id}")
    again = bound.filled_with({"seen": lot.kept}).with_errors(None, refused.message)
    return _page(request, services, ctx, lot, act, again, status_code=422)


def _carry(act: str) -> Carry:
    """Raises: NotFound."""
    if act not in ACTS:
        raise NotFound(_("There is nothing here."))
    return ACTS[act]


def _in_words(bound: Bound[ActForm], act: str, lot: LotView) -> Bound[ActForm]:
    """What is no number, or more than one can hold, is refused as a wrong number is."""
    if bound.error("number") is None:
        return bound
    most = lot.row.left if act == "remove" else MOST_CREDITS
    return bound.with_errors({"number": number_error(0, most=most) or ""})


def _is_open(act: str, lot: LotView) -> bool:
    """Whether there is anything to ask; a page that was open longer gets its sentence instead."""
    if not lot.may_change:
        return False
    return {
        "add": not lot.has_ended and not lot.is_refunded,
        "remove": lot.row.left > 0 and not lot.has_ended,
        "end": True,
        "roll-over": lot.may_roll_over,
        "refund": lot.worth_minor > 0,
    }[act]


def _why_not(act: str, lot: LotView) -> str:
    """Why there is nothing to ask, for whoever comes by an address or a page of before."""
    if lot.is_of_nobody:
        return _("Their customer was erased, so nobody can use these credits any more.")
    if not lot.may_change:
        return _("Nobody has paid for these credits, so there is nothing to change.")
    if act == "roll-over":
        if lot.rolled_to_id is not None:
            return _("They are rolled over already.")
        return _("Only credits that have expired can be rolled over.")
    if lot.is_refunded:
        return _("These credits were refunded. Give the customer new ones instead.")
    if lot.has_ended:
        return _("These credits have ended. Extend them first.")
    if not lot.row.left:
        return _("Nothing is left of these credits.")
    if lot.is_disputed:
        return _(
            "The guest's bank has this payment because of a dispute, so it cannot be refunded."
        )
    return _("Nothing that was paid for these credits is left to give back.")


def _first_end(act: str, lot: LotView, ctx: RequestContext, now: datetime) -> date | None:
    """What the form suggests: the end they have, or for what is rolled over as long again."""
    ends_at = lot.row.expires_at
    if act == "roll-over":
        days = lot.validity_days or ROLLED_OVER_DAYS
        return to_local(now, ctx.here.zone).date() + timedelta(days=days)
    if ends_at is None:
        return None
    return max(to_local(ends_at, ctx.here.zone).date(), to_local(now, ctx.here.zone).date())


def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    lot: LotView,
    act: str,
    form: Bound[ActForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    view = ActView(
        lot=lot,
        act=act,
        form=form,
        base=f"/app/{ctx.here.slug}",
        here=f"/app/{ctx.here.slug}/credits/{lot.row.id}",
        zone=ctx.here.timezone,
        currency=lot.currency,
        today=to_local(services.clock.now(), ctx.here.zone).date().isoformat(),
    )
    return page(request, "booking/credits/act.html", view, status_code=status_code)


route_handlers = [ask_act, do_act]
