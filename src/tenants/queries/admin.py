"""Businesses as the platform's admins see them: the desk and the list.

Everything but the month's usage is in directories. Usage is a tenant's own and is read tenant by
tenant, for the rows of one page only.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import ColumnElement, Label, Row, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.localtime import local_day_bounds, to_local
from src.tenants.domain.entitlements import Limit, read_sources, resolve_entitlements
from src.tenants.domain.roles import Role, TenantStatus
from src.tenants.models import Member, Plan, PlanRequest, PlanVersion, Tenant, User
from src.tenants.queries.consequences import month_usage
from src.tenants.views.admin import DeskView, PlanShare, TenantFilter, TenantList, TenantRow

PAGE_ROWS = 25
NEWEST_ROWS = 5
ENDING_SOON = timedelta(days=7)
UTC_ZONE = ZoneInfo("UTC")


async def get_desk(uow_factory: UowFactory, now: datetime) -> DeskView:
    """The figures of the first page and the newest businesses."""
    async with uow_factory(None) as uow:
        counts = await _counts(uow, now)
        requests = (
            await uow.session.execute(
                select(func.count(), func.min(PlanRequest.created_at)).where(
                    PlanRequest.state == "open"
                )
            )
        ).one()
        plans = await _shares(uow)
        newest = await uow.session.execute(
            _rows().order_by(Tenant.created_at.desc()).limit(NEWEST_ROWS)
        )
        rows = [tenant_row(row, now) for row in newest]
    return DeskView(
        businesses=counts.businesses,
        new_this_month=counts.new_this_month,
        on_trial=counts.on_trial,
        trials_ending_soon=counts.trials_ending_soon,
        suspended=counts.suspended,
        open_requests=requests[0],
        oldest_request_at=requests[1],
        plans=plans,
        newest=await with_usage(uow_factory, rows, now),
    )


async def list_tenants(uow_factory: UowFactory, wanted: TenantFilter, now: datetime) -> TenantList:
    """One page of the businesses that fit, newest first."""
    page = max(1, wanted.page)
    async with uow_factory(None) as uow:
        fitting = _narrowed(_rows(), wanted)
        total = await uow.session.scalar(
            select(func.count()).select_from(fitting.order_by(None).subquery())
        )
        found = await uow.session.execute(
            fitting.order_by(Tenant.created_at.desc(), Tenant.id)
            .limit(PAGE_ROWS)
            .offset((page - 1) * PAGE_ROWS)
        )
        rows = [tenant_row(row, now) for row in found]
    first = (page - 1) * PAGE_ROWS + 1
    return TenantList(
        rows=await with_usage(uow_factory, rows, now),
        total=total or 0,
        first=first,
        has_more=first - 1 + len(rows) < (total or 0),
    )


async def find_tenant_row(uow: UnitOfWork, tenant_id: UUID, now: datetime) -> TenantRow | None:
    """The business as a row of the list, without its usage."""
    row = (await uow.session.execute(_rows().where(Tenant.id == tenant_id))).first()
    return tenant_row(row, now) if row is not None else None


async def with_usage(
    uow_factory: UowFactory, rows: Iterable[TenantRow], now: datetime
) -> tuple[TenantRow, ...]:
    """The rows with this month's bookings, each read in a transaction of its own tenant."""
    filled = []
    for row in rows:
        async with uow_factory(row.id) as uow:
            taken = await month_usage(uow, row.id, row.timezone, now)
        filled.append(msgspec.structs.replace(row, taken=taken))
    return tuple(filled)


def tenant_row(row: Row[Any], now: datetime) -> TenantRow:
    """The view of a row of `_rows`; a trial that is over is not shown."""
    entitlements = resolve_entitlements(read_sources(row.entitlements), now)
    on_trial = entitlements.trial_ends_at is not None
    return TenantRow(
        id=row.id,
        slug=row.slug,
        name=row.name,
        status=TenantStatus(row.status),
        plan_name=row.plan_name,
        version=row.version,
        trial_plan=entitlements.plan_name if on_trial else None,
        trial_ends_at=entitlements.trial_ends_at,
        created_at=row.created_at,
        owner_email=row.owner_email or "",
        limit=entitlements.limit(Limit.BOOKINGS_PER_MONTH),
        timezone=row.timezone,
    )


def _rows() -> Select[Any]:
    return (
        select(
            Tenant.id,
            Tenant.slug,
            Tenant.name,
            Tenant.status,
            Tenant.timezone,
            Tenant.entitlements,
            Tenant.created_at,
            Plan.name.label("plan_name"),
            PlanVersion.version,
            _owner_email(),
        )
        .join_from(Tenant, PlanVersion, PlanVersion.id == Tenant.plan_version_id)
        .join(Plan, Plan.id == PlanVersion.plan_id)
    )


def _owner_email() -> Label[str]:
    """The owner who joined first."""
    return (
        select(User.email)
        .join_from(Member, User, User.id == Member.user_id)
        .where(Member.tenant_id == Tenant.id, Member.role == Role.OWNER.value)
        .order_by(Member.created_at, Member.id)
        .limit(1)
        .correlate(Tenant)
        .scalar_subquery()
        .label("owner_email")
    )


def _narrowed(statement: Select[Any], wanted: TenantFilter) -> Select[Any]:
    if wanted.plan:
        statement = statement.where(Plan.key == wanted.plan)
    if wanted.status:
        statement = statement.where(Tenant.status == wanted.status)
    if wanted.text.strip():
        statement = statement.where(_mentions(wanted.text.strip()))
    return statement


def _mentions(text: str) -> ColumnElement[bool]:
    """Name, slug, or a member's address; every business of a member is found."""
    user, member = aliased(User), aliased(Member)
    of_member = (
        exists()
        .where(member.tenant_id == Tenant.id)
        .where(user.id == member.user_id)
        .where(user.email.icontains(text, autoescape=True))
    )
    return or_(
        Tenant.name.icontains(text, autoescape=True),
        Tenant.slug.icontains(text, autoescape=True),
        of_member,
    )


async def _counts(uow: UnitOfWork, now: datetime) -> Row[Any]:
    """In one pass; a trial counts to its last second."""
    month_began = local_day_bounds(to_local(now, UTC_ZONE).date().replace(day=1), UTC_ZONE)[0]
    tries = and_(Tenant.trial_version_id.is_not(None), Tenant.trial_ends_at >= now)
    ends_soon = and_(tries, Tenant.trial_ends_at <= now + ENDING_SOON)
    is_open = Tenant.status != TenantStatus.CLOSED.value
    counted = select(
        func.count().filter(is_open).label("businesses"),
        func.count().filter(Tenant.created_at >= month_began).label("new_this_month"),
        func.count().filter(tries).label("on_trial"),
        func.count().filter(ends_soon).label("trials_ending_soon"),
        func.count().filter(Tenant.status == TenantStatus.SUSPENDED.value).label("suspended"),
    ).select_from(Tenant)
    return (await uow.session.execute(counted)).one()


async def _shares(uow: UnitOfWork) -> tuple[PlanShare, ...]:
    rows = await uow.session.execute(
        select(Plan.key, Plan.name, func.count(Tenant.id).label("tenants"))
        .join_from(Plan, PlanVersion, PlanVersion.plan_id == Plan.id)
        .outerjoin(Tenant, Tenant.plan_version_id == PlanVersion.id)
        .group_by(Plan.id)
        .order_by(Plan.position, Plan.key)
    )
    return tuple(PlanShare(key=row.key, name=row.name, tenants=row.tenants) for row in rows)
