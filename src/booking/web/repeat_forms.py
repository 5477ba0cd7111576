"""The form of a repeat: a rule in wall-clock words, and the dates that were ticked of it."""

import re
from datetime import date, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.commands.repeat import PublishRepeat
from src.booking.domain.kinds import SessionMode
from src.booking.domain.minimum import USUAL_HOURS
from src.booking.domain.repeat import (
    OccurrenceNote,
    RepeatRule,
    holiday_region_names,
    supported_holiday_regions,
)
from src.booking.models import Service
from src.booking.queries.repeat import RepeatDate
from src.booking.queries.resources import Choice
from src.booking.views.sessions import RepeatRow
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_babel_locale
from src.platform.web.formats import clock, date_range
from src.tenants.context import TenantSnapshot

_DAY = re.compile(r"[^\s,;]+")


class RepeatForm(msgspec.Struct, kw_only=True):
    """A repeat as it is typed. With `looked` it comes from the preview, and `ticked` counts."""

    weekdays: frozenset[int] = frozenset()
    start_on: date
    start_time: time
    duration_minutes: int
    until_on: date | None = None
    count: int | None = None
    skip_holidays_of: Annotated[str, Meta(max_length=40)] = ""
    skip_dates: Annotated[str, Meta(max_length=5000)] = ""
    title_pattern: Annotated[str, Meta(max_length=120)] = ""
    capacity: int
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=2000)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    min_seats: int | None = None
    decide_hours: int | None = None
    step: str = ""
    looked: bool = False
    ticked: frozenset[date] = frozenset()


def initial_of(service: Service, tenant: TenantSnapshot, today: date) -> dict[str, Any]:
    """Ten weeks from tomorrow, at six in the evening, with what the service begins with."""
    tomorrow = today + timedelta(days=1)
    return {
        "weekdays": [tomorrow.weekday()],
        "start_on": tomorrow,
        "start_time": time(18),
        "duration_minutes": service.duration_minutes,
        "count": 10,
        "skip_holidays_of": tenant.country if tenant.country in supported_holiday_regions() else "",
        "capacity": service.default_capacity,
        "mode": service.mode,
        "location_id": service.default_location_id,
        "performer_id": service.default_performer_id,
        "min_seats": service.default_min_seats,
        "decide_hours": service.default_decide_hours or USUAL_HOURS,
    }


def example_day(today: date) -> str:
    """A day to leave out, as it is typed: one that a repeat from now on could have."""
    return (today + timedelta(days=15)).isoformat()


def command_of(form: RepeatForm, service_id: UUID) -> PublishRepeat:
    """Raises: InvalidInput for extra dates that are none."""
    return PublishRepeat(
        service_id=service_id,
        rule=RepeatRule(
            weekdays=form.weekdays,
            start_on=form.start_on,
            start_time=form.start_time,
            duration_minutes=form.duration_minutes,
            until_on=form.until_on,
            count=form.count,
            skip_holidays_of=form.skip_holidays_of or None,
            skip_dates=_days(form.skip_dates),
        ),
        capacity=form.capacity,
        title_pattern=form.title_pattern,
        mode=form.mode,
        meeting_url=form.meeting_url,
        location_id=form.location_id,
        performer_id=form.performer_id,
        min_seats=form.min_seats,
        decide_hours=form.decide_hours,
    )


def left_out_of(form: RepeatForm, dates: list[RepeatDate]) -> frozenset[date]:
    """The days to do without: those unticked, or at first those on which somebody is taken."""
    if form.looked:
        days = {day_of(each) for each in dates if each.occurrence.included}
        return frozenset(days - form.ticked)
    return frozenset(day_of(each) for each in dates if each.clash is not None)


def day_of(each: RepeatDate) -> date:
    return each.occurrence.local_start.date()


def row_of(each: RepeatDate, zone: ZoneInfo) -> RepeatRow:
    """The date as the preview shows it."""
    note, tone = _note(each, zone)
    return RepeatRow(
        day=day_of(each),
        starts_at=each.occurrence.starts_at,
        ends_at=each.occurrence.ends_at,
        title=each.title,
        note=note,
        tone=tone,
        exists=each.exists,
        may_tick=each.occurrence.included and not each.passed and not each.exists,
        ticked=each.wanted,
    )


def holiday_choices(tenant: TenantSnapshot) -> list[Choice]:
    """The business's country as a whole, then its parts."""
    country = tenant.country.upper()
    if country not in supported_holiday_regions():
        return []
    name = current_babel_locale().territories.get(country, country)
    parts = sorted(holiday_region_names(country).items(), key=lambda part: part[1])
    return [(country, name), *((f"{country}-{code}", f"{name}, {part}") for code, part in parts)]


def _days(text: str) -> frozenset[date]:
    days: set[date] = set()
    for word in _DAY.findall(text):
        try:
            days.add(date.fromisoformat(word))
        except ValueError:
            sentence = _("“%(word)s” is no date; write it like 2027-04-05.", word=word[:20])
            raise InvalidInput(sentence, fields={"skip_dates": sentence}) from None
    return frozenset(days)


def _note(each: RepeatDate, zone: ZoneInfo) -> tuple[str, str | None]:
    """What to say about the date, and in which tone."""
    if each.passed:
        return _("has passed"), None
    if each.exists:
        return _("is there already"), None
    if each.clash is not None:
        when = date_range(each.clash.starts_at, each.clash.ends_at, zone)
        title = each.clash.title or _("another date of this repeat")
        return _("taken by %(title)s, %(when)s", title=title, when=when), "warning"
    return _note_of_the_rule(each)


def _note_of_the_rule(each: RepeatDate) -> tuple[str, str | None]:
    occurrence = each.occurrence
    shown = clock(occurrence.local_start.time())
    words = {
        OccurrenceNote.SKIPPED_HOLIDAY: (
            _("public holiday: %(name)s", name=occurrence.holiday_name or ""),
            None,
        ),
        OccurrenceNote.SKIPPED_DATE: (_("left out"), None),
        OccurrenceNote.MOVED_FORWARD: (
            _("the clocks skip this time; moved to %(time)s", time=shown),
            "info",
        ),
        OccurrenceNote.DOUBLED: (
            _("the clocks show this time twice; the first is meant"),
            "info",
        ),
    }
    return words[occurrence.note] if occurrence.note is not None else ("", None)
