"""Warning customers of credits that end soon, and writing off what has ended.

Nothing is planned ahead but when a business is looked at next. A notice for each lot, kind and end
is claimed in the transaction that queues its mail, so that a second run, or a second worker, finds
nothing left to tell.
Source: docs/algorithms/credits.md.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.credit_ends import (
    CREDITS_DUE,
    claim_notices,
    forfeit_ended,
    list_to_warn,
    look_again,
    next_end,
    watch_credits,
)
from src.billing.credit_mails import credit_mail
from src.billing.cron import work_off
from src.billing.domain.credit_ends import NoticeKind, next_look
from src.billing.domain.credits import WARNING_BEFORE
from src.billing.events import CreditEndSet
from src.billing.models import CreditLot
from src.platform.db.uow import UnitOfWork
from src.platform.jobs.context import JobContext
from src.platform.jobs.queue import Periodic
from src.platform.mail.queue import queue_mails
from src.platform.services import Services
from src.tenants.models import Customer, Due
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

LOOK_SECONDS = 60
CHUNK_LOTS = 200
CHUNKS_AT_ONCE = 50


def watching_credits(services: Services) -> Periodic:
    """The ends of credits by the clock."""

    async def look() -> None:
        await look_at_due_credits(services)

    return Periodic("billing.credit_ends", look, LOOK_SECONDS)


async def note_end(job: JobContext, event: CreditEndSet) -> None:
    """Somewhere credits end now: their business is looked at from now on."""
    async with job.unit_of_work(done=True) as uow:
        await watch_credits(uow)


async def look_at_due_credits(services: Services) -> int:
    """Goes through the tenants whose time has come. Returns how many."""
    return await work_off(services, (CREDITS_DUE,), look_at_credits, parallel=2)


async def look_at_credits(services: Services, due: Due) -> None:
    """Warns, writes off, and says when to look again; in chunks of their own transactions."""
    is_more_left = False
    for step in (_warn_chunk, _forfeit_chunk):
        for _chunk in range(CHUNKS_AT_ONCE):
            async with services.uow_factory(due.tenant_id) as uow:
                found = await step(uow, services)
            if found < CHUNK_LOTS:
                break
        is_more_left = is_more_left or found == CHUNK_LOTS
    async with services.uow_factory(due.tenant_id) as uow:
        now = uow.clock.now()
        await look_again(uow, due.at, now if is_more_left else next_look(now, await next_end(uow)))


async def _warn_chunk(uow: UnitOfWork, services: Services) -> int:
    now = uow.clock.now()
    lots = await list_to_warn(uow, now + WARNING_BEFORE, CHUNK_LOTS)
    await _tell(uow, services, await claim_notices(uow, lots, NoticeKind.WARNING), "warning", {})
    return len(lots)


async def _forfeit_chunk(uow: UnitOfWork, services: Services) -> int:
    lots = await forfeit_ended(uow, CHUNK_LOTS)
    lost = {lot.id: lot.forfeited for lot in lots}
    await _tell(uow, services, await claim_notices(uow, lots, NoticeKind.EXPIRED), "expired", lost)
    return len(lots)


async def _tell(
    uow: UnitOfWork,
    services: Services,
    lots: Sequence[CreditLot],
    kind: str,
    lost: dict[UUID, int],
) -> None:
    """One mail for each lot whose owner has an address."""
    if not lots:
        return
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    if not tenant.status.is_seen:
        return
    owners = await _owners(uow, lots)
    wordings = await find_wordings(uow)
    mails = [
        credit_mail(
            services.settings,
            tenant,
            f"credits_{kind}",
            owner,
            lot,
            lost.get(lot.id, lot.balance),
            wordings,
            dedupe_key=f"credits:{kind}:{lot.id}:{_stamp(lot.expires_at)}",
        )
        for lot in lots
        if (owner := owners.get(lot.customer_id)) is not None and owner.email
    ]
    await queue_mails(uow, mails, host=services.settings.host)


def _stamp(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


async def _owners(uow: UnitOfWork, lots: Sequence[CreditLot]) -> dict[UUID, Customer]:
    found = await uow.session.scalars(
        select(Customer).where(
            Customer.tenant_id == uow.tenant,
            Customer.id.in_({lot.customer_id for lot in lots}),
            Customer.erased_at.is_(None),
        )
    )
    return {customer.id: customer for customer in found}
