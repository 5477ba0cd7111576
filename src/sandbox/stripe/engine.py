"""The heart of the stand-in: one `Work` is one state change with its events, kept as a whole."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from src.sandbox.stripe.checker.responses import check_answer
from src.sandbox.stripe.clock import SandboxClock
from src.sandbox.stripe.config import Config, Endpoint
from src.sandbox.stripe.errors import ConformanceError, no_such
from src.sandbox.stripe.faults import Faults
from src.sandbox.stripe.ids import new_object_id
from src.sandbox.stripe.sdk import API_VERSION
from src.sandbox.stripe.store import Obj, Store

PLATFORM = "acct_1SandboxPlatform"
"""The id of the account that the secret key belongs to."""

_REORDER_WINDOW_SECONDS = 0.15


class Engine:
    """What all parts share: configuration, rows, time, faults."""

    def __init__(self, config: Config) -> None:
        self.config = config
        path = None if config.data_dir is None else config.data_dir / "stripe.sqlite3"
        self.store = Store(path)
        self.clock = SandboxClock(config.clock, self.store)
        self.faults = Faults()
        self.conformance_failures: list[str] = []
        self.on_event: Callable[[], None] = lambda: None

    @contextmanager
    def work(self, account: str = PLATFORM, cause: "Cause | None" = None) -> Iterator["Work"]:
        """Everything done inside is kept on a clean exit and undone on an exception."""
        work = Work(self, account, cause or Cause(), self.clock.now())
        with self.store.transaction():
            yield work
        if work.events:
            self.on_event()

    def checked(self, answer: Obj) -> Obj:
        """The answer itself; raises `ConformanceError` and remembers it when it is misshapen."""
        try:
            check_answer(answer)
        except ConformanceError as error:
            self.conformance_failures.extend(error.problems)
            raise
        return answer


@dataclass(frozen=True)
class Cause:
    """What made a change: an API request, or nothing for a page, a knob, or the passing of time.

    `base_url` is the root of this program's own pages as the caller reaches them.
    """

    base_url: str = ""
    request_id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Work:
    """One state change inside one transaction, on one account, at one moment."""

    engine: Engine
    account: str
    cause: Cause
    now: int
    events: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.engine.store

    def get(self, kind: str, object_id: str, param: str = "id", label: str | None = None) -> Obj:
        """The object of this account; raises Stripe's 404 when there is none."""
        found = self.store.get(self.account, kind, object_id)
        if found is None:
            raise no_such(label or kind, object_id, param)
        return found

    def add(self, obj: Obj, private: Obj | None = None) -> Obj:
        self.store.insert(self.account, obj["id"], obj, private)
        return obj

    def on(self, account: str) -> "Work":
        """The same transaction seen from another account."""
        return Work(self.engine, account, self.cause, self.now, self.events)

    def emit(self, event_type: str, obj: Obj, previous: Obj | None = None) -> None:
        """Records an event of this account and queues it for the endpoint that listens."""
        endpoint: Endpoint = "platform" if self.account == PLATFORM else "connect"
        event = self._event(event_type, obj, previous, endpoint)
        self.store.insert(self.account, event["id"], self.engine.checked(event))
        self._queue(event, endpoint)
        self.events.append(event["id"])

    def _event(
        self, event_type: str, obj: Obj, previous: Obj | None, endpoint: Endpoint
    ) -> dict[str, Any]:
        listening = self._listens(event_type, endpoint)
        event: dict[str, Any] = {
            "id": new_object_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.now,
            "data": {"object": obj},
            "livemode": False,
            "pending_webhooks": int(listening),
            "request": {
                "id": self.cause.request_id,
                "idempotency_key": self.cause.idempotency_key,
            },
            "type": event_type,
        }
        if previous is not None:
            event["data"]["previous_attributes"] = previous
        if endpoint == "connect":
            event["account"] = self.account
        return event

    def _listens(self, event_type: str, endpoint: Endpoint) -> bool:
        return endpoint in self.engine.config.hooks and self.engine.faults.webhooks.wanted(
            event_type
        )

    def _queue(self, event: Obj, endpoint: Endpoint) -> None:
        if not event["pending_webhooks"]:
            return
        faults = self.engine.faults.webhooks
        due_at, copies, state = time.time(), 1, "pending"
        if faults.touch(event["type"]):
            due_at += faults.delay_seconds + (_REORDER_WINDOW_SECONDS if faults.reorder else 0.0)
            copies += faults.duplicate
            state = "dropped" if faults.drop else "pending"
        for _ in range(copies):
            self.store.add_delivery(event["id"], endpoint, due_at, state)
