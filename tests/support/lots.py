"""Lots of credits as the owner looks after them, to begin a test with."""

from typing import Any
from uuid import UUID

from src.billing.commands.credits import SYSTEM
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.models import Customer, Tenant
from tests.support.credits import ANYTHING, assert_balanced


async def a_customer(
    uow_factory: UowFactory, tenant_id: UUID, name: str = "Carl", **more: Any
) -> Customer:
    async with uow_factory(tenant_id) as uow:
        values = {"email": f"{name.lower()}@example.com", "created_at": uow.clock.now(), **more}
        customer = Customer(tenant_id=tenant_id, id=new_id(), name=name, **values)
        uow.session.add(customer)
    return customer


async def lot_of(
    uow_factory: UowFactory, tenant_id: UUID, customer_id: UUID, **more: Any
) -> CreditLot:
    """Ten bought credits for EUR 120 that are good for anything and never end, unless told
    otherwise.
    """
    async with uow_factory(tenant_id) as uow:
        new = NewLot(
            **{
                "customer_id": customer_id,
                "source": LotSource.PACKAGE,
                "name": "Ten sessions",
                "credits": 10,
                "scope": ANYTHING,
                "currency": "EUR",
                "bought": 10,
                "paid_minor": 12_000,
                **more,
            }
        )
        [lot_id] = insert_lots(uow, [new], SYSTEM, uow.clock.now())
    return await the_lot(uow_factory, tenant_id, lot_id)


async def the_lot(uow_factory: UowFactory, tenant_id: UUID, lot_id: UUID) -> CreditLot:
    """The lot as it is now; every balance of the business agrees with its ledger."""
    async with uow_factory(tenant_id) as uow:
        await assert_balanced(await uow.session.connection())
        return await uow.session.get_one(CreditLot, (tenant_id, lot_id))


async def lose_packages(uow_factory: UowFactory, tenant_id: UUID) -> None:
    """From now on the plan of the business has everything but packages."""
    async with uow_factory(tenant_id) as uow:
        tenant = await uow.session.get_one(Tenant, tenant_id)
        plan = tenant.entitlements["plan"]
        kept = [feature for feature in plan["features"] if feature != "packages"]
        tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
