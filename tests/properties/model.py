"""The booking core once more, in a few plain objects: what the machine expects of the real one.

Written from the domain's rules and not from the code: no statement, no lock, no job. Each method
says whether the real thing must do it (False: must refuse), and if so what is so afterwards.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

LIVE = ("held", "confirmed")
HOLD = timedelta(minutes=36)
PAGE = timedelta(minutes=31)
MARGIN = timedelta(minutes=5)
UNDO = timedelta(seconds=10)
MOVES_BEFORE = timedelta(hours=2)


@dataclass(eq=False)
class Offer:
    """A service as it is sold singly, or a series. `tiers` are (hours before, percent back)."""

    id: UUID
    price_type: str
    price_minor: int
    service_id: UUID
    tiers: tuple[tuple[int, int], ...] = ()
    whole_course: bool = False
    sells_singles: bool = True
    base: int = 0
    runs: list["Run"] = field(default_factory=list)


@dataclass(eq=False)
class Run:
    """A session. `sold_as` is the offer that its single seats are sold by."""

    id: UUID
    sold_as: Offer
    starts_at: datetime
    capacity: int
    series: Offer | None = None
    state: str = "scheduled"
    sequence: int = 0
    moved: int = 0

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=1)


@dataclass(eq=False)
class Place:
    """A seat. `sold` is the run's sequence that it was sold at."""

    id: UUID
    order: "Sale"
    run: Run
    person: int
    share: int
    state: str
    sold: int
    most_percent: int = 100
    returned: int = 0
    replaced_by: "Place | None" = None


@dataclass(eq=False)
class Discount:
    """A coupon and the uses of it that stand."""

    id: UUID
    code: str
    percent: int
    most: int
    most_each: int
    used: Counter[str] = field(default_factory=Counter)
    paid_late: int = 0


@dataclass(eq=False)
class Sale:
    """An order. `taken` is money at the processor that we have not been told of."""

    id: UUID
    booking_id: UUID
    guest: str
    offer: Offer
    is_series: bool
    mode: str
    total: int
    state: str
    created_at: datetime
    coupon: Discount | None = None
    hold_until: datetime | None = None
    page_until: datetime | None = None
    taken: bool = False
    confirmed_at: datetime | None = None
    paid: int = 0
    refunded: int = 0
    places: list[Place] = field(default_factory=list)

    @property
    def by_card(self) -> int:
        """What is left of the money that can go back through the processor."""
        return self.paid - self.refunded if self.mode == "online" else 0


@dataclass(eq=False)
class Ending:
    """A cancellation that can still be undone, or was carried out."""

    id: UUID
    subject: Run | Sale
    asked_at: datetime
    gives_back: bool = False
    state: str = "waiting"


class Model:
    """Everything that one business has sold."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.series: list[Offer] = []
        self.coupons: list[Discount] = []
        self.sales: list[Sale] = []
        self.endings: list[Ending] = []
        self.mails: Counter[tuple[str, str]] = Counter()

    def places(self, run: Run | None = None) -> list[Place]:
        everywhere = (place for sale in self.sales for place in sale.places)
        return [place for place in everywhere if run is None or place.run is run]

    def free(self, run: Run) -> int:
        return run.capacity - sum(place.state in LIVE for place in self.places(run))

    def standing(self, guest: str) -> int:
        """How many orders of the guest still have a seat that is paid for, or needs no payment."""
        theirs = (sale for sale in self.sales if sale.guest == guest)
        return sum(any(one.state == "confirmed" for one in sale.places) for sale in theirs)

    # --- buying

    def price_of(self, what: Run | Offer, size: int, now: datetime) -> tuple[list[Run], int] | None:
        """The runs that are bought and what one person pays, None when it must be refused."""
        if isinstance(what, Run):
            sold = what.sold_as.sells_singles and (what.series is None or _drops_in(what.series))
            bookable = sold and what.state == "scheduled" and now <= what.starts_at
            price = 0 if what.sold_as.price_type == "free" else what.sold_as.price_minor
            return ([what], price) if bookable and self.free(what) >= size else None
        standing = [run for run in what.runs if run.state == "scheduled"]
        coming = [run for run in standing if run.starts_at >= now]
        if not coming or any(self.free(run) < size for run in coming):
            return None
        base = min(what.base, len(standing))
        price = min(half_up(what.price_minor * len(coming), base), what.price_minor)
        coming.sort(key=lambda run: (run.starts_at, run.id))
        return coming, 0 if what.price_type == "free" else price

    def discount(self, coupon: Discount | None, full: int, guest: str) -> int | None:
        """What comes off, None when the coupon must be refused."""
        if coupon is None:
            return 0
        is_spent = coupon.used.total() >= coupon.most or coupon.used[guest] >= coupon.most_each
        off = half_up(full * coupon.percent, 100)
        return None if is_spent or off == 0 else off

    def book(self, sale: Sale) -> None:
        self.sales.append(sale)
        if sale.coupon is not None:
            sale.coupon.used[sale.guest] += 1
        if sale.state == "open":
            sale.hold_until = whole(sale.created_at + HOLD)
        else:
            sale.confirmed_at = sale.created_at
            self.mails["confirmed", sale.guest] += 1

    def open_page(self, sale: Sale, now: datetime) -> bool:
        if sale.state != "open" or sale.hold_until is None or now >= sale.hold_until:
            return False
        sale.page_until = whole(now + PAGE)
        sale.hold_until = sale.page_until + MARGIN
        return True

    # --- money comes, or does not

    def hear(self, sale: Sale, now: datetime, lost: Iterable[Place] = ()) -> None:
        """We learn of the money that was taken."""
        sale.taken, sale.paid = False, sale.paid + sale.total
        if sale.state == "open":
            self._confirm(sale, now, set(lost))
        elif sale.state == "expired" and self._can_have_again(sale):
            for place in sale.places:
                place.state = "confirmed"
            if sale.coupon is not None:
                sale.coupon.used[sale.guest] += 1
                sale.coupon.paid_late += 1
            self._stands(sale, now)
        else:
            sale.refunded += sale.total
            self.mails["billing.payment_too_late", sale.guest] += 1

    def _confirm(self, sale: Sale, now: datetime, lost: set[Place]) -> None:
        for place in sale.places:
            place.state = "cancelled" if place in lost else "confirmed"
            place.returned = place.share if place in lost else 0
            sale.refunded += place.returned
        self.mails["billing.refunded", sale.guest] += bool(lost)
        self._stands(sale, now)

    def _stands(self, sale: Sale, now: datetime) -> None:
        sale.state, sale.confirmed_at = "confirmed", now
        self.mails["confirmed", sale.guest] += 1

    def _can_have_again(self, sale: Sale) -> bool:
        if any(one.subject is sale and one.state == "done" for one in self.endings):
            return False
        wanted = Counter(place.run for place in sale.places)
        return all(
            run.state == "scheduled" and self.free(run) >= count for run, count in wanted.items()
        )

    def end_hold(self, sale: Sale, state: str) -> None:
        sale.state, sale.page_until = state, None
        for place in sale.places:
            place.state = "expired"
        if sale.coupon is not None:
            sale.coupon.used[sale.guest] -= 1

    def sweep(self, now: datetime) -> None:
        for sale in self.sales:
            if sale.state == "open" and sale.hold_until is not None and sale.hold_until <= now:
                self._close(sale, now, "expired", ())

    def _close(self, sale: Sale, now: datetime, state: str, lost: Iterable[Place]) -> None:
        if sale.taken:
            self.hear(sale, now, lost)
        else:
            self.end_hold(sale, state)

    def refund(self, sale: Sale, amount: int) -> None:
        sale.refunded += amount
        self.mails["billing.refunded", sale.guest] += 1

    def owed(self, sale: Sale) -> int:
        """What a guest still pays at the door."""
        if sale.mode != "on_site" or sale.state != "confirmed":
            return 0
        waived = sum(place.share for place in sale.places if place.state == "cancelled")
        return max(sale.total - waived - sale.paid, 0)

    # --- guests change their mind

    def percent_back(self, place: Place, now: datetime) -> int:
        if place.sold < place.run.moved:
            return 100
        for hours, percent in place.order.offer.tiers:
            if now <= place.run.starts_at - timedelta(hours=hours):
                return min(percent, place.most_percent)
        return 0

    def is_late(self, place: Place, now: datetime) -> bool:
        tiers = place.order.offer.tiers
        if not tiers or place.sold < place.run.moved:
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
        for place in standing:
            place.state = "late_cancelled" if late[place] else "cancelled"
        self._give_back(sale, ends)
        self.mails["seats_cancelled", sale.guest] += bool(standing)
        return True

    def leave_course(self, sale: Sale, now: datetime) -> bool:
        coming = [place for place in sale.places if is_coming(place, now)]
        must_ask = sale.is_series and not sale.offer.whole_course
        if must_ask and any(place.sold >= place.run.moved for place in coming):
            return False
        return self.leave(sale, coming, now)

    def take_back(self, sale: Sale, place: Place, amount: int) -> bool:
        """Staff end a seat; one that has ended is passed over."""
        if amount > place.share:
            return False
        if place.state == "confirmed":
            place.state = "cancelled"
            self._give_back(sale, {place: amount})
            self.mails["seats_cancelled", sale.guest] += 1
        return True

    def _give_back(self, sale: Sale, wanted: dict[Place, int]) -> None:
        """As much of it as was paid by card and has not gone back, the first seats first."""
        asked = min(sum(wanted.values()), sale.by_card)
        sale.refunded += asked
        for place in sorted(wanted, key=lambda one: (one.run.id, one.id)):
            place.returned = min(wanted[place], asked)
            asked -= place.returned

    def may_exchange(self, place: Place, to: Run, now: datetime) -> bool:
        sale, series = place.order, to.series
        in_time = now <= place.run.starts_at - MOVES_BEFORE or place.sold < place.run.moved
        offered = series is None or series is sale.offer or sale.is_series or _drops_in(series)
        is_there = any(
            one.state in LIVE and one.order is sale and one.person == place.person
            for one in self.places(to)
        )
        return (
            is_coming(place, now)
            and in_time
            and offered
            and to.sold_as.service_id == place.run.sold_as.service_id
            and to is not place.run
            and to.state == "scheduled"
            and now <= to.starts_at
            and not is_there
            and self.free(to) >= 1
        )

    def exchange(self, place: Place, to: Run, new_id: UUID, now: datetime) -> None:
        most = self.percent_back(place, now) if place.order.offer.tiers else place.most_percent
        place.replaced_by = Place(
            id=new_id,
            order=place.order,
            run=to,
            person=place.person,
            share=place.share,
            state="confirmed",
            sold=to.sequence,
            most_percent=most,
        )
        place.order.places.append(place.replaced_by)
        place.state, place.share = "swapped", 0
        self.mails["seats_moved", place.order.guest] += 1

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
        run.starts_at = starts_at
        run.sequence += 1
        run.moved = run.sequence
        self._news(run)
        return True

    def _news(self, run: Run) -> None:
        """Whoever may come, a guest who pays late too, is told of it at most once."""
        guests = {one.order.guest for one in self.places(run) if one.state in (*LIVE, "expired")}
        self.mails.update(("sessions_changed", guest) for guest in guests)

    def may_cancel(self, subject: Run | Sale, now: datetime) -> bool:
        if isinstance(subject, Run):
            return subject.state == "scheduled" and subject.ends_at > now
        coming = [one for one in subject.places if one.state in LIVE and one.run.starts_at > now]
        under_way = any(one.subject is subject and one.state == "waiting" for one in self.endings)
        return bool(coming) and not under_way

    def cancel(self, ending: Ending) -> None:
        self.endings.append(ending)
        if isinstance(ending.subject, Run):
            ending.subject.state = "cancelling"

    def undo(self, ending: Ending) -> bool:
        if ending.state != "waiting":
            return False
        ending.state = "undone"
        if isinstance(ending.subject, Run):
            ending.subject.state = "scheduled"
            self._news(ending.subject)
        return True

    def carry_out(self, now: datetime) -> None:
        """Every cancellation whose undo window is over, the oldest first."""
        for ending in self.endings:
            if ending.state == "waiting" and ending.asked_at + UNDO <= now:
                self._carry_out(ending, now)

    def reaches_taken_money(self, now: datetime) -> bool:
        """Whether carrying out what is due meets money that we have not been told of."""
        due = [one for one in self.endings if one.state == "waiting" and one.asked_at + UNDO <= now]
        taken = [sale for sale in self.sales if sale.taken and sale.state == "open"]
        return any(_reached(ending, sale, now) for ending in due for sale in taken)

    def _carry_out(self, ending: Ending, now: datetime) -> None:
        told = set()
        for sale in self.sales:
            freed = [place for place in _reached(ending, sale, now) if place.state == "confirmed"]
            for place in freed:
                place.state = "cancelled"
            paid_after = sale.confirmed_at is not None and sale.confirmed_at > ending.asked_at
            if freed and (ending.gives_back or paid_after):
                self._give_back(sale, {place: place.share for place in freed})
            told |= {sale.guest} if freed else set()
        self.mails.update(("seats_cancelled", guest) for guest in told)
        for sale in self.sales:
            if sale.state == "open" and (
                ending.subject is sale or any(one.run is ending.subject for one in sale.places)
            ):
                self._close(sale, now, "cancelled", _reached(ending, sale, now))
        ending.state = "done"
        if isinstance(ending.subject, Run):
            ending.subject.state = "cancelled"
            ending.subject.sequence += 1


def sold_online(what: Run | Offer) -> bool:
    offer = what.sold_as if isinstance(what, Run) else what
    return offer.price_type == "online"


def _drops_in(series: Offer) -> bool:
    return series.sells_singles


def is_coming(place: Place, now: datetime) -> bool:
    is_on = place.run.state == "scheduled" and now <= place.run.starts_at
    return place.state == "confirmed" and is_on


def _reached(ending: Ending, sale: Sale, now: datetime) -> list[Place]:
    """The sale's seats that the cancellation is about; a purchase's leaves what has started."""
    if ending.subject is sale:
        return [place for place in sale.places if place.run.starts_at > now]
    return [place for place in sale.places if place.run is ending.subject]


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def whole(moment: datetime) -> datetime:
    """The processor counts in whole seconds."""
    return moment.replace(microsecond=0)


def split(total: int, parts: int) -> list[int]:
    """Equal shares, of which the first carry what is left over."""
    return [total // parts + (at < total % parts) for at in range(parts)]
