"""The model's rules for vouchers, and for money on its way back, which may be refused.

What goes back is set aside at once and comes free again when it fails. It goes to the voucher that
paid first, and then to the card; whether it arrives is the processor's to say.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from tests.properties.things import (
    GRACE,
    OWNER,
    Back,
    Gift,
    Lot,
    Purchase,
    Sale,
)

TOLD_OF = ("staff", "lost")
OF_CANCELLED = ("cancelled", "not delivered", "lost")


class Money:
    """Vouchers, and refunds of whatever was sold."""

    def __init__(self) -> None:
        self.lots: list[Lot] = []
        self.purchases: list[Purchase] = []
        self.gifts: list[Gift] = []
        self.backs: list[Back] = []
        self.mails: Counter[tuple[str, str]] = Counter()

    # --- vouchers

    def buy_gift(self, gift: Gift, purchase: Purchase) -> None:
        self.gifts.append(gift)
        self.purchases.append(purchase)
        self.mails["billing.voucher", purchase.guest] += 1

    def pay_by_gift(self, sale: Sale) -> None:
        """Once the order stands what its voucher pays is a payment."""
        if not sale.by_gift:
            sale.by_gift = sale.on_gift = sale.part
            sale.paid += sale.part

    def back_on_gift(self, sale: Sale) -> int:
        """What of it went back for cancelled parts, and so pays for the others no more."""
        mine = (one for one in self.backs if one.of is sale and one.gift is not None)
        return sum(one.amount for one in mine if one.cause in OF_CANCELLED)

    def gift_of(self, purchase: Sale | Purchase) -> Gift | None:
        return next((one for one in self.gifts if one.bought is purchase), None)

    # --- money goes back

    def ask(self, of: Sale | Purchase, wanted: int, cause: str) -> int:
        """As much of it as is left, to the voucher first. Returns how much that is."""
        asked = 0
        for gift, left in self._ways(of):
            part = min(wanted - asked, left)
            if part > 0:
                self._set_aside(Back(of, part, cause, gift))
                asked += part
        return asked

    def _ways(self, of: Sale | Purchase) -> Iterator[tuple[Gift | None, int]]:
        if isinstance(of, Sale) and of.gift is not None:
            yield of.gift, of.on_gift
        yield None, of.at_processor

    def _set_aside(self, back: Back) -> None:
        """Once nothing is left of a payment, nothing of it that failed can be tried again."""
        of = back.of
        of.refunded += back.amount
        if back.gift is not None:
            of.on_gift -= back.amount
        elif not of.at_processor:
            for other in self.failed(of):
                other.is_waiting = False
        if back not in self.backs:
            self.backs.append(back)

    def failed(self, of: Sale | Purchase) -> list[Back]:
        return [one for one in self.backs if one.of is of and one.state == "failed"]

    def is_free(
        self, of: Sale | Purchase, amount: int, now: datetime, again: Back | None = None
    ) -> bool:
        """Whether so much of what was paid lies in nothing that the guest can still use, but for
        what leaves with it, tried `again`.
        """
        gift = self.gift_of(of)
        return of.is_late or gift is None or amount <= gift.balance

    def refund(self, of: Sale | Purchase, amount: int, gift: Gift | None, now: datetime) -> None:
        """By hand: what was bought with it is off it at once."""
        back = Back(of, amount, "staff", gift, emptied=self.gift_of(of))
        self._set_aside(back)
        if back.emptied is not None:
            back.emptied.balance -= amount
        back.stand_ins = self.uncovered_stand_ins(of, now)
        for lot in back.stand_ins:
            lot.balance -= 1

    def uncovered_stand_ins(self, of: Sale | Purchase, now: datetime) -> list[Lot]:
        """Those that are unused, and that what is kept of its money pays for no more."""
        return []

    def arrive(self, now: datetime, *, refused: bool) -> None:
        """All that is under way gets where it is to go, but for cards where it is `refused`."""
        for back in [one for one in self.backs if one.state == "pending"]:
            if refused and back.gift is None:
                self._fail(back)
                continue
            back.state = "succeeded"
            after_all = back.has_failed and back.cause != "credits"
            self.mails["billing.refunded", back.of.guest] += back.cause in TOLD_OF or after_all
            if back.gift is not None:
                back.gift.balance += back.amount
                if back.gift.expires_at is not None:
                    back.gift.expires_at = max(back.gift.expires_at, now + GRACE)

    def _fail(self, back: Back) -> None:
        """What left with it is there again."""
        back.state, back.is_waiting = "failed", True
        back.of.refunded -= back.amount
        self.mails["billing.open_item", OWNER] += 1
        self._tell_of_failure(back)
        if back.emptied is not None:
            back.emptied.balance += back.amount
        for lot in back.stand_ins:
            lot.balance += 1
        if back.lot is not None:
            back.lot.balance += back.credits
            back.lot.refunded -= back.credits
            back.lot.returned -= back.amount
            self.mails["billing.credits_changed", back.lot.guest] += back.cause == "credits"

    def _tell_of_failure(self, back: Back) -> None:
        """The guest hears of it once, and not while their bank has the money, or where the mail
        about a late payment says it. Who owns credits hears of each.
        """
        back.has_failed = True
        if isinstance(back.of, Purchase) and back.of.dispute in ("open", "lost"):
            return
        is_news = back.cause not in ("credits", "too_late") and not back.is_told
        self.mails["billing.refund_failed", back.of.guest] += is_news
        back.is_told = True

    def may_retry(self, back: Back, now: datetime) -> bool:
        """What left with it has to be there to leave again, be it that it has ended meanwhile."""
        of, lot = back.of, back.lot
        may = back.is_waiting and back.amount <= of.at_processor
        has_credits = lot is None or lot.balance + lot.lost >= back.credits
        has_credits = has_credits and all(one.balance + one.lost for one in back.stand_ins)
        return may and has_credits and self.is_free(of, back.amount, now, back)

    def retry(self, back: Back) -> None:
        back.state, back.is_waiting = "pending", False
        self._set_aside(back)
        if back.emptied is not None:
            back.emptied.balance -= back.amount
        for lot in back.stand_ins:
            lot.take_out(1)
        if back.lot is not None:
            back.lot.take_out(back.credits)
            back.lot.refunded += back.credits
            back.lot.returned += back.amount
            self.mails["billing.credits_changed", back.lot.guest] += back.cause == "credits"

    # --- a bank has it

    def dispute(self, gift: Gift, purchase: Purchase, outcome: str | None) -> None:
        """What was decided is not opened again. A lost one leaves nothing to try again."""
        if purchase.dispute in ("won", "lost") and outcome is None:
            return
        if purchase.dispute == (outcome or "open"):
            return
        purchase.dispute = outcome or "open"
        if outcome == "won":
            for back in self.failed(purchase):
                if back.is_waiting:
                    self._tell_of_failure(back)
            return
        self.mails["billing.open_item", OWNER] += 1
        if gift.state == "active":
            gift.state = "blocked"
        for back in self.failed(purchase) if outcome == "lost" else []:
            back.is_waiting = False
