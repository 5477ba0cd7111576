"""Steps of guests and an owner who change their minds about single places and dates."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.properties.buying import PICK
from tests.properties.crediting import Crediting
from tests.properties.things import Place, Run, Sale

MOVES = [timedelta(hours=-30), timedelta(hours=-1), timedelta(hours=1), timedelta(hours=50)]


class Changing(Crediting):
    """Leaving, exchanging, giving back; more or less room, another time."""

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, fits=st.booleans())
    def leave(self, pick: int, fits: bool) -> None:
        those = self._confirmed() if fits else []
        self._leave(self._any(those or self.model.places(), pick))

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
    @rule(pick=PICK, fits=st.booleans())
    def leave_course(self, pick: int, fits: bool) -> None:
        courses = self._courses()
        if fits:
            courses = [one for one in courses if one.offer.whole_course] or courses
        sale = self._any(courses, pick)
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
        self._exchange(place, self._any(runs, to))

    @precondition(lambda self: self._exchanges())
    @rule(pick=PICK)
    def exchange_where_it_may_be(self, pick: int) -> None:
        """Rare by itself: most dates have no room, or terms against it."""
        self._exchange(*self._any(self._exchanges(), pick))

    def _exchanges(self) -> list[tuple[Place, Run]]:
        return [
            (place, run)
            for place in self._confirmed()
            for run in self.model.runs
            if self.model.may_exchange(place, run, self.now)
        ]

    def _exchange(self, place: Place, run: Run) -> None:
        expected = self.model.may_exchange(place, run, self.now)
        allowed, new_id = self._attempt(self.steps.exchange(place, run))
        assert allowed == expected
        if new_id is not None:
            self.model.exchange(place, run, new_id, self.now)

    @precondition(lambda self: self._confirmed())
    @rule(pick=PICK, to=PICK, fits=st.booleans())
    def swap(self, pick: int, to: int, fits: bool) -> None:
        """For a date of whatever course, by the credit that a place brings."""
        places = self._confirmed()
        if fits:
            credited = [one for one in places if one.lot or one.order.gives_credits]
            places = credited or places
        self._swap(self._any(places, pick), to, fits=fits)

    @precondition(lambda self: self._swaps_by_own_credit())
    @rule(pick=PICK)
    def swap_by_own_credit(self, pick: int) -> None:
        """Rare by itself: a place that a credit paid for, with room where it is good for."""
        self._swap_to(*self._any(self._swaps_by_own_credit(), pick))

    def _swaps_by_own_credit(self) -> list[tuple[Place, Run]]:
        return [
            (place, run)
            for place in self._confirmed()
            if place.lot
            for run in self.model.runs
            if self.model.may_swap(place, run, self.now)
        ]

    def _swap(self, place: Place, to: int, *, fits: bool) -> None:
        runs = self.model.runs
        if fits:
            runs = [one for one in runs if self.model.may_swap(place, one, self.now)] or runs
        self._swap_to(place, self._any(runs, to))

    def _swap_to(self, place: Place, run: Run) -> None:
        expected = self.model.may_swap(place, run, self.now)
        allowed, made = self._attempt(self.steps.swap(place, run))
        assert allowed == expected
        if made is not None:
            self._count(f"swap by {'its own' if place.lot else 'a new'} credit")
            order_id, booking_id, seat_id = made
            sale = Sale(
                order_id,
                booking_id,
                place.order.guest,
                run.sold_as,
                is_series=False,
                mode="credit",
                total=0,
                state="confirmed",
                created_at=self.now,
                by_swap=True,
            )
            self.model.swap(place, run, sale, seat_id, self.now)

    @precondition(lambda self: [one for one in self.model.sales if one.mode == "on_site"])
    @rule(pick=PICK)
    def mark_paid(self, pick: int) -> None:
        sale = self._any([one for one in self.model.sales if one.mode == "on_site"], pick)
        money = self.shop.run(self.steps.mark_paid(sale))
        assert money.amount_minor == self.model.owed(sale)
        sale.paid += money.amount_minor
        if money.amount_minor:
            sale.paid_at = sale.paid_at or self.now
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
