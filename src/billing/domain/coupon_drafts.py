"""What makes a coupon valid when its owner saves it."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from src.billing.domain.coupons import CHOSEN, CouponScope
from src.platform.i18n import _

LARGEST_AMOUNT_MINOR = 2_000_000_000
LARGEST_LIMIT = 1_000_000
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CouponDraft:
    """A coupon as somebody wants it; `code` is normalised, and one of the two values is there."""

    code: str
    percent: int | None
    amount_minor: int | None
    scope: CouponScope = CouponScope.ALL
    scope_ids: tuple[UUID, ...] = ()
    starts_on: date | None = None
    ends_on: date | None = None
    min_spend_minor: int = 0
    max_uses: int | None = None
    max_per_customer: int | None = None
    first_order_only: bool = False


def coupon_errors(draft: CouponDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when the coupon may be saved as it is."""
    fields: dict[str, str] = {}
    if not _CODE.fullmatch(draft.code):
        fields["code"] = _("Use 3 to 40 letters from A to Z, digits, hyphens and underscores.")
    if draft.amount_minor is None and not 1 <= (draft.percent or 0) <= 100:
        fields["percent"] = _between(1, 100)
    if draft.amount_minor is not None and not 0 < draft.amount_minor <= LARGEST_AMOUNT_MINOR:
        fields["amount_minor"] = _("Enter an amount above zero.")
    if not 0 <= draft.min_spend_minor <= LARGEST_AMOUNT_MINOR:
        fields["min_spend_minor"] = _("This amount is too large.")
    if draft.scope in CHOSEN and not draft.scope_ids:
        fields["scope_ids"] = _("Choose at least one, or let the coupon be for everything.")
    if draft.starts_on and draft.ends_on and draft.ends_on < draft.starts_on:
        fields["ends_on"] = _("The last day is before the first.")
    return {**fields, **_limit_errors(draft)}


def _limit_errors(draft: CouponDraft) -> dict[str, str]:
    limits = {"max_uses": draft.max_uses, "max_per_customer": draft.max_per_customer}
    return {
        name: _between(1, LARGEST_LIMIT)
        for name, limit in limits.items()
        if limit is not None and not 1 <= limit <= LARGEST_LIMIT
    }


def _between(lowest: int, highest: int) -> str:
    return _("Choose a number from %(lowest)s to %(highest)s.", lowest=lowest, highest=highest)
