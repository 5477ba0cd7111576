"""Who asked for which plan or bolt-on."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork
from src.tenants.models import BoltOn, Plan, PlanRequest, PlanVersion, Tenant, User
from src.tenants.views.admin import RequestRow

LONGEST_LIST = 100


def up_to(plan_id: UUID) -> Select[tuple[UUID]]:
    """The plan and those before it in the price list."""
    place = select(Plan.position).where(Plan.id == plan_id).scalar_subquery()
    return select(Plan.id).where((Plan.id == plan_id) | (Plan.position < place))


async def list_requests(uow: UnitOfWork, state: str) -> list[RequestRow]:
    """Requests in a state: open ones oldest first, for they wait; answered ones newest first."""
    statement = request_rows().where(PlanRequest.state == state)
    if state == "open":
        statement = statement.order_by(PlanRequest.created_at)
    else:
        statement = statement.order_by(PlanRequest.resolved_at.desc())
    rows = await uow.session.execute(statement.limit(LONGEST_LIST))
    return [request_row(row) for row in rows]


async def list_requests_of(uow: UnitOfWork, tenant_id: UUID) -> list[RequestRow]:
    """All of one tenant's requests, newest first."""
    rows = await uow.session.execute(
        request_rows()
        .where(PlanRequest.tenant_id == tenant_id)
        .order_by(PlanRequest.created_at.desc())
        .limit(LONGEST_LIST)
    )
    return [request_row(row) for row in rows]


async def find_request(uow: UnitOfWork, request_id: UUID) -> RequestRow | None:
    row = (await uow.session.execute(request_rows().where(PlanRequest.id == request_id))).first()
    return request_row(row) if row is not None else None


async def count_requests(uow: UnitOfWork) -> dict[str, int]:
    """How many there are in each state."""
    rows = await uow.session.execute(
        select(PlanRequest.state, func.count()).group_by(PlanRequest.state)
    )
    return {"open": 0, "done": 0, "declined": 0, **dict(rows.tuples().all())}


def open_requests(tenant_id: Any) -> ScalarSelect[Any]:
    """The plans that the tenant waits for an answer about, by key when each was asked for."""
    # As text, so that a plan made for all values knows the index of the open ones.
    return (
        select(func.jsonb_object_agg(Plan.key, PlanRequest.created_at, type_=JSONB))
        .join(PlanRequest, PlanRequest.plan_id == Plan.id)
        .where(PlanRequest.tenant_id == tenant_id, text("plan_requests.state = 'open'"))
        .scalar_subquery()
    )


def open_bolt_on_requests(tenant_id: Any) -> ScalarSelect[Any]:
    """The bolt-ons that the tenant waits for an answer about, by key when each was asked for."""
    return (
        select(func.jsonb_object_agg(BoltOn.key, PlanRequest.created_at, type_=JSONB))
        .join(PlanRequest, PlanRequest.bolt_on_id == BoltOn.id)
        .where(PlanRequest.tenant_id == tenant_id, text("plan_requests.state = 'open'"))
        .scalar_subquery()
    )


def request_rows() -> Select[Any]:
    wanted, current = aliased(Plan), aliased(Plan)
    asker, resolver = aliased(User), aliased(User)
    return (
        select(
            PlanRequest,
            Tenant.name.label("tenant_name"),
            Tenant.slug.label("tenant_slug"),
            func.coalesce(wanted.key, BoltOn.key).label("key"),
            func.coalesce(wanted.name, BoltOn.name).label("asks_for"),
            current.name.label("current_plan"),
            asker.name.label("asker_name"),
            asker.email.label("asker_email"),
            resolver.name.label("resolver_name"),
        )
        .join_from(PlanRequest, Tenant, Tenant.id == PlanRequest.tenant_id)
        .outerjoin(wanted, wanted.id == PlanRequest.plan_id)
        .outerjoin(BoltOn, BoltOn.id == PlanRequest.bolt_on_id)
        .join(PlanVersion, PlanVersion.id == Tenant.plan_version_id)
        .join(current, current.id == PlanVersion.plan_id)
        .join(asker, asker.id == PlanRequest.requested_by)
        .outerjoin(resolver, resolver.id == PlanRequest.resolved_by)
    )


def request_row(row: Row[Any]) -> RequestRow:
    request: PlanRequest = row.PlanRequest
    return RequestRow(
        id=request.id,
        tenant_id=request.tenant_id,
        tenant_name=row.tenant_name,
        tenant_slug=row.tenant_slug,
        key=row.key,
        asks_for=row.asks_for,
        is_bolt_on=request.bolt_on_id is not None,
        current_plan=row.current_plan,
        requested_by=f"{row.asker_name} ({row.asker_email})",
        wanted_for=request.wanted_for,
        state=request.state,
        created_at=request.created_at,
        resolved_at=request.resolved_at,
        resolved_by=row.resolver_name or "",
    )
