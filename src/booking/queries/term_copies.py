"""The terms that were made from a series."""

from uuid import UUID

from sqlalchemy import func, select

from src.booking.domain.kinds import SessionState
from src.booking.models import Series, Session
from src.booking.views.series import TermCopied
from src.platform.db.uow import UnitOfWork
from src.tenants.models import AuditEntry


async def list_copies(uow: UnitOfWork, series: Series) -> list[TermCopied]:
    """Its copies and theirs that have dates left, the soonest first."""
    rows = await uow.session.execute(
        select(AuditEntry.subject_id, AuditEntry.detail["copied"].astext)
        .join(
            Series,
            (Series.tenant_id == AuditEntry.tenant_id) & (Series.id == AuditEntry.subject_id),
        )
        .where(
            AuditEntry.tenant_id == uow.tenant,
            AuditEntry.action == "series.copied",
            Series.service_id == series.service_id,
        )
        .order_by(AuditEntry.at, AuditEntry.id)
    )
    made: dict[str, UUID] = {}
    # A copy is younger than what it was made from, so that one look from the oldest on finds all.
    for copy_id, source_id in rows:
        if source_id == str(series.id) or source_id in made:
            made[str(copy_id)] = copy_id
    found = await uow.session.execute(
        select(Series.id, Series.title)
        .add_columns(func.min(Session.starts_at).label("first"))
        .add_columns(func.max(Session.starts_at).label("last"))
        .join(Session, (Session.tenant_id == Series.tenant_id) & (Session.series_id == Series.id))
        .where(
            Series.tenant_id == uow.tenant,
            Series.id.in_(made.values()),
            Session.state == str(SessionState.SCHEDULED),
        )
        .group_by(Series.id, Series.title)
        .order_by(func.min(Session.starts_at), Series.id)
    )
    return [
        TermCopied(id=row.id, title=row.title, first_at=row.first, last_at=row.last)
        for row in found
    ]
