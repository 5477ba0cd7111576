"""Paying with a voucher, and giving back what a dead hold had taken of it.

The entry is the order's own row, written with it. The voucher is what others wait for: one guarded
UPDATE, after sessions and coupons and before the month's counter, so that the last of a balance
goes to one whatever others do at the same moment.
Source: docs/algorithms/vouchers.md.
"""

from datetime import datetime
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import Table, select, text

from src.billing.domain.kinds import VOUCHER_METHOD
from src.billing.domain.vouchers import GRACE, AppliedVoucher, EntryKind
from src.billing.models import Order, Payment, Voucher, VoucherEntry
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import SYSTEM, Actor

ENTRIES = cast(Table, VoucherEntry.__table__)

_TAKE_ANYHOW = (
    "UPDATE vouchers SET balance_minor = balance_minor - :part WHERE tenant_id = :tenant_id"
    " AND id = :voucher_id AND state = 'active' AND balance_minor >= :part"
)
_TAKE = text(f"{_TAKE_ANYHOW} AND (expires_at IS NULL OR expires_at >= :now) RETURNING id")
_RETAKE = text(f"{_TAKE_ANYHOW} RETURNING id")
_PUT_BACK = text(
    "UPDATE vouchers SET balance_minor = balance_minor + :part"
    " WHERE tenant_id = :tenant_id AND id = :voucher_id"
)
_PUT_BACK_FOR_A_WHILE = text(
    "UPDATE vouchers SET balance_minor = balance_minor + :part,"
    " expires_at = greatest(expires_at, CASE WHEN expires_at IS NULL THEN NULL"
    " ELSE CAST(:until AS timestamptz) END)"
    " WHERE tenant_id = :tenant_id AND id = :voucher_id"
)


class Spent(NamedTuple):
    """What of a voucher an order has, or had until its hold died."""

    voucher_id: UUID
    part_minor: int


def voucher_gone() -> InvalidInput:
    """Somebody has spent it in this very moment; who has typed the code may know."""
    sentence = _("This voucher has just been used. Please look at what is left on it.")
    return InvalidInput(sentence, fields={"coupon": sentence})


def insert_spend(
    uow: UnitOfWork, voucher: AppliedVoucher, order: dict[str, Any], now: datetime
) -> None:
    """Writes what an order that is being written takes, with its row's values at hand."""
    spent = Spent(voucher.voucher_id, voucher.part_minor)
    uow.insert(ENTRIES, [_of_order(uow, spent, EntryKind.SPEND, order["id"], now)])


async def claim_voucher(uow: UnitOfWork, voucher: AppliedVoucher) -> None:
    """Takes its part of the balance, or the transaction ends.

    Raises: InvalidInput at `coupon` when it was spent, blocked or has expired meanwhile.
    """
    values = _values(uow, Spent(voucher.voucher_id, voucher.part_minor))
    taken = await uow.session.execute(_TAKE, {**values, "now": uow.clock.now()})
    if taken.one_or_none() is None:
        raise voucher_gone()


async def find_spent(uow: UnitOfWork, order: Order) -> Spent | None:
    """None for an order that no voucher pays for."""
    if order.voucher_minor == 0:
        return None
    voucher_id = await uow.session.scalar(
        select(VoucherEntry.voucher_id)
        .where(
            VoucherEntry.tenant_id == uow.tenant,
            VoucherEntry.order_id == order.id,
            VoucherEntry.kind == str(EntryKind.SPEND),
        )
        .limit(1)
    )
    assert voucher_id is not None
    return Spent(voucher_id, order.voucher_minor)


async def return_spend(uow: UnitOfWork, order: Order, now: datetime) -> Spent | None:
    """Writes that a dead hold gives back what it had; `put_back` is to follow, once the sessions
    are done.
    """
    spent = await find_spent(uow, order)
    if spent is not None:
        uow.insert(ENTRIES, [_of_order(uow, spent, EntryKind.GIVE_BACK, order.id, now)])
    return spent


async def put_back(uow: UnitOfWork, spent: Spent) -> None:
    await uow.session.execute(_PUT_BACK, _values(uow, spent))


async def restore_spend(uow: UnitOfWork, order: Order, now: datetime) -> Spent | None:
    """Writes that a guest who paid late takes it again; `retake_voucher` is to follow."""
    spent = await find_spent(uow, order)
    if spent is not None:
        uow.insert(ENTRIES, [_of_order(uow, spent, EntryKind.SPEND, order.id, now)])
    return spent


async def retake_voucher(uow: UnitOfWork, spent: Spent) -> bool:
    """Takes it again, though it may have expired since; False where it was spent or blocked."""
    taken = await uow.session.execute(_RETAKE, _values(uow, spent))
    return taken.one_or_none() is not None


async def put_back_refund(
    uow: UnitOfWork, order: Order, refund_id: UUID, spent: Spent, now: datetime
) -> None:
    """What was paid with it comes back, once for each refund; nothing may follow it.

    It can be spent for a while even if the voucher has expired meanwhile.
    """
    entry = _of_order(uow, spent, EntryKind.GIVE_BACK, order.id, now)
    uow.insert(ENTRIES, [{**entry, "refund_id": refund_id}])
    await uow.settle()
    values = {**_values(uow, spent), "until": now + GRACE}
    await uow.session.execute(_PUT_BACK_FOR_A_WHILE, values)


def voucher_payment(
    tenant_id: UUID, order_id: UUID, currency: str, spent: Spent, now: datetime
) -> dict[str, Any]:
    """The columns of the payment that it makes: one for an order, by its id."""
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "order_id": order_id,
        "account_id": "",
        "payment_intent_id": f"{VOUCHER_METHOD}:{order_id}",
        "page_id": None,
        "amount_minor": spent.part_minor,
        "fee_minor": 0,
        "refunded_minor": 0,
        "currency": currency,
        "is_extra": False,
        "method": VOUCHER_METHOD,
        "voucher_id": spent.voucher_id,
        "received_at": now,
    }


async def take_voucher_payment(uow: UnitOfWork, order: Order) -> Payment | None:
    """The order stands now: what its voucher pays is a payment, written once."""
    spent = await find_spent(uow, order)
    if spent is None:
        return None
    known: Payment | None = await uow.session.scalar(
        select(Payment).where(
            Payment.tenant_id == uow.tenant,
            Payment.payment_intent_id == f"{VOUCHER_METHOD}:{order.id}",
        )
    )
    if known is not None:
        return known
    now = uow.clock.now()
    payment = Payment(**voucher_payment(uow.tenant, order.id, order.currency, spent, now))
    uow.session.add(payment)
    order.paid_minor += spent.part_minor
    await uow.session.flush()
    return payment


def pay_by_voucher_again(uow: UnitOfWork, order: Order, spent: Spent, now: datetime) -> None:
    """What it had paid had gone back to it: that it pays once more is a payment of its own."""
    row = voucher_payment(uow.tenant, order.id, order.currency, spent, now)
    uow.session.add(Payment(**{**row, "payment_intent_id": f"{VOUCHER_METHOD}:{row['id']}"}))
    order.paid_minor += spent.part_minor


def entry_row(
    tenant_id: UUID,
    voucher_id: UUID,
    kind: EntryKind,
    amount_minor: int,
    now: datetime,
    *,
    order_id: UUID | None = None,
    refund_id: UUID | None = None,
    actor: Actor = SYSTEM,
    reason: str = "",
) -> dict[str, Any]:
    """All columns of an entry."""
    return {
        "tenant_id": tenant_id,
        "id": new_id(),
        "voucher_id": voucher_id,
        "kind": str(kind),
        "amount_minor": amount_minor,
        "order_id": order_id,
        "refund_id": refund_id,
        "actor_id": actor.user_id,
        "actor_name": actor.name,
        "reason": reason,
        "at": now,
    }


async def get_balance(uow: UnitOfWork, voucher_id: UUID) -> int:
    found = await uow.session.scalar(
        select(Voucher.balance_minor).where(
            Voucher.tenant_id == uow.tenant, Voucher.id == voucher_id
        )
    )
    return found or 0


def _of_order(
    uow: UnitOfWork, spent: Spent, kind: EntryKind, order_id: UUID, now: datetime
) -> dict[str, Any]:
    sign = -1 if kind is EntryKind.SPEND else 1
    amount = sign * spent.part_minor
    return entry_row(uow.tenant, spent.voucher_id, kind, amount, now, order_id=order_id)


def _values(uow: UnitOfWork, spent: Spent) -> dict[str, Any]:
    return {
        "tenant_id": uow.tenant,
        "voucher_id": spent.voucher_id,
        "part": spent.part_minor,
    }
