"""What new buyers of a series pay once dates of it are cancelled, said before they are."""

from collections.abc import Sequence

from src.booking.domain.price_label import price_words
from src.booking.domain.pricing import SaleClosed, SeriesQuote
from src.booking.queries.price_without import PriceWithout
from src.booking.web.toll_words import Fact
from src.platform.i18n import _, ngettext

_BUYABLE = (None, SaleClosed.FULL)


def price_facts(prices: Sequence[PriceWithout], currency: str) -> list[Fact]:
    """For each series whose sale it touches; which one, where there are several."""
    said = [(one.title, _said(one, currency)) for one in prices]
    said = [(title, words) for title, words in said if words]
    return [
        (
            _("New buyers") if len(prices) == 1 else _("New buyers of “%(series)s”", series=title),
            words,
        )
        for title, words in said
    ]


def _said(one: PriceWithout, currency: str) -> str:
    """Empty where nobody can buy it either way, and where it is the same."""
    before, after = one.before, one.after
    if before.closed not in _BUYABLE:
        return ""
    if after.closed is SaleClosed.FULL:
        return (
            _("It stays sold out.")
            if before.closed is SaleClosed.FULL
            else _("It is sold out then.")
        )
    if after.closed is not None:
        return _("Nobody can join it any more: no date is left that is sold with it.")
    if before.closed is SaleClosed.FULL:
        opens = _("It can be bought again, since no full date is left.")
        return f"{opens} {_price(after, currency)}"
    if (before.price_minor, before.included) == (after.price_minor, after.included):
        return ""
    sentences = [_compared(one, currency)]
    if before.price_minor != after.price_minor and one.has_others:
        sentences.append(_("Its other prices change in proportion."))
    return " ".join(sentences)


def _price(quote: SeriesQuote, currency: str) -> str:
    return ngettext(
        "They pay %(price)s for %(num)s date.",
        "They pay %(price)s for %(num)s dates.",
        len(quote.included),
        price=price_words(quote.price_minor, currency),
    )


def _compared(one: PriceWithout, currency: str) -> str:
    before, after = one.before, one.after
    words = {"price": price_words(after.price_minor, currency), "before": len(before.included)}
    if before.price_minor != after.price_minor:
        return ngettext(
            "They pay %(price)s for %(num)s date, instead of %(was)s for %(before)s.",
            "They pay %(price)s for %(num)s dates, instead of %(was)s for %(before)s.",
            len(after.included),
            was=price_words(before.price_minor, currency),
            **words,
        )
    if one.is_free:
        return ngettext(
            "They get %(num)s date instead of %(before)s.",
            "They get %(num)s dates instead of %(before)s.",
            len(after.included),
            before=len(before.included),
        )
    still = ngettext(
        "They still pay %(price)s, for %(num)s date instead of %(before)s.",
        "They still pay %(price)s, for %(num)s dates instead of %(before)s.",
        len(after.included),
        **words,
    )
    return f"{still} " + _("If it is to cost less, change the price of the series.")
