"""Steps of guests who pay by bank transfer, and of staff who look at the account."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import GUEST, PICK, SIZE
from tests.properties.credits_model import ZONE
from tests.properties.holding import Holding
from tests.properties.things import Offer, Run, Sale, sold_online

AMOUNT = st.sampled_from(["part", "all", "all", "more"])
THEN = st.sampled_from(["wait", "wait", "pay", "lapse", "lapse and pay"])


class Transferring(Holding):
    """Matching what came, in time or not; waiting for it longer."""

    @rule(pick=PICK, size=SIZE, guest=GUEST, fits=st.booleans(), which=PICK, then=THEN)
    def book_by_transfer(
        self, pick: int, size: int, guest: str, fits: bool, which: int, then: str
    ) -> None:
        """A voucher may pay a part of it."""
        offers: list[Run | Offer] = [*self.model.series, *self.model.runs]
        if fits:
            offers = [one for one in offers if self._may_transfer(one, size)] or offers
        usable = [one for one in self.model.gifts if one.may_pay(self.now)]
        gift = self._any(usable, which) if usable and which % 3 == 0 else None
        sale = self._book(self._any(offers, pick), size, guest, gift=gift, by_transfer=True)
        self._count("book by transfer" + (", refused" if sale is None else ""))
        if sale is None or sale.state != "open":
            return
        if then.startswith("lapse"):
            self._receive(sale, "part")
            assert sale.hold_until is not None
            self.wait(sale.hold_until - self.now + timedelta(seconds=1))
            self.sweep()
        if then.endswith("pay"):
            self._receive(sale, "all")

    def _may_transfer(self, what: Run | Offer, size: int) -> bool:
        priced = self.model.price_of(what, size, self.now)
        if priced is None or not sold_online(what):
            return False
        return self.model.transferred_until(priced[0], self.now) is not None

    @precondition(lambda self: bool(self._by_transfer()))
    @rule(pick=PICK, amount=AMOUNT)
    def receive(self, pick: int, amount: str) -> None:
        self._receive(self._any(self._by_transfer(), pick), amount)

    def _receive(self, sale: Sale, amount: str) -> None:
        missing = max(self.model.missing(sale), 2)
        minor = {"part": missing // 2, "all": missing, "more": missing + 700}[amount]
        allowed, received = self._attempt(self.steps.receive(sale, minor))
        expected = self.model.receive(sale, minor, self.now)
        assert allowed == (expected is not None)
        if received is not None:
            assert received.outcome == expected
            self._count(f"receive, {expected}")

    @precondition(lambda self: bool(self._by_transfer()))
    @rule(pick=PICK, days=st.integers(-1, 6))
    def prolong(self, pick: int, days: int) -> None:
        sale = self._any(self._by_transfer(), pick)
        due_on = (self.now.astimezone(ZONE) + timedelta(days=days)).date()
        expected = self.model.may_prolong(sale, due_on, self.now)
        allowed, _none = self._attempt(self.steps.prolong(sale, due_on))
        assert allowed == expected
        if allowed:
            self.model.prolong(sale, due_on)
