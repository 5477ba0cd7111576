"""What a voucher was bought with goes back only together with what is on it.

While a refund is under way its amount is off the voucher, and it comes back on it when the refund
fails. Every function wants the order's row locked; the vouchers' rows are locked after it, by id.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from src.billing.commands.voucher_claims import ENTRIES, entry_row
from src.billing.domain.vouchers import EntryKind, VoucherState
from src.billing.models import Voucher, VoucherEntry
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money


async def get_revocable_minor(uow: UnitOfWork, order_id: UUID) -> int | None:
    """What is left on the vouchers that were bought with the order; None where none were."""
    found = await uow.session.scalar(
        select(func.sum(Voucher.balance_minor)).where(
            Voucher.tenant_id == uow.tenant, Voucher.order_id == order_id
        )
    )
    return None if found is None else int(found)


async def check_revocable(uow: UnitOfWork, order_id: UUID, amount_minor: int) -> None:
    """Raises: InvalidInput for more than is left on what was bought."""
    left = await get_revocable_minor(uow, order_id)
    if left is None or amount_minor <= left:
        return
    vouchers = await _locked(uow, order_id)
    amount = format_money(Money(left, vouchers[0].currency), current_locale())
    raise InvalidInput(
        _("Only %(amount)s is left on the voucher; no more can be given back.", amount=amount)
    )


async def revoke(uow: UnitOfWork, order_id: UUID, refund_id: UUID, amount_minor: int) -> None:
    """Takes so much off what was bought with the order, or as much as is left."""
    for voucher in await _locked(uow, order_id):
        part = min(amount_minor, voucher.balance_minor)
        if part:
            await _change(uow, voucher, refund_id, -part)
        amount_minor -= part


async def restore_revoked(uow: UnitOfWork, order_id: UUID, refund_id: UUID) -> None:
    """The refund failed: what it had taken off is on the vouchers again."""
    for voucher in await _locked(uow, order_id):
        taken = await uow.session.scalar(
            select(func.coalesce(func.sum(VoucherEntry.amount_minor), 0)).where(
                VoucherEntry.tenant_id == uow.tenant,
                VoucherEntry.voucher_id == voucher.id,
                VoucherEntry.refund_id == refund_id,
                VoucherEntry.kind == str(EntryKind.REFUND),
            )
        )
        if taken:
            await _change(uow, voucher, refund_id, -int(taken))


async def block_bought(uow: UnitOfWork, order_id: UUID) -> None:
    """The buyer's bank has taken the money back: nobody spends it meanwhile."""
    for voucher in await _locked(uow, order_id):
        if voucher.state == VoucherState.ACTIVE:
            voucher.state = str(VoucherState.BLOCKED)
    await uow.session.flush()


async def _change(uow: UnitOfWork, voucher: Voucher, refund_id: UUID, amount_minor: int) -> None:
    voucher.balance_minor += amount_minor
    now, kind = uow.clock.now(), EntryKind.REFUND
    await uow.session.flush()
    entry = entry_row(uow.tenant, voucher.id, kind, amount_minor, now, refund_id=refund_id)
    uow.insert(ENTRIES, [entry])


async def _locked(uow: UnitOfWork, order_id: UUID) -> Sequence[Voucher]:
    found = await uow.session.scalars(
        select(Voucher)
        .where(Voucher.tenant_id == uow.tenant, Voucher.order_id == order_id)
        .order_by(Voucher.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.all()
