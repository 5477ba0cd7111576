"""Packages as guests are offered them: what they are good for, and what they save."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.packages import get_package
from src.billing.domain.credits import Scope, end_of_day, saving, value_of_each_minor
from src.billing.domain.kinds import PaymentMode
from src.billing.models import Package
from src.billing.queries.lots import scope_of
from src.billing.queries.package_terms import (
    list_packages_on_sale,
    terms_of_package,
)
from src.booking.models import Service
from src.booking.queries.date_prices import DatePrices, list_date_prices, prices_for
from src.booking.queries.kept import kept_services
from src.booking.queries.packages import list_tags_of_dates
from src.booking.views.guest_packages import PackageCard, PackagesView, WorksFor
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot


class NotForUse(Conflict):
    """Credits would be sold that nothing can be booked with."""


class SoldSingly(msgspec.Struct, frozen=True, kw_only=True):
    """A service that guests can see; `dates` are those to come that are sold alone, with what they
    cost, and `own_minor` is its own price, 0 where it has none. `all_tags` are its own, those of
    its series and of its dates to come.
    """

    id: UUID
    slug: str
    name: str
    tags: frozenset[str]
    all_tags: frozenset[str]
    dates: Sequence[DatePrices]
    own_minor: int
    is_listed: bool


async def list_sold_singly(
    uow: UnitOfWork, tenant: TenantSnapshot | None = None
) -> list[SoldSingly]:
    """The business's services that are on, by name; what their dates cost only for a `tenant`,
    whose clock says which of their prices are open.
    """
    found = await uow.session.execute(
        select(
            Service.id,
            Service.slug,
            Service.name,
            Service.tags,
            Service.price_type,
            Service.price_minor,
            Service.sales_mode,
            Service.visibility,
        )
        .where(Service.tenant_id == uow.tenant, Service.active, Service.visibility != "hidden")
        .order_by(Service.name, Service.id)
    )
    more, shown = await list_tags_of_dates(uow), dict[UUID, Sequence[DatePrices]]()
    kept = await kept_services(uow)
    if tenant is not None:
        today = to_local(uow.clock.now(), tenant.zone).date()
        shown |= await list_date_prices(uow, today)
    return [
        SoldSingly(
            id=row.id,
            slug=row.slug,
            name=row.name,
            tags=frozenset(row.tags),
            all_tags=frozenset(row.tags) | more.get(row.id, frozenset()),
            dates=shown.get(row.id, ()),
            own_minor=0
            if row.sales_mode == "series" or row.price_type == "free"
            else row.price_minor,
            is_listed=row.visibility == "public" and row.id not in kept,
        )
        for row in found
    ]


def fitting(scope: Scope, services: Sequence[SoldSingly]) -> list[SoldSingly]:
    """The services whose dates the credits are good for, as far as that is known of a service."""
    return [
        one
        for one in services
        if scope.any_service or one.id in scope.service_ids or not scope.tags.isdisjoint(one.tags)
    ]


def single_prices(scope: Scope, services: Sequence[SoldSingly]) -> list[int]:
    """What one session costs that the credits are good for, those for nothing left out."""
    return [
        minor
        for one in services
        for minor in prices_for(scope, one.id, one.tags, _only(one.own_minor), one.dates)
    ]


def _only(minor: int) -> frozenset[int]:
    return frozenset({minor} if minor else ())


async def lowest_single_minor(uow: UnitOfWork, package: Package) -> int:
    """The least that one session costs which the package is good for; 0 where none is known. Used
    credits are charged with it where that is how the package is refunded, so it is the services'
    own price: what single dates happen to cost on the day of the purchase does not count.
    """
    found = fitting(scope_of(package), await list_sold_singly(uow))
    return min((one.own_minor for one in found if one.own_minor), default=0)


def works_for(scope: Scope, services: Sequence[SoldSingly], slug: str) -> WorksFor:
    """Services by name, each with its page; what is hidden or gone is not named."""
    named = [one for one in services if one.id in scope.service_ids and one.is_listed]
    return WorksFor(
        anything=scope.any_service,
        services=[(one.name, f"/b/{slug}/{one.slug}") for one in named],
        tags=sorted(scope.tags),
        fits_nothing=fits_nothing(scope, services),
    )


def fits_nothing(scope: Scope, services: Sequence[SoldSingly]) -> bool:
    """Whether credits lead nowhere at present, for want of a tag that they need."""
    if scope.any_service or not scope.tags:
        return False
    return not any(
        one.id in scope.service_ids or not scope.tags.isdisjoint(one.all_tags) for one in services
    )


async def refuse_what_fits_nothing(uow: UnitOfWork, package_id: UUID) -> None:
    """Raises: NotFound, NotForUse."""
    package = await get_package(uow, package_id)
    if fits_nothing(scope_of(package), await list_sold_singly(uow)):
        raise NotForUse(_nothing_fits())


def _nothing_fits() -> str:
    return _("Nothing on offer can be booked with this package at present.")


async def get_packages_page(uow: UnitOfWork, tenant: TenantSnapshot, base_url: str) -> PackagesView:
    """What everybody is shown: the packages on sale, as their owner has ordered them."""
    services = await list_sold_singly(uow, tenant)
    path = f"/b/{tenant.slug}/packages"
    packages = await list_packages_on_sale(uow, tenant)
    return PackagesView(
        cards=[package_card(uow, tenant, package, services, None) for package in packages],
        currency=tenant.currency,
        zone=tenant.zone,
        path=path,
        hub_href=f"/b/{tenant.slug}",
        url=base_url + path,
        image=f"{base_url}/b/{tenant.slug}/app/share.png",
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


async def list_fitting_packages(
    uow: UnitOfWork, tenant: TenantSnapshot, service_id: UUID
) -> list[PackageCard]:
    """Those on sale that dates of the service can be paid with, for the service's own page."""
    services = await list_sold_singly(uow, tenant)
    return [
        package_card(uow, tenant, package, services, None)
        for package in await list_packages_on_sale(uow, tenant)
        if service_id in {one.id for one in fitting(scope_of(package), services)}
    ]


def package_card(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    package: Package,
    services: Sequence[SoldSingly],
    reason: str | None,
) -> PackageCard:
    """`reason`: why it cannot be bought, where that is known to be so."""
    terms, now = terms_of_package(package), uow.clock.now()
    singles = single_prices(terms.scope, services)
    saved_minor, is_up_to = saving(terms.price_minor, terms.credits, singles)
    ends_at = end_of_day(terms.validity_days, now, tenant.zone)
    works = works_for(terms.scope, services, tenant.slug)
    return PackageCard(
        id=package.id,
        name=package.name,
        description=package.description,
        credits=terms.credits,
        price_minor=terms.price_minor,
        each_minor=value_of_each_minor(terms.price_minor, terms.credits),
        single_minor=max(singles, default=0),
        saving_minor=saved_minor,
        is_up_to=is_up_to,
        validity_days=terms.validity_days,
        until_on=to_local(ends_at, tenant.zone).date() if ends_at is not None else None,
        works_for=works,
        on_site_only=terms.price_minor > 0 and terms.pays == (PaymentMode.ON_SITE,),
        href=f"/b/{tenant.slug}/packages/{package.id}",
        reason=reason or (_nothing_fits() if works.fits_nothing else None),
    )
