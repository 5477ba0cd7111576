"""The words for what an owner chooses from."""

from src.booking.domain.kinds import SalesMode, SeriesPriceType, SessionMode, Visibility
from src.platform.i18n import _


def mode_words() -> dict[str, str]:
    return {
        SessionMode.IN_PERSON.value: _("In person"),
        SessionMode.ONLINE.value: _("Online"),
    }


def sales_mode_words() -> dict[str, str]:
    return {
        SalesMode.SINGLE.value: _("Single dates"),
        SalesMode.SERIES.value: _("Series"),
        SalesMode.BOTH.value: _("Single dates and series"),
    }


def visibility_words() -> dict[str, str]:
    return {
        Visibility.PUBLIC.value: _("On your public page"),
        Visibility.UNLISTED.value: _("By its link only"),
        Visibility.HIDDEN.value: _("Hidden"),
    }


def price_type_choices() -> list[tuple[str, str, str]]:
    online, on_site = (
        _("Guests pay by card while booking."),
        _("Guests book now and pay you there."),
    )
    return [
        (SeriesPriceType.ONLINE.value, _("Paid online"), online),
        (SeriesPriceType.ON_SITE.value, _("Paid on site"), on_site),
        (SeriesPriceType.FREE.value, _("Free"), _("Guests book without paying.")),
    ]


def sales_mode_choices(*, may_sell_series: bool) -> list[tuple[str, str, str, str, bool]]:
    needs = "" if may_sell_series else _("not in your plan")
    series = _("A whole course as one booking with one payment.")
    both = _("Guests choose between one date and the whole course.")
    words = sales_mode_words()
    single = (SalesMode.SINGLE.value, words["single"], _("Guests book date by date."), "", False)
    return [
        single,
        (SalesMode.SERIES.value, words["series"], series, needs, not may_sell_series),
        (SalesMode.BOTH.value, words["both"], both, needs, not may_sell_series),
    ]
