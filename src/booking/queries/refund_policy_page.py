"""What the page of a refund policy shows beside its form."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.domain.credits import Scope
from src.billing.models import Package
from src.billing.queries.lots import scope_of
from src.booking.domain.by_credit import takes_credits
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SalesMode, SeriesPriceType
from src.booking.domain.leaving import LeavingTerms, sold_under
from src.booking.domain.refund_policy import BuyerKind, GivenBack, RefundPolicy, rule_that_holds
from src.booking.example_words import example_in_words
from src.booking.paying import Paying
from src.booking.queries.credit_offers import list_credit_offers
from src.booking.queries.drop_in import rules_of
from src.booking.queries.offers import SessionOffer
from src.booking.queries.sold_terms import given_back_of
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class Givable(msgspec.Struct, frozen=True, kw_only=True):
    """A refund package; `dates` is how many dates on sale its credit could be spent on now."""

    package: GivenBack
    dates: int


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """What one kind of buyer would read for the sample date."""

    kind: BuyerKind
    sentences: list[str]


async def list_givable(uow: UnitOfWork) -> list[Givable]:
    """The refund packages that are switched on, by name."""
    found = await uow.session.scalars(
        select(Package)
        .where(Package.tenant_id == uow.tenant, Package.purpose == "refund", Package.active)
        .order_by(Package.name, Package.id)
    )
    return [
        Givable(package=given_back_of(package), dates=await _dates_on_sale(uow, scope_of(package)))
        for package in found
    ]


async def _dates_on_sale(uow: UnitOfWork, scope: Scope) -> int:
    offers = await list_credit_offers(uow, scope, uow.clock.now())
    return sum(takes_swaps(offer) for offer, *_rest in offers)


def takes_swaps(offer: SessionOffer) -> bool:
    """Whether the date is sold singly for credits at all."""
    rules = rules_of(offer)
    is_sold_singly = offer.service.sales_mode != SalesMode.SERIES
    is_drop_in = offer.series is None or bool(rules.allowed)
    return is_sold_singly and is_drop_in and takes_credits(rules)


def terms_by_kind(
    kinds: list[BuyerKind],
    policy: RefundPolicy,
    of_service: LeavingTerms,
    of_series: LeavingTerms | None,
    packages: dict[UUID, GivenBack],
) -> dict[BuyerKind, LeavingTerms]:
    """The terms that each kind of buyer would buy under."""
    found = {}
    for kind in kinds:
        is_course = kind is BuyerKind.COURSE and of_series is not None
        offered = of_series if is_course and of_series is not None else of_service
        service_policy = of_service.policy if of_series is not None else policy
        series_policy = policy if of_series is not None else None
        rule = rule_that_holds(kind, series_policy, service_policy)
        by_credits = kind is BuyerKind.CREDIT
        found[kind] = sold_under(offered, rule, packages, by_credits=by_credits)
    return found


def curves(
    tenant: TenantSnapshot, terms: Mapping[BuyerKind, LeavingTerms], sample_at: datetime | None
) -> list[Curve]:
    """Until when each kind of buyer gets what, in the words that guests read: of the sample date,
    or where there is none, counted from the start of a date.
    """
    return [
        Curve(kind=kind, sentences=example_in_words(one, _paying(kind), sample_at, tenant.zone))
        for kind, one in terms.items()
    ]


def _paying(kind: BuyerKind) -> Paying:
    if kind is BuyerKind.CREDIT:
        return PayWay.CREDIT
    return SeriesPriceType.ON_SITE if kind is BuyerKind.ON_SITE else SeriesPriceType.ONLINE
