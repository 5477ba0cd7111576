"""Telling those concerned that a place was handed on, and its new holder what becomes of it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from src.booking.domain.kinds import SeatState
from src.booking.events import SeatHandedOn
from src.booking.holder_mails import News, To, handed_on, handed_on_mails, news_to_holders
from src.booking.models import HandingOn, Seat
from src.booking.queries.handing_on import find_first_untold, find_told_before, list_holders_of
from src.booking.queries.mail_facts import BookingFacts, facts_of_seats
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mails
from src.platform.services import Services
from src.tenants.context import TenantSnapshot
from src.tenants.models import Participant
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings


async def tell_of_handing_on(job: JobContext, event: SeatHandedOn) -> None:
    """One mail to who has the place and one to who had it, as far as they had been told. Where it
    went on meanwhile, who had it in between hears nothing of it.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        handing = await uow.session.get(HandingOn, (uow.tenant, event.handing_id))
        if handing is None or not await _is_still_so(uow, handing):
            return
        [found] = await facts_of_seats(uow, [[handing.seat_id]])
        before = await find_told_before(uow, handing)
        gone = await find_first_untold(uow, handing, before)
        person = await uow.session.get_one(Participant, (uow.tenant, handing.participant_id))
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        holder = To(person.name, handing.address, "given", str(handing.id))
        wordings = await find_wordings(uow)
        mails = handed_on_mails(settings, tenant, found[0], holder, before, gone, now, wordings)
        await queue_mails(uow, mails, host=settings.host)
        handing.told_at = now


async def _is_still_so(uow: UnitOfWork, handing: HandingOn) -> bool:
    """Locked, so that a cancelling is told by its own mail after this one, or instead of it."""
    seat = await uow.session.scalar(
        select(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id == handing.seat_id)
        .with_for_update(key_share=True)
    )
    if seat is None or seat.state != SeatState.CONFIRMED:
        return False
    return seat.participant_id == handing.participant_id


async def tell_holders(
    uow: UnitOfWork,
    services: Services,
    tenant: TenantSnapshot,
    bookings: Sequence[BookingFacts],
    news: News,
    occasion: str = "",
    reasons: Mapping[UUID, str] | None = None,
    *,
    is_moved: bool = False,
) -> None:
    """Queues a mail to everybody who has one of these places by its being handed on; `reasons` say
    why by seat, where the business gave one. `is_moved`: they are their guest's on another date.
    """
    seat_ids = handed_on(bookings)
    if not seat_ids:
        return
    holders, now = await list_holders_of(uow, seat_ids), uow.clock.now()
    wordings = await find_wordings(uow)
    mails = news_to_holders(
        services.settings,
        tenant,
        bookings,
        holders,
        news,
        now,
        occasion,
        reasons,
        wordings,
        is_moved=is_moved,
    )
    await queue_mails(uow, mails, host=services.settings.host)
