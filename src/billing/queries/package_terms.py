"""Packages as they are offered now, and what a business may sell of them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnExpressionArgument, exists, select

from src.billing.domain.credits import RefundRule
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.package_sale import PackageTerms, SellerFacts, why_not_for_sale
from src.billing.domain.schedules import Every, Unit
from src.billing.domain.transfers import due_at, transfer_due_on
from src.billing.kept_packages import find_kept_packages
from src.billing.models import Package
from src.billing.queries.lots import scope_of
from src.billing.queries.payment_settings import find_transfer_terms
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature


async def find_seller_facts(uow: UnitOfWork, tenant: TenantSnapshot) -> SellerFacts:
    """With until when money by bank transfer is waited for; nothing that a package is for begins,
    so it always comes in time.
    """
    terms = await find_transfer_terms(uow)
    due_on = transfer_due_on(terms, uow.clock.now(), None, tenant.zone) if terms else None
    due = due_at(due_on, tenant.zone) if due_on is not None else None
    return replace(_seller_facts(tenant), transfer_due_at=due)


def _seller_facts(tenant: TenantSnapshot) -> SellerFacts:
    return SellerFacts(
        is_confirmed=tenant.is_confirmed,
        sells=tenant.status.sells,
        may_sell_packages=tenant.entitlements.has(Feature.PACKAGES),
        payments_ready=tenant.payments_ready,
    )


def terms_of_package(package: Package, *, is_kept: bool = False) -> PackageTerms:
    return PackageTerms(
        id=package.id,
        name=package.name,
        credits=package.credits,
        price_minor=package.price_minor,
        validity_days=package.validity_days,
        scope=scope_of(package),
        pays=tuple(PaymentMode(way) for way in package.pays),
        tax_rate_bp=package.tax_rate_bp,
        refund_rule=RefundRule(package.refund_rule),
        is_for_sale=package.purpose == "sale",
        active=package.active,
        visibility=package.visibility,
        is_kept=is_kept,
        parts=package.parts if PaymentMode.ONLINE in package.pays else 0,
        parts_every=Every(package.parts_every, Unit(package.parts_unit)),
    )


async def get_package_terms(uow: UnitOfWork, package: Package) -> PackageTerms:
    """As somebody who wants to buy it is to be judged by."""
    return terms_of_package(package, is_kept=package.id in await find_kept_packages(uow))


async def list_packages_on_sale(uow: UnitOfWork, tenant: TenantSnapshot) -> Sequence[Package]:
    """What a stranger finds on the page of packages, as their owner has ordered it: nothing that is
    kept for established customers.
    """
    # Whoever can be paid by card sells nothing more by taking transfers, too.
    is_ready = tenant.payments_ready
    seller = _seller_facts(tenant) if is_ready else await find_seller_facts(uow, tenant)
    found = await uow.session.scalars(
        select(Package)
        .where(*_listed(uow))
        .order_by(Package.position, Package.price_minor, Package.id)
    )
    kept = await find_kept_packages(uow)
    terms = [(one, terms_of_package(one, is_kept=one.id in kept)) for one in found]
    return [one for one, said in terms if not why_not_for_sale(said, seller)]


async def has_packages_on_sale(uow: UnitOfWork, tenant: TenantSnapshot) -> bool:
    """Whether the page of packages has anything on it; asked for every hub that is made."""
    seller = _seller_facts(tenant)
    if not (seller.is_confirmed and seller.sells and seller.may_sell_packages):
        return False
    if seller.payments_ready:
        others = Package.id.not_in(await find_kept_packages(uow))
        return bool(await uow.session.scalar(select(exists().where(*_listed(uow), others))))
    return bool(await list_packages_on_sale(uow, tenant))


def _listed(uow: UnitOfWork) -> tuple[ColumnExpressionArgument[bool], ...]:
    return (
        Package.tenant_id == uow.tenant,
        Package.purpose == "sale",
        Package.active,
        Package.visibility == "public",
    )
