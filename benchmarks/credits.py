"""Credits in a business that has sold many: the owner's screens, paying with one, and the night.

The large business has ten lots and entries for each one of the small one's. Both are asked for the
same pages, and the same number of guests pay in both.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.credits_night import measure_night
from benchmarks.credits_shop import ENTRIES_OF_A_LOT, Shop
from benchmarks.http_load import Load, Request, closed_loop, get
from benchmarks.meters import middle
from benchmarks.runs import Bench, Line, Report, percentiles, shares

TIMES = 10
MIRRORED = 1_000
CLIENTS = 8
PAGES, WARM_UP = 100, 20
REDEMPTIONS = 300
PGBENCH_SECONDS = 3
GOAL_GROWTH = 1.2
SCREENS: dict[str, Callable[[Shop], str]] = {
    "The owner's list of credits": lambda _shop: "",
    "The list by their ends, of those left": lambda _shop: "?sort=ends&state=active",
    "The list of one package's, used up": lambda shop: f"?state=used_up&package={shop.packages[7]}",
    "A search for one customer": lambda shop: f"?q=c77@{shop.business.slug}",
    "One lot with its history": lambda shop: f"/{shop.owned[0].lot_id}",
}


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
    began_at = time.monotonic()
    shops = {
        count: await Shop.open(bench, f"credits-{count}", count)
        for count in (bench.lots // TIMES, bench.lots)
    }
    mirror = await Shop.open(bench, "credits-pgbench", MIRRORED, is_mirror=True)
    # As autovacuum leaves a table that has grown over months.
    await bench.connection.execute("VACUUM (ANALYZE)")
    filled = f"Filling took {time.monotonic() - began_at:.0f} s, with {ENTRIES_OF_A_LOT} entries"
    screens = await _measure_screens(bench, shops)
    screens.details.append(f"{filled} for each lot.")
    paying = await _measure_paying(bench, shops, mirror)
    return [screens, paying, await measure_night(bench, shops, GOAL_GROWTH)]


async def _measure_screens(bench: Bench, shops: dict[int, Shop]) -> Report:
    taken = {(kind, count): Taken() for kind in SCREENS for count in shops}
    scripts = {
        (kind, count): await _screen_script(bench, shops[count], kind) for kind, count in taken
    }
    for kind, count in taken:
        await _look(bench, shops[count], kind, WARM_UP, Taken())
    for _round in range(bench.rounds):
        for (kind, count), rounds in taken.items():
            await _look(bench, shops[count], kind, PAGES, rounds)
            script = scripts[kind, count]
            rounds.plain.append(
                await bench.pgbench.per_second(script, clients=CLIENTS, seconds=PGBENCH_SECONDS)
            )
    report = Report("The owner's screens of credits")
    for kind in SCREENS:
        _compare(report, kind, {count: taken[kind, count] for count in shops})
    return report


async def _look(bench: Bench, shop: Shop, kind: str, pages: int, taken: Taken) -> None:
    def make() -> Request:
        return get(*_address(shop, kind))

    before = bench.cpu()
    load = await closed_loop(bench.stage.web_port, make, clients=CLIENTS, requests=pages)
    taken.spent.append(bench.cpu().since(before).per(pages))
    taken.add(load.only(200))


def _address(shop: Shop, kind: str) -> tuple[str, dict[str, str]]:
    path = f"/app/{shop.business.slug}/credits{SCREENS[kind](shop)}"
    return path, {"cookie": shop.cookie, "accept-encoding": "gzip"}


async def _screen_script(bench: Bench, shop: Shop, kind: str) -> str:
    known = {shop.business.id, *(one.lot_id for one in shop.owned), *shop.packages}
    for _time in ("warm-up", "recorded"):
        path, headers = _address(shop, kind)
        request = bench.recorder.request("GET", path, headers=headers)
        script = await bench.recorder.script(request, {}, known=known)
    return script


async def _measure_paying(bench: Bench, shops: dict[int, Shop], mirror: Shop) -> Report:
    """The command itself, since a guest's form is measured with the paid path."""
    script = await _paying_script(bench, mirror)
    taken = {count: Taken() for count in shops}
    for shop in shops.values():
        await _pay(bench, shop, 0, 50, Taken())
    # As autovacuum does within a minute of a business's first bookings.
    await bench.connection.execute("ANALYZE")
    for turn in range(1, bench.rounds + 1):
        for count, shop in shops.items():
            await _pay(bench, shop, turn * REDEMPTIONS, REDEMPTIONS, taken[count])
            taken[count].plain.append(
                await bench.pgbench.per_second(
                    script, clients=CLIENTS, seconds=PGBENCH_SECONDS, most=MIRRORED
                )
            )
    report = Report("Paying with a credit")
    _compare(report, "Places paid with a credit", taken)
    return report


async def _pay(bench: Bench, shop: Shop, first: int, count: int, taken: Taken) -> None:
    """Until the last mail has left; what the command costs this process is counted as `program`."""
    numbers = iter(range(first, first + count))
    before, began_at, own = bench.cpu(), time.monotonic(), time.process_time()

    async def one_after_another() -> None:
        for number in numbers:
            at = time.monotonic()
            await shop.redeem(bench, shop.wish(number))
            taken.latencies.append((time.monotonic() - at) * 1000)

    await asyncio.gather(*(one_after_another() for _client in range(CLIENTS)))
    taken.per_second.append(count / (time.monotonic() - began_at))
    own = (time.process_time() - own) * 1000 / count
    await bench.drain()
    taken.spent.append({"program": own, **bench.cpu().since(before).per(count)})


async def _paying_script(bench: Bench, mirror: Shop) -> str:
    """On lots that are numbered, so that each run takes another one."""
    # More than all runs together use up, so that none finds a lot empty.
    await bench.connection.execute(
        "UPDATE credit_lots SET balance = $2 WHERE tenant_id = $1", mirror.business.id, 10**8
    )
    known = {mirror.business.id, *mirror.business.services}
    for _time in ("warm-up", "recorded"):
        wish = mirror.wish(0)
        script = await bench.recorder.script_of(
            mirror.redeem(bench, wish), mirror.variable(wish), known=known
        )
    return script


def _compare(report: Report, what: str, taken: dict[int, Taken]) -> None:
    """Lines of both, and by how much the CPU grows."""
    for count, rounds in taken.items():
        of = f"{what}, of {count:,} lots"
        plain, per_second = middle(rounds.plain), middle(rounds.per_second)
        report.lines.append(
            Line(
                what=f"{of}, per second",
                figure=f"{per_second:.0f}",
                baseline=f"{plain:.0f}",
                ratio=f"{per_second / plain:.2f}",
            )
        )
        report.details.append(
            f"{of}: {per_second:.0f} a second, {percentiles(rounds.latencies)};"
            f" CPU {rounds.cpu_ms:.2f} ms, by program: {shares(rounds.spent)}."
        )
    few, many = taken
    growth = taken[many].cpu_ms / taken[few].cpu_ms
    report.lines.append(
        Line(
            what=f"{what}: CPU with {many:,} lots over that with {few:,}",
            figure=f"{growth:.2f}",
            goal=f"≤ {GOAL_GROWTH}",
            met=growth <= GOAL_GROWTH,
        )
    )
