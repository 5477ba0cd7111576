"""What programs send to make services, sessions and series, with the bounds of each field."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from src.booking.commands.series import SeriesCommand
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    SessionMode,
    Visibility,
)
from src.booking.domain.leaving import NOTHING_BACK, BeforeUnit, LeavingTerms
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.questions import Question
from src.booking.domain.service_rules import LARGEST_ORDER_MINOR

Title = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=5000)]
Minor = Annotated[
    int, Meta(ge=0, le=LARGEST_ORDER_MINOR, description="In minor units of the currency.")
]
Rate = Annotated[int, Meta(ge=0, le=10_000, description="In hundredths of a percent.")]
Minutes = Annotated[int, Meta(ge=1, le=10_080)]
Count = Annotated[int, Meta(ge=1, le=100_000)]
Party = Annotated[int, Meta(ge=1, le=100)]
Before = Annotated[
    int, Meta(ge=0, le=8760, description="So many hours or days before the start; at most a year.")
]
Way = Literal["online", "on_site", "credit"]
BookingWay = Literal["online", "transfer", "on_site"]
Ways = Annotated[
    list[Way],
    Meta(
        max_length=3,
        description="How a single date can be paid; none: as the service says. `credit` alone is"
        " for who has credits of a package.",
    ),
]
Days = Annotated[int, Meta(ge=1, le=730)]


class ServiceIn(msgspec.Struct, frozen=True, kw_only=True):
    """A group service. Prices are gross, of a single entry."""

    name: Title
    slug: Annotated[str, Meta(max_length=60)] = ""
    description: Words = ""
    mode: SessionMode = SessionMode.IN_PERSON
    sales_mode: SalesMode = SalesMode.SINGLE
    price_type: SeriesPriceType = SeriesPriceType.FREE
    price_minor: Minor = 0
    price_tiers: tuple[PriceTier, ...] = ()
    tax_rate_bp: Rate = 0
    duration_minutes: Minutes = 60
    default_capacity: Count = 10
    default_performer_id: UUID | None = None
    default_location_id: UUID | None = None
    default_min_seats: Count | None = None
    default_decide_hours: Count | None = None
    min_notice_minutes: int = 0
    horizon_days: Days = 365
    max_party: Party = 10
    questions: tuple[Question, ...] = ()
    leaving: LeavingTerms = NOTHING_BACK
    tags: tuple[str, ...] = ()
    visibility: Visibility = Visibility.PUBLIC
    active: bool = True


class SessionIn(msgspec.Struct, frozen=True, kw_only=True):
    """A session. Both moments carry their offset, e.g. 2027-05-14T18:00:00+02:00. With fewer than
    `min_seats` it is called off `decide_hours` before its start, 24 unless said; null: never.
    `tags` are words by which credits find it, besides those of its service and series.
    """

    service_id: UUID
    starts_at: datetime
    ends_at: datetime
    capacity: Count
    title: Title = ""
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=500)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    min_seats: Count | None = None
    decide_hours: Count | None = None
    tags: tuple[str, ...] = ()


class SeriesIn(msgspec.Struct, frozen=True, kw_only=True):
    """A series. `session_ids` are all its dates; `service_id` is fixed once it is made. With
    `takes_credits` the whole of it can be paid with credits, one for each date.
    """

    service_id: UUID
    title: Title
    price_type: SeriesPriceType
    price_minor: Minor = 0
    price_tiers: tuple[PriceTier, ...] = ()
    description: Words = ""
    visibility: Visibility = Visibility.PUBLIC
    join_policy: JoinPolicy = JoinPolicy.BEFORE_START
    join_until_on: date | None = None
    gap_policy: GapPolicy = GapPolicy.BLOCK
    drop_in_allowed: bool = False
    drop_in_minor: Minor | None = None
    drop_in_opens_before: Before | None = None
    drop_in_opens_unit: BeforeUnit = BeforeUnit.DAYS
    drop_in_pays: Ways = msgspec.field(default_factory=list)
    leaving: LeavingTerms = NOTHING_BACK
    tags: tuple[str, ...] = ()
    takes_credits: bool = False
    session_ids: Annotated[list[UUID], Meta(max_length=500)]

    def command(self) -> SeriesCommand:
        return SeriesCommand(
            title=self.title,
            price_type=self.price_type,
            price_minor=self.price_minor,
            price_tiers=self.price_tiers,
            description=self.description,
            visibility=self.visibility,
            join_policy=self.join_policy,
            join_until_on=self.join_until_on,
            gap_policy=self.gap_policy,
            drop_in_allowed=self.drop_in_allowed,
            drop_in_minor=self.drop_in_minor,
            drop_in_opens_before=self.drop_in_opens_before,
            drop_in_opens_unit=self.drop_in_opens_unit,
            drop_in_pays=as_ways(self.drop_in_pays),
            leaving=self.leaving,
            tags=self.tags,
            takes_credits=self.takes_credits,
            session_ids=tuple(self.session_ids),
        )


class DropInIn(msgspec.Struct, frozen=True, kw_only=True):
    """How a date of a series is sold alone; null, and no ways to pay, are as its series says.
    `opens_before` 0 opens at once.
    """

    allowed: bool | None = None
    price_minor: Minor | None = None
    opens_before: Before | None = None
    opens_unit: BeforeUnit = BeforeUnit.DAYS
    pays: Ways = msgspec.field(default_factory=list)

    def rules(self) -> DropInRules:
        return DropInRules(
            allowed=self.allowed,
            price_minor=self.price_minor,
            opens_before=self.opens_before,
            opens_unit=self.opens_unit,
            pays=as_ways(self.pays),
        )


def as_ways(words: Sequence[Way]) -> tuple[PayWay, ...]:
    return tuple(dict.fromkeys(PayWay(word) for word in words))


class SeatsIn(msgspec.Struct, frozen=True, kw_only=True):
    """Which places of a booking are given up."""

    seat_ids: Annotated[list[UUID], Meta(min_length=1, max_length=500)]


class SeatMoveIn(msgspec.Struct, frozen=True, kw_only=True):
    """A place of a booking, and the session it goes to. The reason goes into the guest's mail."""

    seat_id: UUID
    to_session_id: UUID
    reason: Annotated[str, Meta(max_length=500)] = ""


class ReturnIn(msgspec.Struct, frozen=True, kw_only=True):
    """What one order's guest gets back, at most the price of the seats that are cancelled."""

    order_id: UUID
    amount_minor: Minor


class ReturnsIn(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back of what was paid: the `full` price, what each guest's own `terms` give now, or
    `nothing`; `each` names the orders that get another amount.
    """

    all: MoneyChoice
    each: Annotated[list[ReturnIn], Meta(max_length=5000)] = []


class CancelIn(msgspec.Struct, frozen=True, kw_only=True):
    """Why; it is told to those whose seats are freed. Without `returns` no money goes back."""

    reason: Annotated[str, Meta(max_length=500)] = ""
    returns: ReturnsIn | None = None
