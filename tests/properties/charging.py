"""Steps of staff who tick off who came, of fees, and of guests who hand their place on."""

from datetime import timedelta
from uuid import UUID, uuid4

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from src.booking.domain.kinds import By, SeatState
from tests.properties.buying import PICK
from tests.properties.changing import Changing
from tests.properties.things import Fee, Offer, Place, Sale

TICK = st.sampled_from([SeatState.ATTENDED, SeatState.NO_SHOW, SeatState.CONFIRMED])
THEN = st.sampled_from(["wait", "tell", "forgive", "pay", "pay on site", "pay what is forgiven"])
BY = st.sampled_from(["guest", "guest", "staff"])


class Charging(Changing):
    """Attendance, and what is asked of who stays away or leaves too late."""

    @precondition(lambda self: bool(self.model.places()))
    @rule(pick=PICK, wanted=TICK)
    def tick(self, pick: int, wanted: SeatState) -> None:
        """Of those who sit in a date that is near, if there are any."""
        ticked = [one for one in self.model.places() if one.state in ("attended", "no_show")]
        near = [one for one in self._confirmed() if one.run.starts_at <= self.now]
        self._tick(self._any(ticked + near or self.model.places(), pick), wanted)

    @precondition(lambda self: bool(self._confirmed()))
    @rule(pick=PICK, then=THEN)
    def stay_away(self, pick: int, then: str) -> None:
        """Time goes on until the date has begun, and its guest has not come."""
        fined = [one for one in self._confirmed() if one.order.offer.no_show_fee]
        place = self._any(fined or self._confirmed(), pick)
        self.wait(max(place.run.starts_at - self.now, timedelta(0)))
        self._tick(place, SeatState.NO_SHOW)
        self._and(place, then)

    @precondition(lambda self: bool(self._confirmed()))
    @rule(pick=PICK, then=THEN)
    def leave_late(self, pick: int, then: str) -> None:
        fined = [one for one in self._confirmed() if one.order.offer.late_fee and not one.run.moved]
        place = self._any(fined or self._confirmed(), pick)
        late_at = place.run.starts_at - timedelta(hours=1)
        self.wait(max(late_at - self.now, timedelta(0)))
        self._leave(place)
        self._and(place, then)

    def _tick(self, place: Place, wanted: SeatState) -> None:
        may = self.model.may_tick(place.run, wanted, self.now)
        allowed, ticked = self._attempt(self.steps.tick(place, wanted))
        assert allowed == may
        if ticked is not None:
            assert bool(ticked.changed) == self.model.tick(place, wanted, self.now)

    def _and(self, place: Place, then: str) -> None:
        fee = self.model.fee_of(place)
        if fee is None:
            return
        self._count(f"ask a fee, {fee.kind}")
        if then != "wait":
            self.wait(timedelta(hours=24))
            self.deliver()
        if then == "forgive":
            self._forgive(fee)
        elif then == "pay on site":
            self._take_fee(fee)
        elif then.startswith("pay"):
            self._pay_fee(fee, forgives=then == "pay what is forgiven")

    @precondition(lambda self: bool(self.model.fees))
    @rule(pick=PICK)
    def forgive(self, pick: int) -> None:
        self._forgive(self._any(self.model.fees, pick))

    def _forgive(self, fee: Fee) -> None:
        allowed, _none = self._attempt(self.steps.forgive(fee))
        assert allowed == self.model.may_forgive(fee)
        if allowed:
            self.model.forgive(fee)

    @precondition(lambda self: bool(self.model.fees))
    @rule(pick=PICK)
    def take_fee(self, pick: int) -> None:
        self._take_fee(self._any(self.model.fees, pick))

    def _take_fee(self, fee: Fee) -> None:
        """Pressed again it is no second one."""
        allowed, order_id = self._attempt(self.steps.take_fee(fee))
        assert allowed == (fee.state in ("asked", "paid"))
        if allowed and fee.state == "asked":
            assert order_id is not None
            fee.state = "paid"
            sale = self._fee_sale(fee, order_id, "on_site")
            sale.paid, sale.state = sale.total, "confirmed"
            self.model.sales.append(sale)

    @precondition(lambda self: bool(self.model.fees))
    @rule(pick=PICK, forgives=st.booleans())
    def pay_fee(self, pick: int, forgives: bool) -> None:
        self._pay_fee(self._any(self.model.fees, pick), forgives=forgives)

    def _pay_fee(self, fee: Fee, *, forgives: bool) -> None:
        """By card. With `forgives` staff let it go before we hear of the money."""
        allowed, order_id = self._attempt(self.steps.begin_fee(fee))
        assert allowed == (fee.state == "asked")
        if order_id is None:
            return
        sale = self.model.pays(fee)
        if sale is None or sale.id != order_id:
            assert sale is None or (sale.hold_until or self.now) <= self.now
            sale = self._fee_sale(fee, order_id, "online")
            self.model.book_fee(sale)
        if sale.page_until is None:
            self._go_to_pay(sale)
        if sale.taken or sale.page_until is None or sale.page_until <= self.now:
            return
        self._pay(sale, heard=False)
        if forgives:
            self._forgive(fee)
        self._hear(sale)
        self._count("pay a fee" + (" that is forgiven" if forgives else ""))

    def _fee_sale(self, fee: Fee, order_id: UUID, mode: str) -> Sale:
        nothing = Offer(uuid4(), "online", 0, uuid4())
        return Sale(
            order_id,
            uuid4(),
            fee.place.order.guest,
            nothing,
            is_series=False,
            mode=mode,
            total=fee.amount,
            state="open",
            created_at=self.now,
            fee=fee,
        )

    @precondition(lambda self: bool(self._confirmed()))
    @rule(pick=PICK, by=BY, back=st.booleans())
    def hand_on(self, pick: int, by: By, back: bool) -> None:
        """To somebody new, or back to who booked."""
        handed = [one for one in self._confirmed() if one.is_handed_on]
        place = self._any((handed if back else []) or self._confirmed(), pick)
        number = sum(one.times_handed_on for one in self.model.places())
        address = f"friend-{number}@elsewhere.example"
        if back:
            address = f"{place.order.guest}@guests.example"
        may = self.model.may_hand_on(place, self.now, by=by) and (not back or place.is_handed_on)
        step = self.steps.hand_on(place, f"Friend {number}", address, by)
        allowed, person = self._attempt(step)
        assert allowed == may
        if person is not None:
            place.had = place.had or place.person
            place.person, place.is_handed_on = person, not back
            place.times_handed_on += 1
            self.model.mails["place", place.order.guest] += 1
            self._count("hand on" + (", back" if back else ""))
