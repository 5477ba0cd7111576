"""/b/<slug>/vouchers: buying a voucher, its own page, and the page to print."""

import re
import secrets
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from msgspec import Meta

from src.billing.commands.voucher_sales import SellVoucher, not_sold, wrong_sending_day
from src.billing.commands.voucher_settings import VoucherOffer, get_voucher_offer
from src.billing.domain.vouchers import (
    FURTHEST_SENDING_DAYS,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    expiry_of,
    last_day,
)
from src.billing.gates import may_sell_vouchers
from src.billing.views.vouchers import BuyView
from src.billing.voucher_mails import in_words
from src.billing.voucher_shop import buy_voucher
from src.billing.web.amounts import read_amount
from src.platform.errors import DomainError, InvalidInput, Unavailable
from src.platform.i18n import _, current_locale
from src.platform.localtime import to_local
from src.platform.money import Money, format_money
from src.platform.ratelimit import BOOKING_BY_ADDRESS
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, FormData, bind, blank, read_form
from src.platform.web.pages import page, redirect
from src.platform.web.security import client_address
from src.tenants.context import RequestContext
from src.tenants.web.portal import has_portal_cookie, portal_guest

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests buy vouchers without an account."}
TEMPLATE = "billing/vouchers/buy.html"
OWN = "own"
HEADERS = {"vary": "HX-Request, Accept-Language"}
_TOKEN = re.compile(r"[A-Za-z0-9_-]{20,60}", re.ASCII)

Amount = Annotated[str, Meta(max_length=30)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
To = Literal["me", "other"]


class BuyForm(msgspec.Struct, kw_only=True):
    """`amount` is one of those that are offered, in minor units, or OWN for `own_amount`."""

    amount: Amount = ""
    own_amount: Amount = ""
    to: To = "other"
    recipient_name: Name = ""
    recipient_email: Email = ""
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE)] = ""
    send_on: Annotated[str, Meta(max_length=10)] = ""
    name: Name
    email: Email
    terms: bool = False


@get("/b/{slug:str}/vouchers", opt=PUBLIC)
async def show_shop(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """The form with a token of its own, so that it buys once however often it is sent. Who is
    signed in finds their name and address in it.
    """
    offer = await _offer(services, ctx)
    first = str(offer.amounts_minor[0]) if offer.amounts_minor else OWN
    known = await _known(request, services, ctx)
    form = blank(BuyForm, {"amount": first, "to": "other", **known})
    return _page(request, services, ctx, offer, form, secrets.token_urlsafe(24))


@post("/b/{slug:str}/vouchers", opt=PUBLIC)
async def send_shop(
    request: AnyRequest, ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> Response[bytes]:
    """Leads on to the payment page, or to the purchase's own."""
    offer, data = await _offer(services, ctx), await read_form(request)
    token = _token_of(data)
    _leave_out_unasked(data)
    bound = _checked(bind(BuyForm, data), ctx, offer, services.clock.now())
    if bound.struct is None:
        return _page(request, services, ctx, offer, bound, token, 422)
    try:
        cmd = _command(bound.struct, ctx, token)
        await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
        bought = await buy_voucher(services, ctx, cmd)
    except InvalidInput as refusal:
        bound = bound.refused(refusal)
        return _page(request, services, ctx, offer, bound, token, refusal.status)
    except DomainError as refusal:
        bound = bound.with_errors(None, refusal.message)
        return _page(request, services, ctx, offer, bound, token, refusal.status)
    return redirect(request, bought.payment_url or bought.path)


def _token_of(data: FormData) -> str:
    sent = data.texts.get("form_token", [""])[-1]
    return sent if _TOKEN.fullmatch(sent) else secrets.token_urlsafe(24)


def _leave_out_unasked(data: FormData) -> None:
    """What was typed before another choice hid its field is not asked for: it would stop the
    purchase with nothing to be seen.
    """
    if data.texts.get("to", [""])[-1] == "me":
        data.texts |= {"recipient_email": [""], "send_on": [""]}
    if data.texts.get("amount", [OWN])[-1] != OWN:
        data.texts["own_amount"] = [""]


def _checked(
    bound: Bound[BuyForm], ctx: RequestContext, offer: VoucherOffer, now: datetime
) -> Bound[BuyForm]:
    """What only the business and the other fields can find wrong."""
    errors: dict[str, str] = {}
    if bound.value("to") == "other" and not bound.value("recipient_email").strip():
        errors["recipient_email"] = _("Where shall we send it?")
    if wrong := _wrong_day(bound, ctx, now):
        errors["send_on"] = wrong
    if ctx.here.booking_terms and not bound.checked("terms"):
        errors["terms"] = _("Please accept the terms to buy.")
    amount_minor, sentence = _amount(bound, ctx.here.currency)
    if not offer.sells(amount_minor):
        field = "own_amount" if bound.value("amount") == OWN else "amount"
        errors[field] = sentence or _own_words(offer, ctx) or _("Please choose one of the amounts.")
    return bound.with_errors(errors) if errors else bound


def _amount(bound: Bound[BuyForm], currency: str) -> tuple[int, str]:
    """Minor units, 0 for what is none; and what is wrong with what was typed."""
    chosen = bound.value("amount")
    if chosen != OWN:
        return (int(chosen) if chosen.isascii() and chosen.isdigit() else 0), ""
    try:
        return read_amount(bound.value("own_amount"), currency, "own_amount"), ""
    except InvalidInput as refusal:
        return 0, refusal.message


def _wrong_day(bound: Bound[BuyForm], ctx: RequestContext, now: datetime) -> str:
    """Judged with the other fields, so that all that is wrong is marked at once."""
    typed = bound.value("send_on").strip()
    if bound.value("to") == "me" or not typed or bound.error("send_on"):
        return ""
    try:
        return wrong_sending_day(msgspec.convert(typed, type=date), now, ctx.here.zone)
    except msgspec.ValidationError:
        return _("This is not a day. Write it like 2026-12-24.")


def _command(form: BuyForm, ctx: RequestContext, token: str) -> SellVoucher:
    """Of a form whose fields were checked."""
    is_sent = form.to == "other"
    amount_minor = (
        read_amount(form.own_amount, ctx.here.currency, "own_amount")
        if form.amount == OWN
        else int(form.amount)
    )
    send_on = msgspec.convert(form.send_on, type=date) if is_sent and form.send_on else None
    return SellVoucher(
        amount_minor=amount_minor,
        buyer_name=" ".join(form.name.split()),
        buyer_email=form.email,
        form_token=token,
        recipient_name=" ".join(form.recipient_name.split()),
        recipient_email=form.recipient_email if is_sent else "",
        message=form.message.strip(),
        send_on=send_on,
        locale=current_locale(),
    )


async def _known(request: AnyRequest, services: Services, ctx: RequestContext) -> dict[str, str]:
    """Nothing of who is not signed in, nor while that cannot be found out."""
    if not has_portal_cookie(request, ctx):
        return {}
    try:
        guest = await portal_guest(request, services, ctx)
    except Unavailable:
        return {}
    return {} if guest is None else {"name": guest.name, "email": guest.email}


async def _offer(services: Services, ctx: RequestContext) -> VoucherOffer:
    async with services.uow_factory(ctx.here.id) as uow:
        return await get_voucher_offer(uow)


def _closed(ctx: RequestContext, offer: VoucherOffer) -> str:
    if offer.is_on and may_sell_vouchers(ctx.here):
        return ""
    return not_sold().message


def _own_words(offer: VoucherOffer, ctx: RequestContext) -> str:
    if offer.least_minor is None or offer.most_minor is None:
        return ""
    locale, currency = current_locale(), ctx.here.currency
    return _(
        "From %(least)s to %(most)s.",
        least=format_money(Money(offer.least_minor, currency), locale),
        most=format_money(Money(offer.most_minor, currency), locale),
    )


def _valid(services: Services, ctx: RequestContext, offer: VoucherOffer) -> str:
    today = to_local(services.clock.now(), ctx.here.zone).date()
    expires_at = expiry_of(
        today, ctx.here.zone, valid_months=offer.valid_months, to_year_end=offer.to_year_end
    )
    if expires_at is None:
        return _("It never expires.")
    return _(
        "Bought today, it is valid until %(day)s.",
        day=in_words(last_day(expires_at, ctx.here.zone)),
    )


def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    offer: VoucherOffer,
    form: Bound[BuyForm],
    token: str,
    status_code: int = 200,
) -> Response[bytes]:
    tenant = ctx.here
    amounts = [
        (str(one), format_money(Money(one, tenant.currency), current_locale()))
        for one in offer.amounts_minor
    ]
    own = _own_words(offer, ctx)
    today = to_local(services.clock.now(), tenant.zone).date()
    view = BuyView(
        form=form,
        form_token=token,
        action=f"/b/{tenant.slug}/vouchers",
        amounts=[*amounts, (OWN, _("Another amount"))] if own else amounts,
        own=own,
        currency=tenant.currency,
        valid=_valid(services, ctx, offer),
        words=offer.words,
        terms=tenant.booking_terms,
        today=today,
        last=today + timedelta(days=FURTHEST_SENDING_DAYS),
        closed=_closed(ctx, offer),
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )
    return page(request, TEMPLATE, view, status_code=status_code, headers=HEADERS)


route_handlers: list[Any] = [show_shop, send_shop]
