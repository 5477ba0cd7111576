"""Faults of the API and of webhook delivery, switched on by tests through the knobs."""

from typing import Any, Literal

import msgspec

ApiFaultKind = Literal[
    "timeout_before",
    "timeout_after",
    "error_500_before",
    "error_500_after",
    "error_500_sticky",
    "rate_limit",
    "delay",
    "refuse",
]
"""timeout_before: nothing is done and no answer comes. timeout_after: the work is done, its answer
is lost, the same idempotency key gets it later. error_500_before: nothing is done. error_500_after:
done, and the same key gets the real answer. error_500_sticky: done, and the same key gets the 500
again, as Stripe warns. rate_limit: 429, nothing done. delay: slow, then right; the key is in flight
meanwhile. refuse: the answer given in `error`, kept under the key."""


class ApiFault(msgspec.Struct, forbid_unknown_fields=True):
    """The next `times` calls that match fail in this way."""

    kind: ApiFaultKind
    times: int = 1
    seconds: float = 30.0
    method: str = ""
    path_contains: str = ""
    account: str = ""
    error: dict[str, Any] = msgspec.field(default_factory=dict)

    def matches(self, method: str, path: str, account: str) -> bool:
        return (
            self.times > 0
            and self.method.upper() in ("", method)
            and self.path_contains in path
            and self.account in ("", account)
        )


class WebhookFaults(msgspec.Struct, forbid_unknown_fields=True):
    """How delivery misbehaves until it is told otherwise.

    `duplicate`: further deliveries of each event. `reorder`: events of a short while arrive newest
    first. `drop`: events are never delivered. `fail_first`: the first n attempts of each delivery
    are lost on the way. `lose_answers`: the first n attempts arrive, yet count as failed.
    `events` limits what is sent at all (empty = everything), `only` limits the faults to types.
    """

    delay_seconds: float = 0.0
    duplicate: int = 0
    reorder: bool = False
    drop: bool = False
    fail_first: int = 0
    lose_answers: int = 0
    events: list[str] = msgspec.field(default_factory=list)
    only: list[str] = msgspec.field(default_factory=list)

    def touch(self, event_type: str) -> bool:
        return not self.only or event_type in self.only

    def wanted(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


class RefundKnob(msgspec.Struct, forbid_unknown_fields=True):
    """The status that coming refunds get: `succeeded`, `pending` or `failed`."""

    status: Literal["succeeded", "pending", "failed"] = "succeeded"
    times: int = -1

    def take(self) -> str:
        """The status of the next refund; after `times` refunds it is `succeeded` again."""
        status = self.status
        if self.times > 0:
            self.times -= 1
            if self.times == 0:
                self.status, self.times = "succeeded", -1
        return status


class Faults:
    """All faults that are on. They are not kept over a restart."""

    def __init__(self) -> None:
        self.api: list[ApiFault] = []
        self.webhooks = WebhookFaults()
        self.refunds = RefundKnob()

    def take_api_fault(self, method: str, path: str, account: str) -> ApiFault | None:
        for fault in self.api:
            if fault.matches(method, path, account):
                fault.times -= 1
                self.api = [left for left in self.api if left.times > 0]
                return fault
        return None

    def clear(self) -> None:
        self.api = []
        self.webhooks = WebhookFaults()
        self.refunds = RefundKnob()

    def as_dict(self) -> dict[str, Any]:
        return {
            "api": [msgspec.structs.asdict(fault) for fault in self.api],
            "webhooks": msgspec.structs.asdict(self.webhooks),
            "refunds": msgspec.structs.asdict(self.refunds),
        }
