"""The smallest tenant that plans and counters can be tried on."""

from datetime import datetime, timedelta
from uuid import UUID

from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.ids import new_id
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.context import TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.models import Member, Tenant, TenantSlug, User
from src.tenants.queries.plans import find_plan
from src.tenants.queries.tenants import tenant_snapshot

TRIAL = timedelta(days=14)


async def add_business(
    uow_factory: UowFactory,
    slug: str = "yoga-loft",
    *,
    plan: str = "free",
    trial: str | None = None,
    trial_ends_at: datetime | None = None,
    timezone: str = "Europe/Amsterdam",
) -> TenantSnapshot:
    """A business on a shipped plan, without members."""
    tenant_id = new_id()
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        tenant = Tenant(
            id=tenant_id,
            slug=slug,
            name=slug.replace("-", " ").title(),
            timezone=timezone,
            currency="EUR",
            plan_version_id=await _version_id(uow, plan),
            trial_version_id=await _version_id(uow, trial) if trial else None,
            trial_ends_at=(trial_ends_at or now + TRIAL) if trial else None,
            entitlements={},
            created_at=now,
        )
        uow.session.add(tenant)
        await uow.session.flush()
        uow.session.add(TenantSlug(slug=slug, tenant_id=tenant_id, created_at=now))
        await rebuild_entitlements(uow, tenant_id)
        return await tenant_snapshot(uow, tenant_id, now)


async def add_user(
    uow_factory: UowFactory, email: str, *, name: str = "", is_platform_admin: bool = False
) -> UUID:
    user_id = new_id()
    async with uow_factory(None) as uow:
        now = uow.clock.now()
        uow.session.add(
            User(
                id=user_id,
                email=email,
                name=name or email.partition("@")[0].title(),
                password_hash="unusable",
                email_confirmed_at=now,
                is_platform_admin=is_platform_admin,
                created_at=now,
            )
        )
    return user_id


async def add_member(
    uow_factory: UowFactory, tenant_id: UUID, email: str, role: Role = Role.OWNER
) -> UUID:
    """A new user who belongs to the business."""
    user_id = await add_user(uow_factory, email)
    async with uow_factory(tenant_id) as uow:
        member = Member(
            tenant_id=tenant_id, user_id=user_id, role=role.value, created_at=uow.clock.now()
        )
        uow.session.add(member)
    return user_id


async def again(uow_factory: UowFactory, tenant: TenantSnapshot) -> TenantSnapshot:
    """The tenant as it stands now."""
    async with uow_factory(tenant.id) as uow:
        return await tenant_snapshot(uow, tenant.id, uow.clock.now())


async def _version_id(uow: UnitOfWork, key: str) -> UUID:
    plan = await find_plan(uow, key)
    assert plan is not None, key
    return plan.version_id
