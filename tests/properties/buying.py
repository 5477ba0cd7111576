"""Steps of guests who buy, of money that comes or does not, and of time."""

from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from src.billing.sweeper import sweep_holds
from src.booking.commands.book import Booked
from tests.properties.driver import GUESTS, Driver
from tests.properties.sums import shares
from tests.properties.things import (
    Discount,
    Gift,
    Lot,
    Offer,
    Place,
    Promise,
    Run,
    Sale,
    sold_online,
)

WAITS = [timedelta(seconds=11), timedelta(minutes=5), timedelta(minutes=40), timedelta(hours=20)]
PICK = st.integers(0, 59)
SIZE = st.sampled_from([1, 1, 2])
GUEST = st.sampled_from(GUESTS)
CODE = st.sampled_from([None, None, None, 0, 1])


class Buying(Driver):
    """Sessions and series, with and without coupons, at two prices."""

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE, child=st.booleans())
    def book_session(self, pick: int, size: int, guest: str, code: int | None, child: bool) -> None:
        self._book(self._any(self.model.runs, pick), size, guest, code, child=child)

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE, child=st.booleans())
    def book_series(self, pick: int, size: int, guest: str, code: int | None, child: bool) -> None:
        self._book(self._any(self.model.series, pick), size, guest, code, child=child)

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE, heard=st.booleans())
    def book_and_pay(self, pick: int, size: int, guest: str, code: int | None, heard: bool) -> None:
        """What most guests do. What is bought online is picked from, for the rest has no page."""
        offers = [one for one in [*self.model.series, *self.model.runs] if sold_online(one)]
        sale = self._book(self._any(offers, pick), size, guest, code, child=size > 1)
        if sale is not None and sale.state == "open":
            self._go_to_pay(sale)
            self._pay(sale, heard=heard)

    def _book(
        self,
        what: Run | Offer,
        size: int,
        guest: str,
        code: int | None = None,
        *,
        child: bool = False,
        taking: Promise | None = None,
        by_link: bool = False,
        lot: Lot | None = None,
        gift: Gift | None = None,
        by_transfer: bool = False,
    ) -> Sale | None:
        """The last of the party may pay a child's price, where there is one; credits of a `lot`
        may pay for all of it, a `gift` for a part.
        """
        coupon = None if code is None else self.model.coupons[code]
        child = child and _sold_as(what).child_minor is not None
        priced = self.model.price_of(what, size, self.now, taking)
        off, party, until = None, [("", 0)], None
        if priced is not None:
            party = _party(priced, size, child=child, lot=lot)
            off = 0
            if lot is None:
                off = self.model.discount(coupon, sum(price for _tier, price in party), guest)
            elif not self.model.may_pay(lot, priced[0], what, size, self.now):
                off = None
            until = self.model.transferred_until(priced[0], self.now)
            if not self._may_pay_by(what, party, gift, until if by_transfer else self.now):
                off = None
        code_of = coupon if gift is None else gift
        step = self.steps.book(
            what,
            size,
            guest,
            code_of,
            child=child,
            taking=taking,
            by_link=by_link,
            lot=lot,
            by_transfer=by_transfer,
        )
        allowed, booked = self._attempt(step)
        assert allowed == (off is not None)
        if booked is None or priced is None or off is None:
            return None
        sale = self._sale(what, guest, coupon, booked, sum(one[1] for one in party) - off)
        sale.by_link = by_link
        if by_transfer and sold_online(what) and sale.total:
            sale.mode, sale.hold_until = "transfer", until
        if gift is not None:
            self._pay_by(gift, what, sale)
        self._add_places(sale, priced[0], shares(party, len(priced[0]), off), lot)
        self.model.book(sale)
        self._count_sale(what, child=child)
        if taking is not None:
            self.model.take(taking, sale, self.now)
        return sale

    def _count_sale(self, what: Run | Offer, *, child: bool) -> None:
        if child:
            self._count("a child pays less")
        if isinstance(what, Run) and what.series is not None:
            self._count("drop in")

    def _pay_by(self, gift: Gift, what: Run | Offer, sale: Sale) -> None:
        sale.gift, sale.part = gift, self._pays(gift, what, sale.total)
        sale.state = "open" if sold_online(what) and sale.to_pay else "confirmed"

    def _add_places(self, sale: Sale, runs: list[Run], split: list[int], lot: Lot | None) -> None:
        """The party in each of the dates."""
        seats = self.shop.run(self.steps.seats_of(sale.id))
        size = len(seats) // len(runs)
        if lot is not None:
            sale.mode, lot.balance = "credit", lot.balance - len(seats)
        state = "held" if sale.state == "open" else "confirmed"
        for at, (seat, share) in enumerate(zip(seats, split, strict=True)):
            run, person = runs[at // size], seat.participant_id
            place = Place(seat.id, sale, run, person, share, state, sold=run.sequence, lot=lot)
            sale.places.append(place)

    def _may_pay_by(
        self,
        what: Run | Offer,
        party: list[tuple[str, int]],
        gift: Gift | None,
        until: datetime | None,
    ) -> bool:
        """Whether a voucher is good for it, and a transfer may come `until` some moment."""
        if gift is not None and not self._pays(gift, what, sum(one[1] for one in party)):
            return False
        is_free = _sold_as(what).price_type == "free"
        return is_free or until == self.now or (until is not None and sold_online(what))

    def _pays(self, gift: Gift, what: Run | Offer, total: int) -> int:
        if not gift.may_pay(self.now):
            return 0
        return gift.part_of(total, online=sold_online(what))

    def _sale(
        self, what: Run | Offer, guest: str, coupon: Discount | None, booked: Booked, total: int
    ) -> Sale:
        offer = _sold_as(what)
        mode = "free" if total == 0 else offer.price_type
        return Sale(
            id=booked.order_id,
            booking_id=booked.booking_id,
            guest=guest,
            offer=offer,
            is_series=isinstance(what, Offer),
            mode=mode,
            total=total,
            state="open" if mode == "online" else "confirmed",
            created_at=self.now,
            coupon=coupon,
        )

    @precondition(lambda self: self._payable_without_page())
    @rule(pick=PICK)
    def go_to_pay(self, pick: int) -> None:
        self._go_to_pay(self._any(self._payable_without_page(), pick))

    def _go_to_pay(self, sale: Sale) -> None:
        allowed, _url = self._attempt(self.steps.open_page(sale))
        assert allowed == self.model.open_page(sale, self.now)

    @precondition(lambda self: self._with_open_page())
    @rule(pick=PICK, heard=st.booleans())
    def pay(self, pick: int, heard: bool) -> None:
        self._pay(self._any(self._with_open_page(), pick), heard=heard)

    def _pay(self, sale: Sale, *, heard: bool) -> None:
        """In time; whether we hear of it at once is another matter."""
        self.shop.run(self.shop.pay(sale.id))
        sale.taken = True
        self._count("pay")
        if heard:
            self._hear(sale)

    @precondition(lambda self: self._taken())
    @rule(pick=PICK)
    def hear_of_money(self, pick: int) -> None:
        self._hear(self._any(self._taken(), pick))

    @precondition(lambda self: [one for one in self._taken() if one.state == "open"])
    @rule(pick=PICK)
    def lose_hold(self, pick: int) -> None:
        """The hold ends all the same: what is heard of after this was paid late."""
        sale = self._any([one for one in self._taken() if one.state == "open"], pick)
        self.shop.run(self.shop.lose_hold(sale.id))
        self.model.end_hold(sale, "expired")
        self._count("lose_hold")

    def _hear(self, sale: Sale) -> None:
        self._count(f"hear of money for an order that is {sale.state}")
        self.shop.run(self.steps.hear(sale))
        self.model.hear(sale, self.now)

    # --- time passes

    @rule(by=st.sampled_from(WAITS))
    def wait(self, by: timedelta) -> None:
        self.world.clock.advance(by)
        self._count("wait")

    @rule()
    def sweep(self) -> None:
        self.shop.run(sweep_holds(self.shop.services, parallel=1))
        self.model.sweep(self.now)
        self._count("sweep")

    @rule()
    def deliver(self) -> None:
        """Everything that is due is done; then nothing may be left, or have been said twice."""
        self._deliver()

    @precondition(lambda self: self.model.backs)
    @rule()
    def deliver_refused(self) -> None:
        """The processor gives nothing back just now."""
        self.shop.run(self.shop.refuse_refunds())
        self._deliver(refused=True)
        self.shop.run(self.shop.refuse_refunds(no_more=True))

    def _deliver(self, *, refused: bool = False) -> None:
        if self.model.reaches_taken_money(self.now):
            self._count("cancel what is being paid")
        self.shop.run(self.steps.deliver())
        self.model.carry_out(self.now)
        self.model.arrive(self.now, refused=refused)
        self.model.look_at_lots(self.now)
        self.model.tell_of_fees(self.now)
        if any(lot.is_told for lot in self.model.lots):
            self._count("credits end")
        self._follow()
        self._count("deliver")
        self._all_is_at_rest()


def _sold_as(what: Run | Offer) -> Offer:
    return what.sold_as if isinstance(what, Run) else what


def _party(
    priced: tuple[list[Run], int, int | None], size: int, *, child: bool, lot: Lot | None
) -> list[tuple[str, int]]:
    """What everybody pays, by what their price is called."""
    if lot is not None:
        return [("", 0)] * size
    party = [("", priced[1])] * size
    if child:
        party[-1] = ("child", priced[2] or 0)
    return party
