"""/app/<slug>/orders/<id>/transfer/mistake: a transfer that was noted and never came."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.commands.orders import get_order
from src.billing.domain.transfers import token_of_transfer
from src.billing.models import Payment
from src.billing.queries.transfers import (
    get_bought_credits,
    get_paid_by_voucher_minor,
    is_transfer_awaited,
    list_mistakable,
)
from src.billing.transfer_back_mails import NOT_DUE
from src.billing.views.transfers import MistakePage
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.mail.queue import has_mail
from src.platform.money import Money, format_money
from src.platform.services import Services
from src.platform.web.formats import datetime_local, day_medium
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_MATCH = [requires_member(Role.MANAGER)]
PATH = "/app/{slug:str}/orders/{order_id:uuid}/transfer/mistake"
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


class MistakeForm(msgspec.Struct):
    """Which transfer never came, and how it was noted all the same."""

    payment: UUID
    reason: Annotated[str, Meta(max_length=2000)] = ""


@get(PATH, guards=MAY_MATCH, include_in_schema=False)
async def ask_mistake(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    """What follows, before it is done; an order with nothing to take off leads to itself."""
    return await _shown(request, services, ctx, order_id)


@post(PATH, guards=MAY_MATCH, status_code=200, include_in_schema=False)
async def take_off(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    order_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(MistakeForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _shown(request, services, ctx, order_id, bound)
    cmd = TransferMistaken(order_id=order_id, payment_id=form.payment, reason=form.reason)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            taken = await take_off_transfer(uow, ctx, cmd)
    except InvalidInput as refusal:
        return await _shown(request, services, ctx, order_id, bound.refused(refusal))
    except Conflict as refusal:
        flash(request, "warning", refusal.message)
    else:
        amount = format_money(taken, current_locale())
        flash(request, "success", _("%(amount)s is taken off; it never came.", amount=amount))
    return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")


async def _shown(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    order_id: UUID,
    form: Bound[MistakeForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        order = await get_order(uow, order_id)
        found = await list_mistakable(uow, order_id)
        bought = await get_bought_credits(uow, order_id)
        voucher_minor = await get_paid_by_voucher_minor(uow, order_id)
        promised = {one.id for one in found if await _is_promised(uow, one)}
    if not found:
        return redirect(request, f"/app/{ctx.here.slug}/orders/{order_id}")
    view = MistakePage(
        slug=ctx.here.slug,
        order_id=order_id,
        reference=order.reference,
        guest_email=order.guest_email,
        is_awaited=is_transfer_awaited(order),
        of_package=bought.are_off and not all(one.is_extra for one in found),
        voucher_minor=voucher_minor,
        currency=order.currency,
        transfers=[_option(one, ctx, is_promised=one.id in promised) for one in found],
        promised=len(promised),
        form=form or blank(MistakeForm, {"payment": found[0].id}),
    )
    status = 200 if form is None else REFUSED
    return page(request, "billing/transfer_mistake.html", view, status_code=status)


async def _is_promised(uow: UnitOfWork, payment: Payment) -> bool:
    """Whether its guest has a mail that it came and goes back."""
    return await has_mail(uow, f"{NOT_DUE}:{token_of_transfer(payment.payment_intent_id)}")


def _option(payment: Payment, ctx: RequestContext, *, is_promised: bool) -> tuple[str, str, str]:
    """Its value, what came, and since when that was said."""
    noted = _("Noted on %(when)s", when=datetime_local(payment.received_at, ctx.here.timezone))
    since = ""
    if payment.arrived_on is not None:
        since = _("On the account since %(day)s", day=day_medium(payment.arrived_on))
    amount = format_money(Money(payment.amount_minor, payment.currency), current_locale())
    told = _("The guest had a mail that it goes back") if is_promised else ""
    return str(payment.id), amount, " · ".join(filter(None, (noted, since, told)))


route_handlers: list[Any] = [ask_mistake, take_off]
