"""What happens between a tenant and its plan."""

from typing import ClassVar
from uuid import UUID

from src.platform.outbox.events import Event
from src.tenants.domain.plans import Change


class MonthlyLimitNeared(Event, frozen=True, kw_only=True):
    """A booking brought the month to 80 or 100 percent of what the plan has."""

    topic: ClassVar[str] = "tenants.monthly_limit_neared"
    month: str
    percent: int
    taken: int
    limit: int


class PlanRequested(Event, frozen=True, kw_only=True):
    """A tenant asked the platform for a plan or a bolt-on."""

    topic: ClassVar[str] = "tenants.plan_requested"
    request_id: UUID


class PlanRequestDeclined(Event, frozen=True, kw_only=True):
    """An admin closed a request without giving anything; `answer` is for the business to read."""

    topic: ClassVar[str] = "tenants.plan_request_declined"
    request_id: UUID
    answer: str


class TenantMoved(Event, frozen=True, kw_only=True):
    """An admin put the tenant on a plan; `change` is what that gave and took, None in events of
    before this was carried.
    """

    topic: ClassVar[str] = "tenants.tenant_moved"
    move_id: UUID
    plan_name: str
    change: Change | None = None


class BoltOnGiven(Event, frozen=True, kw_only=True):
    """An admin gave the tenant a bolt-on."""

    topic: ClassVar[str] = "tenants.bolt_on_given"
    held_id: UUID
    name: str


class BoltOnRemoved(Event, frozen=True, kw_only=True):
    """The tenant no longer has a bolt-on; `by` is who removed it."""

    topic: ClassVar[str] = "tenants.bolt_on_removed"
    held_id: UUID
    name: str
    by: str
    by_platform: bool


class EntitlementsEnded(Event, frozen=True, kw_only=True):
    """A trial or an override has come to its end, so that the month's limit may be another one."""

    topic: ClassVar[str] = "tenants.entitlements_ended"
