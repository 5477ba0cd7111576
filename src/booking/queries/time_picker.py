"""Free times as a guest chooses among them: a month of days, and the times of one day."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from src.booking.domain.appointment_terms import (
    Length,
    SlotWish,
    appointment_terms_from,
    lengths_of,
)
from src.booking.domain.kinds import SeriesPriceType, SessionMode
from src.booking.models import Service
from src.booking.queries.dates import following, preceding
from src.booking.queries.free_times import Wanted, find_free_times, givers
from src.booking.views.appointments import PickerDay, PickerLink, PickerTime, TimePicker
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, first_weekday, week_of
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot

WEEK = 7
LOOKED_AHEAD = timedelta(days=62)
"""How much is looked through at once for the next free time."""


class Picked(msgspec.Struct, frozen=True, kw_only=True):
    """What has been chosen so far; None: whatever comes first."""

    month: date | None = None
    day: date | None = None
    minutes: int | None = None
    performer: UUID | None = None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the picker stands: the page's `path`, what its addresses carry besides, and where a
    chosen time leads. With `except_session` that appointment's time counts as free, except where it
    is at `present`, and `fixed_minutes` is its length. `anyone` is said in addresses where nobody
    is named.
    """

    path: str
    href_of: Callable[[SlotWish], str]
    carried: Mapping[str, str] = {}
    except_session: UUID | None = None
    present: SlotWish | None = None
    fixed_minutes: int | None = None
    anyone: str = ""


async def get_time_picker(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, picked: Picked, place: Place
) -> TimePicker:
    """The month asked for, else the first that has a free time; the times of the day asked for,
    else of the first day that has any.
    """
    now = uow.clock.now()
    known = await givers(uow, service.id)
    lengths = lengths_on_offer(service)
    minutes = place.fixed_minutes or _known_minutes(lengths, picked.minutes, service)
    performer = picked.performer if picked.performer in known else None
    chosen = msgspec.structs.replace(picked, minutes=minutes, performer=performer)
    today = to_local(now, tenant.zone).date()
    last_on = today + timedelta(days=service.horizon_days)
    not_at = _present_start(place, minutes, performer)
    wanted = Wanted(minutes, today, last_on, performer, place.except_session, not_at)
    month = chosen.month or (first_of_month(chosen.day) if chosen.day else None)
    next_on = None
    if month is None:
        next_on = await _next_on(uow, tenant, service, wanted)
        month = first_of_month(next_on or today)
    month = min(max(month, first_of_month(today)), first_of_month(last_on))
    ahead = following(month)
    of_month = replace(wanted, from_on=month, until_on=ahead - timedelta(days=1))
    found = await find_free_times(uow, tenant, service, of_month, now)
    times = _by_day(found, tenant)
    if not times:
        next_on = await _next_on(uow, tenant, service, replace(wanted, from_on=ahead))
    day = chosen.day if chosen.day in times else next(iter(times), None)
    link, first = _Links(place, chosen, month), first_weekday(tenant.country)
    return TimePicker(
        lengths=[] if place.fixed_minutes else _length_links(lengths, minutes, link),
        performers=_performer_links(known, performer, link),
        given_by=next(iter(known.values())) if len(known) == 1 else "",
        on=month,
        weekdays=[(short, wide) for _day, short, wide in week_of(tenant.country)],
        weeks=_weeks(first, month, times, day, today, link),
        previous_href=link.month(preceding(month)) if month > first_of_month(today) else None,
        next_href=link.month(ahead) if ahead <= last_on else None,
        chosen_on=day,
        times=_times(times.get(day, ()) if day else (), service, minutes, performer, place),
        next_on=next_on if not times else None,
        next_href_later=link.day(next_on) if next_on and not times else None,
    )


def _present_start(place: Place, minutes: int, performer: UUID | None) -> datetime | None:
    """When the appointment starts that is to be moved, unless somebody else is to give it."""
    present = place.present
    if present is None:
        return None
    wish = SlotWish(starts_at=present.starts_at, minutes=minutes, performer_id=performer)
    return present.starts_at if wish.is_at(present) else None


def first_of_month(on: date) -> date:
    return on.replace(day=1)


async def _next_on(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, wanted: Wanted
) -> date | None:
    """The first day with a free time, looked for stretch by stretch: most often it is near."""
    from_on, now = wanted.from_on, uow.clock.now()
    while from_on <= wanted.until_on:
        until_on = min(from_on + LOOKED_AHEAD, wanted.until_on)
        part = replace(wanted, from_on=from_on, until_on=until_on)
        found = await find_free_times(uow, tenant, service, part, now)
        if found:
            return to_local(next(iter(found)), tenant.zone).date()
        from_on = until_on + timedelta(days=1)
    return None


def _by_day(starts: Iterable[datetime], tenant: TenantSnapshot) -> dict[date, Sequence[datetime]]:
    days = groupby(starts, key=lambda at: to_local(at, tenant.zone).date())
    return {on: list(found) for on, found in days}


def lengths_on_offer(service: Service) -> list[Length]:
    """The shortest first, with what each costs."""
    terms = appointment_terms_from(service.appointment)
    found = lengths_of(terms, service.duration_minutes, service.price_minor)
    if service.price_type == SeriesPriceType.FREE:
        return [Length(one.minutes, 0) for one in found]
    return found


def _known_minutes(lengths: Sequence[Length], asked: int | None, service: Service) -> int:
    return asked if asked in {one.minutes for one in lengths} else service.duration_minutes


class _Links:
    """Addresses of the same page with something else chosen."""

    def __init__(self, place: Place, chosen: Picked, month: date) -> None:
        self._place, self._chosen, self._month = place, chosen, month

    def month(self, month: date) -> str:
        return self._to(month=f"{month:%Y-%m}")

    def day(self, on: date) -> str:
        return self._to(month=f"{on:%Y-%m}", day=on.isoformat())

    def minutes(self, minutes: int) -> str:
        return self._to(month=f"{self._month:%Y-%m}", minutes=str(minutes))

    def performer(self, performer_id: UUID | None) -> str:
        named = self._place.anyone if performer_id is None else str(performer_id)
        return self._to(month=f"{self._month:%Y-%m}", **{"with": named})

    def _to(self, **parts: str) -> str:
        kept = dict(self._place.carried)
        if self._place.fixed_minutes is None:
            kept["minutes"] = str(self._chosen.minutes)
        kept["with"] = str(self._chosen.performer or self._place.anyone)
        query = {name: value for name, value in {**kept, **parts}.items() if value}
        return f"{self._place.path}?{urlencode(query)}#times"


def _length_links(lengths: Sequence[Length], minutes: int, link: _Links) -> list[PickerLink]:
    if len(lengths) < 2:
        return []
    return [
        PickerLink(
            label=str(one.minutes),
            href=link.minutes(one.minutes),
            is_chosen=one.minutes == minutes,
            price_minor=one.price_minor,
        )
        for one in lengths
    ]


def _performer_links(
    known: Mapping[UUID, str], performer: UUID | None, link: _Links
) -> list[PickerLink]:
    """Nobody to choose where there is but one."""
    if len(known) < 2:
        return []
    anyone = PickerLink(label=_("Anyone"), href=link.performer(None), is_chosen=performer is None)
    return [
        anyone,
        *(
            PickerLink(label=name, href=link.performer(one), is_chosen=one == performer)
            for one, name in known.items()
        ),
    ]


def _weeks(
    first: int,
    month: date,
    times: Mapping[date, Sequence[datetime]],
    chosen: date | None,
    today: date,
    link: _Links,
) -> list[list[PickerDay | None]]:
    days: list[PickerDay | None] = [None] * ((month.weekday() - first) % WEEK)
    on = month
    while on.month == month.month:
        free = len(times.get(on, ()))
        days.append(
            PickerDay(
                on=on,
                times=free,
                href=link.day(on) if free else "",
                is_chosen=on == chosen,
                is_today=on == today,
            )
        )
        on += timedelta(days=1)
    days += [None] * (-len(days) % WEEK)
    return [days[start : start + WEEK] for start in range(0, len(days), WEEK)]


def _times(
    starts: Sequence[datetime],
    service: Service,
    minutes: int,
    performer: UUID | None,
    place: Place,
) -> list[PickerTime]:
    length = timedelta(minutes=minutes)
    return [
        PickerTime(
            starts_at=at,
            ends_at=at + length,
            is_online=service.mode == SessionMode.ONLINE,
            href=place.href_of(
                SlotWish(starts_at=at.astimezone(UTC), minutes=minutes, performer_id=performer)
            ),
        )
        for at in starts
    ]
