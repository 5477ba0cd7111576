"""What the machine's model is made of: plain objects, and the arithmetic of prices and shares."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

TAKEN = ("confirmed", "attended", "no_show")
LIVE = ("held", *TAKEN)
HOLD = timedelta(minutes=36)
HOLD_BY_LINK = timedelta(days=1)
PAGE = timedelta(minutes=31)
LEAST_ONLINE = 50
GRACE = timedelta(days=30)
MARGIN = timedelta(minutes=5)
UNDO = timedelta(seconds=10)
MOVES_BEFORE = timedelta(hours=2)
FOUND_BY_CLOCK = timedelta(minutes=30)
OWNER = "owner"
OFFER_LASTS = timedelta(hours=4)
OFFERS_END_BEFORE = timedelta(hours=1)
OFFERED_BEFORE = timedelta(hours=2)
RUSH_BEFORE = timedelta(hours=3)


@dataclass(frozen=True)
class FeeRule:
    """An amount, or so many percent of a place's share."""

    amount: int = 0
    percent: int = 0


@dataclass(eq=False)
class Offer:
    """A service as it is sold singly, or a series. `tiers` are (hours before, percent back).

    `child_minor` is the price beside the full one, where there is one; `takes_credits`: one for
    each date of the series pays it; `gives_credits`: one comes back for each date that is left in
    time, instead of its money. `passes`: its lists let smaller parties pass a bigger one at once,
    others only after a day.
    """

    id: UUID
    price_type: str
    price_minor: int
    service_id: UUID
    tiers: tuple[tuple[int, int], ...] = ()
    whole_course: bool = False
    sells_singles: bool = True
    base: int = 0
    child_minor: int | None = None
    passes: bool = False
    takes_credits: bool = False
    gives_credits: bool = False
    late_fee: FeeRule | None = None
    no_show_fee: FeeRule | None = None
    hands_on_before: timedelta | None = None
    tags: frozenset[str] = frozenset()
    active: bool = True
    runs: list["Run"] = field(default_factory=list)


@dataclass(eq=False)
class Run:
    """A session. `sold_as` is the offer that its single seats are sold by; it `is_back_in_time`
    when it was moved from where it was too late to wait for it.
    """

    id: UUID
    sold_as: Offer
    starts_at: datetime
    capacity: int
    series: Offer | None = None
    state: str = "scheduled"
    sequence: int = 0
    moved: int = 0
    is_back_in_time: bool = False

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=1)

    @property
    def tags(self) -> frozenset[str]:
        return self.sold_as.tags | (self.series.tags if self.series else frozenset())


@dataclass(eq=False)
class Lot:
    """Credits of a guest, for whatever has the `tag`, if they have one. `told_at` is when their end
    was last set; `is_warned` and `is_told`: a mail has said that it comes, and that it came.
    So many were `lost` at it.

    `paid` of what `paid_by` took was paid for the `bought` ones; `refunded` of them went back for
    `returned`. Those that came back for a seat go by its id; one that came because a
    lot had ended `stands_for` that one's credit.
    """

    id: UUID
    guest: str
    balance: int
    told_at: datetime
    expires_at: datetime | None = None
    is_warned: bool = False
    is_told: bool = False
    tag: str | None = None
    bought: int = 0
    paid: int = 0
    paid_by: "Sale | Purchase | None" = None
    refunded: int = 0
    returned: int = 0
    lost: int = 0
    stands_for: "Lot | None" = None

    def is_for(self, tags: frozenset[str]) -> bool:
        return self.tag is None or self.tag in tags

    @property
    def original(self) -> "Lot | None":
        """Of one that stands for another, the one that was paid for."""
        if self.stands_for is None:
            return None
        return self.stands_for.original or self.stands_for

    def has_ended(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at < now

    def has(self, wanted: int, until: datetime, now: datetime) -> bool:
        lasts = self.expires_at is None or max(until, now) <= self.expires_at
        return lasts and self.balance >= wanted

    def take_out(self, number: int) -> None:
        """What is left goes first, and then what was lost at the end."""
        lost = max(0, number - self.balance)
        self.balance, self.lost = self.balance - number + lost, self.lost - lost

    def warns_at(self) -> datetime | None:
        if self.expires_at is None:
            return None
        return self.expires_at - min(timedelta(days=7), (self.expires_at - self.told_at) / 2)


@dataclass(eq=False)
class Place:
    """A seat. `sold` is the run's sequence that it was sold at; it `is_marked` when it took the
    place of one that could be left without any penalty. `ending` is what is under way for it, and
    `lot` where the credit came from that paid it. `had` is who had it before it was handed on for
    the first time.
    """

    id: UUID
    order: "Sale"
    run: Run
    person: UUID
    share: int
    state: str
    sold: int
    most_percent: int = 100
    returned: int = 0
    is_marked: bool = False
    replaced_by: "Place | None" = None
    ending: "Ending | None" = None
    lot: Lot | None = None
    is_handed_on: bool = False
    times_handed_on: int = 0
    had: UUID | None = None

    @property
    def sits_after(self) -> UUID:
        """Who would sit on another date: a place that is handed on is its guest's again there."""
        return self.had if self.is_handed_on and self.had is not None else self.person

    @property
    def leaves_free(self) -> bool:
        return self.is_marked or self.sold < self.run.moved


@dataclass(eq=False)
class Fee:
    """What is asked of who left the place late, or did not come; they hear of it at `tells_at`."""

    place: Place
    kind: str
    amount: int
    tells_at: datetime
    state: str = "asked"
    is_told: bool = False


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
class Gift:
    """A voucher, and what is on it. `bought` is the order that it came with, if it was bought."""

    id: UUID
    code: str
    balance: int
    expires_at: datetime | None = None
    state: str = "active"
    bought: "Purchase | None" = None

    def may_pay(self, now: datetime) -> bool:
        is_over = self.expires_at is not None and now > self.expires_at
        return self.state == "active" and self.balance > 0 and not is_over

    def covers(self, part: int) -> bool:
        """Whether who pays late gets it again, even if it has ended since."""
        return self.state == "active" and self.balance >= part

    def part_of(self, total: int, *, online: bool) -> int:
        """What it pays, so that nothing is left that no card could pay."""
        part = min(self.balance, total)
        return max(total - LEAST_ONLINE, 0) if online and 0 < total - part < LEAST_ONLINE else part


@dataclass(eq=False)
class Back:
    """Money that was asked to go back from one payment: the `gift` to which it goes, if that had
    paid, or the card. `lot` is whose `credits` left with it, `emptied` the voucher that it was
    taken off. `stand_ins` are lots of which a credit left with it. One that failed `is_waiting` for
    another try as long as there is anything to try; `has_failed`: one of its tries did, and
    `is_told`: its guest was mailed that.
    """

    of: "Sale | Purchase"
    amount: int
    cause: str
    gift: Gift | None = None
    lot: Lot | None = None
    credits: int = 0
    emptied: Gift | None = None
    stand_ins: list[Lot] = field(default_factory=list)
    state: str = "pending"
    is_waiting: bool = False
    has_failed: bool = False
    is_told: bool = False


@dataclass(eq=False)
class Purchase:
    """An order of credits, or of a voucher, that was paid by card. While a `dispute` about it is
    open, or after it was lost, its bank has the money, and nothing of it goes back.
    """

    id: UUID
    guest: str
    paid: int
    refunded: int = 0
    promised: int = 0
    by_hand: int = 0
    dispute: str | None = None
    on_gift: int = 0
    is_late: bool = False

    @property
    def left(self) -> int:
        return self.at_processor

    @property
    def kept(self) -> int:
        """What has neither gone back nor was lost to a bank."""
        return 0 if self.dispute == "lost" else self.paid - self.refunded

    @property
    def at_processor(self) -> int:
        return 0 if self.dispute in ("open", "lost") else self.paid - self.refunded

    @property
    def by_card(self) -> int:
        return self.at_processor


@dataclass(eq=False)
class Sale:
    """An order. `taken` is money at the processor that we have not been told of; `promised` is what
    the business is asked to hand back of what it took on site. `by_link`: staff hold it for a guest
    who is mailed the link to pay; `by_swap`: it took the place of what was given up. `paid_at` is
    when the business first took money itself for what was confirmed before. A `gift` pays a `part`
    of it: `by_gift` did once the order stands, and `on_gift` is left of that. Money that `is_late`
    was for nothing any more. By transfer the `received` part of the price has come, and `extra`
    money that nothing waits for.
    """

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
    promised: int = 0
    by_link: bool = False
    by_swap: bool = False
    paid_at: datetime | None = None
    gift: Gift | None = None
    part: int = 0
    by_gift: int = 0
    on_gift: int = 0
    is_late: bool = False
    received: int = 0
    extra: int = 0
    fee: Fee | None = None
    places: list[Place] = field(default_factory=list)

    @property
    def to_pay(self) -> int:
        return self.total - self.part

    @property
    def left(self) -> int:
        """Of the price, whichever way it came."""
        return self.paid - self.refunded - self.extra

    @property
    def kept(self) -> int:
        return self.left

    @property
    def at_processor(self) -> int:
        """What is left of the money that can go back to the card."""
        return self.paid - self.refunded - self.on_gift if self.mode == "online" else 0

    @property
    def by_card(self) -> int:
        """What is left of the money that can go back the way it came, by voucher too."""
        return self.at_processor + self.on_gift

    @property
    def taken_by_hand(self) -> int:
        """What the business took itself."""
        by_hand = self.mode in ("on_site", "transfer")
        return self.paid - self.by_gift - self.extra if by_hand else 0

    @property
    def by_hand(self) -> int:
        """What is left of that and was not promised to somebody."""
        return max(self.taken_by_hand - self.promised, 0)

    @property
    def gives_credits(self) -> bool:
        return self.is_series and self.offer.gives_credits and self.mode != "credit"


Subject = Run | Sale | Offer | Place


@dataclass(eq=False)
class Ending:
    """A cancellation that can still be undone, or was carried out.

    `runs` are the dates that it stops, `chosen` what goes back, `credited` the seats that bring a
    credit, `resumes` whether the series goes on sale again when it is undone, and `revokes` whether
    the unspent credits that the purchase has brought are taken back, those `held` when it was
    asked.
    """

    id: UUID
    subject: Subject
    asked_at: datetime
    runs: list[Run] = field(default_factory=list)
    gives_back: bool = False
    chosen: dict[Sale, int] = field(default_factory=dict)
    credited: dict[Sale, list[Place]] = field(default_factory=dict)
    resumes: bool = False
    revokes: bool = False
    held: list[Lot] = field(default_factory=list)
    state: str = "waiting"


@dataclass(eq=False)
class Entry:
    """Somebody on the waiting list of a run, or of a series."""

    id: UUID
    what: Run | Offer
    guest: str
    size: int
    place: int
    state: str = "waiting"
    could_since: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.state in ("waiting", "offered")

    @property
    def dates(self) -> list[Run]:
        return [self.what] if isinstance(self.what, Run) else self.what.runs

    @property
    def passes(self) -> bool:
        sold_as = self.what.sold_as if isinstance(self.what, Run) else self.what
        return sold_as.passes


@dataclass(eq=False)
class Promise:
    """An offer of a waiting list. `sale` is what became of it."""

    id: UUID
    entry: Entry
    runs: list[Run]
    places: int
    holds: bool
    expires_at: datetime
    state: str = "live"
    sale: Sale | None = None

    @property
    def closes_at(self) -> datetime:
        """No offer outlasts it, however its dates move."""
        return min(run.starts_at for run in self.runs) - OFFERS_END_BEFORE

    @property
    def is_stopped(self) -> bool:
        """Whether one of its dates is being cancelled, when nobody can take it."""
        return any(run.state != "scheduled" for run in self.runs)

    def held(self, run: Run) -> int:
        return self.places if self.state == "live" and self.holds and run in self.runs else 0


def sold_online(what: Run | Offer) -> bool:
    offer = what.sold_as if isinstance(what, Run) else what
    return offer.price_type == "online"


def sells_singly(run: Run) -> bool:
    """A date of a series only where that allows it, while it is on sale itself."""
    series = run.series
    drops_in = series is None or (series.sells_singles and series.active)
    return drops_in and run.sold_as.sells_singles


def is_coming(place: Place, now: datetime) -> bool:
    """And nobody is cancelling the place, or all that was bought with it."""
    return is_ahead(place, now) and place.ending is None


def is_ahead(place: Place, now: datetime) -> bool:
    is_on = place.run.state == "scheduled" and now <= place.run.starts_at
    return place.state == "confirmed" and is_on


def reached(ending: Ending, sale: Sale, now: datetime) -> list[Place]:
    """The sale's seats that the cancellation is about; a purchase's leaves what has started, and
    who is ticked.
    """
    if ending.subject is sale:
        coming = [place for place in sale.places if place.run.starts_at > now]
        return [place for place in coming if place.state not in ("attended", "no_show")]
    if isinstance(ending.subject, Place):
        return [place for place in sale.places if place is ending.subject]
    return [place for place in sale.places if place.run in ending.runs]


def whole(moment: datetime) -> datetime:
    """The processor counts in whole seconds."""
    return moment.replace(microsecond=0)
