"""Credits that are given for places: one for each seat that was paid, and never beside its money.

What a credit is worth is its seat's share, and no more than is left of what was paid for the order
once refunds and the credits given before are taken off. The orders' rows are locked by the caller.
Source: docs/algorithms/refund-policies.md.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select, update

from src.billing.commands.credits import Author
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.domain.credits import LotSource, Scope, end_of_day
from src.billing.models import Package
from src.billing.owed import list_owed_minor
from src.billing.queries.unreturned import list_unreturned_minor
from src.booking.domain.kinds import SessionState
from src.booking.domain.refund_policy import GivenBack
from src.booking.models import Booking, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

DAYS_AFTER_LAST_DATE = 60
"""How long a credit lives whose package names no days, counted from the course's last date."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A seat that one credit of the package is to be given for."""

    seat_id: UUID
    order_id: UUID
    customer_id: UUID
    session_id: UUID
    series_id: UUID | None
    share_minor: int
    package: GivenBack


class SeatCredit(msgspec.Struct, frozen=True, kw_only=True):
    """One credit for a place, worth `value_minor` of what was paid for it.

    `package_id` is None once the package is gone.
    """

    place: Place
    package_id: UUID | None
    value_minor: int
    expires_at: datetime


def place_of(seat: Seat, booking: Booking, package: GivenBack) -> Place:
    return Place(
        seat_id=seat.id,
        order_id=seat.order_id,
        customer_id=booking.customer_id,
        session_id=seat.session_id,
        series_id=booking.series_id,
        share_minor=seat.share_minor,
        package=package,
    )


async def plan_credits(
    uow: UnitOfWork, tenant: TenantSnapshot, places: Sequence[Place]
) -> list[SeatCredit]:
    """The credits that these places bring, in their order; those that nothing is left paid for
    bring none.
    """
    if not places:
        return []
    order_ids = {place.order_id for place in places}
    left = await list_unreturned_minor(uow, order_ids)
    # Only for a place that was paid: where a part of the price is still owed, nobody can say which.
    for order_id, owed_minor in (await list_owed_minor(uow, sorted(order_ids))).items():
        if owed_minor:
            left[order_id] = 0
    ends = await _last_starts(uow, places)
    packages = await _existing(uow, {place.package.package_id for place in places})
    planned: list[SeatCredit] = []
    for place in places:
        value_minor = min(place.share_minor, left.get(place.order_id, 0))
        if value_minor <= 0:
            continue
        left[place.order_id] -= value_minor
        end = expiry(place.package, uow.clock.now(), ends[place.seat_id], tenant)
        package_id = place.package.package_id if place.package.package_id in packages else None
        credit = SeatCredit(
            place=place, package_id=package_id, value_minor=value_minor, expires_at=end
        )
        planned.append(credit)
    return planned


async def _existing(uow: UnitOfWork, package_ids: set[UUID]) -> set[UUID]:
    found = await uow.session.scalars(
        select(Package.id).where(Package.tenant_id == uow.tenant, Package.id.in_(package_ids))
    )
    return set(found)


def expiry(
    package: GivenBack, now: datetime, last_starts_at: datetime, tenant: TenantSnapshot
) -> datetime:
    """The end of the last day of its validity, or so many days after the course's last date."""
    end = end_of_day(package.validity_days, now, tenant.zone)
    if end is None:
        end = end_of_day(DAYS_AFTER_LAST_DATE, max(now, last_starts_at), tenant.zone)
    return end or now + timedelta(days=DAYS_AFTER_LAST_DATE)


async def _last_starts(uow: UnitOfWork, places: Sequence[Place]) -> Mapping[UUID, datetime]:
    """By seat, when the last date of its course starts, or its own where it is none."""
    found = await uow.session.execute(
        select(Session.series_id, func.max(Session.starts_at))
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id.in_({place.series_id for place in places if place.series_id}),
            Session.state != str(SessionState.CANCELLED),
        )
        .group_by(Session.series_id)
    )
    of_series = {row[0]: row[1] for row in found}
    own = await uow.session.execute(
        select(Session.id, Session.starts_at).where(
            Session.tenant_id == uow.tenant,
            Session.id.in_({place.session_id for place in places}),
        )
    )
    starts = {row[0]: row[1] for row in own}
    return {
        place.seat_id: max(
            of_series.get(place.series_id, starts[place.session_id]), starts[place.session_id]
        )
        for place in places
    }


def insert_seat_credits(
    uow: UnitOfWork, new: Sequence[SeatCredit], currency: str, author: Author
) -> dict[UUID, UUID]:
    """Writes the lots, each holding its credit. A seat gives one once: a second time violates a
    constraint. Returns the lots' ids by seat.
    """
    lots = [
        NewLot(
            customer_id=one.place.customer_id,
            source=LotSource.SEAT,
            name=one.place.package.name,
            credits=1,
            scope=scope_given(one.place.package),
            currency=currency,
            package_id=one.package_id,
            order_id=one.place.order_id,
            source_seat_id=one.place.seat_id,
            value_minor=one.value_minor,
            validity_days=one.place.package.validity_days,
            expires_at=one.expires_at,
        )
        for one in new
    ]
    lot_ids = insert_lots(uow, lots, author, uow.clock.now()) if lots else []
    return {one.place.seat_id: lot_id for one, lot_id in zip(new, lot_ids, strict=True)}


def scope_given(package: GivenBack) -> Scope:
    return Scope(
        any_service=package.any_service,
        service_ids=frozenset(package.service_ids),
        tags=frozenset(package.tags),
    )


async def mark_credited(uow: UnitOfWork, seat_ids: Sequence[UUID]) -> None:
    """Writes on seats that have ended, their rows locked, that a credit came back for them."""
    if not seat_ids:
        return
    await uow.session.execute(
        update(Seat)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(seat_ids))
        .values(returned_as="credit")
        .execution_options(synchronize_session=False)
    )
