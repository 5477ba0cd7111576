"""Telling who waits that the dates have got another time.

Nothing is carried to the mail: what is so now is read when it is written, and named by its key, so
of two moves in quick succession there is one mail, with what came of both. Whom to tell is decided
by the times that their mails have said, not by when they joined: a move takes a while to commit.
"""

from hashlib import md5

from src.booking.commands.waitlist import lock_entry
from src.booking.commands.waitlist_said import is_said, note_said
from src.booking.domain.kinds import SessionState
from src.booking.events import WaitedDatesMoved, WaiterAffected
from src.booking.jobs.waitlist import serve
from src.booking.queries.waiting import STANDS, list_waiting_for, pools_of
from src.booking.queries.waitlist_heard import with_heard
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
            uow.record(WaiterAffected(entry_id=entry_id))
        if len(found) == CHUNK:
            ids = event.session_ids
            uow.record(WaitedDatesMoved(session_ids=ids, after=found[-1]))


async def tell_of_move(job: JobContext, event: WaiterAffected) -> None:
    """One mail with the dates as they are now and as they were told, unless one has said them."""
    settings, now = job.services.settings, job.clock.now()
    async with job.unit_of_work(done=True) as uow:
        await lock_entry(uow, event.entry_id)
        facts = await get_entry_facts(uow, event.entry_id)
        if not _is_news(facts):
            return
        tenant = await tenant_snapshot(uow, uow.tenant, now)
        facts = await with_heard(uow, tenant.timezone, facts)
        mail = moved_mail(settings, tenant, facts, _mark(facts), await find_wordings(uow))
        note_said(facts.entry, facts.coming)
        await queue_mail(uow, mail, host=settings.host)


def _is_news(facts: EntryFacts) -> bool:
    """Whether they wait, and no mail has said yet when one of the dates is now."""
    return facts.entry.state in STANDS and any(
        run.state != SessionState.CANCELLED and not is_said(facts.entry, run)
        for run in facts.coming
    )


def _mark(facts: EntryFacts) -> str:
    """The dates as they are said: another one for each state of them."""
    said = ",".join(f"{run.id}:{run.sequence}" for run in facts.coming)
    return md5(said.encode(), usedforsecurity=False).hexdigest()
