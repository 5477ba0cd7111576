"""Bookings through the API: over many sessions, on one, and 200 at once for the last 50 seats."""

import hashlib
import json
from collections.abc import Callable
from itertools import cycle
from uuid import UUID

from benchmarks.data import Business
from benchmarks.http_load import Load, Request, all_at_once, closed_loop, post
from benchmarks.meters import middle
from benchmarks.recording import numbered_uuid
from benchmarks.runs import Bench, Line, Report, percentiles, shares

CLIENTS = 16
WARM_UP = 150
ORDERS = 500
PGBENCH_SECONDS = 4
KEYS, MANY = 64, 200
PLENTY = 1_000_000
RUSH_SEATS, RUSH_ATTEMPTS = 50, 200
GOAL_CPU_MS, GOAL_RUSH_SECONDS, GOAL_RATIO = 5.0, 1.0, 0.2
PRETIX_CPU_MS, PRETIX_RUSH_SECONDS = 205, 7.4


class Orders:
    """The requests of guests with addresses of their own, each for one seat."""

    def __init__(self, business: Business) -> None:
        self._keys = cycle(business.keys)
        self._guest = 0

    def request(self, session_id: UUID) -> Request:
        self._guest += 1
        body = {
            "kind": "session",
            "id": str(session_id),
            "guest_name": f"Guest {self._guest}",
            "guest_email": f"guest{self._guest}@example.com",
        }
        headers = {
            "authorization": f"Bearer {next(self._keys)}",
            "content-type": "application/json",
            "idempotency-key": f"order-{self._guest}",
        }
        return post("/api/v1/bookings", json.dumps(body).encode(), headers)

    def over(self, sessions: list[UUID]) -> Callable[[], Request]:
        turns = cycle(sessions)
        return lambda: self.request(next(turns))


async def measure_orders(bench: Bench) -> list[Report]:
    business = await bench.filler.business("orders", keys=KEYS)
    mirror = await bench.filler.business("orders-pgbench")
    service_id = await bench.filler.service(business, "Yoga")
    mirror_service = await bench.filler.service(mirror, "Yoga")
    numbered = [UUID(int=number) for number in range(1, MANY + 1)]
    many = await bench.filler.sessions(business, service_id, MANY, capacity=PLENTY, days=60)
    hot = await bench.filler.sessions(business, service_id, 1, capacity=PLENTY, days=60)
    await bench.filler.sessions(
        mirror, mirror_service, MANY, capacity=PLENTY, days=60, ids=numbered
    )
    await bench.drain()
    orders, script = Orders(business), await _script(bench, mirror)
    return [
        await _measure(bench, orders, many, script, f"over {MANY} sessions"),
        await _measure(bench, orders, hot, script, "on one hot session"),
        await _measure_rush(bench, business, orders, service_id),
    ]


async def _measure(
    bench: Bench, orders: Orders, sessions: list[UUID], script: str, where: str
) -> Report:
    port = bench.stage.web_port
    make = orders.over(sessions)
    await closed_loop(port, make, clients=CLIENTS, requests=WARM_UP)
    await bench.drain()
    await bench.connection.execute("ANALYZE")
    rounds: list[Load] = []
    spent: list[dict[str, float]] = []
    plain: list[float] = []
    drained: list[float] = []
    for _round in range(bench.rounds):
        before = bench.cpu()
        load = await closed_loop(port, make, clients=CLIENTS, requests=ORDERS)
        drained.append(await bench.drain())
        spent.append(bench.cpu().since(before).per(ORDERS))
        rounds.append(load.only(201))
        plain.append(
            await bench.pgbench.per_second(
                script, clients=CLIENTS, seconds=PGBENCH_SECONDS, most=len(sessions)
            )
        )
    return _report(where, rounds, spent, plain, drained)


async def _script(bench: Bench, mirror: Business) -> str:
    """The statements of one order, the key's look-up included, on rows of another tenant."""
    session_id, token = UUID(int=1), "pgbench"
    key = mirror.keys[0]
    for guest in ("warm-up", token):
        body = {
            "kind": "session",
            "id": str(session_id),
            "guest_name": guest,
            "guest_email": f"{guest}@example.com",
        }
        headers = {"authorization": f"Bearer {key}", "idempotency-key": guest}
        request = bench.recorder.request("POST", "/api/v1/bookings", json=body, headers=headers)
        form_token = f"api:{hashlib.sha256(guest.encode()).hexdigest()}"
        script = await bench.recorder.script(
            request,
            {
                session_id: numbered_uuid(":at"),
                f"{guest}@example.com": "'guest' || :id || '@example.com'",
                form_token: "'token' || :id",
            },
            known={mirror.id, *mirror.services, UUID(hex=key.split("_")[2])},
        )
    return script


def _report(
    where: str,
    rounds: list[Load],
    spent: list[dict[str, float]],
    plain: list[float],
    drained: list[float],
) -> Report:
    per_second = middle([load.per_second for load in rounds])
    baseline = middle(plain)
    cpu_ms = middle([sum(one.values()) for one in spent])
    latencies = [one for load in rounds for one in load.latencies]
    ratio = per_second / baseline
    return Report(
        f"Bookings {where}",
        [
            Line(
                what=f"API bookings {where}, per second",
                figure=f"{per_second:.0f}",
                goal=f"≥ {GOAL_RATIO} of pgbench",
                met=ratio >= GOAL_RATIO,
                baseline=f"{baseline:.0f}",
                ratio=f"{ratio:.2f}",
            ),
            Line(
                what=f"CPU of an API booking {where}, its mail sent",
                figure=f"{cpu_ms:.1f} ms",
                goal=f"≤ {GOAL_CPU_MS:.0f} ms",
                met=cpu_ms <= GOAL_CPU_MS,
                pretix=f"{PRETIX_CPU_MS} ms",
                ratio=f"1/{PRETIX_CPU_MS / cpu_ms:.0f} of pretix",
            ),
        ],
        [
            f"Latency of {len(latencies)} bookings by {CLIENTS} clients: {percentiles(latencies)}.",
            f"CPU by program, ms per booking: {shares(spent)}.",
            f"Outbox empty {middle(drained):.1f} s after the last of {ORDERS} bookings.",
        ],
    )


async def _measure_rush(
    bench: Bench, business: Business, orders: Orders, service_id: UUID
) -> Report:
    seconds: list[float] = []
    spent: list[dict[str, float]] = []
    for _round in range(bench.rounds):
        (session_id,) = await bench.filler.sessions(
            business, service_id, 1, capacity=RUSH_SEATS, days=60
        )
        before = bench.cpu()
        load = await all_at_once(
            bench.stage.web_port,
            [orders.request(session_id) for _attempt in range(RUSH_ATTEMPTS)],
        )
        spent.append(bench.cpu().since(before).per(RUSH_ATTEMPTS))
        seconds.append(load.seconds)
        await _check_rush(bench, session_id, load)
        await bench.drain()
    figure = middle(seconds)
    return Report(
        "200 at once for 50 seats",
        [
            Line(
                what=f"{RUSH_ATTEMPTS} attempts at {RUSH_SEATS} seats, exactly {RUSH_SEATS} sold",
                figure=f"{figure:.2f} s",
                goal=f"≤ {GOAL_RUSH_SECONDS:.0f} s",
                met=figure <= GOAL_RUSH_SECONDS,
                pretix=f"{PRETIX_RUSH_SECONDS} s",
                ratio=f"1/{PRETIX_RUSH_SECONDS / figure:.0f} of pretix",
            )
        ],
        [
            "Seconds until the last answer, by round: "
            + ", ".join(f"{one:.2f}" for one in seconds)
            + ".",
            f"CPU by program, ms per attempt: {shares(spent)}.",
        ],
    )


async def _check_rush(bench: Bench, session_id: UUID, load: Load) -> None:
    """Raises: RuntimeError unless exactly the seats there are were sold."""
    taken = await bench.connection.fetchval(
        "SELECT seats_taken FROM sessions WHERE id = $1", session_id
    )
    live = await bench.connection.fetchval(
        "SELECT count(*) FROM seats WHERE session_id = $1 AND state = 'confirmed'", session_id
    )
    expected = {201: RUSH_SEATS, 409: RUSH_ATTEMPTS - RUSH_SEATS}
    if (taken, live) != (RUSH_SEATS, RUSH_SEATS) or load.statuses != expected:
        raise RuntimeError(f"Sold {taken} and {live} seats, answered {dict(load.statuses)}.")
