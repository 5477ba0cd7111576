"""Cancelling a session of 10,000 seats: until no seat is live, and until the last mail has left."""

import asyncio
import json
import time
from datetime import UTC, datetime
from uuid import UUID

from benchmarks.data import Business
from benchmarks.http_load import Connection, post
from benchmarks.runs import Bench, Line, Report
from src.booking.jobs.cancel import CHUNK_CUSTOMERS
from src.platform.ids import new_id

SEATS = 10_000
FREE_SECONDS, MAIL_SECONDS = 60.0, 150.0


async def measure_cancelling(bench: Bench) -> list[Report]:
    """Once: it is long, and thousands of seats are rounds enough."""
    business = await bench.filler.business("cancelling")
    service_id = await bench.filler.service(business, "Yoga")
    session_id = await bench.filler.full_session(business, service_id, SEATS)
    await bench.drain()
    await bench.connection.execute("ANALYZE")
    before, began_at = bench.cpu(), time.perf_counter()
    await _cancel(bench, business, session_id)
    freed = await _until_free(bench, session_id, began_at)
    sent = await _until_told(bench, business, began_at)
    spent = bench.cpu().since(before)
    took = time.perf_counter() - began_at
    plain = await _plain(bench)
    per_mail = ", ".join(f"{name} {cost:.2f}" for name, cost in spent.per(max(sent, 1)).items())
    return [_report(freed, sent, took, plain, spent.total * 1000 / max(sent, 1), per_mail)]


async def _cancel(bench: Bench, business: Business, session_id: UUID) -> None:
    connection = await Connection.open(bench.stage.web_port)
    headers = {
        "authorization": f"Bearer {business.keys[0]}",
        "content-type": "application/json",
    }
    path = f"/api/v1/sessions/{session_id}/cancel"
    answer = await connection.send(post(path, json.dumps({"reason": "Rain"}).encode(), headers))
    connection.close()
    if answer.status != 202:
        raise RuntimeError(f"The cancellation was answered {answer.status}: {answer.body[:300]!r}")


async def _until_free(bench: Bench, session_id: UUID, began_at: float) -> float:
    """Raises: TimeoutError; RuntimeError when a seat stayed live."""
    taken = "SELECT seats_taken > 0 FROM sessions WHERE id = $1"
    await bench.until_false(taken, session_id, seconds=FREE_SECONDS, every_seconds=0.02)
    freed = time.perf_counter() - began_at
    if await bench.connection.fetchval(
        "SELECT count(*) FROM seats WHERE session_id = $1 AND state <> 'cancelled'", session_id
    ):
        raise RuntimeError("A seat is live though the session counts none.")
    return freed


async def _until_told(bench: Bench, business: Business, began_at: float) -> int:
    """How many mails left within the time that a benchmark can wait."""
    while True:
        sent: int = await bench.connection.fetchval(
            "SELECT count(*) FROM mails WHERE tenant_id = $1 AND sent_at IS NOT NULL", business.id
        )
        if sent >= SEATS or time.perf_counter() - began_at > MAIL_SECONDS:
            return sent
        await asyncio.sleep(0.5)


async def _plain(bench: Bench) -> float:
    """The same chunks by psql, on a session like it."""
    business = await bench.filler.business("cancelling-psql")
    service_id = await bench.filler.service(business, "Yoga")
    session_id = await bench.filler.full_session(business, service_id, SEATS)
    cancellation_id = new_id()
    await bench.connection.execute(
        "INSERT INTO cancellations (tenant_id, id, scope, subject_id, state, reason, gives_back,"
        " total, done, seats_freed, requested_at, starts_at)"
        " VALUES ($1, $2, 'session', $3, 'running', '', false, $4, 0, 0, $5, $5)",
        business.id,
        cancellation_id,
        session_id,
        SEATS,
        datetime.now(UTC),
    )
    await bench.connection.execute("ANALYZE")
    began_at = time.perf_counter()
    await bench.pgbench.psql(
        "cancel.sql",
        {"tenant": business.id, "session": session_id, "cancellation": cancellation_id},
        times=SEATS // CHUNK_CUSTOMERS,
    )
    took = time.perf_counter() - began_at
    if await bench.connection.fetchval(
        "SELECT seats_taken FROM sessions WHERE id = $1", session_id
    ):
        raise RuntimeError("psql did not free every seat.")
    return took


def _report(
    freed: float, sent: int, took: float, plain: float, cpu_ms: float, per_mail: str
) -> Report:
    told = f"{took:.1f} s" if sent >= SEATS else f"{sent:,} of {SEATS:,} after {took:.0f} s"
    return Report(
        "Cancelling 10,000 seats",
        [
            Line(
                what="Cancelling 10,000 seats: until none is live",
                figure=f"{freed:.1f} s",
                baseline=f"{plain:.1f} s (psql)",
                ratio=f"{plain / freed:.2f}",
            ),
            Line(what="Cancelling 10,000 seats: until the last of 10,000 mails", figure=told),
        ],
        [
            f"{sent / took:.0f} mails a second.",
            f"CPU of each customer freed and told: {cpu_ms:.1f} ms, by program: {per_mail}.",
        ],
    )
