"""Steps of an owner who calls something off, chooses what goes back, and may take it back."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.kinds import SeatState
from tests.properties.buying import GUEST, PICK
from tests.properties.charging import Charging
from tests.properties.things import Ending, Offer, Place, Run, Sale, Subject

THEN = st.sampled_from(["undo", "wait", "go on"])
OF_MONEY = [MoneyChoice.NOTHING, MoneyChoice.TERMS, MoneyChoice.FULL, MoneyChoice.CREDIT]
CHOICE = st.sampled_from([None, MoneyChoice.FULL, MoneyChoice.TERMS, MoneyChoice.CREDIT])
OWN = st.sampled_from([None, None, None, 50, 101])


class CallingOff(Charging):
    """Sessions, purchases, whole series and single seats."""

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_session(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        self._cancel_and(self._any(self._busy_runs(), pick), pick, choice, own, then)

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN, revokes=st.booleans())
    def cancel_purchase(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str, revokes: bool
    ) -> None:
        """Those that have brought credits, if it is to take those back."""
        sales = self.model.sales
        if revokes:
            sales = [one for one in sales if self.model.revocable(one, self.now)] or sales
        self._cancel_and(self._any(sales, pick), pick, choice, own, then, revokes=revokes)

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=CHOICE, own=OWN, then=THEN)
    def cancel_series(
        self, pick: int, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        self._cancel_and(self._any(self.model.series, pick), pick, choice, own, then)

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, fits=st.booleans(), choice=CHOICE, own=OWN, then=THEN)
    def cancel_seat(
        self, pick: int, fits: bool, choice: MoneyChoice | None, own: int | None, then: str
    ) -> None:
        places = self.model.places()
        may = [one for one in places if self.model.may_cancel(one, self.now)]
        self._cancel_and(self._any(may if fits and may else places, pick), pick, choice, own, then)

    def _cancel_and(
        self,
        subject: Subject,
        pick: int,
        choice: MoneyChoice | None,
        own: int | None,
        then: str,
        *,
        revokes: bool = False,
    ) -> None:
        """Without a choice it is a session that gives everything back, or something of which
        nothing goes back. Often it is taken back, or carried out, before anything else happens.
        """
        self._cancel(subject, pick, choice, own, revokes=revokes)
        if then == "undo" and self.model.endings:
            self._undo(self.model.endings[-1])
        elif then == "go on":
            self.wait(timedelta(seconds=11))
            self.deliver()

    @precondition(lambda self: self._is_lively())
    @rule(pick=PICK, choice=st.sampled_from(OF_MONEY), own=OWN)
    def cancel_what_was_paid(self, pick: int, choice: MoneyChoice, own: int | None) -> None:
        """A session, so that there is something to choose about."""
        paid = [one for one in self._confirmed() if one.order.paid and one.share]
        if paid:
            self._cancel(self._any(paid, pick).run, pick, choice, own)
            self.wait(timedelta(seconds=11))
            self.deliver()

    @rule(guest=GUEST, pick=PICK, then=st.sampled_from(["swap", "refund", "by terms", "revoke"]))
    def buy_course_and(self, guest: str, pick: int, then: str) -> None:
        """What its terms give for a date is a credit, whatever becomes of that."""
        [course] = [one for one in self.model.series if one.gives_credits]
        sale = self._book(course, 1, guest)
        if sale is None or sale.state != "open":
            return
        self._go_to_pay(sale)
        self._pay(sale, heard=True)
        place = sale.places[-1]
        if then == "swap":
            self._swap(place, pick, fits=True)
        elif then == "by terms":
            self._cancel_and(sale, pick, MoneyChoice.TERMS, None, "go on")
        else:
            self._leave(place)
            if then == "revoke":
                self._cancel_and(sale, pick, MoneyChoice.FULL, None, "go on", revokes=True)
            for lot in [one for one in self.model.lots if one.id == place.id]:
                self._refund_credits(lot, 100)

    @precondition(lambda self: self._is_lively() and bool(self._confirmed()))
    @rule(pick=PICK, tells=st.booleans())
    def stay_away_and_cancel(self, pick: int, tells: bool) -> None:
        """A guest has not come, and then it was called off after all."""
        fined = [one for one in self._confirmed() if one.order.offer.no_show_fee]
        place = self._any(fined or self._confirmed(), pick)
        self.wait(max(place.run.starts_at - self.now, timedelta(0)))
        self._tick(place, SeatState.NO_SHOW)
        if tells:
            self.deliver()
        self._cancel_and(place.run, pick, MoneyChoice.FULL, None, "go on")

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
        *,
        revokes: bool = False,
    ) -> None:
        """One of the guests gets `own` percent of what they could get back."""
        runs = self.model.stoppable(subject, self.now)
        gives_back = choice is None and isinstance(subject, Run)
        ending = Ending(_UNKNOWN, subject, self.now, runs, gives_back, revokes=revokes)
        possible = self.model.returnable(ending, self.now)
        chosen = {sale: _of(choice, *most) for sale, most in possible.items()}
        wanted, fits = {}, True
        if choice is not None and own is not None and possible:
            sale = self._any([*possible], pick)
            chosen[sale] = possible[sale][0] * own // 100 + (own > 100)
            wanted, fits = {sale.id: chosen[sale]}, own <= 100
        ending.chosen = chosen
        ending.revokes = self.model.takes_credits(ending, self.now)
        if wanted and ending.revokes:
            fits = fits and self.model.is_for_whole_credits(ending, self.now)
        ending.credited = self._credited(ending, choice, [*possible], wanted)
        money = MoneyWanted(
            choice=choice or MoneyChoice.NOTHING,
            own=wanted,
            package_id=self.model.given_package_id if choice is MoneyChoice.CREDIT else None,
            revokes_credits=revokes,
        )
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
            if any(ending.credited.values()):
                self._count(f"choose {choice}, for credits")
            if wanted:
                self._count("choose for one")
            if ending.revokes:
                self._count("take credits back")

    def _credited(
        self,
        ending: Ending,
        choice: MoneyChoice | None,
        able: list[Sale],
        own: Mapping[UUID, int],
    ) -> dict[Sale, list[Place]]:
        """Who gets an amount of their own gets that instead."""
        if choice not in (MoneyChoice.CREDIT, MoneyChoice.TERMS):
            return {}
        by_terms = choice is MoneyChoice.TERMS
        return {
            sale: self.model.credited(ending, sale, self.now, by_terms=by_terms)
            for sale in able
            if sale.id not in own
        }

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
