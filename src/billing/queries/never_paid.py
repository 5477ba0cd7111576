"""What was taken off as a transfer that never came, and packages that are cancelled by that."""

from uuid import UUID

from sqlalchemy import exists, func, select

from src.billing.domain.credits import LotSource, LotState
from src.billing.domain.kinds import (
    CALLED_OFF_WHY,
    TRANSFER_METHOD,
    NotHad,
    OrderState,
    PaymentMode,
    RefundState,
)
from src.billing.models import CreditLot, Order, Payment, Refund, Voucher, VoucherEntry
from src.billing.queries.lots import owner_was_erased
from src.billing.views.transfers import Comeback
from src.platform.db.uow import UnitOfWork


def was_never_paid(order: Order) -> bool:
    """Nothing else cancels what was confirmed, and paid by transfer, by its order."""
    by_transfer = order.payment_mode == PaymentMode.TRANSFER
    called_off = order.closed_why == CALLED_OFF_WHY
    return by_transfer and called_off and order.state == OrderState.CONFIRMED


async def get_never_came_minor(uow: UnitOfWork, order: Order) -> int:
    """What was taken off of the transfers of an order that stands all the same, since another one
    is left: it was confirmed with all of its price. 0 where nothing was.
    """
    is_confirmed = order.state == OrderState.CONFIRMED and not was_never_paid(order)
    if not is_confirmed or order.payment_mode != PaymentMode.TRANSFER:
        return 0
    noted = select(func.coalesce(func.sum(Payment.amount_minor), 0)).where(
        Payment.tenant_id == uow.tenant,
        Payment.order_id == order.id,
        Payment.method == TRANSFER_METHOD,
        Payment.is_extra.is_(False),
    )
    return max(0, order.to_pay_minor - int(await uow.session.scalar(noted) or 0))


async def find_comeback(uow: UnitOfWork, order: Order) -> Comeback | None:
    """What its transfer would bring back by now, should it have come after all, and why it cannot;
    None for an order that is not such a one.
    """
    if not was_never_paid(order):
        return None
    found = await uow.session.execute(
        select(func.sum(CreditLot.bought), func.min(CreditLot.expires_at)).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order.id,
            CreditLot.source == str(LotSource.PACKAGE),
            CreditLot.state == str(LotState.VOID),
            ~owner_was_erased(),
        )
    )
    number, ends_at = found.one()
    refunded_minor = await get_refunded_for_credits_minor(uow, order.id)
    why = NotHad.REFUNDED if refunded_minor else None
    if not number or (ends_at is not None and ends_at < uow.clock.now()):
        why = NotHad.GONE
    on_voucher_minor = await _on_voucher_minor(uow, order)
    is_on_its_way = await is_voucher_part_on_its_way(uow, order)
    if why is None and not is_on_its_way and on_voucher_minor < order.voucher_minor:
        why = NotHad.VOUCHER
    return Comeback(
        credits=int(number or 0),
        ends_at=ends_at,
        voucher_minor=order.voucher_minor,
        on_voucher_minor=on_voucher_minor,
        is_on_its_way=is_on_its_way,
        refunded_minor=refunded_minor,
        why=why,
    )


async def get_refunded_for_credits_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """What went back for the credits of such a package while it stood. They do not come back, not
    even with all of its price: the ledger would have them as ones that staff gave, worth nothing.
    """
    found = await uow.session.scalar(
        select(func.sum(CreditLot.refunded_minor)).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.order_id == order_id,
            CreditLot.source == str(LotSource.PACKAGE),
        )
    )
    return int(found or 0)


async def is_voucher_part_on_its_way(uow: UnitOfWork, order: Order) -> bool:
    """Whether what a voucher had paid goes back to it in this very moment."""
    found = await uow.session.scalar(
        select(Refund.id)
        .where(
            Refund.tenant_id == uow.tenant,
            Refund.order_id == order.id,
            Refund.voucher_id.is_not(None),
            Refund.state == str(RefundState.PENDING),
        )
        .limit(1)
    )
    return found is not None


async def _on_voucher_minor(uow: UnitOfWork, order: Order) -> int:
    """What can be spent of the voucher that had paid a part; 0 where it is blocked, or none had."""
    spent_on_it = exists().where(
        VoucherEntry.tenant_id == Voucher.tenant_id,
        VoucherEntry.voucher_id == Voucher.id,
        VoucherEntry.order_id == order.id,
    )
    left = await uow.session.scalar(
        select(func.sum(Voucher.balance_minor)).where(
            Voucher.tenant_id == uow.tenant, Voucher.state == "active", spent_on_it
        )
    )
    return int(left or 0)
