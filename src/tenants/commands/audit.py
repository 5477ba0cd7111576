"""The audit log: who did what, written with what was done."""

from typing import Any
from uuid import UUID

from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.tenants.context import RequestContext
from src.tenants.models import AuditEntry


async def audit(
    uow: UnitOfWork,
    ctx: RequestContext,
    action: str,
    subject_kind: str,
    subject_id: UUID | None,
    **detail: Any,
) -> None:
    """Adds an entry to the tenant's log, in the transaction of the act itself.

    `action` is a verb in the past with its area, e.g. "settings.profile_changed". `detail` holds
    what JSON holds, UUIDs and moments as text, and never a secret.
    """
    uow.session.add(
        AuditEntry(
            tenant_id=uow.tenant,
            id=new_id(),
            actor_kind=ctx.actor.kind,
            actor_id=ctx.actor.user_id,
            actor_name=ctx.actor.name,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            detail=detail,
            at=uow.clock.now(),
        )
    )
