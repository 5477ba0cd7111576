"""Collections to begin a test with."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.booking.domain.collections import Thing, ThingKind
from src.booking.models import Collection, CollectionItem, Series, Service
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.models import Customer
from tests.support.portal import CARL


def thing_of(row: Any) -> Thing:
    """A service, a series, or anything else that is sold, which is a package."""
    thing_id: UUID = row.id
    if isinstance(row, Service):
        return Thing(ThingKind.SERVICE, thing_id)
    return Thing(ThingKind.SERIES if isinstance(row, Series) else ThingKind.PACKAGE, thing_id)


async def a_collection(
    uow_factory: UowFactory,
    tenant_id: UUID,
    *rows: object,
    title: str = "Regulars",
    slug: str = "",
    established_only: bool = True,
    listed_in_portal: bool = False,
    active: bool = True,
    cover_text: str = "",
) -> Collection:
    """For established customers unless told otherwise, with these rows in it."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        collection = Collection(
            tenant_id=tenant_id,
            id=new_id(),
            slug=slug or title.lower().replace(" ", "-"),
            title=title,
            cover_text=cover_text,
            established_only=established_only,
            listed_in_portal=listed_in_portal,
            active=active,
            position=1,
            created_at=now,
            updated_at=now,
        )
        uow.session.add(collection)
        await uow.session.flush()
        for position, row in enumerate(rows, start=1):
            thing = thing_of(row)
            uow.session.add(
                CollectionItem(
                    tenant_id=tenant_id,
                    id=new_id(),
                    collection_id=collection.id,
                    position=position,
                    **{f"{thing.kind}_id": thing.id},
                )
            )
    return collection


async def an_item_of(services: Services, collection: Collection) -> UUID:
    """The first thing that is in it."""
    async with services.uow_factory(collection.tenant_id) as uow:
        found = await uow.session.scalars(
            select(CollectionItem.id)
            .where(CollectionItem.collection_id == collection.id)
            .order_by(CollectionItem.position)
        )
        return found.all()[0]


async def a_customer(
    uow_factory: UowFactory, tenant_id: UUID, email: str = CARL, *, established: bool
) -> UUID:
    async with uow_factory(tenant_id) as uow:
        customer_id = await find_or_add_customer(uow, email, "Carl Guest", "", uow.clock.now())
        customer = await uow.session.get_one(Customer, (tenant_id, customer_id))
        customer.is_established = established
    return customer_id
