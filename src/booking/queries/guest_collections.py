"""A collection as guests see it: what is in it, in order, at the prices of its own pages."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.domain.package_sale import guest_sentence, why_not_for_sale
from src.billing.models import Package
from src.billing.queries.package_terms import find_seller_facts, terms_of_package
from src.booking.domain.collections import Access, Thing, ThingKind, admits
from src.booking.domain.price_label import price as price_words
from src.booking.domain.price_label import text as price_text
from src.booking.domain.reasons import not_at_present
from src.booking.models import Collection, CollectionItem, CollectionSlug, Series, Service
from src.booking.queries.collections import access_by_thing, thing_of
from src.booking.queries.guest_packages import SoldSingly, list_sold_singly, package_card
from src.booking.queries.hub import shortened
from src.booking.queries.on_sale import Joinable, OnSale, find_chosen_on_sale
from src.booking.queries.on_sale_rows import AppointmentRow, ServiceRow
from src.booking.queries.service_page import why_not_joined
from src.booking.queries.shop import Shop, shop_of
from src.booking.views.collections import CollectionPageView, OfferCard
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _, current_locale, ngettext
from src.platform.web.formats import date_medium, minutes
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.errors import EstablishedOnly


def collection_path(slug: str, collection_slug: str) -> str:
    return f"/b/{slug}/collections/{collection_slug}"


def series_path(slug: str, service_slug: str, series_id: UUID) -> str:
    """Where a series stands on its service's page, unlisted ones too."""
    return f"/b/{slug}/{service_slug}?how=series&series={series_id}#series-{series_id}"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What an address leads to; with `moved` it is one that the collection had before."""

    id: UUID
    slug: str
    established_only: bool
    moved: bool = False


async def find_collection(uow: UnitOfWork, tenant: TenantSnapshot, slug: str) -> Found:
    """One that has its page. Raises: NotFound, also where the plan has no collections."""
    found = None
    if tenant.entitlements.has(Feature.COLLECTIONS):
        here = Collection.tenant_id == uow.tenant
        found = await uow.session.scalar(select(Collection).where(here, Collection.slug == slug))
        if found is None:
            former = select(CollectionSlug.collection_id).where(
                CollectionSlug.tenant_id == uow.tenant, CollectionSlug.slug == slug
            )
            found = await uow.session.scalar(
                select(Collection).where(here, Collection.id.in_(former))
            )
    if found is None or not found.active:
        raise NotFound(_("There is no such collection."))
    return Found(
        id=found.id,
        slug=found.slug,
        established_only=found.established_only,
        moved=found.slug != slug,
    )


async def get_collection_page(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    collection_id: UUID,
    base_url: str,
    *,
    to_established: bool = False,
) -> CollectionPageView:
    """`to_established`: who looks has proved to be an established customer. Others do not see what
    is kept for these, whatever collection it is in.

    Raises: EstablishedOnly for a collection that is for such.
    """
    collection = await uow.session.get_one(Collection, (uow.tenant, collection_id))
    if collection.established_only and not to_established:
        raise EstablishedOnly
    things = await _shown(uow, collection_id, to_established=to_established)
    shown, shop = await make_cards(uow, tenant, things, to_established=to_established)
    path = collection_path(tenant.slug, collection.slug)
    return CollectionPageView(
        title=collection.title,
        cover_text=collection.cover_text,
        cards=[shown[thing] for thing in things if thing in shown],
        notice=shop.notice,
        path=path,
        url=base_url + path,
        image=f"{base_url}{shop.path}/app/share.png",
        hub_href=shop.path,
        is_kept=collection.established_only,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


async def make_cards(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    things: Sequence[Thing],
    *,
    to_established: bool = False,
) -> tuple[dict[Thing, OfferCard], Shop]:
    """Those of the things that guests may know of, each with why it cannot be had just now. Without
    `to_established`, what is kept for established customers has to be left out of them before.
    """
    now = uow.clock.now()
    services, series, packages = await _rows(uow, things)
    on_sale = await find_chosen_on_sale(
        uow,
        tenant,
        now,
        [*services, *(one.service_id for one in series.values())],
        list(series),
    )
    if not to_established:
        open_ones = [offer for offer in on_sale.series if not offer.row.is_kept]
        on_sale = msgspec.structs.replace(on_sale, series=open_ones)
    cards = _Cards(tenant, on_sale, shop_of(tenant, on_sale, now))
    return {
        **{Thing(ThingKind.SERVICE, one.id): cards.service(one) for one in services.values()},
        **{Thing(ThingKind.SERIES, one.id): cards.series(one) for one in series.values()},
        **await _package_cards(uow, tenant, packages, to_established=to_established),
    }, cards.shop


async def _shown(uow: UnitOfWork, collection_id: UUID, *, to_established: bool) -> list[Thing]:
    """What is in it and may be seen, in order."""
    found = await uow.session.scalars(
        select(CollectionItem)
        .where(
            CollectionItem.tenant_id == uow.tenant, CollectionItem.collection_id == collection_id
        )
        .order_by(CollectionItem.position, CollectionItem.id)
    )
    access = await access_by_thing(uow)
    return [
        thing
        for item in found
        if admits(access.get(thing := thing_of(item), Access.OPEN), is_established=to_established)
    ]


async def _rows(
    uow: UnitOfWork, things: Sequence[Thing]
) -> tuple[dict[UUID, Service], dict[UUID, Series], dict[UUID, Package]]:
    """What of it guests may know of: nothing that is hidden, and no series before it is out."""
    ids = {kind: [one.id for one in things if one.kind is kind] for kind in ThingKind}
    services = await uow.session.scalars(
        select(Service).where(
            Service.tenant_id == uow.tenant,
            Service.id.in_(ids[ThingKind.SERVICE]),
            Service.visibility != "hidden",
        )
    )
    series = await uow.session.scalars(
        select(Series)
        .join(Service, (Service.tenant_id == Series.tenant_id) & (Service.id == Series.service_id))
        .where(
            Series.tenant_id == uow.tenant,
            Series.id.in_(ids[ThingKind.SERIES]),
            Series.visibility != "hidden",
            Series.published_at.is_not(None),
            Service.visibility != "hidden",
        )
    )
    packages = await uow.session.scalars(
        select(Package).where(
            Package.tenant_id == uow.tenant,
            Package.id.in_(ids[ThingKind.PACKAGE]),
            Package.purpose == "sale",
            Package.visibility != "hidden",
        )
    )
    return (
        {one.id: one for one in services},
        {one.id: one for one in series},
        {one.id: one for one in packages},
    )


class _Cards(msgspec.Struct, frozen=True):
    """Makes the cards of services and series out of what is on sale."""

    tenant: TenantSnapshot
    on_sale: OnSale
    shop: Shop

    def service(self, service: Service) -> OfferCard:
        if service.kind == "appointment":
            rows = [one for one in self.on_sale.appointments if one.id == service.id]
            return self._appointment(service, rows[0] if rows else None)
        return self._group(service, self.on_sale.service(service.id))

    def _appointment(self, service: Service, row: AppointmentRow | None) -> OfferCard:
        label = "" if row is None else price_text(row.label(self.tenant.currency), current_locale())
        reason = None
        if row is None or not self.shop.is_open:
            reason = not_at_present()
        elif row.needs_money and not self.shop.takes_money:
            reason = self.shop.notice or not_at_present()
        return OfferCard(
            kind="appointment",
            id=service.id,
            name=service.name,
            summary=shortened(service.description),
            price=label,
            facts=[minutes(service.duration_minutes), _mode(service.mode), _("by appointment")],
            href=f"{self.shop.path}/{service.slug}" if row is not None else "",
            reason=reason,
        )

    def _group(self, service: Service, row: ServiceRow | None) -> OfferCard:
        label = price = None
        if row is not None:
            label = self.on_sale.label(row, self.tenant.currency)
            price = price_text(label, current_locale())
        return OfferCard(
            kind="service",
            id=service.id,
            name=service.name,
            summary=shortened(service.description),
            price=price or "",
            facts=[minutes(service.duration_minutes), _mode(service.mode)],
            href=f"{self.shop.path}/{service.slug}" if row is not None and row.active else "",
            reason=self._why_no_group(row, is_sold_out=label is not None and label.sold_out),
        )

    def _why_no_group(self, row: ServiceRow | None, *, is_sold_out: bool) -> str | None:
        if row is None or not row.active or not self.shop.is_open:
            return not_at_present()
        if is_sold_out:
            return _("Sold out")
        is_joinable = any(
            offer.row.service_id == row.id and not offer.is_closed for offer in self.on_sale.series
        )
        has_dates = bool(row.coming_runs) or is_joinable
        return None if has_dates else _("No dates at present")

    def series(self, series: Series) -> OfferCard:
        found = [one for one in self.on_sale.series if one.row.id == series.id]
        row = self.on_sale.service(series.service_id)
        if not found or row is None or not row.active:
            return self._ended(series, row)
        offer = found[0]
        lowest = min([offer.quote.asked_minor, *(tier.price_minor for tier in offer.tiers)])
        price = price_words(lowest, self.tenant.currency, is_lowest=bool(offer.tiers))
        return OfferCard(
            kind="series",
            id=series.id,
            name=f"{row.name} · {series.title}",
            summary=shortened(series.description),
            price="" if offer.is_closed else price,
            facts=self._dates(offer),
            href=series_path(self.tenant.slug, row.slug, series.id),
            reason=why_not_joined(offer, row, self.shop),
        )

    def _ended(self, series: Series, row: ServiceRow | None) -> OfferCard:
        return OfferCard(
            kind="series",
            id=series.id,
            name=f"{row.name} · {series.title}" if row is not None else series.title,
            summary=shortened(series.description),
            price="",
            facts=[],
            href="",
            reason=not_at_present(),
        )

    def _dates(self, offer: Joinable) -> list[str]:
        held = [run for run in offer.row.runs if run.state == "scheduled"]
        zone = self.tenant.zone
        span = f"{date_medium(held[0].starts_at, zone)} – {date_medium(held[-1].starts_at, zone)}"
        return [ngettext("%(num)s date", "%(num)s dates", len(held)), span]


def _mode(mode: str) -> str:
    return _("Online") if mode == "online" else _("In person")


async def _package_cards(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    packages: dict[UUID, Package],
    *,
    to_established: bool,
) -> dict[Thing, OfferCard]:
    if not packages:
        return {}
    singles: Sequence[SoldSingly] = await list_sold_singly(uow, tenant)
    seller = await find_seller_facts(uow, tenant)
    cards = {}
    for one in packages.values():
        against = why_not_for_sale(terms_of_package(one), seller, to_established=to_established)
        reason = guest_sentence(against) if against else None
        card = package_card(uow, tenant, one, singles, reason)
        valid = _("never expires")
        if card.validity_days:
            valid = ngettext("valid %(num)s day", "valid %(num)s days", card.validity_days)
        cards[Thing(ThingKind.PACKAGE, one.id)] = OfferCard(
            kind="package",
            id=one.id,
            name=one.name,
            summary=shortened(one.description),
            price=price_words(card.price_minor, tenant.currency),
            facts=[ngettext("%(num)s session", "%(num)s sessions", card.credits), valid],
            href=card.href if one.active else "",
            reason=card.reason,
        )
    return cards
