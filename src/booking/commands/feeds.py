"""Calendar feeds: made, renewed and revoked.

A feed's key reads `<feed>_<secret>`; the first part, an id in hex, says where to look. Only the
SHA-256 of the secret is stored, whose 256 random bits no guessing reaches.
"""

import hmac
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update

from src.billing.commands.orders import get_order
from src.booking.calendar_links import LinkedCustomer, hold_customer
from src.booking.domain.kinds import FeedKind
from src.booking.events import CalendarAsked
from src.booking.models import CalendarFeed
from src.platform.db import register_constraint
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role, reaches
from src.tenants.models import Member

SECRET_BYTES = 32
READ_NOTED_EVERY = timedelta(minutes=10)
_SHAPE = re.compile(r"([0-9a-f]{32})_([A-Za-z0-9_-]{43})", re.ASCII)


def _made_meanwhile() -> Conflict:
    return Conflict(_("This address has just been renewed elsewhere. Please look at it again."))


register_constraint("pk_calendar_feeds", _made_meanwhile)
register_constraint("uq_calendar_feeds_of_user", _made_meanwhile)
register_constraint("uq_calendar_feeds_of_order", _made_meanwhile)
register_constraint("uq_calendar_feeds_of_customer", _made_meanwhile)


class FeedMadeBefore(Conflict):
    """The same form has made a feed already, whose key was shown then; nothing was done."""

    def __init__(self) -> None:
        super().__init__(_("This address has been made already."), code="already_submitted")


async def make_member_feed(
    uow: UnitOfWork, ctx: RequestContext, kind: FeedKind, feed_id: UUID | None = None
) -> str:
    """The member's one feed of that kind, any earlier one ended. Returns its key, shown this once.
    `feed_id` is the form's token, which becomes the feed's id.

    Raises: FeedMadeBefore; when it settles, Conflict.
    """
    feed_id = await _new_feed_id(uow, feed_id)
    await _replace(uow, _of_member(ctx, kind))
    key = _make(uow, feed_id, kind, user_id=ctx.user_id)
    await audit(uow, ctx, "calendar_feed.created", "calendar_feed", feed_id, kind=kind)
    return key


async def revoke_member_feed(uow: UnitOfWork, ctx: RequestContext, kind: FeedKind) -> None:
    """Ends the member's feed at once; without one, nothing is done."""
    for feed_id in await _revoke(uow, _of_member(ctx, kind)):
        await audit(uow, ctx, "calendar_feed.revoked", "calendar_feed", feed_id, kind=kind)


async def make_booking_feed(uow: UnitOfWork, order_id: UUID, feed_id: UUID | None = None) -> str:
    """The order's one feed, any earlier one ended. Returns its key, shown this once. `feed_id` is
    the form's token.

    Raises: FeedMadeBefore; when it settles, Conflict.
    """
    feed_id = await _new_feed_id(uow, feed_id)
    await _replace(uow, CalendarFeed.order_id == order_id)
    return _make(uow, feed_id, FeedKind.BOOKING, order_id=order_id)


async def revoke_booking_feed(uow: UnitOfWork, order_id: UUID) -> None:
    """Ends the order's feed at once; without one, nothing is done."""
    await _revoke(uow, CalendarFeed.order_id == order_id)


async def ask_for_calendar(uow: UnitOfWork, order_id: UUID) -> None:
    """The customer who booked gets a link to the calendar of all their dates, at their own address.

    Whoever asks learns nothing of it: neither the address, nor whether there is one.
    Raises: NotFound for an order that was never confirmed.
    """
    order = await get_order(uow, order_id)
    if order.confirmed_at is None:
        raise NotFound(_("This booking has no date for a calendar."))
    asked = CalendarAsked(ask_id=new_id(), customer_id=order.customer_id, locale=order.locale)
    uow.record(asked)


async def make_customer_feed(
    uow: UnitOfWork, linked: LinkedCustomer, feed_id: UUID | None = None
) -> str:
    """The one feed of all that the customer books, any earlier one ended. Returns its key, shown
    this once. `feed_id` is the form's token.

    Raises: NotFound; FeedMadeBefore; Gone for a link that has ended; when it settles, Conflict.
    """
    feed_id = await _new_feed_id(uow, feed_id)
    customer_id = await hold_customer(uow, linked)
    await _replace(uow, CalendarFeed.customer_id == customer_id)
    return _make(uow, feed_id, FeedKind.CUSTOMER, customer_id=customer_id)


async def revoke_customer_feed(uow: UnitOfWork, customer_ids: Collection[UUID]) -> list[UUID]:
    """Ends the feed of each of them at once; returns those that there were."""
    return await _revoke(uow, CalendarFeed.customer_id.in_(customer_ids))


async def stop_sharing_customer(uow: UnitOfWork, ctx: RequestContext, customer_id: UUID) -> None:
    """Staff end the customer's feed; without one, nothing is done. Raises: NotFound."""
    customer_id = await keep_customer(uow, customer_id)
    for _feed_id in await revoke_customer_feed(uow, [customer_id]):
        await audit(uow, ctx, "calendar_feed.revoked", "customer", customer_id, kind="customer")


async def open_feed(uow: UnitOfWork, key: str) -> CalendarFeed:
    """The feed behind a key.

    Raises: NotFound for a key that never was one here; Gone for one that was revoked, or whose
    member has left the team or reaches less far than the feed: they take nothing along.
    """
    shape = _SHAPE.fullmatch(key)
    feed = None if shape is None else await _hold(uow, UUID(shape[1]))
    if feed is None or shape is None or not hmac.compare_digest(feed.secret_hash, _hash(shape[2])):
        raise NotFound(_("There is no such calendar."))
    if feed.revoked_at is not None or not await _may_read(uow, feed):
        raise _no_longer_shared()
    return feed


def note_reading(feed: CalendarFeed, digest: str, now: datetime) -> None:
    """Keeps when the content changed, and, every ten minutes at most, that somebody follows it."""
    if feed.digest != digest:
        feed.digest, feed.changed_at = digest, now.replace(microsecond=0)
    if feed.last_read_at is None or now - feed.last_read_at >= READ_NOTED_EVERY:
        feed.last_read_at = now


def _of_member(ctx: RequestContext, kind: FeedKind) -> ColumnElement[bool]:
    return (CalendarFeed.user_id == ctx.user_id) & (CalendarFeed.kind == str(kind))


async def _new_feed_id(uow: UnitOfWork, token: UUID | None) -> UUID:
    if token is None:
        return new_id()
    if await uow.session.get(CalendarFeed, (uow.tenant, token)) is not None:
        raise FeedMadeBefore
    return token


def _make(uow: UnitOfWork, feed_id: UUID, kind: FeedKind, **whose: Any) -> str:
    secret, now = secrets.token_urlsafe(SECRET_BYTES), uow.clock.now()
    uow.session.add(
        CalendarFeed(
            tenant_id=uow.tenant,
            id=feed_id,
            kind=str(kind),
            secret_hash=_hash(secret),
            changed_at=now,
            created_at=now,
            **whose,
        )
    )
    return f"{feed_id.hex}_{secret}"


async def _revoke(uow: UnitOfWork, whose: ColumnElement[bool]) -> list[UUID]:
    ended = await uow.session.scalars(
        update(CalendarFeed)
        .where(CalendarFeed.tenant_id == uow.tenant, whose, CalendarFeed.revoked_at.is_(None))
        .values(revoked_at=uow.clock.now())
        .returning(CalendarFeed.id),
        execution_options={"synchronize_session": False},
    )
    return list(ended)


async def _replace(uow: UnitOfWork, whose: ColumnElement[bool]) -> None:
    """Ends the one there is, and lets go of those that ended before: two are kept at most."""
    await uow.session.execute(
        delete(CalendarFeed).where(
            CalendarFeed.tenant_id == uow.tenant, whose, CalendarFeed.revoked_at.is_not(None)
        ),
        execution_options={"synchronize_session": False},
    )
    await _revoke(uow, whose)


def _no_longer_shared() -> Gone:
    return Gone(_("This calendar is no longer shared under this address."))


async def _may_read(uow: UnitOfWork, feed: CalendarFeed) -> bool:
    if feed.user_id is None:
        return True
    role = await uow.session.scalar(
        select(Member.role).where(Member.tenant_id == uow.tenant, Member.user_id == feed.user_id)
    )
    needed = Role.MANAGER if feed.kind == FeedKind.BUSINESS else Role.INSTRUCTOR
    return role is not None and reaches(Role(role), needed)


async def _hold(uow: UnitOfWork, feed_id: UUID) -> CalendarFeed | None:
    """The feed as it stays until COMMIT. A merge brings another one's dates and ends it, and
    whoever renews it lets go of its row: they wait for us, or we for them.
    """
    found: CalendarFeed | None = await uow.session.scalar(
        select(CalendarFeed)
        .where(CalendarFeed.tenant_id == uow.tenant, CalendarFeed.id == feed_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
