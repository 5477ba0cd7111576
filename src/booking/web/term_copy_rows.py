"""The form of a term's copy: which dates were ticked of those seen, and what is said of each."""

from datetime import date, datetime
from functools import partial
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.commands.term_copy import CopyTerm, PlannedDate, PlannedTerm
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.repeat import holiday_name
from src.booking.domain.term_copy import Hole, holes_before
from src.booking.queries.drop_in import drop_in_columns
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.web.formats import day_long, day_medium


class CopyForm(msgspec.Struct):
    """`token` becomes the new series' id. `listed` are the dates as they were seen, `ticked` the
    sessions of those to copy; `looked` says that the new series is to be made of them.
    """

    token: UUID
    first_on: date
    title: Annotated[str, Meta(max_length=120)]
    skip_holidays: bool = False
    number_anew: bool = False
    looked: bool = False
    listed: frozenset[str] = frozenset()
    ticked: frozenset[UUID] = frozenset()


class CopiedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A date of the copy with what is to be said about it. `hole` is said before it."""

    id: UUID
    listed: str
    starts_at: datetime
    ends_at: datetime
    title: str
    notes: list[str]
    clash: str | None
    hole: str
    is_ticked: bool
    may_tick: bool


def listed_as(each: PlannedDate) -> str:
    """A date as the form carries it: what it is made from, when, and whether it was free."""
    taken = "taken" if each.clash else "free"
    return f"{each.source.id} {each.date.starts_at.isoformat()} {taken}"


def ticked_of(form: CopyForm, term: PlannedTerm) -> frozenset[UUID]:
    """What is ticked: as it was sent, but for dates that nobody has seen like this.

    Those are ticked as at first: new ones, and those that were taken at another time.
    """
    seen = {text.split(" ", 1)[0]: text for text in form.listed}
    ticked = set()
    for each in term.dates:
        text = seen.get(str(each.source.id))
        was_taken = text is not None and text != listed_as(each) and text.endswith("taken")
        as_sent = text is not None and not (was_taken and each.source.id not in form.ticked)
        if each.source.id in form.ticked if as_sent else each.is_wanted:
            ticked.add(each.source.id)
    return frozenset(ticked)


def was_seen(form: CopyForm, term: PlannedTerm) -> bool:
    """Whether every date was listed as it would be made now."""
    return form.listed == {listed_as(each) for each in term.dates}


def command_of(form: CopyForm, series_id: UUID, country: str) -> CopyTerm:
    return CopyTerm(
        series_id=series_id,
        new_id=form.token,
        title=form.title,
        first_on=form.first_on,
        skip_holidays_of=country if form.skip_holidays else None,
        number_anew=form.number_anew,
    )


def rows_of(term: PlannedTerm, zone: ZoneInfo, country: str, *, anew: bool) -> list[CopiedRow]:
    """A hole in the old term, left for holidays perhaps, is one in the new term, and is said."""
    days = [to_local(each.source.starts_at, zone).date() for each in term.dates]
    holes = holes_before(days, partial(holiday_name, country or None))
    return [
        CopiedRow(
            id=each.source.id,
            listed=listed_as(each),
            starts_at=each.date.starts_at,
            ends_at=each.date.ends_at,
            # Beside titles that are counted anew its old number would be somebody else's.
            title="" if term.counts and anew and not each.is_wanted else each.title,
            notes=_notes(each),
            clash=each.clash,
            hole=_said(hole) if hole else "",
            is_ticked=each.is_wanted,
            may_tick=each.date.holiday is None,
        )
        for each, hole in zip(term.dates, holes, strict=True)
    ]


def _said(hole: Hole) -> str:
    nothing = _(
        "In the old term there was nothing between %(after)s and %(before)s, so there is nothing"
        " here either.",
        after=day_medium(hole.after),
        before=day_medium(hole.before),
    )
    why = (
        _("%(day)s was a public holiday: %(holiday)s.", day=day_medium(on), holiday=name)
        for on, name in hole.holidays
    )
    return " ".join((nothing, *why))


def _notes(each: PlannedDate) -> list[str]:
    notes = []
    if each.was_cancelled:
        notes.append(_("cancelled in the old term"))
    if each.date.holiday is not None:
        notes.append(_("public holiday: %(name)s", name=each.date.holiday))
    notes += [
        _("a week on: %(day)s is %(holiday)s", day=day_long(on), holiday=name)
        for on, name in each.date.skipped
    ]
    unset = drop_in_columns(DropInRules())
    if any(getattr(each.source, name) != value for name, value in unset.items()):
        notes.append(_("keeps its own rule for single places"))
    return notes
