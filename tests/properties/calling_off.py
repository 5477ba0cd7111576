"""Steps of an owner who calls something off, chooses what goes back, and may take it back."""

from datetime import timedelta
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice
from tests.properties.buying import PICK
from tests.properties.changing import Changing
from tests.properties.things import Ending, Offer, Place, Run, Sale, Subject

THEN = st.sampled_from(["undo", "wait", "go on"])
CHOICE = st.sampled_from([None, MoneyChoice.FULL, MoneyChoice.TERMS])
OWN = st.sampled_from([None, None, None, 50, 101])


class CallingOff(Changing):
    """Sessions, purchases, whole series and single seats."""

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_session(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        self._cancel_and(self._any(self._busy_runs(), pick), pick, choice, own, then)

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_purchase(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        self._cancel_and(self._any(self.model.sales, pick), pick, choice, own, then)

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_series(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        self._cancel_and(self._any(self.model.series, pick), pick, choice, own, then)

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, which=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_seat(
        self, pick: int, which: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        place = self._any(self._any(self.model.sales, pick).places, which)
        self._cancel_and(place, pick, choice, own, then)

    def _cancel_and(
        self,
        subject: Subject,
        pick: int,
        choice: MoneyChoice | None,
        own: int | None,
        then: str,
    ) -> None:
        """Without a choice it is a session that gives everything back, or something of which
        nothing goes back. Often it is taken back, or carried out, before anything else happens.
        """
        self._cancel(subject, pick, choice, own)
        if then == "undo" and self.model.endings:
            self._undo(self.model.endings[-1])
        elif then == "go on":
            self.wait(timedelta(seconds=11))
            self.deliver()

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=st.sampled_from(list(MoneyChoice)), own=OWN)
    def cancel_what_was_paid(self, pick: int, choice: MoneyChoice, own: int | None) -> None:
        """A session, so that there is something to choose about."""
        paid = [one for one in self._confirmed() if one.order.paid and one.share]
        if paid:
            self._cancel(self._any(paid, pick).run, pick, choice, own)
            self.wait(timedelta(seconds=11))
            self.deliver()

    @precondition(lambda self: self._is_lively() and self._held_by_link())
    @rule(pick=PICK, then=THEN)
    def cancel_and_mark_held(self, pick: int, then: str) -> None:
        """A date of what is held for somebody, who has just paid the business itself."""
        sale = self._any(self._held_by_link(), pick)
        self._cancel(sale.places[0].run, pick, None, None)
        self._mark_held(sale)
        if then == "undo" and self.model.endings:
            self._undo(self.model.endings[-1])

    def _cancel(
        self,
        subject: Subject,
        pick: int,
        choice: MoneyChoice | None,
        own: int | None,
    ) -> None:
        """One of the guests gets `own` percent of what they could get back."""
        runs = self.model.stoppable(subject, self.now)
        gives_back = choice is None and isinstance(subject, Run)
        ending = Ending(_UNKNOWN, subject, self.now, runs, gives_back)
        possible = self.model.returnable(ending, self.now)
        chosen = {sale: _of(choice, *most) for sale, most in possible.items()}
        wanted, fits = {}, True
        if choice is not None and own is not None and possible:
            sale = self._any([*possible], pick)
            chosen[sale] = possible[sale][0] * own // 100 + (own > 100)
            wanted, fits = {sale.id: chosen[sale]}, own <= 100
        ending.chosen = chosen
        money = MoneyWanted(choice=choice or MoneyChoice.NOTHING, own=wanted)
        expected = self.model.may_cancel(subject, self.now) and fits
        allowed, cancellation_id = self._attempt(
            self.steps.cancel(subject, money, gives_back=gives_back)
        )
        assert allowed == expected
        if cancellation_id is not None:
            ending.id = cancellation_id
            self.model.cancel(ending)
            self._count(f"cancel a {_name(subject)}")
            if any(chosen.values()):
                self._count(f"choose {choice}")
            if wanted:
                self._count("choose for one")

    @precondition(lambda self: self.model.endings)
    @rule(pick=PICK)
    def undo(self, pick: int) -> None:
        waiting = [one for one in self.model.endings if one.state == "waiting"]
        self._undo(self._any(waiting or self.model.endings, pick))

    def _undo(self, ending: Ending) -> None:
        allowed, _none = self._attempt(self.steps.undo(ending.id))
        assert allowed == self.model.undo(ending, self.now)
        if allowed:
            self._count(f"undo a {_name(ending.subject)}")


_UNKNOWN = uuid4()


def _name(subject: Subject) -> str:
    return {Run: "session", Sale: "purchase", Offer: "series", Place: "seat"}[type(subject)]


def _of(choice: MoneyChoice | None, full: int, by_terms: int) -> int:
    if choice is MoneyChoice.FULL:
        return full
    return by_terms if choice is MoneyChoice.TERMS else 0
