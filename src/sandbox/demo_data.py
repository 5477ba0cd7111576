"""Two lively businesses for the demo, made by the program's own commands and pages.

Loaded once: a database that has them already is left alone. Their money is real money at the
stand-in: cards are charged on its payment pages.
"""

import os
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
import msgspec
from sqlalchemy import select, update

from src.billing.commands.connect import connect_account, refresh_account
from src.billing.commands.coupons import create_coupon
from src.billing.domain.coupon_drafts import CouponDraft
from src.billing.settlement import check_payment
from src.booking.commands.book import BookCommand
from src.booking.commands.repeat import PublishRepeat, publish_repeat
from src.booking.commands.series import SeriesCommand, create_series, publish_series
from src.booking.commands.services import CreateService, create_service
from src.booking.domain.kinds import JoinPolicy, SalesMode, SeriesPriceType
from src.booking.domain.quotes import SubjectKind
from src.booking.domain.repeat import RepeatRule
from src.booking.place import place_booking
from src.platform.clock import SystemClock
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.passwords import hash_password
from src.platform.services import Services
from src.running import open_services, owners_work
from src.sandbox.demo_people import (
    GUESTS,
    KILN,
    LOTUS,
    PASSWORD,
    DemoBusiness,
    DemoService,
)
from src.tenants.cli import create_platform_admin
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.signup import NewBusiness, add_business
from src.tenants.context import GUEST, Actor, RequestContext
from src.tenants.domain.places import english_of
from src.tenants.domain.roles import Role
from src.tenants.models import Location, Member, Performer, Plan, PlanVersion, Tenant, User
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


class Loader:
    """Makes the demo, step by step, over the running program's services."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._uow = services.uow_factory

    async def is_empty(self) -> bool:
        async with self._uow(None) as uow:
            return await find_tenant_by_slug(uow, LOTUS.slug) is None

    async def load(self) -> None:
        for business in (LOTUS, KILN):
            ctx = await self._business(business)
            await self._connect(ctx)
            await self._offer(await self._fresh(ctx), business)
            await self._coupon(ctx)

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

    async def _offer(self, ctx: RequestContext, business: DemoBusiness) -> None:
        performers = await self._ids(ctx, Performer)
        locations = await self._ids(ctx, Location)
        for number, service in enumerate(business.services):
            async with self._uow(ctx.here.id) as uow:
                service_id = await create_service(
                    uow,
                    ctx,
                    CreateService(
                        name=service.name,
                        description=service.description,
                        sales_mode=service.sales_mode,
                        price_type=service.price_type,
                        price_minor=service.price_minor,
                        duration_minutes=service.minutes,
                        default_capacity=service.capacity,
                        max_party=4,
                    ),
                )
                published = await publish_repeat(
                    uow,
                    ctx,
                    PublishRepeat(
                        service_id=service_id,
                        rule=self._rule(ctx, service.weekdays, service.at, service.minutes),
                        capacity=service.capacity,
                        performer_id=performers[number % len(performers)],
                        location_id=locations[number % len(locations)],
                        title_pattern=service.title_pattern,
                    ),
                )
            series_id = None
            if service.sales_mode is not SalesMode.SINGLE:
                series_id = await self._bundle(ctx, service_id, published.session_ids, service)
            await self._guests(ctx, number, published.session_ids, series_id, service.sales_mode)

    async def _coupon(self, ctx: RequestContext) -> None:
        draft = CouponDraft(code="WELCOME", percent=10, amount_minor=None, max_uses=50)
        async with self._uow(ctx.here.id) as uow:
            await create_coupon(uow, ctx, new_id(), draft)

    async def _ids(
        self, ctx: RequestContext, model: type[Performer] | type[Location]
    ) -> Sequence[UUID]:
        async with self._uow(ctx.here.id) as uow:
            found = await uow.session.scalars(
                select(model.id).where(model.tenant_id == uow.tenant).order_by(model.id)
            )
            return found.all()

    def _rule(
        self, ctx: RequestContext, weekdays: frozenset[int], at: time, minutes: int
    ) -> RepeatRule:
        today: datetime = self._services.clock.now().astimezone(ctx.here.zone)
        start: date = today.date() + timedelta(days=2)
        return RepeatRule(
            weekdays=weekdays,
            start_on=start,
            start_time=at,
            duration_minutes=minutes,
            count=8 * len(weekdays),
            skip_holidays_of=ctx.here.country,
        )

    async def _bundle(
        self,
        ctx: RequestContext,
        service_id: UUID,
        session_ids: Sequence[UUID],
        service: DemoService,
    ) -> UUID:
        """The first eight dates as a course; later ones stay single."""
        async with self._uow(ctx.here.id) as uow:
            series_id = await create_series(
                uow,
                ctx,
                service_id,
                SeriesCommand(
                    title=service.series_title,
                    price_type=SeriesPriceType.ONLINE,
                    price_minor=service.series_minor,
                    join_policy=JoinPolicy.ANY_TIME,
                    drop_in_allowed=service.sales_mode is SalesMode.BOTH,
                    session_ids=tuple(session_ids[:8]),
                ),
            )
            await publish_series(uow, ctx, series_id)
        return series_id

    async def _guests(
        self,
        ctx: RequestContext,
        number: int,
        session_ids: Sequence[UUID],
        series_id: UUID | None,
        mode: SalesMode,
    ) -> None:
        """A handful of people who have booked already, one of them for the whole course."""
        guests = GUESTS[number * 2 : number * 2 + 5]
        for place, (name, email) in enumerate(guests):
            if series_id is not None and (place % 2 == 0 or mode is SalesMode.SERIES):
                await self._book(ctx, "series", series_id, name, email)
            else:
                await self._book(ctx, "session", session_ids[place % 3], name, email)

    async def _book(
        self, ctx: RequestContext, kind: SubjectKind, subject_id: UUID, name: str, email: str
    ) -> None:
        wish = BookCommand(
            kind=kind,
            subject_id=subject_id,
            party=(name,),
            guest_name=name,
            guest_email=email,
            form_token=str(new_id()),
            locale=ctx.here.locale,
        )
        guest = msgspec.structs.replace(ctx, actor=GUEST)
        path = f"/b/{ctx.here.slug}"
        placed = await place_booking(self._services, guest, wish, cancel_path=path)
        if placed.payment_url is not None:
            await self._pay(placed.payment_url, name, email)
            await check_payment(self._services, ctx.here.id, placed.order_id)

    async def _pay(self, payment_url: str, name: str, email: str) -> None:
        """A card that works, by the stand-in's own knob."""
        parts = urlsplit(payment_url)
        async with httpx.AsyncClient(base_url=f"{parts.scheme}://{parts.netloc}") as browser:
            paid = await browser.post(
                "/_emulator/pay",
                json={
                    "session": parts.path.rsplit("/", 1)[-1],
                    "card": "4242424242424242",
                    "name": name,
                    "email": email,
                },
            )
            paid.raise_for_status()
