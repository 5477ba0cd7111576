"""Telling who waits that the dates have got another time.

Nothing is carried to the mail but when it was: what is so now is read when it is written, and named
by its key, so of two moves in quick succession there is one mail, with what came of both.
"""

from hashlib import md5

from src.booking.domain.kinds import SessionState
from src.booking.events import WaitedDatesMoved, WaiterAffected
from src.booking.jobs.waitlist import serve
from src.booking.queries.waiting import STANDS, list_waiting_for, pools_of
from src.booking.queries.waitlist_page import EntryFacts, get_entry_facts
from src.booking.waitlist_mails import moved_mail
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mail
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

CHUNK = 250


async def follow_moves(job: JobContext, event: WaitedDatesMoved) -> None:
    """The lists first, which end offers sooner where they must; then whoever waits, each as work of
    their own, and the rest in the next run.
    """
    async with job.unit_of_work() as uow:
        pools = await pools_of(uow, event.session_ids)
    for pool_id in pools if event.after is None else ():
        await serve(job.services, job.tenant_id, pool_id)
    async with job.unit_of_work(done=True) as uow:
        found = await list_waiting_for(uow, event.session_ids, after=event.after, most=CHUNK)
        for entry_id in found:
            uow.record(WaiterAffected(entry_id=entry_id, at=event.at))
        if len(found) == CHUNK:
            ids = event.session_ids
            uow.record(WaitedDatesMoved(session_ids=ids, at=event.at, after=found[-1]))


async def tell_of_move(job: JobContext, event: WaiterAffected) -> None:
    """One mail with the dates as they are now, unless a mail has said them since."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        facts = await get_entry_facts(uow, event.entry_id)
        if not _is_news(facts, event):
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        mail = moved_mail(settings, tenant, facts, _mark(facts), await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


def _is_news(facts: EntryFacts, event: WaiterAffected) -> bool:
    """Who has joined, or was offered a place, since it was moved has read the new time."""
    if facts.entry.state not in STANDS or facts.entry.joined_at > event.at:
        return False
    if facts.live_offer is not None and facts.live_offer.made_at > event.at:
        return False
    return any(run.state != SessionState.CANCELLED for run in facts.coming)


def _mark(facts: EntryFacts) -> str:
    """The dates as they are said: another one for each state of them."""
    said = ",".join(f"{run.id}:{run.sequence}" for run in facts.coming)
    return md5(said.encode(), usedforsecurity=False).hexdigest()
