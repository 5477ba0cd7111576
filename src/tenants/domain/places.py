"""The countries, currencies and timezones a business may choose."""

from zoneinfo import available_timezones

COUNTRIES = {
    "AT": "Austria", "AU": "Australia", "BE": "Belgium", "BG": "Bulgaria", "BR": "Brazil",
    "CA": "Canada", "CH": "Switzerland", "CY": "Cyprus", "CZ": "Czechia", "DE": "Germany",
    "DK": "Denmark", "EE": "Estonia", "ES": "Spain", "FI": "Finland", "FR": "France",
    "GB": "United Kingdom", "GR": "Greece", "HR": "Croatia", "HU": "Hungary", "IE": "Ireland",
    "IT": "Italy", "JP": "Japan", "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia",
    "MT": "Malta", "MX": "Mexico", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand",
    "PL": "Poland", "PT": "Portugal", "RO": "Romania", "SE": "Sweden", "SG": "Singapore",
    "SI": "Slovenia", "SK": "Slovakia", "US": "United States",
}  # fmt: skip
"""Where the processor takes payments and public holidays are known."""

CURRENCIES = (
    "EUR", "GBP", "USD", "PLN", "AUD", "BGN", "BRL", "CAD", "CHF", "CZK", "DKK", "HUF", "JPY",
    "MXN", "NOK", "NZD", "RON", "SEK", "SGD",
)  # fmt: skip

_OTHER_CURRENCY = {
    "AU": "AUD", "BR": "BRL", "CA": "CAD", "CH": "CHF", "CZ": "CZK", "DK": "DKK", "GB": "GBP",
    "HU": "HUF", "JP": "JPY", "MX": "MXN", "NO": "NOK", "NZ": "NZD", "PL": "PLN", "RO": "RON",
    "SE": "SEK", "SG": "SGD", "US": "USD",
}  # fmt: skip

_ONE_ZONE = {
    "AT": "Vienna", "BE": "Brussels", "BG": "Sofia", "CH": "Zurich", "CZ": "Prague",
    "DE": "Berlin", "DK": "Copenhagen", "EE": "Tallinn", "FI": "Helsinki", "FR": "Paris",
    "GB": "London", "GR": "Athens", "HR": "Zagreb", "HU": "Budapest", "IE": "Dublin",
    "IT": "Rome", "LT": "Vilnius", "LU": "Luxembourg", "LV": "Riga", "MT": "Malta",
    "NL": "Amsterdam", "NO": "Oslo", "PL": "Warsaw", "RO": "Bucharest", "SE": "Stockholm",
    "SI": "Ljubljana", "SK": "Bratislava",
}  # fmt: skip
_ONE_ZONE_ELSEWHERE = {
    "CY": "Asia/Nicosia", "JP": "Asia/Tokyo", "NZ": "Pacific/Auckland", "SG": "Asia/Singapore",
}  # fmt: skip

MONTH_FIRST = {"CA", "US"}


def english_of(country: str) -> str:
    """The English whose dates and hours the country's readers expect: 1 March and 18:00, or not."""
    return "en" if country in MONTH_FIRST else "en-GB"


def usual_currency(country: str) -> str:
    """What is paid with there; empty for a country that is not known."""
    return _OTHER_CURRENCY.get(country, "EUR") if country in COUNTRIES else ""


def usual_timezone(country: str) -> str:
    """The zone of the whole country; empty where its places are in several."""
    if country in _ONE_ZONE:
        return f"Europe/{_ONE_ZONE[country]}"
    return _ONE_ZONE_ELSEWHERE.get(country, "")


def timezones() -> list[str]:
    """Every zone with a place in it, and UTC; by name."""
    names = sorted(name for name in available_timezones() if "/" in name and _is_place(name))
    return [*names, "UTC"]


def _is_place(name: str) -> bool:
    return not name.startswith(("Etc/", "posix/", "right/", "SystemV/", "US/", "Canada/"))
