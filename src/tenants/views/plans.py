"""Plans as pages show them."""

from datetime import datetime
from uuid import UUID

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


class BoltOnCard(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on on a tenant's page: what it costs and what it does, in sentences.

    One that the tenant has is on the terms it took it with.
    """

    key: str
    name: str
    summary: str
    monthly_minor: int
    yearly_minor: int
    currency: str
    additions: tuple[str, ...]
    since: datetime | None = None
    asked_at: datetime | None = None
    keeps_older_terms: bool = False
    is_in_plan: bool = False


class TotalView(msgspec.Struct, frozen=True, kw_only=True):
    """What plan and bolt-ons cost together, line by line, trials aside."""

    lines: tuple[tuple[str, int], ...]
    monthly_minor: int
    yearly_minor: int
    currency: str
    monthly_before_minor: int
    """Until then; the same where nothing changes."""

    @property
    def is_changed(self) -> bool:
        return self.monthly_minor != self.monthly_before_minor


class BoltOnView(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on before a tenant asks for it, or removes what it has of it (`held_id`)."""

    slug: str
    zone: str
    card: BoltOnCard
    held_id: UUID | None
    change: ChangeView
    total: TotalView


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
    held: tuple[BoltOnCard, ...]
    bolt_ons: tuple[BoltOnCard, ...]
    total: TotalView
    others: tuple[OtherPlan, ...]


class PlanChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """What would change for a tenant on another plan, before it asks; `total` with its bolt-ons,
    which stay, where it has any.
    """

    slug: str
    zone: str
    current_name: str
    other: OtherPlan
    change: ChangeView
    trial_ends_at: datetime | None
    total: TotalView | None


class UpgradeView(msgspec.Struct, frozen=True, kw_only=True):
    """Shown in place of what the plan does not have. `bolt_on` names one that costs less than the
    cheapest plan, and is what is asked for then.
    """

    heading: str
    slug: str
    zone: str
    current_plan: str
    cheapest_plan: str | None
    bolt_on: str | None
    action: str | None
    """Where the button posts to; None for who may not ask, or where there is nothing to ask for."""
    fields: dict[str, str]
    monthly_minor: int | None
    currency: str
    asked_at: datetime | None
