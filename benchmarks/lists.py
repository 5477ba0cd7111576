"""Lists of sessions: a service's public page, and the calendar of the dashboard.

The month that is looked at is the same in both businesses, session for session; the large one has
its other sessions before and after it, and people who were offered places in some of these.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self
from uuid import uuid4

from benchmarks.data import Business
from benchmarks.http_load import Load, Request, closed_loop, get
from benchmarks.meters import middle
from benchmarks.runs import Bench, Line, Report, percentiles, shares
from src.platform.web.cookies import Cookies
from src.platform.web.sessions import SessionStore

CLIENTS = 8
PAGES = 400
PGBENCH_SECONDS = 3
FEW, MANY = 200, 20_000
OFFERS = 200
MONTH_DAYS = 30
OTHER_DAYS = 330
GOAL_GROWTH = 1.2
SERVICE_PAGE = "A service's page, made anew"
MONTH = "The calendar's month"
WEEK = "The calendar's page with a week"
KINDS = (SERVICE_PAGE, MONTH, WEEK)


@dataclass(frozen=True)
class Shop:
    """A business with its owner signed in."""

    business: Business
    cookie: str
    begins_on: date

    @classmethod
    async def open(cls, bench: Bench, slug: str, sessions: int) -> Self:
        business = await bench.filler.business(slug)
        service_id = await bench.filler.service(business, "Yoga")
        ids = await bench.filler.sessions(business, service_id, FEW, capacity=20, days=MONTH_DAYS)
        if others := sessions - FEW:
            after = (MONTH_DAYS + 1, others // 2)
            before = (-MONTH_DAYS, others - others // 2)
            for offset, count in (after, before):
                days = OTHER_DAYS if offset > 0 else MONTH_DAYS - 1
                more = await bench.filler.sessions(
                    business, service_id, count, capacity=20, days=days, offset_days=offset
                )
                await bench.filler.live_offers(business, more[: OFFERS // 2])
        first_at = await bench.connection.fetchval(
            "SELECT starts_at FROM sessions WHERE tenant_id = $1 AND id = $2", business.id, ids[0]
        )
        return cls(business, await signed_in(bench, business), first_at.date())

    def request(self, kind: str) -> tuple[str, dict[str, str]]:
        """The address and headers; each service page has one that nobody has asked for before."""
        home = f"/app/{self.business.slug}/calendar"
        mine = {"cookie": self.cookie, "accept-encoding": "gzip"}
        if kind == SERVICE_PAGE:
            headers = {"accept-encoding": "gzip", "accept": "text/html"}
            return f"/b/{self.business.slug}/yoga?performer={uuid4()}", headers
        if kind == WEEK:
            return f"{home}?on={self.begins_on + timedelta(days=7)}", mine
        end = self.begins_on + timedelta(days=MONTH_DAYS)
        return f"{home}/entries?start={self.begins_on}&end={end}", mine


async def signed_in(bench: Bench, business: Business) -> str:
    """The cookie that a right password would have brought."""
    services = bench.filler.services
    store = SessionStore(services.redis, services.clock)
    session = await store.load(None, "bench")
    assert business.ctx.user_id is not None
    session.sign_in(business.ctx.user_id, datetime.now(UTC))
    await store.commit(session)
    return f"{Cookies(secure=False).session}={session.session_id}"


@dataclass
class Taken:
    """The rounds of one kind of page in one business."""

    loads: list[Load] = field(default_factory=list)
    spent: list[dict[str, float]] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return middle([load.per_second for load in self.loads])

    @property
    def cpu_ms(self) -> float:
        return middle([sum(one.values()) for one in self.spent])


async def measure_lists(bench: Bench) -> list[Report]:
    """The two businesses take turns within each round, so that the machine treats them alike."""
    shops = {
        FEW: await Shop.open(bench, "lists-few", FEW),
        MANY: await Shop.open(bench, "lists-many", MANY),
    }
    await bench.connection.execute("ANALYZE sessions, services, series, waitlist_offers")
    taken = {(kind, count): Taken() for kind in KINDS for count in shops}
    scripts = {
        (kind, count): await _script(bench, shop, kind)
        for kind in KINDS
        for count, shop in shops.items()
    }
    for kind, count in taken:
        await _take(bench, _asked(shops[count], kind), 50, Taken())
    for _round in range(bench.rounds):
        for (kind, count), rounds in taken.items():
            await _take(bench, _asked(shops[count], kind), PAGES, rounds)
            rounds.plain.append(
                await bench.pgbench.per_second(
                    scripts[kind, count], clients=CLIENTS, seconds=PGBENCH_SECONDS
                )
            )
    return [_report(taken)]


def _asked(shop: Shop, kind: str) -> Callable[[], Request]:
    return lambda: get(*shop.request(kind))


async def _take(bench: Bench, make: Callable[[], Request], pages: int, taken: Taken) -> None:
    before = bench.cpu()
    load = await closed_loop(bench.stage.web_port, make, clients=CLIENTS, requests=pages)
    taken.spent.append(bench.cpu().since(before).per(pages))
    taken.loads.append(load.only(200))


async def _script(bench: Bench, shop: Shop, kind: str) -> str:
    for _time in ("warm-up", "recorded"):
        path, headers = shop.request(kind)
        request = bench.recorder.request("GET", path, headers=headers)
        script = await bench.recorder.script(request, {}, known={shop.business.id})
    return script


def _report(taken: dict[tuple[str, int], Taken]) -> Report:
    lines, details = [], []
    for kind in KINDS:
        for count in (FEW, MANY):
            rounds = taken[kind, count]
            plain = middle(rounds.plain)
            lines.append(
                Line(
                    what=f"{kind}, of {count:,} sessions, per second",
                    figure=f"{rounds.per_second:.0f}",
                    baseline=f"{plain:.0f}",
                    ratio=f"{rounds.per_second / plain:.2f}",
                )
            )
            details.append(_details(f"{kind}, of {count:,} sessions", rounds))
        growth = taken[kind, MANY].cpu_ms / taken[kind, FEW].cpu_ms
        lines.append(
            Line(
                what=f"{kind}: CPU with {MANY:,} sessions over that with {FEW}",
                figure=f"{growth:.2f}",
                goal=f"≤ {GOAL_GROWTH}",
                met=growth <= GOAL_GROWTH,
            )
        )
    return Report("Lists of sessions", lines, details)


def _details(what: str, taken: Taken) -> str:
    latencies = [one for load in taken.loads for one in load.latencies]
    size = len(taken.loads[0].sample.body) if taken.loads[0].sample else 0
    return (
        f"{what}: {taken.per_second:.0f} a second, {percentiles(latencies)}; CPU"
        f" {taken.cpu_ms:.2f} ms, by program: {shares(taken.spent)}; {size / 1000:.1f} kB sent."
    )
