"""Letting go of old mails, and with each of its dedupe key."""

from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from src.platform.db.uow import UnitOfWork

# What is still in the outbox, parked rows included, may be done again, and the mails that came of
# it are younger than it: those keep their keys. What was never tried has made no mail.
_PRUNE = text(
    "DELETE FROM mails WHERE tenant_id = :tenant_id AND id IN (SELECT id FROM mails"
    " WHERE tenant_id = :tenant_id AND queued_at < least(:before, (SELECT min(created_at)"
    " FROM outbox WHERE tenant_id = :tenant_id AND attempts > 0))"
    " AND (sent_at IS NOT NULL OR refused IS NOT NULL) ORDER BY queued_at LIMIT :most)"
    " RETURNING id"
).bindparams(bindparam("before", type_=TIMESTAMP(timezone=True)))


async def prune_mails(uow: UnitOfWork, before: datetime, most: int) -> int:
    """Deletes at most `most` mails that have left before `before`. Returns how many.

    One whose occasion could come again, for an event older than it is still to be done, stays, and
    so does one that has not left.
    """
    values = {"tenant_id": uow.tenant, "before": before, "most": most}
    return len((await uow.session.execute(_PRUNE, values)).all())
