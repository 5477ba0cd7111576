"""What confirming, releasing and reacquiring mean for vouchers that are sold.

A voucher is written with its order, and is worth nothing before that is paid: then its ledger
begins. Nobody competes for it, so nothing has to be claimed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, literal, select

from src.billing.commands.due import add_due
from src.billing.commands.voucher_claims import ENTRIES, entry_row
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.vouchers import EntryKind, VoucherState, masked, sending_moment
from src.billing.events import VoucherBought, VoucherToSend
from src.billing.lines import Fate, LineKind, Undeliverable
from src.billing.models import Order, Voucher
from src.billing.voucher_links import purchase_path
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, current_locale
from src.platform.money import Money, format_money
from src.tenants.context import TenantSnapshot
from src.tenants.models import Tenant

VOUCHER_KIND = "voucher"
VOUCHER_DUE = "voucher_mail"


class VoucherLines(LineKind):
    """Lines of the kind `voucher`; the subject of each is one voucher."""

    holds_places = False

    async def list_undeliverable(self, uow: UnitOfWork, order: Order) -> Sequence[Undeliverable]:
        return []

    async def is_being_cancelled(self, uow: UnitOfWork, order: Order) -> bool:
        return False

    async def confirm(
        self, uow: UnitOfWork, order: Order, undeliverable: Sequence[Undeliverable], now: datetime
    ) -> None:
        await activate_vouchers(uow, order, now)

    async def release(self, uow: UnitOfWork, order: Order, why: str, now: datetime) -> None:
        """It stays pending for good: nothing is on it, and nobody was told its code."""

    async def reacquire(self, uow: UnitOfWork, order: Order, now: datetime) -> bool:
        await activate_vouchers(uow, order, now)
        return True

    def guest_path(self, settings: Settings, slug: str, order: Order) -> str:
        return purchase_path(settings, slug, order)

    def waived_minor(self) -> ColumnElement[int]:
        return literal(0)

    def stands(self) -> ColumnElement[bool]:
        return (
            exists()
            .where(Voucher.tenant_id == Order.tenant_id, Voucher.order_id == Order.id)
            .correlate(Order)
        )

    async def fate(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Fate:
        pages = [
            (_("Voucher %(code)s", code=masked(one.code)), f"vouchers/{one.id}")
            for one in await vouchers_of(uow, order_id)
        ]
        return Fate(standing=0, ended=(), pages=pages)

    async def list_sold_now(
        self, uow: UnitOfWork, order_ids: Collection[UUID], tenant: TenantSnapshot
    ) -> Mapping[UUID, Sequence[str]]:
        return {}

    async def names(self, uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> Sequence[str]:
        return [called(one.initial_minor, one.currency) for one in await vouchers_of(uow, order_id)]

    async def note_paid(self, uow: UnitOfWork, order: Order, now: datetime) -> None:
        await activate_vouchers(uow, order, now)

    async def note_handed_back(self, uow: UnitOfWork, subject_id: UUID, now: datetime) -> None:
        """Nothing that is handed back is a voucher's."""


def called(amount_minor: int, currency: str) -> str:
    """What an order's line, a receipt and a payment page say of it."""
    amount = format_money(Money(amount_minor, currency), current_locale())
    return _("Voucher for %(amount)s", amount=amount)


async def vouchers_of(uow: UnitOfWork, order_id: UUID) -> Sequence[Voucher]:
    """Those that were bought with the order."""
    found = await uow.session.scalars(
        select(Voucher)
        .where(Voucher.tenant_id == uow.tenant, Voucher.order_id == order_id)
        .order_by(Voucher.id)
    )
    return found.all()


async def activate_vouchers(uow: UnitOfWork, order: Order, now: datetime) -> None:
    """Their order is paid: the money is on them, once, and they are sent when it is time."""
    for voucher in await vouchers_of(uow, order.id):
        if voucher.state == VoucherState.PENDING:
            await activate(uow, voucher, now)
            if order.payment_mode == PaymentMode.ONLINE:
                uow.record(VoucherBought(order_id=order.id, voucher_id=voucher.id))
    await uow.settle()


async def activate(
    uow: UnitOfWork, voucher: Voucher, now: datetime, *, refund_id: UUID | None = None
) -> None:
    """Puts its money on a pending one that nobody else can know of yet."""
    voucher.state, voucher.activated_at = str(VoucherState.ACTIVE), now
    voucher.balance_minor = voucher.initial_minor
    await uow.session.flush()
    grant = entry_row(
        uow.tenant,
        voucher.id,
        EntryKind.GRANT,
        voucher.initial_minor,
        now,
        order_id=voucher.order_id,
        refund_id=refund_id,
    )
    uow.insert(ENTRIES, [grant])
    await ask_to_send(uow, voucher, now)


async def ask_to_send(uow: UnitOfWork, voucher: Voucher, now: datetime) -> None:
    """One mail more at the most: at once, or in the morning of its day."""
    at = sending_moment(voucher.send_on, await zone_of(uow))
    if at is not None and at > now:
        await add_due(uow, VOUCHER_DUE, voucher.id, at)
    else:
        send_now(uow, voucher)


def send_now(uow: UnitOfWork, voucher: Voucher) -> None:
    voucher.times_asked += 1
    uow.record(VoucherToSend(voucher_id=voucher.id, number=voucher.times_asked))


async def zone_of(uow: UnitOfWork) -> ZoneInfo:
    found = await uow.session.scalar(select(Tenant.timezone).where(Tenant.id == uow.tenant))
    return ZoneInfo(found or "UTC")
