"""The model's rules for guests and a business that change their minds about single dates."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from tests.properties.credits_model import Credits
from tests.properties.sums import half_up
from tests.properties.things import (
    LIVE,
    MOVES_BEFORE,
    OFFERED_BEFORE,
    OWNER,
    Place,
    Run,
    Sale,
    is_ahead,
    is_coming,
    sells_singly,
)


class Changing(Credits):
    """Leaving, exchanging, moving, and more or less room."""

    def percent_back(self, place: Place, now: datetime) -> int:
        """As money: where a credit is given for the place, money is only without any penalty."""
        is_money = place.leaves_free or not place.order.gives_credits
        return self.percent_in_time(place, now) if is_money else 0

    def brings_credit(self, place: Place, now: datetime) -> bool:
        is_credit = place.order.gives_credits and not place.leaves_free
        return is_credit and self.percent_in_time(place, now) > 0

    def percent_in_time(self, place: Place, now: datetime) -> int:
        if place.leaves_free:
            return 100
        for hours, percent in place.order.offer.tiers:
            if now <= place.run.starts_at - timedelta(hours=hours):
                return min(percent, place.most_percent)
        return 0

    def is_late(self, place: Place, now: datetime) -> bool:
        tiers = place.order.offer.tiers
        if not tiers or place.leaves_free:
            return False
        last = place.run.starts_at - timedelta(hours=tiers[-1][0])
        return place.most_percent == 0 or now > last

    def leave(self, sale: Sale, places: list[Place], now: datetime) -> bool:
        """Those left before are passed over."""
        standing = [one for one in places if one.state not in ("cancelled", "late_cancelled")]
        if not all(is_coming(place, now) for place in standing):
            return False
        ends = {
            place: half_up(place.share * self.percent_back(place, now), 100) for place in standing
        }
        late = {place: self.is_late(place, now) for place in standing}
        for place in [one for one in standing if late[one]]:
            self.ask_fee(place, "late_cancel", sale.offer.late_fee, now)
        for place in standing:
            place.state = "late_cancelled" if late[place] else "cancelled"
            if not late[place]:
                self.give_credit_back(place, now)
        credited = [place for place in standing if self.brings_credit(place, now)]
        self.give_credits(sale, sorted(credited, key=lambda one: (one.run.id, one.id)), now)
        asked = self._give_back(sale, ends, "cancelled")
        self._promise_by_hand(sale, sum(ends.values()) - asked)
        self.mails["seats_cancelled", sale.guest] += bool(standing)
        return True

    def _promise_by_hand(self, sale: Sale, wanted: int) -> None:
        """What was taken on site the business hands back itself, and its owner is asked to."""
        by_hand = min(wanted, sale.by_hand)
        sale.promised += by_hand
        self.mails["billing.open_item", OWNER] += bool(by_hand)

    def leave_course(self, sale: Sale, now: datetime) -> bool:
        coming = [place for place in sale.places if is_ahead(place, now)]
        must_ask = sale.is_series and not sale.offer.whole_course
        if must_ask and not all(place.leaves_free for place in coming):
            return False
        return self.leave(sale, coming, now)

    def _give_back(self, sale: Sale, wanted: dict[Place, int], cause: str) -> int:
        """As much of it as can go back the way it came, the first seats first. Returns that."""
        asked = left = self.ask(sale, sum(wanted.values()), cause)
        for place in sorted(wanted, key=lambda one: (one.run.id, one.id)):
            place.returned = min(wanted[place], left)
            left -= place.returned
        return asked

    def may_exchange(self, place: Place, to: Run, now: datetime) -> bool:
        sale, series = place.order, to.series
        in_time = now <= place.run.starts_at - MOVES_BEFORE or place.leaves_free
        offered = sells_singly(to) or (
            series is not None and (series is sale.offer or (sale.is_series and series.active))
        )
        is_there = any(
            one.state in LIVE and one.person == place.sits_after for one in self.places(to)
        )
        lot = place.lot
        goes_along = lot is None or (lot.is_for(to.tags) and lot.has(0, to.starts_at, now))
        return (
            is_coming(place, now)
            and in_time
            and offered
            and goes_along
            and to.sold_as.service_id == place.run.sold_as.service_id
            and to is not place.run
            and to.state == "scheduled"
            and now <= to.starts_at
            and not is_there
            and self.free(to) >= 1
        )

    def exchange(self, place: Place, to: Run, new_id: UUID, now: datetime) -> None:
        most = self.percent_in_time(place, now) if place.order.offer.tiers else place.most_percent
        place.replaced_by = Place(
            id=new_id,
            order=place.order,
            run=to,
            person=place.sits_after,
            share=place.share,
            state="confirmed",
            sold=to.sequence,
            most_percent=most,
            is_marked=place.leaves_free,
            lot=place.lot,
        )
        place.order.places.append(place.replaced_by)
        place.state, place.share = "swapped", 0
        self.mails["seats_moved", place.order.guest] += 1

    def may_swap(self, place: Place, to: Run, now: datetime) -> bool:
        """For a date that the credit, the one that paid or the one that it brings, is good for."""
        sale, lot = place.order, place.lot
        if lot is not None:
            in_time, paying = not self.is_late(place, now), replace(lot, balance=lot.balance + 1)
        else:
            is_paid = min(place.share, self.unreturned(sale)) > 0
            in_time = sale.gives_credits and is_paid and self.percent_in_time(place, now) > 0
            paying = self.would_bring(place, now)
        is_there = any(
            one.state in LIVE and one.order.guest == sale.guest for one in self.places(to)
        )
        return (
            is_coming(place, now)
            and in_time
            and self.price_of(to, 1, now) is not None
            and self.may_pay(paying, [to], to, 1, now)
            and not is_there
        )

    def swap(self, place: Place, to: Run, sale: Sale, new_id: UUID, now: datetime) -> None:
        """The order of the new place is `sale`."""
        lot = place.lot
        if lot is None:
            self.give_credits(place.order, [place], now)
            lot = self.lots[-1]
            lot.balance = 0
        place.state = "swapped"
        new = Place(new_id, sale, to, place.sits_after, 0, "confirmed", to.sequence, lot=lot)
        place.replaced_by = new
        sale.places.append(new)
        sale.confirmed_at = now
        self.sales.append(sale)
        self.mails["seats_moved", sale.guest] += 1

    # --- the business changes its mind

    def set_capacity(self, run: Run, capacity: int) -> bool:
        if run.state != "scheduled" or capacity < run.capacity - self.free(run):
            return False
        run.capacity = capacity
        return True

    def move(self, run: Run, starts_at: datetime, now: datetime) -> bool:
        has_guests = self.free(run) < run.capacity
        if run.state != "scheduled" or starts_at < now or (has_guests and run.starts_at <= now):
            return False
        in_time = now + OFFERED_BEFORE
        run.is_back_in_time = run.is_back_in_time or run.starts_at < in_time <= starts_at
        run.starts_at = starts_at
        run.sequence += 1
        run.moved = run.sequence
        self._news(run)
        waiting = (one.guest for one in self.entries if one.stands and run in one.dates)
        self.mails.update(("waitlist_moved", guest) for guest in waiting)
        return True

    def _news(self, run: Run) -> None:
        """Whoever may come, a guest who pays late too, is told of it at most once."""
        guests = {one.order.guest for one in self.places(run) if one.state in (*LIVE, "expired")}
        self.mails.update(("sessions_changed", guest) for guest in guests)
