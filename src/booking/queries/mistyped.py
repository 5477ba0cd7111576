"""What was booked with an address that turns out to be the wrong one, and is still to come."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select

from src.billing.domain.credits import LotSource, LotState
from src.billing.domain.kinds import FeeState, OrderState
from src.billing.domain.parts import STILL_TO_PAY
from src.billing.domain.vouchers import VoucherState
from src.billing.models import CreditLot, Fee, Instalment, Order, Voucher
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer

TAKES_MAIL = (str(OrderState.OPEN), str(OrderState.CONFIRMED))
TYPED = func.lower(func.btrim(Order.guest_email))


def comes_to(uow: UnitOfWork, customer_id: UUID, address_of: UUID) -> ColumnElement[bool]:
    """Whether an order is the customer's, was booked with the address that `address_of` has in this
    moment, and has something to come: a date, credits or a voucher to use or to pay for, a part of
    the price, or a fee that is asked for.
    """
    to_come = or_(
        has_dates_to_come(uow),
        has_credits_to_use(uow),
        has_parts_to_pay(uow),
        has_voucher_to_use(uow),
        has_fee_asked(uow),
    )
    address = (
        select(Customer.email)
        .where(Customer.tenant_id == uow.tenant, Customer.id == address_of)
        .scalar_subquery()
    )
    return and_(
        Order.tenant_id == uow.tenant,
        Order.customer_id == customer_id,
        Order.state.in_(TAKES_MAIL),
        address == TYPED,
        to_come,
    )


def has_dates_to_come(uow: UnitOfWork) -> ColumnElement[bool]:
    """Of the row of `orders` at hand, as the others below."""
    found = (
        select(Seat.order_id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
            Session.ends_at > uow.clock.now(),
        )
    )
    return Order.id.in_(found)


def has_credits_to_use(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether it bought credits that wait to be paid, or of which some are left."""
    # Credits that nobody bought have no order; beside a NULL no id would be known to be not in it.
    return Order.id.in_(
        select(CreditLot.order_id).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id.is_not(None),
            CreditLot.source == str(LotSource.PACKAGE),
            or_(CreditLot.state == str(LotState.PENDING), CreditLot.balance > 0),
        )
    )


def has_parts_to_pay(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether parts of its price are still to be paid, of which mails with links go out."""
    to_pay = Instalment.state.in_([str(state) for state in STILL_TO_PAY])
    return Order.id.in_(
        select(Instalment.order_id).where(Instalment.tenant_id == uow.tenant, to_pay)
    )


def has_voucher_to_use(uow: UnitOfWork) -> ColumnElement[bool]:
    """Whether it bought a voucher that waits to be paid, or on which something is left."""
    # As for credits: a voucher that was given has no order.
    return Order.id.in_(
        select(Voucher.order_id).where(
            Voucher.tenant_id == uow.tenant,
            Voucher.order_id.is_not(None),
            or_(Voucher.state == str(VoucherState.PENDING), Voucher.balance_minor > 0),
        )
    )


def has_fee_asked(uow: UnitOfWork) -> ColumnElement[bool]:
    asked = Fee.state == str(FeeState.ASKED)
    return Order.id.in_(select(Fee.order_id).where(Fee.tenant_id == uow.tenant, asked))


async def count_to_readdress(uow: UnitOfWork, customer_id: UUID) -> int:
    """How many orders would write to another address if the customer's were corrected now."""
    found = await uow.session.scalar(
        select(func.count()).select_from(Order).where(comes_to(uow, customer_id, customer_id))
    )
    return found or 0
