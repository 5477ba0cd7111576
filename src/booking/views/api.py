"""What the JSON API answers with. Money in minor units, moments in UTC with the business's clock.

A field is never renamed or given another meaning within `v1`; new ones may come.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from src.billing.domain.kinds import PaymentMode
from src.booking.domain.agreements import Needed
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.kinds import (
    BookingState,
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeatState,
    SeriesPriceType,
    SessionMode,
    SessionState,
    Visibility,
)
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, terms_from
from src.booking.domain.price_tiers import PriceTier, read_tiers
from src.booking.domain.questions import Question, read_questions
from src.booking.domain.seats_told import seats_told
from src.booking.models import Series, Service, Session
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot

CancellationScope = Literal["session", "purchase", "series", "dates", "seats"]
CancellationState = Literal["waiting", "running", "done", "undone"]


class MoneyOut(msgspec.Struct, frozen=True):
    """An amount in the smallest unit of its currency: 1500 EUR is 15 euros."""

    amount_minor: int
    currency: str


class MomentOut(msgspec.Struct, frozen=True):
    """A moment, and what the business's clock shows then."""

    utc: datetime
    local: str
    timezone: str


class AgreementOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a guest has to agree to before they book: a booking names the `version_id` in
    `agreed_version_ids`. `sha256` is the hash of the text that is to be read at `url`.
    """

    version_id: UUID
    title: str
    version: int
    sha256: str
    url: str


def agreements_out(base_url: str, slug: str, needed: Iterable[Needed]) -> list[AgreementOut]:
    """Each once."""
    return [
        AgreementOut(
            version_id=one.version_id,
            title=one.title,
            version=one.number,
            sha256=one.sha256,
            url=f"{base_url}/b/{slug}/agreements/{one.slug}",
        )
        for one in {one.version_id: one for one in needed}.values()
    ]


class ServiceOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    name: str
    description: str
    mode: SessionMode
    sales_mode: SalesMode
    price_type: SeriesPriceType
    price: MoneyOut
    price_tiers: list[PriceTier]
    tax_rate_bp: int
    duration_minutes: int
    default_capacity: int
    default_performer_id: UUID | None
    default_location_id: UUID | None
    default_min_seats: int | None
    default_decide_hours: int | None
    min_notice_minutes: int
    horizon_days: int
    max_party: int
    questions: list[Question]
    leaving: LeavingTerms
    tags: list[str]
    visibility: Visibility
    active: bool
    agreements: list[AgreementOut] = []


class SessionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A date of a service. `seats_taken` are the places that nobody else can have: people's seats,
    held ones too, and the `places_offered` to people on the waiting list, who have not taken them.
    `seats_left_told` is what guests read of `seats_left`: null where they read no number, 0 where
    the date is sold out.
    """

    id: UUID
    service_id: UUID
    series_id: UUID | None
    title: str
    starts_at: MomentOut
    ends_at: MomentOut
    capacity: int
    seats_taken: int
    places_offered: int
    seats_left: int
    seats_left_told: int | None
    mode: SessionMode
    meeting_url: str
    location_id: UUID | None
    performer_id: UUID | None
    min_seats: int | None
    decide_hours: int | None
    tags: list[str]
    state: SessionState


class DropInOut(msgspec.Struct, frozen=True, kw_only=True):
    """How a date of a series is sold alone, as it holds now: `own` are the rules of the date
    itself, the rest is its series' or its service's. `opens_at` null: at once.
    """

    allowed: bool
    price: MoneyOut
    opens_at: MomentOut | None
    pays: list[PayWay]
    own: DropInRules


class SeriesOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    service_id: UUID
    title: str
    description: str
    price_type: SeriesPriceType
    price: MoneyOut
    price_tiers: list[PriceTier]
    active: bool
    visibility: Visibility
    join_policy: JoinPolicy
    join_until_on: date | None
    gap_policy: GapPolicy
    drop_in_allowed: bool
    drop_in: MoneyOut | None
    drop_in_opens_before: int | None
    drop_in_opens_unit: BeforeUnit
    drop_in_pays: list[PayWay]
    leaving: LeavingTerms
    tags: list[str]
    takes_credits: bool
    base_sessions: int | None
    session_ids: list[UUID]
    agreements: list[AgreementOut] = []


class PageOut(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list; `next` is the value of `after` for the next one, null at the end."""

    next: str | None


class SessionPage(PageOut, frozen=True, kw_only=True):
    items: list[SessionOut]


class ServiceList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[ServiceOut]


class SeriesList(msgspec.Struct, frozen=True, kw_only=True):
    items: list[SeriesOut]


class SeatOut(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    session_id: UUID
    participant: str
    state: SeatState
    share_minor: int
    tier: str
    starts_at: MomentOut
    paid_by_credit: bool


class PaidByCreditsOut(msgspec.Struct, frozen=True, kw_only=True):
    """The credits that paid for a booking: how many are `left` of them now, and their last moment,
    null for those that never end.
    """

    name: str
    left: int
    expires_at: MomentOut | None


class SeatsLeftOut(msgspec.Struct, frozen=True, kw_only=True):
    """Places were given up; `refund` is on its way back, which may be nothing."""

    refund: MoneyOut


class SeatMovedOut(msgspec.Struct, frozen=True, kw_only=True):
    """The place in the other session."""

    seat_id: UUID
    session_id: UUID


class BookingOut(msgspec.Struct, frozen=True, kw_only=True):
    """A booking. `payment_url` is where the guest pays while the seats are held. `discount` is what
    a coupon has taken off already; `total` is what is left.

    `owed`, what is still to be paid on site, `seats`, and the `credits` that paid where
    `payment_mode` is `credit`, are told when the booking is asked for.
    """

    id: UUID
    order_id: UUID
    reference: str
    state: BookingState
    kind: Literal["session", "series"]
    subject_id: UUID
    party_size: int
    guest_name: str
    guest_email: str
    total: MoneyOut
    discount: MoneyOut
    payment_mode: PaymentMode
    booking_url: str
    payment_url: str | None = None
    owed: MoneyOut | None = None
    seats: list[SeatOut] | None = None
    credits: PaidByCreditsOut | None = None


class FailedRefundOut(msgspec.Struct, frozen=True, kw_only=True):
    """A refund that did not go through; somebody has to try it again in the dashboard."""

    refund_id: UUID
    order_id: UUID
    amount: MoneyOut
    why: str


class ReturnsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What a cancellation gives back: what was chosen, and once it is done what of that could be
    given; what of it is `pending` at the processor or `returned` there, and what was paid on site
    and is to be handed back.
    """

    chosen: MoneyOut
    pending: MoneyOut
    returned: MoneyOut
    by_hand: MoneyOut
    failed: list[FailedRefundOut]


class CancellationOut(msgspec.Struct, frozen=True, kw_only=True):
    """A cancellation under way; seats are freed after `starts_at`. `returns` is null where no money
    goes back.
    """

    id: UUID
    scope: CancellationScope
    subject_id: UUID
    state: CancellationState
    customers: int
    customers_told: int
    seats_freed: int
    starts_at: datetime
    returns: ReturnsOut | None


class MeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whose key this is, and what the plan leaves."""

    name: str
    slug: str
    timezone: str
    currency: str
    plan: str
    features: list[str]
    bookings_this_month: int
    bookings_per_month: int | None


def moment_out(at: datetime, zone: ZoneInfo) -> MomentOut:
    return MomentOut(at, to_local(at, zone).isoformat(timespec="minutes"), zone.key)


def service_out(service: Service, currency: str) -> ServiceOut:
    return ServiceOut(
        id=service.id,
        slug=service.slug,
        name=service.name,
        description=service.description,
        mode=SessionMode(service.mode),
        sales_mode=SalesMode(service.sales_mode),
        price_type=SeriesPriceType(service.price_type),
        price=MoneyOut(service.price_minor, currency),
        price_tiers=list(read_tiers(service.price_tiers)),
        tax_rate_bp=service.tax_rate_bp,
        duration_minutes=service.duration_minutes,
        default_capacity=service.default_capacity,
        default_performer_id=service.default_performer_id,
        default_location_id=service.default_location_id,
        default_min_seats=service.default_min_seats,
        default_decide_hours=service.default_decide_hours,
        min_notice_minutes=service.min_notice_minutes,
        horizon_days=service.horizon_days,
        max_party=service.max_party,
        questions=read_questions(service.questions),
        leaving=terms_from(service.leaving),
        tags=service.tags,
        visibility=Visibility(service.visibility),
        active=service.active,
    )


def session_out(session: Session, tenant: TenantSnapshot, places_offered: int) -> SessionOut:
    left, zone = session.capacity - session.seats_taken, tenant.zone
    return SessionOut(
        id=session.id,
        service_id=session.service_id,
        series_id=session.series_id,
        title=session.title,
        starts_at=moment_out(session.starts_at, zone),
        ends_at=moment_out(session.ends_at, zone),
        capacity=session.capacity,
        seats_taken=session.seats_taken,
        places_offered=places_offered,
        seats_left=left,
        seats_left_told=seats_told(left, session.capacity, tenant.seats_told_up_to).left,
        mode=SessionMode(session.mode),
        meeting_url=session.meeting_url,
        location_id=session.location_id,
        performer_id=session.performer_id,
        min_seats=session.min_seats,
        decide_hours=session.decide_hours,
        tags=session.tags,
        state=SessionState(session.state),
    )


def _drop_in(series: Series, currency: str) -> MoneyOut | None:
    """The price of a single date; None where it costs what the service says."""
    amount_minor = series.drop_in_price_minor
    return None if amount_minor is None else MoneyOut(amount_minor, currency)


def series_out(series: Series, session_ids: list[UUID], currency: str) -> SeriesOut:
    return SeriesOut(
        id=series.id,
        service_id=series.service_id,
        title=series.title,
        description=series.description,
        price_type=SeriesPriceType(series.price_type),
        price=MoneyOut(series.price_minor, currency),
        price_tiers=list(read_tiers(series.price_tiers)),
        active=series.active,
        visibility=Visibility(series.visibility),
        join_policy=JoinPolicy(series.join_policy),
        join_until_on=series.join_until_on,
        gap_policy=GapPolicy(series.gap_policy),
        drop_in_allowed=series.drop_in_allowed,
        drop_in=_drop_in(series, currency),
        drop_in_opens_before=series.drop_in_opens_before,
        drop_in_opens_unit=BeforeUnit(series.drop_in_opens_unit),
        drop_in_pays=[PayWay(way) for way in series.drop_in_pays],
        leaving=terms_from(series.leaving),
        tags=series.tags,
        takes_credits=series.takes_credits,
        base_sessions=series.base_sessions,
        session_ids=session_ids,
    )
