"""Rows to begin a test with: functions with defaults that return what they saved.

The cast: olive (owner), mia (manager), ivan (instructor), carl (customer), eve (owner of another
business), ada (platform admin).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.booking.models import Series, Service, Session
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.context import Actor, RequestContext, TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.models import Member, Plan, PlanVersion, Tenant, TenantSlug, User
from src.tenants.queries.tenants import tenant_snapshot

PASSWORD = "correct horse battery staple"
# argon2id of PASSWORD with the cheapest parameters: hashing is tested where it is done.
PASSWORD_HASH = (
    "$argon2id$v=19$m=8,t=1,p=1$c2VhdGxpbmV0ZXN0cw$zGb1Yc0d0lUw7Yj9l0oqGdLx5m7Y0l0Q8h2sKXoQ0dE"
)


@dataclass(frozen=True)
class Business:
    """A tenant with its owner, as tests speak of it."""

    tenant: TenantSnapshot
    owner: User
    ctx: RequestContext

    @property
    def id(self) -> UUID:
        return self.tenant.id

    @property
    def slug(self) -> str:
        return self.tenant.slug


async def a_user(uow_factory: UowFactory, name: str = "Olive", **more: Any) -> User:
    async with uow_factory(None) as uow:
        user = User(
            **{
                "email": f"{name.lower()}@example.com",
                "name": name,
                "password_hash": PASSWORD_HASH,
                "email_confirmed_at": uow.clock.now(),
                "created_at": uow.clock.now(),
                **more,
            }
        )
        uow.session.add(user)
    return user


async def a_member(
    uow_factory: UowFactory, business: "Business", name: str, role: Role
) -> RequestContext:
    """A new user with that role in the business; returns the context of their requests."""
    user = await a_user(uow_factory, name)
    async with uow_factory(None) as uow:
        uow.session.add(
            Member(
                tenant_id=business.id,
                user_id=user.id,
                role=str(role),
                created_at=uow.clock.now(),
            )
        )
    actor = Actor(kind="user", user_id=user.id, name=user.name, role=role)
    return RequestContext(actor=actor, tenant=business.tenant, request_id="test")


async def a_business(
    uow_factory: UowFactory,
    slug: str = "lotus",
    *,
    plan: str = "scale",
    owner: str = "Olive",
    **more: Any,
) -> Business:
    """A confirmed business on a plan, ready to take payments, with its owner."""
    user = await a_user(uow_factory, owner, email=f"{owner.lower()}@{slug}.example")
    tenant_id = new_id()
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        uow.session.add(
            Tenant(
                **{
                    "id": tenant_id,
                    "slug": slug,
                    "name": slug.replace("-", " ").title(),
                    "timezone": "Europe/Amsterdam",
                    "currency": "EUR",
                    "country": "NL",
                    "plan_version_id": await plan_version_id(uow, plan),
                    "entitlements": {},
                    "payments_ready": True,
                    "created_at": now,
                    **more,
                }
            )
        )
        await uow.session.flush()
        uow.session.add(TenantSlug(slug=slug, tenant_id=tenant_id, created_at=now))
        uow.session.add(
            Member(tenant_id=tenant_id, user_id=user.id, role=str(Role.OWNER), created_at=now)
        )
        await uow.session.flush()
        await rebuild_entitlements(uow, tenant_id)
        tenant = await tenant_snapshot(uow, tenant_id, now)
    actor = Actor(kind="user", user_id=user.id, name=user.name, role=Role.OWNER)
    return Business(tenant, user, RequestContext(actor=actor, tenant=tenant, request_id="test"))


async def plan_version_id(uow: Any, key: str) -> UUID:
    """The newest version of a shipped plan."""
    found: UUID = await uow.session.scalar(
        select(PlanVersion.id)
        .join(Plan, Plan.id == PlanVersion.plan_id)
        .where(Plan.key == key)
        .order_by(PlanVersion.version.desc())
        .limit(1)
    )
    return found


async def a_service(uow_factory: UowFactory, tenant_id: UUID, **more: Any) -> Service:
    """A group service at EUR 15, sold singly and as series, paid online unless told otherwise."""
    async with uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        service = Service(
            **{
                "tenant_id": tenant_id,
                "kind": "group",
                "slug": "yoga",
                "name": "Yoga",
                "sales_mode": "both",
                "price_type": "online",
                "price_minor": 1500,
                "created_at": now,
                "updated_at": now,
                **more,
            }
        )
        uow.session.add(service)
    return service


async def a_session(
    uow_factory: UowFactory, service: Service, *, in_days: float = 7, **more: Any
) -> Session:
    """An hour at `in_days` from now with ten seats."""
    async with uow_factory(service.tenant_id) as uow:
        starts_at = more.pop("starts_at", None) or uow.clock.now() + timedelta(days=in_days)
        session = Session(
            **{
                "tenant_id": service.tenant_id,
                "service_id": service.id,
                "starts_at": starts_at,
                "ends_at": starts_at + timedelta(hours=1),
                "capacity": 10,
                "mode": "in_person",
                "created_at": uow.clock.now(),
                **more,
            }
        )
        uow.session.add(session)
    return session


@dataclass(frozen=True)
class Term:
    """A series with its sessions in order of time."""

    series: Series
    sessions: list[Session] = field(default_factory=list)


async def a_series(
    uow_factory: UowFactory,
    service: Service,
    *,
    sessions: int = 3,
    capacity: int = 10,
    first_in_days: float = 7,
    **more: Any,
) -> Term:
    """A published weekly series at EUR 60, paid online, open until its start."""
    async with uow_factory(service.tenant_id) as uow:
        now: datetime = uow.clock.now()
        series = Series(
            **{
                "tenant_id": service.tenant_id,
                "service_id": service.id,
                "title": "Spring term",
                "price_type": "online",
                "price_minor": 6000,
                "active": True,
                "base_sessions": sessions,
                "published_at": now,
                "created_at": now,
                "updated_at": now,
                **more,
            }
        )
        uow.session.add(series)
    runs = [
        await a_session(
            uow_factory,
            service,
            in_days=first_in_days + 7 * week,
            series_id=series.id,
            capacity=capacity,
        )
        for week in range(sessions)
    ]
    return Term(series, runs)


def as_guest(business: Business) -> RequestContext:
    """A stranger on the business's hub."""
    return msgspec.structs.replace(business.ctx, actor=Actor(kind="guest", name="guest"))
