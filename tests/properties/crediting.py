"""Steps of guests who pay with credits, and of a business that lets those last longer."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import GUEST, PICK, SIZE
from tests.properties.credits_model import end_of_day
from tests.properties.giving_back import GivingBack
from tests.properties.things import Lot, Purchase

LONGER = [timedelta(days=1), timedelta(days=3), timedelta(days=20)]
MOST_PURCHASES = 2


class Crediting(GivingBack):
    """Taking places for credits; giving them back is leaving and calling off, as for all others."""

    @rule(pick=PICK, which=PICK, size=SIZE, fits=st.booleans())
    def book_by_credit(self, pick: int, which: int, size: int, fits: bool) -> None:
        lot = self._any(self.model.lots, which)
        offers = [*self.model.series, *self.model.runs]
        if fits:
            may = [
                one
                for one in offers
                if (priced := self.model.price_of(one, size, self.now)) is not None
                and self.model.may_pay(lot, priced[0], one, size, self.now)
            ]
            offers = may or offers
        sale = self._book(self._any(offers, pick), size, lot.guest, lot=lot)
        self._count("book by credit" if sale is not None else "book by credit, refused")

    @rule(which=PICK, by=st.sampled_from(LONGER))
    def extend(self, which: int, by: timedelta) -> None:
        """What was lost at the end before stays lost."""
        lot = self._any([one for one in self.model.lots if one.expires_at is not None], which)
        assert lot.expires_at is not None
        expires_at = max(lot.expires_at, self.now) + by
        self.shop.run(self.steps.extend(lot, expires_at))
        lot.expires_at, lot.told_at = expires_at, self.now
        lot.is_warned = lot.is_told = False
        self._count("extend")

    @precondition(lambda self: len(self.model.purchases) < MOST_PURCHASES)
    @rule(guest=GUEST)
    def buy_credits(self, guest: str) -> None:
        order_id, lot_id = self.shop.run(self.steps.buy_credits(guest, self.model.sold_package_id))
        purchase, ends_at = Purchase(order_id, guest, 3100), end_of_day(4, self.now)
        lot = Lot(lot_id, guest, 3, self.now, ends_at, bought=3, paid=3100, paid_by=purchase)
        self.model.buy_credits(lot, purchase)
        self._count("buy credits")

    @rule(which=PICK, part=st.sampled_from([50, 100, 100, 101]), fits=st.booleans())
    def refund_credits(self, which: int, part: int, fits: bool) -> None:
        """All that are left of a lot, for as much as they are worth, or less."""
        lots = self.model.lots
        if fits:
            lots = [one for one in lots if self.model.worth(one, self.now)] or lots
        self._refund_credits(self._any(lots, which), part)

    def _refund_credits(self, lot: Lot, part: int) -> None:
        worth = self.model.worth(lot, self.now)
        amount = max(worth * part // 100, 1) + (part > 100)
        allowed, _none = self._attempt(self.steps.refund_credits(lot, amount))
        assert allowed == (amount <= worth)
        if allowed:
            self.model.refund_credits(lot, amount)
            self._count(f"refund credits of a {type(lot.paid_by).__name__.lower()}")
