"""Whom a broadcast is for, and what was sent."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Select, TextClause, Uuid, column, func, null, select, text

from src.booking.domain.broadcasting import Audience, AudienceKind, Recipient, read_audience
from src.booking.models import Broadcast, BroadcastMail, Series, Service, Session
from src.booking.queries.handing_on import Holder, list_holders_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.formats import datetime_local
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.queries.mail_choices import asked_for, declined

LOG_LENGTH = 100
NOBODY = UUID(int=0)

_PLACES = (
    " FROM seats s"
    " JOIN sessions n ON n.tenant_id = :tenant_id AND n.id = s.session_id"
    " JOIN bookings b ON b.tenant_id = :tenant_id AND b.id = s.booking_id"
    " JOIN orders o ON o.tenant_id = :tenant_id AND o.id = s.order_id"
    " WHERE s.tenant_id = :tenant_id AND s.state IN ('confirmed', 'attended')"
)
_SEATS = (
    "SELECT b.customer_id, lower(btrim(o.guest_email)) AS address, o.guest_name AS name, o.locale,"
    f" o.created_at AS at{_PLACES}"
)
_AHEAD_IN_SERIES = (
    " AND (n.ends_at > :as_of OR NOT EXISTS (SELECT FROM sessions f"
    " WHERE f.tenant_id = :tenant_id AND f.series_id = n.series_id"
    " AND f.state = 'scheduled' AND f.ends_at > :as_of))"
)
"""Who has left a course has places on its past dates still, and is not to hear how it goes on."""
_OF_DATES = {
    AudienceKind.SESSION: " AND n.id = ANY(CAST(:session AS uuid[]))",
    AudienceKind.SERIES: f" AND n.series_id = ANY(CAST(:series AS uuid[])){_AHEAD_IN_SERIES}",
}
_PEOPLE = {
    **{kind: _SEATS + of_them for kind, of_them in _OF_DATES.items()},
    AudienceKind.TAG: (
        "SELECT k.id AS customer_id, k.email AS address, k.name, '' AS locale, k.created_at AS at"
        " FROM customer_tags t"
        " JOIN customers k ON k.tenant_id = :tenant_id AND k.id = t.customer_id"
        " WHERE t.tenant_id = :tenant_id AND t.word = ANY(CAST(:tag AS text[]))"
        " AND k.email IS NOT NULL"
    ),
}
_AGREED = (
    "(EXISTS (SELECT FROM orders a WHERE a.tenant_id = :tenant_id AND a.customer_id = p.customer_id"
    " AND a.state = 'confirmed' AND a.consents ? 'marketing')"
    f" OR {asked_for('p.customer_id', MailTopic.MARKETING)})"
    f" AND NOT {declined('p.customer_id', MailTopic.MARKETING)}"
)


async def gets_news(uow: UnitOfWork, customer_id: UUID) -> bool:
    """Whether the customer has agreed to news by mail, and not taken it back."""
    found = await uow.session.scalar(
        text(f"SELECT {_AGREED} FROM (SELECT CAST(:customer_id AS uuid) AS customer_id) p"),  # noqa: S608 - our own words
        {"tenant_id": uow.tenant, "customer_id": customer_id},
    )
    return bool(found)


def _statement(kinds: Iterable[AudienceKind]) -> TextClause:
    """Each address once, under its latest name; those already written to are left out."""
    return text(
        "SELECT DISTINCT ON (p.address) p.customer_id, p.address, p.name, p.locale"  # noqa: S608 - our own words
        f" FROM ({_people(kinds)}) p WHERE p.address <> ''"
        f" AND (NOT :needs_consent OR ({_AGREED}))"
        " AND NOT EXISTS (SELECT FROM broadcast_mails w WHERE w.tenant_id = :tenant_id"
        " AND w.broadcast_id = :broadcast_id AND w.address = p.address)"
        " ORDER BY p.address, p.at DESC LIMIT :most"
    )


def _counting(kinds: Iterable[AudienceKind]) -> TextClause:
    return text(
        "SELECT count(DISTINCT p.address) AS everybody, count(DISTINCT p.address)"  # noqa: S608 - our own words
        f" FILTER (WHERE NOT :needs_consent OR ({_AGREED})) AS reached"
        f" FROM ({_people(kinds)}) p WHERE p.address <> ''"
    )


def _people(kinds: Iterable[AudienceKind]) -> str:
    return " UNION ALL ".join(_PEOPLE[kind] for kind in kinds)


async def list_recipients(
    uow: UnitOfWork,
    audiences: Sequence[Audience],
    *,
    needs_consent: bool,
    most: int | None = None,
    broadcast_id: UUID = NOBODY,
    as_of: datetime | None = None,
) -> list[Recipient]:
    """Who is to be written to now, in the order of their addresses, once whatever number of
    audiences they belong to; with consent where needed. Which dates of a series are to come is
    asked for `as_of`, or now: a mail that takes long reaches no others than it was written to.
    """
    if not (named := _by_kind(audiences)):
        return []
    values = {
        "tenant_id": uow.tenant,
        "needs_consent": needs_consent,
        "broadcast_id": broadcast_id,
        "most": most,
        **_moment(uow, named, as_of),
    }
    found = await uow.session.execute(_statement(named), values | _subjects(named))
    return [Recipient(**row._mapping) for row in found]


async def count_recipients(
    uow: UnitOfWork, audiences: Sequence[Audience], *, needs_consent: bool
) -> tuple[int, int]:
    """How many `list_recipients` would name for a new mail, and how many without the consent."""
    if not (named := _by_kind(audiences)):
        return 0, 0
    values = {"tenant_id": uow.tenant, "needs_consent": needs_consent}
    values |= {**_subjects(named), **_moment(uow, named, None)}
    row = (await uow.session.execute(_counting(named), values)).one()
    return row.reached, row.everybody


async def list_stand_ins(uow: UnitOfWork, audiences: Sequence[Audience]) -> list[Holder]:
    """To whom guests of these dates handed places on, each address once: they are no customers, and
    a broadcast does not reach them, but for those who have a place of their own there.
    """
    named = {kind: of for kind, of in _by_kind(audiences).items() if kind in _OF_DATES}
    if not named:
        return []
    handed_on = f"SELECT s.id{_PLACES} AND s.is_handed_on"
    seats = " UNION ".join(f"{handed_on}{_OF_DATES[kind]}" for kind in named)
    values = {"tenant_id": uow.tenant, **_moment(uow, named, None), **_subjects(named)}
    places = text(seats).bindparams(**values).columns(column("id", Uuid())).subquery()
    holders = await list_holders_of(uow, select(places.c.id))
    by_address = {one.address.lower(): one for one in holders.values() if one.address}
    if by_address:
        for reached in await list_recipients(uow, audiences, needs_consent=False):
            by_address.pop(reached.address.lower(), None)
    return sorted(by_address.values(), key=lambda one: (one.name, one.address))


def _by_kind(audiences: Sequence[Audience]) -> dict[AudienceKind, list[Any]]:
    named: dict[AudienceKind, list[Any]] = {}
    for one in audiences:
        is_tag = one.kind is AudienceKind.TAG
        named.setdefault(one.kind, []).append(one.word if is_tag else one.subject_id)
    return named


def _subjects(named: dict[AudienceKind, list[Any]]) -> dict[str, list[Any]]:
    return {str(kind): subjects for kind, subjects in named.items()}


def _moment(
    uow: UnitOfWork, named: Iterable[AudienceKind], as_of: datetime | None
) -> dict[str, Any]:
    return {"as_of": as_of or uow.clock.now()} if AudienceKind.SERIES in named else {}


async def first_reader(
    uow: UnitOfWork, audiences: Sequence[Audience], needs_consent: bool, *, otherwise: str
) -> Recipient:
    """One of those who would get it; where there is nobody yet, somebody of this name."""
    found = await list_recipients(uow, audiences, needs_consent=needs_consent, most=1)
    nobody = Recipient(customer_id=NOBODY, address="", name=otherwise, locale="")
    return found[0] if found else nobody


async def names_of_audiences(
    uow: UnitOfWork, audiences: Sequence[Audience], zone: ZoneInfo
) -> list[str]:
    """What owners call each, a session with its date.

    Raises: NotFound, for another tenant's too.
    """
    names = await names_by_audience(uow, audiences, zone)
    if any(one not in names for one in audiences):
        raise NotFound(_("There is nothing here."))
    return [names[one] for one in audiences]


async def names_as_sent(
    uow: UnitOfWork, audiences: Sequence[Audience], zone: ZoneInfo
) -> list[str]:
    """`names_of_audiences` of a mail that was sent, some of whose dates may be deleted by now."""
    names = await names_by_audience(uow, audiences, zone)
    return [names.get(one) or _("A date that was deleted") for one in audiences]


async def names_by_audience(
    uow: UnitOfWork, audiences: Sequence[Audience], zone: ZoneInfo
) -> dict[Audience, str]:
    """Of those that there are."""
    return {
        **await _names(uow, Session, audiences, AudienceKind.SESSION, zone),
        **await _names(uow, Series, audiences, AudienceKind.SERIES, zone),
        **{
            one: _("Tag “%(word)s”", word=one.word)
            for one in audiences
            if one.kind is AudienceKind.TAG
        },
    }


async def _names(
    uow: UnitOfWork,
    subject: type[Session] | type[Series],
    audiences: Sequence[Audience],
    kind: AudienceKind,
    zone: ZoneInfo,
) -> dict[Audience, str]:
    wanted = [one.subject_id for one in audiences if one.kind is kind]
    if not wanted:
        return {}
    found = await uow.session.execute(
        naming(subject).where(subject.tenant_id == uow.tenant, subject.id.in_(wanted))
    )
    return {Audience(kind=kind, subject_id=row.id): name_of(row, zone) for row in found}


def naming(subject: type[Session] | type[Series]) -> Select[Any]:
    """What `name_of` needs of each: the service, the own title and, of a session, the date."""
    starts_at = subject.starts_at if subject is Session else null()
    return select(subject.id, Service.name, subject.title, starts_at.label("starts_at")).join(
        Service, (Service.tenant_id == subject.tenant_id) & (Service.id == subject.service_id)
    )


def name_of(row: Row[Any], zone: ZoneInfo) -> str:
    when = datetime_local(row.starts_at, zone) if row.starts_at is not None else ""
    return " · ".join(filter(None, (row.name, row.title, when)))


async def is_over(uow: UnitOfWork, audiences: Sequence[Audience], now: datetime) -> bool:
    """Whether nobody can join any more: every date has begun or is off."""
    dates = [one.subject_id for one in audiences if one.kind is AudienceKind.SESSION]
    series = [one.subject_id for one in audiences if one.kind is AudienceKind.SERIES]
    ahead = await uow.session.scalar(
        select(Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(dates) | Session.series_id.in_(series),
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


def audiences_of(broadcast: Broadcast) -> tuple[Audience, ...]:
    return audiences_read(broadcast.audiences)


def audiences_read(texts: Iterable[str]) -> tuple[Audience, ...]:
    """Of what `Audience.text` made."""
    return tuple(filter(None, map(read_audience, texts)))
