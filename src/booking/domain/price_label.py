"""The price that a service shows: one decision, and one way to word a price, for hub, page, API,
mail and dashboard.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from src.booking.domain.appointment_terms import Length
from src.booking.domain.kinds import SalesMode, SeriesPriceType, ServiceKind
from src.platform.i18n import _, current_locale, use_locale
from src.platform.money import Money, format_money


class PriceKind(StrEnum):
    """Which prices are shown; `nothing` where there is none to show."""

    NOTHING = "nothing"
    SINGLE = "single"
    SERIES = "series"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class SingleOnSale:
    """A published session that has not started and may be booked alone. `tiers_minor` are the
    prices beside the full one that everybody can choose now.
    """

    price_minor: int
    sold_out: bool = False
    tiers_minor: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesOnSale:
    """A series that is active, public, and can be joined now but for free seats.

    `price_minor` is what joining now costs, `full_price_minor` what the whole term costs;
    `tiers_minor` are the prices beside it that everybody can choose now.
    """

    price_minor: int
    full_price_minor: int
    sold_out: bool = False
    tiers_minor: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFacts:
    """`catalogue_minor` is the service's own price for one booking, None when it has none;
    `catalogue_tiers_minor` are those beside it.
    """

    currency: str
    kind: ServiceKind
    sales_mode: SalesMode
    catalogue_minor: int | None
    catalogue_tiers_minor: tuple[int, ...] = ()
    singles: tuple[SingleOnSale, ...] = ()
    series: tuple[SeriesOnSale, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLabel:
    """A side that is not shown has no price. `free`: everything shown costs nothing.

    `single_from` and `series_from`: prices differ, and the lowest is given. `struck_full_minor` is
    the price of the whole term where exactly one series is shown, at one price, and it costs less
    by now.
    """

    kind: PriceKind
    currency: str
    single_minor: int | None = None
    single_from: bool = False
    series_minor: int | None = None
    series_from: bool = False
    free: bool = False
    sold_out: bool = False
    struck_full_minor: int | None = None


def effective_sales_mode(
    mode: SalesMode, *, singles_published: bool, series_published: bool
) -> SalesMode:
    """`both` is the one side that is really published when only one is."""
    if mode is not SalesMode.BOTH or singles_published == series_published:
        return mode
    return SalesMode.SINGLE if singles_published else SalesMode.SERIES


def price_label(facts: PriceFacts) -> PriceLabel:
    """The prices of what can really be had now.

    A side that is sold out steps back while the other can be had; sold-out offers count only where
    nothing else is left. Without any date, single prices fall back to the catalogue.
    """
    singles, series = _shown_sides(facts)
    if not singles and not series:
        return PriceLabel(kind=PriceKind.NOTHING, currency=facts.currency)
    offers: list[SingleOnSale | SeriesOnSale] = [*singles, *series]
    sold_out = all(offer.sold_out for offer in offers)
    if not sold_out:
        singles = [offer for offer in singles if not offer.sold_out]
        series = [offer for offer in series if not offer.sold_out]
    single_minor, single_from = _lowest(singles)
    series_minor, series_from = _lowest(series)
    return PriceLabel(
        kind=_kind(singles, series),
        currency=facts.currency,
        single_minor=single_minor,
        single_from=single_from,
        series_minor=series_minor,
        series_from=series_from,
        free=not (single_minor or series_minor or single_from or series_from),
        sold_out=sold_out,
        struck_full_minor=_struck(series),
    )


def price_of_lengths(
    price_type: str, price_minor: int, lengths: Sequence[Length], currency: str
) -> PriceLabel:
    """Of a service by appointment: the lowest price of all its lengths where they differ."""
    is_free = price_type == SeriesPriceType.FREE
    facts = PriceFacts(
        currency=currency,
        kind=ServiceKind.APPOINTMENT,
        sales_mode=SalesMode.SINGLE,
        catalogue_minor=0 if is_free else price_minor,
        catalogue_tiers_minor=() if is_free else tuple(one.price_minor for one in lengths),
    )
    return price_label(facts)


def text(label: PriceLabel, locale: str) -> str:
    """The label in words, without the struck price, which belongs on the detail page only."""
    with use_locale(locale):
        if label.kind is PriceKind.NOTHING:
            return _("Next dates soon")
        words = _("free") if label.free else " · ".join(_sides_in_words(label, locale))
        words = _alone(words)
        return _("%(price)s · sold out", price=words) if label.sold_out else words


def price_words(amount_minor: int, currency: str, *, is_lowest: bool = False) -> str:
    """One price inside of a sentence, in the current language; `is_lowest` of several."""
    return _amount(amount_minor, currency, current_locale(), is_lowest)


def price(
    amount_minor: int, currency: str, *, is_lowest: bool = False, inside: bool = False
) -> str:
    """The same as it stands by itself, for templates; `inside` of a sentence where it is said."""
    words = price_words(amount_minor, currency, is_lowest=is_lowest)
    return words if inside else _alone(words)


def _sides_in_words(label: PriceLabel, locale: str) -> list[str]:
    words: list[str] = []
    if label.single_minor is not None:
        words.append(_amount(label.single_minor, label.currency, locale, label.single_from))
    if label.series_minor is not None:
        amount = _amount(label.series_minor, label.currency, locale, label.series_from)
        words.append(_("series %(price)s", price=amount))
    return words


@lru_cache(maxsize=4096)
def _amount(amount_minor: int, currency: str, locale: str, is_lowest: bool) -> str:
    """Kept by language: a list of dates says it on every line."""
    with use_locale(locale):
        if not amount_minor:
            return _("partly free") if is_lowest else _("free")
        shown = format_money(Money(amount_minor, currency), locale)
        return _("from %(price)s", price=shown) if is_lowest else shown


def _alone(words: str) -> str:
    """With a capital, as the beginning of a line."""
    return words[:1].upper() + words[1:]


def _shown_sides(
    facts: PriceFacts,
) -> tuple[list[SingleOnSale], list[SeriesOnSale]]:
    catalogue: list[SingleOnSale] = []
    if facts.catalogue_minor is not None:
        tiers_minor = facts.catalogue_tiers_minor
        catalogue.append(SingleOnSale(facts.catalogue_minor, tiers_minor=tiers_minor))
    if facts.kind is ServiceKind.APPOINTMENT:
        return catalogue, []
    mode = effective_sales_mode(
        facts.sales_mode,
        singles_published=bool(facts.singles),
        series_published=bool(facts.series),
    )
    singles = [] if mode is SalesMode.SERIES else list(facts.singles)
    series = [] if mode is SalesMode.SINGLE else list(facts.series)
    if mode is not SalesMode.SERIES and not singles and not series:
        singles = catalogue
    return singles, series


def _lowest(offers: Sequence[SingleOnSale | SeriesOnSale]) -> tuple[int | None, bool]:
    """The lowest price and whether there are others."""
    prices_minor = [price for offer in offers for price in (offer.price_minor, *offer.tiers_minor)]
    return min(prices_minor, default=None), len(set(prices_minor)) > 1


def _kind(singles: Sequence[SingleOnSale], series: Sequence[SeriesOnSale]) -> PriceKind:
    if singles and series:
        return PriceKind.BOTH
    return PriceKind.SINGLE if singles else PriceKind.SERIES


def _struck(series: Sequence[SeriesOnSale]) -> int | None:
    if len(series) != 1 or series[0].tiers_minor:
        return None
    if series[0].price_minor >= series[0].full_price_minor:
        return None
    return series[0].full_price_minor
