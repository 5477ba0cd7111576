"""What happens between a tenant and its plan."""

from typing import ClassVar
from uuid import UUID

from src.platform.outbox.events import Event


class MonthlyLimitNeared(Event, frozen=True, kw_only=True):
    """A booking brought the month to 80 or 100 percent of what the plan has."""

    topic: ClassVar[str] = "tenants.monthly_limit_neared"
    month: str
    percent: int
    taken: int
    limit: int


class PlanRequested(Event, frozen=True, kw_only=True):
    """A tenant asked the platform for a plan."""

    topic: ClassVar[str] = "tenants.plan_requested"
    request_id: UUID
