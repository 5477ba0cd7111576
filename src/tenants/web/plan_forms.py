"""The form of a plan: what an admin types, as a command, and in words."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import MoneyFormatError, currency_exponent, parse_money_minor
from src.platform.web.formats import money
from src.platform.web.forms import Bound
from src.tenants.commands.plans import EditPlan, PlanFace, PlanTerms, terms_of
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.plans import OfferedPlan, PlanVisibility
from src.tenants.plan_words import all_feature_names, limit_sentence


class PlanForm(msgspec.Struct, kw_only=True):
    """A plan as it is typed. An empty limit is none; `confirmed` comes from the second step."""

    based_on_version: int
    name: Annotated[str, Meta(max_length=60)]
    summary: Annotated[str, Meta(max_length=200)] = ""
    visibility: PlanVisibility
    monthly: Annotated[str, Meta(max_length=30)]
    yearly: Annotated[str, Meta(max_length=30)]
    trial_days: Annotated[int, Meta(ge=0, le=365)] = 0
    features: frozenset[Feature] = frozenset()
    bookings_per_month: Annotated[int, Meta(ge=0, le=10_000_000)] | None = None
    members: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    step: str = ""


def initial_of(plan: OfferedPlan) -> dict[str, Any]:
    """The plan as the form shows it at first."""
    return {
        "based_on_version": plan.version,
        "name": plan.name,
        "summary": plan.summary,
        "visibility": plan.visibility,
        "monthly": plain_price(plan.monthly_minor, plan.currency),
        "yearly": plain_price(plan.yearly_minor, plan.currency),
        "trial_days": plan.trial_days,
        "features": sorted(plan.features),
        "bookings_per_month": plan.limits.get(Limit.BOOKINGS_PER_MONTH),
        "members": plan.limits.get(Limit.MEMBERS),
    }


def command_from(form: PlanForm, key: str, currency: str) -> EditPlan:
    """What was typed, as a command. Raises: InvalidInput for prices that are none."""
    prices, fields = prices_of({"monthly": form.monthly, "yearly": form.yearly}, currency)
    if fields:
        raise InvalidInput(_("Something in the form needs another look."), fields=fields)
    limits = {
        Limit.BOOKINGS_PER_MONTH: form.bookings_per_month,
        Limit.MEMBERS: form.members,
    }
    return EditPlan(
        key=key,
        based_on_version=form.based_on_version,
        face=PlanFace(name=form.name, summary=form.summary, visibility=form.visibility),
        terms=PlanTerms(
            monthly_minor=prices["monthly"],
            yearly_minor=prices["yearly"],
            trial_days=form.trial_days,
            features=form.features,
            limits={limit: number for limit, number in limits.items() if number is not None},
        ),
    )


def with_price_errors(bound: Bound[PlanForm], currency: str) -> Bound[PlanForm]:
    """A refused form with what is wrong with its prices too, so that all is said at once."""
    typed = {field: bound.value(field) for field in ("monthly", "yearly")}
    _amounts, wrong = prices_of(typed, currency)
    return bound.with_errors(wrong)


def changes_of(before: OfferedPlan, cmd: EditPlan) -> list[tuple[str, str]]:
    """What the edit changes, as (what, from and to), the terms after the face."""
    face = {"name": before.name, "summary": before.summary, "visibility": before.visibility}
    old = _words(face) | _term_words(terms_of(before), before.currency)
    new = _words(msgspec.structs.asdict(cmd.face)) | _term_words(cmd.terms, before.currency)
    return [(what, f"{old[what]} → {new[what]}") for what in old if old[what] != new[what]]


def visibility_name(visibility: str) -> str:
    """Who sees the plan, in a word or two."""
    return {
        "public": _("In the price list"),
        "hidden": _("Hidden"),
        "internal": _("Internal"),
    }[visibility]


def _words(face: Mapping[str, Any]) -> dict[str, str]:
    return {
        _("Name"): str(face["name"]),
        _("Summary"): str(face["summary"]) or _("none"),
        _("Seen by"): visibility_name(str(face["visibility"])),
    }


def _term_words(terms: PlanTerms, currency: str) -> dict[str, str]:
    return {
        _("Price a month"): money(terms.monthly_minor, currency),
        _("Price a year"): money(terms.yearly_minor, currency),
        _("Trial days"): str(terms.trial_days),
        _("Bookings"): _limit_words(terms, Limit.BOOKINGS_PER_MONTH),
        _("Team"): _limit_words(terms, Limit.MEMBERS),
        _("Features"): ", ".join(all_feature_names(terms.features)) or _("none"),
    }


def _limit_words(terms: PlanTerms, limit: Limit) -> str:
    return limit_sentence(limit, terms.limits.get(limit))


def prices_of(typed: Mapping[str, str], currency: str) -> tuple[dict[str, int], dict[str, str]]:
    """The amounts by field, and what is wrong with those that are none."""
    prices: dict[str, int] = {}
    wrong: dict[str, str] = {}
    for field, text in typed.items():
        try:
            prices[field] = parse_money_minor(text, currency, current_locale())
        except MoneyFormatError as error:
            wrong[field] = error.sentence
    return prices, wrong


def plain_price(amount_minor: int, currency: str) -> str:
    """As a field of a form shows it, e.g. "49.00"."""
    return str(Decimal(amount_minor).scaleb(-currency_exponent(currency)))
