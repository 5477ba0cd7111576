"""Cancelling a course of eight dates that 2,000 guests have paid by card: until no seat is live and
every refund is asked for, until the last mail has left, and until the last refund has arrived.

The guests' payments are made at the stand-in, so that it can give them back; it answers at once,
and tells of each refund by a webhook as Stripe does.
"""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx

from benchmarks.data import Business, Record
from benchmarks.http_load import Connection, post
from benchmarks.runs import Bench, Line, Report
from src.billing.stripe_gateway import StripeGateway
from src.platform.ids import new_id

BUYERS, DATES, SHARE_MINOR = 2_000, 8, 1_000
PRICE_MINOR = DATES * SHARE_MINOR
FREE_SECONDS, ALL_SECONDS = 90.0, 150.0
AT_ONCE = 8

_TOLD = "SELECT count(*) FROM mails WHERE tenant_id = $1 AND sent_at IS NOT NULL"
_RETURNED = "SELECT count(*) FROM refunds WHERE tenant_id = $1 AND state = 'succeeded'"

TABLES = {
    "customers": "tenant_id id email name phone is_established created_at",
    "participants": "tenant_id id customer_id name",
    "orders": "tenant_id id reference customer_id state payment_mode currency total_minor"
    " discount_minor paid_minor refunded_minor month form_token fingerprint guest_name guest_email"
    " guest_phone locale source consents created_at confirmed_at",
    "order_lines": "tenant_id id order_id position kind subject_id description tier quantity"
    " unit_minor discount_minor total_minor tax_rate_bp tax_minor",
    "payments": "tenant_id id order_id account_id payment_intent_id amount_minor fee_minor"
    " refunded_minor currency is_extra method received_at",
    "bookings": "tenant_id id order_id customer_id service_id series_id party_size answers note"
    " leaving created_at",
}
SEATS = (
    "tenant_id id booking_id order_id session_id participant_id state share_minor returned_minor"
    " sequence sold_sequence told_sequence changed_at changed_by changed_why"
)


async def measure_cancelling_course(bench: Bench) -> list[Report]:
    """Once: thousands of seats are rounds enough."""
    business = await bench.filler.business("cancelling-course")
    await bench.filler.connect_payments(business)
    await _knob(bench, "webhooks", drop=True)
    intents = await _pay(bench, business)
    await _knob(bench, "reset_faults")
    series_id = await _fill(bench, business, intents)
    await bench.drain()
    await bench.connection.execute("ANALYZE")
    return [await _measure(bench, business, series_id)]


async def _measure(bench: Bench, business: Business, series_id: UUID) -> Report:
    before, began_at = bench.cpu(), time.perf_counter()
    await _cancel(bench, business, series_id)
    asked = time.perf_counter() - began_at
    live = "SELECT EXISTS (SELECT FROM sessions WHERE tenant_id = $1 AND seats_taken > 0)"
    await bench.until_false(live, business.id, seconds=FREE_SECONDS, every_seconds=0.02)
    freed = time.perf_counter() - began_at
    await _check_money(bench, business)
    told = await _until(bench, _TOLD, business, began_at)
    returned = await _until(bench, _RETURNED, business, began_at)
    spent = bench.cpu().since(before)
    per_guest = ", ".join(f"{name} {cost:.2f}" for name, cost in spent.per(BUYERS).items())
    what = "Cancelling a course of 8 dates and 2,000 buyers"
    return Report(
        what,
        [
            Line(what=f"{what}: until the choice of money is kept", figure=f"{asked:.2f} s"),
            Line(what=f"{what}: until all is freed and refunds queued", figure=f"{freed:.1f} s"),
            Line(what=f"{what}: until the last of 2,000 mails", figure=told),
            Line(what=f"{what}: until the last of 2,000 refunds", figure=returned),
        ],
        [f"CPU of each guest freed, refunded and told, in ms by program: {per_guest}."],
    )


async def _cancel(bench: Bench, business: Business, series_id: UUID) -> None:
    """Raises: RuntimeError."""
    connection = await Connection.open(bench.stage.web_port)
    headers = {
        "authorization": f"Bearer {business.keys[0]}",
        "content-type": "application/json",
    }
    body = json.dumps({"reason": "Rain", "returns": {"all": "full"}}).encode()
    answer = await connection.send(post(f"/api/v1/series/{series_id}/cancel", body, headers))
    connection.close()
    if answer.status != 202:
        raise RuntimeError(f"The cancellation was answered {answer.status}: {answer.body[:300]!r}")


async def _check_money(bench: Bench, business: Business) -> None:
    """Raises: RuntimeError when a guest's share was not asked for, or twice."""
    row = await bench.connection.fetchrow(
        "SELECT count(*), count(DISTINCT order_id), sum(amount_minor) FROM refunds"
        " WHERE tenant_id = $1",
        business.id,
    )
    if tuple(row) != (BUYERS, BUYERS, BUYERS * PRICE_MINOR):
        raise RuntimeError(f"The refunds are {tuple(row)}.")


async def _until(bench: Bench, question: str, business: Business, began_at: float) -> str:
    """When all of them have come, or how many did within the time that a benchmark can wait."""
    while True:
        come: int = await bench.connection.fetchval(question, business.id)
        took = time.perf_counter() - began_at
        if come >= BUYERS:
            return f"{took:.1f} s"
        if took > ALL_SECONDS:
            return f"{come:,} of {BUYERS:,} after {took:.0f} s"
        await asyncio.sleep(0.2)


async def _pay(bench: Bench, business: Business) -> list[str]:
    """The intents of so many payments by card at the stand-in."""
    account_id = await _account_of(bench, business)
    gateway = bench.filler.services.port(StripeGateway)
    address = f"http://127.0.0.1:{bench.stage.stripe_port}/_emulator/pay"
    intents: list[str] = []

    async def pay(http: httpx.AsyncClient, number: int) -> None:
        made = await gateway.create_checkout_page(account_id, _page(), f"course-{number}")
        paid = (await http.post(address, json={"session": made.id}, timeout=30)).json()
        intents.append(paid["session"]["payment_intent"])

    async with httpx.AsyncClient() as http:
        for first in range(0, BUYERS, AT_ONCE):
            await asyncio.gather(*(pay(http, first + other) for other in range(AT_ONCE)))
    return intents


def _page() -> dict[str, Any]:
    price = {"currency": "eur", "unit_amount": PRICE_MINOR, "product_data": {"name": "Yoga"}}
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": "http://127.0.0.1/thanks",
    }


async def _account_of(bench: Bench, business: Business) -> str:
    found: str = await bench.connection.fetchval(
        "SELECT account_id FROM connected_accounts WHERE tenant_id = $1", business.id
    )
    return found


async def _knob(bench: Bench, knob: str, **wish: object) -> None:
    address = f"http://127.0.0.1:{bench.stage.stripe_port}/_emulator/{knob}"
    async with httpx.AsyncClient() as http:
        (await http.post(address, json=wish)).raise_for_status()


async def _fill(bench: Bench, business: Business, intents: Sequence[str]) -> UUID:
    """The rows that the booking command and a payment write. Returns the series."""
    filler = bench.filler
    service_id = await filler.service(business, "Yoga")
    sessions = await filler.sessions(business, service_id, DATES, capacity=BUYERS, days=56)
    series_id = await filler.series(business, service_id, sessions)
    account_id = await _account_of(bench, business)
    buyers = list(_buyers(business, service_id, series_id, account_id, intents))
    for table, columns in TABLES.items():
        await filler.copy(table, columns, [buyer[table] for buyer in buyers])
    now = datetime.now(UTC)
    seats = [
        (
            *(business.id, new_id(), buyer["bookings"][1], buyer["orders"][1], session_id),
            *(buyer["participants"][1], "confirmed", SHARE_MINOR, 0, 0, 0, 0, now, "guest", ""),
        )
        for buyer in buyers
        for session_id in sessions
    ]
    await filler.copy("seats", SEATS, seats)
    await bench.connection.execute(
        "UPDATE sessions SET seats_taken = $2 WHERE tenant_id = $1", business.id, BUYERS
    )
    return series_id


def _buyers(
    business: Business, service_id: UUID, series_id: UUID, account_id: str, intents: Sequence[str]
) -> Iterator[dict[str, Record]]:
    now, tenant, price = datetime.now(UTC), business.id, PRICE_MINOR
    month = f"{now:%Y-%m}"
    for number, intent in enumerate(intents):
        email, name = f"guest{number}@{business.slug}.example", f"Guest {number}"
        customer, order, booking, person = new_id(), new_id(), new_id(), new_id()
        yield {
            "customers": (tenant, customer, email, name, "", True, now),
            "participants": (tenant, person, customer, name),
            "orders": (
                *(tenant, order, f"C{number}", customer, "confirmed", "online", "EUR", price, 0),
                *(price, 0, month, f"course:{number}", "-", name, email, "", "en", "api", "{}"),
                *(now, now),
            ),
            "order_lines": (
                *(tenant, new_id(), order, 0, "series", series_id, "Yoga", "", 1),
                *(price, 0, price, 0, 0),
            ),
            "payments": (
                *(tenant, new_id(), order, account_id, intent, price, 0, 0, "EUR"),
                *(False, "card", now),
            ),
            "bookings": (
                *(tenant, booking, order, customer, service_id, series_id, 1, "{}", "", "{}"),
                now,
            ),
        }
