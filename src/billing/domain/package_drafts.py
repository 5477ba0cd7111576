"""What makes a package of credits valid when its owner saves it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from src.billing.domain.credits import (
    LONGEST_VALIDITY_DAYS,
    MOST_CREDITS,
    RefundRule,
    Scope,
)
from src.billing.domain.parts import plan_errors
from src.billing.domain.schedules import Every, Unit
from src.platform.i18n import _

MONTHLY = Every(1, Unit.MONTH)
LARGEST_PRICE_MINOR = 2_000_000_000
LONGEST_NAME = 120
LONGEST_DESCRIPTION = 2000
LAST_POSITION = 10_000


class Purpose(StrEnum):
    """For sale, or what a refund policy gives back for a cancelled date."""

    SALE = "sale"
    REFUND = "refund"


class PackageWay(StrEnum):
    """How the price of a package can be paid."""

    ONLINE = "online"
    ON_SITE = "on_site"


class Shown(StrEnum):
    """Who finds a package: everybody, who has its link, nobody."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDraft:
    """A package as somebody wants it. What is given back for a date is one credit and has no price:
    there the fields of a sale count for nothing.
    """

    name: str
    scope: Scope
    purpose: Purpose = Purpose.SALE
    description: str = ""
    credits: int = 1
    price_minor: int = 0
    tax_rate_bp: int = 0
    validity_days: int = 0
    pays: Sequence[PackageWay] = ()
    parts: int = 0
    parts_every: Every = MONTHLY
    refund_rule: RefundRule = RefundRule.LINEAR
    visibility: Shown = Shown.PUBLIC
    position: int = 0

    @property
    def is_for_sale(self) -> bool:
        return self.purpose is Purpose.SALE


def package_errors(draft: PackageDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when the package may be saved as it is."""
    fields: dict[str, str] = {}
    if not draft.name.strip():
        fields["name"] = _("Give the package a name.")
    elif len(draft.name.strip()) > LONGEST_NAME:
        fields["name"] = _("Use at most %(most)s letters.", most=LONGEST_NAME)
    if len(draft.description) > LONGEST_DESCRIPTION:
        fields["description"] = _("Use at most %(most)s letters.", most=LONGEST_DESCRIPTION)
    if not 0 <= draft.validity_days <= LONGEST_VALIDITY_DAYS:
        fields["validity_days"] = _between(0, LONGEST_VALIDITY_DAYS)
    if not 0 <= draft.position <= LAST_POSITION:
        fields["position"] = _between(0, LAST_POSITION)
    if draft.scope.is_empty:
        fields["scope"] = _(
            "Choose services or tags, or let the credits be good for any service. As it is, nobody"
            " could use them for anything."
        )
    return {**fields, **_sale_errors(draft)} if draft.is_for_sale else fields


def _sale_errors(draft: PackageDraft) -> dict[str, str]:
    fields: dict[str, str] = {}
    if not 1 <= draft.credits <= MOST_CREDITS:
        fields["credits"] = _between(1, MOST_CREDITS)
    if not 0 <= draft.price_minor <= LARGEST_PRICE_MINOR:
        fields["price_minor"] = _("This amount is too large.")
    if draft.price_minor and not draft.pays:
        fields["pays"] = _("Choose how it can be paid.")
    if draft.parts and (not draft.price_minor or PackageWay.ONLINE not in draft.pays):
        fields["parts"] = _("Only what has a price and is paid online can be paid in parts.")
    fields |= plan_errors(draft.parts, draft.parts_every)
    return fields


def _between(lowest: int, highest: int) -> str:
    return _("Choose a number from %(lowest)s to %(highest)s.", lowest=lowest, highest=highest)
