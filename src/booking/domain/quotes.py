"""What a guest is about to buy: which sessions, at what price, one line, and the seats' shares."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from src.billing.domain.coupons import AppliedCoupon
from src.billing.domain.credits import LotPart
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.lot_users import EVERYONE, LotUsers
from src.billing.domain.vouchers import AppliedVoucher
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import NOTHING_BACK, LeavingTerms
from src.booking.domain.pricing import seat_shares

SubjectKind = Literal["session", "series"]


class Person(NamedTuple):
    """What one of the party pays, and what that price is called; "" for the full price."""

    tier: str
    unit_minor: int


class PaidByCredits(NamedTuple):
    """The lot that pays, with the credits that it has left before this. `is_given_back`: they come
    from a place that was left. `users` are those who may use it. Where several lots pay together,
    `parts` are those, in the order in which they are taken from.
    """

    lot_id: UUID
    name: str
    balance: int
    is_given_back: bool = False
    users: LotUsers = EVERYONE
    parts: tuple[LotPart, ...] = ()

    @property
    def lot_ids(self) -> frozenset[UUID]:
        return frozenset(part.id for part in self.parts) or frozenset({self.lot_id})

    def lots_of_seats(self, count: int) -> list[UUID]:
        """For each of so many seats the lot whose credit pays for it."""
        parts = self.parts or (LotPart(self.lot_id, count),)
        lots = [part.id for part in parts for _credit in range(part.balance)]
        return lots[:count]


class QuoteLine(NamedTuple):
    """Those of the party who pay the same, and their part of the discount."""

    tier: str
    unit_minor: int
    quantity: int
    discount_minor: int

    @property
    def total_minor(self) -> int:
        return self.unit_minor * self.quantity - self.discount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one thing for one party, decided at one moment and frozen with the hold.

    `ways` are all in which it can be paid; `price_type` says which one it is quoted for.
    `session_ids` are in order of time; each gives a seat to each of the party. `sequences` are
    those sessions' own, of the state in which they are sold. `leaving` are the terms that the
    booking will have been made under. A `coupon` takes its discount off the whole party's price,
    once, and the seats share what is left; a `voucher` changes no price, it pays a part of it.
    `unit_minor` is the full price of one; `people` are set, in the order of the party, where it can
    be paid at several prices. `gaps` are dates of a series that are full and left out: what each
    would have cost one person, by what their price is called. `transfer_due_at`: what can be paid
    online may be paid by bank transfer until then, and is, `by_transfer`; None where it may not.
    """

    kind: SubjectKind
    subject_id: UUID
    service_id: UUID
    description: str
    session_ids: tuple[UUID, ...]
    sequences: tuple[int, ...]
    party_size: int
    unit_minor: int
    people: tuple[Person, ...] = ()
    price_type: SeriesPriceType
    ways: tuple[PayWay, ...] = ()
    tax_rate_bp: int
    leaving: LeavingTerms = NOTHING_BACK
    coupon: AppliedCoupon | None = None
    voucher: AppliedVoucher | None = None
    gaps: Mapping[UUID, Mapping[str, int]] = field(default_factory=dict)
    transfer_due_at: datetime | None = None
    by_transfer: bool = False
    credits: PaidByCredits | None = None

    @property
    def discount_minor(self) -> int:
        return self.coupon.discount_minor if self.coupon is not None else 0

    @property
    def full_minor(self) -> int:
        """What the whole party pays without a coupon."""
        if self.people:
            return sum(person.unit_minor for person in self.people)
        return self.unit_minor * self.party_size

    @property
    def total_minor(self) -> int:
        return self.full_minor - self.discount_minor

    @property
    def to_pay_minor(self) -> int:
        """What is left to pay beside the voucher."""
        return self.total_minor - (self.voucher.part_minor if self.voucher is not None else 0)

    @property
    def payment_mode(self) -> PaymentMode:
        """How it will be paid; a price of nothing needs no payment page."""
        if self.credits is not None:
            return PaymentMode.CREDIT
        if self.total_minor == 0:
            return PaymentMode.FREE
        if self.by_transfer:
            return PaymentMode.TRANSFER
        if self.price_type is SeriesPriceType.ON_SITE:
            return PaymentMode.ON_SITE
        return PaymentMode.ONLINE

    @property
    def way(self) -> str:
        """The way to pay that it is quoted for, `free` where there is none."""
        return PayWay.TRANSFER.value if self.by_transfer else self.price_type.value

    @property
    def credits_needed(self) -> int:
        """One for each seat."""
        return self.party_size * len(self.session_ids)

    def by_credits(self, lot: PaidByCredits) -> "Quote":
        """The same seats for credits instead of money."""
        people = tuple(person._replace(unit_minor=0) for person in self.people)
        return replace(self, unit_minor=0, people=people, credits=lot)

    @property
    def paid_places(self) -> int:
        """How many of the party pay for their place, with money or a credit; all, where nobody
        does.
        """
        paying = sum(person.unit_minor > 0 for person in self.party)
        return self.party_size if self.credits is not None else paying or self.party_size

    @property
    def dates_key(self) -> str:
        """Another one as soon as any of the dates is another or has changed."""
        dates = zip(self.session_ids, self.sequences, strict=True)
        said = ",".join(f"{session_id}:{sequence}" for session_id, sequence in dates)
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    @property
    def party(self) -> tuple[Person, ...]:
        """Everyone who comes, in the party's order."""
        return self.people or (Person("", self.unit_minor),) * self.party_size

    def lines(self) -> list[QuoteLine]:
        """The party by price, in its order; the discount falls on each in proportion."""
        counts = Counter(self.party)
        full = [person.unit_minor * count for person, count in counts.items()]
        discounts = seat_shares(self.discount_minor, full) if full else []
        return [
            QuoteLine(person.tier, person.unit_minor, count, discount)
            for (person, count), discount in zip(counts.items(), discounts, strict=True)
        ]

    def shares_minor(self) -> Sequence[int]:
        """One share for each seat, session by session and within one by the party's order.

        The shares of those who pay the same sum to their line.
        """
        shares = {
            Person(line.tier, line.unit_minor): iter(
                seat_shares(line.total_minor, [1] * (line.quantity * len(self.session_ids)))
            )
            for line in self.lines()
        }
        return [next(shares[person]) for _run in self.session_ids for person in self.party]
