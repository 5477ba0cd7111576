"""Steps of guests and an owner who change their minds about single places and dates."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import PICK
from tests.properties.holding import Holding
from tests.properties.things import Place, Run

MOVES = [timedelta(hours=-30), timedelta(hours=-1), timedelta(hours=1), timedelta(hours=50)]


class Changing(Holding):
    """Leaving, exchanging, giving back; more or less room, another time."""

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, which=PICK)
    def leave(self, pick: int, which: int) -> None:
        self._leave(self._any(self._any(self.model.sales, pick).places, which))

    @precondition(lambda self: self._confirmed())
    @rule(pick=PICK, by=st.sampled_from(MOVES))
    def move_and_leave(self, pick: int, by: timedelta) -> None:
        """The owner moves a date, and one of its guests, with money in it if any, is off."""
        guests = self._confirmed()
        place = self._any([one for one in guests if one.share] or guests, pick)
        self._move(place.run, by)
        self._leave(place)

    def _leave(self, place: Place) -> None:
        is_late = place.run.starts_at - self.now < timedelta(hours=48)
        allowed, _back = self._attempt(self.steps.leave(place.order, [place]))
        assert allowed == self.model.leave(place.order, [place], self.now)
        if allowed and is_late and 0 < place.share == place.returned:
            self._count("leave late, penalty-free")

    @precondition(lambda self: self._courses())
    @rule(pick=PICK)
    def leave_course(self, pick: int) -> None:
        sale = self._any(self._courses(), pick)
        allowed, _back = self._attempt(self.steps.leave_course(sale))
        assert allowed == self.model.leave_course(sale, self.now)

    @precondition(lambda self: self._confirmed())
    @rule(pick=PICK, to=PICK, fits=st.booleans())
    def exchange(self, pick: int, to: int, fits: bool) -> None:
        place = self._any(self._confirmed(), pick)
        runs = self.model.runs
        if fits:
            may = [one for one in runs if self.model.may_exchange(place, one, self.now)]
            runs = may or runs
        run = self._any(runs, to)
        expected = self.model.may_exchange(place, run, self.now)
        allowed, new_id = self._attempt(self.steps.exchange(place, run))
        assert allowed == expected
        if new_id is not None:
            self.model.exchange(place, run, new_id, self.now)

    @precondition(lambda self: self._refundable())
    @rule(pick=PICK, part=st.sampled_from([30, 100, 101]))
    def refund(self, pick: int, part: int) -> None:
        sale = self._any(self._refundable(), pick)
        amount = max(sale.by_card * part // 100, 1) + (part > 100)
        allowed, _none = self._attempt(self.steps.refund(sale, amount))
        assert allowed == (amount <= sale.by_card)
        if allowed:
            self.model.refund(sale, amount)

    @precondition(lambda self: [one for one in self.model.sales if one.mode == "on_site"])
    @rule(pick=PICK)
    def mark_paid(self, pick: int) -> None:
        sale = self._any([one for one in self.model.sales if one.mode == "on_site"], pick)
        money = self.shop.run(self.steps.mark_paid(sale))
        assert money.amount_minor == self.model.owed(sale)
        sale.paid += money.amount_minor
        self._count("mark_paid")

    @rule(pick=PICK, capacity=st.integers(1, 3))
    def set_capacity(self, pick: int, capacity: int) -> None:
        run = self._any(self._busy_runs(), pick)
        step = self.steps.change(run, capacity=capacity, starts_at=run.starts_at)
        allowed, _none = self._attempt(step)
        assert allowed == self.model.set_capacity(run, capacity)

    @rule(pick=PICK, by=st.sampled_from(MOVES))
    def move_session(self, pick: int, by: timedelta) -> None:
        self._move(self._any(self._busy_runs(), pick), by)

    def _move(self, run: Run, by: timedelta) -> None:
        starts_at = run.starts_at + by
        step = self.steps.change(run, capacity=run.capacity, starts_at=starts_at)
        allowed, _none = self._attempt(step)
        assert allowed == self.model.move(run, starts_at, self.now)
