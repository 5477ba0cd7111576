"""The form of a package: what an owner types, as a draft, and back."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from src.billing.domain.credits import RefundRule, Scope
from src.billing.domain.minimums import least_online_minor
from src.billing.domain.package_drafts import (
    PackageDraft,
    PackageWay,
    Purpose,
    Shown,
    package_errors,
)
from src.billing.domain.parts import days_of_plan, every_words
from src.billing.domain.schedules import Every, Unit
from src.billing.models import Package
from src.booking.web.amounts import read_amount, read_percent, show_amount, show_percent
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.platform.web.forms import Bound, rest_of
from src.tenants.domain.customer_tags import read_tags

NAMES = {"price_minor": "price", "tax_rate_bp": "tax_percent", "scope": "any_service"}
"""Where the form calls a field of the draft differently."""
IN_RANGE = ("credits",)
"""Fields whose range says more than that what was typed is no such number."""


class PackageForm(msgspec.Struct, kw_only=True):
    """A package as it is typed. `token` becomes the id of a new one."""

    token: UUID | None = None
    purpose: Purpose = Purpose.SALE
    name: Annotated[str, Meta(max_length=200)] = ""
    description: Annotated[str, Meta(max_length=5000)] = ""
    credits: int | None = None
    price: Annotated[str, Meta(max_length=30)] = ""
    tax_percent: Annotated[str, Meta(max_length=10)] = ""
    pays: list[PackageWay] = msgspec.field(default_factory=list)
    validity_days: int = 0
    any_service: bool = False
    service_ids: list[UUID] = msgspec.field(default_factory=list)
    tags: Annotated[str, Meta(max_length=1000)] = ""
    parts: int | None = None
    parts_every: int | None = None
    parts_unit: Unit = Unit.MONTH
    refund_rule: RefundRule = RefundRule.LINEAR
    visibility: Shown = Shown.PUBLIC
    position: int = 0


def initial_of(package: Package, currency: str) -> dict[str, Any]:
    """The package as the form shows it at first."""
    same = ("purpose", "name", "description", "credits", "pays", "validity_days", "any_service")
    more = ("service_ids", "refund_rule", "visibility", "position", "parts_every", "parts_unit")
    return {
        **{name: getattr(package, name) for name in (*same, *more)},
        "price": show_amount(package.price_minor, currency) if package.price_minor else "",
        "tax_percent": show_percent(package.tax_rate_bp) if package.tax_rate_bp else "",
        "tags": ", ".join(package.tags),
        "parts": package.parts or "",
    }


def draft_of(form: PackageForm, currency: str) -> PackageDraft:
    """Raises: InvalidInput for an amount, a rate or tags that are none, with all that is wrong
    beside them.
    """
    fields: dict[str, str] = {}
    draft = _draft(form, currency, fields)
    if fields:
        fields = _all_errors(draft, fields)
        raise InvalidInput(next(iter(fields.values())), fields=fields)
    return draft


def with_all_errors(bound: Bound[PackageForm], currency: str) -> Bound[PackageForm]:
    """A form that could not be read as a whole, with what is wrong in its other fields."""
    form = rest_of(PackageForm, bound)
    if form is None:
        return bound
    fields: dict[str, str] = {}
    found = _all_errors(_draft(form, currency, fields), fields)
    kept = {name: said for name, said in bound.errors.items() if name not in IN_RANGE}
    return bound.with_errors({**found, **kept})


def _all_errors(draft: PackageDraft, fields: Mapping[str, str]) -> dict[str, str]:
    """`fields` could not be read: what the rules say of an empty one in their place is no news."""
    found = {NAMES.get(name, name): said for name, said in package_errors(draft).items()}
    if "tags" in fields:
        found.pop("any_service", None)
    return {**found, **fields}


def _draft(form: PackageForm, currency: str, fields: dict[str, str]) -> PackageDraft:
    """What cannot be read is 0 or empty, and goes into `fields`."""
    price_minor = tax_rate_bp = 0
    tags: list[str] = []
    try:
        price_minor = read_amount(form.price, currency, "price")
    except InvalidInput as refused:
        fields |= refused.fields
    try:
        tax_rate_bp = read_percent(form.tax_percent, "tax_percent")
    except InvalidInput as refused:
        fields |= refused.fields
    try:
        tags = read_tags(form.tags)
    except InvalidInput as refused:
        fields |= refused.fields
    if said := _too_small_a_part(form, price_minor, currency):
        fields["parts"] = said
    return PackageDraft(
        purpose=form.purpose,
        name=form.name,
        description=form.description,
        credits=form.credits or 0,
        price_minor=price_minor,
        tax_rate_bp=tax_rate_bp,
        validity_days=form.validity_days,
        scope=_scope(form, tags),
        pays=tuple(form.pays),
        parts=form.parts or 0,
        parts_every=Every(1 if form.parts_every is None else form.parts_every, form.parts_unit),
        refund_rule=form.refund_rule,
        visibility=form.visibility,
        position=form.position,
    )


def _too_small_a_part(form: PackageForm, price_minor: int, currency: str) -> str:
    """What the processor would not take, and guests would then never be offered."""
    least_minor = least_online_minor(currency)
    if not form.parts or form.parts < 0 or not price_minor:
        return ""
    if price_minor // form.parts >= least_minor:
        return ""
    return _(
        "A part has to be %(least)s at least, or it cannot be paid online.",
        least=format_money(Money(least_minor, currency), current_locale()),
    )


def unit_choices() -> list[tuple[str, str]]:
    return [(Unit.WEEK.value, _("weeks")), (Unit.MONTH.value, _("months"))]


def parts_in_words(package: Package) -> str:
    """On the owner's page of it, with what an owner may not have meant."""
    if not package.parts:
        return _("No")
    every = Every(package.parts_every, Unit(package.parts_unit))
    said = _("%(number)s parts, %(every)s", number=package.parts, every=every_words(every))
    if 0 < package.validity_days < days_of_plan(package.parts, every):
        return f"{said}. " + _("The credits end before the last part is charged.")
    return said


def _scope(form: PackageForm, tags: list[str]) -> Scope:
    """Ticked as good for any service, a list beside it would only mislead later."""
    if form.any_service:
        return Scope(any_service=True)
    return Scope(service_ids=frozenset(form.service_ids), tags=frozenset(tags))


def at_the_form(refused: InvalidInput) -> InvalidInput:
    """The same refusal at the form's own fields."""
    fields = {NAMES.get(name, name): sentence for name, sentence in refused.fields.items()}
    return InvalidInput(refused.message, fields=fields)


def purpose_choices() -> list[tuple[str, str, str]]:
    return [
        (Purpose.SALE.value, _("For sale"), _("Guests buy credits, and book with them.")),
        (
            Purpose.REFUND.value,
            _("Given back for a cancelled date"),
            _("One credit instead of the money. It has no price and nobody can buy it."),
        ),
    ]


def way_choices(*, takes_transfers: bool) -> list[tuple[str, str, str]]:
    at_once = (
        _(
            "By card: the credits are there at once. By bank transfer too, as you take those: the"
            " credits wait until you have matched the transfer."
        )
        if takes_transfers
        else _("The credits are there at once. Bank transfers count as online, once you take them.")
    )
    return [
        (PackageWay.ONLINE.value, _("Online"), at_once),
        (
            PackageWay.ON_SITE.value,
            _("On site"),
            _("The credits wait until you have marked the order as paid."),
        ),
    ]


def rule_choices() -> list[tuple[str, str, str]]:
    return [
        (
            RefundRule.LINEAR.value,
            _("In proportion"),
            _("What was paid, divided by the credits bought."),
        ),
        (
            RefundRule.CLAW_BACK.value,
            _("Used ones at the single price"),
            _("What was paid, less what the used ones would have cost singly."),
        ),
    ]


def visibility_choices() -> list[tuple[str, str, str]]:
    return [
        (Shown.PUBLIC.value, _("Everybody"), _("It stands on your page of packages.")),
        (Shown.UNLISTED.value, _("Who has the link"), _("It is on no page.")),
        (Shown.HIDDEN.value, _("Nobody"), _("It cannot be bought.")),
    ]


def visibility_words() -> dict[str, str]:
    return {
        Shown.PUBLIC.value: _("On your page"),
        Shown.UNLISTED.value: _("By link only"),
        Shown.HIDDEN.value: _("Hidden"),
    }


def paid_in_words(pays: Collection[str], *, takes_transfers: bool) -> str:
    """The ways in which it can be paid, on the owner's page of it."""
    if not pays:
        return _("Nothing to pay")
    if PackageWay.ONLINE.value not in pays:
        return _("On site")
    if PackageWay.ON_SITE.value not in pays:
        return _("Online, by card or bank transfer") if takes_transfers else _("Online")
    if takes_transfers:
        return _("Online, by card or bank transfer, or on site")
    return _("Online or on site")
