"""The part of an editor that sets prices beside the full one: as typed, as tiers, and back."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from src.booking.domain.price_tiers import Audience, PriceTier
from src.booking.web.amounts import amount_or_none, show_amount
from src.platform.i18n import _, ngettext
from src.platform.web.forms import Bound

LEAST_ROWS = 2
SPARE_ROWS = 1


class PriceRow(msgspec.Struct, kw_only=True):
    """A price as it is typed; one without name and amount is none."""

    key: Annotated[str, Meta(max_length=60)] = ""
    name: Annotated[str, Meta(max_length=60)] = ""
    price: Annotated[str, Meta(max_length=30)] = ""
    until_on: date | None = None
    audience: Audience = Audience.PUBLIC

    @property
    def is_empty(self) -> bool:
        return not (self.name.strip() or self.price.strip())


class TiersView(msgspec.Struct, frozen=True, kw_only=True):
    """What the fields need beside the form."""

    rows: int
    audiences: list[tuple[str, str]]


def tiers_initial(tiers: Sequence[PriceTier], currency: str) -> list[dict[str, Any]]:
    """The tiers as the form shows them at first."""
    return [
        {
            "key": tier.key,
            "name": tier.name,
            "price": show_amount(tier.price_minor, currency),
            "until_on": tier.until_on,
            "audience": tier.audience,
        }
        for tier in tiers
    ]


def read_prices(
    rows: Sequence[PriceRow], currency: str, fields: dict[str, str]
) -> tuple[PriceTier, ...]:
    """The tiers; what is no amount goes into `fields`, at the form's own rows."""
    tiers: list[PriceTier] = []
    for place, row in enumerate(rows):
        if row.is_empty:
            continue
        at = f"prices.{place}.price"
        price_minor = amount_or_none(row.price, currency, at, fields)
        if price_minor is None:
            fields.setdefault(at, _("Please say what it costs; 0 is free."))
        tiers.append(
            PriceTier(
                key=row.key,
                name=row.name,
                price_minor=price_minor or 0,
                until_on=row.until_on,
                audience=row.audience,
            )
        )
    return tuple(tiers)


def at_the_rows(fields: dict[str, str], rows: Sequence[PriceRow]) -> dict[str, str]:
    """What a command found wrong, at the rows of the form that were filled in."""
    filled = [place for place, row in enumerate(rows) if not row.is_empty]
    found: dict[str, str] = {}
    for name, sentence in fields.items():
        head, _dot, rest = name.partition(".")
        position, _dot, column = rest.partition(".")
        is_row = head == "prices" and column
        found[f"prices.{filled[int(position)]}.{column}" if is_row else name] = sentence
    return found


def only_price_hint(tiers: Sequence[PriceTier]) -> str:
    """What a price of its own means for a date whose service has these; empty where it has none."""
    if not tiers:
        return ""
    return _(
        "A price here is the only one: the service's others (%(names)s) are not given for it then.",
        names=", ".join(tier.name for tier in tiers),
    )


def dearer_words(tiers: Sequence[PriceTier], full_minor: int) -> str:
    """That prices are above the full one, which nobody may have meant; empty where none is."""
    dearer = [f"“{tier.name}”" for tier in tiers if tier.price_minor > full_minor]
    if not dearer:
        return ""
    return ngettext(
        "%(names)s costs more than the full price.",
        "%(names)s cost more than the full price.",
        len(dearer),
        names=", ".join(dearer),
    )


def tiers_view(form: Bound[Any]) -> TiersView:
    """All that are filled in and an empty one, however often the form was sent."""
    used = form.rows_in_use("prices", "name", "price", "until_on")
    return TiersView(
        rows=max(LEAST_ROWS, used + SPARE_ROWS),
        audiences=[
            (Audience.PUBLIC.value, _("Everybody")),
            (Audience.STAFF.value, _("Only staff who book for a guest")),
        ],
    )
