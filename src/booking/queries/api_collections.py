"""Collections as the JSON API gives them: what everybody finds, said as on their pages."""

from uuid import UUID

from sqlalchemy import select

from src.booking.models import Collection
from src.booking.queries.guest_collections import get_collection_page
from src.booking.views.api_collections import CollectionItemOut, CollectionOut
from src.booking.views.collections import OfferCard
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature


async def list_collections_out(
    uow: UnitOfWork, tenant: TenantSnapshot, base_url: str
) -> list[CollectionOut]:
    """Those for everybody, in their owner's order; none where the plan has no collections."""
    if not tenant.entitlements.has(Feature.COLLECTIONS):
        return []
    found = await uow.session.scalars(
        select(Collection)
        .where(Collection.tenant_id == uow.tenant, Collection.active, ~Collection.established_only)
        .order_by(Collection.position, Collection.id)
    )
    return [await _out(uow, tenant, base_url, one) for one in found.all()]


async def get_collection_out(
    uow: UnitOfWork, tenant: TenantSnapshot, base_url: str, collection_id: UUID
) -> CollectionOut:
    """Raises: NotFound, for one without a page too; EstablishedOnly."""
    collection = await uow.session.get(Collection, (uow.tenant, collection_id))
    has_page = tenant.entitlements.has(Feature.COLLECTIONS)
    if collection is None or not collection.active or not has_page:
        raise NotFound(_("There is no such collection."))
    return await _out(uow, tenant, base_url, collection)


async def _out(
    uow: UnitOfWork, tenant: TenantSnapshot, base_url: str, collection: Collection
) -> CollectionOut:
    view = await get_collection_page(uow, tenant, collection.id, base_url)
    return CollectionOut(
        id=collection.id,
        slug=collection.slug,
        title=view.title,
        cover_text=view.cover_text,
        listed_in_portal=collection.listed_in_portal,
        url=view.url,
        items=[_item(card, base_url) for card in view.cards],
    )


def _item(card: OfferCard, base_url: str) -> CollectionItemOut:
    return CollectionItemOut(
        kind=card.kind,
        id=card.id,
        name=card.name,
        price_label=card.price,
        url=base_url + card.href if card.href else None,
        reason=card.reason,
    )
