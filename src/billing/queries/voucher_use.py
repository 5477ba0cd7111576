"""Whether a code is that of a voucher which can pay now, and how much of a price."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, func, select

from src.billing.domain.vouchers import (
    AppliedVoucher,
    EntryKind,
    VoucherState,
    code_from,
    is_over,
    part_of_price,
)
from src.billing.models import Voucher, VoucherEntry
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class VoucherAsked:
    """A code that somebody wants to pay `total_minor` with. What the hold `without_order` has of
    the voucher counts as still on it.
    """

    code: str
    total_minor: int
    pays_online: bool
    without_order: UUID | None = None


async def find_usable_voucher(
    uow: UnitOfWork, tenant: TenantSnapshot, asked: VoucherAsked
) -> AppliedVoucher | None:
    """None for what is unknown, another business's, not paid yet, blocked, expired or used up.
    Nothing is claimed by it.
    """
    code = code_from(asked.code)
    if not code or asked.total_minor <= 0:
        return None
    voucher = await uow.session.scalar(
        select(Voucher)
        .where(Voucher.tenant_id == uow.tenant, Voucher.code == code)
        .execution_options(populate_existing=True)
    )
    if voucher is None or voucher.state != VoucherState.ACTIVE:
        return None
    if voucher.currency != tenant.currency or is_over(voucher.expires_at, uow.clock.now()):
        return None
    own = await _own_part(uow, voucher.id, asked.without_order)
    balance_minor = voucher.balance_minor + own
    part_minor = part_of_price(
        balance_minor,
        asked.total_minor,
        pays_online=asked.pays_online,
        currency=tenant.currency,
    )
    if part_minor <= 0:
        return None
    return AppliedVoucher(
        voucher_id=voucher.id, code=code, part_minor=part_minor, balance_minor=balance_minor
    )


async def is_code_of_voucher(uow: UnitOfWork, typed: str) -> bool:
    """Whether this business has a voucher with the code, though it may be good for nothing."""
    code = code_from(typed)
    if not code:
        return False
    found = exists().where(Voucher.tenant_id == uow.tenant, Voucher.code == code)
    return bool(await uow.session.scalar(select(found)))


async def _own_part(uow: UnitOfWork, voucher_id: UUID, order_id: UUID | None) -> int:
    """What this hold has of the voucher."""
    if order_id is None:
        return 0
    found = await uow.session.scalar(
        select(func.sum(VoucherEntry.amount_minor)).where(
            VoucherEntry.tenant_id == uow.tenant,
            VoucherEntry.voucher_id == voucher_id,
            VoucherEntry.order_id == order_id,
            VoucherEntry.kind.in_([str(EntryKind.SPEND), str(EntryKind.GIVE_BACK)]),
        )
    )
    return -int(found or 0)


async def has_spendable_vouchers(uow: UnitOfWork) -> bool:
    """Whether a guest is to be asked for a code at all. No plan is asked: what was sold is owed."""
    found = exists().where(
        Voucher.tenant_id == uow.tenant,
        Voucher.state == str(VoucherState.ACTIVE),
        Voucher.balance_minor > 0,
    )
    return bool(await uow.session.scalar(select(found)))
