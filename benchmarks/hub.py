"""The front page of a business with 200 and with 20,000 sessions."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from benchmarks.data import Business
from benchmarks.http_load import Load, Request, closed_loop, get
from benchmarks.meters import middle
from benchmarks.runs import Bench, Line, Report, percentiles, shares

CLIENTS = 8
PAGES, FRESH_PAGES = 2_000, 500
PGBENCH_SECONDS = 3
FEW, MANY = 200, 20_000
GOAL_CPU_MS, GOAL_GROWTH = 1.5, 1.2
PRETIX_CPU_MS = "131-185 ms"
HEADERS = {"accept-encoding": "gzip", "accept": "text/html"}


@dataclass
class Taken:
    """The rounds of one kind of page."""

    loads: list[Load]
    spent: list[dict[str, float]]

    @property
    def per_second(self) -> float:
        return middle([load.per_second for load in self.loads])

    @property
    def cpu_ms(self) -> float:
        return middle([sum(one.values()) for one in self.spent])

    def details(self, what: str) -> str:
        latencies = [one for load in self.loads for one in load.latencies]
        size = len(self.loads[0].sample.body) if self.loads[0].sample else 0
        return (
            f"{what}: {self.per_second:.0f} pages a second, {percentiles(latencies)}; CPU by"
            f" program, ms per page: {shares(self.spent)}; {size / 1000:.1f} kB sent."
        )


async def measure_hub(bench: Bench) -> list[Report]:
    """The two businesses take turns within each round, so that the machine treats them alike."""
    shops = {
        FEW: await bench.filler.shop("hub-few", FEW, days=60),
        MANY: await bench.filler.shop("hub-many", MANY, days=360),
    }
    await bench.connection.execute("ANALYZE sessions, services, series")
    cached = {count: Taken([], []) for count in shops}
    fresh = {count: Taken([], []) for count in shops}
    plain: dict[int, list[float]] = {count: [] for count in shops}
    scripts = {count: await _script(bench, shop) for count, shop in shops.items()}
    for shop in shops.values():
        await _take(bench, _as_guests(shop), 200, Taken([], []))
        await _take(bench, _made_anew(shop), 50, Taken([], []))
    for _round in range(bench.rounds):
        for count, shop in shops.items():
            await _take(bench, _as_guests(shop), PAGES, cached[count])
            await _take(bench, _made_anew(shop), FRESH_PAGES, fresh[count])
            plain[count].append(
                await bench.pgbench.per_second(
                    scripts[count], clients=CLIENTS, seconds=PGBENCH_SECONDS
                )
            )
    return [_report(cached, fresh, {count: middle(found) for count, found in plain.items()})]


async def _take(bench: Bench, make: Callable[[], Request], pages: int, taken: Taken) -> None:
    before = bench.cpu()
    load = await closed_loop(bench.stage.web_port, make, clients=CLIENTS, requests=pages)
    taken.spent.append(bench.cpu().since(before).per(pages))
    taken.loads.append(load.only(200))


def _as_guests(shop: Business) -> Callable[[], Request]:
    request = get(f"/b/{shop.slug}", HEADERS)
    return lambda: request


def _made_anew(shop: Business) -> Callable[[], Request]:
    """The same page under an address that nobody has asked for: a wish that is dropped."""
    return lambda: get(f"/b/{shop.slug}?performer={uuid4()}", HEADERS)


async def _script(bench: Bench, shop: Business) -> str:
    """The statements behind a page that is made anew."""
    for _time in ("warm-up", "recorded"):
        path = f"/b/{shop.slug}?performer={uuid4()}"
        request = bench.recorder.request("GET", path)
        script = await bench.recorder.script(request, {}, known={shop.id})
    return script


def _report(cached: dict[int, Taken], fresh: dict[int, Taken], plain: dict[int, float]) -> Report:
    lines = [_speed(count, cached[count], plain[count]) for count in (FEW, MANY)]
    lines += [_cpu("", count, cached[count], GOAL_CPU_MS) for count in (FEW, MANY)]
    lines += [_cpu(", made anew", count, fresh[count], None) for count in (FEW, MANY)]
    lines += [_growth("", cached), _growth(", made anew", fresh)]
    details = [taken.details(f"{count:,} sessions") for count, taken in cached.items()]
    details += [
        taken.details(f"{count:,} sessions, made anew (pgbench: {plain[count]:.0f} a second)")
        for count, taken in fresh.items()
    ]
    return Report("Hub", lines, details)


def _speed(count: int, taken: Taken, plain: float) -> Line:
    return Line(
        what=f"Hub pages with {count:,} sessions, per second",
        figure=f"{taken.per_second:.0f}",
        baseline=f"{plain:.0f}",
        ratio=f"{taken.per_second / plain:.2f}",
    )


def _cpu(how: str, count: int, taken: Taken, goal: float | None) -> Line:
    return Line(
        what=f"CPU of a hub page with {count:,} sessions{how}",
        figure=f"{taken.cpu_ms:.2f} ms",
        goal=f"≤ {goal} ms" if goal else "",
        met=taken.cpu_ms <= goal if goal else None,
        pretix=PRETIX_CPU_MS,
    )


def _growth(how: str, taken: dict[int, Taken]) -> Line:
    growth = taken[MANY].cpu_ms / taken[FEW].cpu_ms
    return Line(
        what=f"Hub's CPU with {MANY:,} sessions over that with {FEW}{how}",
        figure=f"{growth:.2f}",
        goal=f"≤ {GOAL_GROWTH}",
        met=growth <= GOAL_GROWTH,
    )
