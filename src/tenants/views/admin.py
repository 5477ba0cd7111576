"""The platform admin's desk."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from src.tenants.domain.roles import TenantStatus
from src.tenants.views.people import MemberRow
from src.tenants.views.plans import ChangeView, PlanCard, TotalView


class PlanShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many businesses are on a plan, whichever version."""

    key: str
    name: str
    tenants: int


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """The first page: who is here, who came, who waits, whose trial ends."""

    businesses: int
    new_this_month: int
    on_trial: int
    trials_ending_soon: int
    suspended: int
    open_requests: int
    oldest_request_at: datetime | None
    plans: tuple[PlanShare, ...]
    newest: tuple["TenantRow", ...]


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in the admin's list."""

    key: str
    name: str
    visibility: str
    version: int
    monthly_minor: int
    yearly_minor: int
    currency: str
    limits: tuple[str, ...]
    features: int
    tenants: int
    tenants_on_older: int


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a plan, with who is on it."""

    version_id: UUID
    version: int
    monthly_minor: int
    yearly_minor: int
    currency: str
    trial_days: int
    features: tuple[str, ...]
    limits: tuple[str, ...]
    created_at: datetime
    created_by: str
    tenants: int
    trials: int


class PlanDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with all its versions, newest first."""

    key: str
    card: PlanCard
    visibility: str
    versions: tuple[VersionRow, ...]

    @property
    def newest(self) -> VersionRow:
        return self.versions[0]

    @property
    def tenants(self) -> int:
        return sum(version.tenants for version in self.versions)


class TenantRow(msgspec.Struct, frozen=True, kw_only=True):
    """A business in the admin's list."""

    id: UUID
    slug: str
    name: str
    status: TenantStatus
    plan_name: str
    version: int
    trial_plan: str | None
    trial_ends_at: datetime | None
    created_at: datetime
    owner_email: str
    limit: int | None
    timezone: str
    taken: int = 0


class TenantFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of businesses is narrowed to; empty narrows nothing."""

    text: str = ""
    plan: str = ""
    status: str = ""
    page: int = 1


class TenantList(msgspec.Struct, frozen=True, kw_only=True):
    """One page of businesses."""

    rows: tuple[TenantRow, ...]
    total: int
    first: int
    has_more: bool


class GrantRow(msgspec.Struct, frozen=True, kw_only=True):
    """An override, in words."""

    id: UUID
    what: str
    ends_at: datetime | None
    has_ended: bool
    note: str
    created_by: str
    created_at: datetime


class TenantBoltOnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on beside a business: one it has, or, with `since` None, one that it can be given."""

    key: str
    name: str
    additions: tuple[str, ...]
    monthly_minor: int
    currency: str
    version: int
    newest_version: int
    since: datetime | None = None
    given_by: str = ""
    note: str = ""
    is_asked_for: bool = False


class MonthRow(msgspec.Struct, frozen=True, kw_only=True):
    """A month's bookings, newest month first. `on` is its first day on the business's clocks."""

    on: date
    taken: int
    warned_percent: int


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A business's wish for a plan or a bolt-on, which `asks_for` names."""

    id: UUID
    tenant_id: UUID
    tenant_name: str
    tenant_slug: str
    key: str
    asks_for: str
    is_bolt_on: bool
    current_plan: str
    requested_by: str
    wanted_for: str
    state: str
    created_at: datetime
    resolved_at: datetime | None
    resolved_by: str

    @property
    def answer_href(self) -> str:
        """Where an admin gives what is asked for."""
        business = f"/admin/tenants/{self.tenant_id}"
        if self.is_bolt_on:
            return f"{business}/bolt-ons/{self.key}/give"
        return f"{business}/move?plan={self.key}"


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of the platform's log."""

    at: datetime
    actor: str
    action: str
    subject: str
    subject_href: str | None
    detail: str


class TenantDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One business as the platform sees it."""

    row: TenantRow
    version_id: UUID
    newest_version: int
    currency: str
    features: tuple[str, ...]
    missing: tuple[str, ...]
    limits: tuple[str, ...]
    months: tuple[MonthRow, ...]
    members: tuple[MemberRow, ...]
    grants: tuple[GrantRow, ...]
    bolt_ons: tuple["TenantBoltOnRow", ...]
    requests: tuple[RequestRow, ...]


class MoveView(msgspec.Struct, frozen=True, kw_only=True):
    """A move before it is made."""

    row: TenantRow
    expected_version_id: UUID
    version_id: UUID
    plan_name: str
    version: int
    change: ChangeView
    trial_running: bool
    keep_trial: bool
    owners: tuple[str, ...]
    closes_request: bool
    is_same: bool


class BoltOnStepView(msgspec.Struct, frozen=True, kw_only=True):
    """Giving a business a bolt-on, or taking it, before it is done.

    `held_id` is what the business has of it; None where it has none.
    """

    row: TenantRow
    key: str
    name: str
    additions: tuple[str, ...]
    version_id: UUID
    held_id: UUID | None
    change: ChangeView
    total: TotalView
    owners: tuple[str, ...]
    is_active: bool
    closes_request: bool


class BoltOnRow(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on in the admin's list."""

    key: str
    name: str
    visibility: str
    active: bool
    version: int
    monthly_minor: int
    yearly_minor: int
    currency: str
    additions: tuple[str, ...]
    tenants: int
    tenants_on_older: int


class BoltOnVersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a bolt-on, with how many have it."""

    version: int
    monthly_minor: int
    yearly_minor: int
    currency: str
    additions: tuple[str, ...]
    created_at: datetime
    created_by: str
    tenants: int


class BoltOnHolder(msgspec.Struct, frozen=True, kw_only=True):
    """A business that has a bolt-on."""

    tenant_id: UUID
    name: str
    plan_name: str
    version: int


class BoltOnDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A bolt-on with all its versions, newest first, and the first businesses that have it."""

    key: str
    name: str
    summary: str
    visibility: str
    active: bool
    versions: tuple[BoltOnVersionRow, ...]
    holders: tuple[BoltOnHolder, ...]

    @property
    def newest(self) -> BoltOnVersionRow:
        return self.versions[0]

    @property
    def tenants(self) -> int:
        return sum(version.tenants for version in self.versions)


class GrantRemovalView(msgspec.Struct, frozen=True, kw_only=True):
    """An override before it is taken back."""

    row: TenantRow
    grant: GrantRow
    change: ChangeView
