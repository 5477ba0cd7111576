"""Which orders make their buyers members of which groups, and whether an order still stands."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, union

from src.billing.domain.credits import EntryKind, LotState
from src.billing.models import CreditEntry, CreditLot
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import Booking, Group, GroupGiver, Seat, Series, Service
from src.platform.db.uow import UnitOfWork

STANDING = sorted(str(state) for state in {*TAKEN_SEATS, SeatState.SWAPPED})
"""A seat that was swapped was not cancelled: its guest comes, only elsewhere."""


async def list_giving(uow: UnitOfWork, order_ids: Collection[UUID]) -> list[UUID]:
    """Those of the orders that make somebody a member, in one statement for all of them."""
    every = union(
        _by_bookings(uow, order_ids, Booking.order_id),
        _by_lots(uow, order_ids, CreditLot.order_id),
    )
    return [one for one in await uow.session.scalars(every) if one is not None]


async def list_earned(uow: UnitOfWork, order_id: UUID) -> dict[UUID, str]:
    """The switched-on groups that the order gives now, with what of it does, by name. A series of
    a service is a booking of that service.
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
    """Whether anything of the order is neither cancelled nor given back."""
    seats = exists().where(_standing(), Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
    lots = exists().where(
        CreditLot.tenant_id == uow.tenant, CreditLot.order_id == order_id, *_kept_lots()
    )
    return bool(await uow.session.scalar(select(seats | lots)))


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
        Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id, _standing()
    )
    return (
        select(*columns)
        .select_from(Booking)
        .join(GroupGiver, (GroupGiver.tenant_id == Booking.tenant_id) & gives)
        .join(Group, _is_on())
        .where(Booking.tenant_id == uow.tenant, Booking.order_id.in_(order_ids), of_booking)
    )


def _by_lots(uow: UnitOfWork, order_ids: Collection[UUID], *columns: Any) -> Select[Any]:
    return (
        select(*columns)
        .select_from(CreditLot)
        .join(
            GroupGiver,
            (GroupGiver.tenant_id == CreditLot.tenant_id)
            & (GroupGiver.package_id == CreditLot.package_id),
        )
        .join(Group, _is_on())
        .where(CreditLot.tenant_id == uow.tenant, CreditLot.order_id.in_(order_ids), *_kept_lots())
    )


def _is_on() -> ColumnElement[bool]:
    return (
        (Group.tenant_id == GroupGiver.tenant_id) & (Group.id == GroupGiver.group_id) & Group.active
    )


def _standing() -> ColumnElement[bool]:
    return Seat.state.in_(STANDING)


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
