"""What the mails about plans say."""

import msgspec


class PlanMail(msgspec.Struct, frozen=True, kw_only=True):
    """What all of them have."""

    locale: str
    from_name: str
    name: str
    business: str
    href: str


class LimitNearedMail(PlanMail, frozen=True, kw_only=True):
    """To the owners: the month is at 80 or 100 percent."""

    percent: int
    taken: int
    limit: int
    plan_name: str
    next_month_on: str


class PlanRequestedMail(PlanMail, frozen=True, kw_only=True):
    """To the platform's admins: somebody asked for a plan."""

    plan_name: str
    current_plan: str
    requested_by: str
    wanted_for: str


class RequestDeclinedMail(PlanMail, frozen=True, kw_only=True):
    """To the one who asked."""

    plan_name: str
    answer: str


class TenantMovedMail(PlanMail, frozen=True, kw_only=True):
    """To the owners: the business is on another plan. `lost` is what it had and has no more,
    `consequences` what follows for what is there, in sentences.
    """

    plan_name: str
    lost: tuple[str, ...]
    consequences: tuple[str, ...]
    limits: tuple[str, ...]
    features: tuple[str, ...]


class BoltOnMail(PlanMail, frozen=True, kw_only=True):
    """To the owners: the business has a bolt-on, or no longer; `by` is a member who removed it."""

    bolt_on: str
    by: str
    limits: tuple[str, ...]
    features: tuple[str, ...]


class BoltOnRemovedByOwnerMail(PlanMail, frozen=True, kw_only=True):
    """To the platform's admins: a business removed a bolt-on by itself."""

    bolt_on: str
    by: str
