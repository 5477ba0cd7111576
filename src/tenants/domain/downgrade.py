"""What a smaller plan means for what is there, said before it happens.

Nothing is ever deleted and nobody loses a seat: the sentences say what is hidden, what goes on
and what can no longer be added.
"""

from enum import StrEnum

import msgspec

from src.platform.i18n import _, ngettext
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.plans import Change


class Weight(StrEnum):
    """`loss`: guests or the business notice. `keeps`: a reassurance. `note`: good to know."""

    LOSS = "loss"
    KEEPS = "keeps"
    NOTE = "note"


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that follows from a change of plan, as a sentence for an admin or an owner."""

    weight: Weight
    text: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant uses of its limits now."""

    members: int
    taken_this_month: int


def limit_consequences(change: Change, standing: Standing) -> list[Consequence]:
    """What the limits after the change mean for what is used now."""
    after = {change_of.limit: change_of.after for change_of in change.limits}
    found: list[Consequence] = []
    members = after.get(Limit.MEMBERS)
    if members is not None and standing.members > members:
        found.append(_members_over(standing.members, members))
    bookings = after.get(Limit.BOOKINGS_PER_MONTH)
    if bookings is not None and standing.taken_this_month >= bookings:
        found.append(_month_used_up(standing.taken_this_month, bookings))
    return found


def feature_consequences(change: Change) -> list[Consequence]:
    """What losing a feature leaves in guests' hands, where that can be said without counting."""
    if Feature.AUTO_REFUND not in change.lost:
        return []
    text = _(
        "Credits that guests have got back stay usable, and what is booked keeps the terms it was "
        "booked with. Of new bookings money comes back by the plain steps of each service and "
        "series, which you can look at there first; where there are none, nothing does."
    )
    return [Consequence(weight=Weight.KEEPS, text=text)]


def needless_bolt_on(plan: str, bolt_on: str) -> Consequence:
    """Of a bolt-on that would be paid for beside a plan that has all of it."""
    text = _(
        "%(plan)s has all of %(bolt_on)s by itself: the bolt-on can be removed then.",
        plan=plan,
        bolt_on=bolt_on,
    )
    return Consequence(weight=Weight.NOTE, text=text)


def month_left(taken: int, limit: int) -> list[Consequence]:
    """Where this month stands under another number of bookings, unless that is used up."""
    if taken >= limit:
        return []
    text = ngettext(
        "This month's limit becomes %(num)s booking, of which %(taken)s are used.",
        "This month's limit becomes %(num)s bookings, of which %(taken)s are used.",
        limit,
        taken=taken,
    )
    return [Consequence(weight=Weight.NOTE, text=text)]


def _members_over(members: int, limit: int) -> Consequence:
    text = ngettext(
        "The business has %(members)s members and the plan has room for %(num)s. All of them stay; "
        "nobody can be added.",
        "The business has %(members)s members and the plan has room for %(num)s. All of them stay; "
        "nobody can be added.",
        limit,
        members=members,
    )
    return Consequence(weight=Weight.LOSS, text=text)


def _month_used_up(taken: int, limit: int) -> Consequence:
    text = _(
        "This month has %(taken)s bookings and the plan has %(limit)s a month. No booking can be "
        "made before the next month begins; those that are made stay.",
        taken=taken,
        limit=limit,
    )
    return Consequence(weight=Weight.LOSS, text=text)
