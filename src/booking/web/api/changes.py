"""What a program changes of a service or a series: a field that is left out stays as it is."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from src.booking.domain.kinds import (
    GapPolicy,
    JoinPolicy,
    SalesMode,
    SeriesPriceType,
    SessionMode,
    Visibility,
)
from src.booking.domain.leaving import BeforeUnit, LeavingTerms
from src.booking.domain.price_tiers import PriceTier
from src.booking.domain.questions import Question
from src.booking.web.api.bodies import (
    Before,
    Count,
    Days,
    Minor,
    Minutes,
    Party,
    Rate,
    Title,
    Ways,
    Words,
    as_ways,
)


class ServiceChange(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a service to change; those that are left out stay."""

    name: Title | UnsetType = UNSET
    slug: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    description: Words | UnsetType = UNSET
    mode: SessionMode | UnsetType = UNSET
    sales_mode: SalesMode | UnsetType = UNSET
    price_type: SeriesPriceType | UnsetType = UNSET
    price_minor: Minor | UnsetType = UNSET
    price_tiers: list[PriceTier] | UnsetType = UNSET
    tax_rate_bp: Rate | UnsetType = UNSET
    duration_minutes: Minutes | UnsetType = UNSET
    default_capacity: Count | UnsetType = UNSET
    default_performer_id: UUID | UnsetType | None = UNSET
    default_location_id: UUID | UnsetType | None = UNSET
    default_min_seats: Count | UnsetType | None = UNSET
    default_decide_hours: Count | UnsetType | None = UNSET
    min_notice_minutes: int | UnsetType = UNSET
    horizon_days: Days | UnsetType = UNSET
    max_party: Party | UnsetType = UNSET
    questions: list[Question] | UnsetType = UNSET
    leaving: LeavingTerms | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class SessionChange(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a session to change; those that are left out stay. Where it has guests, another
    time needs `move_guests`; whoever booked is told by mail, with the `reason`. With
    `tells_performer` they are told of another performer too.
    """

    starts_at: datetime | UnsetType = UNSET
    ends_at: datetime | UnsetType = UNSET
    capacity: Count | UnsetType = UNSET
    title: Title | UnsetType = UNSET
    mode: SessionMode | UnsetType = UNSET
    meeting_url: Annotated[str, Meta(max_length=500)] | UnsetType = UNSET
    location_id: UUID | UnsetType | None = UNSET
    performer_id: UUID | UnsetType | None = UNSET
    min_seats: Count | UnsetType | None = UNSET
    decide_hours: Count | UnsetType | None = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    move_guests: bool = False
    tells_performer: bool = False
    reason: Annotated[str, Meta(max_length=500)] = ""


class SeriesChange(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a series to change; those that are left out stay. Its service is fixed."""

    title: Title | UnsetType = UNSET
    price_type: SeriesPriceType | UnsetType = UNSET
    price_minor: Minor | UnsetType = UNSET
    price_tiers: list[PriceTier] | UnsetType = UNSET
    description: Words | UnsetType = UNSET
    visibility: Visibility | UnsetType = UNSET
    join_policy: JoinPolicy | UnsetType = UNSET
    join_until_on: date | UnsetType | None = UNSET
    gap_policy: GapPolicy | UnsetType = UNSET
    drop_in_allowed: bool | UnsetType = UNSET
    drop_in_minor: Minor | UnsetType | None = UNSET
    drop_in_opens_before: Before | UnsetType | None = UNSET
    drop_in_opens_unit: BeforeUnit | UnsetType = UNSET
    drop_in_pays: Ways | UnsetType = UNSET
    leaving: LeavingTerms | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    takes_credits: bool | UnsetType = UNSET
    session_ids: Annotated[list[UUID], Meta(max_length=500)] | UnsetType = UNSET


def given(change: ServiceChange | SessionChange | SeriesChange) -> dict[str, Any]:
    """The fields that were sent, lists as tuples."""
    sent = {
        name: value for name, value in msgspec.structs.asdict(change).items() if value is not UNSET
    }
    if "drop_in_pays" in sent:
        sent["drop_in_pays"] = as_ways(sent["drop_in_pays"])
    return {name: tuple(v) if isinstance(v, list) else v for name, v in sent.items()}
