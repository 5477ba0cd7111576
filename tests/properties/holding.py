"""Steps of staff who hold places for a guest with a link to pay, and do not wait for it."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import GUEST, PICK, SIZE, Buying
from tests.properties.things import Sale, sold_online

THEN = st.sampled_from(["wait", "wait", "mark", "release", "go to pay"])


class Holding(Buying):
    """Holding, marking as paid on site, releasing."""

    @rule(pick=PICK, size=SIZE, guest=GUEST, then=THEN)
    def hold_by_link(self, pick: int, size: int, guest: str, then: str) -> None:
        """What a guest could buy online as well: staff are exempt from more than is known here."""
        offers = [one for one in [*self.model.series, *self.model.runs] if sold_online(one)]
        may = [one for one in offers if self.model.price_of(one, size, self.now) is not None]
        if not may:
            return
        sale = self._book(self._any(may, pick), size, guest, by_link=True)
        assert sale is not None
        self._count("hold by link")
        if then == "mark":
            self._mark_held(sale)
        elif then == "release":
            self._release_held(sale)
        elif then == "go to pay":
            self._go_to_pay(sale)

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK)
    def mark_held(self, pick: int) -> None:
        self._mark_held(self._any(self._held_by_link() or self.model.sales, pick))

    def _mark_held(self, sale: Sale) -> None:
        is_called_off = sale.by_link and self.model.is_called_off(sale)
        taken_minor = self.model.mark_held(sale, self.now)
        allowed, taken = self._attempt(self.steps.mark_held(sale))
        assert allowed == (taken_minor is not None)
        assert taken is None or taken.amount.amount_minor == taken_minor
        if is_called_off and not allowed:
            self._count("mark what is being cancelled, refused")

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK)
    def release_held(self, pick: int) -> None:
        self._release_held(self._any(self._held_by_link() or self.model.sales, pick))

    def _release_held(self, sale: Sale) -> None:
        expected = self.model.release_held(sale, self.now)
        allowed, released = self._attempt(self.steps.release_held(sale))
        assert allowed == expected
        assert released is None or released.state == sale.state
