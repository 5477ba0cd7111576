"""Whether credits may pay for seats, and if not, why; judged beside what stands against booking."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from src.billing.domain.credits import LotFacts, Target, Unusable, pooled, why_not_usable
from src.billing.domain.lot_users import Comer
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import Reason, ReasonCode
from src.platform.i18n import _, ngettext


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditFacts:
    """Seats that `lot` is to pay for, `needed` credits in all.

    `is_taken`: the date, or the whole series, can be paid with credits. `is_free`: it costs nothing
    anyway.
    """

    lot: LotFacts
    target: Target
    needed: int
    is_taken: bool
    is_free: bool


def takes_credits(rules: DropInRules) -> bool:
    """Whether a single date can be paid with credits: always, unless its series lists ways to pay
    without them.
    """
    return not rules.pays or PayWay.CREDIT in rules.pays


def target_of(quote: Quote, tags: frozenset[str], last_starts_at: datetime) -> Target:
    return Target(quote.service_id, tags, last_starts_at)


def for_party(facts: CreditFacts, party: Sequence[Comer] | None, now: datetime) -> CreditFacts:
    """The same, held against those who come, with all credits that could pay for them together."""
    target = facts.target
    if party is not None:
        target = replace(target, party=tuple(party))
    return replace(facts, lot=pooled(facts.lot, target, now), target=target)


def why_not_by_credit(facts: CreditFacts, now: datetime) -> list[Reason]:
    """Every reason against, the weightiest first; empty when the lot may pay."""
    if facts.is_free:
        free = _("This costs nothing, so no credit is needed.")
        return [Reason(ReasonCode.CREDITS_NOT_TAKEN, free, free, "")]
    if not facts.is_taken:
        return [
            Reason(
                ReasonCode.CREDITS_NOT_TAKEN,
                _("This cannot be paid with credits. Please choose another way to pay."),
                _("Credits are not among the ways to pay for this."),
                _("Allow credits in the rules of its series."),
            )
        ]
    unusable = why_not_usable(facts.lot, facts.target, facts.needed, now)
    return [_reason(one, facts) for one in unusable]


def _reason(why: Unusable, facts: CreditFacts) -> Reason:
    guest, owner, mend = _words(why, facts)
    return Reason(ReasonCode(f"credits_{why.value}"), guest, owner, mend)


def _words(why: Unusable, facts: CreditFacts) -> tuple[str, str, str]:
    """What the guest reads, what the owner reads, and what the owner can do."""
    name = facts.lot.name
    extend = _("Extend the credits.")
    match why:
        case Unusable.PENDING:
            said = _("“%(name)s” is not paid yet, so its credits cannot be used.", name=name)
            return said, said, _("Mark its order as paid once you have the money.")
        case Unusable.VOID:
            said = _("“%(name)s” was never paid.", name=name)
            return said, said, ""
        case Unusable.REFUNDED:
            said = _("The credits of “%(name)s” were given back as money.", name=name)
            return said, said, ""
        case Unusable.EXPIRED:
            said = _("The credits of “%(name)s” have ended.", name=name)
            return said, said, extend
        case Unusable.USED_UP:
            said = _("All credits of “%(name)s” are used.", name=name)
            return said, said, _("Add credits to it.")
        case Unusable.OUT_OF_SCOPE:
            guest = _("The credits of “%(name)s” are not for this.", name=name)
            owner = _("“%(name)s” is for other services, and no tag of it is on this.", name=name)
            return guest, owner, _("Give the date or its series a tag of the credits.")
        case Unusable.NOT_FOR_THEM:
            guest = _(
                "The credits of “%(name)s” are for certain people, and not for everyone who comes."
                " Under “My bookings” you say who may use them.",
                name=name,
            )
            owner = _("“%(name)s” is for certain people, and not for these.", name=name)
            return guest, owner, _("Change who may use the credits.")
        case Unusable.TOO_FEW:
            said = ngettext(
                "Only one credit of “%(name)s” is left, and this needs %(needed)s.",
                "Only %(num)s credits of “%(name)s” are left, and this needs %(needed)s.",
                facts.lot.balance,
                name=name,
                needed=facts.needed,
            )
            return said, said, _("Add credits to it.")
        case Unusable.STARTS_AFTER_EXPIRY:
            said = _("The credits of “%(name)s” end before this takes place.", name=name)
            return said, said, extend
