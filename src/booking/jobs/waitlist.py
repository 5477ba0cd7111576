"""What waiting lists do by themselves: offer what gets free, tell of it, and end what is over."""

from uuid import UUID

from sqlalchemy import select

from src.billing.cron import work_off
from src.booking.commands.claims import SeatsGone
from src.booking.commands.waitlist import lock_entry
from src.booking.commands.waitlist_leaving import close_lists, leave_overlapping
from src.booking.commands.waitlist_said import note_said
from src.booking.commands.waitlist_serve import WAITLIST_DUE, serve_pool
from src.booking.domain.waiting import EntryState, OfferState
from src.booking.events import (
    OfferFulfilled,
    PlacesFreed,
    PlacesOffered,
    SessionCancelled,
    WaiterRemoved,
    WaitlistClosed,
    WaitlistJoined,
)
from src.booking.models import WaitlistOffer
from src.booking.queries.waiting import get_entry, pool_of, pools_of
from src.booking.queries.waitlist_heard import with_heard
from src.booking.queries.waitlist_page import get_entry_facts, with_price
from src.booking.waitlist_mails import (
    closed_mail,
    joined_mail,
    offered_key,
    offered_mail,
    removed_mail,
)
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import has_mail, queue_mail
from src.platform.services import Services
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings
from src.tenants.worded_mails import has_words_for

TRIES = 5
SECONDS = 15


async def serve_freed(job: JobContext, event: PlacesFreed) -> None:
    """The lists of these sessions, one transaction for those that share any."""
    async with job.unit_of_work() as uow:
        pools = await pools_of(uow, event.session_ids)
    for pool_id in pools:
        await serve(job.services, job.tenant_id, pool_id)
    async with job.unit_of_work(done=True):
        return


async def serve(services: Services, tenant_id: UUID, pool_id: UUID) -> int:
    """`serve_pool`, again where somebody booked in between. Returns how many offers were made.

    Raises: SeatsGone when that went on too often.
    """
    for tried in range(TRIES):
        try:
            async with services.uow_factory(tenant_id) as uow:
                tenant = await tenant_snapshot(uow, tenant_id, services.clock.now())
                return await serve_pool(uow, tenant, pool_id)
        except SeatsGone:
            if tried == TRIES - 1:
                raise
    return 0


async def serve_due(services: Services) -> int:
    """Periodic: the lists whose next look has come. Returns how many."""

    async def one(services: Services, due: Due) -> None:
        await serve(services, due.tenant_id, due.ref)

    return await work_off(services, (WAITLIST_DUE,), one, parallel=2)


def waitlisting(services: Services) -> Periodic:
    """Waiting lists by the clock."""

    async def run() -> None:
        await serve_due(services)

    return Periodic("booking.waitlist", run, SECONDS)


async def tell_of_joining(job: JobContext, event: WaitlistJoined) -> None:
    """One mail with the link each time somebody asks; then the list is served, for a place may
    have got free in that very moment.
    """
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work() as uow:
        entry = await get_entry(uow, event.entry_id)
        pool_id = await pool_of(uow, entry)
    await serve(job.services, job.tenant_id, pool_id)
    async with job.unit_of_work(done=True) as uow:
        await lock_entry(uow, event.entry_id)
        facts = await get_entry_facts(uow, event.entry_id)
        if facts.entry.state == EntryState.WAITING:
            tenant = await tenant_snapshot(uow, uow.tenant, now)
            wordings = await find_wordings(uow)
            mail = joined_mail(settings, tenant, facts, job.outbox_id, wordings, asked=event.asked)
            # Own words need not name the dates: a move since they joined is told by itself then.
            if has_words_for("waitlist_joined", "dates", facts.entry.locale, wordings):
                note_said(facts.entry, facts.runs)
            await queue_mail(uow, mail, host=settings.host)


async def tell_of_offer(job: JobContext, event: PlacesOffered) -> None:
    """One mail with the link; none once it has ended, also in the moment in which we look."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        # Nothing of the offer itself is read before its entry is ours: it may be ending just now.
        entry_id = await uow.session.scalar(
            select(WaitlistOffer.entry_id).where(
                WaitlistOffer.tenant_id == uow.tenant, WaitlistOffer.id == event.offer_id
            )
        )
        if entry_id is None:
            return
        await lock_entry(uow, entry_id)
        offer = await uow.session.get_one(WaitlistOffer, (uow.tenant, event.offer_id))
        if offer.state != OfferState.LIVE or offer.expires_at < now:
            return
        facts = await get_entry_facts(uow, offer.entry_id)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        facts = await with_heard(uow, tenant.timezone, await with_price(uow, tenant, facts))
        mail = offered_mail(settings, tenant, facts, await find_wordings(uow))
        note_said(facts.entry, facts.runs)
        await queue_mail(uow, mail, host=settings.host)


async def leave_other_lists(job: JobContext, event: OfferFulfilled) -> None:
    """Who has got a place waits no more for others at the same time."""
    async with job.unit_of_work(done=True) as uow:
        await leave_overlapping(uow, event.order_id)


async def close_cancelled(job: JobContext, event: SessionCancelled) -> None:
    """Nobody waits for what has been called off."""
    async with job.unit_of_work(done=True) as uow:
        await close_lists(uow, event.session_id)


async def tell_of_closing(job: JobContext, event: WaitlistClosed) -> None:
    """One mail: they need not wait any more."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        facts = await get_entry_facts(uow, event.entry_id)
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mail = closed_mail(settings, tenant, facts, await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


async def tell_of_removal(job: JobContext, event: WaiterRemoved) -> None:
    """One mail, unless they have been offered a place by hand since."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        facts = await get_entry_facts(uow, event.entry_id)
        if facts.entry.state != EntryState.REMOVED:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        wordings = await find_wordings(uow)
        offer = facts.offer
        if event.offer_id is not None:
            offer = await uow.session.get_one(WaitlistOffer, (uow.tenant, event.offer_id))
        lost_offer = event.lost_offer and await _was_promised(uow, offer)
        mail = removed_mail(settings, tenant, facts, job.outbox_id, wordings, lost_offer=lost_offer)
        await queue_mail(uow, mail, host=settings.host)


async def _was_promised(uow: UnitOfWork, offer: WaitlistOffer | None) -> bool:
    """Taken off the list before that mail left, they never knew of an offer; and what was told to
    everybody was never theirs, and can be booked by them as by anybody.
    """
    return offer is not None and offer.holds and await has_mail(uow, offered_key(offer.id))
