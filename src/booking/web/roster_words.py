"""Words of a session's roster."""

from collections.abc import Callable, Mapping

from src.booking.domain.kinds import SeatState
from src.booking.views.roster import Roster, RosterSeat
from src.platform.i18n import _

SHOWN: Mapping[str, Callable[[RosterSeat], bool]] = {
    "all": lambda _seat: True,
    "expected": lambda seat: seat.state == SeatState.CONFIRMED,
    "here": lambda seat: seat.state == SeatState.ATTENDED,
    "missing": lambda seat: seat.state == SeatState.NO_SHOW,
    "held": lambda seat: seat.state == SeatState.HELD,
    "to_pay": lambda seat: seat.payment == "on_site",
    "credit": lambda seat: seat.payment == "credit",
}
"""The parts of a roster that one looks at one at a time."""

SOMETIMES = ("held", "credit")

Tab = tuple[str, str, bool, int]


def roster_tabs(roster: Roster, shown: str, here: str) -> list[Tab]:
    """Each part with its address and how many are in it; those of the held and of
    credits only where some are.
    """
    counts = {part: sum(map(belongs, roster.coming)) for part, belongs in SHOWN.items()}
    words = {
        "all": _("Everybody"),
        "expected": _("Not here yet"),
        "here": _("Here"),
        "missing": _("Did not come"),
        "held": _("Held"),
        "to_pay": _("To pay"),
        "credit": _("With credits"),
    }
    return [
        (
            words[part],
            here if part == "all" else f"{here}?show={part}",
            part == shown,
            count,
        )
        for part, count in counts.items()
        if count or part not in SOMETIMES or shown == part
    ]


def payment_words() -> dict[str, tuple[str, str | None]]:
    return {
        "free": (_("Free"), None),
        "paid": (_("Paid online"), "success"),
        "paid_by_transfer": (_("Paid by transfer"), "success"),
        "awaits_transfer": (_("Transfer awaited"), "warning"),
        "on_site": (_("To pay on site"), "warning"),
        "paid_on_site": (_("Paid on site"), "success"),
        "credit": (_("Package"), "success"),
        "waived": (_("Nothing to pay"), None),
        "refunded": (_("Refunded"), "info"),
        "in_checkout": (_("In checkout"), "warning"),
        "by_link": (_("Link to pay mailed"), "warning"),
    }


def source_words() -> dict[str, str]:
    return {
        "hub": _("Single date"),
        "staff": _("Booked by staff"),
        "api": _("Through the API"),
    }


def consent_words() -> dict[str, str]:
    return {"terms": _("Booking terms"), "marketing": _("News by mail")}


def action_words() -> dict[str, str]:
    return {
        "session.published": _("Published"),
        "session.changed": _("Changed"),
        "session.moved_by_hand": _("Moved"),
        "session.cancelled": _("Cancelled"),
        "session.cancelled.undone": _("Cancelled, and undone in time"),
        "session.cancellation_undone": _("Cancelling undone"),
        "seats.cancelled": _("Places cancelled"),
        "seats.cancelled.undone": _("Places cancelled, and undone in time"),
        "seats.moved_away": _("Moved to another date"),
        "seats.moved_here": _("Moved here from another date"),
        "seats.cancellation_undone": _("Cancelling of places undone"),
        "session.drop_in_set": _("Single places set"),
        "session.minimum_set": _("Minimum group size set"),
        "session.let_take_place": _("Takes place, however few come"),
        "roster.exported": _("List of guests downloaded"),
        "roster.messaged": _("Written to guests"),
        "session.moved": _("Moved with the business's time zone"),
    }


def column_words() -> dict[str, str]:
    return {
        "time": _("time"),
        "title": _("title"),
        "starts_at": _("start"),
        "ends_at": _("end"),
        "capacity": _("seats"),
        "mode": _("online or in person"),
        "meeting_url": _("meeting link"),
        "location_id": _("place"),
        "performer_id": _("performer"),
    }
