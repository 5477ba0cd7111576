"""Whom a broadcast is for, and what was sent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import TextClause, func, null, select, text

from src.booking.domain.broadcasting import Audience, AudienceKind, Recipient
from src.booking.models import Broadcast, BroadcastMail, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.formats import datetime_local
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.queries.mail_choices import declined

LOG_LENGTH = 100
NOBODY = UUID(int=0)

_SEATS = (
    "SELECT b.customer_id, lower(btrim(o.guest_email)) AS address, o.guest_name AS name, o.locale,"
    " o.created_at AS at FROM seats s"
    " JOIN sessions n ON n.tenant_id = :tenant_id AND n.id = s.session_id"
    " JOIN bookings b ON b.tenant_id = :tenant_id AND b.id = s.booking_id"
    " JOIN orders o ON o.tenant_id = :tenant_id AND o.id = s.order_id"
    " WHERE s.tenant_id = :tenant_id AND s.state IN ('confirmed', 'attended')"
)
_PEOPLE = {
    AudienceKind.SESSION: f"{_SEATS} AND n.id = :subject_id",
    AudienceKind.SERIES: f"{_SEATS} AND n.series_id = :subject_id",
    AudienceKind.TAG: (
        "SELECT k.id AS customer_id, k.email AS address, k.name, '' AS locale, k.created_at AS at"
        " FROM customer_tags t"
        " JOIN customers k ON k.tenant_id = :tenant_id AND k.id = t.customer_id"
        " WHERE t.tenant_id = :tenant_id AND t.word = :word AND k.email IS NOT NULL"
    ),
}
_AGREED = (
    "EXISTS (SELECT FROM orders a WHERE a.tenant_id = :tenant_id AND a.customer_id = p.customer_id"
    " AND a.state = 'confirmed' AND a.consents ? 'marketing')"
    f" AND NOT {declined('p.customer_id', MailTopic.MARKETING)}"
)


def _statement(kind: AudienceKind) -> TextClause:
    """Each address once, under its latest name; those already written to are left out."""
    return text(
        "SELECT DISTINCT ON (p.address) p.customer_id, p.address, p.name, p.locale"  # noqa: S608 - our own words
        f" FROM ({_PEOPLE[kind]}) p WHERE p.address <> ''"
        f" AND (NOT :needs_consent OR ({_AGREED}))"
        " AND NOT EXISTS (SELECT FROM broadcast_mails w WHERE w.tenant_id = :tenant_id"
        " AND w.broadcast_id = :broadcast_id AND w.address = p.address)"
        " ORDER BY p.address, p.at DESC LIMIT :most"
    )


_STATEMENTS = {kind: _statement(kind) for kind in AudienceKind}


async def list_recipients(
    uow: UnitOfWork,
    audience: Audience,
    *,
    needs_consent: bool,
    most: int | None = None,
    broadcast_id: UUID = NOBODY,
) -> list[Recipient]:
    """Who is to be written to now, in the order of their addresses; with consent where needed."""
    values = {
        "tenant_id": uow.tenant,
        "needs_consent": needs_consent,
        "broadcast_id": broadcast_id,
        "most": most,
    }
    if audience.kind is AudienceKind.TAG:
        values["word"] = audience.word
    else:
        values["subject_id"] = audience.subject_id
    found = await uow.session.execute(_STATEMENTS[audience.kind], values)
    return [Recipient(**row._mapping) for row in found]


async def name_of_audience(uow: UnitOfWork, audience: Audience, zone: ZoneInfo) -> str:
    """What owners call it, a session with its date. Raises: NotFound, for another tenant's too."""
    if audience.kind is AudienceKind.TAG:
        return _("Tag “%(word)s”", word=audience.word)
    is_session = audience.kind is AudienceKind.SESSION
    subject = Session if is_session else Series
    starts_at = Session.starts_at if is_session else null()
    found = await uow.session.execute(
        select(Service.name, subject.title, starts_at.label("starts_at"))
        .join(
            subject,
            (subject.tenant_id == Service.tenant_id) & (subject.service_id == Service.id),
        )
        .where(subject.tenant_id == uow.tenant, subject.id == audience.subject_id)
    )
    row = found.first()
    if row is None:
        raise NotFound(_("There is nothing here."))
    when = datetime_local(row.starts_at, zone) if row.starts_at is not None else ""
    return " · ".join(filter(None, (row.name, row.title, when)))


async def is_over(uow: UnitOfWork, audience: Audience, now: datetime) -> bool:
    """Whether nobody can join any more: every date has begun or is off."""
    mine = Session.id if audience.kind is AudienceKind.SESSION else Session.series_id
    ahead = await uow.session.scalar(
        select(Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            mine == audience.subject_id,
            Session.starts_at > now,
            Session.state == "scheduled",
        )
        .limit(1)
    )
    return ahead is None


async def get_broadcast(uow: UnitOfWork, broadcast_id: UUID) -> Broadcast:
    """Raises: NotFound, for another tenant's too."""
    found = await uow.session.get(Broadcast, (uow.tenant, broadcast_id))
    if found is None:
        raise NotFound(_("There is nothing here."))
    return found


async def list_broadcasts(uow: UnitOfWork) -> Sequence[Broadcast]:
    """The latest first."""
    found = await uow.session.scalars(
        select(Broadcast)
        .where(Broadcast.tenant_id == uow.tenant)
        .order_by(Broadcast.sent_at.desc(), Broadcast.id.desc())
        .limit(LOG_LENGTH)
    )
    return found.all()


async def list_written_to(uow: UnitOfWork, broadcast_id: UUID) -> list[tuple[str, str]]:
    """Names and addresses, the first hundred."""
    found = await uow.session.execute(
        select(BroadcastMail.name, BroadcastMail.address)
        .where(BroadcastMail.tenant_id == uow.tenant, BroadcastMail.broadcast_id == broadcast_id)
        .order_by(BroadcastMail.address)
        .limit(LOG_LENGTH)
    )
    return [(row.name, row.address) for row in found]


async def count_since(uow: UnitOfWork, since: datetime) -> int:
    found = await uow.session.scalar(
        select(func.count())
        .select_from(Broadcast)
        .where(Broadcast.tenant_id == uow.tenant, Broadcast.sent_at > since)
    )
    return found or 0


def audience_of(broadcast: Broadcast) -> Audience:
    return Audience(
        kind=AudienceKind(broadcast.audience),
        subject_id=broadcast.subject_id,
        word=broadcast.word,
    )
