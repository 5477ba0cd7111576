"""What somebody was told of a session and is no longer so, and who comes, in words."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from src.booking.domain.kinds import SessionMode
from src.booking.domain.moves import Facet, Said, what_differs
from src.platform.i18n import _
from src.platform.web.formats import date_range


def was_words(before: Said, now: Said) -> str:
    """One line with just what differs, as it was; empty when nothing does.

    The time is on the clock it was told on, which is named where it is another one now.
    """
    return " · ".join(_word(facet, before, now) for facet in what_differs(before, now))


def time_words(starts_at: datetime, ends_at: datetime, told_on: str, now_on: str) -> str:
    """On the clock it was told on, which is named where it is another one now."""
    when = date_range(starts_at, ends_at, told_on)
    return when if told_on == now_on else f"{when} ({told_on})"


def _word(facet: Facet, before: Said, now: Said) -> str:
    if facet is Facet.TIME:
        return time_words(before.starts_at, before.ends_at, before.timezone, now.timezone)
    if facet is Facet.TITLE:
        return before.title or _("no title")
    if facet is Facet.PLACE:
        is_online = before.mode == SessionMode.ONLINE
        return before.place or (_("online") if is_online else _("no place given"))
    return _("another link to join") if before.meeting_url else _("no link to join")


def person_words(name: str, tier: str) -> str:
    """One of a party with what their price is called; empty for who has neither name nor tier."""
    return f"{name} ({tier})" if name and tier else name or tier


class Person(NamedTuple):
    """One of a party. `number` is their place in it, which stays whoever else leaves or moves."""

    number: int
    name: str
    tier: str


def in_party(rows: Iterable[tuple[UUID, int, str, str]]) -> dict[UUID, Person]:
    """Everyone of a booking once, in the order of the form: from the participants of its seats,
    with their `queries.party.NUMBER`, names and tiers.
    """
    people = {one: Person(number, name, tier) for one, number, name, tier in rows}
    return dict(sorted(people.items()))


def in_party_of(seats: Iterable[Any]) -> dict[UUID, Person]:
    """The same of rows of seats that have these by name."""
    return in_party((one.participant_id, one.number, one.participant, one.tier) for one in seats)


def party_words(people: Sequence[Person], guest: str) -> list[str]:
    """Names and tiers of everyone who comes, in the party's order, by their number who has no name.
    Nothing where all pay the full price and none has a name, or only the guest who booked comes.
    """
    has_tiers = any(one.tier for one in people)
    names = {one.name for one in people} - {""}
    if not has_tiers and (not names or (len(people) == 1 and names == {guest})):
        return []
    if len(people) == 1:
        return [person_words(people[0].name, people[0].tier)]
    return names_of(people)


def names_of(people: Sequence[Person]) -> list[str]:
    """Names and tiers, by their number who has no name."""
    return [
        person_words(one.name or _("Person %(number)s", number=one.number), one.tier)
        for one in people
    ]
