"""/app/<slug>/orders: every order, what became of its money, and what a person can do about it."""

from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter
from msgspec import Meta

from src.billing.commands.by_staff import (
    RefundByHand,
    mark_paid_on_site,
    refund_by_hand,
    retry_refund_by_hand,
)
from src.billing.commands.lapse_package import cancel_package
from src.billing.commands.refunds import get_payment
from src.billing.commands.sold_credits import get_free_of_credits_minor
from src.billing.commands.sold_vouchers import get_revocable_minor
from src.billing.commands.vouchers import refund_as_voucher
from src.billing.domain.kinds import PaymentMode
from src.billing.queries.disputes import list_payments_with_the_bank
from src.billing.queries.order_page import get_order_page, payment_view
from src.billing.queries.orders import BY_VOUCHER, OrderFilter, list_orders
from src.billing.queries.refund_failures import (
    list_replaceable_refunds,
    list_waiting_refunds,
)
from src.billing.views.orders import PaymentView, RefundPage
from src.billing.web.amounts import plain_amount, read_amount
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.platform.money import format_money
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


class RefundForm(msgspec.Struct):
    """How much of a payment goes back; `token` makes two presses one. `instead`: it takes the place
    of what failed. `back_as` a voucher it does not go back the way it came.
    """

    amount: Annotated[str, Meta(max_length=30)]
    payment: UUID
    token: Annotated[str, Meta(max_length=40)]
    instead: bool = False
    back_as: Literal["money", "voucher"] = "money"


@get("/app/{slug:str}/orders", guards=MAY_SEE, include_in_schema=False)
async def show_orders(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_state: Annotated[str, QueryParameter(name="state")] = "",
    q: FromQuery[str] = "",
    paid: FromQuery[str] = "",
    before: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
) -> Response[bytes]:
    wanted = OrderFilter(
        state=order_state,
        search=q.strip()[:100],
        paid=paid if paid in {*PaymentMode, BY_VOUCHER} else "",
        before=before,
        after=after,
    )
    async with services.uow_factory(ctx.here.id) as uow:
        view = await list_orders(uow, ctx.here, wanted, services.clock.now())
    return page(request, "billing/orders.html", view)


@get("/app/{slug:str}/orders/{order_id:uuid}", guards=MAY_SEE, include_in_schema=False)
async def show_order(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        view = await get_order_page(uow, ctx.here, order_id)
    return page(request, "billing/order.html", view)


@post(
    "/app/{slug:str}/orders/{order_id:uuid}/paid",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def mark_paid(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            taken = await mark_paid_on_site(uow, ctx, order_id)
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        if taken.amount_minor:
            amount = format_money(taken, current_locale())
            flash(request, "success", _("Marked %(amount)s as paid.", amount=amount))
        else:
            flash(request, "info", _("Nothing was left to pay."))
    return _back(request, ctx, order_id)


@post(
    "/app/{slug:str}/orders/{order_id:uuid}/package/cancel",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def cancel_unpaid_package(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    """A second press, and one after the money was noted, change nothing."""
    async with services.uow_factory(ctx.here.id) as uow:
        is_cancelled = await cancel_package(uow, ctx, order_id)
    if is_cancelled:
        flash(request, "success", _("The package is cancelled, and nothing is owed for it."))
    else:
        flash(request, "info", _("It does not wait to be paid any more; nothing was changed."))
    return _back(request, ctx, order_id)


@get("/app/{slug:str}/orders/{order_id:uuid}/refund", guards=MAY_SEE, include_in_schema=False)
async def ask_refund(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    payment: FromQuery[UUID],
) -> Response[bytes]:
    """What would go back, before it does."""
    shown = await _payment(services, ctx, order_id, payment)
    async with services.uow_factory(ctx.here.id) as uow:
        most_minor, _why = await _most(uow, order_id, shown)
        waiting = await list_waiting_refunds(uow, payment)
    initial = {
        "amount": plain_amount(most_minor, shown.currency),
        "payment": payment,
        "token": str(new_id()),
        "instead": bool(waiting),
        "back_as": "money",
    }
    view = await _refund_view(services, ctx, order_id, shown, blank(RefundForm, initial))
    return page(request, "billing/refund.html", view)


@post(
    "/app/{slug:str}/orders/{order_id:uuid}/refund",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def give_refund(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(RefundForm, await read_form(request))
    form = bound.struct
    if form is None and bound.error("payment"):
        raise NotFound(_("There is no such payment."))
    payment_id = UUID(bound.value("payment"))
    shown = await _payment(services, ctx, order_id, payment_id)
    try:
        if form is not None:
            await _refund(services, ctx, order_id, shown, form)
            said = _("The money is on its way back.")
            if form.back_as == "voucher":
                said = _("The guest has a voucher instead.")
            flash(request, "success", said)
            return _back(request, ctx, order_id)
    except InvalidInput as refusal:
        bound = bound.refused(refusal)
    except Conflict as refusal:
        bound = bound.with_errors(None, refusal.message)
    view = await _refund_view(services, ctx, order_id, shown, bound)
    asked = [("payment", str(payment_id))]
    return page(request, "billing/refund.html", view, status_code=REFUSED, again_with=asked)


@post(
    "/app/{slug:str}/orders/{order_id:uuid}/refunds/{refund_id:uuid}/retry",
    guards=MAY_SEE,
    status_code=200,
    include_in_schema=False,
)
async def try_refund_again(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
    refund_id: FromPath[UUID],
) -> Response[bytes]:
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await retry_refund_by_hand(uow, ctx, order_id, refund_id)
    except (Conflict, InvalidInput) as refusal:
        flash(request, "warning", refusal.message)
    else:
        flash(request, "success", _("The refund is tried again."))
    return _back(request, ctx, order_id)


def _back(request: AnyRequest, ctx: RequestContext, order_id: UUID) -> Response[bytes]:
    return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")


async def _payment(
    services: Services, ctx: RequestContext, order_id: UUID, payment_id: UUID
) -> PaymentView:
    """Raises: NotFound, also for a payment of another order or one with nothing to give back."""
    async with services.uow_factory(ctx.here.id) as uow:
        payment = await get_payment(uow, payment_id)
        shown = payment_view(payment, await list_payments_with_the_bank(uow, payment.order_id))
    if payment.order_id != order_id:
        raise NotFound(_("There is no such payment."))
    return shown


async def _refund(
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    payment: PaymentView,
    form: RefundForm,
) -> None:
    cmd = RefundByHand(
        order_id=order_id,
        payment_id=payment.id,
        amount_minor=read_amount(form.amount, payment.currency, "amount"),
        token=form.token,
        instead=form.instead,
    )
    give = refund_as_voucher if form.back_as == "voucher" else refund_by_hand
    async with services.uow_factory(ctx.here.id) as uow:
        await give(uow, ctx, cmd)


class _Limits(NamedTuple):
    """Why less can go back than is left of a payment."""

    on_vouchers_minor: int | None = None
    in_credits_minor: int = 0


async def _most(uow: UnitOfWork, order_id: UUID, payment: PaymentView) -> tuple[int, _Limits]:
    """What can go back of it, in minor units. What came beside the price bought nothing."""
    if payment.is_extra:
        return payment.left_minor, _Limits()
    on_vouchers = await get_revocable_minor(uow, order_id)
    of_credits = await get_free_of_credits_minor(uow, order_id)
    known = [one for one in (payment.left_minor, on_vouchers, of_credits) if one is not None]
    in_credits = 0 if of_credits is None else max(0, payment.left_minor - of_credits)
    return min(known), _Limits(on_vouchers, in_credits)


async def _refund_view(
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    payment: PaymentView,
    form: Bound[RefundForm],
) -> RefundPage:
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order_page(uow, ctx.here, order_id)
        most_minor, limits = await _most(uow, order_id, payment)
        replaceable = await list_replaceable_refunds(uow, payment.id)
    return RefundPage(
        slug=ctx.here.slug,
        order_id=order_id,
        reference=order.reference,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        payment=payment,
        failed=[one.amount_minor for one in replaceable if not one.is_dealt_with],
        settled=[one.amount_minor for one in replaceable if one.is_dealt_with],
        standing=order.standing,
        on_vouchers_minor=limits.on_vouchers_minor,
        most_minor=most_minor,
        in_credits_minor=limits.in_credits_minor,
        zone=ctx.here.timezone,
        form=form,
    )
