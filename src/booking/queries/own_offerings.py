"""The collections that a signed-in guest finds in their menu."""

from sqlalchemy import select

from src.booking.models import Collection
from src.booking.queries.guest_collections import collection_path
from src.booking.queries.hub import shortened
from src.booking.views.collections import OwnOfferings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.domain.entitlements import Feature
from src.tenants.portal_sections import MenuEntry, Portal
from src.tenants.queries.established import is_established

MENU, POSITION = "offerings", 20


async def list_own_offerings(uow: UnitOfWork, portal: Portal) -> list[tuple[str, str, str]]:
    """Title, the beginning of the cover text, and address of those that are listed, in their
    order; what is for established customers only for one of them.
    """
    if not portal.tenant.entitlements.has(Feature.COLLECTIONS):
        return []
    found = await uow.session.scalars(
        select(Collection)
        .where(Collection.tenant_id == uow.tenant, Collection.active, Collection.listed_in_portal)
        .order_by(Collection.position, Collection.id)
    )
    listed = found.all()
    if any(one.established_only for one in listed):
        is_known = await is_established(uow, portal.guest.customer_id)
        listed = [one for one in listed if is_known or not one.established_only]
    slug = portal.tenant.slug
    return [
        (one.title, shortened(one.cover_text), collection_path(slug, one.slug)) for one in listed
    ]


async def find_own_offerings(uow: UnitOfWork, portal: Portal) -> OwnOfferings | None:
    """For the guest's own first page; nothing where none is listed for them."""
    rows = await list_own_offerings(uow, portal)
    return OwnOfferings(rows=rows) if rows else None


async def list_offerings_menu(uow: UnitOfWork, portal: Portal) -> list[MenuEntry]:
    """A single one stands there by its title, several under one word."""
    rows = await list_own_offerings(uow, portal)
    if not rows:
        return []
    label, href = _("Offerings"), f"{portal.path}/offerings"
    if len(rows) == 1:
        [(label, _cover, href)] = rows
    return [MenuEntry(name=MENU, position=POSITION, label=label, href=href)]
