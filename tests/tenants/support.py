"""Users and businesses for the tests of this package, written straight into the tables."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from src.platform.db.uow import UnitOfWork, UowFactory
from src.platform.ids import new_id
from src.tenants.context import Actor, RequestContext
from src.tenants.domain.roles import Role
from src.tenants.models import Member, Plan, PlanVersion, Tenant, TenantSlug, User
from src.tenants.queries.tenants import tenant_snapshot

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class SomeUser:
    id: UUID
    email: str
    name: str


@dataclass(frozen=True)
class SomeTenant:
    id: UUID
    slug: str


async def add_user(factory: UowFactory, name: str, **more: Any) -> SomeUser:
    """A confirmed user, `olive@example.com` for "Olive"; the password is nobody's by default."""
    user_id, email = new_id(), f"{name.lower()}@example.com"
    async with factory(None) as uow:
        now = uow.clock.now()
        values: dict[str, Any] = {
            "id": user_id,
            "email": email,
            "name": name,
            "password_hash": "none",
            "email_confirmed_at": now,
            "created_at": now,
        }
        await uow.session.execute(insert(User).values(**{**values, **more}))
    return SomeUser(user_id, email, name)


async def add_tenant(
    factory: UowFactory, slug: str, *members: tuple[SomeUser, Role], **more: Any
) -> SomeTenant:
    """A tenant on a plan named "plan", with members."""
    tenant_id = new_id()
    async with factory(None) as uow:
        now = uow.clock.now()
        version_id = await _plan_version(uow)
        facts = {"version_id": str(version_id), "key": "plan", "name": "Plan"}
        values: dict[str, Any] = {
            "id": tenant_id,
            "slug": slug,
            "name": slug.replace("-", " ").title(),
            "timezone": "Europe/London",
            "currency": "GBP",
            "plan_version_id": version_id,
            "entitlements": {"plan": {**facts, "features": [], "limits": {}}},
            "created_at": now,
        }
        await uow.session.execute(insert(Tenant).values(**{**values, **more}))
        await add_slug(uow, slug, tenant_id)
        for user, role in members:
            await uow.session.execute(
                insert(Member).values(
                    id=new_id(), tenant_id=tenant_id, user_id=user.id, role=role, created_at=now
                )
            )
    return SomeTenant(tenant_id, slug)


async def add_slug(uow: UnitOfWork, slug: str, tenant_id: UUID) -> None:
    await uow.session.execute(
        insert(TenantSlug).values(slug=slug, tenant_id=tenant_id, created_at=uow.clock.now())
    )


async def _plan_version(uow: UnitOfWork) -> UUID:
    found = await uow.session.scalar(
        select(PlanVersion.id).join(Plan, Plan.id == PlanVersion.plan_id).where(Plan.key == "plan")
    )
    if found is not None:
        return found
    plan_id, version_id, now = new_id(), new_id(), uow.clock.now()
    await uow.session.execute(
        insert(Plan).values(id=plan_id, key="plan", name="Plan", created_at=now)
    )
    await uow.session.execute(
        insert(PlanVersion).values(
            id=version_id,
            plan_id=plan_id,
            version=1,
            monthly_minor=0,
            yearly_minor=0,
            currency="GBP",
            features=[],
            limits={},
            created_at=now,
        )
    )
    return version_id


async def context_for(
    factory: UowFactory, tenant: SomeTenant, user: SomeUser, role: Role = Role.OWNER
) -> RequestContext:
    """The context of a request of this member in this tenant."""
    async with factory(tenant.id) as uow:
        snapshot = await tenant_snapshot(uow, tenant.id, uow.clock.now())
    actor = Actor(kind="user", user_id=user.id, name=user.name, role=role)
    return RequestContext(actor=actor, tenant=snapshot)
