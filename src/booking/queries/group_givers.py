"""Which orders make their buyers members of which groups, and whether an order still stands.

An order gives what it gave when it was confirmed, however often and late that is told. Moving to
another date, and completing a course, is no purchase: such an order gives nothing itself.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Select, exists, func, or_, select, union

from src.billing.domain.credits import EntryKind, LotState
from src.billing.models import CreditEntry, CreditLot, Order
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.events import SWAP
from src.booking.models import Booking, Group, GroupGiver, Seat, Series, Service
from src.platform.db.uow import UnitOfWork

TAKEN = sorted(map(str, TAKEN_SEATS))


async def list_giving(uow: UnitOfWork, order_ids: Collection[UUID]) -> list[UUID]:
    """Those of the orders that may make somebody a member, in one statement for all of them."""
    every = union(
        _by_bookings(uow, order_ids, Booking.order_id),
        _by_lots(uow, order_ids, CreditLot.order_id),
    )
    return [one for one in await uow.session.scalars(every) if one is not None]


async def list_earned(uow: UnitOfWork, order_id: UUID) -> dict[UUID, str]:
    """The switched-on groups that the order gives if it stands, with what of it does, by name. A
    series of a service is a booking of that service.
    """
    bookings = await uow.session.execute(
        _by_bookings(uow, [order_id], GroupGiver.group_id, Service.name, Series.title)
        .join(
            Service,
            (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id),
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .order_by(Booking.id)
    )
    lots = await uow.session.execute(
        _by_lots(uow, [order_id], GroupGiver.group_id, CreditLot.name).order_by(CreditLot.id)
    )
    earned: dict[UUID, str] = {}
    for group_id, *names in [*bookings, *lots]:
        earned.setdefault(group_id, " · ".join(filter(None, names)))
    return earned


async def still_stands(uow: UnitOfWork, order_id: UUID) -> bool:
    """Whether anything of the order is neither cancelled nor given back. Of a seat that was swapped
    the one that took its place says so, in whichever order: its guest comes, only elsewhere.
    """
    became = _became(uow, order_id)
    seats = exists().where(became.c.state.in_(TAKEN))
    lots = exists().where(
        CreditLot.tenant_id == uow.tenant, CreditLot.order_id == order_id, *_kept_lots()
    )
    return bool(await uow.session.scalar(select(seats | lots)))


async def list_swapped_into(uow: UnitOfWork, order_id: UUID) -> list[UUID]:
    """The other orders with a place that was swapped for one of this order, by id."""
    became = _became(uow, order_id)
    found = await uow.session.scalars(
        select(became.c.order_id).where(became.c.order_id != order_id).distinct()
    )
    return sorted(found)


async def list_swapped_from(uow: UnitOfWork, order_ids: Collection[UUID]) -> set[UUID]:
    """The orders whose places were swapped for ones of these."""
    earlier = (
        select(Seat.replaces_id.label("id"))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id.in_(order_ids),
            Seat.replaces_id.is_not(None),
        )
        .cte("earlier", recursive=True)
    )
    before = select(Seat.replaces_id).where(
        Seat.tenant_id == uow.tenant, Seat.id == earlier.c.id, Seat.replaces_id.is_not(None)
    )
    earlier = earlier.union(before)
    found = await uow.session.scalars(
        select(Seat.order_id)
        .where(Seat.tenant_id == uow.tenant, Seat.id.in_(select(earlier.c.id)))
        .distinct()
    )
    return set(found)


def _became(uow: UnitOfWork, order_id: UUID) -> CTE:
    """The order's seats, and those that took the places of swapped ones since."""
    columns = Seat.id, Seat.order_id, Seat.state
    became = (
        select(*columns)
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
        .cte("became", recursive=True)
    )
    return became.union(
        select(*columns).where(Seat.tenant_id == uow.tenant, Seat.replaces_id == became.c.id)
    )


async def lock_lots(uow: UnitOfWork, order_id: UUID) -> None:
    """So that no refund of its credits comes between the look at them and COMMIT."""
    await uow.session.execute(
        select(CreditLot.id)
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.order_id == order_id)
        .order_by(CreditLot.id)
        .with_for_update(key_share=True)
    )


def _by_bookings(uow: UnitOfWork, order_ids: Collection[UUID], *columns: Any) -> Select[Any]:
    gives = or_(
        GroupGiver.service_id == Booking.service_id, GroupGiver.series_id == Booking.series_id
    )
    of_booking = exists().where(
        Seat.tenant_id == Booking.tenant_id,
        Seat.booking_id == Booking.id,
        Seat.state.in_([*TAKEN, str(SeatState.SWAPPED)]),
    )
    return (
        select(*columns)
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(GroupGiver, (GroupGiver.tenant_id == Booking.tenant_id) & gives)
        .join(Group, _is_on())
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.order_id.in_(order_ids),
            Booking.completes_id.is_(None),
            Order.source != SWAP,
            _was_given(),
            of_booking,
        )
    )


def _by_lots(uow: UnitOfWork, order_ids: Collection[UUID], *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(CreditLot)
        .join(Order, (Order.tenant_id == CreditLot.tenant_id) & (Order.id == CreditLot.order_id))
        .join(
            GroupGiver,
            (GroupGiver.tenant_id == CreditLot.tenant_id)
            & (GroupGiver.package_id == CreditLot.package_id),
        )
        .join(Group, _is_on())
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id.in_(order_ids),
            _was_given(),
            *_kept_lots(),
        )
    )


def _was_given() -> ColumnElement[bool]:
    return Order.confirmed_at >= GroupGiver.since


def _is_on() -> ColumnElement[bool]:
    return (
        (Group.tenant_id == GroupGiver.tenant_id) & (Group.id == GroupGiver.group_id) & Group.active
    )


def _kept_lots() -> tuple[ColumnElement[bool], ...]:
    """Bought packages but those that were never paid, or of which all credits were refunded."""
    refunded = (
        select(-func.coalesce(func.sum(CreditEntry.credits), 0))
        .where(
            CreditEntry.tenant_id == CreditLot.tenant_id,
            CreditEntry.lot_id == CreditLot.id,
            or_(
                CreditEntry.kind == str(EntryKind.REFUND),
                # What a refund had taken came back because it failed.
                CreditEntry.refund_id.is_not(None) & (CreditEntry.kind == str(EntryKind.RESTORE)),
            ),
        )
        .correlate(CreditLot)
        .scalar_subquery()
    )
    return (
        CreditLot.source == "package",
        CreditLot.state != str(LotState.VOID),
        or_(CreditLot.bought == 0, refunded < CreditLot.bought),
    )
