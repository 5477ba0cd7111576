"""/app/<slug>/payments: by what guests may pay, for owners."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.billing.commands.payment_settings import choose_methods, stop_transfers, take_transfers
from src.billing.domain.transfers import LONGEST_HOLDER, LONGEST_TEXT, TransferTerms, spaced_iban
from src.billing.queries.payment_settings import find_payment_settings, list_page_methods
from src.billing.queries.payments import get_payments_page
from src.billing.queries.transfers import count_awaited
from src.billing.views.payments import TransferSettingsPage
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

OWNERS = [requires_member(Role.OWNER)]
PATH = "/app/{slug:str}/payments"
REFUSED = 422

AnyRequest = Request[Any, Any, Any]


class MethodsForm(msgspec.Struct):
    """What the payment page may be paid by, beside cards."""

    methods: list[Annotated[str, Meta(max_length=30)]] = []


class TransferForm(msgspec.Struct):
    holder: Annotated[str, Meta(max_length=LONGEST_HOLDER)]
    iban: Annotated[str, Meta(max_length=60)]
    bic: Annotated[str, Meta(max_length=20)] = ""
    days: int = 7
    lead_days: int = 2
    text: Annotated[str, Meta(max_length=LONGEST_TEXT)] = ""


async def payments_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    chosen: Bound[MethodsForm] | None = None,
) -> Response[bytes]:
    """How far the business is with getting paid, and by what guests may pay."""
    fee_bp = services.settings.platform_fee_bp
    async with services.uow_factory(ctx.here.id) as uow:
        kept = {"methods": list(await list_page_methods(uow))}
        view = await get_payments_page(uow, ctx.here, fee_bp, chosen or blank(MethodsForm, kept))
    return page(
        request, "billing/payments.html", view, status_code=200 if chosen is None else REFUSED
    )


@post(f"{PATH}/methods", guards=OWNERS, status_code=200, include_in_schema=False, shown_at=PATH)
async def save_methods(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(MethodsForm, await read_form(request))
    if bound.struct is None:
        return await payments_page(request, services, ctx, bound)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await choose_methods(uow, ctx, bound.struct.methods)
    except InvalidInput as refusal:
        return await payments_page(request, services, ctx, bound.refused(refusal))
    flash(request, "success", _("Saved. It holds for payments that begin from now on."))
    return redirect(request, f"/app/{ctx.here.slug}/payments")


@get(f"{PATH}/transfer", guards=OWNERS, include_in_schema=False)
async def show_transfer_settings(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    return await _settings_page(request, services, ctx)


@post(f"{PATH}/transfer", guards=OWNERS, status_code=200, include_in_schema=False)
async def save_transfer_settings(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    bound = bind(TransferForm, await read_form(request))
    form = bound.struct
    if form is None:
        return await _settings_page(request, services, ctx, bound)
    terms = TransferTerms(
        holder=" ".join(form.holder.split()),
        iban=form.iban,
        bic=form.bic,
        days=form.days,
        lead_days=form.lead_days,
        text=form.text,
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await take_transfers(uow, ctx, terms)
    except InvalidInput as refusal:
        return await _settings_page(request, services, ctx, bound.refused(refusal))
    flash(request, "success", _("Guests can pay by bank transfer now."))
    return redirect(request, f"/app/{ctx.here.slug}/payments")


@post(f"{PATH}/transfer/stop", guards=OWNERS, status_code=200, include_in_schema=False)
async def stop_taking_transfers(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await stop_transfers(uow, ctx)
    flash(request, "success", _("Nobody can choose a bank transfer any more."))
    return redirect(request, f"/app/{ctx.here.slug}/payments")


async def _settings_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    form: Bound[TransferForm] | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        kept, awaited = await find_payment_settings(uow), await count_awaited(uow)
    known = {"holder": ctx.here.name[:LONGEST_HOLDER]}
    if kept is not None and kept.iban:
        known = {
            "holder": kept.holder,
            "iban": spaced_iban(kept.iban),
            "bic": kept.bic,
            "days": str(kept.transfer_days),
            "lead_days": str(kept.transfer_lead_days),
            "text": kept.transfer_text,
        }
    view = TransferSettingsPage(
        slug=ctx.here.slug,
        currency=ctx.here.currency,
        is_on=kept is not None and kept.takes_transfers,
        awaited=awaited.orders,
        form=form or blank(TransferForm, known),
    )
    status = 200 if form is None else REFUSED
    return page(request, "billing/transfer_settings.html", view, status_code=status)


route_handlers: list[Any] = [
    save_methods,
    show_transfer_settings,
    save_transfer_settings,
    stop_taking_transfers,
]
