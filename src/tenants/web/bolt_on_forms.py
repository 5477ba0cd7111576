"""The form of a bolt-on: what an admin types, as a command, and in words."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.web.formats import money
from src.platform.web.forms import Bound
from src.tenants.commands.bolt_ons import (
    BoltOnFace,
    BoltOnTerms,
    EditBoltOn,
    terms_of,
)
from src.tenants.domain.bolt_ons import BoltOnVisibility, OfferedBoltOn
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.plan_words import all_addition_sentences
from src.tenants.web.plan_forms import plain_price, prices_of


class BoltOnForm(msgspec.Struct, kw_only=True):
    """A bolt-on as it is typed. What it adds to a limit is empty for nothing."""

    based_on_version: int
    name: Annotated[str, Meta(max_length=60)]
    summary: Annotated[str, Meta(max_length=200)] = ""
    visibility: BoltOnVisibility
    active: bool = False
    monthly: Annotated[str, Meta(max_length=30)]
    yearly: Annotated[str, Meta(max_length=30)]
    features: frozenset[Feature] = frozenset()
    bookings_per_month: Annotated[int, Meta(ge=1, le=10_000_000)] | None = None
    members: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    step: str = ""


def initial_of(bolt_on: OfferedBoltOn) -> dict[str, Any]:
    """The bolt-on as the form shows it at first."""
    return {
        "based_on_version": bolt_on.version,
        "name": bolt_on.name,
        "summary": bolt_on.summary,
        "visibility": bolt_on.visibility,
        "active": bolt_on.active,
        "monthly": plain_price(bolt_on.monthly_minor, bolt_on.currency),
        "yearly": plain_price(bolt_on.yearly_minor, bolt_on.currency),
        "features": sorted(bolt_on.features),
        "bookings_per_month": bolt_on.increments.get(Limit.BOOKINGS_PER_MONTH),
        "members": bolt_on.increments.get(Limit.MEMBERS),
    }


def command_from(form: BoltOnForm, key: str, currency: str) -> EditBoltOn:
    """What was typed, as a command. Raises: InvalidInput for prices that are none."""
    prices, wrong = prices_of({"monthly": form.monthly, "yearly": form.yearly}, currency)
    if wrong:
        raise InvalidInput(_("Something in the form needs another look."), fields=wrong)
    increments = {
        Limit.BOOKINGS_PER_MONTH: form.bookings_per_month,
        Limit.MEMBERS: form.members,
    }
    return EditBoltOn(
        key=key,
        based_on_version=form.based_on_version,
        face=BoltOnFace(
            name=form.name, summary=form.summary, visibility=form.visibility, active=form.active
        ),
        terms=BoltOnTerms(
            monthly_minor=prices["monthly"],
            yearly_minor=prices["yearly"],
            features=form.features,
            increments={limit: more for limit, more in increments.items() if more is not None},
        ),
    )


def with_price_errors(bound: Bound[BoltOnForm], currency: str) -> Bound[BoltOnForm]:
    """A refused form with what is wrong with its prices too, so that all is said at once."""
    typed = {field: bound.value(field) for field in ("monthly", "yearly")}
    _amounts, wrong = prices_of(typed, currency)
    return bound.with_errors(wrong)


def changes_of(before: OfferedBoltOn, cmd: EditBoltOn) -> list[tuple[str, str]]:
    """What the edit changes, as (what, from and to), the terms after the face."""
    face = BoltOnFace(
        name=before.name,
        summary=before.summary,
        visibility=before.visibility,
        active=before.active,
    )
    old = _words(face) | _term_words(terms_of(before), before.currency)
    new = _words(cmd.face) | _term_words(cmd.terms, before.currency)
    return [(what, f"{old[what]} → {new[what]}") for what in old if old[what] != new[what]]


def seen_by(visibility: str) -> str:
    """Who sees the bolt-on, in a word or two."""
    return {"public": _("Businesses can ask for it"), "hidden": _("Hidden")}[visibility]


def _words(face: BoltOnFace) -> dict[str, str]:
    return {
        _("Name"): face.name,
        _("Summary"): face.summary or _("none"),
        _("Seen by"): seen_by(face.visibility.value),
        _("Given"): _("yes") if face.active else _("to nobody any more"),
    }


def _term_words(terms: BoltOnTerms, currency: str) -> dict[str, str]:
    adds = all_addition_sentences(terms.features, terms.increments)
    return {
        _("Price a month"): money(terms.monthly_minor, currency),
        _("Price a year"): money(terms.yearly_minor, currency),
        _("Adds"): ", ".join(adds) or _("none"),
    }
