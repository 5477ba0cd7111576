"""How much goes back to whom when staff cancel: chosen for everybody, and changed for some.

What goes back is never more than the shares of a person's own seats that are being cancelled, and
never more than what is left of what they paid.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from src.booking.domain.unspent import Unspent
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.money import Money, format_money


class MoneyChoice(StrEnum):
    """What goes back to everybody for whom nothing else is said; `credit` is one for each seat that
    was paid.
    """

    NOTHING = "nothing"
    TERMS = "terms"
    FULL = "full"
    CREDIT = "credit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returnable:
    """What one order's guest could get back, in minor units: all of it, and by their terms.

    `by_hand_minor` of all of it was paid on site, so that the business hands it back itself. The
    dates that it is for start at `starts`. `paid_ids` are the seats that a credit can be given for
    instead, and `terms_ids` those for which their terms give one. `seats_minor` of all is for the
    seats alone, the rest for `unspent` credits that are taken back.
    """

    order_id: UUID
    name: str
    email: str
    seats: int
    share_minor: int
    seats_minor: int
    terms_minor: int
    by_hand_minor: int
    starts: tuple[datetime, ...]
    paid_ids: tuple[UUID, ...] = ()
    terms_ids: tuple[UUID, ...] = ()
    unspent: Unspent = field(default_factory=Unspent)

    @property
    def full_minor(self) -> int:
        return self.seats_minor + self.unspent.full_minor

    def credited(self, choice: MoneyChoice) -> tuple[UUID, ...]:
        """The seats that bring a credit."""
        if choice is MoneyChoice.CREDIT:
            return self.paid_ids
        return self.terms_ids if choice is MoneyChoice.TERMS else ()

    def takes_credits(self, back_minor: int) -> bool:
        """Whether so much is for credits too: it is more than the seats alone could bring."""
        return back_minor > self.seats_minor

    @property
    def with_credits(self) -> list[int]:
        """The amounts that are for credits too, the least first: the seats, and whole credits."""
        return [self.seats_minor + minor for minor in self.unspent.amounts]

    def by(self, choice: MoneyChoice) -> int:
        match choice:
            case MoneyChoice.NOTHING | MoneyChoice.CREDIT:
                return 0
            case MoneyChoice.TERMS:
                return self.terms_minor
            case MoneyChoice.FULL:
                return self.full_minor


def chosen_minor(
    people: Sequence[Returnable],
    choice: MoneyChoice,
    own: Mapping[UUID, int],
    currency: str,
    locale: str,
) -> dict[UUID, int]:
    """What goes back by order: as `choice` says, but for those in `own`; nothing is left out.

    Raises: InvalidInput at `back.<order>` for more than can go back, and for an amount that is for
    a part of an unspent credit.
    """
    known = {one.order_id: one for one in people}
    wrong: dict[str, str] = {}
    for order_id, minor in own.items():
        one = known.get(order_id)
        most = one.full_minor if one is not None else 0
        if not 0 <= minor <= most:
            amount = format_money(Money(most, currency), locale)
            wrong[f"back.{order_id}"] = _("At most %(amount)s can go back here.", amount=amount)
        elif one is not None and one.takes_credits(minor) and minor not in one.with_credits:
            wrong[f"back.{order_id}"] = _only_whole(one, minor, currency, locale)
    if wrong:
        raise InvalidInput(_("Please look at the marked amounts."), fields=wrong)
    chosen = {one.order_id: own.get(one.order_id, one.by(choice)) for one in people}
    return {order_id: minor for order_id, minor in chosen.items() if minor}


def _only_whole(one: Returnable, minor: int, currency: str, locale: str) -> str:
    """Names the amounts next to it that can go back."""
    amounts = [one.seats_minor, *one.with_credits]
    after = bisect_left(amounts, minor)
    less, more = (format_money(Money(amounts[at], currency), locale) for at in (after - 1, after))
    if after > 1:
        return _(
            "Unspent credits go only as a whole. Give %(less)s or %(more)s.", less=less, more=more
        )
    return _(
        "More than %(seats)s is for unspent credits too, and they go only as a whole. Give at most"
        " %(seats)s, or %(more)s.",
        seats=less,
        more=more,
    )


def chosen_credits(
    people: Sequence[Returnable], choice: MoneyChoice, own: Mapping[UUID, int]
) -> dict[UUID, tuple[UUID, ...]]:
    """The seats by order that bring a credit; who gets an amount of their own gets that instead."""
    return {
        one.order_id: seat_ids
        for one in people
        if one.order_id not in own and (seat_ids := one.credited(choice))
    }


def mark_of(people: Sequence[Returnable]) -> str:
    """What was seen before it was chosen; it changes when anybody's amounts do."""
    full = sum(one.full_minor for one in people)
    credited = sum(len(one.terms_ids) for one in people)
    mark = f"{len(people)}-{full}-{sum(one.terms_minor for one in people)}"
    return f"{mark}-{credited}" if credited else mark
