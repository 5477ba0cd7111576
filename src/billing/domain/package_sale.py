"""Whether a package can be bought, in which ways, and what it then costs.

One function judges, for the page, the form and the command alike; guests read one sentence, the
owner every reason and how to mend it.
Source: docs/algorithms/buying-packages.md.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from src.billing.domain.coupons import AppliedCoupon, Purchase
from src.billing.domain.credits import RefundRule, Scope
from src.billing.domain.kinds import WAITING_MODES, PaymentMode
from src.billing.domain.parts import can_be_paid_online
from src.billing.domain.schedules import Every, Part, Unit, in_parts
from src.billing.domain.vouchers import AppliedVoucher
from src.platform.i18n import _

MONTHLY = Every(1, Unit.MONTH)

WAITS_FOR_MONEY = timedelta(days=14)
"""How long a package that is paid on site waits for its money before it lapses."""

PENDING_DUE = "package"
"""The kind of the `due` rows of packages that wait to be paid on site; their `ref` is the order."""


class NotForSale(StrEnum):
    """Why a package cannot be bought, what is weightiest for a guest first."""

    HIDDEN = "package_hidden"
    ESTABLISHED_ONLY = "established_only"
    NOT_CONFIRMED = "not_confirmed"
    BUSINESS_CLOSED = "business_closed"
    PLAN_LACKS_PACKAGES = "plan_lacks_packages"
    INACTIVE = "package_inactive"
    NO_WAY_TO_PAY = "package_no_way"
    PAYMENTS_NOT_READY = "payments_not_ready"


@dataclass(frozen=True, slots=True)
class SaleReason:
    """`guest_sentence` is for strangers; `mend` says what the owner can do."""

    code: NotForSale
    guest_sentence: str
    owner_sentence: str
    mend: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTerms:
    """A package as it is offered now: what the guest is shown, and gets if they buy it. `is_kept`
    for established customers.
    """

    id: UUID
    name: str
    credits: int
    price_minor: int
    validity_days: int
    scope: Scope
    pays: tuple[PaymentMode, ...]
    tax_rate_bp: int = 0
    refund_rule: RefundRule = RefundRule.LINEAR
    is_for_sale: bool = True
    active: bool = True
    visibility: str = "public"
    is_kept: bool = False
    parts: int = 0
    parts_every: Every = MONTHLY

    @property
    def key(self) -> str:
        """Another one as soon as what is bought has changed; the price has its own question."""
        said = (
            self.name,
            self.credits,
            self.validity_days,
            self.scope.any_service,
            sorted(str(one) for one in self.scope.service_ids),
            sorted(self.scope.tags),
        )
        return hashlib.sha256(repr(said).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True, kw_only=True)
class SellerFacts:
    """What of the business decides about selling packages. `transfer_due_at` is until when the
    money of who pays by bank transfer now is waited for, None where the business takes none.
    """

    is_confirmed: bool
    sells: bool
    may_sell_packages: bool
    payments_ready: bool
    transfer_due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageQuote:
    """What one buyer pays, and how; decided at one moment and frozen with the hold. A `coupon`
    changes the price; a `voucher` does not, it pays a part of it or all.
    """

    terms: PackageTerms
    way: PaymentMode
    coupon: AppliedCoupon | None = None
    voucher: AppliedVoucher | None = None

    @property
    def discount_minor(self) -> int:
        return self.coupon.discount_minor if self.coupon is not None else 0

    @property
    def total_minor(self) -> int:
        return self.terms.price_minor - self.discount_minor

    @property
    def to_pay_minor(self) -> int:
        """What is left to pay beside the voucher."""
        return self.total_minor - (self.voucher.part_minor if self.voucher is not None else 0)

    @property
    def code_off_minor(self) -> int:
        """What the code takes off what would be left to pay, a coupon's or a voucher's."""
        return self.terms.price_minor - self.to_pay_minor

    def parts(self, today_on: date, least_minor: int) -> list[Part]:
        """What is left to pay in the parts that the package offers, the first of them today; none
        where it offers none, or one would be less than can be paid online.
        """
        if not self.terms.parts:
            return []
        every = self.terms.parts_every
        found = in_parts(self.to_pay_minor, self.terms.parts, every, today_on)
        return found if can_be_paid_online(found, least_minor) else []

    @property
    def payment_mode(self) -> PaymentMode:
        """A price of nothing needs no payment page, and nobody at the desk."""
        return self.way if self.total_minor else PaymentMode.FREE


def open_ways(terms: PackageTerms, seller: SellerFacts) -> tuple[PaymentMode, ...]:
    """Those that can be taken now, the page for cards first; none where nothing is to be paid. What
    is sold online can be paid by bank transfer where the business takes them.
    """
    if terms.price_minor == 0:
        return ()
    is_online = PaymentMode.ONLINE in terms.pays
    is_open = {
        PaymentMode.ONLINE: is_online and seller.payments_ready,
        PaymentMode.TRANSFER: is_online and seller.transfer_due_at is not None,
        PaymentMode.ON_SITE: PaymentMode.ON_SITE in terms.pays,
    }
    return tuple(way for way, can_be in is_open.items() if can_be)


def chosen_way(
    terms: PackageTerms, seller: SellerFacts, wanted: PaymentMode | None
) -> PaymentMode | None:
    """The wanted way while it is open, else the first that is; None where there is none."""
    if terms.price_minor == 0:
        return PaymentMode.FREE
    ways = open_ways(terms, seller)
    if wanted in ways:
        return wanted
    return ways[0] if ways else None


def purchase_of(terms: PackageTerms, way: PaymentMode, currency: str) -> Purchase:
    """What a coupon is judged for."""
    return Purchase(
        total_minor=terms.price_minor,
        currency=currency,
        pays_online=way in WAITING_MODES,
        subject_ids=frozenset({terms.id}),
        is_package=True,
    )


def why_not_for_sale(
    terms: PackageTerms, seller: SellerFacts, *, to_established: bool = False
) -> list[SaleReason]:
    """Every reason against selling it, empty when it can be bought; `to_established`: the buyer has
    proved to be an established customer.
    """
    kept = [_established_only()] if terms.is_kept and not to_established else []
    return [*_own_reasons(terms), *kept, *_seller_reasons(seller), *_way_reasons(terms, seller)]


def guest_sentence(reasons: Sequence[SaleReason]) -> str:
    """The one sentence for whoever wants to buy."""
    order = list(NotForSale)
    return min(reasons, key=lambda reason: order.index(reason.code)).guest_sentence


def _established_only() -> SaleReason:
    return SaleReason(
        NotForSale.ESTABLISHED_ONLY,
        _("This is for existing customers only."),
        _("It is kept for known customers, by the collections that it is in."),
        _("Mark the customer as known, or put it into a collection that is for everybody."),
    )


def _own_reasons(terms: PackageTerms) -> list[SaleReason]:
    found: list[SaleReason] = []
    if not terms.is_for_sale or terms.visibility == "hidden":
        found.append(
            SaleReason(
                NotForSale.HIDDEN,
                _("There is no such package."),
                _("The package is hidden from guests."),
                _("Make the package public or unlisted."),
            )
        )
    if not terms.active:
        found.append(
            SaleReason(
                NotForSale.INACTIVE,
                _("This package is not on sale any more."),
                _("The package is switched off."),
                _("Switch the package on."),
            )
        )
    return found


def _seller_reasons(seller: SellerFacts) -> list[SaleReason]:
    found: list[SaleReason] = []
    if not seller.is_confirmed:
        found.append(
            SaleReason(
                NotForSale.NOT_CONFIRMED,
                _("This page opens soon. Nothing can be booked yet."),
                _("No owner has confirmed an e-mail address yet."),
                _("Follow the link in the e-mail that we sent you."),
            )
        )
    if not seller.sells:
        found.append(
            SaleReason(
                NotForSale.BUSINESS_CLOSED,
                not_on_sale_at_present(),
                _("The business sells nothing at present."),
                _("Settle what is open under Plan, or end the pause."),
            )
        )
    if not seller.may_sell_packages:
        found.append(
            SaleReason(
                NotForSale.PLAN_LACKS_PACKAGES,
                not_on_sale_at_present(),
                _("The plan does not include packages."),
                _("Choose a plan with packages."),
            )
        )
    return found


def _way_reasons(terms: PackageTerms, seller: SellerFacts) -> list[SaleReason]:
    if terms.price_minor == 0 or open_ways(terms, seller):
        return []
    if PaymentMode.ONLINE in terms.pays:
        return [
            SaleReason(
                NotForSale.PAYMENTS_NOT_READY,
                _("Online payment is not possible at present. Please contact the business."),
                _("The payment account is not connected, or may not take payments yet."),
                _("Finish connecting payments, or let guests pay on site."),
            )
        ]
    return [
        SaleReason(
            NotForSale.NO_WAY_TO_PAY,
            not_on_sale_at_present(),
            _("The package has a price and no way to pay it."),
            _("Choose how the package can be paid."),
        )
    ]


def not_on_sale_at_present() -> str:
    return _("Packages are not on sale at present. Please contact the business.")
