"""Signs events and brings them to their endpoints at least once, with backoff and faults."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time

import httpx

from src.sandbox.stripe.config import Config, Endpoint, Hook
from src.sandbox.stripe.engine import Engine
from src.sandbox.stripe.tls import tls_context

_log = logging.getLogger(__name__)

_PARALLEL = 16
_BATCH = 256
_FLUSH_PAUSE_SECONDS = 0.05
_LONGEST_BACKOFF_SECONDS = 60.0

Due = tuple[int, str, int, str]


def signature_header(payload: str, secret: str, at: int) -> str:
    """`Stripe-Signature` of a payload: HMAC-SHA256 of the time, a dot and the body."""
    digest = hmac.new(secret.encode(), f"{at}.{payload}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class WebhookSender:
    """Delivers due events in the background of the running loop; `transport` replaces the network
    where the receiver runs in the same process.
    """

    def __init__(self, engine: Engine, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._engine = engine
        self._transport = transport
        self._task: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self._wake = asyncio.Event()
        self._round = asyncio.Lock()

    def wake(self) -> None:
        """Looks for due events now; starts the background task when it is not running."""
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """What is not delivered stays queued for the next start."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def flush(self, timeout_seconds: float) -> dict[str, int]:
        """Delivers everything now, whatever its delay or backoff, until nothing is pending or the
        time is up. A receiver that keeps failing is tried again and again, never given up.
        """
        stop_at = time.monotonic() + timeout_seconds
        while self._engine.store.next_delivery_at() is not None and time.monotonic() < stop_at:
            failed = await self._deliver_due(until=float("inf"), may_give_up=False)
            if failed:
                await asyncio.sleep(_FLUSH_PAUSE_SECONDS)
        return self._engine.store.delivery_counts()

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            await self._deliver_due(until=time.time(), may_give_up=True)
            next_at = self._engine.store.next_delivery_at()
            pause = None if next_at is None else max(0.0, next_at - time.time())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _deliver_due(self, until: float, *, may_give_up: bool) -> int:
        """One round, and only one at a time, so that no row is picked up twice; gives the number
        of deliveries that failed.
        """
        async with self._round:
            due = self._engine.store.due_deliveries(until, _BATCH)
            # Newest first, one by one, is the most disorder that a receiver can meet.
            disorder = self._engine.faults.webhooks.reorder
            gate = asyncio.Semaphore(1 if disorder else _PARALLEL)

            async def one(row: Due) -> bool:
                async with gate:
                    return await self._deliver(row, may_give_up)

            outcomes = await asyncio.gather(*(one(row) for row in (due[::-1] if disorder else due)))
        return outcomes.count(False)

    async def _deliver(self, row: Due, may_give_up: bool) -> bool:
        delivery_id, endpoint, attempts, payload = row
        attempts += 1
        ok, answer = await self._attempt(endpoint, attempts, payload)
        config = self._engine.config
        state, due_at = "delivered", 0.0
        if not ok:
            gone = may_give_up and attempts >= config.webhook_attempts
            state = "given_up" if gone else "pending"
            due_at = time.time() + _backoff_seconds(config, attempts)
        self._engine.store.mark_delivery(delivery_id, state, attempts, due_at, answer)
        return ok

    async def _attempt(self, endpoint: str, attempts: int, payload: str) -> tuple[bool, str]:
        faults = self._engine.faults.webhooks
        touched = faults.touch(str(json.loads(payload)["type"]))
        hook = self._engine.config.hooks.get(_endpoint(endpoint))
        if hook is None:
            return False, "no endpoint"
        if touched and attempts <= faults.fail_first:
            return False, "lost on the way"
        try:
            answer = await self._post(hook, payload)
        except httpx.HTTPError as error:
            return False, repr(error)
        if touched and attempts <= faults.lose_answers:
            return False, "answer lost"
        if not answer.is_success:
            _log.warning("%s answered %s to an event", hook.url, answer.status_code)
        return answer.is_success, str(answer.status_code)

    async def _post(self, hook: Hook, payload: str) -> httpx.Response:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport,
                timeout=self._engine.config.webhook_timeout_seconds,
                trust_env=False,
                verify=tls_context(),
            )
        # The receiver's own clock judges the signature, so it carries the wall clock.
        signature = signature_header(payload, hook.secret, int(time.time()))
        return await self._client.post(
            hook.url,
            content=payload.encode(),
            headers={
                "content-type": "application/json; charset=utf-8",
                "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                "stripe-signature": signature,
            },
        )


def _endpoint(name: str) -> Endpoint:
    return "platform" if name == "platform" else "connect"


def _backoff_seconds(config: Config, attempts: int) -> float:
    grown = config.webhook_retry_base_seconds * 2.0 ** (attempts - 1)
    return min(grown, _LONGEST_BACKOFF_SECONDS)
