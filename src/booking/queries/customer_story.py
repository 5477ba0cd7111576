"""One customer's whole story, in as many statements as it has parts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, func, or_, select

from src.billing.domain.kinds import RefundState
from src.billing.models import Order, OrderLine, Payment, Refund
from src.billing.owed import owed_minor
from src.billing.queries.disputes import (
    dispute_state_of_order,
    sum_disputes,
    taken_back_minor,
)
from src.billing.standing import is_all_cancelled
from src.billing.views.disputes import dispute_badge
from src.booking.domain.kinds import SeatState
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.customers import get_customer
from src.booking.queries.party import NUMBER, called_by_staff
from src.booking.queries.sold_now import list_dates_sold_now
from src.booking.views.customers import (
    CustomerHead,
    CustomerStory,
    Double,
    MoneySum,
    NoteLine,
    OrderRow,
    ParticipantLine,
    SeatLine,
)
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer, CustomerNote, Participant

MOST_SEATS, MOST_ORDERS, MOST_LINES, MOST_DOUBLES = 200, 200, 100, 10
SHARED = ("same_phone", "same_name", "same_email")
LIVE = frozenset(str(state) for state in LIVE_SEATS)


async def get_customer_story(
    uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID, now: datetime
) -> CustomerStory:
    """Raises: NotFound. Who was merged has no story of their own: look at `head.merged_into`."""
    head = await get_customer(uow, customer_id)
    seats = await _seats(uow, customer_id, head.name)
    return CustomerStory(
        head=head,
        upcoming=sorted(
            (seat for seat in seats if seat.is_live and seat.ends_at > now),
            key=lambda seat: seat.starts_at,
        ),
        past=[seat for seat in seats if not seat.is_live or seat.ends_at <= now],
        orders=await _orders(uow, tenant, customer_id),
        money=await _money(uow, customer_id),
        disputes=await sum_disputes(uow, customer_id),
        participants=await _participants(uow, customer_id),
        notes=await _notes(uow, customer_id),
        doubles=await list_doubles(uow, head),
    )


async def _seats(uow: UnitOfWork, customer_id: UUID, guest: str) -> list[SeatLine]:
    """Latest first; holds that died are nobody's story."""
    found = await uow.session.execute(
        select(Seat, Session, Service.name.label("service"), Series.title.label("series"))
        .add_columns(Participant.name.label("participant"), NUMBER)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(
            Booking.tenant_id == uow.tenant,
            Booking.customer_id == customer_id,
            Seat.state != str(SeatState.EXPIRED),
        )
        .order_by(Session.starts_at.desc(), Seat.id)
        .limit(MOST_SEATS)
    )
    return [_seat(row, guest) for row in found]


def _seat(row: Row[Any], guest: str) -> SeatLine:
    seat: Seat = row.Seat
    session: Session = row.Session
    return SeatLine(
        session_id=session.id,
        booking_id=seat.booking_id,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        what=" · ".join(filter(None, (row.service, row.series, session.title))),
        participant=called_by_staff(row.participant, row.number, guest),
        state=seat.state,
        is_live=seat.state in LIVE,
    )


async def _orders(uow: UnitOfWork, tenant: TenantSnapshot, customer_id: UUID) -> list[OrderRow]:
    result = await uow.session.execute(
        select(Order, OrderLine.description.label("what"), owed_minor().label("owed"))
        .add_columns(dispute_state_of_order().label("dispute"))
        .add_columns(taken_back_minor().label("taken_back"))
        .add_columns(is_all_cancelled().label("is_all_cancelled"))
        .outerjoin(
            OrderLine,
            (OrderLine.tenant_id == Order.tenant_id)
            & (OrderLine.order_id == Order.id)
            & (OrderLine.position == 0),
        )
        .where(Order.tenant_id == uow.tenant, Order.customer_id == customer_id)
        .order_by(Order.created_at.desc(), Order.id.desc())
        .limit(MOST_ORDERS)
    )
    found = result.all()
    now_for = await list_dates_sold_now(uow, [row.Order.id for row in found], tenant)
    return [_order(row.Order, row, now_for.get(row.Order.id, ())) for row in found]


def _order(order: Order, row: Row[Any], now_for: Sequence[str]) -> OrderRow:
    return OrderRow(
        id=order.id,
        reference=order.reference,
        what="; ".join(now_for) or row.what or "",
        state=order.state,
        is_all_cancelled=row.is_all_cancelled,
        payment_mode=order.payment_mode,
        source=order.source,
        currency=order.currency,
        total_minor=order.total_minor,
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        taken_back_minor=row.taken_back,
        owed_minor=row.owed,
        created_at=order.created_at,
        confirmed_at=order.confirmed_at,
        dispute=dispute_badge(row.dispute),
        consents=order.consents,
    )


async def _money(uow: UnitOfWork, customer_id: UUID) -> list[MoneySum]:
    """Over all orders, those too that the list leaves out. What only moved between an order and a
    voucher is no money that came, and none that went back.
    """
    found = await uow.session.execute(
        select(
            Order.currency,
            func.coalesce(func.sum(Order.paid_minor), 0).label("paid"),
            func.coalesce(func.sum(Order.refunded_minor), 0).label("refunded"),
            func.coalesce(func.sum(owed_minor()), 0).label("owed"),
            func.coalesce(func.sum(taken_back_minor()), 0).label("taken_back"),
            func.coalesce(func.sum(_by_voucher(Payment.amount_minor)), 0).label("by_voucher"),
            func.coalesce(func.sum(_by_voucher(Payment.refunded_minor)), 0).label("put_back"),
            func.coalesce(func.sum(_to_voucher()), 0).label("to_voucher"),
        )
        .where(Order.tenant_id == uow.tenant, Order.customer_id == customer_id)
        .group_by(Order.currency)
        .order_by(Order.currency)
    )
    return [
        MoneySum(
            currency=row.currency,
            paid_minor=int(row.paid - row.by_voucher),
            refunded_minor=int(row.refunded - row.to_voucher),
            taken_back_minor=int(row.taken_back),
            owed_minor=int(row.owed),
            by_voucher_minor=int(row.by_voucher - row.put_back),
            is_on_voucher=row.to_voucher > 0,
        )
        for row in found
    ]


def _by_voucher(minor: Any) -> Any:
    """Of the row of `orders` at hand, summed over what vouchers paid."""
    return (
        select(func.coalesce(func.sum(minor), 0))
        .where(
            Payment.tenant_id == Order.tenant_id,
            Payment.order_id == Order.id,
            Payment.voucher_id.is_not(None),
        )
        .correlate(Order)
        .scalar_subquery()
    )


def _to_voucher() -> Any:
    """What of its refunds is on a voucher, the one that paid or a new one."""
    return (
        select(func.coalesce(func.sum(Refund.amount_minor), 0))
        .where(
            Refund.tenant_id == Order.tenant_id,
            Refund.order_id == Order.id,
            Refund.voucher_id.is_not(None),
            Refund.state != str(RefundState.FAILED),
        )
        .correlate(Order)
        .scalar_subquery()
    )


async def _participants(uow: UnitOfWork, customer_id: UUID) -> list[ParticipantLine]:
    """By name, since each checkout makes its own; only those who have a live seat."""
    found = await uow.session.execute(
        select(func.max(Participant.name), func.count(), func.max(Participant.note))
        .select_from(Participant)
        .join(
            Seat,
            (Seat.tenant_id == Participant.tenant_id)
            & (Seat.participant_id == Participant.id)
            & Seat.state.in_(LIVE),
        )
        .where(Participant.tenant_id == uow.tenant, Participant.customer_id == customer_id)
        .group_by(func.lower(Participant.name))
        .order_by(func.count().desc(), func.lower(Participant.name))
        .limit(MOST_LINES)
    )
    return [ParticipantLine(name=name, seats=seats, note=note) for name, seats, note in found]


async def _notes(uow: UnitOfWork, customer_id: UUID) -> list[NoteLine]:
    found = await uow.session.scalars(
        select(CustomerNote)
        .where(CustomerNote.tenant_id == uow.tenant, CustomerNote.customer_id == customer_id)
        .order_by(CustomerNote.created_at.desc(), CustomerNote.id.desc())
        .limit(MOST_LINES)
    )
    return [
        NoteLine(id=note.id, text=note.text, who=note.author_name, at=note.created_at)
        for note in found
    ]


async def list_doubles(uow: UnitOfWork, head: CustomerHead) -> list[Double]:
    """Who has the same number, the same name, or the same address but for dots; at most ten.

    Nothing of this is ever merged by itself: a family shares a phone.
    """
    same = _same(head)
    if not same:
        return []
    found = await uow.session.execute(
        select(Customer, *(condition.label(name) for name, condition in same.items()))
        .where(
            Customer.tenant_id == uow.tenant,
            Customer.id != head.id,
            Customer.merged_into.is_(None),
            Customer.erased_at.is_(None),
            or_(*same.values()),
        )
        .order_by(func.lower(Customer.name), Customer.id)
        .limit(MOST_DOUBLES)
    )
    return [_double(row, list(same)) for row in found]


def _same(head: CustomerHead) -> dict[str, ColumnElement[bool]]:
    conditions: dict[str, ColumnElement[bool]] = {}
    if head.phone:
        conditions["same_phone"] = Customer.phone == head.phone
    if head.name:
        conditions["same_name"] = func.lower(Customer.name) == head.name.lower()
    if head.email:
        conditions["same_email"] = _without_dots() == without_dots(head.email)
    return conditions


def without_dots(email: str) -> str:
    """The address as those providers read it who ignore dots before the @."""
    local, _at, domain = email.lower().rpartition("@")
    return f"{local.replace('.', '')}@{domain}"


def _without_dots() -> ColumnElement[str]:
    local = func.split_part(Customer.email, "@", 1)
    return func.replace(local, ".", "") + "@" + func.split_part(Customer.email, "@", 2)


def _double(row: Row[Any], known: Sequence[str]) -> Double:
    customer: Customer = row.Customer
    shared = {name: bool(getattr(row, name)) if name in known else False for name in SHARED}
    return Double(
        id=customer.id,
        name=customer.name,
        email=customer.email or "",
        phone=customer.phone,
        **shared,
    )
