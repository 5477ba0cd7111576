"""The rules for single dates of a series, as they are kept, and as they hold."""

from collections.abc import Sequence

from src.booking.domain.drop_in import DropInRules, PayWay, resolve
from src.booking.domain.leaving import BeforeUnit
from src.booking.models import Series, Session
from src.booking.queries.offers import SessionOffer

LOOSE = DropInRules()
"""Of a date that is in no series: it costs what the service says."""


def rules_kept(row: Series | Session) -> DropInRules:
    """The rules of a series, or those a date has of its own."""
    return DropInRules(
        allowed=row.drop_in_allowed,
        price_minor=row.drop_in_price_minor,
        opens_before=row.drop_in_opens_before,
        opens_unit=BeforeUnit(row.drop_in_opens_unit),
        pays=tuple(PayWay(way) for way in row.drop_in_pays),
    )


def rules_from(
    allowed: bool | None,
    minor: int | None,
    before: int | None,
    unit: BeforeUnit | None,
    pays: Sequence[PayWay] | None,
) -> DropInRules:
    """The columns of `rules_in_sql`."""
    return DropInRules(
        allowed=allowed,
        price_minor=minor,
        opens_before=before,
        opens_unit=unit or BeforeUnit.DAYS,
        pays=tuple(pays or ()),
    )


def rules_of(offer: SessionOffer) -> DropInRules:
    """The rules that hold for the offered date."""
    if offer.session.is_slot:
        return DropInRules(price_minor=offer.session.drop_in_price_minor)
    if offer.series is None:
        return LOOSE
    return resolve(rules_kept(offer.session), rules_kept(offer.series))


def drop_in_columns(rules: DropInRules) -> dict[str, object]:
    """As a series or a date keeps them."""
    return {
        "drop_in_allowed": rules.allowed,
        "drop_in_price_minor": rules.price_minor,
        "drop_in_opens_before": rules.opens_before,
        "drop_in_opens_unit": str(rules.opens_unit),
        "drop_in_pays": [str(way) for way in rules.pays],
    }


def rules_in_sql(run: str, series: str) -> str:
    """What holds for a date, as columns of a statement: allowed, minor, before, unit, pays.

    The same as `resolve`; `run` and `series` are the tables' names in it.
    """
    before = "drop_in_opens_before"
    return (
        f"coalesce({run}.drop_in_allowed, {series}.drop_in_allowed) AS allowed,"
        f" coalesce({run}.drop_in_price_minor, {series}.drop_in_price_minor) AS minor,"
        f" coalesce({run}.{before}, {series}.{before}) AS before,"
        f" CASE WHEN {run}.{before} IS NULL THEN {series}.drop_in_opens_unit"
        f" ELSE {run}.drop_in_opens_unit END AS unit,"
        f" CASE WHEN {run}.drop_in_pays = '[]' THEN {series}.drop_in_pays"
        f" ELSE {run}.drop_in_pays END AS pays"
    )
