"""Gates: may this tenant create, publish or sell this? A role lets in, a plan lets do.

Decided on the snapshot that came with the tenant's row; a selling command asks again in its
transaction (`require_feature_now`). The refusal names the cheapest plan that would do. For the
gates that make no query this comes from the price list that the process last read
(`load_price_list` at its start, then by every page or command that reads the catalogue).
"""

from collections.abc import Iterable

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound, PlanLimitReached
from src.platform.i18n import N_, _
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import (
    Entitlements,
    Feature,
    Limit,
    read_sources,
    resolve_entitlements,
)
from src.tenants.domain.plans import OfferedPlan, cheapest_with_feature, cheapest_with_more
from src.tenants.models import Tenant
from src.tenants.queries.plans import list_plans

_FEATURE_NAMES = {
    Feature.APPOINTMENTS: N_("Appointments"),
    Feature.GROUP_SERVICES: N_("Group services"),
    Feature.SERIES: N_("Series"),
    Feature.COUPONS: N_("Coupons"),
    Feature.PACKAGES: N_("Packages of credits"),
    Feature.PRODUCTS: N_("Subscriptions and products"),
    Feature.COLLECTIONS: N_("Collections"),
    Feature.WAITLIST: N_("Waiting lists"),
}
_REFUSALS = {
    Feature.APPOINTMENTS: N_("Appointments are not part of your plan."),
    Feature.GROUP_SERVICES: N_("Group services are not part of your plan."),
    Feature.SERIES: N_("Series are not part of your plan."),
    Feature.COUPONS: N_("Coupons are not part of your plan."),
    Feature.PACKAGES: N_("Packages of credits are not part of your plan."),
    Feature.PRODUCTS: N_("Subscriptions and products are not part of your plan."),
    Feature.COLLECTIONS: N_("Collections are not part of your plan."),
    Feature.WAITLIST: N_("Waiting lists are not part of your plan."),
}


class PriceList:
    """The offered plans as this process last read them."""

    def __init__(self) -> None:
        self.plans: tuple[OfferedPlan, ...] = ()

    def remember(self, plans: Iterable[OfferedPlan]) -> None:
        self.plans = tuple(plans)


price_list = PriceList()


def feature_name(feature: Feature) -> str:
    """The feature as a person reads it, e.g. "Group services"."""
    return _(_FEATURE_NAMES[feature])


def feature_refusal(feature: Feature) -> str:
    """Why a member cannot go on, e.g. "Series are not part of your plan."."""
    return _(_REFUSALS[feature])


def require_feature(ctx: RequestContext, feature: Feature) -> None:
    """Raises: PlanLimitReached when the caller's tenant lacks the feature; NotFound outside any."""
    tenant = ctx.here
    if not tenant.entitlements.has(feature):
        raise lacks_feature(tenant.entitlements, feature)


async def require_feature_now(uow: UnitOfWork, ctx: RequestContext, feature: Feature) -> None:
    """Like `require_feature`, by the tenant's row as this transaction sees it."""
    entitlements = await entitlements_now(uow, ctx)
    if not entitlements.has(feature):
        price_list.remember(await list_plans(uow))
        raise lacks_feature(entitlements, feature)


async def entitlements_now(uow: UnitOfWork, ctx: RequestContext) -> Entitlements:
    """What the caller's tenant may do by its row as this transaction sees it."""
    stored = await uow.session.scalar(select(Tenant.entitlements).where(Tenant.id == ctx.here.id))
    if stored is None:
        raise NotFound(_("There is nothing here."))
    return resolve_entitlements(read_sources(stored), uow.clock.now())


async def load_price_list(uow: UnitOfWork) -> None:
    """Reads the catalogue for refusals to come; at the start of a web process."""
    price_list.remember(await list_plans(uow))


def lacks_feature(entitlements: Entitlements, feature: Feature) -> PlanLimitReached:
    """The refusal of something that needs a feature."""
    cheapest = cheapest_with_feature(price_list.plans, feature)
    return PlanLimitReached(
        feature_refusal(feature),
        feature=feature.value,
        current_plan=entitlements.plan_name,
        cheapest_plan=cheapest.name if cheapest is not None else None,
    )


def month_is_used_up(entitlements: Entitlements) -> PlanLimitReached:
    """The refusal of a booking past the month's limit: to a guest it names no plan."""
    limit = entitlements.limit(Limit.BOOKINGS_PER_MONTH) or 0
    cheapest = cheapest_with_more(price_list.plans, Limit.BOOKINGS_PER_MONTH, limit)
    return PlanLimitReached(
        _("This cannot be booked online at present. Please contact the business directly."),
        limit=Limit.BOOKINGS_PER_MONTH.value,
        current_plan=entitlements.plan_name,
        cheapest_plan=cheapest.name if cheapest is not None else None,
    )


def too_many_members(entitlements: Entitlements) -> PlanLimitReached:
    """The refusal of one member more than the plan has."""
    limit = entitlements.limit(Limit.MEMBERS) or 0
    cheapest = cheapest_with_more(price_list.plans, Limit.MEMBERS, limit)
    return PlanLimitReached(
        _("Your plan has no room for another team member."),
        limit=Limit.MEMBERS.value,
        current_plan=entitlements.plan_name,
        cheapest_plan=cheapest.name if cheapest is not None else None,
    )
