"""The terms that were made from a series."""

from sqlalchemy import func, select

from src.booking.domain.kinds import SessionState
from src.booking.models import Series, Session
from src.booking.views.series import TermCopied
from src.platform.db.uow import UnitOfWork


async def list_copies(uow: UnitOfWork, series: Series) -> list[TermCopied]:
    """Its copies and theirs that have a date which was not cancelled, the first to begin first."""
    made = (
        select(Series.id)
        .where(Series.tenant_id == uow.tenant, Series.copied_from == series.id)
        .cte("made", recursive=True)
    )
    made = made.union_all(
        select(Series.id).where(Series.tenant_id == uow.tenant, Series.copied_from == made.c.id)
    )
    found = await uow.session.execute(
        select(Series.id, Series.title)
        .add_columns(func.min(Session.starts_at).label("first"))
        .add_columns(func.max(Session.starts_at).label("last"))
        .join(Session, (Session.tenant_id == Series.tenant_id) & (Session.series_id == Series.id))
        .where(
            Series.tenant_id == uow.tenant,
            Series.id.in_(select(made.c.id)),
            Session.state == str(SessionState.SCHEDULED),
        )
        .group_by(Series.id, Series.title)
        .order_by(func.min(Session.starts_at), Series.id)
    )
    return [
        TermCopied(id=row.id, title=row.title, first_at=row.first, last_at=row.last)
        for row in found
    ]
