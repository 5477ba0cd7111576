"""Credits in a business that has sold many: the owner's screens, paying with one, and the night.

The large business has a hundred lots and entries for each one of the small one's. Both are asked
for the same pages, and the same number of guests pay in both.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Self
from uuid import UUID

from benchmarks.data import Business, Record
from benchmarks.http_load import Load, Request, closed_loop, get
from benchmarks.lists import signed_in
from benchmarks.meters import middle
from benchmarks.recording import numbered_uuid
from benchmarks.runs import Bench, Line, Report, percentiles, shares
from src.billing.commands.credit_ends import watch_credits
from src.billing.jobs.credit_ends import look_at_due_credits
from src.booking.commands.book import BookCommand, book
from src.booking.domain.drop_in import PayWay
from src.platform.ids import new_id
from src.tenants.context import GUEST, RequestContext

FEW, MANY = 1_000, 100_000
ENTRIES_OF_A_LOT = 10
LOTS_OF_A_CUSTOMER = 5
ENDING = 10
"""One lot of so many ends tonight."""
CLIENTS = 8
PAGES = 200
REDEMPTIONS = 300
PGBENCH_SECONDS = 3
SESSIONS = 50
PLENTY = 1_000_000
GOAL_GROWTH = 1.2
LIST, ONE = "The owner's list of credits", "One lot with its history"

LOTS = (
    "tenant_id id customer_id source state name any_service service_ids tags balance forfeited"
    " bought paid_minor single_minor value_minor refunded_minor refund_rule currency validity_days"
    " expires_at end_set_at created_at activated_at"
)
ENTRIES = "tenant_id id lot_id kind credits seat_id by actor_name reason at"


@dataclass(frozen=True)
class Owned:
    """A lot and whose it is."""

    customer_id: UUID
    lot_id: UUID


@dataclass
class Shop:
    """A business with its owner signed in, lots of credits, and dates to use them for."""

    business: Business
    cookie: str
    owned: list[Owned]
    sessions: list[UUID]

    @classmethod
    async def open(cls, bench: Bench, slug: str, count: int, *, numbered: bool = False) -> Self:
        business = await bench.filler.business(slug)
        service_id = await bench.filler.service(business, "Yoga")
        # What costs nothing takes no credit.
        await bench.connection.execute(
            "UPDATE services SET price_type = 'on_site', price_minor = 1500 WHERE id = $1",
            service_id,
        )
        sessions = await bench.filler.sessions(
            business, service_id, SESSIONS, capacity=PLENTY, days=20
        )
        owned = await _fill(bench, business, count, numbered=numbered)
        return cls(business, await signed_in(bench, business), owned, sessions)

    def request(self, kind: str) -> tuple[str, dict[str, str]]:
        home = f"/app/{self.business.slug}/credits"
        path = home if kind == LIST else f"{home}/{self.owned[0].lot_id}"
        return path, {"cookie": self.cookie, "accept-encoding": "gzip"}

    def wish(self, number: int) -> BookCommand:
        """Another customer each time, until all have had their turn."""
        lasting = [one for at, one in enumerate(self.owned) if at % ENDING != ENDING - 1]
        owned = lasting[number % len(lasting)]
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

    async def redeem(self, bench: Bench, number: int) -> None:
        ctx = RequestContext(actor=GUEST, tenant=self.business.ctx.here, request_id="bench")
        async with bench.filler.services.uow_factory(self.business.id) as uow:
            await book(uow, ctx, self.wish(number))


async def _fill(bench: Bench, business: Business, count: int, *, numbered: bool) -> list[Owned]:
    """Rows as the commands write them, entries by COPY in portions."""
    now = datetime.now(UTC)
    customers = [new_id() for _each in range(max(1, count // LOTS_OF_A_CUSTOMER))]
    await bench.filler.copy(
        "customers",
        "tenant_id id email name phone is_established created_at",
        [
            (business.id, one, f"c{n}@{business.slug}.example", f"Guest {n}", "", True, now)
            for n, one in enumerate(customers)
        ],
    )
    owned = [
        Owned(customers[n % len(customers)], UUID(int=n + 1) if numbered else new_id())
        for n in range(count)
    ]
    await bench.filler.copy(
        "credit_lots", LOTS, [_lot(business, one, n, now) for n, one in enumerate(owned)]
    )
    for first in range(0, count, FEW):
        rows = [row for one in owned[first : first + FEW] for row in _ledger(business, one, now)]
        await bench.filler.copy("credit_entries", ENTRIES, rows)
    return owned


def _lot(business: Business, owned: Owned, number: int, now: datetime) -> Record:
    ends = now + timedelta(seconds=1) if number % ENDING == ENDING - 1 else now + timedelta(days=90)
    return (
        *(business.id, owned.lot_id, owned.customer_id, "package", "active", "100 sessions"),
        *(True, "[]", "[]", 100 - ENTRIES_OF_A_LOT + 1, 0, 100, 120_000, 1500, 0, 0, "linear"),
        *("EUR", 90, ends, now - timedelta(days=number % 300), now - timedelta(days=number % 300)),
        now,
    )


def _ledger(business: Business, owned: Owned, now: datetime) -> Iterator[Record]:
    lot = (business.id, owned.lot_id)
    yield (lot[0], new_id(), lot[1], "grant", 100, None, "guest", "", "", now)
    for _each in range(ENTRIES_OF_A_LOT - 1):
        yield (lot[0], new_id(), lot[1], "redeem", -1, new_id(), "guest", "", "", now)


@dataclass
class Taken:
    """The rounds of one thing in one business."""

    per_second: list[float] = field(default_factory=list)
    spent: list[dict[str, float]] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def cpu_ms(self) -> float:
        return middle([sum(one.values()) for one in self.spent])

    def add(self, load: Load) -> None:
        self.per_second.append(load.per_second)
        self.latencies += load.latencies


async def measure_credits(bench: Bench) -> list[Report]:
    """The two businesses take turns within each round, so that the machine treats them alike."""
    shops = {
        FEW: await Shop.open(bench, "credits-few", FEW),
        MANY: await Shop.open(bench, "credits-many", MANY),
    }
    mirror = await Shop.open(bench, "credits-pgbench", FEW, numbered=True)
    await bench.connection.execute("ANALYZE")
    screens = await _measure_screens(bench, shops)
    paying = await _measure_paying(bench, shops, mirror)
    return [screens, paying, await _measure_night(bench, shops)]


async def _measure_screens(bench: Bench, shops: dict[int, Shop]) -> Report:
    taken = {(kind, count): Taken() for kind in (LIST, ONE) for count in shops}
    scripts = {
        (kind, count): await _screen_script(bench, shops[count], kind) for kind, count in taken
    }
    for kind, count in taken:
        await _look(bench, shops[count], kind, 30, Taken())
    for _round in range(bench.rounds):
        for (kind, count), rounds in taken.items():
            await _look(bench, shops[count], kind, PAGES, rounds)
            script = scripts[kind, count]
            rounds.plain.append(
                await bench.pgbench.per_second(script, clients=CLIENTS, seconds=PGBENCH_SECONDS)
            )
    report = Report("The owner's screens of credits")
    for kind in (LIST, ONE):
        _compare(report, kind, taken[kind, FEW], taken[kind, MANY], "per second")
    return report


async def _look(bench: Bench, shop: Shop, kind: str, pages: int, taken: Taken) -> None:
    before = bench.cpu()
    make: Callable[[], Request] = lambda: get(*shop.request(kind))  # noqa: E731 - as the loop wants it
    load = await closed_loop(bench.stage.web_port, make, clients=CLIENTS, requests=pages)
    taken.spent.append(bench.cpu().since(before).per(pages))
    taken.add(load.only(200))


async def _screen_script(bench: Bench, shop: Shop, kind: str) -> str:
    for _time in ("warm-up", "recorded"):
        path, headers = shop.request(kind)
        request = bench.recorder.request("GET", path, headers=headers)
        known = {shop.business.id, shop.owned[0].lot_id}
        script = await bench.recorder.script(request, {}, known=known)
    return script


async def _measure_paying(bench: Bench, shops: dict[int, Shop], mirror: Shop) -> Report:
    """The command itself, since a guest's form is measured with the paid path; CPU is the servers'
    alone.
    """
    script = await _paying_script(bench, mirror)
    taken = {count: Taken() for count in shops}
    for shop in shops.values():
        await _pay(bench, shop, 0, 50, Taken())
    for turn in range(1, bench.rounds + 1):
        for count, shop in shops.items():
            await _pay(bench, shop, turn * REDEMPTIONS, REDEMPTIONS, taken[count])
            taken[count].plain.append(
                await bench.pgbench.per_second(
                    script, clients=CLIENTS, seconds=PGBENCH_SECONDS, most=FEW
                )
            )
            await bench.drain()
    report = Report("Paying with a credit")
    _compare(report, "Places paid with a credit", taken[FEW], taken[MANY], "per second")
    return report


async def _pay(bench: Bench, shop: Shop, first: int, count: int, taken: Taken) -> None:
    numbers = iter(range(first, first + count))
    before, began_at = bench.cpu(), time.monotonic()

    async def one_after_another() -> None:
        for number in numbers:
            at = time.monotonic()
            await shop.redeem(bench, number)
            taken.latencies.append((time.monotonic() - at) * 1000)

    await asyncio.gather(*(one_after_another() for _client in range(CLIENTS)))
    taken.per_second.append(count / (time.monotonic() - began_at))
    taken.spent.append(bench.cpu().since(before).per(count))


async def _paying_script(bench: Bench, mirror: Shop) -> str:
    """On lots that are numbered, so that each run takes another one."""
    for number in (0, 0):
        wish = mirror.wish(number)
        ctx = RequestContext(actor=GUEST, tenant=mirror.business.ctx.here, request_id="bench")

        async def step(wish: BookCommand = wish, ctx: RequestContext = ctx) -> None:
            async with bench.filler.services.uow_factory(mirror.business.id) as uow:
                await book(uow, ctx, wish)

        customer_id, lot_id = mirror.owned[0].customer_id, mirror.owned[0].lot_id
        known = {mirror.business.id, *mirror.business.services, *mirror.sessions, customer_id}
        variable = {wish.form_token: "'token' || :id", lot_id: numbered_uuid("1")}
        script = await bench.recorder.script_of(step(), variable, known=known)
    await bench.connection.execute(
        "UPDATE credit_lots SET balance = $2 WHERE tenant_id = $1", mirror.business.id, 10**8
    )
    return script


async def _measure_night(bench: Bench, shops: dict[int, Shop]) -> Report:
    """A tenth of all lots has ended: each is written off, and its owner is told."""
    seconds: dict[int, float] = {}
    for count, shop in shops.items():
        async with bench.filler.services.uow_factory(shop.business.id) as uow:
            await watch_credits(uow)
        began_at = time.monotonic()
        await look_at_due_credits(bench.filler.services)
        seconds[count] = time.monotonic() - began_at
        left = await bench.connection.fetchval(
            "SELECT count(*) FROM credit_lots WHERE tenant_id = $1 AND balance > 0"
            " AND expires_at < now()",
            shop.business.id,
        )
        if left:
            raise RuntimeError(f"{left} lots have ended and are not written off")
    ended = {count: count // ENDING for count in shops}
    each = {count: seconds[count] / ended[count] * 1000 for count in shops}
    growth = each[MANY] / each[FEW]
    return Report(
        "The night in which credits end",
        [
            Line(
                what=f"{ended[MANY]:,} of {MANY:,} lots written off, their owners' mails queued",
                figure=f"{seconds[MANY]:.1f} s",
                ratio=f"{each[MANY]:.2f} ms a lot",
            ),
            Line(
                what=f"Time a lot with {MANY:,} over that with {FEW:,}",
                figure=f"{growth:.2f}",
                goal=f"≤ {GOAL_GROWTH}",
                met=growth <= GOAL_GROWTH,
            ),
        ],
        [f"With {FEW:,} lots: {ended[FEW]} written off in {seconds[FEW]:.2f} s."],
    )


def _compare(report: Report, what: str, few: Taken, many: Taken, unit: str) -> None:
    """Lines of both, and by how much the servers' CPU grows."""
    for count, taken in ((FEW, few), (MANY, many)):
        of = f"{what}, of {count:,} lots"
        plain, per_second = middle(taken.plain), middle(taken.per_second)
        report.lines.append(
            Line(
                what=f"{of}, {unit}",
                figure=f"{per_second:.0f}",
                baseline=f"{plain:.0f}",
                ratio=f"{per_second / plain:.2f}",
            )
        )
        report.details.append(
            f"{of}: {per_second:.0f} a second, {percentiles(taken.latencies)};"
            f" CPU {taken.cpu_ms:.2f} ms, by program: {shares(taken.spent)}."
        )
    growth = many.cpu_ms / few.cpu_ms
    report.lines.append(
        Line(
            what=f"{what}: CPU with {MANY:,} lots over that with {FEW:,}",
            figure=f"{growth:.2f}",
            goal=f"≤ {GOAL_GROWTH}",
            met=growth <= GOAL_GROWTH,
        )
    )
