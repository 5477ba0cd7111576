"""Packages as the JSON API gives them: what guests find, said by the same rules as their page."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from src.billing.commands.packages import get_package, no_such_package
from src.billing.domain.package_sale import guest_sentence, why_not_for_sale
from src.billing.models import Package
from src.billing.queries.lots import scope_of
from src.billing.queries.package_terms import (
    find_seller_facts,
    get_package_terms,
    list_packages_on_sale,
)
from src.booking.domain.agreements import Needed
from src.booking.queries.agreements import find_needed_by_things
from src.booking.queries.guest_packages import SoldSingly, list_sold_singly, package_card
from src.booking.views.api import MoneyOut, agreements_out
from src.booking.views.api_packages import PackageOut, ScopeOut
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.errors import EstablishedOnly


async def list_packages_out(
    uow: UnitOfWork, tenant: TenantSnapshot, base_url: str
) -> list[PackageOut]:
    """What a stranger finds on the page of packages, in its order."""
    singles = await list_sold_singly(uow, tenant)
    packages = await list_packages_on_sale(uow, tenant)
    needed = await find_needed_by_things(uow)
    shown = [_package_out(uow, tenant, base_url, one, singles, None) for one in packages]
    return [_with_agreements(tenant, base_url, one, needed) for one in shown]


async def get_package_out(
    uow: UnitOfWork, tenant: TenantSnapshot, base_url: str, package_id: UUID
) -> PackageOut:
    """Also one that only its link leads to. Raises: NotFound, for what guests never see too;
    EstablishedOnly.
    """
    package = await get_package(uow, package_id)
    is_seen = package.purpose == "sale" and package.active and package.visibility != "hidden"
    if not is_seen:
        raise no_such_package()
    seller = await find_seller_facts(uow, tenant)
    terms = await get_package_terms(uow, package)
    if terms.is_kept:
        raise EstablishedOnly
    against = why_not_for_sale(terms, seller)
    reason = guest_sentence(against) if against else None
    singles = await list_sold_singly(uow, tenant)
    shown = _package_out(uow, tenant, base_url, package, singles, reason)
    return _with_agreements(tenant, base_url, shown, await find_needed_by_things(uow))


def _with_agreements(
    tenant: TenantSnapshot,
    base_url: str,
    shown: PackageOut,
    needed: Mapping[UUID, Sequence[Needed]],
) -> PackageOut:
    asked = agreements_out(base_url, tenant.slug, needed.get(shown.id, []))
    return msgspec.structs.replace(shown, agreements=asked)


def _package_out(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    base_url: str,
    package: Package,
    singles: Sequence[SoldSingly],
    reason: str | None,
) -> PackageOut:
    """`reason`: why it cannot be bought."""
    card, scope = package_card(uow, tenant, package, singles, reason), scope_of(package)
    currency = tenant.currency
    saves = MoneyOut(card.saving_minor, currency) if card.saving_minor else None
    return PackageOut(
        id=card.id,
        name=card.name,
        description=card.description,
        credits=card.credits,
        price=MoneyOut(card.price_minor, currency),
        price_each=MoneyOut(card.each_minor, currency),
        saving=saves,
        saving_is_up_to=card.is_up_to,
        validity_days=card.validity_days,
        until_on=card.until_on,
        scope=ScopeOut(
            any_service=scope.any_service,
            service_ids=[
                one.id for one in singles if one.is_listed and one.id in scope.service_ids
            ],
            tags=sorted(scope.tags),
        ),
        pays=package.pays,
        url=base_url + card.href,
        reason=card.reason,
    )
