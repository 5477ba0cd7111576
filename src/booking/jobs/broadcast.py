"""Sending broadcasts: a chunk in each run, every person once, consent asked for anew each time."""

from collections.abc import Sequence

from src.billing.commands.due import drop_due, move_due
from src.billing.cron import work_off
from src.booking.broadcast_mails import broadcast_mail, shown_mail, trial_of
from src.booking.commands.broadcasts import (
    BROADCAST_DUE,
    LATER_EVERY,
    claim_recipients,
    hold_recipients,
    lock_broadcast,
)
from src.booking.domain.broadcasting import Audience, joined_by_booking
from src.booking.events import BroadcastTried, BroadcastWaiting
from src.booking.models import Broadcast
from src.booking.queries.broadcasts import (
    audiences_of,
    audiences_read,
    first_reader,
    is_over,
)
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import queue_mail, queue_mails
from src.platform.services import Services
from src.tenants.domain.roles import TenantStatus
from src.tenants.domain.wording import Wording
from src.tenants.models import Due, User
from src.tenants.queries.tenants import tenant_snapshot

CHUNK_PEOPLE = 50
LATER_SECONDS = 60
NOT_NOW_SECONDS = 600


async def send_next_chunk(job: JobContext, event: BroadcastWaiting) -> None:
    """The next people; those who are left follow in the next run."""
    async with job.unit_of_work(done=True) as uow:
        broadcast = await lock_broadcast(uow, event.broadcast_id)
        found = await _write(uow, job.services.settings, broadcast, audiences_of(broadcast))
        if found is None:
            uow.record(event, delay_seconds=NOT_NOW_SECONDS)
        elif found == CHUNK_PEOPLE:
            uow.record(event)
        else:
            broadcast.state = "sent"


async def send_trial(job: JobContext, event: BroadcastTried) -> None:
    """The mail as its first reader would have it, to whoever wrote it."""
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        user = await uow.session.get(User, event.user_id)
        if user is None or not tenant.status.is_seen:
            return
        guest = await first_reader(
            uow, audiences_read(event.audiences), event.is_marketing, otherwise=user.name
        )
        wording = Wording(subject=event.subject, body=event.body)
        shown = shown_mail(settings, tenant, wording, guest, is_marketing=event.is_marketing)
        await queue_mail(uow, trial_of(shown, user, event.trial_id), host=settings.host)


def broadcasting(services: Services) -> Periodic:
    """Broadcasts to those who join later, by the clock."""

    async def write() -> None:
        await work_off(services, (BROADCAST_DUE,), write_to_later, parallel=2)

    return Periodic("booking.broadcast_to_later", write, LATER_SECONDS)


async def write_to_later(services: Services, due: Due) -> None:
    """Whoever has got a place since, hence no tag's customers; over with the last date."""
    async with services.uow_factory(due.tenant_id) as uow:
        broadcast, now = await lock_broadcast(uow, due.ref), uow.clock.now()
        audiences = joined_by_booking(audiences_of(broadcast))
        if await is_over(uow, audiences, now):
            await drop_due(uow, due.ref)
            return
        await _write(uow, services.settings, broadcast, audiences)
        await move_due(uow, due.ref, now + LATER_EVERY)


async def _write(
    uow: UnitOfWork, settings: Settings, broadcast: Broadcast, audiences: Sequence[Audience]
) -> int | None:
    """Returns how many were still to be written to, this chunk at most; None where that is not to
    be known now, for the business is suspended. A closed one writes to nobody any more.
    """
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    if tenant.status is TenantStatus.SUSPENDED:
        return None
    if not tenant.status.is_seen:
        return 0
    people = await hold_recipients(uow, broadcast, audiences, CHUNK_PEOPLE)
    claimed = await claim_recipients(uow, broadcast.id, people)
    if claimed:
        mails = [broadcast_mail(settings, tenant, broadcast, one) for one in claimed]
        await queue_mails(uow, mails, host=settings.host)
    broadcast.done += len(claimed)
    return len(people)
