"""Fees: the business's list, forgiving one or taking it on site, and the page where it is paid."""

from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta

from src.billing.checkout import ensure_payment_page
from src.billing.commands.fees import (
    LONGEST_REASON,
    begin_fee_payment,
    forgive_fee,
    take_fee_on_site,
)
from src.billing.domain.kinds import FeeState
from src.billing.fee_links import open_fee_link
from src.billing.fee_words import FeeWords, fee_reason, fee_words
from src.billing.models import Fee
from src.billing.queries.fees import FeeFilter, get_fee_page, list_fees
from src.billing.settlement import check_payment
from src.billing.views.fees import FeePage, FeesPage
from src.platform.errors import Conflict, Gone, InvalidInput, TooManyRequests, Unavailable
from src.platform.i18n import _, current_locale
from src.platform.money import format_money
from src.platform.ratelimit import BOOKING_BY_ADDRESS, Limit
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.platform.web.security import client_address
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

AnyRequest = Request[Any, Any, Any]
MAY_SEE = [requires_member(Role.MANAGER)]
LIST = "/app/{slug:str}/fees"
ONE = LIST + "/{fee_id:uuid}"
GUESTS = "/b/{slug:str}/fees/{claim:str}"
PUBLIC = {"public": "The signed link is the key to this one fee.", "while_suspended": True}
PAYING = {"public": PUBLIC["public"]}
LOOKS = Limit("fee-looks", 6, 60)
PRIVATE = {"cache-control": "private, no-store", "x-robots-tag": "noindex"}


class ForgiveForm(msgspec.Struct):
    """Why it is let go."""

    reason: Annotated[str, Meta(max_length=LONGEST_REASON)]


class FeesView(msgspec.Struct, frozen=True, kw_only=True):
    """The list, with words for kinds and states."""

    fees: FeesPage
    words: FeeWords


class OneFeeView(msgspec.Struct, frozen=True, kw_only=True):
    """A fee for staff."""

    fee: FeePage
    form: Bound[ForgiveForm]
    words: FeeWords


class GuestFeeView(msgspec.Struct, frozen=True, kw_only=True):
    """A fee for its guest; `reason` is why it is asked."""

    fee: FeePage
    reason: str
    path: str


@get(LIST, guards=MAY_SEE, include_in_schema=False)
async def show_fees(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    fee_state: Annotated[str, QueryParameter(name="state")] = "",
    before: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await list_fees(uow, ctx.here, FeeFilter(state=fee_state, before=before))
    return page(request, "billing/fees.html", FeesView(fees=found, words=fee_words()))


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_fee(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    fee_id: FromPath[UUID],
) -> Response[bytes]:
    return await _show(request, services, ctx, fee_id)


@post(ONE + "/forgive", guards=MAY_SEE, status_code=200, include_in_schema=False, shown_at=ONE)
async def send_forgiving(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    fee_id: FromPath[UUID],
) -> Response[bytes]:
    """With a reason; pressed again it changes nothing."""
    form = bind(ForgiveForm, await read_form(request))
    if form.struct is None:
        return await _show(request, services, ctx, fee_id, form)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            done = await forgive_fee(uow, ctx, fee_id, form.struct.reason)
    except InvalidInput as refusal:
        return await _show(request, services, ctx, fee_id, form.refused(refusal))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        said = _("The fee is forgiven.") if done else _("It was not asked any more.")
        flash(request, "success" if done else "info", said)
    return _back(request, ctx, fee_id)


@post(ONE + "/paid", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def send_paid(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    fee_id: FromPath[UUID],
) -> Response[bytes]:
    """The business took it itself."""
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            taken = await take_fee_on_site(uow, ctx, fee_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        if taken.amount_minor:
            amount = format_money(taken, current_locale())
            flash(request, "success", _("Marked %(amount)s as paid.", amount=amount))
        else:
            flash(request, "info", _("Nothing was left to pay."))
    return _back(request, ctx, fee_id)


@get(GUESTS, opt=PUBLIC, include_in_schema=False)
async def show_guests_fee(
    request: AnyRequest,
    claim: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What is asked and why. `?paid=1`: back from the payment page, which we look at first."""
    fee_id = await open_fee_link(services, ctx, claim)
    is_just_paid = "paid" in request.query_params
    if is_just_paid:
        await _look(services, ctx, fee_id)
    return await _show_guest(request, services, ctx, fee_id, is_just_paid=is_just_paid)


@post(GUESTS, opt=PAYING, status_code=200, include_in_schema=False)
async def pay_fee(
    request: AnyRequest,
    claim: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """On to the payment page; pressed again, to the same one."""
    fee_id = await open_fee_link(services, ctx, claim)
    await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
    path = request.scope["path"]
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            order_id = await begin_fee_payment(uow, fee_id)
        base = services.settings.base_url
        url = await ensure_payment_page(
            services,
            ctx.here.id,
            order_id,
            success_url=f"{base}{path}?paid=1",
            cancel_url=f"{base}{path}",
        )
    except (Conflict, Gone, Unavailable) as refusal:
        if refusal.code == "already_paid":
            return redirect(request, f"{path}?paid=1")
        return await _show_guest(request, services, ctx, fee_id, refusal=refusal)
    return redirect(request, url)


async def _look(services: Services, ctx: RequestContext, fee_id: UUID) -> None:
    """Asks the processor about the payment, for its own news may come after the guest."""
    async with services.uow_factory(ctx.here.id) as uow:
        fee = await uow.session.get_one(Fee, (uow.tenant, fee_id))
    if fee.state == FeeState.PAID or fee.pays_id is None:
        return
    with suppress(TooManyRequests):
        await services.limiter.check(LOOKS, str(fee_id))
        await check_payment(services, ctx.here.id, fee.pays_id)


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    fee_id: UUID,
    form: Bound[ForgiveForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_fee_page(uow, ctx.here, fee_id)
    view = OneFeeView(fee=found, form=form or blank(ForgiveForm, {}), words=fee_words())
    return page(request, "billing/fee.html", view, status_code=200 if form is None else 422)


async def _show_guest(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    fee_id: UUID,
    *,
    is_just_paid: bool = False,
    refusal: Conflict | Gone | Unavailable | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        found = await get_fee_page(uow, ctx.here, fee_id)
    said = "" if refusal is None else refusal.message
    shown = msgspec.structs.replace(found, is_just_paid=is_just_paid, refusal=said)
    view = GuestFeeView(fee=shown, reason=fee_reason(found.fee.kind), path=request.scope["path"])
    status = 200 if refusal is None else refusal.status
    return page(request, "billing/guest_fee.html", view, status_code=status, headers=PRIVATE)


def _back(request: AnyRequest, ctx: RequestContext, fee_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/fees/{fee_id}")


route_handlers: list[Any] = [
    show_fees,
    show_fee,
    send_forgiving,
    send_paid,
    show_guests_fee,
    pay_fee,
]
