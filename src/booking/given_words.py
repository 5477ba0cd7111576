"""What mails say of places that their reader had given to somebody else."""

from collections.abc import Sequence

from src.booking.queries.mail_facts import SeatFacts
from src.platform.i18n import _, ngettext


def given_and_moved(seats: Sequence[SeatFacts]) -> str:
    """Of the places that were given up for another date; empty where none was given away."""
    given, people = _given(seats)
    if not given:
        return ""
    if given == len(seats):
        return ngettext(
            "You had given it to %(people)s: it ends there, which they are told. The new place is"
            " your own.",
            "You had given them to %(people)s: they end there, which they are told. The new places"
            " are your own.",
            given,
            people=people,
        )
    return ngettext(
        "You had given one of them to %(people)s: it ends there, which they are told. All new"
        " places are your own.",
        "You had given %(num)s of them to %(people)s: these end there, which they are told. All new"
        " places are your own.",
        given,
        people=people,
    )


def given_and_cancelled(seats: Sequence[SeatFacts]) -> str:
    """Of the places that ended; empty where none was given away."""
    given, people = _given(seats)
    if not given:
        return ""
    if len(seats) == 1:
        return _("You had given it to %(people)s, and they are told, too.", people=people)
    return ngettext(
        "You had given one of these places to %(people)s, and they are told, too.",
        "You had given %(num)s of these places to %(people)s, and they are told, too.",
        given,
        people=people,
    )


def _given(seats: Sequence[SeatFacts]) -> tuple[int, str]:
    """How many, and to whom, each once."""
    people = [item.person for item in seats if item.seat.is_handed_on]
    return len(people), ", ".join(dict.fromkeys(people))
