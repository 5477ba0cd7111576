"""The part of an editor that says how single dates are sold: as typed, as rules, and back."""

from typing import Annotated, Any, Protocol

from msgspec import Meta

from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.leaving import BeforeUnit
from src.booking.web.amounts import amount_or_none, show_amount
from src.booking.web.meanwhile import Words, of_choices
from src.platform.i18n import _

ALLOWED: dict[str, bool | None] = {"series": None, "yes": True, "no": False}
Typed = Annotated[str, Meta(max_length=30)]


class DropInFields(Protocol):
    """What an editor has in its form; an empty field falls back."""

    drop_in_price: Typed
    drop_in_opens_before: Typed
    drop_in_opens_unit: BeforeUnit
    drop_in_pays: list[PayWay]


def drop_in_initial(rules: DropInRules, currency: str) -> dict[str, Any]:
    """The rules as the form shows them at first."""
    price_minor, before = rules.price_minor, rules.opens_before
    return {
        "drop_in_price": "" if price_minor is None else show_amount(price_minor, currency),
        "drop_in_opens_before": "" if before is None else before,
        "drop_in_opens_unit": rules.opens_unit,
        "drop_in_pays": list(rules.pays),
    }


def read_drop_in(form: DropInFields, currency: str, fields: dict[str, str]) -> DropInRules:
    """The rules but for whether it is allowed; what is wrong with a field goes into `fields`."""
    before, typed = None, form.drop_in_opens_before.strip()
    if typed.isascii() and typed.isdigit():
        before = int(typed)
    elif typed:
        fields["drop_in_opens_before"] = _("Please give a whole number.")
    return DropInRules(
        price_minor=amount_or_none(form.drop_in_price, currency, "drop_in_price", fields),
        opens_before=before,
        opens_unit=form.drop_in_opens_unit,
        pays=tuple(dict.fromkeys(form.drop_in_pays)),
    )


def drop_in_labels() -> dict[str, str]:
    """What the editors call the fields."""
    return {
        "drop_in_price": _("Price of a single date"),
        "drop_in_opens_before": _("Single places open"),
        "drop_in_opens_unit": _("Counted in"),
        "drop_in_pays": _("How a single date is paid"),
    }


def drop_in_words() -> Words:
    """How saved values of the fields are said."""
    return {
        "drop_in_opens_unit": of_choices(unit_choices()),
        "drop_in_pays": of_choices(way_words().items()),
    }


def unit_choices() -> list[tuple[str, str]]:
    return [
        (BeforeUnit.DAYS.value, _("days before")),
        (BeforeUnit.HOURS.value, _("hours before")),
    ]


def way_choices() -> list[tuple[str, str]]:
    return list(way_words().items())


def way_words() -> dict[str, str]:
    return {
        PayWay.ONLINE.value: _("Paid online"),
        PayWay.ON_SITE.value: _("Paid on site"),
        PayWay.CREDIT.value: _("Paid with credits"),
    }
