"""When staff moved the end of credits: the log tells it, since the ledger counts only credits."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from src.billing.commands.credit_acts import SUBJECT
from src.billing.domain.credit_acts import CreditAct
from src.billing.views.credits import EndChange
from src.platform.db.uow import UnitOfWork
from src.tenants.models import AuditEntry

ACTIONS = [f"credits.{act}" for act in (CreditAct.EXTENDED, CreditAct.SHORTENED)]


async def list_end_changes(
    uow: UnitOfWork, lot_ids: Collection[UUID]
) -> defaultdict[UUID, list[EndChange]]:
    """By lot, oldest first."""
    by_lot: defaultdict[UUID, list[EndChange]] = defaultdict(list)
    found = await uow.session.scalars(
        select(AuditEntry)
        .where(
            AuditEntry.tenant_id == uow.tenant,
            AuditEntry.subject_kind == SUBJECT,
            AuditEntry.subject_id.in_(lot_ids),
            AuditEntry.action.in_(ACTIONS),
            AuditEntry.detail.has_key("was"),
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    for entry in found:
        assert entry.subject_id is not None
        by_lot[entry.subject_id].append(_change(entry))
    return by_lot


def _change(entry: AuditEntry) -> EndChange:
    """An entry of before reasons were kept in the log has none."""
    return EndChange(
        at=entry.at,
        was=_moment(entry.detail["was"]),
        becomes=_moment(entry.detail["becomes"]),
        reason=entry.detail.get("reason", ""),
        by=entry.actor_name,
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
