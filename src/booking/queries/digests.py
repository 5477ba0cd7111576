"""What happened in a business, and what a member leads today."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.kinds import OrderState, RefundState
from src.billing.models import Order, Payment, Refund
from src.billing.queries.disputes import get_taken_back_between
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.models import Booking, Digest, Seat, Service, Session
from src.booking.queries.on_offer import people_in, places_on_offer, with_offers
from src.platform.db.uow import UnitOfWork
from src.tenants.domain.roles import Role
from src.tenants.models import Location, Member, Performer, User

FULL_AHEAD = timedelta(days=14)
MOST_FULL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Numbers of a stretch of time; money in minor units of the business's currency.

    `taken_back_minor` went to guests' banks in disputes that were lost.
    """

    bookings: int
    cancelled_seats: int
    received_minor: int
    refunded_minor: int
    taken_back_minor: int

    @property
    def is_nothing(self) -> bool:
        money = self.received_minor or self.refunded_minor or self.taken_back_minor
        return not (self.bookings or self.cancelled_seats or money)


@dataclass(frozen=True, slots=True)
class Dated:
    """A session as a digest lists it: `people` have a place, and `on_offer` are offered to some who
    wait.
    """

    session: Session
    service_name: str
    place: str
    people: int
    on_offer: int


async def find_recipient(uow: UnitOfWork, user_id: UUID) -> tuple[User, Role] | None:
    """The member, None once they are none."""
    found = await uow.session.execute(
        select(User, Member.role)
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == uow.tenant, Member.user_id == user_id)
    )
    row = found.first()
    return None if row is None else (row[0], Role(row[1]))


async def what_happened(uow: UnitOfWork, since: datetime, until: datetime) -> Happened:
    """From `since`, and before `until`."""
    bookings = await uow.session.scalar(
        select(func.count())
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(
            Booking.tenant_id == uow.tenant,
            Order.state == OrderState.CONFIRMED,
            Order.confirmed_at >= since,
            Order.confirmed_at < until,
        )
    )
    cancelled = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.state.in_([SeatState.CANCELLED, SeatState.LATE_CANCELLED]),
            Seat.changed_at >= since,
            Seat.changed_at < until,
        )
    )
    received = await uow.session.scalar(
        select(func.sum(Payment.amount_minor)).where(
            Payment.tenant_id == uow.tenant,
            Payment.received_at >= since,
            Payment.received_at < until,
            # What a voucher pays came in when it was bought.
            Payment.voucher_id.is_(None),
        )
    )
    refunded = await uow.session.scalar(
        select(func.sum(Refund.amount_minor)).where(
            Refund.tenant_id == uow.tenant,
            Refund.state == RefundState.SUCCEEDED,
            Refund.finished_at >= since,
            Refund.finished_at < until,
            Refund.voucher_id.is_(None),
        )
    )
    return Happened(
        bookings=bookings or 0,
        cancelled_seats=cancelled or 0,
        received_minor=int(received or 0),
        refunded_minor=int(refunded or 0),
        taken_back_minor=await get_taken_back_between(uow, since, until),
    )


async def list_full(uow: UnitOfWork, now: datetime) -> list[Dated]:
    """The next sessions without a free seat."""
    return await _dated(
        uow,
        Session.starts_at > now,
        Session.starts_at < now + FULL_AHEAD,
        Session.seats_taken >= Session.capacity,
        most=MOST_FULL,
    )


async def list_led_by(
    uow: UnitOfWork, user_id: UUID, since: datetime, until: datetime
) -> list[Dated]:
    """What the member leads between the two moments."""
    mine = select(Performer.id).where(
        Performer.tenant_id == uow.tenant, Performer.user_id == user_id
    )
    return await _dated(
        uow,
        Session.performer_id.in_(mine),
        Session.starts_at >= since,
        Session.starts_at < until,
        most=100,
    )


async def _dated(uow: UnitOfWork, *where: object, most: int) -> list[Dated]:
    found = await uow.session.execute(
        with_offers(select(Session, Service.name, Location.name, people_in(), places_on_offer()))
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .where(
            Session.tenant_id == uow.tenant,
            Session.state == SessionState.SCHEDULED,
            *where,  # type: ignore[arg-type]  # conditions, which mypy does not know as such
        )
        .order_by(Session.starts_at, Session.id)
        .limit(most)
    )
    return [Dated(row[0], row[1], row[2] or "", row[3], row[4]) for row in found]


async def list_digests(uow: UnitOfWork, user_id: UUID) -> Sequence[Digest]:
    """What the member has asked for."""
    found = await uow.session.scalars(
        select(Digest)
        .where(Digest.tenant_id == uow.tenant, Digest.user_id == user_id)
        .order_by(Digest.kind)
    )
    return found.all()
