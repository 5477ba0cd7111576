"""What a guest is about to buy: which sessions, at what price, one line, and the seats' shares."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from src.billing.domain.coupons import AppliedCoupon
from src.billing.domain.kinds import PaymentMode
from src.booking.domain.drop_in import PayWay
from src.booking.domain.kinds import SeriesPriceType
from src.booking.domain.leaving import NOTHING_BACK, LeavingTerms
from src.booking.domain.pricing import seat_shares

SubjectKind = Literal["session", "series"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """The price of one thing for one party, decided at one moment and frozen with the hold.

    `ways` are all in which it can be paid; `price_type` says which one it is quoted for.
    `session_ids` are in order of time; each gives a seat to each of the party. `sequences` are
    those sessions' own, of the state in which they are sold. `leaving` are the terms that the
    booking will have been made under. A `coupon` takes its discount off the whole party's price,
    once, and the seats share what is left.
    """

    kind: SubjectKind
    subject_id: UUID
    service_id: UUID
    description: str
    session_ids: tuple[UUID, ...]
    sequences: tuple[int, ...]
    party_size: int
    unit_minor: int
    price_type: SeriesPriceType
    ways: tuple[PayWay, ...] = ()
    tax_rate_bp: int
    leaving: LeavingTerms = NOTHING_BACK
    coupon: AppliedCoupon | None = None

    @property
    def discount_minor(self) -> int:
        return self.coupon.discount_minor if self.coupon is not None else 0

    @property
    def full_minor(self) -> int:
        """What the whole party pays without a coupon."""
        return self.unit_minor * self.party_size

    @property
    def total_minor(self) -> int:
        return self.full_minor - self.discount_minor

    @property
    def payment_mode(self) -> PaymentMode:
        """How it will be paid; a price of nothing needs no payment page."""
        if self.total_minor == 0:
            return PaymentMode.FREE
        if self.price_type is SeriesPriceType.ON_SITE:
            return PaymentMode.ON_SITE
        return PaymentMode.ONLINE

    @property
    def dates_key(self) -> str:
        """Another one as soon as any of the dates is another or has changed."""
        dates = zip(self.session_ids, self.sequences, strict=True)
        said = ",".join(f"{session_id}:{sequence}" for session_id, sequence in dates)
        return hashlib.sha256(said.encode()).hexdigest()[:20]

    def shares_minor(self) -> Sequence[int]:
        """One share for each seat, session by session and within one by the party's order."""
        return seat_shares(self.total_minor, [1] * (len(self.session_ids) * self.party_size))
