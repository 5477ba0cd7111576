"""A business that has sold credits for ten months: its customers, their lots, and the ledger."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from benchmarks.data import Business, Record
from benchmarks.lists import signed_in
from benchmarks.recording import numbered_uuid
from benchmarks.runs import Bench
from src.booking.commands.book import BookCommand, book
from src.booking.domain.drop_in import PayWay
from src.platform.ids import new_id
from src.tenants.context import GUEST, RequestContext

ENTRIES_OF_A_LOT = 10
LOTS_OF_A_CUSTOMER = 5
KINDS_OF_LOTS = 10
ENDING, USED_UP, EXPIRED = 9, (7, 8), (5, 6)
"""Of ten lots one ends tonight, two are used up, two have been written off, and five last."""
PACKAGES = 10
PORTION = 5_000
DAYS_OF_SALES = 300
SESSIONS = 50
PLENTY = 1_000_000
FIRST_CUSTOMER, FIRST_SESSION = 1_000_000_000, 2_000_000_000

LOTS = (
    "tenant_id id customer_id package_id source state name any_service service_ids tags balance"
    " forfeited bought paid_minor single_minor value_minor refunded_minor refund_rule currency"
    " validity_days expires_at end_set_at created_at activated_at"
)
ENTRIES = "tenant_id id lot_id kind credits seat_id by actor_name reason at"
PACKAGE = (
    "tenant_id id purpose name description credits price_minor tax_rate_bp validity_days"
    " any_service service_ids tags pays refund_rule visibility active position created_at"
    " updated_at"
)


@dataclass(frozen=True, slots=True)
class Owned:
    """A lot, whose it is, and its place in the row of lots."""

    number: int
    customer_id: UUID
    lot_id: UUID

    @property
    def kind(self) -> int:
        return self.number % KINDS_OF_LOTS


@dataclass
class Shop:
    """A business with its owner signed in, lots of credits, and dates to use them for.

    A mirror is for pgbench: its lots, customers and sessions are numbered from one on, and every
    lot lasts.
    """

    business: Business
    is_mirror: bool
    cookie: str = ""
    sessions: list[UUID] = field(default_factory=list)
    packages: list[UUID] = field(default_factory=list)
    owned: list[Owned] = field(default_factory=list)
    lasting: list[Owned] = field(default_factory=list)

    @classmethod
    async def open(cls, bench: Bench, slug: str, lots: int, *, is_mirror: bool = False) -> Self:
        business = await bench.filler.business(slug)
        service_id = await bench.filler.service(business, "Yoga")
        # What costs nothing takes no credit.
        await bench.connection.execute(
            "UPDATE services SET price_type = 'on_site', price_minor = 1500 WHERE id = $1",
            service_id,
        )
        shop = cls(business, is_mirror, await signed_in(bench, business))
        numbers = range(FIRST_SESSION, FIRST_SESSION + SESSIONS)
        shop.sessions = await bench.filler.sessions(
            business,
            service_id,
            SESSIONS,
            capacity=PLENTY,
            days=20,
            ids=[UUID(int=one) for one in numbers] if is_mirror else None,
        )
        await shop._fill(bench, lots)
        return shop

    def wish(self, number: int) -> BookCommand:
        """Another lot and session each time, until all have had their turn."""
        owned = self.lasting[number % len(self.lasting)]
        return BookCommand(
            kind="session",
            subject_id=self.sessions[number % len(self.sessions)],
            party=("",),
            guest_name="Guest",
            guest_email="guest@example.com",
            form_token=str(new_id()),
            way=PayWay.CREDIT,
            customer_id=owned.customer_id,
            credit_lot_id=owned.lot_id,
        )

    async def redeem(self, bench: Bench, wish: BookCommand) -> str:
        """Returns the order's reference."""
        ctx = RequestContext(actor=GUEST, tenant=self.business.ctx.here, request_id="bench")
        async with bench.filler.services.uow_factory(self.business.id) as uow:
            return (await book(uow, ctx, wish)).reference

    def variable(self, wish: BookCommand) -> dict[object, str]:
        """What a mirror's wish takes other ones of in each run of the script."""
        customers = len(self.owned) // LOTS_OF_A_CUSTOMER
        return {
            wish.form_token: "'token' || :id",
            wish.credit_lot_id: numbered_uuid(":at"),
            wish.customer_id: numbered_uuid(f"{FIRST_CUSTOMER} + (:at - 1) % {customers}"),
            wish.subject_id: numbered_uuid(f"{FIRST_SESSION} + (:at - 1) % {SESSIONS}"),
        }

    async def _fill(self, bench: Bench, lots: int) -> None:
        """Rows as the commands write them, by COPY; that they refer to each other is known, so
        nobody checks it two million times.
        """
        now = datetime.now(UTC)
        await bench.connection.execute("SET session_replication_role = replica")
        customers = await self._copy_customers(bench, max(1, lots // LOTS_OF_A_CUSTOMER), now)
        await self._copy_packages(bench, now)
        self.owned = [self._owned(customers, number) for number in range(lots)]
        self.lasting = [one for one in self.owned if self.is_mirror or one.kind < EXPIRED[0]]
        for first in range(0, lots, PORTION):
            some = self.owned[first : first + PORTION]
            await bench.filler.copy("credit_lots", LOTS, [self._lot(one, now) for one in some])
            entries = [row for one in some for row in self._ledger(one, now)]
            await bench.filler.copy("credit_entries", ENTRIES, entries)
        await bench.connection.execute("SET session_replication_role = origin")

    async def _copy_customers(self, bench: Bench, count: int, now: datetime) -> list[UUID]:
        numbers = range(FIRST_CUSTOMER, FIRST_CUSTOMER + count)
        ids = [UUID(int=one) if self.is_mirror else new_id() for one in numbers]
        slug = self.business.slug
        rows: list[Record] = [
            (self.business.id, one, f"c{n}@{slug}.example", f"Guest {n}", "", True, now)
            for n, one in enumerate(ids)
        ]
        columns = "tenant_id id email name phone is_established created_at"
        await bench.filler.copy("customers", columns, rows)
        return ids

    async def _copy_packages(self, bench: Bench, now: datetime) -> None:
        self.packages = [new_id() for _each in range(PACKAGES)]
        rows: list[Record] = [
            (
                *(self.business.id, one, "sale", _package_name(n), "", 100, 120_000, 0, 90),
                *(True, "[]", "[]", '["on_site"]', "linear", "public", True, n, now, now),
            )
            for n, one in enumerate(self.packages)
        ]
        await bench.filler.copy("packages", PACKAGE, rows)

    def _owned(self, customers: list[UUID], number: int) -> Owned:
        """The lots of one customer are of different kinds; a mirror's can be worked out in SQL."""
        turn = 0 if self.is_mirror else number // len(customers)
        lot_id = UUID(int=number + 1) if self.is_mirror else new_id()
        return Owned(number, customers[(number + turn) % len(customers)], lot_id)

    def _lot(self, owned: Owned, now: datetime) -> Record:
        bought_at, package = _bought_at(owned, now), owned.number % PACKAGES
        bought, balance, forfeited, ends_at = self._terms(owned, now)
        return (
            *(self.business.id, owned.lot_id, owned.customer_id, self.packages[package]),
            *("package", "active", _package_name(package), True, "[]", "[]", balance, forfeited),
            *(bought, bought * 1200, 1500, 0, 0, "linear", "EUR", 90, ends_at),
            *(bought_at, bought_at, bought_at),
        )

    def _terms(self, owned: Owned, now: datetime) -> tuple[int, int, int, datetime]:
        """What was bought, what is left, what was lost, and the end."""
        used, later = ENTRIES_OF_A_LOT - 1, now + timedelta(days=90)
        if self.is_mirror or owned.kind < EXPIRED[0]:
            return 100, 100 - used, 0, later
        if owned.kind in USED_UP:
            return used, 0, 0, later
        if owned.kind in EXPIRED:
            return 100, 0, 100 - used + 1, now - timedelta(days=1)
        return 100, 100 - used, 0, now

    def _ledger(self, owned: Owned, now: datetime) -> Iterator[Record]:
        """Used at even distances since it was bought."""
        tenant_id, lot_id, at = self.business.id, owned.lot_id, _bought_at(owned, now)
        bought, _balance, forfeited, _ends_at = self._terms(owned, now)
        step, used = (now - at) / ENTRIES_OF_A_LOT, ENTRIES_OF_A_LOT - 1 - (forfeited > 0)
        yield (tenant_id, new_id(), lot_id, "grant", bought, None, "guest", "", "", at)
        for _each in range(used):
            at += step
            yield (tenant_id, new_id(), lot_id, "redeem", -1, new_id(), "guest", "", "", at)
        if forfeited:
            yield (tenant_id, new_id(), lot_id, "expire", -forfeited, None, "system", "", "", now)


def _bought_at(owned: Owned, now: datetime) -> datetime:
    """Over all months alike, whatever kind it is, and no two at the same moment."""
    days = owned.number // KINDS_OF_LOTS % DAYS_OF_SALES
    return now - timedelta(days=days, seconds=1 + owned.number % 80_000)


def _package_name(number: int) -> str:
    return f"{100 + number} sessions"
