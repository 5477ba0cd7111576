"""The ways to what a business offers, as its owner hands them on.

Link and frame, and what keeps guests from having it there just now.
"""

from uuid import UUID

import msgspec

from src.billing.commands.packages import get_package
from src.billing.queries.package_terms import list_packages_on_sale
from src.booking.domain.collections import Access, Thing, ThingKind
from src.booking.domain.kinds import ServiceKind, Visibility
from src.booking.models import Collection, Series, Service
from src.booking.queries.collections import access_by_thing, list_collections, list_offerable
from src.booking.queries.guest_collections import collection_path, make_cards, series_path
from src.booking.queries.on_sale import list_on_sale
from src.booking.queries.shop import shop_of
from src.booking.views.offering_links import LinkChoice, OfferingLink
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature, frozen


def frame_of(path: str) -> str:
    """What may stand in other sites of the page at that path."""
    return path.partition("#")[0].replace("/b/", "/embed/", 1).replace("how=series&", "", 1)


async def get_hub_link(uow: UnitOfWork, tenant: TenantSnapshot) -> OfferingLink:
    """The front page of the business."""
    on_sale = await list_on_sale(uow, tenant, uow.clock.now())
    shop = shop_of(tenant, on_sale, uow.clock.now())
    stops: list[str] = []
    if shop.notice:
        # What costs nothing, or is paid on site, can be had without online payment.
        stops = [_also_read(shop.notice) if shop.is_open else _read_by_guests(shop.notice)]
    return OfferingLink(
        name=tenant.name,
        group=_("Your booking page"),
        path=shop.path,
        frame=frame_of(shop.path),
        home="services",
        stops=stops,
    )


async def get_packages_link(uow: UnitOfWork, tenant: TenantSnapshot) -> OfferingLink:
    """The page of all packages that are on sale. It is looked at without the feature too."""
    path = f"/b/{tenant.slug}/packages"
    has_any = bool(await list_packages_on_sale(uow, tenant))
    return OfferingLink(
        name=_("Packages"),
        group=_("All packages on sale"),
        path=path,
        frame=frame_of(path),
        home="packages",
        stops=[]
        if has_any
        else [_("No package is on sale just now, so guests read that there is none.")],
    )


async def get_service_link(
    uow: UnitOfWork, tenant: TenantSnapshot, service_id: UUID
) -> OfferingLink:
    """Raises: NotFound, for another tenant's service too."""
    service = await _service(uow, service_id)
    path = f"/b/{tenant.slug}/{service.slug}"
    link = OfferingLink(
        name=service.name,
        group=_("Service"),
        path=path,
        frame=frame_of(path),
        home=f"services/{service.id}/sessions",
        stops=_stops_of_service(tenant, service),
        notes=[_unlisted()] if service.visibility == Visibility.UNLISTED else [],
    )
    return await _as_sold(uow, tenant, Thing(ThingKind.SERVICE, service.id), link)


async def get_series_link(uow: UnitOfWork, tenant: TenantSnapshot, series_id: UUID) -> OfferingLink:
    """Raises: NotFound, for another tenant's series too."""
    series = await uow.session.get(Series, (uow.tenant, series_id))
    if series is None:
        raise NotFound(_("There is no such series."))
    service = await _service(uow, series.service_id)
    path = series_path(tenant.slug, service.slug, series.id)
    link = OfferingLink(
        name=f"{service.name} · {series.title}",
        group=_("Series"),
        path=path,
        frame=frame_of(path),
        home=f"series/{series.id}",
        stops=_stops_of_series(tenant, series, service),
        notes=[_unlisted()] if series.visibility == Visibility.UNLISTED else [],
    )
    return await _as_sold(uow, tenant, Thing(ThingKind.SERIES, series.id), link)


async def get_package_link(
    uow: UnitOfWork, tenant: TenantSnapshot, package_id: UUID
) -> OfferingLink:
    """Raises: NotFound, for one that is only given back for dates too: nobody can buy it."""
    package = await get_package(uow, package_id)
    if package.purpose != "sale":
        raise NotFound(_("There is nothing here."))
    stops = []
    if not tenant.entitlements.has(Feature.PACKAGES):
        stops.append(_("Your plan has no packages, so nobody can buy it."))
    if package.visibility == Visibility.HIDDEN:
        stops.append(_hidden())
    elif not package.active:
        stops.append(_("It is off sale, so its link leads to nothing that can be bought."))
    path = f"/b/{tenant.slug}/packages/{package.id}"
    link = OfferingLink(
        name=package.name,
        group=_("Package"),
        path=path,
        frame=f"/embed/{tenant.slug}/packages?package={package.id}",
        home=f"packages/{package.id}",
        stops=stops,
        notes=[_unlisted()] if package.visibility == Visibility.UNLISTED else [],
    )
    return await _as_sold(uow, tenant, Thing(ThingKind.PACKAGE, package.id), link)


async def get_collection_link(
    uow: UnitOfWork, tenant: TenantSnapshot, collection_id: UUID
) -> OfferingLink:
    """Raises: NotFound."""
    collection = await uow.session.get(Collection, (uow.tenant, collection_id))
    if collection is None:
        raise NotFound(_("There is no such collection."))
    stops = []
    if not tenant.entitlements.has(Feature.COLLECTIONS):
        stops.append(_("Your plan has no collections, so there is no page at this address."))
    if not collection.active:
        stops.append(_("It is switched off, so there is no page at this address."))
    path = collection_path(tenant.slug, collection.slug)
    return OfferingLink(
        name=collection.title,
        group=_("Collection"),
        path=path,
        frame=frame_of(path),
        home=f"collections/{collection.id}",
        stops=stops,
        notes=[_kept()] if collection.established_only else [],
        is_kept=collection.established_only,
    )


async def _service(uow: UnitOfWork, service_id: UUID) -> Service:
    service = await uow.session.get(Service, (uow.tenant, service_id))
    if service is None:
        raise NotFound(_("There is no such service."))
    return service


async def _as_sold(
    uow: UnitOfWork, tenant: TenantSnapshot, thing: Thing, link: OfferingLink
) -> OfferingLink:
    """With for whom it is, and with what guests read there where nothing else is in the way."""
    notes = list(link.notes)
    is_kept = (await access_by_thing(uow)).get(thing) is Access.ESTABLISHED
    if is_kept:
        notes.append(_kept())
    stops = list(link.stops)
    if not stops:
        cards, _shop = await make_cards(uow, tenant, [thing], to_established=True)
        card = cards.get(thing)
        if card is not None and card.reason:
            stops.append(_read_by_guests(card.reason))
    return msgspec.structs.replace(link, stops=stops, notes=notes, is_kept=is_kept)


def _stops_of_service(tenant: TenantSnapshot, service: Service) -> list[str]:
    stops = []
    if frozen(service.kind, tenant.entitlements):
        stops.append(
            _("Your plan has no appointments, so there is no page at this address.")
            if service.kind == ServiceKind.APPOINTMENT
            else _("Your plan has no group services, so there is no page at this address.")
        )
    if service.visibility == Visibility.HIDDEN:
        stops.append(_hidden())
    elif not service.active:
        stops.append(_("It is switched off: guests read there that it cannot be booked."))
    return stops


def _stops_of_series(tenant: TenantSnapshot, series: Series, service: Service) -> list[str]:
    stops = []
    if frozen(service.kind, tenant.entitlements) or not tenant.entitlements.has(Feature.SERIES):
        stops.append(_("Your plan has no series, so guests find none at this address."))
    if Visibility.HIDDEN in (series.visibility, service.visibility):
        stops.append(_hidden())
    elif series.published_at is None:
        stops.append(_("It is not on sale yet, so guests do not find it at this address."))
    elif not series.active:
        stops.append(_("It is off sale, so guests do not find it at this address."))
    elif not service.active:
        stops.append(_("Its service is switched off: guests read that it cannot be booked."))
    return stops


def _hidden() -> str:
    return _("It is hidden, so there is no page at this address.")


def _unlisted() -> str:
    return _(
        "It is not listed on your booking page: guests find it by this link, or in a collection"
        " that it is in."
    )


def _kept() -> str:
    return _(
        "It is for known customers only: who is not signed in is asked to sign in there, and led"
        " back."
    )


def _read_by_guests(said: str) -> str:
    return _("Nobody can have it just now. Guests read: “%(said)s”", said=said)


def _also_read(said: str) -> str:
    return _("Guests read there: “%(said)s”", said=said)


async def list_link_choices(uow: UnitOfWork, tenant: TenantSnapshot) -> list[LinkChoice]:
    """All that can be had just now, what only known customers can have too; the hub first."""
    offerable = await list_offerable(uow, only_current=True)
    cards, shop = await make_cards(
        uow, tenant, [one.thing for one in offerable], to_established=True
    )
    hub = LinkChoice(key="hub", name=tenant.name, group=_("Your booking page"), path=shop.path)
    things = [
        LinkChoice(key=one.key, name=one.name, group=one.group, path=card.href)
        for one in offerable
        if (card := cards.get(one.thing)) is not None and card.href and not card.reason
    ]
    collections = [
        LinkChoice(
            key=f"collection:{row.id}",
            name=row.title,
            group=_("Collections"),
            path=collection_path(tenant.slug, row.slug),
        )
        for row in await list_collections(uow)
        if row.active and row.count and tenant.entitlements.has(Feature.COLLECTIONS)
    ]
    return [hub, *things, *collections]
