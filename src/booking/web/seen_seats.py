"""What a page with ticks showed of each seat, sent along with them, so that an old page undoes
nobody else's tick.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from src.booking.domain.kinds import SeatState
from src.booking.web.sold_words import door_words
from src.booking.web.some_names import some_names
from src.platform.i18n import ngettext

MOST_NAMED = 6


def seen_seats(was: Sequence[str]) -> dict[UUID, SeatState]:
    """The states by seat, each sent as `<id>:<state>`; of what is no such pair nothing was seen."""
    found: dict[UUID, SeatState] = {}
    for pair in was:
        seat_id, _colon, state = pair.partition(":")
        with suppress(ValueError):
            found[UUID(seat_id)] = SeatState(state)
    return found


def overtaken_words(overtaken: Mapping[UUID, SeatState], names: Mapping[UUID, str]) -> str:
    """Whose seats stay as they have become meanwhile, and what that is; of many the first ones by
    name, for the sentence has to fit into a cookie.
    """
    words = door_words()
    people = sorted(f"{names.get(one, '')} ({words[state][0]})" for one, state in overtaken.items())
    return ngettext(
        "This has changed since the page was loaded, so it stays as it is: %(people)s. If that is"
        " wrong, press again.",
        "These have changed since the page was loaded, so they stay as they are: %(people)s. If"
        " that is wrong, choose them again.",
        len(people),
        people=some_names(people, MOST_NAMED),
    )
