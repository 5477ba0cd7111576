"""What is bought makes people members of groups, what is cancelled ends that, and posts go out."""

from src.billing.domain.credit_acts import CreditAct
from src.billing.domain.credits import LotSource
from src.billing.events import CreditsChanged, PackageBought, PackageLapsed
from src.billing.models import CreditLot
from src.booking.commands.group_members import join_by_order, leave_by_order
from src.booking.commands.group_posts import claim_readers, hold_readers, lock_to_mail
from src.booking.commands.groups import NEEDED
from src.booking.events import GroupPosted, GroupsEarned, GroupsLost
from src.booking.group_mails import group_mail
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import queue_mails
from src.platform.outbox.events import Registry
from src.tenants.domain.roles import TenantStatus
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

CHUNK_READERS = 50
NOT_NOW_SECONDS = 600

Earned = GroupsEarned | PackageBought
Lost = GroupsLost | PackageLapsed


def register(registry: Registry) -> None:
    """Whoever buys comes in, whoever cancels goes, and posts are mailed."""
    registry.on(GroupsEarned, "booking.join_groups", join_groups)
    registry.on(GroupsLost, "booking.leave_groups", leave_groups)
    registry.on(PackageBought, "booking.join_by_package", join_groups)
    registry.on(PackageLapsed, "booking.leave_lapsed", leave_groups)
    registry.on(CreditsChanged, "booking.judge_refunded", judge_refunded)
    registry.on(GroupPosted, "booking.mail_post", mail_post)


async def join_groups(job: JobContext, event: Earned) -> None:
    """Once for each order, however often it is told; again where it stands again."""
    async with job.unit_of_work(done=True) as uow:
        await join_by_order(uow, event.order_id)


async def leave_groups(job: JobContext, event: Lost) -> None:
    """Nothing where something of the order still stands."""
    async with job.unit_of_work(done=True) as uow:
        await leave_by_order(uow, event.order_id)


async def judge_refunded(job: JobContext, event: CreditsChanged) -> None:
    """A package all of whose credits went back was cancelled in full, until that has failed."""
    async with job.unit_of_work(done=True) as uow:
        if event.act not in (CreditAct.REFUNDED, CreditAct.REFUND_FAILED):
            return
        lot = await uow.session.get_one(CreditLot, (uow.tenant, event.lot_id))
        if lot.order_id is None or lot.source != LotSource.PACKAGE:
            return
        if event.act == CreditAct.REFUNDED:
            await leave_by_order(uow, lot.order_id)
        else:
            await join_by_order(uow, lot.order_id)


async def mail_post(job: JobContext, event: GroupPosted) -> None:
    """The next members; those who are left follow in the next run. Nothing once it was deleted, or
    nobody can read it on its page any more.
    """
    services = job.services
    async with job.unit_of_work(done=True) as uow:
        found = await lock_to_mail(uow, event.post_id)
        if found is None:
            return
        group, post = found
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        if tenant.status is TenantStatus.SUSPENDED:
            uow.record(event, delay_seconds=NOT_NOW_SECONDS)
            return
        if not (tenant.status.is_seen and group.active and tenant.entitlements.has(NEEDED)):
            return
        readers = await hold_readers(uow, post, CHUNK_READERS)
        claimed = await claim_readers(uow, post, readers)
        wordings = await find_wordings(uow)
        mails = [
            group_mail(services.settings, tenant, group, post, one, wordings) for one in claimed
        ]
        await queue_mails(uow, mails, host=services.settings.host)
        if len(readers) == CHUNK_READERS:
            uow.record(event)
