"""Which worksheets an order asks for, in the version that is given now."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Subquery, Uuid, and_, cast, func, null, or_, select, union

from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot, Order, Package
from src.booking.events import SWAP
from src.booking.models import (
    Booking,
    Seat,
    Series,
    Service,
    Session,
    Worksheet,
    WorksheetNeed,
    WorksheetVersion,
)
from src.platform.db.uow import UnitOfWork


class AskedOf(msgspec.Struct, frozen=True, kw_only=True):
    """An order's customer is to fill in this version, as often as `rule` says."""

    order_id: UUID
    customer_id: UUID
    worksheet_id: UUID
    version_id: UUID
    title: str
    rule: str


async def find_asked(uow: UnitOfWork, order_ids: Sequence[UUID]) -> list[AskedOf]:
    """What these orders ask for, each worksheet once, by order and title; nothing of a draft or of
    one that is switched off, and only what asked when the order was confirmed. Moving to another
    date, and completing a course, is no purchase.
    """
    things = _things_of(uow, order_ids)
    newest = newest_sheets(uow)
    found = await uow.session.execute(
        select(
            things.c.order_id,
            Order.customer_id,
            Worksheet.id.label("worksheet_id"),
            newest.c.id.label("version_id"),
            newest.c.title,
            Worksheet.rule,
        )
        .join(Order, and_(Order.tenant_id == uow.tenant, Order.id == things.c.order_id))
        .join(
            WorksheetNeed,
            or_(
                WorksheetNeed.service_id == things.c.service_id,
                WorksheetNeed.series_id == things.c.series_id,
                WorksheetNeed.package_id == things.c.package_id,
            ),
        )
        .join(
            Worksheet,
            and_(
                Worksheet.tenant_id == WorksheetNeed.tenant_id,
                Worksheet.id == WorksheetNeed.worksheet_id,
            ),
        )
        .join(newest, newest.c.worksheet_id == Worksheet.id)
        .where(
            WorksheetNeed.tenant_id == uow.tenant,
            Worksheet.active,
            Order.source != SWAP,
            Order.confirmed_at >= WorksheetNeed.since,
        )
        .distinct()
        .order_by(things.c.order_id, newest.c.title, Worksheet.id)
    )
    return [AskedOf(**row) for row in found.mappings()]


def _things_of(uow: UnitOfWork, order_ids: Sequence[UUID]) -> Subquery:
    """What was booked or bought with each order."""
    booked = (
        select(
            Booking.order_id,
            Booking.service_id,
            func.coalesce(Booking.series_id, Session.series_id).label("series_id"),
            cast(null(), Uuid).label("package_id"),
        )
        .outerjoin(Seat, and_(Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id))
        .outerjoin(
            Session, and_(Session.tenant_id == Seat.tenant_id, Session.id == Seat.session_id)
        )
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.order_id.in_(order_ids),
            Booking.completes_id.is_(None),
        )
    )
    bought = select(
        CreditLot.order_id,
        cast(null(), Uuid),
        cast(null(), Uuid),
        CreditLot.package_id,
    ).where(
        CreditLot.tenant_id == uow.tenant,
        CreditLot.order_id.in_(order_ids),
        CreditLot.source == str(LotSource.PACKAGE),
        CreditLot.package_id.is_not(None),
    )
    return union(booked, bought).subquery("things")


def newest_sheets(uow: UnitOfWork) -> Subquery:
    """Of each worksheet the version that is given."""
    return (
        select(WorksheetVersion)
        .where(WorksheetVersion.tenant_id == uow.tenant)
        .distinct(WorksheetVersion.worksheet_id)
        .order_by(WorksheetVersion.worksheet_id, WorksheetVersion.number.desc())
        .subquery("newest")
    )


async def list_sheet_asked_by(
    uow: UnitOfWork, worksheet_id: UUID, base: str
) -> list[tuple[str, str]]:
    """What asks for it, by name, each with its page."""
    found = await uow.session.execute(
        select(Service.id, Service.name, Series.id, Series.title, Package.id, Package.name)
        .select_from(WorksheetNeed)
        .outerjoin(Service, _same(Service, WorksheetNeed.service_id))
        .outerjoin(Series, _same(Series, WorksheetNeed.series_id))
        .outerjoin(Package, _same(Package, WorksheetNeed.package_id))
        .where(WorksheetNeed.tenant_id == uow.tenant, WorksheetNeed.worksheet_id == worksheet_id)
    )
    things: list[tuple[str, str]] = []
    for row in found:
        places = ("services/{}/edit", "series/{}", "packages/{}")
        named = zip(row[::2], row[1::2], places, strict=True)
        things += [(name, f"{base}/{place.format(one)}") for one, name, place in named if one]
    return sorted(things, key=lambda one: (one[0].casefold(), one[1]))


def _same(table: Any, column: Any) -> Any:
    return and_(table.tenant_id == WorksheetNeed.tenant_id, table.id == column)


async def sheet_asked_by_of(uow: UnitOfWork, worksheet_id: UUID) -> dict[str, list[str]]:
    """The ids of what asks for it, by the field that lists them."""
    found = await uow.session.execute(
        select(WorksheetNeed.service_id, WorksheetNeed.series_id, WorksheetNeed.package_id).where(
            WorksheetNeed.tenant_id == uow.tenant, WorksheetNeed.worksheet_id == worksheet_id
        )
    )
    rows = found.all()
    names = ("service_ids", "series_ids", "package_ids")
    return {
        name: [str(row[place]) for row in rows if row[place] is not None]
        for place, name in enumerate(names)
    }
