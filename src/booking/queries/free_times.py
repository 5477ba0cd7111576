"""When a service can be booked by appointment, and with whom."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import func, select, true

from src.booking.domain.appointment_terms import AppointmentTerms, appointment_terms_from
from src.booking.domain.free_times import (
    Availability,
    Hours,
    Stretch,
    free_starts,
    is_within,
    least_taken,
    open_stretches,
)
from src.booking.models import ClosedDay, DayHours, Service, ServicePerformer, WeeklyHours
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc
from src.tenants.context import TenantSnapshot
from src.tenants.models import Performer, PerformerBusy

A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The appointments that are looked for: of which length, from the first day to the last, given
    by whom; nobody: by anybody who gives them. What `except_session` takes is free, and a start
    `not_at` that moment.
    """

    minutes: int
    from_on: date
    until_on: date
    performer_id: UUID | None = None
    except_session: UUID | None = None
    not_at: datetime | None = None


async def find_free_times(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, wanted: Wanted, now: datetime
) -> dict[datetime, list[UUID]]:
    """Every start that a guest may choose, in order, with those who have time then.

    Held to the minimum notice and the furthest day of the service.
    """
    performers = await givers(uow, service.id, wanted.performer_id)
    first_on, last_on = _reach(tenant, service, wanted, now)
    if not performers or first_on > last_on:
        return {}
    terms = appointment_terms_from(service.appointment)
    # A stretch may begin on the evening before, and what is kept free reach into the next day.
    start, end = first_on - A_DAY, last_on + A_DAY
    available = await availability_of(uow, performers, start, end)
    busy = await _busy_of(uow, tenant, performers, start, end, wanted.except_session)
    earliest = max(now + timedelta(minutes=service.min_notice_minutes), _midnight(tenant, first_on))
    before = _midnight(tenant, last_on + A_DAY)
    found: dict[datetime, list[UUID]] = defaultdict(list)
    for performer_id in performers:
        stretches = open_stretches(available[performer_id], tenant.zone, start, end)
        for at in free_starts(
            stretches,
            busy.get(performer_id, ()),
            terms.fit(wanted.minutes),
            earliest=earliest,
            before=before,
        ):
            if at != wanted.not_at:
                found[at].append(performer_id)
    return dict(sorted(found.items()))


async def who_is_free(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    service: Service,
    starts_at: datetime,
    wanted: Wanted,
    now: datetime,
    *,
    by_staff: bool = False,
) -> list[UUID]:
    """Who has time for an appointment that starts then, whoever has least to do that day first.

    Guests choose among the times that are offered; staff are held to nothing but what takes people.
    """
    if by_staff:
        terms = appointment_terms_from(service.appointment)
        candidates = await _free_just_then(uow, service, terms, starts_at, wanted)
    else:
        free = await find_free_times(uow, tenant, service, wanted, now)
        candidates = free.get(starts_at, [])
    if len(candidates) < 2:
        return candidates
    on = to_local(starts_at, tenant.zone).date()
    busy = await _busy_of(uow, tenant, candidates, on, on, wanted.except_session)
    taken = {
        str(performer_id): sum((one.ends_at - one.starts_at for one in stretches), timedelta())
        for performer_id, stretches in busy.items()
    }
    return [UUID(one) for one in least_taken([str(one) for one in candidates], taken)]


async def givers(
    uow: UnitOfWork, service_id: UUID, performer_id: UUID | None = None
) -> dict[UUID, str]:
    """Who gives the service by appointment, by name, or only the one if they do."""
    found = await uow.session.execute(
        select(Performer.id, Performer.name)
        .join(
            ServicePerformer,
            (ServicePerformer.tenant_id == Performer.tenant_id)
            & (ServicePerformer.performer_id == Performer.id),
        )
        .where(
            Performer.tenant_id == uow.tenant,
            Performer.active,
            ServicePerformer.service_id == service_id,
            true() if performer_id is None else Performer.id == performer_id,
        )
        .order_by(Performer.name)
    )
    return {row.id: row.name for row in found}


async def availability_of(
    uow: UnitOfWork, performer_ids: Collection[UUID], from_on: date, until_on: date
) -> dict[UUID, Availability]:
    """Everybody's hours on those days, both included."""
    ids = list(performer_ids)
    weekly: dict[UUID, dict[int, list[Hours]]] = defaultdict(lambda: defaultdict(list))
    for row in await uow.session.execute(
        select(
            WeeklyHours.performer_id,
            WeeklyHours.weekday,
            WeeklyHours.starts_minute,
            WeeklyHours.ends_minute,
        ).where(WeeklyHours.tenant_id == uow.tenant, WeeklyHours.performer_id.in_(ids))
    ):
        weekly[row.performer_id][row.weekday].append(Hours(row.starts_minute, row.ends_minute))
    days: dict[UUID, dict[date, list[Hours]]] = defaultdict(lambda: defaultdict(list))
    for performer_id, on, starts_minute, ends_minute in await uow.session.execute(
        select(
            DayHours.performer_id, DayHours.on_date, DayHours.starts_minute, DayHours.ends_minute
        ).where(
            DayHours.tenant_id == uow.tenant,
            DayHours.performer_id.in_(ids),
            DayHours.on_date.between(from_on, until_on),
        )
    ):
        of_day = days[performer_id][on]
        if starts_minute is not None and ends_minute is not None:
            of_day.append(Hours(starts_minute, ends_minute))
    closed = await uow.session.scalars(
        select(ClosedDay.on_date).where(
            ClosedDay.tenant_id == uow.tenant, ClosedDay.on_date.between(from_on, until_on)
        )
    )
    shut = frozenset(closed)
    return {one: Availability(weekly[one], days[one], shut) for one in ids}


async def _free_just_then(
    uow: UnitOfWork,
    service: Service,
    terms: AppointmentTerms,
    starts_at: datetime,
    wanted: Wanted,
) -> list[UUID]:
    performers = await givers(uow, service.id, wanted.performer_id)
    fit = terms.fit(wanted.minutes)
    start, end = starts_at - fit.before, starts_at + fit.duration + fit.after
    busy = await _busy_between(uow, list(performers), start, end, wanted.except_session)
    return [one for one in performers if one not in busy]


async def _busy_of(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    performer_ids: Collection[UUID],
    from_on: date,
    until_on: date,
    except_session: UUID | None,
) -> Mapping[UUID, Sequence[Stretch]]:
    start, end = _midnight(tenant, from_on), _midnight(tenant, until_on + A_DAY)
    return await _busy_between(uow, list(performer_ids), start, end, except_session)


async def _busy_between(
    uow: UnitOfWork,
    performer_ids: Sequence[UUID],
    start: datetime,
    end: datetime,
    except_session: UUID | None,
) -> Mapping[UUID, Sequence[Stretch]]:
    during = PerformerBusy.during
    # Moments in arrays are read much faster than ranges in rows.
    found = await uow.session.execute(
        select(
            PerformerBusy.performer_id,
            func.array_agg(func.lower(during)),
            func.array_agg(func.upper(during)),
        )
        .where(
            PerformerBusy.tenant_id == uow.tenant,
            PerformerBusy.performer_id.in_(performer_ids),
            during.op("&&")(func.tstzrange(start, end)),
            true() if except_session is None else PerformerBusy.source_id != except_session,
        )
        .group_by(PerformerBusy.performer_id)
    )
    return {
        performer_id: [Stretch(*bounds) for bounds in zip(starts, ends, strict=True)]
        for performer_id, starts, ends in found
    }


async def is_in_hours(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    performer_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
) -> bool:
    """Whether the performer's hours hold all of it."""
    first, last = (to_local(at, tenant.zone).date() for at in (starts_at, ends_at))
    start, end = first - A_DAY, last + A_DAY
    available = await availability_of(uow, [performer_id], start, end)
    stretches = open_stretches(available[performer_id], tenant.zone, start, end)
    return is_within(stretches, starts_at, ends_at)


def _reach(
    tenant: TenantSnapshot, service: Service, wanted: Wanted, now: datetime
) -> tuple[date, date]:
    """The wanted days that can be booked today at all."""
    today = to_local(now, tenant.zone).date()
    furthest = today + timedelta(days=service.horizon_days)
    return max(wanted.from_on, today), min(wanted.until_on, furthest)


def _midnight(tenant: TenantSnapshot, on: date) -> datetime:
    return to_utc(datetime.combine(on, time()), tenant.zone)
