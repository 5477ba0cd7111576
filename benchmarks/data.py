"""What the measured businesses sell: made by commands where there is one business, by COPY where
there are thousands of rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from sqlalchemy import select, update

from src.billing.commands.connect import connect_account, refresh_account
from src.booking.commands.series import SeriesCommand, create_series, publish_series
from src.booking.commands.services import CreateService, create_service
from src.booking.domain.kinds import JoinPolicy, SalesMode, SeriesPriceType
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.api_keys import create_api_key
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.signup import NewBusiness, add_business
from src.tenants.context import Actor, RequestContext
from src.tenants.domain.roles import Role
from src.tenants.models import Plan, PlanVersion, Tenant, User
from src.tenants.queries.tenants import find_tenant_by_slug

PLAN = "scale"
AN_HOUR = timedelta(hours=1)

Record = tuple[Any, ...]


@dataclass
class Business:
    """A tenant with its keys, and its sessions by service."""

    ctx: RequestContext
    keys: list[str] = field(default_factory=list)
    services: list[UUID] = field(default_factory=list)
    sessions: list[UUID] = field(default_factory=list)

    @property
    def id(self) -> UUID:
        return self.ctx.here.id

    @property
    def slug(self) -> str:
        return self.ctx.here.slug


class Filler:
    """Makes businesses over the program's own services and a plain connection for the masses."""

    def __init__(self, services: Services, connection: asyncpg.Connection) -> None:
        self.services = services
        self._uow = services.uow_factory
        self._connection = connection

    async def business(self, slug: str, *, keys: int = 1) -> Business:
        """On the plan without limits, so that nothing but the counter is in the way."""
        owner = User(
            id=new_id(),
            email=f"owner@{slug}.example",
            name="Owner",
            password_hash="-",
            email_confirmed_at=datetime.now(UTC),
            created_at=datetime.now(UTC),
        )
        new = NewBusiness(
            name=slug.title(),
            slug=slug,
            timezone="Europe/Amsterdam",
            currency="EUR",
            country="NL",
        )
        async with self._uow(None) as uow:
            uow.session.add(owner)
            await uow.session.flush()
            await add_business(uow, owner.id, new)
            version = await uow.session.scalar(
                select(PlanVersion.id)
                .join(Plan, Plan.id == PlanVersion.plan_id)
                .where(Plan.key == PLAN)
                .order_by(PlanVersion.version.desc())
                .limit(1)
            )
            await uow.session.execute(
                update(Tenant)
                .where(Tenant.id == uow.tenant)
                .values(plan_version_id=version, trial_version_id=None, trial_ends_at=None)
            )
            await rebuild_entitlements(uow, uow.tenant)
        business = Business(await self._context(slug, owner))
        business.keys = await self._keys(business.ctx, keys)
        return business

    async def _context(self, slug: str, owner: User) -> RequestContext:
        async with self._uow(None) as uow:
            tenant = await find_tenant_by_slug(uow, slug)
        actor = Actor(kind="user", user_id=owner.id, name=owner.name, role=Role.OWNER)
        return RequestContext(actor=actor, tenant=tenant, request_id="bench")

    async def _keys(self, ctx: RequestContext, count: int) -> list[str]:
        """Several, since each may call so many times a minute only."""
        async with self._uow(ctx.here.id) as uow:
            return [
                (await create_api_key(uow, ctx, f"bench {number}")).plain for number in range(count)
            ]

    async def service(
        self,
        business: Business,
        name: str,
        *,
        price_minor: int = 0,
        sales_mode: SalesMode = SalesMode.SINGLE,
    ) -> UUID:
        command = CreateService(
            name=name,
            description=f"{name} for everyone, at every level, in small groups.",
            sales_mode=sales_mode,
            price_type=SeriesPriceType.ONLINE if price_minor else SeriesPriceType.FREE,
            price_minor=price_minor,
            duration_minutes=60,
            default_capacity=20,
        )
        async with self._uow(business.id) as uow:
            service_id = await create_service(uow, business.ctx, command)
        business.services.append(service_id)
        return service_id

    async def sessions(
        self,
        business: Business,
        service_id: UUID,
        count: int,
        *,
        capacity: int,
        days: float,
        ids: list[UUID] | None = None,
        offset_days: int = 0,
    ) -> list[UUID]:
        """So many sessions, evenly over so many days from the first of next month on, so that a
        page with a month of them is as long at the end of a month as at its beginning.
        `offset_days` shifts them all.
        """
        now = datetime.now(UTC)
        first_at = (now.replace(day=1) + timedelta(days=32)).replace(day=2)
        first_at += timedelta(days=offset_days)
        starts = [first_at + timedelta(days=days) / count * number for number in range(count)]
        ids = ids or [new_id() for _start in starts]
        rows: list[Record] = [
            (
                *(business.id, session_id, service_id, "", at, at + AN_HOUR, capacity, 0),
                *("in_person", "", "scheduled", 0, True, now),
            )
            for session_id, at in zip(ids, starts, strict=True)
        ]
        await self.copy(
            "sessions",
            "tenant_id id service_id title starts_at ends_at capacity seats_taken"
            " mode meeting_url state sequence in_term created_at",
            rows,
        )
        business.sessions += ids
        return ids

    async def live_offers(self, business: Business, sessions: Sequence[UUID]) -> None:
        """Somebody waits for each of the sessions and has been offered a place."""
        now, entry_ids = datetime.now(UTC), [new_id() for _session in sessions]
        await self.copy(
            "waitlist_entries",
            "tenant_id id session_id address name locale party_size state joined_at queued_at"
            " ended_by",
            [
                (
                    *(business.id, entry_id, session_id, f"{entry_id}@example.com", "Ann", "en"),
                    *(1, "offered", now, now, ""),
                )
                for entry_id, session_id in zip(entry_ids, sessions, strict=True)
            ],
        )
        await self.copy(
            "waitlist_offers",
            "tenant_id id entry_id session_ids places holds state made_by made_at expires_at",
            [
                (
                    *(business.id, new_id(), entry_id, [session_id], 1, True, "live", "list"),
                    *(now, now + timedelta(days=1)),
                )
                for entry_id, session_id in zip(entry_ids, sessions, strict=True)
            ],
        )
        await self._connection.execute(
            "UPDATE sessions SET seats_taken = seats_taken + 1"
            " WHERE tenant_id = $1 AND id = ANY($2)",
            business.id,
            list(sessions),
        )

    async def series(self, business: Business, service_id: UUID, sessions: Sequence[UUID]) -> UUID:
        command = SeriesCommand(
            title="Eight evenings",
            price_type=SeriesPriceType.FREE,
            price_minor=0,
            join_policy=JoinPolicy.ANY_TIME,
            drop_in_allowed=True,
            session_ids=tuple(sessions),
        )
        async with self._uow(business.id) as uow:
            series_id = await create_series(uow, business.ctx, service_id, command)
            await publish_series(uow, business.ctx, series_id)
        return series_id

    async def shop(self, slug: str, sessions: int, days: float) -> Business:
        """Five services with the sessions spread over them, and a series of eight in two."""
        business = await self.business(slug)
        for number, name in enumerate(("Yoga", "Pilates", "Spin", "Boxing", "Stretch")):
            mode = SalesMode.BOTH if number < 2 else SalesMode.SINGLE
            service_id = await self.service(business, name, sales_mode=mode)
            ids = await self.sessions(business, service_id, sessions // 5, capacity=20, days=days)
            if mode is SalesMode.BOTH:
                await self.series(business, service_id, ids[::5][:8])
        return business

    async def connect_payments(self, business: Business) -> None:
        """The owner's visit to the stand-in's onboarding page."""
        link = await connect_account(
            self.services,
            business.ctx,
            refresh_url="http://127.0.0.1/back",
            return_url="http://127.0.0.1/back",
        )
        async with httpx.AsyncClient() as browser:
            (await browser.post(link, data={"decision": "finish"})).read()
        await refresh_account(self.services, business.id)

    async def full_session(self, business: Business, service_id: UUID, seats: int) -> UUID:
        """A session with so many confirmed seats, each of a customer, order and booking of its
        own; the rows are those that the booking command writes.
        """
        (session_id,) = await self.sessions(business, service_id, 1, capacity=seats, days=1)
        guests = list(_guests(business, service_id, session_id, seats))
        for table, columns in GUEST_TABLES.items():
            await self.copy(table, columns, [guest[table] for guest in guests])
        await self._connection.execute(
            "UPDATE sessions SET seats_taken = $3 WHERE tenant_id = $1 AND id = $2",
            business.id,
            session_id,
            seats,
        )
        return session_id

    async def copy(self, table: str, columns: str, rows: Sequence[Record]) -> None:
        await self._connection.copy_records_to_table(table, records=rows, columns=columns.split())


GUEST_TABLES = {
    "customers": "tenant_id id email name phone is_established created_at",
    "participants": "tenant_id id customer_id name",
    "orders": "tenant_id id reference customer_id state payment_mode currency total_minor"
    " discount_minor paid_minor refunded_minor month form_token fingerprint guest_name guest_email"
    " guest_phone locale source consents created_at confirmed_at",
    "order_lines": "tenant_id id order_id position kind subject_id description tier quantity"
    " unit_minor discount_minor total_minor tax_rate_bp tax_minor",
    "bookings": "tenant_id id order_id customer_id service_id session_id party_size answers note"
    " leaving created_at",
    "seats": "tenant_id id booking_id order_id session_id participant_id state share_minor"
    " returned_minor sequence sold_sequence told_sequence changed_at changed_by changed_why",
}


def _guests(
    business: Business, service_id: UUID, session_id: UUID, count: int
) -> Iterator[dict[str, Record]]:
    now, tenant = datetime.now(UTC), business.id
    month = f"{now:%Y-%m}"
    for number in range(count):
        email, name = f"guest{number}@{business.slug}.example", f"Guest {number}"
        customer, order, booking, person = new_id(), new_id(), new_id(), new_id()
        yield {
            "customers": (tenant, customer, email, name, "", True, now),
            "participants": (tenant, person, customer, name),
            "orders": (
                *(tenant, order, f"B{number}", customer, "confirmed", "free", "EUR", 0, 0, 0, 0),
                *(month, f"bench:{number}", "-", name, email, "", "en", "api", "{}", now, now),
            ),
            "order_lines": (
                *(tenant, new_id(), order, 0, "session", session_id, "Yoga", "", 1),
                *(0, 0, 0, 0, 0),
            ),
            "bookings": (
                *(tenant, booking, order, customer, service_id, session_id, 1, "{}", ""),
                *("{}", now),
            ),
            "seats": (
                *(tenant, new_id(), booking, order, session_id, person, "confirmed", 0, 0),
                *(0, 0, 0),
                *(now, "guest", ""),
            ),
        }
