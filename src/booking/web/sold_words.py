"""Words and tones for the states of what is sold."""

from src.booking.domain.kinds import BookingState, SeatState, SeriesPriceType
from src.platform.i18n import _

Word = tuple[str, str]
"""A word with the tone of its badge."""


def booking_words() -> dict[str, Word]:
    return {
        BookingState.HELD.value: (_("Held"), "warning"),
        BookingState.CONFIRMED.value: (_("Booked"), "success"),
        BookingState.COMPLETED.value: (_("Over"), "muted"),
        BookingState.CANCELLED.value: (_("Cancelled"), "error"),
        BookingState.EXPIRED.value: (_("Released unpaid"), "muted"),
    }


def seat_words() -> dict[str, Word]:
    return {
        SeatState.HELD.value: (_("Held"), "warning"),
        SeatState.CONFIRMED.value: (_("Booked"), "success"),
        SeatState.ATTENDED.value: (_("Attended"), "success"),
        SeatState.NO_SHOW.value: (_("Did not come"), "warning"),
        SeatState.CANCELLED.value: (_("Cancelled"), "error"),
        SeatState.LATE_CANCELLED.value: (_("Cancelled late"), "error"),
        SeatState.SWAPPED.value: (_("Moved"), "info"),
        SeatState.EXPIRED.value: (_("Released unpaid"), "muted"),
    }


def door_words() -> dict[str, Word]:
    """Those of seats where people are ticked: whoever is ticked as here is called so."""
    return {**seat_words(), SeatState.ATTENDED.value: (_("Here"), "success")}


def price_type_words() -> dict[str, str]:
    return {
        SeriesPriceType.ONLINE.value: _("paid online"),
        SeriesPriceType.ON_SITE.value: _("paid on site"),
        SeriesPriceType.FREE.value: _("free"),
    }


def payment_words() -> dict[str, str]:
    return {
        "online": _("Online"),
        "on_site": _("On site"),
        "transfer": _("Bank transfer"),
        "credit": _("With credits"),
        "free": _("Free of charge"),
    }
