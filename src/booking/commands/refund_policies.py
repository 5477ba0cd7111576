"""What comes back to whom: the policy of a series, or of a service for what is sold singly.

Saving one needs the bolt-on; taking one away does not. What was sold keeps its own.
Source: docs/algorithms/refund-policies.md.
"""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.series import lock_series
from src.booking.domain.leaving import LeavingTerms, terms_from
from src.booking.domain.refund_policy import BuyerKind, RefundPolicy, policy_errors
from src.booking.domain.seen import changed_since_seen, mark_of
from src.booking.models import Series, Service
from src.booking.queries.sold_terms import find_given_back
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import require_feature_now


async def set_series_policy(
    uow: UnitOfWork, ctx: RequestContext, series_id: UUID, policy: RefundPolicy, seen: str = ""
) -> None:
    """For those who buy from now on; an empty one is none. `seen` is the mark of what was shown.

    Raises: PlanLimitReached, NotFound, InvalidInput, Conflict.
    """
    series = await lock_series(uow, series_id)
    if await _set(uow, ctx, series, policy, seen):
        await audit(
            uow, ctx, "series.refund_policy_changed", "series", series.id, title=series.title
        )


async def set_service_policy(
    uow: UnitOfWork, ctx: RequestContext, service_id: UUID, policy: RefundPolicy, seen: str = ""
) -> None:
    """The same for what a service sells singly, which knows no course.

    Raises: PlanLimitReached, NotFound, InvalidInput, Conflict.
    """
    service = await uow.session.scalar(
        select(Service)
        .where(Service.tenant_id == uow.tenant, Service.id == service_id)
        .with_for_update(key_share=True)
    )
    if service is None:
        raise NotFound(_("There is no such service."))
    if policy.course is not None:
        sentence = _("A service sells no course; its series have policies of their own.")
        raise InvalidInput(sentence, fields={"policy.course.gives": sentence})
    if await _set(uow, ctx, service, policy, seen):
        await audit(
            uow, ctx, "service.refund_policy_changed", "service", service.id, title=service.name
        )


def mark_of_policy(terms: LeavingTerms) -> str:
    """Another one as soon as the policy has changed."""
    return mark_of(terms.policy or RefundPolicy())


async def _set(
    uow: UnitOfWork, ctx: RequestContext, row: Series | Service, policy: RefundPolicy, seen: str
) -> bool:
    """Whether anything has changed. Sent twice it changes nothing."""
    terms = terms_from(row.leaving)
    if policy == (terms.policy or RefundPolicy()):
        return False
    if seen and seen != mark_of_policy(terms):
        raise changed_since_seen()
    if not policy.is_empty:
        await require_feature_now(uow, ctx, Feature.AUTO_REFUND)
    wrong = await find_policy_errors(uow, terms, policy)
    if wrong:
        raise InvalidInput(_("Please look at the marked fields."), fields=wrong)
    row.leaving = terms.with_policy(None if policy.is_empty else policy).document()
    row.updated_at = uow.clock.now()
    return True


async def find_policy_errors(
    uow: UnitOfWork, terms: LeavingTerms, policy: RefundPolicy
) -> dict[str, str]:
    """All sentences by field, `policy.<kind>.<field>`; empty when the policy may be saved with
    these terms.
    """
    wrong = policy_errors(policy, has_quiet=terms.quiet_hours is not None)
    return wrong | await _unknown_packages(uow, policy)


async def _unknown_packages(uow: UnitOfWork, policy: RefundPolicy) -> dict[str, str]:
    known = await find_given_back(uow, policy.package_ids)
    wrong: dict[str, str] = {}
    for kind in BuyerKind:
        rule = policy.rule_for(kind)
        if rule is not None and rule.package_id and rule.package_id not in known:
            wrong[f"policy.{kind}.package_id"] = _("Please choose one of the given credits.")
    return wrong
