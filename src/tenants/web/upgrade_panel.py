"""The face of PlanLimitReached: an upgrade panel for members, a neutral page for guests.

Programs get the problem document, which the web kit makes before it asks here.
"""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from litestar import Response

from src.platform.errors import PlanLimitReached
from src.platform.i18n import _
from src.platform.web.pages import AnyRequest, page
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import OfferedBoltOn
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.plans import OfferedPlan
from src.tenants.domain.roles import Role, reaches
from src.tenants.gates import price_list
from src.tenants.plan_words import feature_name, feature_refusal, limit_name, limit_refusal
from src.tenants.views.plans import UpgradeView
from src.tenants.web.middleware import context_of

Offered = TypeVar("Offered", OfferedPlan, OfferedBoltOn)


class NotBookable(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest reads: nothing of plans, and how to reach the business."""

    name: str
    slug: str
    message: str
    contact_email: str
    contact_phone: str


def render_plan_limit(request: AnyRequest, error: PlanLimitReached) -> Response[Any] | None:
    """An error renderer: the whole page, or the panel alone for HTMX."""
    ctx = context_of(request)
    if ctx.tenant is None:
        return None
    if ctx.actor.role is None or not request.scope["path"].startswith("/app/"):
        return _for_guest(request, ctx)
    return page(
        request,
        "tenants/plans/upgrade.html",
        upgrade_view(ctx, error),
        fragment="tenants/plans/_upgrade.html",
        status_code=error.status,
    )


def upgrade_view(ctx: RequestContext, error: PlanLimitReached) -> UpgradeView:
    """The panel about a refusal, with the bolt-on or the plan to ask for."""
    heading, wanted_for = _wanted(error)
    bolt_on = _named(price_list.bolt_ons, error.cheapest_bolt_on)
    plan = _named(price_list.plans, error.cheapest_plan)
    offered = bolt_on or plan
    action, fields = f"/app/{ctx.here.slug}/plan", {"wanted_for": wanted_for}
    asked_at = None
    if bolt_on is not None:
        action += f"/bolt-ons/{bolt_on.key}"
        asked_at = ctx.here.asked_bolt_ons.get(bolt_on.key)
    elif plan is not None:
        fields["plan"] = plan.key
        asked_at = ctx.here.asked_plans.get(plan.key)
    may_ask = ctx.actor.role is not None and reaches(ctx.actor.role, Role.MANAGER)
    return UpgradeView(
        heading=heading,
        slug=ctx.here.slug,
        zone=ctx.here.timezone,
        current_plan=error.current_plan or ctx.here.entitlements.plan_name,
        cheapest_plan=error.cheapest_plan,
        bolt_on=bolt_on.name if bolt_on else None,
        action=action if offered and may_ask else None,
        fields=fields,
        monthly_minor=offered.monthly_minor if offered else None,
        currency=offered.currency if offered else "EUR",
        asked_at=asked_at,
    )


def _for_guest(request: AnyRequest, ctx: RequestContext) -> Response[bytes]:
    view = NotBookable(
        name=ctx.here.name,
        slug=ctx.here.slug,
        message=_("This cannot be booked online at present. Please contact the business directly."),
        contact_email=ctx.here.contact_email,
        contact_phone=ctx.here.contact_phone,
    )
    return page(
        request,
        "tenants/plans/not_bookable.html",
        view,
        fragment="tenants/plans/_not_bookable.html",
        status_code=409,
    )


def _wanted(error: PlanLimitReached) -> tuple[str, str]:
    """The sentence over the panel, and what the request will say it was wanted for."""
    if error.feature is not None:
        feature = Feature(error.feature)
        return feature_refusal(feature), feature_name(feature)
    if error.limit is not None:
        limit = Limit(error.limit)
        return limit_refusal(limit), limit_name(limit)
    return error.message, ""


def _named(offered: Iterable[Offered], name: str | None) -> Offered | None:
    return next((one for one in offered if one.name == name), None)
