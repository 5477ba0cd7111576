"""Packages and lots to begin a test with, and what has to hold of every lot."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from src.billing.commands.credits import SYSTEM, NewLot, insert_lots
from src.billing.domain.credits import LotSource, Scope
from src.billing.models import Package
from src.platform.db.uow import UowFactory

_BALANCES = (
    "SELECT count(*) FROM credit_lots l WHERE l.balance <> (SELECT coalesce(sum(e.credits), 0)"
    " FROM credit_entries e WHERE e.tenant_id = l.tenant_id AND e.lot_id = l.id)"
)


async def a_package(uow_factory: UowFactory, tenant_id: UUID, **more: Any) -> Package:
    """Ten credits for anything at EUR 100, paid online, for 90 days, unless told otherwise."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        values: dict[str, Any] = {
            "name": "10 Yoga sessions",
            "credits": 10,
            "price_minor": 10_000,
            "validity_days": 90,
            "any_service": True,
            "service_ids": [],
            "tags": [],
            "pays": ["online"],
            **more,
        }
        package = Package(tenant_id=tenant_id, created_at=now, updated_at=now, **values)
        uow.session.add(package)
    return package


async def a_lot(uow_factory: UowFactory, tenant_id: UUID, customer_id: UUID, **more: Any) -> UUID:
    """Ten credits for anything that never end, given by staff, unless told otherwise."""
    values: dict[str, Any] = {
        "source": LotSource.GOODWILL,
        "name": "10 Yoga sessions",
        "credits": 10,
        "scope": Scope(any_service=True),
        "currency": "EUR",
        **more,
    }
    async with uow_factory(tenant_id) as uow:
        lot = NewLot(customer_id=customer_id, **values)
        [lot_id] = insert_lots(uow, [lot], SYSTEM, uow.clock.now())
    return lot_id


async def assert_balances(uow_factory: UowFactory, tenant_id: UUID) -> None:
    """Each lot's balance is what its ledger sums to."""
    async with uow_factory(tenant_id) as uow:
        assert await uow.session.scalar(text(_BALANCES)) == 0
