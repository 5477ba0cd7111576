"""A voucher to begin a test with, and what is on it."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from src.billing.commands.voucher_claims import entry_row
from src.billing.domain.vouchers import EntryKind
from src.billing.models import Voucher, VoucherEntry, VoucherSettings
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.commands.customers import find_or_add_customer

CODE = "K7QF-2M9X-3456-BCDF"


async def a_voucher(
    uow_factory: UowFactory, tenant_id: UUID, *, minor: int = 5000, code: str = CODE, **more: Any
) -> Voucher:
    """EUR 50 for whoever has the code, for ever, unless told otherwise."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        buyer = await find_or_add_customer(uow, "bea@example.com", "Bea", "", now)
        values: dict[str, Any] = {
            "state": "active",
            "source": "sold",
            "currency": "EUR",
            "customer_id": buyer,
            "activated_at": now,
            **more,
        }
        is_paid = values["state"] != "pending"
        voucher = Voucher(
            tenant_id=tenant_id,
            id=new_id(),
            code=code,
            initial_minor=minor,
            balance_minor=minor if is_paid else 0,
            created_at=now,
            **values,
        )
        uow.session.add(voucher)
        await uow.session.flush()
        if is_paid:
            row = entry_row(tenant_id, voucher.id, EntryKind.GRANT, minor, now)
            await uow.session.execute(insert(VoucherEntry).values(row))
    return voucher


async def on_it(uow_factory: UowFactory, tenant_id: UUID, code: str = CODE) -> int:
    """The balance now."""
    async with uow_factory(tenant_id) as uow:
        found = await uow.session.scalar(select(Voucher.balance_minor).where(Voucher.code == code))
    assert found is not None
    return found


async def ledger(uow_factory: UowFactory, tenant_id: UUID) -> list[tuple[str, int]]:
    """The kinds and amounts of the entries of all vouchers of the business, oldest first."""
    async with uow_factory(tenant_id) as uow:
        found = await uow.session.execute(
            select(VoucherEntry.kind, VoucherEntry.amount_minor).order_by(
                VoucherEntry.at, VoucherEntry.id
            )
        )
        return [(row[0], row[1]) for row in found]


async def change_voucher(uow_factory: UowFactory, tenant_id: UUID, **values: Any) -> None:
    """The one voucher, as if it had changed meanwhile."""
    async with uow_factory(tenant_id) as uow:
        voucher = (await uow.session.scalars(select(Voucher))).one()
        for name, value in values.items():
            setattr(voucher, name, value)


async def sells_vouchers(uow_factory: UowFactory, tenant_id: UUID, **offer: Any) -> None:
    """From now on guests can buy them: EUR 25, 50 or 100, and what they name from 10 to 200."""
    values = {
        "is_on": True,
        "amounts_minor": [2500, 5000, 10000],
        "least_minor": 1000,
        "most_minor": 20000,
        "valid_months": 36,
        "to_year_end": True,
        "words": "",
        **offer,
    }
    async with uow_factory(tenant_id) as uow:
        uow.session.add(VoucherSettings(tenant_id=tenant_id, updated_at=uow.clock.now(), **values))
