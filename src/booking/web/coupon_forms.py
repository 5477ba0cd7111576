"""The form of a coupon: what an owner types, as a draft, and back."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.billing.domain.coupon_drafts import CouponDraft
from src.billing.domain.coupons import CouponScope, normalise_code
from src.billing.models import Coupon
from src.booking.commands.coupons import Chosen
from src.booking.web.amounts import read_amount, show_amount
from src.platform.errors import InvalidInput
from src.platform.i18n import _

Amount = Annotated[str, Meta(max_length=30)]
NAMES = {"amount_minor": "amount", "min_spend_minor": "min_spend"}
LISTS = {
    CouponScope.SERVICES: "service_ids",
    CouponScope.SERIES: "series_ids",
    CouponScope.PACKAGES: "package_ids",
}
"""The field that goes with a scope."""


class CouponForm(msgspec.Struct, kw_only=True):
    """A coupon as it is typed. `token` becomes the id of a new one. `worth` says which of the two
    values counts, and `scope` which of the lists.
    """

    token: UUID | None = None
    code: Annotated[str, Meta(max_length=40)]
    worth: str = "percent"
    percent: int | None = None
    amount: Amount = ""
    scope: CouponScope = CouponScope.ALL
    service_ids: list[UUID] = msgspec.field(default_factory=list)
    series_ids: list[UUID] = msgspec.field(default_factory=list)
    package_ids: list[UUID] = msgspec.field(default_factory=list)
    starts_on: date | None = None
    ends_on: date | None = None
    min_spend: Amount = ""
    max_uses: int | None = None
    max_per_customer: int | None = None
    first_order_only: bool = False


def initial_of(coupon: Coupon, currency: str) -> dict[str, Any]:
    """The coupon as the form shows it at first."""
    is_amount, least_minor = coupon.amount_minor is not None, coupon.min_spend_minor
    chosen = LISTS.get(CouponScope(coupon.scope))
    return {
        "code": coupon.code,
        "worth": "amount" if is_amount else "percent",
        "percent": coupon.percent,
        "amount": show_amount(coupon.amount_minor or 0, currency) if is_amount else "",
        "scope": coupon.scope,
        "starts_on": coupon.starts_on,
        "ends_on": coupon.ends_on,
        "min_spend": show_amount(least_minor, currency) if least_minor else "",
        "max_uses": coupon.max_uses,
        "max_per_customer": coupon.max_per_customer,
        "first_order_only": coupon.first_order_only,
        **({chosen: coupon.scope_ids} if chosen else {}),
    }


def draft_of(form: CouponForm, currency: str) -> CouponDraft:
    """All but what it is for. Raises: InvalidInput for an amount that is none."""
    is_amount = form.worth == "amount"
    return CouponDraft(
        code=normalise_code(form.code),
        percent=None if is_amount else form.percent or 0,
        amount_minor=read_amount(form.amount, currency, "amount") if is_amount else None,
        scope=form.scope,
        starts_on=form.starts_on,
        ends_on=form.ends_on,
        min_spend_minor=read_amount(form.min_spend, currency, "min_spend"),
        max_uses=form.max_uses,
        max_per_customer=form.max_per_customer,
        first_order_only=form.first_order_only,
    )


def chosen_of(form: CouponForm) -> Chosen:
    return Chosen(
        service_ids=tuple(dict.fromkeys(form.service_ids)),
        series_ids=tuple(dict.fromkeys(form.series_ids)),
        package_ids=tuple(dict.fromkeys(form.package_ids)),
    )


def at_the_form(refused: InvalidInput, form: CouponForm) -> InvalidInput:
    """The same refusal at the form's own fields."""
    names = {**NAMES, "scope_ids": LISTS.get(form.scope, "service_ids")}
    fields = {names.get(name, name): sentence for name, sentence in refused.fields.items()}
    return InvalidInput(refused.message, fields=fields)


def worth_choices() -> list[tuple[str, str]]:
    return [("percent", _("A percentage")), ("amount", _("An amount"))]


def scope_choices() -> list[tuple[str, str, str]]:
    return [
        (CouponScope.ALL.value, _("Everything"), _("Every date, every series and every package.")),
        (
            CouponScope.ALL_BOOKINGS.value,
            _("Every booking"),
            _("Every date and every series, and no package."),
        ),
        (
            CouponScope.SERVICES.value,
            _("Chosen services"),
            _("Their dates, and their series as well."),
        ),
        (
            CouponScope.SERIES.value,
            _("Chosen series"),
            _("Bought as a whole; a single date of one does not count."),
        ),
        (
            CouponScope.ALL_PACKAGES.value,
            _("Every package"),
            _("Only packages of credits, also those that you make later."),
        ),
        (CouponScope.PACKAGES.value, _("Chosen packages"), _("And nothing else.")),
    ]
