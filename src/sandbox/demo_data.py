"""Two lively businesses for the demo, made by the program's own commands and pages.

Loaded once: a database that has them already is left alone. Their money is real money at the
stand-in: cards are charged on its payment pages.
"""

import os
from pathlib import Path

import httpx
import msgspec
from sqlalchemy import func, select, update

from src.billing.commands.connect import connect_account, refresh_account
from src.billing.models import Order
from src.platform.clock import SystemClock
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.passwords import hash_password
from src.platform.services import Services
from src.running import open_services, owners_work
from src.sandbox.demo_people import (
    KILN,
    LOTUS,
    PASSWORD,
    DemoBusiness,
)
from src.sandbox.demo_shop import Shop
from src.sandbox.demo_story import kiln_people, lotus_people
from src.sandbox.demo_times import earlier
from src.tenants.cli import create_platform_admin
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.signup import NewBusiness, add_business
from src.tenants.context import Actor, RequestContext
from src.tenants.domain.places import english_of
from src.tenants.domain.roles import Role
from src.tenants.models import (
    Customer,
    Location,
    Member,
    Performer,
    Plan,
    PlanVersion,
    Tenant,
    TenantBoltOn,
    User,
)
from src.tenants.queries.bolt_ons import find_bolt_on
from src.tenants.queries.tenants import find_tenant_by_slug
from src.wiring import wire

ADMIN = "ada@seatline.example"
LOCALE = "en-GB"


async def load_demo_data(settings: Settings) -> None:
    """Fills an empty database and writes who may sign in to `sign-ins.json` in the data folder."""
    wire()
    running = open_services(settings)
    try:
        loader = Loader(running.services)
        if await loader.is_empty():
            await loader.load()
            await _add_admin(settings)
    finally:
        await running.close()
    _write_sign_ins(settings)


async def _add_admin(settings: Settings) -> None:
    async with owners_work(settings) as uow_factory:
        now = SystemClock().now()
        await create_platform_admin(uow_factory, ADMIN, "Ada Admin", PASSWORD, now)


def _write_sign_ins(settings: Settings) -> None:
    folder = os.environ.get("SEATLINE_DATA_DIR")
    if folder is None:
        return
    people = [
        (f"Owner of {LOTUS.name}", LOTUS.owner_email, f"/app/{LOTUS.slug}"),
        (f"Instructor at {LOTUS.name}", "ivan@lotus.example", f"/app/{LOTUS.slug}"),
        (f"Owner of {KILN.name}", KILN.owner_email, f"/app/{KILN.slug}"),
        ("Platform admin", ADMIN, "/admin"),
    ]
    rows = [
        {"who": who, "where": settings.base_url + path, "email": email, "password": PASSWORD}
        for who, email, path in people
    ]
    Path(folder, "sign-ins.json").write_bytes(msgspec.json.encode(rows))


AGE_DAYS = 40


class Loader:
    """Makes the demo, step by step, over the running program's services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._uow = earlier(services, AGE_DAYS).uow_factory

    async def is_empty(self) -> bool:
        async with self._uow(None) as uow:
            return await find_tenant_by_slug(uow, LOTUS.slug) is None

    async def load(self) -> None:
        for business, people in ((LOTUS, lotus_people), (KILN, kiln_people)):
            ctx = await self._business(business)
            await self._connect(ctx)
            shop = Shop(self._services, await self._fresh(ctx))
            await people(await shop.open(business))
            await self._first_seen_as_they_bought(ctx)

    async def _first_seen_as_they_bought(self, ctx: RequestContext) -> None:
        """The story is not told in the order of its days."""
        of_theirs = (Order.tenant_id == Customer.tenant_id, Order.customer_id == Customer.id)
        first_at = select(func.min(Order.created_at)).where(*of_theirs).scalar_subquery()
        async with self._services.uow_factory(ctx.here.id) as uow:
            await uow.session.execute(
                update(Customer)
                .where(Customer.tenant_id == uow.tenant, first_at < Customer.created_at)
                .values(created_at=first_at)
                .execution_options(synchronize_session=False)
            )

    async def _business(self, business: DemoBusiness) -> RequestContext:
        hashed = await hash_password(PASSWORD)
        async with self._uow(None) as uow:
            owner = await self._user(uow, business.owner_name, business.owner_email, hashed)
            new = NewBusiness(
                name=business.name,
                slug=business.slug,
                timezone=business.timezone,
                currency=business.currency,
                country=business.country,
                locale=english_of(business.country),
            )
            await add_business(uow, owner.id, new)
            await self._dress(uow, business)
            await self._staff(uow, business, hashed)
        return await self._context(business.slug, owner)

    async def _user(self, uow: UnitOfWork, name: str, email: str, hashed: str) -> User:
        now = uow.clock.now()
        user = User(
            id=new_id(),
            email=email,
            name=name,
            password_hash=hashed,
            locale=LOCALE,
            email_confirmed_at=now,
            created_at=now,
        )
        uow.session.add(user)
        await uow.session.flush()
        return user

    async def _dress(self, uow: UnitOfWork, business: DemoBusiness) -> None:
        """On its plan rather than a trial that runs out, with a face of its own."""
        version = await uow.session.scalar(
            select(PlanVersion.id)
            .join(Plan, Plan.id == PlanVersion.plan_id)
            .where(Plan.key == business.plan)
            .order_by(PlanVersion.version.desc())
            .limit(1)
        )
        await uow.session.execute(
            update(Tenant)
            .where(Tenant.id == uow.tenant)
            .values(
                plan_version_id=version,
                trial_version_id=None,
                trial_ends_at=None,
                brand_color=business.color,
                about=business.about,
                contact_email=business.owner_email,
                contact_phone=business.phone,
                booking_terms=business.terms,
            )
        )
        for key in business.bolt_ons:
            bolt_on = await find_bolt_on(uow, key)
            assert bolt_on is not None, key
            uow.session.add(
                TenantBoltOn(
                    tenant_id=uow.tenant,
                    id=new_id(),
                    bolt_on_id=bolt_on.bolt_on_id,
                    version_id=bolt_on.version_id,
                    since=uow.clock.now(),
                )
            )
        await uow.session.flush()
        await rebuild_entitlements(uow, uow.tenant)

    async def _staff(self, uow: UnitOfWork, business: DemoBusiness, hashed: str) -> None:
        now = uow.clock.now()
        for name, email in business.performers:
            user_id = None
            if email:
                user = await self._user(uow, name, email, hashed)
                user_id = user.id
                uow.session.add(
                    Member(
                        id=new_id(),
                        tenant_id=uow.tenant,
                        user_id=user.id,
                        role=str(Role.INSTRUCTOR),
                        created_at=now,
                    )
                )
            uow.session.add(
                Performer(
                    tenant_id=uow.tenant, id=new_id(), name=name, user_id=user_id, created_at=now
                )
            )
        for name, address, capacity in business.locations:
            uow.session.add(
                Location(
                    tenant_id=uow.tenant,
                    id=new_id(),
                    name=name,
                    address=address,
                    room_capacity=capacity,
                    created_at=now,
                )
            )

    async def _context(self, slug: str, owner: User) -> RequestContext:
        async with self._uow(None) as uow:
            tenant = await find_tenant_by_slug(uow, slug)
        actor = Actor(kind="user", user_id=owner.id, name=owner.name, role=Role.OWNER)
        return RequestContext(actor=actor, tenant=tenant, request_id="demo")

    async def _fresh(self, ctx: RequestContext) -> RequestContext:
        async with self._uow(None) as uow:
            tenant = await find_tenant_by_slug(uow, ctx.here.slug)
        return msgspec.structs.replace(ctx, tenant=tenant)

    async def _connect(self, ctx: RequestContext) -> None:
        """The owner's visit to the onboarding page."""
        back = f"{self._services.settings.base_url}/app/{ctx.here.slug}/payments"
        link = await connect_account(self._services, ctx, refresh_url=back, return_url=back)
        async with httpx.AsyncClient() as browser:
            answer = await browser.post(link, data={"decision": "finish"})
            answer.read()
        await refresh_account(self._services, ctx.here.id)
