"""What a coupon takes off an order, and every reason against it.

One function judges, for the guest's form, the API, the booking itself and the owner who asks why a
code does not work. Guests read one sentence for all that tells of the business or of somebody else;
that nobody has such a code, and when one is valid, they may know; and that one was used up since
they were shown the price with it.
Source: docs/algorithms/coupons.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from babel.dates import format_date
from babel.lists import format_list

from src.billing.domain.minimums import least_online_minor
from src.platform.i18n import _, current_babel_locale, current_locale
from src.platform.money import Money, format_money, round_half_up


class CouponScope(StrEnum):
    """What a coupon is for: everything, every booking, every package, or the services, series or
    packages that were chosen.
    """

    ALL = "all"
    ALL_BOOKINGS = "all_bookings"
    ALL_PACKAGES = "all_packages"
    SERVICES = "services"
    SERIES = "series"
    PACKAGES = "packages"


CHOSEN = (CouponScope.SERVICES, CouponScope.SERIES, CouponScope.PACKAGES)
"""Scopes that go with a list."""

FOR_PACKAGES = (CouponScope.ALL, CouponScope.ALL_PACKAGES, CouponScope.PACKAGES)
FOR_BOOKINGS = tuple(
    scope for scope in CouponScope if scope is CouponScope.ALL or scope not in FOR_PACKAGES
)


class CouponReasonCode(StrEnum):
    UNKNOWN = "coupon_unknown"
    PLAN_LACKS_COUPONS = "coupon_plan"
    INACTIVE = "coupon_inactive"
    NOT_YET = "coupon_not_yet"
    EXPIRED = "coupon_expired"
    USED_UP = "coupon_used_up"
    CUSTOMER_LIMIT = "coupon_customer_limit"
    NOT_FIRST_ORDER = "coupon_not_first_order"
    NOT_FOR_THIS = "coupon_not_for_this"
    MIN_SPEND = "coupon_min_spend"
    NOTHING_OFF = "coupon_nothing_off"


@dataclass(frozen=True, slots=True)
class CouponReason:
    """`guest_sentence` is for strangers; `mend` is empty where nothing can be done."""

    code: CouponReasonCode
    guest_sentence: str
    owner_sentence: str
    mend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponTerms:
    """A coupon as it stands: its rules, and how often it has been used."""

    percent: int | None = None
    amount_minor: int | None = None
    scope: CouponScope = CouponScope.ALL
    scope_ids: frozenset[UUID] = frozenset()
    starts_on: date | None = None
    ends_on: date | None = None
    min_spend_minor: int = 0
    max_uses: int | None = None
    max_per_customer: int | None = None
    first_order_only: bool = False
    active: bool = True
    used: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What the coupon is wanted for. `subject_ids` are the service and, bought whole, the series;
    or the package.

    `total_minor` is what is asked without it; `pays_online` that this is paid by card.
    """

    total_minor: int
    currency: str
    pays_online: bool
    subject_ids: frozenset[UUID]
    is_package: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponGuest:
    """Who wants to use it, as far as that is known: how often they did, and what they bought."""

    used: int = 0
    has_ordered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedCoupon:
    """A coupon that was found usable, with what it takes off one order: a percentage of it, or,
    where `percent` is None, an amount.
    """

    coupon_id: UUID
    code: str
    discount_minor: int
    percent: int | None = None
    first_order_only: bool = False


def normalise_code(typed: str) -> str:
    """The spelling under which a code is one code: no blanks around it, capitals."""
    return typed.strip().upper()


def discount_minor(terms: CouponTerms, purchase: Purchase) -> int:
    """What comes off, from 0 to the whole total.

    A rest that nobody can pay online is given away with it, for the guest was told no higher price
    and the processor takes no lower one.
    """
    total_minor = purchase.total_minor
    if terms.percent is not None:
        off_minor = round_half_up(total_minor * terms.percent, 100)
    else:
        off_minor = terms.amount_minor or 0
    off_minor = min(max(off_minor, 0), total_minor)
    left_minor = total_minor - off_minor
    if off_minor and purchase.pays_online and left_minor < least_online_minor(purchase.currency):
        return total_minor
    return off_minor


def discount_within(discount_minor: int, total_minor: int, part_minor: int) -> int:
    """What of an order's discount was taken off for a part of its total, such as what is still to
    be paid of it; a half unit rounded up. The discount lies on all of it in proportion.
    """
    if part_minor >= total_minor:
        return discount_minor
    return round_half_up(discount_minor * part_minor, total_minor)


def why_not_usable(
    terms: CouponTerms | None,
    local_now: datetime,
    *,
    plan_has_coupons: bool,
    purchase: Purchase | None = None,
    guest: CouponGuest | None = None,
) -> list[CouponReason]:
    """Every reason against, the weightiest first; none when it may be used.

    `terms` are None for a code that does not exist. Without a purchase or a guest only what holds
    for all of them is judged. `local_now` is by the business's clock, by which the first and the
    last day count in full, the second that ends the last one too.
    """
    if terms is None:
        return [_reason(CouponReasonCode.UNKNOWN)]
    found = _standing(terms, local_now, plan_has_coupons)
    if guest is not None:
        found += [_reason(code) for code in _against_guest(terms, guest)]
    if purchase is not None:
        found += _against_purchase(terms, purchase)
    return found


def _standing(
    terms: CouponTerms, local_now: datetime, plan_has_coupons: bool
) -> list[CouponReason]:
    """What stands against everybody."""
    code = CouponReasonCode
    found = [] if plan_has_coupons else [_reason(code.PLAN_LACKS_COUPONS)]
    if not terms.active:
        found.append(_reason(code.INACTIVE))
    if terms.starts_on is not None and local_now.date() < terms.starts_on:
        said = _("This code is valid from %(day)s on.", day=_day(terms.starts_on))
        found.append(_reason(code.NOT_YET, said))
    just_before = local_now - timedelta(seconds=1)
    if terms.ends_on is not None and just_before.date() > terms.ends_on:
        said = _("This code was valid until %(day)s.", day=_day(terms.ends_on))
        found.append(_reason(code.EXPIRED, said))
    if terms.max_uses is not None and terms.used >= terms.max_uses:
        found.append(_reason(code.USED_UP))
    return found


def _day(day: date) -> str:
    return str(format_date(day, "long", locale=current_babel_locale()))


def _against_guest(terms: CouponTerms, guest: CouponGuest) -> list[CouponReasonCode]:
    found: list[CouponReasonCode] = []
    if terms.max_per_customer is not None and guest.used >= terms.max_per_customer:
        found.append(CouponReasonCode.CUSTOMER_LIMIT)
    if terms.first_order_only and guest.has_ordered:
        found.append(CouponReasonCode.NOT_FIRST_ORDER)
    return found


def _against_purchase(terms: CouponTerms, purchase: Purchase) -> list[CouponReason]:
    found: list[CouponReason] = []
    if not _is_for(terms, purchase):
        found.append(_reason(CouponReasonCode.NOT_FOR_THIS))
    if purchase.total_minor < terms.min_spend_minor:
        found.append(_min_spend(Money(terms.min_spend_minor, purchase.currency)))
    if discount_minor(terms, purchase) == 0:
        found.append(_reason(CouponReasonCode.NOTHING_OFF))
    return found


def _is_for(terms: CouponTerms, purchase: Purchase) -> bool:
    if terms.scope not in (FOR_PACKAGES if purchase.is_package else FOR_BOOKINGS):
        return False
    return terms.scope not in CHOSEN or bool(terms.scope_ids & purchase.subject_ids)


def no_use(*, is_package: bool = False) -> str:
    """The one sentence for all that a stranger is not to tell apart."""
    if is_package:
        return _("This code cannot be used for this package.")
    return _("This code cannot be used for this booking.")


def used_up_meanwhile() -> str:
    """For who was shown the price with it, and so knows already that it was good."""
    return _("This code has been used up in the meantime.")


def unknown_code() -> str:
    """For what is most likely a typing mistake."""
    return _("We do not know this code. Check it for typing mistakes.")


def one_at_a_time(codes: Sequence[str]) -> str:
    """For who typed several where one goes."""
    named = format_list([f"“{code}”" for code in codes], "or", current_babel_locale())
    return _("One code at a time, please: %(codes)s.", codes=named)


def guest_sentence(reasons: Sequence[CouponReason], *, is_package: bool = False) -> str:
    said = reasons[0].guest_sentence
    return no_use(is_package=is_package) if said == no_use() else said


def _min_spend(least: Money) -> CouponReason:
    amount = format_money(least, current_locale())
    return CouponReason(
        CouponReasonCode.MIN_SPEND,
        _("This code needs an order of at least %(amount)s.", amount=amount),
        _("The order is below the least amount of %(amount)s.", amount=amount),
        _("Lower the least amount of the coupon."),
    )


def _reason(code: CouponReasonCode, said: str = "") -> CouponReason:
    """`said` to the guest, where that is a sentence of its own."""
    owner, mend = _owner_words()[code]
    guest = said or no_use()
    if code is CouponReasonCode.UNKNOWN:
        guest = unknown_code()
    elif code is CouponReasonCode.NOT_FOR_THIS:
        guest = _("This code is for something else.")
    elif code is CouponReasonCode.NOTHING_OFF:
        guest = _("There is nothing to take off here.")
    return CouponReason(code, guest, owner, mend)


def _owner_words() -> dict[CouponReasonCode, tuple[str, str]]:
    """What the owner is told, and how to mend it."""
    code = CouponReasonCode
    raise_limit = _("Raise the limit, or make another coupon.")
    return {
        code.UNKNOWN: (_("There is no coupon with this code."), ""),
        code.PLAN_LACKS_COUPONS: (
            _("Coupons are not part of your plan."),
            _("Take a plan that has them; the coupons are all still there."),
        ),
        code.INACTIVE: (_("The coupon is switched off."), _("Switch it on.")),
        code.NOT_YET: (_("Its first day has not come yet."), _("Choose an earlier first day.")),
        code.EXPIRED: (_("Its last day is over."), _("Choose a later last day.")),
        code.USED_UP: (_("It has been used as often as it may be."), raise_limit),
        code.CUSTOMER_LIMIT: (_("This customer has used it as often as they may."), raise_limit),
        code.NOT_FIRST_ORDER: (
            _("It is for the first order only, and this customer has ordered before."),
            _("Let it be used for later orders too."),
        ),
        code.NOT_FOR_THIS: (
            _("It is not for this offer."),
            _("Add the offer to what the coupon is for."),
        ),
        code.NOTHING_OFF: (_("There is nothing to pay, or less than it could take off."), ""),
    }


def coupon_worth(terms: CouponTerms, currency: str) -> str:
    """What it takes off, in two words."""
    if terms.percent is not None:
        return _("%(percent)s%% off", percent=terms.percent)
    amount = format_money(Money(terms.amount_minor or 0, currency), current_locale())
    return _("%(amount)s off", amount=amount)
