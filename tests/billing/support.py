"""A small business with one customer, and orders of it, for billing's own tests."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from src.billing.commands.orders import NewLine, NewOrder
from src.billing.domain.kinds import PaymentMode
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.models import Customer, Plan, PlanVersion, Tenant


class Business:
    """A tenant with one customer."""

    def __init__(self, tenant_id: UUID, slug: str, customer_id: UUID) -> None:
        self.id = tenant_id
        self.slug = slug
        self.customer_id = customer_id


async def make_business(
    factory: UowFactory, now: datetime, slug: str = "harbour", **tenant: Any
) -> Business:
    """Written straight into the tables: billing needs no more of a tenant than its rows."""
    plan_id, version_id, tenant_id = (new_id() for _ in range(3))
    facts = {
        "version_id": str(version_id),
        "key": f"plan-{slug}",
        "name": "Growth",
        "features": [],
        "limits": {},
    }
    values = {
        "id": tenant_id,
        "slug": slug,
        "name": slug.title(),
        "timezone": "Europe/London",
        "currency": "GBP",
        "plan_version_id": version_id,
        "entitlements": {"plan": facts},
        "payments_ready": True,
        "created_at": now,
    }
    async with factory(None) as uow:
        await uow.session.execute(
            insert(Plan).values(id=plan_id, key=f"plan-{slug}", name="Growth", created_at=now)
        )
        await uow.session.execute(
            insert(PlanVersion).values(
                id=version_id,
                plan_id=plan_id,
                version=1,
                monthly_minor=0,
                yearly_minor=0,
                currency="GBP",
                features=[],
                limits={},
                created_at=now,
            )
        )
        await uow.session.execute(insert(Tenant).values(**{**values, **tenant}))
    return Business(tenant_id, slug, await a_customer(factory, tenant_id))


async def a_customer(factory: UowFactory, tenant_id: UUID) -> UUID:
    """Carl, who buys things."""
    customer_id = new_id()
    async with factory(tenant_id) as uow:
        await uow.session.execute(
            insert(Customer).values(
                tenant_id=tenant_id,
                id=customer_id,
                email="carl@guests.example",
                name="Carl",
                created_at=uow.clock.now(),
            )
        )
    return customer_id


def new_order(business: Business, lines: Sequence[NewLine] = (), **changes: Any) -> NewOrder:
    """An order for 20.00 that is to be paid online."""
    values: dict[str, Any] = {
        "order_id": new_id(),
        "customer_id": business.customer_id,
        "payment_mode": PaymentMode.ONLINE,
        "currency": "GBP",
        "lines": tuple(lines) or (a_line(),),
        "guest_name": "Carl Guest",
        "guest_email": "carl@guests.example",
        "form_token": str(new_id()),
        "fingerprint": "f",
        "source": "hub",
    }
    return NewOrder(**{**values, **changes})


def a_line(**changes: Any) -> NewLine:
    values: dict[str, Any] = {
        "kind": "seats",
        "subject_id": new_id(),
        "description": "Evening Yoga, 6 dates",
        "unit_minor": 2000,
    }
    return NewLine(**{**values, **changes})
