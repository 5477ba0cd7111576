"""Gates: may this tenant create, publish or sell this? A role lets in, a plan lets do.

Decided on the snapshot that came with the tenant's row; a selling command asks again in its
transaction (`require_feature_now`). The refusal names the cheapest plan that would do, and the
bolt-on where that costs less. For the gates that make no query this comes from the price list as
the process last read it, which the middleware keeps from growing older than a minute.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound, PlanLimitReached
from src.platform.i18n import _
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import OfferedBoltOn, WayToMore, way_to_feature, way_to_more
from src.tenants.domain.entitlements import (
    Entitlements,
    Feature,
    Limit,
    read_sources,
    resolve_entitlements,
)
from src.tenants.domain.plans import OfferedPlan
from src.tenants.models import Tenant
from src.tenants.plan_words import feature_refusal, limit_refusal
from src.tenants.queries.bolt_ons import list_bolt_ons
from src.tenants.queries.plans import list_plans

LONGEST_AGE = timedelta(minutes=1)


class PriceList:
    """The plans and bolt-ons as this process last read them."""

    def __init__(self) -> None:
        self.plans: tuple[OfferedPlan, ...] = ()
        self.bolt_ons: tuple[OfferedBoltOn, ...] = ()
        self._read_at: datetime | None = None

    def remember(
        self,
        plans: Iterable[OfferedPlan],
        now: datetime,
        bolt_ons: Iterable[OfferedBoltOn] = (),
    ) -> None:
        self.plans, self.bolt_ons, self._read_at = tuple(plans), tuple(bolt_ons), now

    def forget(self) -> None:
        """Lets the next request read it anew."""
        self.plans, self.bolt_ons, self._read_at = (), (), None

    def is_stale(self, now: datetime) -> bool:
        return self._read_at is None or abs(now - self._read_at) > LONGEST_AGE


price_list = PriceList()


async def read_price_list(uow: UnitOfWork) -> tuple[OfferedPlan, ...]:
    """The offered plans as they are now, remembered with the bolt-ons for the refusals to come."""
    plans = tuple(await list_plans(uow))
    price_list.remember(plans, uow.clock.now(), await list_bolt_ons(uow))
    return plans


def require_feature(ctx: RequestContext, feature: Feature) -> None:
    """Raises: PlanLimitReached when the caller's tenant lacks the feature; NotFound outside any."""
    tenant = ctx.here
    if not tenant.entitlements.has(feature):
        raise lacks_feature(tenant.entitlements, feature)


async def require_feature_now(uow: UnitOfWork, ctx: RequestContext, feature: Feature) -> None:
    """Like `require_feature`, by the tenant's row as this transaction sees it."""
    entitlements = await entitlements_now(uow, ctx)
    if not entitlements.has(feature):
        await read_price_list(uow)
        raise lacks_feature(entitlements, feature)


async def entitlements_now(uow: UnitOfWork, ctx: RequestContext) -> Entitlements:
    """What the caller's tenant may do by its row as this transaction sees it."""
    stored = await uow.session.scalar(select(Tenant.entitlements).where(Tenant.id == ctx.here.id))
    if stored is None:
        raise NotFound(_("There is nothing here."))
    return resolve_entitlements(read_sources(stored), uow.clock.now())


def lacks_feature(entitlements: Entitlements, feature: Feature) -> PlanLimitReached:
    """The refusal of something that needs a feature."""
    way = way_to_feature(price_list.plans, price_list.bolt_ons, feature, entitlements)
    return PlanLimitReached(
        feature_refusal(feature),
        feature=feature.value,
        current_plan=entitlements.plan_name,
        **_names_of(way),
    )


def month_is_used_up(entitlements: Entitlements) -> PlanLimitReached:
    """The refusal of a booking past the month's limit: to a guest it names no plan."""
    return _used_up(
        entitlements,
        Limit.BOOKINGS_PER_MONTH,
        _("This cannot be booked online at present. Please contact the business directly."),
    )


def too_many_members(entitlements: Entitlements) -> PlanLimitReached:
    """The refusal of one member more than the plan has."""
    return _used_up(entitlements, Limit.MEMBERS, limit_refusal(Limit.MEMBERS))


def _used_up(entitlements: Entitlements, limit: Limit, message: str) -> PlanLimitReached:
    way = way_to_more(price_list.plans, price_list.bolt_ons, limit, entitlements)
    return PlanLimitReached(
        message, limit=limit.value, current_plan=entitlements.plan_name, **_names_of(way)
    )


def _names_of(way: WayToMore) -> dict[str, str | None]:
    return {
        "cheapest_plan": None if way.plan is None else way.plan.name,
        "cheapest_bolt_on": None if way.bolt_on is None else way.bolt_on.name,
    }
