"""What calendar feeds say, and which of them there are.

Staff's feeds name nobody who booked: whoever follows a calendar hands it to a program of others.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select

from src.booking.calendar_files import Organiser
from src.booking.domain.kinds import FeedKind, SessionMode, SessionState
from src.booking.domain.moves import place_line
from src.booking.feed_files import Feed, FeedDate
from src.booking.models import CalendarFeed, Session
from src.booking.queries.guest_dates import (
    MOST_DATES,
    SHOWN_AFTER,
    SHOWN_BEFORE,
    booking_dates,
    customer_dates,
)
from src.booking.queries.sessions import joined_sessions
from src.booking.views.feeds import FeedRow
from src.booking.waitlist_words import on_offer_words
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location, Performer


async def find_member_feeds(uow: UnitOfWork, user_id: UUID) -> dict[FeedKind, FeedRow]:
    """The feeds that a member has at present."""
    return {
        FeedKind(feed.kind): _row(feed)
        for feed in await uow.session.scalars(
            _live(uow.tenant).where(CalendarFeed.user_id == user_id)
        )
    }


async def find_booking_feed(uow: UnitOfWork, order_id: UUID) -> FeedRow | None:
    """The order's feed, if there is one at present."""
    feed = await uow.session.scalar(_live(uow.tenant).where(CalendarFeed.order_id == order_id))
    return None if feed is None else _row(feed)


async def find_customer_feed(uow: UnitOfWork, customer_id: UUID) -> FeedRow | None:
    """The feed of all that the customer books, if there is one at present."""
    whose = CalendarFeed.customer_id == customer_id
    feed = await uow.session.scalar(_live(uow.tenant).where(whose))
    return None if feed is None else _row(feed)


async def count_customer_feeds(uow: UnitOfWork, customer_ids: Sequence[UUID]) -> int:
    """How many of them have a feed at present."""
    live = _live(uow.tenant).where(CalendarFeed.customer_id.in_(customer_ids)).subquery()
    return await uow.session.scalar(select(func.count()).select_from(live)) or 0


async def get_feed_content(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, feed: CalendarFeed
) -> Feed:
    """What the feed says now, to whoever has opened it."""
    kind = FeedKind(feed.kind)
    if feed.order_id is not None:
        dates = await booking_dates(uow, settings.host, feed.order_id)
    elif feed.customer_id is not None:
        dates = await customer_dates(uow, settings.host, feed.customer_id)
    else:
        led_by = feed.user_id if kind is FeedKind.OWN else None
        dates = await _session_dates(uow, tenant, settings, led_by)
    return Feed(
        name=_name(tenant, kind),
        organiser=Organiser(name=tenant.name, email=tenant.contact_email),
        zone=tenant.timezone,
        host=settings.host,
        dates=dates,
    )


def _name(tenant: TenantSnapshot, kind: FeedKind) -> str:
    """Tells a member's own calendar from that of the business."""
    if kind is not FeedKind.OWN:
        return tenant.name
    return _("%(business)s, my sessions", business=tenant.name)


def _live(tenant_id: UUID) -> Select[tuple[CalendarFeed]]:
    return select(CalendarFeed).where(
        CalendarFeed.tenant_id == tenant_id, CalendarFeed.revoked_at.is_(None)
    )


def _row(feed: CalendarFeed) -> FeedRow:
    return FeedRow(created_at=feed.created_at, last_read_at=feed.last_read_at)


async def _session_dates(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, led_by: UUID | None
) -> list[FeedDate]:
    found = await uow.session.execute(_sessions(uow.tenant, uow.clock.now(), led_by))
    return list(_dates(found, f"{settings.base_url}/app/{tenant.slug}", settings.host))


def _sessions(tenant_id: UUID, now: datetime, led_by: UUID | None) -> Select[Any]:
    statement = (
        joined_sessions(tenant_id)
        .add_columns(Session.sequence, Session.meeting_url, Location.address)
        .where(Session.starts_at >= now - SHOWN_BEFORE, Session.starts_at < now + SHOWN_AFTER)
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_DATES)
    )
    return statement if led_by is None else statement.where(Performer.user_id == led_by)


def _dates(rows: Iterable[Row[Any]], base: str, host: str) -> Iterable[FeedDate]:
    for row in rows:
        is_cancelled = row.state == SessionState.CANCELLED
        online = row.meeting_url if row.mode == SessionMode.ONLINE else ""
        name = " · ".join(filter(None, (row.service_name, row.title)))
        yield FeedDate(
            uid=f"session-{row.id}@{host}",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            title=name if is_cancelled else f"{name} ({row.taken}/{row.capacity})",
            # Cancelling is for good, so nothing comes after it.
            sequence=row.sequence + is_cancelled,
            is_cancelled=is_cancelled,
            where=place_line(row.place, row.address) or online,
            url=f"{base}/sessions/{row.id}",
            text="\n".join(_lines(row, is_cancelled=is_cancelled)),
        )


def _lines(row: Row[Any], *, is_cancelled: bool) -> Iterable[str]:
    if not is_cancelled:
        taken, capacity = row.taken, row.capacity
        said = _("%(taken)s of %(capacity)s places are taken.", taken=taken, capacity=capacity)
        yield " ".join(filter(None, (said, on_offer_words(row.on_offer))))
    if row.performer:
        yield _("Performer: %(name)s", name=row.performer)
    if row.series_title:
        yield _("In the series “%(title)s”", title=row.series_title)
