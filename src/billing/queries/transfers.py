"""Bank transfers that are waited for: how to make one, and which there are."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, or_, select, text
from sqlalchemy.orm import aliased

from src.billing.domain.credits import LotSource, LotState
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import (
    TRANSFER_METHOD,
    VOUCHER_METHOD,
    OrderState,
    PaymentMode,
)
from src.billing.domain.transfers import spaced_iban, transfer_name
from src.billing.giro_code import giro_code
from src.billing.models import CreditEntry, CreditLot, Order, Payment
from src.billing.queries.payment_settings import find_transfer_account
from src.billing.queries.to_hand_back import to_hand_back_minor
from src.billing.standing import is_all_cancelled
from src.billing.views.transfers import BesidePrice, HowToTransfer
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local


def is_transfer_awaited(order: Order) -> bool:
    return order.state == OrderState.OPEN and order.payment_mode == PaymentMode.TRANSFER


def due_on_of(order: Order, zone: ZoneInfo) -> date | None:
    """The last day for the order's transfer; None where none is waited for."""
    until = payable_until(order.hold_expires_at)
    if not is_transfer_awaited(order):
        return None
    return None if until is None else to_local(until, zone).date()


async def find_how_to_transfer(
    uow: UnitOfWork, order: Order, zone: ZoneInfo
) -> HowToTransfer | None:
    """None for an order that no transfer is waited for."""
    due_on = due_on_of(order, zone)
    account = await find_transfer_account(uow) if due_on is not None else None
    if due_on is None or account is None:
        return None
    left_minor = order.to_pay_minor - await get_received_minor(uow, order.id)
    return HowToTransfer(
        holder=account.holder,
        iban=spaced_iban(account.iban),
        bic=account.bic,
        reference=order.reference,
        left_minor=left_minor,
        total_minor=order.to_pay_minor,
        currency=order.currency,
        due_on=due_on,
        text=account.text,
        code=giro_code(account, left_minor, order.currency, order.reference),
    )


async def get_received_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What of the order's price has come by transfer and is still there."""
    return (await list_received_minor(uow, [order_id])).get(order_id, 0)


async def get_noted_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """All that was noted of transfers for the order, also what went back."""
    noted = select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
        Payment.tenant_id == uow.tenant,
        Payment.order_id == order_id,
        Payment.method == TRANSFER_METHOD,
    )
    return int(await uow.session.scalar(noted) or 0)


async def list_received_minor(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The same by order; those of which nothing came are left out."""
    found = await uow.session.execute(
        select(Payment.order_id, func.sum(Payment.amount_minor - Payment.refunded_minor))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id.in_(order_ids),
            Payment.method == TRANSFER_METHOD,
            Payment.is_extra.is_(False),
        )
        .group_by(Payment.order_id)
    )
    return {row[0]: int(row[1]) for row in found}


async def is_noted(uow: UnitOfWork, token: UUID) -> bool:
    """Whether what was noted with the form of this token has not been taken off since."""
    found = await uow.session.scalar(
        select(Payment.id).where(
            Payment.tenant_id == uow.tenant, Payment.payment_intent_id == transfer_name(token)
        )
    )
    return found is not None


async def list_mistakable(uow: UnitOfWork, order_id: UUID) -> Sequence[Payment]:
    """The order's transfers that may be taken off as noted by mistake, the newest first: nothing of
    them has gone back, and they are not the price of an order that is confirmed, unless all of it
    is cancelled, or all credits that it bought are taken off, and nothing was given or is to be
    given for it.
    """
    nothing_given = ~exists().where(
        CreditLot.tenant_id == Order.tenant_id,
        CreditLot.order_id == Order.id,
        CreditLot.state != str(LotState.VOID),
    )
    is_all_gone = or_(is_all_cancelled() & nothing_given, are_credits_taken_off())
    found = await uow.session.scalars(
        select(Payment)
        .join(Order, (Order.tenant_id == Payment.tenant_id) & (Order.id == Payment.order_id))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.method == TRANSFER_METHOD,
            Payment.refunded_minor == 0,
            or_(
                Payment.is_extra,
                Order.state != str(OrderState.CONFIRMED),
                is_all_gone & (to_hand_back_minor(of_price=True) == 0),
            ),
        )
        .order_by(Payment.received_at.desc(), Payment.id.desc())
    )
    return found.all()


def are_credits_taken_off() -> ColumnElement[bool]:
    """Whether the row of `orders` at hand bought credits of which nothing is left, and no place
    keeps any, as SQL. What was lost at its end, or is in new ones, was delivered.
    """
    lot, newer = aliased(CreditLot), aliased(CreditLot)
    of_order = (
        lot.tenant_id == Order.tenant_id,
        lot.order_id == Order.id,
        lot.state != str(LotState.VOID),
    )
    in_places = (
        select(func.coalesce(func.sum(CreditEntry.credits), 0))
        .where(
            CreditEntry.tenant_id == lot.tenant_id,
            CreditEntry.lot_id == lot.id,
            CreditEntry.seat_id.is_not(None),
        )
        .correlate(lot)
        .scalar_subquery()
    )
    is_in_new_ones = exists().where(
        newer.tenant_id == lot.tenant_id, newer.rolled_from_id == lot.id
    )
    stands = or_(
        lot.state != str(LotState.ACTIVE),
        lot.balance + lot.forfeited > 0,
        in_places != 0,
        is_in_new_ones,
    )
    are_bought = exists().where(*of_order, lot.source == str(LotSource.PACKAGE)).correlate(Order)
    return are_bought & ~exists().where(*of_order, stands).correlate(Order)


class BoughtCredits(NamedTuple):
    """Whether an order is for a package, how many of its credits pay for places, and whether all of
    them `are_off` again.
    """

    is_package: bool = False
    in_places: int = 0
    are_off: bool = False


async def get_bought_credits(uow: UnitOfWork, order_id: UUID) -> BoughtCredits:
    """Of an order that is not there neither."""
    is_package = exists().where(
        CreditLot.tenant_id == Order.tenant_id,
        CreditLot.order_id == Order.id,
        CreditLot.source == str(LotSource.PACKAGE),
    )
    found = await uow.session.execute(
        select(is_package, _in_places(uow, order_id), are_credits_taken_off()).where(
            Order.tenant_id == uow.tenant, Order.id == order_id
        )
    )
    row = found.one_or_none()
    return BoughtCredits() if row is None else BoughtCredits(*row)


def _in_places(uow: UnitOfWork, order_id: UUID) -> ColumnElement[int]:
    """What places took of the order's credits and have not given back."""
    taken: ColumnElement[int] = (
        select(func.coalesce(-func.sum(CreditEntry.credits), 0))
        .join(
            CreditLot,
            (CreditLot.tenant_id == CreditEntry.tenant_id) & (CreditLot.id == CreditEntry.lot_id),
        )
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == str(LotSource.PACKAGE),
            CreditEntry.seat_id.is_not(None),
        )
        .scalar_subquery()
    )
    return taken


async def get_beside_price(uow: UnitOfWork, order: Order) -> BesidePrice:
    """Nothing of an order that never was confirmed: of that all that came goes back."""
    if order.state != OrderState.CONFIRMED:
        return BesidePrice()
    found = await uow.session.execute(
        select(
            func.coalesce(func.sum(Payment.amount_minor - Payment.refunded_minor), 0),
            func.coalesce(func.sum(Payment.refunded_minor), 0),
        ).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order.id,
            Payment.method == TRANSFER_METHOD,
            Payment.is_extra,
        )
    )
    left_minor, back_minor = found.one()
    return BesidePrice(left_minor=int(left_minor), back_minor=int(back_minor))


async def get_paid_by_voucher_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What a voucher paid of the order's price, and has not got back."""
    found = await uow.session.scalar(
        select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == order_id,
            Payment.method == VOUCHER_METHOD,
        )
    )
    return int(found or 0)


class Awaited(NamedTuple):
    """How many transfers are waited for, and until when the first of them has to come."""

    orders: int
    first_until: datetime | None


async def count_awaited(uow: UnitOfWork) -> Awaited:
    found = await uow.session.execute(
        select(func.count(), func.min(Order.hold_expires_at)).where(
            Order.tenant_id == uow.tenant,
            # As a literal, so that the index of holds serves.
            Order.state == text("'open'"),
            Order.payment_mode == str(PaymentMode.TRANSFER),
        )
    )
    count, until = found.one()
    return Awaited(int(count), payable_until(until))
