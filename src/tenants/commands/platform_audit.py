"""The platform's own log: what its admins did, and to what."""

from typing import Any

from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.tenants.context import RequestContext
from src.tenants.models import PlatformAudit


def audit_platform(
    uow: UnitOfWork, ctx: RequestContext, action: str, subject: str, **detail: Any
) -> None:
    """Adds an entry, in the transaction of the act itself.

    `subject` is kind and key or id, e.g. "plan:growth", "tenant:<id>". `detail` holds what JSON
    holds and never a secret.
    """
    entry = PlatformAudit(
        id=new_id(),
        actor_user_id=ctx.actor.user_id,
        action=action,
        subject=subject,
        detail={"actor": ctx.actor.name, **detail},
        at=uow.clock.now(),
    )
    uow.session.add(entry)
