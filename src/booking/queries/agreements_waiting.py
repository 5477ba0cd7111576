"""What waits to be signed: by who has something to come that asks for it, and has not yet.

A booking made by staff, an exchanged date, or a version that was published since, brings it about;
whoever books for themselves has signed what there was.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    and_,
    cast,
    exists,
    func,
    null,
    or_,
    select,
    union_all,
)

from src.billing.domain.credits import LotState
from src.billing.models import CreditLot
from src.booking.domain.agreements import Needed, is_covered
from src.booking.domain.kinds import SessionState
from src.booking.domain.states import TAKEN_SEATS
from src.booking.models import (
    Agreement,
    AgreementNeed,
    AgreementSignature,
    AgreementVersion,
    Booking,
    Seat,
    Session,
)
from src.booking.queries.agreements import find_newest, find_signed
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer

_TAKEN = [str(state) for state in TAKEN_SEATS]


class WhoIsAsked(msgspec.Struct, frozen=True, kw_only=True):
    """A customer with something to come who has not signed; `next_at` is its first date, None for
    credits alone.
    """

    customer_id: UUID
    name: str
    email: str
    next_at: datetime | None


async def find_waiting(
    uow: UnitOfWork, customer_id: UUID, *, is_signing: bool = False
) -> list[Needed]:
    """What this customer is to sign, by its title. With `is_signing` no new version of any comes
    before COMMIT.
    """
    pairs = await _needed_by_orders(uow, Booking.customer_id == customer_id, _lots_of(customer_id))
    return await _left_of(uow, pairs, customer_id, is_signing=is_signing)


async def find_waiting_of_order(
    uow: UnitOfWork, customer_id: UUID, order_id: UUID, *, is_signing: bool = False
) -> list[Needed]:
    """The same for one of the customer's orders."""
    pairs = await _needed_by_orders(
        uow, Booking.order_id == order_id, CreditLot.order_id == order_id
    )
    return await _left_of(uow, pairs, customer_id, is_signing=is_signing)


def _lots_of(customer_id: UUID) -> ColumnElement[bool]:
    return CreditLot.customer_id == customer_id


async def _needed_by_orders(
    uow: UnitOfWork, bookings: ColumnElement[bool], lots: ColumnElement[bool]
) -> list[tuple[UUID, UUID]]:
    """Each order with something to come, beside each agreement that it asks for."""
    things = _to_come(uow, bookings, lots)
    found = await uow.session.execute(
        select(things.c.order_id, AgreementNeed.agreement_id)
        .join(AgreementNeed, _asks(things))
        .join(Agreement, _same_agreement())
        .where(AgreementNeed.tenant_id == uow.tenant, Agreement.active)
        .distinct()
    )
    return [(order_id, agreement_id) for order_id, agreement_id in found.tuples()]


async def _left_of(
    uow: UnitOfWork, pairs: list[tuple[UUID, UUID]], customer_id: UUID, *, is_signing: bool
) -> list[Needed]:
    if not pairs:
        return []
    ids = {agreement_id for _order, agreement_id in pairs}
    if is_signing:
        await uow.session.execute(
            select(Agreement.id)
            .where(Agreement.tenant_id == uow.tenant, Agreement.id.in_(ids))
            .order_by(Agreement.id)
            .with_for_update(read=True)
        )
    newest = {one.agreement_id: one for one in await find_newest(uow, ids)}
    signed = await find_signed(uow, customer_id, [one.version_id for one in newest.values()])
    left = {
        agreement_id
        for order_id, agreement_id in pairs
        if agreement_id in newest
        and not is_covered(newest[agreement_id].version_id, order_id, signed)
    }
    return sorted(
        (newest[one] for one in left), key=lambda one: (one.title.casefold(), one.agreement_id)
    )


def _to_come(uow: UnitOfWork, bookings: ColumnElement[bool], lots: ColumnElement[bool]) -> Subquery:
    """Dates that stand and are not over, and credits that can be used, each with its order."""
    dates = (
        select(
            Booking.customer_id,
            Booking.order_id,
            Booking.service_id,
            Session.series_id,
            cast(null(), Uuid).label("package_id"),
            Session.starts_at,
        )
        .join(Seat, and_(Seat.tenant_id == Booking.tenant_id, Seat.booking_id == Booking.id))
        .join(Session, and_(Session.tenant_id == Seat.tenant_id, Session.id == Seat.session_id))
        .where(
            Booking.tenant_id == uow.tenant,
            bookings,
            Seat.state.in_(_TAKEN),
            Session.state == str(SessionState.SCHEDULED),
            Session.ends_at > uow.clock.now(),
        )
    )
    lots_left: Select[Any] = select(
        CreditLot.customer_id,
        CreditLot.order_id,
        cast(null(), Uuid),
        cast(null(), Uuid),
        CreditLot.package_id,
        cast(null(), Session.starts_at.type),
    ).where(
        CreditLot.tenant_id == uow.tenant,
        lots,
        CreditLot.order_id.is_not(None),
        CreditLot.package_id.is_not(None),
        CreditLot.state == str(LotState.ACTIVE),
        CreditLot.balance > 0,
    )
    return union_all(dates, lots_left).subquery("things")


def _asks(things: Subquery) -> ColumnElement[bool]:
    return or_(
        AgreementNeed.service_id == things.c.service_id,
        AgreementNeed.series_id == things.c.series_id,
        AgreementNeed.package_id == things.c.package_id,
    )


def _same_agreement() -> ColumnElement[bool]:
    return and_(
        Agreement.tenant_id == AgreementNeed.tenant_id, Agreement.id == AgreementNeed.agreement_id
    )


def _who_lacks(uow: UnitOfWork, agreement_id: UUID) -> Subquery:
    """Who has not signed the newest version, with their next date."""
    things = _to_come(uow, Booking.tenant_id == uow.tenant, CreditLot.tenant_id == uow.tenant)
    newest = (
        select(AgreementVersion.id)
        .where(
            AgreementVersion.tenant_id == uow.tenant,
            AgreementVersion.agreement_id == agreement_id,
        )
        .order_by(AgreementVersion.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    signed = exists().where(
        AgreementSignature.tenant_id == uow.tenant,
        AgreementSignature.customer_id == things.c.customer_id,
        AgreementSignature.version_id == newest,
        or_(
            AgreementSignature.is_proved,
            AgreementSignature.order_id == things.c.order_id,
        ),
    )
    return (
        select(things.c.customer_id, func.min(things.c.starts_at).label("next_at"))
        .join(AgreementNeed, _asks(things))
        .where(
            AgreementNeed.tenant_id == uow.tenant,
            AgreementNeed.agreement_id == agreement_id,
            ~signed,
        )
        .group_by(things.c.customer_id)
        .subquery("lacking")
    )


async def count_lacking(uow: UnitOfWork, agreement_id: UUID) -> int:
    """How many have something to come that asks for it, and have not signed what holds now."""
    lacking = _who_lacks(uow, agreement_id)
    return await uow.session.scalar(select(func.count()).select_from(lacking)) or 0


async def count_concerned(uow: UnitOfWork, agreement_id: UUID) -> int:
    """How many have something to come that asks for it, whether or not they have signed."""
    things = _to_come(uow, Booking.tenant_id == uow.tenant, CreditLot.tenant_id == uow.tenant)
    found = await uow.session.scalar(
        select(func.count(things.c.customer_id.distinct()))
        .select_from(things)
        .join(AgreementNeed, _asks(things))
        .where(AgreementNeed.tenant_id == uow.tenant, AgreementNeed.agreement_id == agreement_id)
    )
    return found or 0


async def list_lacking(
    uow: UnitOfWork, agreement_id: UUID, *, limit: int, offset: int = 0
) -> list[WhoIsAsked]:
    """Those by name, whose next date comes first at the top."""
    lacking = _who_lacks(uow, agreement_id)
    found = await uow.session.execute(
        select(Customer.id, Customer.name, Customer.email, lacking.c.next_at)
        .join(lacking, lacking.c.customer_id == Customer.id)
        .where(Customer.tenant_id == uow.tenant)
        .order_by(lacking.c.next_at.asc().nulls_last(), Customer.id)
        .limit(limit)
        .offset(offset)
    )
    return [
        WhoIsAsked(customer_id=one_id, name=name, email=email or "", next_at=next_at)
        for one_id, name, email, next_at in found.tuples()
    ]


class OfOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What one order asks for: the titles that are signed, and those that wait."""

    signed: list[str] = []
    waiting: list[str] = []


async def find_of_orders(uow: UnitOfWork, orders: Mapping[UUID, UUID]) -> dict[UUID, OfOrder]:
    """By order, of those given with their customers that ask for something; for their mails."""
    order_ids = list(orders)
    pairs = await _needed_by_orders(
        uow, Booking.order_id.in_(order_ids), CreditLot.order_id.in_(order_ids)
    )
    if not pairs:
        return {}
    newest = {one.agreement_id: one for one in await find_newest(uow, {one for _o, one in pairs})}
    found: dict[UUID, OfOrder] = {}
    for order_id in order_ids:
        needed = [newest[one] for asked, one in pairs if asked == order_id and one in newest]
        needed.sort(key=lambda one: (one.title.casefold(), one.agreement_id))
        signed = await find_signed(uow, orders[order_id], [one.version_id for one in needed])
        done = [one for one in needed if is_covered(one.version_id, order_id, signed)]
        found[order_id] = OfOrder(
            signed=[one.title for one in done],
            waiting=[one.title for one in needed if one not in done],
        )
    return found
