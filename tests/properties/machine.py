"""The booking core, driven at random against a model of it that fits on a few pages.

Each step is one command on the real database, or few that belong together. It must be allowed or
refused as the model says, and after it every seat, session, order and coupon is what the model has,
and the domain's invariants hold. When everything due has been done, every guest was told once, and
the processor has given back what our books say.

Steps of the waitlist (join, offer, accept, let lapse) belong beside `exchange`, their rules into
the model, and the seats that offers hold into `i1_...`.
"""

from collections import Counter
from collections.abc import Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import text

from src.billing.sweeper import sweep_holds
from src.booking.commands.book import Booked
from tests.properties.invariants import (
    WHAT_IS_BROKEN,
    broken_at_rest,
    i8_rows_that_a_stranger_sees,
)
from tests.properties.model import (
    LIVE,
    Discount,
    Ending,
    Model,
    Offer,
    Place,
    Run,
    Sale,
    sold_online,
    split,
)
from tests.properties.offers import Offers
from tests.properties.steps import Steps
from tests.properties.world import Shop, World

T = TypeVar("T")
GUESTS = ("carl", "dora", "emil")
WAITS = [timedelta(seconds=11), timedelta(minutes=5), timedelta(minutes=40), timedelta(hours=20)]
MOVES = [timedelta(hours=-30), timedelta(hours=-1), timedelta(hours=1), timedelta(hours=50)]
NEVER_OVERTAKEN = ("seats_cancelled", "billing.refunded", "billing.payment_too_late")
PICK = st.integers(0, 59)
SIZE = st.sampled_from([1, 1, 2])
GUEST = st.sampled_from(GUESTS)
CODE = st.sampled_from([None, None, None, 0, 1])
_STATE = (
    "SELECT 'session' AS what, id, state, capacity AS a, seats_taken AS b, starts_at AS at"
    " FROM sessions UNION ALL"
    " SELECT 'order', id, state, paid_minor, refunded_minor, NULL FROM orders UNION ALL"
    " SELECT 'seat', id, state, share_minor, returned_minor, NULL FROM seats UNION ALL"
    " SELECT 'coupon', id, '', used, 0, NULL FROM coupons"
)
_STATE_AND_BROKEN = (
    f"{_STATE} UNION ALL SELECT 'broken', NULL, broken || ': ' || what, 0, 0, NULL"
    f" FROM ({WHAT_IS_BROKEN}) AS found"
)
_MAILS = text("SELECT kind, to_address, count(*) AS n FROM mails GROUP BY kind, to_address")


class BookingCore(RuleBasedStateMachine):
    """Guests who book and change their minds, an owner who does, money, and time."""

    def __init__(self, world: World, stranger: Shop) -> None:
        super().__init__()
        self.world = world
        self.stranger = stranger

    @initialize(bought=st.lists(st.tuples(PICK, SIZE, GUEST, st.booleans()), max_size=4))
    def open_shop(self, bought: list[tuple[int, int, str, bool]]) -> None:
        """A new business, some of whose places have been paid for."""
        self.shop = self.world.open_shop()
        self.steps = Steps(self.shop)
        self.model = self.shop.run(self._fill())
        for pick, size, guest, heard in bought:
            self.book_and_pay(pick, size, guest, None, heard)

    async def _fill(self) -> Model:
        async with self.shop.factory(self.shop.id) as uow:
            return await Offers(uow).open()

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def teardown(self) -> None:
        """Time goes on until nothing is under way."""
        if not hasattr(self, "model"):
            return
        for sale in self.model.sales:
            if sale.taken:
                self._hear(sale)
        self.wait(timedelta(minutes=40))
        self.sweep()
        self.deliver()
        self.all_is_well()
        assert not [sale for sale in self.model.sales if sale.state == "open"]
        self.shop.run(self.shop.close())

    # --- buying

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE)
    def book_session(self, pick: int, size: int, guest: str, code: int | None) -> None:
        self._book(self._any(self.model.runs, pick), size, guest, code)

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE)
    def book_series(self, pick: int, size: int, guest: str, code: int | None) -> None:
        self._book(self._any(self.model.series, pick), size, guest, code)

    @rule(pick=PICK, size=SIZE, guest=GUEST, code=CODE, heard=st.booleans())
    def book_and_pay(self, pick: int, size: int, guest: str, code: int | None, heard: bool) -> None:
        """What most guests do. What is bought online is picked from, for the rest has no page."""
        offers = [one for one in [*self.model.series, *self.model.runs] if sold_online(one)]
        sale = self._book(self._any(offers, pick), size, guest, code)
        if sale is not None and sale.state == "open":
            self._go_to_pay(sale)
            self._pay(sale, heard=heard)

    def _book(self, what: Run | Offer, size: int, guest: str, code: int | None) -> Sale | None:
        coupon = None if code is None else self.model.coupons[code]
        priced = self.model.price_of(what, size, self.now)
        off = None
        if priced is not None:
            off = self.model.discount(coupon, priced[1] * size, guest)
        allowed, booked = self._attempt(self.steps.book(what, size, guest, coupon))
        assert allowed == (off is not None)
        if booked is None or priced is None or off is None:
            return None
        runs, price = priced
        return self._sold(what, runs, price * size - off, size, guest, coupon, booked)

    def _sold(
        self,
        what: Run | Offer,
        runs: list[Run],
        total: int,
        size: int,
        guest: str,
        coupon: Discount | None,
        booked: Booked,
    ) -> Sale:
        offer = what.sold_as if isinstance(what, Run) else what
        mode = "free" if total == 0 else offer.price_type
        sale = Sale(
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
        state = "held" if mode == "online" else "confirmed"
        shares = split(total, len(runs) * size)
        seats = self.shop.run(self.steps.seats_of(sale.id))
        assert len(seats) == len(shares)
        for at, seat in enumerate(seats):
            run, person = runs[at // size], at % size
            sale.places.append(
                Place(seat.id, sale, run, person, shares[at], state, sold=run.sequence)
            )
        self.model.book(sale)
        return sale

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

    # --- time

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
        if self.model.reaches_taken_money(self.now):
            self._count("cancel what is being paid")
        self.shop.run(self.steps.deliver())
        self.model.carry_out(self.now)
        self._count("deliver")
        assert self.shop.run(self._broken_at_rest()) == []
        self._every_guest_was_told_once()
        self._processor_has_given_back_as_much()

    # --- guests change their minds

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

    # --- the owner

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, which=PICK, part=st.sampled_from([0, 50, 100, 101]))
    def take_back(self, pick: int, which: int, part: int) -> None:
        place = self._any(self._any(self.model.sales, pick).places, which)
        amount = place.share * part // 100 + (part > 100)
        allowed, _back = self._attempt(self.steps.take_back(place, amount))
        assert allowed == self.model.take_back(place.order, place, amount)

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

    @precondition(lambda self: self.model.sales)
    @rule(pick=PICK, gives_back=st.booleans(), of_session=st.booleans(), undoable=st.booleans())
    def cancel(self, pick: int, gives_back: bool, of_session: bool, undoable: bool) -> None:
        """What cannot be undone is carried out before anything else happens."""
        those: list[Run | Sale] = [*(self._busy_runs() if of_session else self.model.sales)]
        self._cancel(self._any(those, pick), gives_back=gives_back and of_session)
        if not undoable:
            self.wait(timedelta(seconds=11))
            self.deliver()

    def _cancel(self, subject: Run | Sale, *, gives_back: bool) -> None:
        expected = self.model.may_cancel(subject, self.now)
        step = self.steps.cancel(subject, gives_back=gives_back)
        allowed, cancellation_id = self._attempt(step)
        assert allowed == expected
        if cancellation_id is not None:
            self.model.cancel(Ending(cancellation_id, subject, self.now, gives_back))

    @precondition(lambda self: self.model.endings)
    @rule(pick=PICK)
    def undo(self, pick: int) -> None:
        ending = self._any(self.model.endings, pick)
        allowed, _none = self._attempt(self.steps.undo(ending.id))
        assert allowed == self.model.undo(ending)

    # --- after every step

    @invariant()
    def all_is_well(self) -> None:
        """What is real is what the model has, and breaks none of the domain's invariants."""
        real, broken = self.shop.run(self._look())
        assert broken == []
        assert real == self._model_state()
        self._count("step")

    async def _look(self) -> tuple[set[tuple[object, ...]], list[str]]:
        seen = await self.world.look(_STATE_AND_BROKEN)
        real = {row for row in seen if row[0] != "broken"}
        return real, [row[2] for row in seen if row[0] == "broken"]

    def _model_state(self) -> set[tuple[object, ...]]:
        model = self.model
        found: set[tuple[object, ...]] = set()
        for run in model.runs:
            taken = run.capacity - model.free(run)
            found.add(("session", run.id, run.state, run.capacity, taken, run.starts_at))
        for sale in model.sales:
            found.add(("order", sale.id, sale.state, sale.paid, sale.refunded, None))
        for place in model.places():
            found.add(("seat", place.id, place.state, place.share, place.returned, None))
        for coupon in model.coupons:
            found.add(("coupon", coupon.id, "", coupon.used.total(), 0, None))
        return found

    async def _broken_at_rest(self) -> list[str]:
        async with self.stranger.factory(self.stranger.id) as uow:
            assert await i8_rows_that_a_stranger_sees(uow) == 0
        async with self.shop.factory(self.shop.id) as uow:
            return await broken_at_rest(uow)

    def _every_guest_was_told_once(self) -> None:
        """One mail for each thing that happened to a guest, each sent once. What was overtaken
        before its mail left may have none.
        """
        sent = Counter(mail.headers["Message-ID"] for mail in self.world.mailer.sent)
        assert [one for one, times in sent.items() if times > 1] == []
        told: Counter[tuple[str, str]] = Counter()
        for kind, address, count in self.shop.run(self._mails()):
            told[kind, address.removesuffix("@guests.example")] = count
        assert told.total() == len(sent)
        happened = self.model.mails
        assert told - happened == Counter(), "more mails than happened"
        for (kind, guest), count in happened.items():
            if kind in NEVER_OVERTAKEN:
                assert told[kind, guest] == count
        for guest in GUESTS:
            assert told["confirmed", guest] >= self.model.standing(guest)

    async def _mails(self) -> list[tuple[str, str, int]]:
        async with self.shop.factory(self.shop.id) as uow:
            return [tuple(row) for row in await uow.session.execute(_MAILS)]

    def _processor_has_given_back_as_much(self) -> None:
        by_card = sum(one.refunded for one in self.model.sales)
        assert sum(self.shop.given_back_by_processor().values()) == by_card

    def _attempt(self, step: Coroutine[Any, Any, T]) -> tuple[bool, T | None]:
        """Runs the step and counts it, by its name and whether it was allowed."""
        name = step.__name__
        allowed, result = self.shop.attempt(step)
        self._count(name if allowed else f"{name}, refused")
        return allowed, result

    def _count(self, deed: str) -> None:
        self.world.deeds[deed] += 1

    # --- what a step may be about

    @staticmethod
    def _any(those: Sequence[T], pick: int) -> T:
        return those[pick % len(those)]

    def _payable_without_page(self) -> list[Sale]:
        return [one for one in self.model.sales if one.state == "open" and one.page_until is None]

    def _with_open_page(self) -> list[Sale]:
        return [
            one
            for one in self.model.sales
            if one.state == "open"
            and one.page_until is not None
            and self.now < one.page_until
            and not one.taken
        ]

    def _busy_runs(self) -> list[Run]:
        """Those with guests, if there are any: more happens there."""
        busy = {place.run for place in self.model.places() if place.state in LIVE}
        return [one for one in self.model.runs if one in busy] or self.model.runs

    def _taken(self) -> list[Sale]:
        return [one for one in self.model.sales if one.taken]

    def _courses(self) -> list[Sale]:
        return [one for one in self.model.sales if one.is_series]

    def _confirmed(self) -> list[Place]:
        return [one for one in self.model.places() if one.state == "confirmed"]

    def _refundable(self) -> list[Sale]:
        return [one for one in self.model.sales if one.by_card > 0]
