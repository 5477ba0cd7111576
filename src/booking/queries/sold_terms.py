"""The terms for leaving as they are sold: with what the refund policy gives each kind of buyer."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import select

from src.billing.models import Package
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import LeavingTerms, sold_under, terms_from
from src.booking.domain.quotes import Quote
from src.booking.domain.refund_policy import BuyerKind, GivenBack, rule_that_holds
from src.booking.models import Series, Service
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature

KIND_OF_WAY = {
    PayWay.ONLINE: BuyerKind.CARD,
    PayWay.TRANSFER: BuyerKind.CARD,
    PayWay.ON_SITE: BuyerKind.ON_SITE,
    PayWay.CREDIT: BuyerKind.CREDIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldTerms:
    """What is sold of a service, or of one of its series, with the refund packages of both.

    `has_policies`: the business may use refund policies; without, the plain terms are sold.
    """

    of_service: LeavingTerms
    of_series: LeavingTerms | None
    packages: Mapping[UUID, GivenBack]
    has_policies: bool

    def for_kind(self, kind: BuyerKind, *, by_credits: bool = False) -> LeavingTerms:
        """What a booking by such a buyer keeps. A single date has its service's terms, and the
        policy of its series where that has one.
        """
        series = self.of_series
        offered = self.of_service
        if kind is BuyerKind.COURSE and series is not None:
            offered = series
        rule = None
        if self.has_policies:
            of_series = None if series is None else series.policy
            rule = rule_that_holds(kind, of_series, self.of_service.policy)
        return sold_under(offered, rule, self.packages, by_credits=by_credits)

    def for_way(self, way: PayWay) -> LeavingTerms:
        """Of a single date that is paid so."""
        return self.for_kind(KIND_OF_WAY[way], by_credits=way is PayWay.CREDIT)

    def quoted(self, quote: Quote) -> Quote:
        """The quote with the terms that it will be sold under."""
        by_credits = quote.credits is not None
        kind = kind_of(quote)
        return replace(quote, leaving=self.for_kind(kind, by_credits=by_credits))


def kind_of(quote: Quote) -> BuyerKind:
    if quote.kind == "series":
        return BuyerKind.COURSE
    if quote.credits is not None:
        return BuyerKind.CREDIT
    is_on_site = quote.price_type is SeriesPriceType.ON_SITE
    return BuyerKind.ON_SITE if is_on_site else BuyerKind.CARD


async def find_sold_terms(
    uow: UnitOfWork, tenant: TenantSnapshot, service: Service, series: Series | None
) -> SoldTerms:
    """Reads packages only where a policy names some."""
    kept = None if series is None else series.leaving
    return await sold_terms_of(uow, tenant, service.leaving, kept)


async def sold_terms_of(
    uow: UnitOfWork, tenant: TenantSnapshot, of_service: object, of_series: object | None
) -> SoldTerms:
    """From the terms as they are stored."""
    service = terms_from(of_service)
    series = None if of_series is None else terms_from(of_series)
    has_policies = tenant.entitlements.has(Feature.AUTO_REFUND)
    policies = [one.policy for one in (service, series) if one is not None and one.policy]
    wanted = {package_id for policy in policies for package_id in policy.package_ids}
    return SoldTerms(
        of_service=service,
        of_series=series,
        packages=await find_given_back(uow, wanted) if has_policies else {},
        has_policies=has_policies,
    )


async def find_given_back(uow: UnitOfWork, package_ids: Collection[UUID]) -> dict[UUID, GivenBack]:
    """Refund packages as they are now, by id."""
    if not package_ids:
        return {}
    found = await uow.session.scalars(
        select(Package).where(
            Package.tenant_id == uow.tenant,
            Package.id.in_(package_ids),
            Package.purpose == "refund",
        )
    )
    return {package.id: given_back_of(package) for package in found}


async def list_packages_to_give(uow: UnitOfWork) -> list[GivenBack]:
    """The refund packages that are switched on, by name."""
    found = await uow.session.scalars(
        select(Package)
        .where(Package.tenant_id == uow.tenant, Package.purpose == "refund", Package.active)
        .order_by(Package.name, Package.id)
    )
    return [given_back_of(package) for package in found]


def given_back_of(package: Package) -> GivenBack:
    return GivenBack(
        package_id=package.id,
        name=package.name,
        any_service=package.any_service,
        service_ids=tuple(UUID(one) for one in package.service_ids),
        tags=tuple(package.tags),
        validity_days=package.validity_days,
    )
