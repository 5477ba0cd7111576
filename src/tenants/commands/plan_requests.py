"""A business asks for a plan; an admin moves it there or declines."""

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.audit import audit
from src.tenants.commands.platform_audit import audit_platform
from src.tenants.context import RequestContext
from src.tenants.domain.plans import PlanVisibility
from src.tenants.models import Plan, PlanRequest, PlanVersion, Tenant
from src.tenants.plan_events import PlanRequestDeclined, PlanRequested
from src.tenants.queries.plan_requests import up_to


class RequestPlan(msgspec.Struct, frozen=True, kw_only=True):
    """`wanted_for` says what the business wanted to do when it asked, in its words or ours."""

    plan_key: str
    wanted_for: str = ""


async def request_plan(uow: UnitOfWork, ctx: RequestContext, cmd: RequestPlan) -> UUID:
    """Asks the platform for a public plan. Asking again while it is open asks nothing new.

    Returns the open request's id. Raises: NotFound, InvalidInput for the plan the tenant is on.
    """
    plan_id = await _asked_plan(uow, ctx, cmd.plan_key)
    now = uow.clock.now()
    statement = insert(PlanRequest).values(
        id=new_id(),
        tenant_id=ctx.here.id,
        plan_id=plan_id,
        requested_by=ctx.user_id,
        wanted_for=cmd.wanted_for,
        state="open",
        created_at=now,
    )
    made = await uow.session.execute(
        statement.on_conflict_do_nothing(
            index_elements=[PlanRequest.tenant_id, PlanRequest.plan_id],
            # As text: a plan that is made once for all values would not know the index by a value.
            index_where=text("state = 'open'"),
        ).returning(PlanRequest.id)
    )
    request_id = made.scalar_one_or_none()
    if request_id is None:
        return await _open_request(uow, ctx.here.id, plan_id)
    await audit(uow, ctx, "plan.requested", "plan_request", request_id, plan=cmd.plan_key)
    uow.record(PlanRequested(request_id=request_id))
    return request_id


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
    closed = await uow.session.execute(
        update(PlanRequest)
        .where(
            PlanRequest.tenant_id == tenant_id,
            PlanRequest.plan_id.in_(up_to(plan_id)),
            PlanRequest.state == "open",
        )
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


async def _open_request(uow: UnitOfWork, tenant_id: UUID, plan_id: UUID) -> UUID:
    found = await uow.session.scalar(
        select(PlanRequest.id).where(
            PlanRequest.tenant_id == tenant_id,
            PlanRequest.plan_id == plan_id,
            PlanRequest.state == "open",
        )
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
