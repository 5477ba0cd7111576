"""Buying a package: an order, and the lot of credits that waits for its money.

No unit of the month's counter is taken: the bookings made with the credits take theirs.
Source: docs/algorithms/buying-packages.md.
"""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from src.billing.commands.buying_in_parts import as_plan, parts_of, refuse_parts
from src.billing.commands.coupon_claims import claim_coupon
from src.billing.commands.credits import GUEST
from src.billing.commands.due import add_due
from src.billing.commands.instalments import insert_parts
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.commands.orders import NewLine, NewOrder, insert_order
from src.billing.commands.package_lines import KIND
from src.billing.commands.packages import get_package, no_such_package
from src.billing.commands.voucher_claims import claim_voucher
from src.billing.domain.credits import LotSource, end_of_day
from src.billing.domain.holds import HOLD_LIFETIME
from src.billing.domain.kinds import WAITING_MODES, PaymentMode
from src.billing.domain.package_sale import (
    PENDING_DUE,
    WAITS_FOR_MONEY,
    NotForSale,
    PackageQuote,
    PackageTerms,
    SaleReason,
    SellerFacts,
    chosen_way,
    guest_sentence,
    open_ways,
    purchase_of,
    why_not_for_sale,
)
from src.billing.domain.schedules import Part
from src.billing.events import PackageBought
from src.billing.models import Order
from src.billing.queries.coupon_use import CouponAsked, CouponJudged, judge_coupon, why_no_code
from src.billing.queries.package_terms import find_seller_facts, get_package_terms
from src.billing.queries.voucher_use import VoucherAsked, find_usable_voucher
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.money import Money, format_money
from src.tenants.commands.customers import find_or_add_customer, keep_customer
from src.tenants.context import RequestContext, TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.errors import EstablishedOnly
from src.tenants.gates import lacks_feature
from src.tenants.queries.established import is_established
from src.tenants.queries.tenants import tenant_snapshot


class BuyCommand(msgspec.Struct, frozen=True, kw_only=True):
    """One guest's wish. `customer_id` is who has proved to be that customer; without it the address
    decides. `coupon` is the code of one, or of a voucher. `quoted_minor`,
    `quoted_off_minor` and `quoted_terms` are what is to pay, what the code takes off it, and the
    terms' key they were shown, None when nobody was shown any.
    `single_minor` is what one session costs when it is bought. `in_parts`: the price is to be paid
    in the parts that `quoted_parts` stands for, None where nobody was shown any.
    """

    package_id: UUID
    guest_name: str
    guest_email: str
    form_token: str
    guest_phone: str = ""
    customer_id: UUID | None = None
    coupon: str = ""
    way: PaymentMode | None = None
    consents: dict[str, Any] = msgspec.field(default_factory=dict)
    quoted_minor: int | None = None
    quoted_off_minor: int | None = None
    quoted_terms: str | None = None
    in_parts: bool = False
    quoted_parts: str | None = None
    single_minor: int = 0
    source: str = "hub"
    locale: str = "en"

    def tidied(self) -> "BuyCommand":
        """The name on one line: it stands in headers of mails."""
        return msgspec.structs.replace(self, guest_name=" ".join(self.guest_name.split()))

    def fingerprint(self) -> str:
        """Equal for a repeated submit, different when anything the guest chose has changed."""
        said = msgspec.structs.replace(
            self.tidied(),
            form_token="",
            consents={},
            quoted_minor=None,
            quoted_off_minor=None,
            quoted_terms=None,
            quoted_parts=None,
            single_minor=0,
            locale="",
            source="",
        )
        return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


class NotSold(Conflict):
    """The package cannot be bought; `reasons` has every reason, the message is the guest's."""

    def __init__(self, reasons: list[SaleReason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class PackageChanged(Conflict):
    """Price or terms are not what the guest was shown; nothing was bought."""

    code = "package_changed"


class PackagePriceChanged(PackageChanged):
    """It is the price alone that is not what the guest was shown."""


class _Asker(NamedTuple):
    """Whose code it is to be, what the hold that is replaced has used of it, and what they were
    shown that is to pay.
    """

    code: str
    email: str
    without_order: UUID | None
    quoted_minor: int | None = None


Beside = Callable[[Order], None]
"""Puts more rows beside those of an order that is not written yet; it reads and claims nothing."""


async def buy_package(
    uow: UnitOfWork, ctx: RequestContext, cmd: BuyCommand, beside: Beside | None = None
) -> Order:
    """Writes the order and its lot; what is free, paid by voucher or on site is confirmed at once,
    and the credits of the latter wait until the business marks it as paid. What the caller keeps
    `beside` the order is written with it.

    Raises: NotFound, EstablishedOnly, NotSold, PlanLimitReached, InvalidInput at `way` and
    `coupon`, PackageChanged; nothing is written then.
    """
    now, cmd = uow.clock.now(), cmd.tidied()
    tenant = await tenant_snapshot(uow, ctx.here.id, now)
    seller = await find_seller_facts(uow, tenant)
    quote = await _judge(uow, tenant, seller, cmd)
    parts = _parts_wanted(tenant, seller, cmd, quote, now)
    customer_id = await _customer_of(uow, cmd, now)
    lifetime = HOLD_LIFETIME
    if quote.payment_mode is PaymentMode.TRANSFER and seller.transfer_due_at is not None:
        lifetime = seller.transfer_due_at - now
    new = _order(tenant, cmd, quote, customer_id, lifetime)
    new = as_plan(new, parts, tenant.name, now)
    order = await insert_order(uow, new, month=None, now=now)
    if parts:
        insert_parts(uow, order, parts)
    waits_on_site = quote.payment_mode is PaymentMode.ON_SITE and quote.to_pay_minor > 0
    is_pending = new.waits_for_payment or waits_on_site
    lot = _lot(tenant, cmd, quote, order, now, is_pending)
    insert_lots(uow, [lot], GUEST, now)
    if beside is not None:
        beside(order)
    if waits_on_site:
        await add_due(uow, PENDING_DUE, order.id, now + WAITS_FOR_MONEY)
    if not new.waits_for_payment:
        uow.record(PackageBought(order_id=order.id))
    await uow.settle()
    if quote.coupon is not None:
        await claim_coupon(uow, quote.coupon.coupon_id, customer_id)
    if quote.voucher is not None:
        await claim_voucher(uow, quote.voucher)
    return order


async def _customer_of(uow: UnitOfWork, cmd: BuyCommand, now: datetime) -> UUID:
    if cmd.customer_id is not None:
        return await keep_customer(uow, cmd.customer_id)
    return await find_or_add_customer(uow, cmd.guest_email, cmd.guest_name, cmd.guest_phone, now)


def _parts_wanted(
    tenant: TenantSnapshot,
    seller: SellerFacts,
    cmd: BuyCommand,
    quote: PackageQuote,
    now: datetime,
) -> list[Part]:
    """None for who pays at once. Raises: InvalidInput at `way`, PartsChanged."""
    if not cmd.in_parts:
        return []
    parts = parts_of(quote, tenant, seller, now)
    refuse_parts(parts, cmd.quoted_parts, is_signed_in=cmd.customer_id is not None)
    return parts


async def refuse_unless_sold_instead(
    uow: UnitOfWork, ctx: RequestContext, cmd: BuyCommand, order_id: UUID
) -> None:
    """Whether it can be bought once the hold `order_id` is given up for it; nothing is written.

    Raises: as `buy_package`.
    """
    tenant = await tenant_snapshot(uow, ctx.here.id, uow.clock.now())
    seller = await find_seller_facts(uow, tenant)
    quote = await _judge(uow, tenant, seller, cmd.tidied(), instead_of=order_id)
    _parts_wanted(tenant, seller, cmd, quote, uow.clock.now())


async def quote_package(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    terms: PackageTerms,
    seller: SellerFacts,
    way: PaymentMode | None,
    code: str,
) -> tuple[PackageQuote, str | None]:
    """What it costs with this code, and why the code is of no use, where it is not. The way is the
    wanted one while it is open.
    """
    chosen = chosen_way(terms, seller, way) or PaymentMode.ONLINE
    quote = PackageQuote(terms=terms, way=chosen)
    if not code.strip():
        return quote, None
    try:
        return await _with_code(uow, tenant, quote, _Asker(code, "", None)), None
    except InvalidInput as refused:
        return quote, refused.message


async def _judge(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    seller: SellerFacts,
    cmd: BuyCommand,
    *,
    instead_of: UUID | None = None,
) -> PackageQuote:
    terms = await get_package_terms(uow, await get_package(uow, cmd.package_id))
    is_known = terms.is_kept and await is_established(uow, cmd.customer_id)
    _refuse(tenant, why_not_for_sale(terms, seller, to_established=is_known))
    way = chosen_way(terms, seller, cmd.way)
    assert way is not None
    if terms.price_minor and cmd.way is not None and cmd.way not in open_ways(terms, seller):
        sentence = _("This cannot be paid that way. Please choose another one.")
        raise InvalidInput(sentence, fields={"way": sentence})
    if cmd.quoted_terms not in (None, terms.key):
        raise PackageChanged(
            _("This package has just been changed. Please look at it again before you buy.")
        )
    quote = PackageQuote(terms=terms, way=way)
    if cmd.coupon.strip():
        asker = _Asker(cmd.coupon, cmd.guest_email, instead_of, cmd.quoted_minor)
        quote = await _with_code(uow, tenant, quote, asker)
    is_off_as_shown = cmd.quoted_off_minor in (None, quote.code_off_minor)
    if cmd.quoted_minor not in (None, quote.to_pay_minor) or not is_off_as_shown:
        price = format_money(Money(quote.to_pay_minor, tenant.currency), cmd.locale)
        raise PackagePriceChanged(
            _("The price has changed to %(price)s. Please look again before you buy.", price=price)
        )
    return quote


def _refuse(tenant: TenantSnapshot, reasons: list[SaleReason]) -> None:
    """What is hidden is as good as absent; a missing feature is the plan's refusal.

    Raises: NotFound, EstablishedOnly, PlanLimitReached, NotSold.
    """
    codes = {reason.code for reason in reasons}
    if NotForSale.HIDDEN in codes:
        raise no_such_package()
    if NotForSale.ESTABLISHED_ONLY in codes:
        raise EstablishedOnly
    if NotForSale.PLAN_LACKS_PACKAGES in codes:
        refusal = lacks_feature(tenant.entitlements, Feature.PACKAGES)
        refusal.message = guest_sentence(reasons)
        raise refusal
    if reasons:
        raise NotSold(reasons)


async def _with_code(
    uow: UnitOfWork, tenant: TenantSnapshot, quote: PackageQuote, asker: _Asker
) -> PackageQuote:
    """The quote at the price that a coupon makes, or with the voucher that pays for it.

    Raises: InvalidInput at `coupon`, in a sentence for strangers.
    """
    judged = await _judge_coupon(uow, tenant, quote, asker)
    if judged.coupon is None:
        asked = VoucherAsked(
            code=asker.code,
            total_minor=quote.total_minor,
            pays_online=quote.way in WAITING_MODES,
            without_order=asker.without_order,
        )
        voucher = await find_usable_voucher(uow, tenant, asked)
        if voucher is not None:
            return replace(quote, voucher=voucher)
    if judged.applied is None:
        spent, shown_minor = judged.used_up, asker.quoted_minor
        was_quoted = spent is not None and shown_minor == replace(quote, coupon=spent).to_pay_minor
        sentence = await why_no_code(
            uow, judged, asker.code, is_package=True, was_quoted=was_quoted
        )
        raise InvalidInput(sentence, fields={"coupon": sentence})
    return replace(quote, coupon=judged.applied)


async def _judge_coupon(
    uow: UnitOfWork, tenant: TenantSnapshot, quote: PackageQuote, asker: _Asker
) -> CouponJudged:
    purchase = purchase_of(quote.terms, quote.way, tenant.currency)
    asked = CouponAsked(
        code=asker.code, purchase=purchase, email=asker.email, without_order=asker.without_order
    )
    return await judge_coupon(uow, tenant, asked)


def _order(
    tenant: TenantSnapshot,
    cmd: BuyCommand,
    quote: PackageQuote,
    customer_id: UUID,
    hold_lifetime: timedelta,
) -> NewOrder:
    line = NewLine(
        kind=KIND,
        subject_id=quote.terms.id,
        description=quote.terms.name,
        unit_minor=quote.terms.price_minor,
        discount_minor=quote.discount_minor,
        tax_rate_bp=quote.terms.tax_rate_bp,
    )
    return NewOrder(
        order_id=new_id(),
        customer_id=customer_id,
        payment_mode=quote.payment_mode,
        currency=tenant.currency,
        lines=(line,),
        guest_name=cmd.guest_name,
        guest_email=cmd.guest_email,
        guest_phone=cmd.guest_phone,
        form_token=cmd.form_token,
        fingerprint=cmd.fingerprint(),
        source=cmd.source,
        locale=cmd.locale,
        consents=cmd.consents,
        hold_lifetime=hold_lifetime,
        coupon=quote.coupon,
        voucher=quote.voucher,
    )


def _lot(
    tenant: TenantSnapshot,
    cmd: BuyCommand,
    quote: PackageQuote,
    order: Order,
    now: datetime,
    is_pending: bool,
) -> NewLot:
    """The terms as they are bought; for what waits, the time begins with the money. What is paid in
    later parts counts as paid for the credits once it is.
    """
    terms = quote.terms
    return NewLot(
        customer_id=order.customer_id,
        source=LotSource.PACKAGE,
        name=terms.name,
        credits=terms.credits,
        scope=terms.scope,
        currency=tenant.currency,
        package_id=terms.id,
        order_id=order.id,
        bought=terms.credits,
        paid_minor=quote.total_minor - order.later_minor,
        single_minor=cmd.single_minor,
        refund_rule=str(terms.refund_rule),
        validity_days=terms.validity_days,
        expires_at=None if is_pending else end_of_day(terms.validity_days, now, tenant.zone),
        pending=is_pending,
    )
