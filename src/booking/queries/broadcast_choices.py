"""To whom owners may write beside those they began with."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Row, exists

from src.booking.domain.broadcasting import Audience, AudienceKind
from src.booking.models import Series, Session
from src.booking.queries.broadcasts import name_of, naming
from src.booking.queries.customers import list_tags
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

MOST_DATES = 40
MOST_SERIES = 40

Choice = tuple[str, str]
"""`Audience.text`, and what owners call it."""


class AudienceChoices(msgspec.Struct, frozen=True, kw_only=True):
    sessions: list[Choice]
    series: list[Choice]
    tags: list[Choice]


async def list_audiences(uow: UnitOfWork, tenant: TenantSnapshot) -> AudienceChoices:
    """The next dates that somebody has a place in, the series with dates to come, and all tags."""
    now = uow.clock.now()
    dates = await uow.session.execute(
        naming(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.starts_at > now,
            Session.state == "scheduled",
            Session.seats_taken > 0,
        )
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_DATES)
    )
    to_come = exists().where(
        Session.tenant_id == Series.tenant_id,
        Session.series_id == Series.id,
        Session.starts_at > now,
        Session.seats_taken > 0,
    )
    courses = await uow.session.execute(
        naming(Series)
        .where(Series.tenant_id == uow.tenant, to_come)
        .order_by(Series.id.desc())
        .limit(MOST_SERIES)
    )

    def called(kind: AudienceKind, rows: Iterable[Row[Any]]) -> list[Choice]:
        return [
            (Audience(kind=kind, subject_id=row.id).text, name_of(row, tenant.zone)) for row in rows
        ]

    return AudienceChoices(
        sessions=called(AudienceKind.SESSION, dates),
        series=called(AudienceKind.SERIES, courses),
        tags=[
            (Audience(kind=AudienceKind.TAG, word=word).text, _("Tag “%(word)s”", word=word))
            for word in await list_tags(uow)
        ],
    )
