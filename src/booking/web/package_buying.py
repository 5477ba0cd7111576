"""Buying a package: the form, and sending it."""

from collections.abc import Sequence
from typing import Annotated, Any, cast
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.billing.commands.buy_package import (
    BuyCommand,
    PackagePriceChanged,
    quote_package,
)
from src.billing.commands.packages import get_package, no_such_package
from src.billing.domain.cards import card_of_way
from src.billing.domain.coupons import FOR_PACKAGES
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.domain.package_sale import (
    PackageQuote,
    PackageTerms,
    guest_sentence,
    open_ways,
    why_not_for_sale,
)
from src.billing.queries.package_terms import (
    find_seller_facts,
    get_package_terms,
)
from src.booking.domain.agreements import Needed
from src.booking.place import earlier_order
from src.booking.place_package import place_package
from src.booking.queries.agreements import find_needed, find_to_ask
from src.booking.queries.guest_packages import (
    list_sold_singly,
    lowest_single_minor,
    package_card,
)
from src.booking.queries.paying_with import takes_codes
from src.booking.queries.transfers import due_day
from src.booking.views.guest import PriceLine
from src.booking.views.guest_packages import PackageFormView
from src.booking.web.agreed import LONGEST_AGREED, agreement_errors, signing_of
from src.booking.web.card_choice import pay_choice, wallet_of
from src.booking.web.code_told import code_told, code_words, exchanged
from src.booking.web.guest_booking import (
    BOOKING_BY_EMAIL,
    CODES_BY_ADDRESS,
    FORM_HEADERS,
)
from src.booking.web.guest_forms import (
    LARGEST_TOTAL_MINOR,
    LONGEST_CODE,
    LONGEST_WAY,
    code_of,
    consents_of,
    new_form_token,
    token_of,
)
from src.booking.web.package_parts import IN_PARTS, offered_parts, price_lines
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError, InvalidInput, NotFound, TooManyRequests
from src.platform.i18n import _, current_locale
from src.platform.ratelimit import BOOKING_BY_ADDRESS
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, FormData, bind, blank, read_form
from src.platform.web.pages import page, redirect
from src.platform.web.security import client_address
from src.tenants.commands.customers import normalise_email
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.phones import dialled_phone, not_a_phone
from src.tenants.errors import EstablishedOnly
from src.tenants.queries.established import is_established
from src.tenants.views.portal import PortalGuest
from src.tenants.web.portal import portal_guest, portal_path

AnyRequest = Request[Any, Any, Any]

PUBLIC = {"public": "Guests buy without an account."}
TEMPLATE = "booking/guest_packages/buy.html"
OWN_HEADERS = {**FORM_HEADERS, "cache-control": "private"}


class BuyForm(msgspec.Struct, kw_only=True):
    """Who buys and how it is agreed. `quoted_minor` is the total that was shown, with
    `quoted_off_minor` taken off by a code; `quoted_terms` stands for what was to be had for it.
    `keep_card`: the card that they pay with online is to be kept.
    """

    name: Annotated[str, Meta(max_length=120)]
    email: Email
    phone: Annotated[str, Meta(max_length=40)] = ""
    coupon: Annotated[str, Meta(max_length=LONGEST_CODE)] = ""
    way: Annotated[str, Meta(max_length=LONGEST_WAY)] = ""
    keep_card: bool = False
    terms: bool = False
    marketing: bool = False
    agree: bool = False
    agreed: Annotated[str, Meta(max_length=LONGEST_AGREED)] = ""
    signature: Annotated[str, Meta(max_length=120)] = ""
    quoted_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_off_minor: Annotated[int, Meta(ge=0, le=LARGEST_TOTAL_MINOR)] | None = None
    quoted_terms: Annotated[str, Meta(max_length=40)] | None = None
    quoted_parts: Annotated[str, Meta(max_length=1000)] | None = None


class _Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What has been chosen so far: how to pay, and a code. `shown` is what was to pay and what a
    code took off it, where now it is something else, and `changed` the sentence for that.
    """

    way: PaymentMode | None = None
    code: str = ""
    shown: tuple[int | None, int | None] = (None, None)
    changed: str = ""


@get("/b/{slug:str}/packages/{package_id:uuid}", opt=PUBLIC)
async def buying_form(
    request: AnyRequest,
    package_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """An empty form; an unlisted package has it too, for whoever has its address."""
    guest = await portal_guest(request, services, ctx)
    known = {"name": guest.name, "email": guest.email, "phone": guest.phone} if guest else {}
    form = blank(BuyForm, known)
    return await _form_page(
        request, services, ctx, package_id, form, new_form_token(), _Choice(), guest=guest
    )


@post("/b/{slug:str}/packages/{package_id:uuid}", opt=PUBLIC)
async def send_buying(
    request: AnyRequest,
    package_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Buys, and leads on to the payment page or the purchase's own; `step=update` only works out
    the price with a code. Who is signed in buys for themselves, whatever address was typed.
    """
    guest = await portal_guest(request, services, ctx)
    data = await read_form(request)
    if guest is not None:
        data.texts["email"] = [guest.email]
    token, choice = token_of(data), _choice_of(data)
    slow_down = await _slow_down(request, services) if choice.code else None
    if slow_down is not None:
        bound = Bound[BuyForm](None, data).with_errors({"coupon": slow_down})
        choice = msgspec.structs.replace(choice, code="")
        return await _form_page(
            request, services, ctx, package_id, bound, token, choice, 429, guest=guest
        )
    if data.texts.get("step", [""])[-1] == "update":
        bound = Bound[BuyForm](None, data)
        return await _form_page(
            request, services, ctx, package_id, bound, token, choice, guest=guest
        )
    agreements = await _agreements(services, ctx, package_id, guest)
    if agreements and await _has_bought(services, ctx, token):
        agreements = []
    bound = _checked(bind(BuyForm, data), ctx.here, agreements)
    if no_card := (await wallet_of(services, ctx, guest)).why_not(bound.value("way")):
        bound = bound.with_errors({"way": no_card})
    if bound.struct is None:
        return await _form_page(
            request, services, ctx, package_id, bound, token, choice, 422, guest=guest
        )
    return await _buy(request, services, ctx, package_id, bound, token, guest)


async def _buy(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    package_id: UUID,
    bound: Bound[BuyForm],
    token: str,
    guest: PortalGuest | None,
) -> Response[bytes]:
    form = cast("BuyForm", bound.struct)
    try:
        await services.limiter.check(BOOKING_BY_ADDRESS, client_address(request.scope))
        key = f"{ctx.here.id}:{normalise_email(form.email)}"
        await services.limiter.check(BOOKING_BY_EMAIL, key)
        cmd = await _command(services, ctx, package_id, form, token, guest)
        now = services.clock.now()
        pay = pay_choice(guest, form.way, keeps=form.keep_card, tenant=ctx.here, now=now)
        signing = signing_of(request, form)
        return redirect(request, await place_package(services, ctx, cmd, signing=signing, pay=pay))
    except (NotFound, EstablishedOnly):
        raise
    except DomainError as refusal:
        is_code = "coupon" in refusal.fields
        choice = _Choice(way=_way_of(form.way), code="" if is_code else form.coupon)
        if isinstance(refusal, PackagePriceChanged):
            shown = (form.quoted_minor, form.quoted_off_minor)
            choice = msgspec.structs.replace(choice, shown=shown, changed=refusal.message)
            bound = bound.with_errors()
        elif isinstance(refusal, InvalidInput):
            bound = bound.refused(refusal)
        else:
            bound = bound.with_errors(None, refusal.message)
        status = 409 if refusal.status == 402 else refusal.status
        return await _form_page(
            request, services, ctx, package_id, bound, token, choice, status, guest=guest
        )


async def _command(
    services: Services,
    ctx: RequestContext,
    package_id: UUID,
    form: BuyForm,
    token: str,
    guest: PortalGuest | None,
) -> BuyCommand:
    async with services.uow_factory(ctx.here.id) as uow:
        package = await get_package(uow, package_id)
        single_minor = await lowest_single_minor(uow, package)
    return BuyCommand(
        package_id=package_id,
        guest_name=form.name,
        guest_email=form.email,
        guest_phone=dialled_phone(form.phone, ctx.here.country) or "",
        customer_id=guest.customer_id if guest is not None else None,
        form_token=token,
        coupon=form.coupon,
        way=_way_of(form.way),
        consents=consents_of(form, ctx.here, services.clock.now()),
        quoted_minor=form.quoted_minor,
        quoted_off_minor=form.quoted_off_minor,
        quoted_terms=form.quoted_terms,
        in_parts=form.way == IN_PARTS,
        quoted_parts=form.quoted_parts,
        single_minor=single_minor,
        locale=current_locale(),
    )


async def _has_bought(services: Services, ctx: RequestContext, token: str) -> bool:
    """Whether this very form has, and signed what there was then."""
    order = await earlier_order(services, ctx, token)
    return order is not None and order.state in (OrderState.OPEN, OrderState.CONFIRMED)


async def _agreements(
    services: Services, ctx: RequestContext, package_id: UUID, guest: PortalGuest | None
) -> list[Needed]:
    """What is to be signed with it."""
    async with services.uow_factory(ctx.here.id) as uow:
        needed = await find_needed(uow, package_id=package_id)
        return await find_to_ask(uow, needed, guest.customer_id if guest is not None else None)


def _checked(
    bound: Bound[BuyForm], tenant: TenantSnapshot, agreements: Sequence[Needed]
) -> Bound[BuyForm]:
    """The form with what only the business can find wrong in it."""
    errors = agreement_errors(bound, agreements)
    phone = bound.struct.phone if bound.struct is not None else bound.value("phone")
    if phone and "phone" not in bound.errors and dialled_phone(phone, tenant.country) is None:
        errors["phone"] = not_a_phone()
    if tenant.booking_terms and not bound.checked("terms"):
        errors["terms"] = _("Please accept the terms to buy.")
    return bound.with_errors(errors) if errors else bound


async def _form_page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    package_id: UUID,
    form: Bound[BuyForm],
    token: str,
    choice: _Choice,
    status_code: int = 200,
    *,
    guest: PortalGuest | None,
) -> Response[bytes]:
    """Raises: NotFound for what is hidden, or not for sale at all; EstablishedOnly."""
    tenant = ctx.here
    path, wallet = f"/b/{tenant.slug}/packages/{package_id}", await wallet_of(services, ctx, guest)
    async with services.uow_factory(tenant.id) as uow:
        package = await get_package(uow, package_id)
        terms = await get_package_terms(uow, package)
        await _refuse_unless_seen(uow, terms, guest)
        seller = await find_seller_facts(uow, tenant)
        way, code = choice.way, choice.code
        quoted, code_error = await quote_package(uow, tenant, terms, seller, way, code)
        reasons = why_not_for_sale(terms, seller, to_established=True)
        reason = guest_sentence(reasons) if reasons else None
        card = package_card(uow, tenant, package, await list_sold_singly(uow, tenant), reason)
        takes = terms.price_minor > 0 and await takes_codes(uow, tenant, FOR_PACKAGES)
        lines = price_lines(quoted, tenant.currency)
    if code_error and "coupon" not in form.errors:
        form = form.with_errors({"coupon": code_error})
    said = _said_of_code(form, choice, quoted, lines, tenant.currency)
    mode = str(quoted.payment_mode if quoted.to_pay_minor else PaymentMode.FREE)
    ways = [str(way) for way in open_ways(terms, seller)]
    if choice.changed and not said["told"]:
        form = form.with_errors(None, choice.changed)
    view = PackageFormView(
        card=card,
        form=form,
        form_token=token,
        action=f"{path}?send=1",
        sign_in_href=f"{portal_path(ctx)}/sign-in?next={quote(path)}",
        **_of_business(tenant),
        terms_key=terms.key,
        lines=lines,
        total_minor=quoted.to_pay_minor,
        mode=mode,
        ways=ways,
        transfer_until_on=due_day(seller.transfer_due_at, tenant.zone),
        takes_codes=takes or form.error("coupon") is not None,
        guest=guest,
        code_off_minor=quoted.code_off_minor,
        agreements=await _agreements(services, ctx, package_id, guest),
        in_parts=offered_parts(quoted, tenant, seller, services.clock.now(), form.value("way")),
        **wallet.fields(form.value("way"), mode, ways),
        **said,
    )
    status_code = 409 if card.reason and request.method == "POST" else status_code
    headers = OWN_HEADERS if guest is not None else FORM_HEADERS
    return page(request, TEMPLATE, view, status_code=status_code, headers=headers)


async def _refuse_unless_seen(
    uow: UnitOfWork, terms: PackageTerms, guest: PortalGuest | None
) -> None:
    """Raises: NotFound for what is hidden, or not for sale at all; EstablishedOnly."""
    if not terms.is_for_sale or terms.visibility == "hidden":
        raise no_such_package()
    customer_id = guest.customer_id if guest is not None else None
    if terms.is_kept and not await is_established(uow, customer_id):
        raise EstablishedOnly


def _of_business(tenant: TenantSnapshot) -> dict[str, Any]:
    return {
        "currency": tenant.currency,
        "zone": tenant.zone,
        "terms": tenant.booking_terms,
        "packages_href": f"/b/{tenant.slug}/packages",
        "contact_email": tenant.contact_email,
        "contact_phone": tenant.contact_phone,
    }


def _said_of_code(
    form: Bound[BuyForm],
    choice: _Choice,
    quoted: PackageQuote,
    lines: Sequence[PriceLine],
    currency: str,
) -> dict[str, Any]:
    words = code_words(lines, quoted.code_off_minor)
    now = (quoted.to_pay_minor, quoted.code_off_minor)
    return {
        "told": code_told(lines[-1][0] if choice.code else "", choice.shown, now, currency),
        "code_words": words,
        "exchanged": exchanged(form.value("code_words"), words, typed=form.value("coupon")),
    }


async def _slow_down(request: AnyRequest, services: Services) -> str | None:
    """The sentence for who has tried too many codes."""
    try:
        await services.limiter.check(CODES_BY_ADDRESS, client_address(request.scope))
    except TooManyRequests as refusal:
        return refusal.message
    return None


def _choice_of(data: FormData) -> _Choice:
    return _Choice(way=_way_of(data.texts.get("way", [""])[-1]), code=code_of(data))


def _way_of(typed: str) -> PaymentMode | None:
    """The chosen way to pay; None for what is none. A card that is kept pays online, and so does
    who pays in parts.
    """
    if typed == IN_PARTS or card_of_way(typed) is not None:
        return PaymentMode.ONLINE
    ways = (PaymentMode.ONLINE, PaymentMode.TRANSFER, PaymentMode.ON_SITE)
    return next((way for way in ways if way == typed), None)


route_handlers: list[Any] = [buying_form, send_buying]
