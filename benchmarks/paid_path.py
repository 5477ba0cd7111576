"""A guest's whole paid path, from the hub to the confirmation page, and the mail after it."""

import asyncio
import json
import re
import time
from html import unescape
from itertools import count
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from benchmarks.data import Business
from benchmarks.http_load import Answer, Connection, get, post
from benchmarks.meters import middle
from benchmarks.runs import Bench, Line, Report, percentiles, shares

GUESTS, AT_ONCE, WARM_UP = 40, 4, 8
PRICE_MINOR = 1500
GOAL_CPU_MS = 30.0
PRETIX_CPU_MS = 1_165
FORM = {"content-type": "application/x-www-form-urlencoded"}
_HIDDEN = re.compile(r'name="(_csrf_token|form_token|quoted_minor|quoted_size)"\s+value="([^"]*)"')


class Guest:
    """A browser of one guest, at an address of their own behind the proxy."""

    def __init__(self, web: Connection, till: Connection, number: int) -> None:
        self._web = web
        self._till = till
        self._number = number
        self._cookies: dict[str, str] = {}

    async def buys(self, business: Business, session_id: UUID) -> None:
        """Raises: RuntimeError when a page is not what a guest expects."""
        hub = f"/b/{business.slug}"
        form_path = f"{hub}/yoga/book?session={session_id}"
        await self._read(hub)
        await self._read(f"{hub}/yoga")
        form = await self._read(form_path)
        sent = await self._web.send(
            post(form_path, self._filled(form), {**self._headers(), **FORM})
        )
        if sent.status != 303 or "/c/pay/" not in sent.location:
            raise RuntimeError(f"The form was answered {sent.status}: {sent.body[:400]!r}")
        back = await self._pay(sent.location)
        confirmation = await self._read(f"{urlsplit(back).path}?{urlsplit(back).query}")
        if b"processing" in confirmation.body and b"confirmed" not in confirmation.body:
            raise RuntimeError("The confirmation page still waits for the payment.")

    async def _read(self, path: str) -> Answer:
        answer = await self._web.send(get(path, self._headers()))
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered {answer.status}: {answer.body[:400]!r}")
        self._cookies |= answer.cookies
        return answer

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        high, low = divmod(self._number, 250)
        headers = {"accept": "text/html", "x-forwarded-for": f"203.0.{high % 250}.{low + 1}"}
        headers["origin"] = "http://127.0.0.1"
        return {**headers, "cookie": cookies} if cookies else headers

    def _filled(self, form: Answer) -> bytes:
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(form.body.decode())}
        fields = {"name": f"Guest {self._number}", "email": f"payer{self._number}@example.com"}
        return urlencode({**hidden, **fields, "size": "1", "step": "book"}).encode()

    async def _pay(self, payment_url: str) -> str:
        """By the stand-in's knob; returns the address that the guest is sent back to."""
        wish = {"session": urlsplit(payment_url).path.rsplit("/", 1)[-1]}
        headers = {"content-type": "application/json"}
        paid = await self._till.send(post("/_emulator/pay", json.dumps(wish).encode(), headers))
        answer = json.loads(paid.body)
        if answer.get("outcome") != "paid":
            raise RuntimeError(f"The stand-in answered {paid.status}: {answer}")
        return str(answer["session"]["success_url"])


async def measure_paid_path(bench: Bench) -> list[Report]:
    business = await bench.filler.business("paid")
    service_id = await bench.filler.service(business, "Yoga", price_minor=PRICE_MINOR)
    sessions = await bench.filler.sessions(business, service_id, 40, capacity=1_000, days=30)
    await bench.filler.connect_payments(business)
    await bench.drain()
    numbers = count()
    await _round(bench, business, sessions, numbers, WARM_UP)
    await bench.connection.execute("ANALYZE")
    spent: list[dict[str, float]] = []
    seconds: list[float] = []
    for _turn in range(bench.rounds):
        before = bench.cpu()
        seconds += await _round(bench, business, sessions, numbers, GUESTS)
        spent.append(bench.cpu().since(before).per(GUESTS))
    await _check_all_confirmed(bench, business, WARM_UP + GUESTS * bench.rounds)
    return [_report(spent, seconds)]


async def _round(
    bench: Bench, business: Business, sessions: list[UUID], numbers: "count[int]", guests: int
) -> list[float]:
    """Seconds of each guest's path, the stand-in's own time included; the mails have left then."""
    left = iter(range(guests))
    seconds: list[float] = []

    async def browser() -> None:
        web = await Connection.open(bench.stage.web_port)
        till = await Connection.open(bench.stage.stripe_port)
        for turn in left:
            began_at = time.perf_counter()
            await Guest(web, till, next(numbers)).buys(business, sessions[turn % len(sessions)])
            seconds.append(time.perf_counter() - began_at)
        web.close()
        till.close()

    await asyncio.gather(*(browser() for _place in range(AT_ONCE)))
    await _webhooks_sent(bench)
    await bench.drain()
    return seconds


async def _webhooks_sent(bench: Bench) -> None:
    till = await Connection.open(bench.stage.stripe_port)
    await till.send(
        post("/_emulator/flush", b'{"timeout_seconds": 20}', {"content-type": "application/json"})
    )
    till.close()


async def _check_all_confirmed(bench: Bench, business: Business, orders: int) -> None:
    found = await bench.connection.fetchval(
        "SELECT count(*) FROM orders WHERE tenant_id = $1 AND state = 'confirmed'"
        " AND paid_minor = $2",
        business.id,
        PRICE_MINOR,
    )
    mails = await bench.connection.fetchval(
        "SELECT count(*) FROM mails WHERE tenant_id = $1 AND kind = 'confirmed'"
        " AND sent_at IS NOT NULL",
        business.id,
    )
    if (found, mails) != (orders, orders):
        raise RuntimeError(f"{found} of {orders} guests are confirmed, {mails} have their mail.")


def _report(spent: list[dict[str, float]], seconds: list[float]) -> Report:
    cpu_ms = middle([sum(one.values()) for one in spent])
    times = percentiles([one * 1000 for one in seconds])
    return Report(
        "Paid path",
        [
            Line(
                what="CPU of a guest's whole paid path, mail sent",
                figure=f"{cpu_ms:.1f} ms",
                goal=f"≤ {GOAL_CPU_MS:.0f} ms",
                met=cpu_ms <= GOAL_CPU_MS,
                pretix=f"{PRETIX_CPU_MS:,} ms",
                ratio=f"1/{PRETIX_CPU_MS / cpu_ms:.0f} of pretix",
            )
        ],
        [
            f"CPU by program, ms per guest, stand-in and mailbox not counted: {shares(spent)}.",
            f"Time of {len(seconds)} guests, {AT_ONCE} at once, the stand-in's included: {times}.",
        ],
    )
