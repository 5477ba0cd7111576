"""Reminding guests of their dates.

Nothing is planned ahead but when a tenant is looked at next. What is due is worked out then, from
the seats, the sessions and the reminders as they are; so who cancelled is not reminded, and a date
that moved is reminded of at its new time. A claim for each booking, date and offset is written with
the mail, hence a second run, or a second worker, finds nothing left to do.
Source: docs/algorithms/mails.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from src.billing.cron import work_off
from src.booking.commands.reminders import REMIND_DUE, claim_reminders, look_again
from src.booking.domain.reminding import due_reminders, hours_of, next_look
from src.booking.jobs.handing_on import tell_holders
from src.booking.mails import reminder_mail
from src.booking.queries.mail_facts import BookingFacts, facts_of_seats
from src.booking.queries.reminders import Waiting, has_reminders, list_upcoming, list_waiting
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import queue_mails
from src.platform.services import Services
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

REMIND_SECONDS = 20
CHUNK_BOOKINGS = 100
CHUNKS_AT_ONCE = 20

# Locked before they are claimed, so that a seat that is being cancelled gets no mail, and keeps its
# reminder; pairs of a booking and a date, for one booking may have others that are not due.
_LOCK_SEATS = text(
    "SELECT s.id, s.booking_id, s.session_id FROM seats s"
    " JOIN unnest(:booking_ids, :session_ids) AS due (booking_id, session_id)"
    " ON s.booking_id = due.booking_id AND s.session_id = due.session_id"
    " WHERE s.tenant_id = :tenant_id AND s.state = 'confirmed' AND s.cancellation_id IS NULL"
    " ORDER BY s.session_id, s.id FOR NO KEY UPDATE OF s"
).bindparams(
    bindparam("booking_ids", type_=ARRAY(Uuid)), bindparam("session_ids", type_=ARRAY(Uuid))
)


Pair = tuple[UUID, UUID]


class Reminded(NamedTuple):
    """One person and one date; `key` names the mail, so that two chunks make one of it."""

    key: str
    bookings: list[BookingFacts]


def reminding(services: Services) -> Periodic:
    """Reminders by the clock."""

    async def remind() -> None:
        await remind_due(services)

    return Periodic("booking.remind", remind, REMIND_SECONDS)


async def remind_due(services: Services) -> int:
    """Goes through the tenants whose time has come. Returns how many."""
    return await work_off(services, (REMIND_DUE,), remind_tenant, parallel=2)


async def remind_tenant(services: Services, due: Due) -> None:
    """Mails what is due, in chunks of their own transactions, and says when to look again."""
    for _chunk in range(CHUNKS_AT_ONCE):
        async with services.uow_factory(due.tenant_id) as uow:
            found = await _remind_chunk(uow, services)
        if found < CHUNK_BOOKINGS:
            break
    async with services.uow_factory(due.tenant_id) as uow:
        await look_again(uow, due.at, await _next_look(uow, is_more_left=found == CHUNK_BOOKINGS))


async def _next_look(uow: UnitOfWork, *, is_more_left: bool) -> datetime | None:
    now = uow.clock.now()
    if is_more_left:
        return now
    if not await has_reminders(uow):
        return None
    tenant = await tenant_snapshot(uow, uow.tenant, now)
    return next_look(await list_upcoming(uow, now), now, tenant.zone)


async def _remind_chunk(uow: UnitOfWork, services: Services) -> int:
    """Returns how many bookings were waiting, this chunk at most."""
    settings, now = services.settings, uow.clock.now()
    tenant = await tenant_snapshot(uow, uow.tenant, now)
    if not tenant.status.is_seen:
        return 0
    due = due_reminders(await list_upcoming(uow, now), now, tenant.zone)
    waiting = await list_waiting(uow, due, CHUNK_BOOKINGS)
    # Who is being cancelled by now is not claimed either: undone, a later look finds them.
    seats = await _lock_seats(uow, waiting)
    standing = [one for one in waiting if (one.booking_id, one.session_id) in seats]
    people = await _people(uow, await claim_reminders(uow, standing), seats)
    if not people:
        return len(waiting)
    wordings = await find_wordings(uow)
    mails = []
    for one in people:
        if own := _own(one.bookings):
            mails.append(reminder_mail(settings, tenant, own, one.key, now, wordings))
        occasion = one.key.rpartition(":")[0]
        await tell_holders(uow, services, tenant, one.bookings, "reminder", occasion)
    await queue_mails(uow, mails, host=settings.host)
    return len(waiting)


def _own(bookings: Sequence[BookingFacts]) -> list[BookingFacts]:
    """Without the places that were handed on: who has one is reminded of it themselves."""
    kept = [
        facts.with_seats([item for item in facts.seats if not item.seat.is_handed_on])
        for facts in bookings
    ]
    return [facts for facts in kept if facts.seats]


async def _lock_seats(uow: UnitOfWork, waiting: Sequence[Waiting]) -> dict[Pair, list[UUID]]:
    """The seats that still stand, by booking and date."""
    if not waiting:
        return {}
    found = await uow.session.execute(
        _LOCK_SEATS,
        {
            "tenant_id": uow.tenant,
            "booking_ids": [one.booking_id for one in waiting],
            "session_ids": [one.session_id for one in waiting],
        },
    )
    seats: dict[Pair, list[UUID]] = {}
    for row in found:
        seats.setdefault((row.booking_id, row.session_id), []).append(row.id)
    return seats


async def _people(
    uow: UnitOfWork, claimed: Sequence[Waiting], seats: Mapping[Pair, Sequence[UUID]]
) -> list[Reminded]:
    """Each person once for each date."""
    by_session: dict[UUID, list[UUID]] = {}
    for one in claimed:
        by_session.setdefault(one.session_id, []).extend(seats[one.booking_id, one.session_id])
    offsets = {one.session_id: _name_of(one) for one in claimed}
    people: dict[str, Reminded] = {}
    portions = await facts_of_seats(uow, list(by_session.values()))
    for session_id, bookings in zip(by_session, portions, strict=True):
        for facts in bookings:
            address = facts.order.guest_email.strip().lower()
            if address:
                key = f"reminder:{session_id}:{offsets[session_id]}:{address}"
                people.setdefault(key, Reminded(key, [])).bookings.append(facts)
    return list(people.values())


def _name_of(one: Waiting) -> str:
    """The nearest of the offsets: where two are due at once, they are one mail."""
    ahead, unit = min(one.offsets, key=hours_of)
    return f"{one.starts_at.isoformat()}:{ahead}{unit}"
