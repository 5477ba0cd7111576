"""Free times: the page of a service by appointment, and the whole question behind it.

The large business has fifty people who give the service and 20,000 bookings within sixty days, the
small one five people and 2,000: per person they are alike, so the page may grow as they do.
"""

import time
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self
from uuid import UUID

from asyncpg import Range

from benchmarks.data import Business
from benchmarks.http_load import Load, closed_loop, get
from benchmarks.meters import middle
from benchmarks.runs import Bench, Line, Report, percentiles, shares
from src.booking.models import Service
from src.booking.queries.free_times import Wanted, find_free_times
from src.platform.ids import new_id

CLIENTS = 4
PAGES = 60
QUESTIONS = 5
PGBENCH_SECONDS = 3
DAYS = 60
FEW, MANY = 5, 50
BOOKINGS_EACH = 400
MINUTES = 30
A_BOOKING = timedelta(minutes=MINUTES)
OPENS_MINUTE, CLOSES_MINUTE = 9 * 60, 17 * 60
GOAL_MS = 300
GOAL_GROWTH = 10
"""Ten times the people may cost ten times as much, and no more."""


@dataclass(frozen=True)
class Practice:
    """A business with so many people who give its one service."""

    business: Business
    service_id: UUID
    people: int
    from_on: date

    @classmethod
    async def open(cls, bench: Bench, slug: str, people: int) -> Self:
        business = await bench.filler.business(slug)
        service_id = await bench.filler.service(business, "Coaching")
        await bench.connection.execute(
            "UPDATE services SET kind = 'appointment', horizon_days = 365, duration_minutes = $3"
            " WHERE tenant_id = $1 AND id = $2",
            business.id,
            service_id,
            MINUTES,
        )
        now = datetime.now(UTC)
        ids = [new_id() for _person in range(people)]
        await bench.filler.copy(
            "performers",
            "tenant_id id name active created_at",
            [(business.id, one, f"Person {place}", True, now) for place, one in enumerate(ids)],
        )
        await bench.filler.copy(
            "service_performers",
            "tenant_id id service_id performer_id",
            [(business.id, new_id(), service_id, one) for one in ids],
        )
        await bench.filler.copy(
            "weekly_hours",
            "tenant_id id performer_id weekday starts_minute ends_minute",
            [
                (business.id, new_id(), one, day, OPENS_MINUTE, CLOSES_MINUTE)
                for one in ids
                for day in range(7)
            ],
        )
        first_on = (now.replace(day=1) + timedelta(days=32)).date().replace(day=1)
        await bench.filler.copy(
            "performer_busy",
            "tenant_id id performer_id during source source_id",
            [
                (business.id, new_id(), one, Range(at, at + A_BOOKING), "session", new_id())
                for one in ids
                for at in _bookings(first_on)
            ],
        )
        return cls(business, service_id, people, first_on)

    @property
    def path(self) -> str:
        return f"/b/{self.business.slug}/coaching?month={self.from_on:%Y-%m}"


def _bookings(first_on: date) -> list[datetime]:
    """Six or seven a day, from eight in the morning in UTC on, each hour one."""
    per_day = BOOKINGS_EACH / DAYS
    midnight = datetime(first_on.year, first_on.month, first_on.day, tzinfo=UTC)
    days = [int(number / per_day) for number in range(BOOKINGS_EACH)]
    return [
        midnight + timedelta(days=day, hours=8 + number - days.index(day))
        for number, day in enumerate(days)
    ]


@dataclass
class Taken:
    loads: list[Load] = field(default_factory=list)
    spent: list[dict[str, float]] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    found: int = 0

    @property
    def cpu_ms(self) -> float:
        return middle([sum(one.values()) for one in self.spent])


async def measure_free_times(bench: Bench) -> list[Report]:
    practices = [
        await Practice.open(bench, "practice-few", FEW),
        await Practice.open(bench, "practice-many", MANY),
    ]
    await bench.connection.execute("ANALYZE performer_busy, weekly_hours, service_performers")
    taken = {one.people: Taken() for one in practices}
    scripts = {one.people: await _script(bench, one) for one in practices}
    for one in practices:
        await _page(bench, one, Taken(), 10)
    for _round in range(bench.rounds):
        for one in practices:
            rounds = taken[one.people]
            await _page(bench, one, rounds, PAGES)
            await _whole(bench, one, rounds)
            rounds.plain.append(
                await bench.pgbench.per_second(
                    scripts[one.people], clients=CLIENTS, seconds=PGBENCH_SECONDS
                )
            )
    return [_report(taken)]


async def _page(bench: Bench, practice: Practice, taken: Taken, pages: int) -> None:
    headers = {"accept-encoding": "gzip", "accept": "text/html"}
    before = bench.cpu()
    load = await closed_loop(
        bench.stage.web_port,
        lambda: get(practice.path, headers),
        clients=CLIENTS,
        requests=pages,
    )
    taken.spent.append(bench.cpu().since(before).per(pages))
    taken.loads.append(load.only(200))


async def _whole(bench: Bench, practice: Practice, taken: Taken) -> None:
    """All free times of everybody within the sixty days, without a page around them."""
    until_on = practice.from_on + timedelta(days=DAYS - 1)
    here = practice.business.ctx.here
    for _question in range(QUESTIONS):
        async with bench.filler.services.uow_factory(practice.business.id) as uow:
            service = await uow.session.get_one(Service, (uow.tenant, practice.service_id))
            began_at = time.perf_counter()
            wanted = Wanted(MINUTES, practice.from_on, until_on)
            found = await find_free_times(uow, here, service, wanted, uow.clock.now())
            taken.whole_ms.append((time.perf_counter() - began_at) * 1000)
        taken.found = len(found)


async def _script(bench: Bench, practice: Practice) -> str:
    request = bench.recorder.request("GET", practice.path, headers={"accept": "text/html"})
    return await bench.recorder.script(request, {}, known={practice.business.id})


def _report(taken: dict[int, Taken]) -> Report:
    lines, details = [], []
    for people, rounds in taken.items():
        per_second, plain = middle([one.per_second for one in rounds.loads]), middle(rounds.plain)
        what = f"A month of free times of {people}"
        lines.append(
            Line(
                what=f"{what}, pages per second",
                figure=f"{per_second:.1f}",
                baseline=f"{plain:.0f}",
                ratio=f"{per_second / plain:.3f}",
            )
        )
        latencies = [one for load in rounds.loads for one in load.latencies]
        details.append(
            f"{what}, {people * BOOKINGS_EACH:,} bookings: {per_second:.1f} pages a second,"
            f" {percentiles(latencies)}; CPU {rounds.cpu_ms:.1f} ms, by program:"
            f" {shares(rounds.spent)}. Of {DAYS} days there are {rounds.found:,} starts, found in"
            f" {middle(rounds.whole_ms):.0f} ms."
        )
    whole_ms = middle(taken[MANY].whole_ms)
    growth = taken[MANY].cpu_ms / taken[FEW].cpu_ms
    lines.append(
        Line(
            what=f"Free times of {MANY} over {DAYS} days, {MANY * BOOKINGS_EACH:,} bookings, ms",
            figure=f"{whole_ms:.0f}",
            goal=f"≤ {GOAL_MS}",
            met=whole_ms <= GOAL_MS,
        )
    )
    lines.append(
        Line(
            what=f"A month of free times: CPU of {MANY} over that of {FEW}",
            figure=f"{growth:.1f}",
            goal=f"≤ {GOAL_GROWTH}",
            met=growth <= GOAL_GROWTH,
        )
    )
    return Report("Free times", lines, details)
