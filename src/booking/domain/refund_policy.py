"""What comes back for a place that is left in time, by how it was paid: money, or one credit.

A policy is kept with the terms of a series, or of a service for what is sold singly. What it gives
for the way in which a booking is paid is put into the terms that the booking keeps, so that neither
a later edit nor the end of the bolt-on changes anything for who has booked.
Source: docs/algorithms/refund-policies.md.
"""

from enum import StrEnum
from uuid import UUID

import msgspec

from src.booking.domain.leaving_steps import Tier, step_errors
from src.platform.i18n import _


class BuyerKind(StrEnum):
    """Who bought: a course, or a single date by card, by credit or on site."""

    COURSE = "course"
    CARD = "card"
    CREDIT = "credit"
    ON_SITE = "on_site"


class Gives(StrEnum):
    """What comes back: the money it was paid with, one credit of a refund package, the very credit
    that paid it, or nothing.
    """

    MONEY = "money"
    PACKAGE = "package"
    CREDIT = "credit"
    NOTHING = "nothing"


CHOICES: dict[BuyerKind, tuple[Gives, ...]] = {
    BuyerKind.COURSE: (Gives.MONEY, Gives.PACKAGE, Gives.NOTHING),
    BuyerKind.CARD: (Gives.MONEY, Gives.PACKAGE, Gives.NOTHING),
    BuyerKind.CREDIT: (Gives.CREDIT, Gives.NOTHING),
    BuyerKind.ON_SITE: (Gives.MONEY, Gives.PACKAGE, Gives.NOTHING),
}
"""What can come back to whom; who paid with a credit has paid no money for the place."""


class GivenBack(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A refund package as it was when the place was bought. `validity_days` 0: see `expiry`."""

    package_id: UUID
    name: str
    any_service: bool = False
    service_ids: tuple[UUID, ...] = ()
    tags: tuple[str, ...] = ()
    validity_days: int = 0


class BuyerRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one kind of buyer gets, by the steps in `tiers`. A credit is whole: it is given until
    the last step that gives anything.
    """

    gives: Gives
    tiers: tuple[Tier, ...] = ()
    package_id: UUID | None = None


class RefundPolicy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule for each kind of buyer; None: the plain terms hold for them."""

    course: BuyerRule | None = None
    card: BuyerRule | None = None
    credit: BuyerRule | None = None
    on_site: BuyerRule | None = None

    def rule_for(self, kind: BuyerKind) -> BuyerRule | None:
        found: BuyerRule | None = getattr(self, kind.value)
        return found

    @property
    def is_empty(self) -> bool:
        return all(self.rule_for(kind) is None for kind in BuyerKind)

    @property
    def package_ids(self) -> set[UUID]:
        rules = [self.rule_for(kind) for kind in BuyerKind]
        return {rule.package_id for rule in rules if rule is not None and rule.package_id}


def rule_that_holds(
    kind: BuyerKind, of_series: RefundPolicy | None, of_service: RefundPolicy | None
) -> BuyerRule | None:
    """The series' own rule wins; without one a single date follows its service."""
    own = None if of_series is None else of_series.rule_for(kind)
    if own is not None or kind is BuyerKind.COURSE or of_service is None:
        return own
    return of_service.rule_for(kind)


def policy_errors(policy: RefundPolicy | None, *, has_quiet: bool) -> dict[str, str]:
    """Sentences by field, `policy.<kind>.<field>`; empty when the policy may be saved."""
    wrong: dict[str, str] = {}
    for kind in BuyerKind:
        rule = None if policy is None else policy.rule_for(kind)
        if rule is not None:
            found = _rule_errors(kind, rule, has_quiet=has_quiet)
            wrong |= {f"policy.{kind}.{name}": said for name, said in found.items()}
    return wrong


def _rule_errors(kind: BuyerKind, rule: BuyerRule, *, has_quiet: bool) -> dict[str, str]:
    wrong = step_errors(rule.tiers, has_quiet=has_quiet)
    if rule.gives not in CHOICES[kind]:
        wrong["gives"] = _("This cannot come back to them.")
    if rule.gives is Gives.PACKAGE and rule.package_id is None:
        wrong["package_id"] = _("Please choose which credit is given back.")
    gives_any = any(tier.percent > 0 for tier in rule.tiers)
    if rule.gives is not Gives.NOTHING and not gives_any and "tiers" not in wrong:
        wrong["tiers"] = _("Please say until when it comes back.")
    return wrong
