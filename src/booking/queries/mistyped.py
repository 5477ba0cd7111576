"""What was booked with an address that turns out to be the wrong one, and is still to come."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer

TAKES_MAIL = (str(OrderState.OPEN), str(OrderState.CONFIRMED))
TYPED = func.lower(func.btrim(Order.guest_email))


def comes_to(uow: UnitOfWork, customer_id: UUID, address_of: UUID) -> ColumnElement[bool]:
    """Whether an order is the customer's, was booked with the address that `address_of` has in this
    moment, and has something to come.
    """
    to_come = (
        select(Seat.order_id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
            Session.ends_at > uow.clock.now(),
        )
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
        Order.id.in_(to_come),
    )


async def count_to_readdress(uow: UnitOfWork, customer_id: UUID) -> int:
    """How many orders would write to another address if the customer's were corrected now."""
    found = await uow.session.scalar(
        select(func.count()).select_from(Order).where(comes_to(uow, customer_id, customer_id))
    )
    return found or 0
