"""/app/<slug>/vouchers/new and /settings: selling one by hand, and what guests can buy."""

from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency

from src.billing.commands.orders import find_order_by_form_token
from src.billing.commands.voucher_lines import vouchers_of
from src.billing.commands.voucher_sales import sell_voucher_by_staff
from src.billing.commands.voucher_settings import change_voucher_offer, get_voucher_offer
from src.billing.web.voucher_forms import OfferForm, SellForm, initial_of, offer_of, sale_of
from src.billing.web.vouchers import base_of
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires, requires_member

MAY_SEE = [requires_member(Role.MANAGER)]
MAY_SELL = [*MAY_SEE, requires(Feature.COUPONS)]
HOME = "/app/{slug:str}/vouchers"
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


class SellView(msgspec.Struct, frozen=True, kw_only=True):
    form: Any
    base: str
    currency: str


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """`shop_href` is where guests buy; `payments_ready`: whether they can pay there."""

    form: Any
    base: str
    currency: str
    shop_href: str
    payments_ready: bool
    is_owner: bool


@get(HOME + "/new", guards=MAY_SELL, include_in_schema=False)
async def show_sale(request: AnyRequest, ctx: NamedDependency[RequestContext]) -> Response[bytes]:
    form = blank(SellForm, {"token": str(new_id()), "is_paid": True})
    return _sale(request, ctx, form)


@post(HOME + "/new", guards=MAY_SELL, status_code=200, include_in_schema=False)
async def make_sale(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    """Sent twice, it leads to the voucher that there is."""
    bound = bind(SellForm, await read_form(request))
    form = bound.struct
    if form is None:
        return _sale(request, ctx, bound, REFUSED)
    try:
        cmd = sale_of(form, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            order = await find_order_by_form_token(uow, cmd.form_token)
            order = order or await sell_voucher_by_staff(uow, ctx, cmd)
            await uow.settle()
            (voucher,) = await vouchers_of(uow, order.id)
    except InvalidInput as refusal:
        return _sale(request, ctx, bound.refused(refusal), REFUSED)
    said = _("The voucher is sold.")
    if not cmd.is_paid:
        said = _("The voucher waits to be paid: mark its order as paid, and it can be used.")
    flash(request, "success", said)
    return redirect(request, f"{base_of(ctx)}/vouchers/{voucher.id}")


@get(HOME + "/settings", guards=MAY_SEE, include_in_schema=False)
async def show_offer(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        offer = await get_voucher_offer(uow)
    form = blank(OfferForm, initial_of(offer, ctx.here.currency))
    return _offer(request, services, ctx, form)


@post(HOME + "/settings", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def save_offer(
    request: AnyRequest, services: NamedDependency[Services], ctx: NamedDependency[RequestContext]
) -> Response[bytes]:
    bound = bind(OfferForm, await read_form(request))
    if bound.struct is None:
        return _offer(request, services, ctx, bound, REFUSED)
    try:
        offer = offer_of(bound.struct, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            await change_voucher_offer(uow, ctx, offer)
    except InvalidInput as refusal:
        return _offer(request, services, ctx, bound.refused(refusal), REFUSED)
    flash(request, "success", _("Saved. It holds for vouchers that are sold from now on."))
    return redirect(request, f"{base_of(ctx)}/vouchers/settings")


def _sale(
    request: AnyRequest, ctx: RequestContext, form: Bound[SellForm], status_code: int = 200
) -> Response[bytes]:
    view = SellView(form=form, base=base_of(ctx), currency=ctx.here.currency)
    return page(request, "billing/vouchers/sell.html", view, status_code=status_code)


def _offer(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[OfferForm],
    status_code: int = 200,
) -> Response[bytes]:
    view = OfferView(
        form=form,
        base=base_of(ctx),
        currency=ctx.here.currency,
        shop_href=f"{services.settings.base_url}/b/{ctx.here.slug}/vouchers",
        payments_ready=ctx.here.payments_ready,
        is_owner=ctx.actor.role is Role.OWNER,
    )
    return page(request, "billing/vouchers/settings.html", view, status_code=status_code)


route_handlers: list[Any] = [show_sale, make_sale, show_offer, save_offer]
