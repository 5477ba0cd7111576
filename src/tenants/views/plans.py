"""Plans as pages show them."""

from datetime import datetime

import msgspec

from src.tenants.domain.downgrade import Consequence


class PlanCard(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in a price list; limits and features are sentences in the reader's language."""

    key: str
    name: str
    summary: str
    monthly_minor: int
    yearly_minor: int
    currency: str
    trial_days: int
    limits: tuple[str, ...]
    features: tuple[str, ...]
    is_highlighted: bool = False


class PriceListView(msgspec.Struct, frozen=True, kw_only=True):
    """What strangers read: the public plans, smallest first, and what a new business gets."""

    plans: tuple[PlanCard, ...]
    trial_plan: str | None
    trial_days: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a limit is used; `limit` None is no limit."""

    label: str
    used: int
    limit: int | None


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """What a move brings and takes, in sentences."""

    gained: tuple[str, ...]
    lost: tuple[str, ...]
    limits: tuple[str, ...]
    consequences: tuple[Consequence, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.gained or self.lost or self.limits)


class OtherPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan beside the tenant's own."""

    card: PlanCard
    is_current: bool
    is_tried: bool
    asked_at: datetime | None


class OwnPlanView(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's page about its plan."""

    slug: str
    zone: str
    plan_name: str
    plan_after_trial: str
    monthly_minor: int
    yearly_minor: int
    currency: str
    trial_ends_at: datetime | None
    trial_days_left: int | None
    month_begins_at: datetime
    next_month_at: datetime
    bookings: Usage
    members: Usage
    features: tuple[str, ...]
    missing: tuple[str, ...]
    keeps_older_terms: bool
    extras: tuple[str, ...]
    others: tuple[OtherPlan, ...]


class PlanChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """What would change for a tenant on another plan, before it asks."""

    slug: str
    zone: str
    current_name: str
    other: OtherPlan
    change: ChangeView
    trial_ends_at: datetime | None


class UpgradeView(msgspec.Struct, frozen=True, kw_only=True):
    """Shown in place of what the plan does not have."""

    heading: str
    slug: str
    zone: str
    current_plan: str
    cheapest_plan: str | None
    cheapest_key: str | None
    monthly_minor: int | None
    currency: str
    wanted_for: str
    asked_at: datetime | None
