"""How seats ended, as the mail about it needs to know."""

from collections.abc import Container, Mapping, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.credit_words import how_to_use_credits
from src.booking.credit_words import credit_lines, credits_are_lost
from src.booking.models import Seat
from src.booking.money_words import back_line
from src.booking.queries.changes import Believed
from src.booking.queries.mail_facts import BookingFacts, SplitParty
from src.booking.views.leaving import CreditBack


class SeatsEnd(msgspec.Struct, frozen=True):
    """Why seats ended, and by whom. `going_on` are the bookings that have others which stand.

    `by_hand_minor` was paid on site and is handed back there; `owed_minor` is still to be paid
    there for all of their orders. `parties` are those, by booking, of which somebody still comes to
    the dates. `believed`: what their guest knows of the dates that have changed since. `as_asked`:
    the guest had asked the business to end them. `credits_back` come back for them. `fee_minor` is
    asked for leaving late.
    """

    reason: str
    by_guest: bool
    key: str
    going_on: Container[UUID]
    by_hand_minor: int = 0
    owed_minor: int = 0
    parties: Mapping[UUID, SplitParty] = {}
    believed: Believed = {}
    as_asked: bool = False
    as_voucher: bool = False
    credits_back: Sequence[CreditBack] = ()
    fee_minor: int = 0

    def back_line(self, bookings: Sequence[BookingFacts], zone: ZoneInfo) -> str:
        """What comes back, and what is asked, in the current language."""
        return back_line(
            bookings,
            self.by_hand_minor,
            self.owed_minor,
            [*credit_lines(self.credits_back, zone), *self._how_to_use(), *self._lost(bookings)],
            as_voucher=self.as_voucher,
            fee_minor=self.fee_minor,
        )

    def _how_to_use(self) -> list[str]:
        """Of credits that they have for the first time."""
        new = sum(not credit.is_own for credit in self.credits_back)
        return [how_to_use_credits(new)] if new else []

    def _lost(self, bookings: Sequence[BookingFacts]) -> list[str]:
        """Of credits that paid, beside others that come back; alone, none is said to come back."""
        lost = sum(_is_credit_lost(item.seat) for facts in bookings for item in facts.seats)
        return [credits_are_lost(lost, others_come_back=True)] if lost and self.credits_back else []


def _is_credit_lost(seat: Seat) -> bool:
    return seat.credit_lot_id is not None and seat.returned_as is None
