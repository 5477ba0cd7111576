"""Credits to begin a test with, and what became of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from src.billing.commands.credits import GUEST
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.domain.credits import LotSource, Scope
from src.billing.models import Package
from src.billing.queries.lots import list_lots
from src.platform.db.uow import UowFactory
from src.tenants.commands.customers import find_or_add_customer
from tests.support.ledgers import ledgers_that_do_not_add_up

ANYTHING = Scope(any_service=True)
LEDGER = text("SELECT kind, credits FROM credit_entries ORDER BY at, id")


async def a_package(uow_factory: UowFactory, tenant_id: UUID, **more: Any) -> Package:
    """Ten sessions of anything for EUR 120, valid for 90 days, unless told otherwise."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        values: dict[str, Any] = {
            "name": "10 sessions",
            "credits": 10,
            "price_minor": 12_000,
            "validity_days": 90,
            "any_service": True,
            "pays": ["online", "on_site"],
            **more,
        }
        package = Package(tenant_id=tenant_id, created_at=now, updated_at=now, **values)
        uow.session.add(package)
    return package


async def a_lot(
    uow_factory: UowFactory,
    tenant_id: UUID,
    email: str = "carl@example.com",
    number: int = 10,
    *,
    owner: str = "Carl",
    scope: Scope = ANYTHING,
    expires_at: datetime | None = None,
    **more: Any,
) -> tuple[UUID, UUID]:
    """Credits of a customer, bought at EUR 12 each unless told otherwise.

    Returns the ids of the customer and of the lot.
    """
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        customer_id = await find_or_add_customer(uow, email, owner, "", now)
        values: dict[str, Any] = {
            "source": LotSource.PACKAGE,
            "bought": number,
            "paid_minor": number * 1200,
            **more,
        }
        lot = NewLot(
            customer_id=customer_id,
            name="10 sessions",
            credits=number,
            scope=scope,
            currency="EUR",
            expires_at=expires_at,
            **values,
        )
        [lot_id] = insert_lots(uow, [lot], GUEST, now)
    return customer_id, lot_id


async def balance_of(uow_factory: UowFactory, tenant_id: UUID, customer_id: UUID) -> int:
    """What the customer has left in all their lots."""
    async with uow_factory(tenant_id) as uow:
        return sum(lot.balance for lot in await list_lots(uow, customer_id))


async def ledger_of(uow_factory: UowFactory, tenant_id: UUID) -> list[tuple[str, int]]:
    """Every entry of the business, as it was written."""
    async with uow_factory(tenant_id) as uow:
        return [(row[0], row[1]) for row in await uow.session.execute(LEDGER)]


async def assert_balanced(connection: AsyncConnection | AsyncSession) -> None:
    """Every balance that the connection sees is the sum of its ledger."""
    wrong = await ledgers_that_do_not_add_up(connection)
    assert not wrong, wrong
