"""A business asks for a plan or a bolt-on; an admin gives it or declines."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select, text, update
from sqlalchemy.dialects.postgresql import insert

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.entitlements import load_sources
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.bolt_ons import adds_nothing
from src.tenants.domain.plans import PlanVisibility
from src.tenants.models import Plan, PlanRequest, PlanVersion, Tenant
from src.tenants.plan_events import PlanRequestDeclined, PlanRequested
from src.tenants.queries.bolt_ons import find_bolt_on
from src.tenants.queries.plan_requests import up_to


class RequestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted_for` says what the business wanted to do when it asked, in its words or ours."""

    plan_key: str
    wanted_for: str = ""


class RequestBoltOn(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted_for` as of a plan."""

    key: str
    wanted_for: str = ""


async def request_plan(uow: UnitOfWork, ctx: RequestContext, cmd: RequestPlan) -> UUID:
    """Asks the platform for a public plan. Asking again while it is open asks nothing new.

    Returns the open request's id. Raises: NotFound, InvalidInput for the plan the tenant is on.
    """
    plan_id = await _asked_plan(uow, ctx, cmd.plan_key)
    request_id, is_new = await _ask(uow, ctx, {"plan_id": plan_id}, cmd.wanted_for)
    if is_new:
        await audit(uow, ctx, "plan.requested", "plan_request", request_id, plan=cmd.plan_key)
    return request_id


async def request_bolt_on(uow: UnitOfWork, ctx: RequestContext, cmd: RequestBoltOn) -> UUID:
    """Asks the platform for a bolt-on that is on offer. Asking again while it is open asks nothing
    new.

    Returns the open request's id. Raises: NotFound; InvalidInput for one that the tenant has, or
    whose things are all part of its plan.
    """
    bolt_on = await find_bolt_on(uow, cmd.key)
    if bolt_on is None or not bolt_on.is_on_offer:
        raise NotFound(_("There is no such bolt-on."))
    sources = await load_sources(uow, ctx.here.id)
    if any(held.key == cmd.key for held in sources.bolt_ons):
        raise InvalidInput(_("You have this bolt-on already."))
    if adds_nothing(bolt_on.features, bolt_on.increments, sources.plan):
        raise InvalidInput(_("All of this is part of your plan already."))
    wanted = {"bolt_on_id": bolt_on.bolt_on_id}
    request_id, is_new = await _ask(uow, ctx, wanted, cmd.wanted_for)
    if is_new:
        await audit(
            uow,
            ctx,
            "plan.bolt_on_requested",
            "plan_request",
            request_id,
            bolt_on=cmd.key,
            name=bolt_on.name,
        )
    return request_id


async def _ask(
    uow: UnitOfWork, ctx: RequestContext, wanted: dict[str, UUID], wanted_for: str
) -> tuple[UUID, bool]:
    """The open request for `wanted`, a column with its value, and whether it is a new one."""
    (column,) = wanted
    made = await uow.session.execute(
        insert(PlanRequest)
        .values(
            id=new_id(),
            tenant_id=ctx.here.id,
            requested_by=ctx.user_id,
            wanted_for=wanted_for,
            state="open",
            created_at=uow.clock.now(),
            **wanted,
        )
        .on_conflict_do_nothing(
            index_elements=["tenant_id", column],
            # As text: a plan that is made once for all values would not know the index by a value.
            index_where=text("state = 'open'"),
        )
        .returning(PlanRequest.id)
    )
    request_id = made.scalar_one_or_none()
    if request_id is None:
        return await _open_request(uow, ctx.here.id, wanted), False
    uow.record(PlanRequested(request_id=request_id))
    return request_id, True


async def decline_request(
    uow: UnitOfWork, ctx: RequestContext, request_id: UUID, answer: str
) -> None:
    """Closes the request without a move and tells the business, with the admin's words.

    In the tenant's own transaction. Raises: NotFound, Conflict when it is closed already.
    """
    closed = await uow.session.execute(
        update(PlanRequest)
        .where(
            PlanRequest.id == request_id,
            PlanRequest.tenant_id == uow.tenant,
            PlanRequest.state == "open",
        )
        .values(state="declined", resolved_at=uow.clock.now(), resolved_by=ctx.user_id)
        .returning(PlanRequest.id)
    )
    if closed.first() is None:
        await _explain(uow, request_id)
    audit_platform(uow, ctx, "request.declined", f"tenant:{uow.tenant}", answer=answer)
    await audit(uow, ctx, "plan.request_declined", "plan_request", request_id, answer=answer)
    uow.record(PlanRequestDeclined(request_id=request_id, answer=answer))


async def close_requests_for(
    uow: UnitOfWork, ctx: RequestContext, tenant_id: UUID, plan_id: UUID, now: datetime
) -> int:
    """Marks the tenant's open requests for the plan as done; how many there were.

    So are those for a smaller plan, which the move has overtaken: answered later they would take
    away what was just given.
    """
    return await _close(uow, ctx, tenant_id, PlanRequest.plan_id.in_(up_to(plan_id)), now)


async def close_bolt_on_requests(uow: UnitOfWork, ctx: RequestContext, bolt_on_id: UUID) -> int:
    """Marks the open request of the transaction's tenant for the bolt-on as done; how many."""
    wanted = PlanRequest.bolt_on_id == bolt_on_id
    return await _close(uow, ctx, uow.tenant, wanted, uow.clock.now())


async def _close(
    uow: UnitOfWork,
    ctx: RequestContext,
    tenant_id: UUID,
    wanted: ColumnElement[bool],
    now: datetime,
) -> int:
    closed = await uow.session.execute(
        update(PlanRequest)
        .where(PlanRequest.tenant_id == tenant_id, wanted, PlanRequest.state == "open")
        .values(state="done", resolved_at=now, resolved_by=ctx.actor.user_id)
        .returning(PlanRequest.id)
    )
    return len(closed.all())


async def _asked_plan(uow: UnitOfWork, ctx: RequestContext, key: str) -> UUID:
    plan_id = await uow.session.scalar(
        select(Plan.id).where(Plan.key == key, Plan.visibility == PlanVisibility.PUBLIC.value)
    )
    if plan_id is None:
        raise NotFound(_("There is no such plan."))
    current = await uow.session.scalar(
        select(PlanVersion.plan_id)
        .join(Tenant, Tenant.plan_version_id == PlanVersion.id)
        .where(Tenant.id == ctx.here.id)
    )
    if current == plan_id:
        raise InvalidInput(_("You are on this plan already."))
    return plan_id


async def _open_request(uow: UnitOfWork, tenant_id: UUID, wanted: dict[str, UUID]) -> UUID:
    found = await uow.session.scalar(
        select(PlanRequest.id)
        .filter_by(tenant_id=tenant_id, **wanted)
        .where(PlanRequest.state == "open")
    )
    if found is None:
        raise Conflict(_("Your request has just been answered. Please look again."))
    return found


async def _explain(uow: UnitOfWork, request_id: UUID) -> None:
    """Raises: what kept the request from being closed."""
    state = await uow.session.scalar(
        select(PlanRequest.state).where(
            PlanRequest.id == request_id, PlanRequest.tenant_id == uow.tenant
        )
    )
    if state is None:
        raise NotFound(_("There is no such request."))
    raise Conflict(_("This request has been answered already."))
