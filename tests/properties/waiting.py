"""Steps of guests who wait for places, and of the lists that offer them."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from src.booking.domain.cancelling import MoneyChoice
from tests.properties.buying import GUEST, PICK, SIZE
from tests.properties.calling_off import CallingOff
from tests.properties.driver import GUESTS
from tests.properties.things import Entry, Offer, Promise, Run

THEN = st.sampled_from(["wait", "take", "take", "let pass"])


class Waiting(CallingOff):
    """Joining, leaving, places that get free, taking an offer or letting it pass."""

    @rule(pick=PICK, size=SIZE, guest=GUEST, is_full=st.booleans())
    def join(self, pick: int, size: int, guest: str, is_full: bool) -> None:
        those: list[Run | Offer] = [*self.model.series, *self.model.runs]
        full = [one for one in those if self.model.may_join(one, size, self.now)]
        self._join(self._any(full if is_full and full else those, pick), size, guest)

    @precondition(lambda self: self._coming())
    @rule(pick=PICK, size=SIZE, guests=st.permutations(GUESTS), then=THEN)
    def fill_and_make_room(self, pick: int, size: int, guests: list[str], then: str) -> None:
        """From full to free again, and what the guest who waited makes of it."""
        self.fill_and_join(pick, size, guests)
        self.make_room(pick, then)

    @precondition(lambda self: self._coming())
    @rule(pick=PICK, size=SIZE, guests=st.permutations(GUESTS))
    def fill_and_join(self, pick: int, size: int, guests: list[str]) -> None:
        """One guest takes all that is left, and another waits for it."""
        run = self._any(self._coming(), pick)
        if self.model.free(run):
            sale = self._book(run, self.model.free(run), guests[0])
            if sale is not None and sale.state == "open":
                self._go_to_pay(sale)
                self._pay(sale, heard=True)
        self._join(run, size, guests[1])

    def _join(self, what: Run | Offer, size: int, guest: str) -> None:
        expected = self.model.may_join(what, size, self.now)
        allowed, entry_id = self._attempt(self.steps.join(what, guest, size))
        assert allowed == expected
        if entry_id is not None:
            kept = self.model.entry_of(guest, what)
            assert kept is None or kept.id == entry_id
            self.model.join(entry_id, guest, what, size)

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK)
    def leave_list(self, pick: int) -> None:
        entry = self._any(self._entries(), pick)
        self._attempt(self.steps.leave_list(entry))
        self.model.end_entry(entry, "left", "declined")

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK)
    def remove(self, pick: int) -> None:
        entry = self._any(self._entries(), pick)
        self._attempt(self.steps.remove(entry))
        self.model.end_entry(entry, "removed", "withdrawn")

    @precondition(lambda self: self.model.entries)
    @rule(pick=PICK, fits=st.booleans())
    def offer_by_hand(self, pick: int, fits: bool) -> None:
        """To somebody who was taken off the list before, too."""
        entries = self.model.entries
        may = self._may_be_offered()
        entry = self._any(may if fits and may else entries, pick)
        self._offer_by_hand(entry)

    @precondition(lambda self: self._may_be_offered())
    @rule(pick=PICK)
    def offer_by_hand_to_who_may(self, pick: int) -> None:
        """Rare by itself: the list offers what there is before anybody does it by hand."""
        self._offer_by_hand(self._any(self._may_be_offered(), pick))

    def _may_be_offered(self) -> list[Entry]:
        return [one for one in self.model.entries if self.model.may_offer(one, self.now)]

    def _offer_by_hand(self, entry: Entry) -> None:
        expected = self.model.may_offer(entry, self.now)
        allowed, _none = self._attempt(self.steps.offer_by_hand(entry))
        assert allowed == expected
        if allowed:
            self._follow(by_hand=True)

    @precondition(lambda self: self._seats_waited_for())
    @rule(pick=PICK, then=THEN)
    def make_room(self, pick: int, then: str) -> None:
        """The owner cancels a seat that somebody waits for, and the list, which was at rest, has to
        hear of it.
        """
        self.deliver()
        if not self._seats_waited_for():
            return
        place = self._any(self._seats_waited_for(), pick)
        self._cancel_and(place, pick, MoneyChoice.NOTHING, None, "go on")
        if any(one.state == "live" for one in self.model.promises):
            if then == "take":
                self._take_offer(self._any(self._promises(), pick), child=False, pays=True)
            elif then == "let pass":
                self._let_pass(self._any(self._promises(), pick), exactly=False)

    @precondition(lambda self: self.model.promises)
    @rule(pick=PICK, child=st.booleans(), pays=st.booleans())
    def take_offer(self, pick: int, child: bool, pays: bool) -> None:
        """Whoever has the link; what has ended or was taken is no better than none."""
        self._take_offer(self._any(self._promises(), pick), child=child, pays=pays)

    def _take_offer(self, promise: Promise, *, child: bool, pays: bool) -> None:
        entry, state = promise.entry, promise.state
        sale = self._book(entry.what, entry.size, entry.guest, child=child, taking=promise)
        self._count(f"take {state} offer" + (", refused" if sale is None else ""))
        if pays and sale is not None and sale.state == "open":
            self._go_to_pay(sale)
            self._pay(sale, heard=True)

    @precondition(lambda self: any(one.state == "live" for one in self.model.promises))
    @rule(pick=PICK, exactly=st.booleans())
    def let_pass(self, pick: int, exactly: bool) -> None:
        """At the exact second an offer can still be taken, and the list says so."""
        self._let_pass(self._any(self._promises(), pick), exactly=exactly)

    def _let_pass(self, promise: Promise, *, exactly: bool) -> None:
        if promise.expires_at >= self.now:
            self.wait(promise.expires_at - self.now + timedelta(seconds=0 if exactly else 2))
        self.deliver()
