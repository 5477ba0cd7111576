"""Sending broadcasts: a chunk in each run, every person once, consent asked for anew each time."""

from datetime import timedelta

from src.billing.commands.due import drop_due, move_due
from src.billing.cron import work_off
from src.booking.commands.broadcasts import (
    BROADCAST_DUE,
    LATER_EVERY,
    claim_recipients,
    lock_broadcast,
)
from src.booking.domain.broadcasting import Recipient
from src.booking.events import BroadcastWaiting
from src.booking.models import Broadcast
from src.booking.queries.broadcasts import audience_of, is_over, list_recipients
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import Mail, queue_mails
from src.platform.mail.templates import render_mail
from src.platform.services import Services
from src.tenants.context import TenantSnapshot
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.domain.roles import TenantStatus
from src.tenants.domain.wording import fill, paragraphs_of
from src.tenants.models import Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.unsubscribe_links import unsubscribe_url
from src.tenants.worded_mails import WordedView

CHUNK_PEOPLE = 50
LATER_SECONDS = 60
NOT_NOW_SECONDS = 600
BETWEEN_CHUNKS = timedelta(seconds=1)


async def send_next_chunk(job: JobContext, event: BroadcastWaiting) -> None:
    """The next people; those who are left follow in the next run."""
    async with job.unit_of_work(done=True) as uow:
        broadcast = await lock_broadcast(uow, event.broadcast_id)
        found = await _write(uow, job.services.settings, broadcast)
        if found is None:
            uow.record(event, delay_seconds=NOT_NOW_SECONDS)
        elif found == CHUNK_PEOPLE:
            uow.record(event)
        else:
            broadcast.state = "sent"


def broadcasting(services: Services) -> Periodic:
    """Broadcasts to those who join later, by the clock."""

    async def write() -> None:
        await work_off(services, (BROADCAST_DUE,), write_to_later, parallel=2)

    return Periodic("booking.broadcast_to_later", write, LATER_SECONDS)


async def write_to_later(services: Services, due: Due) -> None:
    """Whoever has got a place since; over with the last date."""
    async with services.uow_factory(due.tenant_id) as uow:
        broadcast, now = await lock_broadcast(uow, due.ref), uow.clock.now()
        if await is_over(uow, audience_of(broadcast), now):
            await drop_due(uow, due.ref)
            return
        await _write(uow, services.settings, broadcast)
        await move_due(uow, due.ref, now + LATER_EVERY)


async def _write(uow: UnitOfWork, settings: Settings, broadcast: Broadcast) -> int | None:
    """Returns how many were still to be written to, this chunk at most; None where that is not to
    be known now, for the business is suspended. A closed one writes to nobody any more.
    """
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    if tenant.status is TenantStatus.SUSPENDED:
        return None
    if not tenant.status.is_seen:
        return 0
    people = await list_recipients(
        uow,
        audience_of(broadcast),
        needs_consent=broadcast.is_marketing,
        most=CHUNK_PEOPLE,
        broadcast_id=broadcast.id,
    )
    claimed = await claim_recipients(uow, broadcast.id, people)
    if claimed:
        mails = [broadcast_mail(settings, tenant, broadcast, one) for one in claimed]
        await queue_mails(uow, mails, host=settings.host)
    broadcast.done += len(claimed)
    return len(people)


def broadcast_mail(
    settings: Settings, tenant: TenantSnapshot, broadcast: Broadcast, to: Recipient
) -> Mail:
    """The words as they were written, in the business's shell and, for news, with a way out."""
    locale = to.locale or tenant.locale
    values = {"customer_name": to.name, "business": tenant.name}
    way_out = ""
    if broadcast.is_marketing:
        way_out = unsubscribe_url(
            settings, tenant, to.customer_id, MailTopic.MARKETING, broadcast.sent_at
        )
    view = WordedView(
        locale=locale,
        from_name=tenant.name,
        subject=fill(broadcast.subject, values),
        paragraphs=list(paragraphs_of(broadcast.body, values, blocks=())),
        runs=[],
        href="",
        button="",
        unsubscribe_url=way_out,
    )
    words = render_mail("worded", view, locale)
    return Mail(
        kind="broadcast",
        to_address=to.address,
        to_name=to.name,
        from_name=tenant.name,
        reply_to=tenant.contact_email or None,
        subject=words.subject,
        text=words.text,
        html=words.html,
        dedupe_key=f"broadcast:{broadcast.id}:{to.address}",
        unsubscribe_url=way_out,
    )
