"""What the statement behind "what is on sale" packs: services, series and their dates."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from src.booking.domain.appointment_terms import Length
from src.booking.domain.bookable import ServiceFacts
from src.booking.domain.drop_in import (
    DropInRules,
    PayWay,
    price_of_date,
    ways_to_pay,
)
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    SessionState,
)
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.price_label import PriceLabel, price_of_lengths
from src.booking.domain.price_tiers import PriceTier, open_tiers
from src.booking.domain.pricing import SeriesSession, SeriesTerms
from src.booking.domain.waiting import WaitlistTerms, closes_at, is_too_late
from src.booking.queries.drop_in import LOOSE, rules_from


class Run(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A date of a series, as the statement packs it."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    state: str
    capacity: int
    taken: int
    in_term: bool
    mode: str
    place: str | None
    title: str


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """A published series of a service on sale as series, with all its dates in order. `is_kept`:
    for established customers only.
    """

    id: UUID
    service_id: UUID
    title: str
    description: str
    price_type: str
    price_minor: int
    price_tiers: list[PriceTier]
    visibility: str
    join_policy: str
    join_until_on: date | None
    gap_policy: str
    base_sessions: int
    min_notice_minutes: int
    runs: list[Run]
    is_kept: bool = False

    def terms(self) -> SeriesTerms:
        return SeriesTerms(
            price_type=SeriesPriceType(self.price_type),
            price_minor=self.price_minor,
            base_sessions=self.base_sessions,
            join_policy=JoinPolicy(self.join_policy),
            join_until_on=self.join_until_on,
            gap_policy=GapPolicy(self.gap_policy),
            min_notice_minutes=self.min_notice_minutes,
        )

    def sessions(self) -> list[SeriesSession]:
        return [
            SeriesSession(
                session_id=run.id,
                starts_at=run.starts_at,
                state=SessionState(run.state),
                capacity=run.capacity,
                taken=run.taken,
                in_term=run.in_term,
            )
            for run in self.runs
        ]


class SoldAlone(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Dates that are sold alone under the same rules; `first_at` is the first one's start."""

    minor: int | None
    before: int | None
    unit: BeforeUnit | None
    pays: tuple[PayWay, ...] | None
    first_at: datetime

    def rules(self) -> DropInRules:
        return rules_from(True, self.minor, self.before, self.unit, self.pays)


class ServiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group service. `free_runs` are its next dates that are sold alone and have a seat left,
    `coming_runs` the next of them whether or not. `next_at` is its next date, `next_free_at` the
    next with a seat left, whether or not it is sold. `is_kept` as of a series.
    """

    id: UUID
    slug: str
    name: str
    description: str
    mode: str
    sales_mode: str
    price_type: str
    price_minor: int
    price_tiers: list[PriceTier]
    duration_minutes: int
    min_notice_minutes: int
    horizon_days: int
    active: bool
    visibility: str
    waitlist: WaitlistTerms
    tags: list[str]
    free_runs: list[SoldAlone] | None
    coming_runs: list[SoldAlone] | None
    next_at: datetime | None
    next_free_at: datetime | None = None
    is_kept: bool = False

    def facts(self) -> ServiceFacts:
        return ServiceFacts(
            active=self.active,
            sales_mode=SalesMode(self.sales_mode),
            min_notice_minutes=self.min_notice_minutes,
            horizon_days=self.horizon_days,
        )

    def is_too_late_to_wait(self, first_starts_at: datetime, now: datetime) -> bool:
        closing_at = closes_at(first_starts_at, self.min_notice_minutes, self.waitlist)
        return is_too_late(closing_at, now, self.waitlist)

    def single_price_minor(self, rules: DropInRules = LOOSE) -> int:
        return price_of_date(rules, SeriesPriceType(self.price_type), self.price_minor)

    def tiers(self, rules: DropInRules, today: date) -> tuple[PriceTier, ...]:
        """The prices beside the full one of a date that costs what the service says."""
        if self.price_type == SeriesPriceType.FREE or rules.price_minor is not None:
            return ()
        return open_tiers(self.price_tiers, today)

    def ways(self, rules: DropInRules = LOOSE) -> tuple[PayWay, ...]:
        return ways_to_pay(rules, SeriesPriceType(self.price_type))

    @property
    def needs_money(self) -> bool:
        """Whether a single date is sold for money that can only be paid online."""
        rules = [run.rules() for run in self.coming_runs or ()] or [LOOSE]
        return any(
            self.ways(one) == (PayWay.ONLINE,) and self.single_price_minor(one) > 0 for one in rules
        )


class AppointmentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A service by appointment that somebody gives; `lengths` are those beside its own."""

    id: UUID
    slug: str
    name: str
    description: str
    mode: str
    price_type: str
    price_minor: int
    duration_minutes: int
    tags: list[str]
    lengths: list[Length]
    is_kept: bool = False

    @property
    def needs_money(self) -> bool:
        return self.price_type == SeriesPriceType.ONLINE and self.price_minor > 0

    def label(self, currency: str) -> PriceLabel:
        """The lowest price of all lengths where they differ."""
        return price_of_lengths(self.price_type, self.price_minor, self.lengths, currency)


class PerformerRow(msgspec.Struct, frozen=True):
    id: UUID
    name: str
