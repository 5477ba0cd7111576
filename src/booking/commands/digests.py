"""A member says which digests they want."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import delete, select

from src.billing.commands.due import add_due, drop_due
from src.booking.domain.digests import DigestKind, next_digest_at
from src.booking.models import Digest
from src.booking.queries.digests import list_digests
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role, reaches

DIGEST_DUE = "digest"

register_constraint(
    "uq_digests_user_id_kind",
    lambda: Conflict(_("This has just been saved. Please look at it again."), code="saved_twice"),
)


def may_have(role: Role, kind: DigestKind) -> bool:
    """What is about the whole business is for those who run it."""
    return kind is DigestKind.MORNING or reaches(role, Role.MANAGER)


async def choose_digests(
    uow: UnitOfWork, ctx: RequestContext, wanted: Collection[DigestKind]
) -> None:
    """The member has just these from now on; one that is not for their role is left out.

    The first tells what happens from now on. Raises: Conflict when they have just chosen it.
    """
    role, user_id, now = ctx.actor.role, ctx.user_id, uow.clock.now()
    kinds = {kind for kind in wanted if role is not None and may_have(role, kind)}
    present = await list_digests(uow, user_id)
    for one in present:
        if DigestKind(one.kind) not in kinds:
            await stop_digest(uow, one.id)
    for kind in sorted(kinds - {DigestKind(one.kind) for one in present}):
        digest_id = new_id()
        uow.session.add(
            Digest(
                tenant_id=uow.tenant, id=digest_id, user_id=user_id, kind=str(kind), told_until=now
            )
        )
        await add_due(uow, DIGEST_DUE, digest_id, next_digest_at(kind, now, ctx.here.zone))
    await uow.session.flush()


async def stop_digest(uow: UnitOfWork, digest_id: UUID) -> None:
    await uow.session.execute(
        delete(Digest).where(Digest.tenant_id == uow.tenant, Digest.id == digest_id)
    )
    await drop_due(uow, digest_id)


async def lock_digest(uow: UnitOfWork, digest_id: UUID) -> Digest | None:
    """Two runs of one digest follow each other; None once it was stopped."""
    found: Digest | None = await uow.session.scalar(
        select(Digest)
        .where(Digest.tenant_id == uow.tenant, Digest.id == digest_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found
