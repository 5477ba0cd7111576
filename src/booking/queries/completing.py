"""Dates that a purchase of a series lacks: who may still get them, at what price, and why not."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, select

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.bookable import BusinessFacts, why_not_bookable_session
from src.booking.domain.gaps import (
    Missing,
    PurchaseFacts,
    gaps_from,
    session_for_buyer,
    still_comes,
    who_lacks,
)
from src.booking.domain.kinds import SeatState, SeriesPriceType, SessionState
from src.booking.domain.leaving import terms_from
from src.booking.domain.quotes import Quote
from src.booking.domain.reasons import Reason, ReasonCode, off_reason
from src.booking.domain.states import LIVE_SEATS
from src.booking.domain.waiting import ListFacts
from src.booking.models import Booking, Cancellation, Seat, Series, Service, Session, WaitlistEntry
from src.booking.queries.offer_facts import session_facts
from src.booking.queries.offers import SessionOffer
from src.booking.queries.waitlist_times import closing_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.web.formats import date_short
from src.tenants.context import TenantSnapshot

LIVE = [str(state) for state in LIVE_SEATS]
ENDED = [str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED)]
Wanted = tuple[UUID, UUID]
"""A purchase, and a session that it was sold without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completing:
    """A date that the purchase was sold without. `missing` are those of its party who may still get
    it, nobody once the purchase has ended or they are there already.
    """

    booking: Booking
    order: Order
    service: Service
    series: Series
    session: Session
    missing: tuple[Missing, ...]
    pays: SeriesPriceType
    is_being_cancelled: bool
    zone: ZoneInfo

    @property
    def is_needed(self) -> bool:
        return bool(self.missing)

    @property
    def total_minor(self) -> int:
        return sum(one.share_minor for one in self.missing)

    @property
    def what(self) -> str:
        """In words, told apart from the purchase by the date's own title, or else by its day."""
        date = self.session.title or date_short(self.session.starts_at, self.zone)
        return " · ".join(filter(None, (self.service.name, self.series.title, date)))

    @property
    def said(self) -> dict[str, Any]:
        """What was answered and noted with the purchase, as columns of a booking, as far as it is
        about those who lack the date.
        """
        own = {str(one.participant_id) for one in self.missing}
        by_person = self.booking.person_answers.items()
        return {
            "answers": self.booking.answers,
            "person_answers": {one: given for one, given in by_person if one in own},
            "note": self.booking.note,
        }

    def quote(self) -> Quote:
        """At the price and under the terms of the purchase."""
        people = tuple(one.person for one in self.missing)
        return Quote(
            kind="series",
            subject_id=self.series.id,
            service_id=self.service.id,
            description=self.what,
            session_ids=(self.session.id,),
            sequences=(self.session.sequence,),
            party_size=len(people),
            unit_minor=max((one.unit_minor for one in people), default=0),
            people=people,
            price_type=self.pays,
            tax_rate_bp=self.service.tax_rate_bp,
            leaving=terms_from(self.booking.leaving),
        )

    def reasons(self, business: BusinessFacts, now: datetime) -> list[Reason]:
        """Everything against it, the weightiest first, that it is full among it."""
        quote = self.quote()
        # What is sold runs on, whoever the rest of it is for by now.
        offer = SessionOffer(self.session, self.service, self.series, is_kept=False)
        facts = session_for_buyer(session_facts(offer, business, quote))
        found = why_not_bookable_session(facts, now)
        if self.is_being_cancelled:
            found.insert(0, _purchase_is_ending())
        return found

    def waits(self, business: BusinessFacts, now: datetime) -> ListFacts:
        """As a list of one party."""
        session = self.session
        is_coming = session.state == SessionState.SCHEDULED and session.starts_at > now
        return ListFacts(
            session_ids=(session.id,) if is_coming and self.is_needed else (),
            closes_at=closing_of(self.service, session.starts_at),
            max_party=len(self.missing),
            capacity=session.capacity,
            reasons=tuple(
                one for one in self.reasons(business, now) if one.code is not ReasonCode.FULL
            ),
        )


def _purchase_is_ending() -> Reason:
    return Reason(
        ReasonCode.NOT_JUST_NOW,
        off_reason(SessionState.CANCELLING).guest_sentence,
        _("The purchase that it completes is being cancelled."),
        _("Undo the cancelling while that is possible."),
    )


async def lock_completing(
    uow: UnitOfWork, tenant: TenantSnapshot, booking_id: UUID, session_id: UUID
) -> Completing:
    """The purchase's order is locked: whoever ends it has been waited for, or finds this too.

    Raises: NotFound; Conflict where nobody of it lacks the session.
    """
    order_id = await uow.session.scalar(
        select(Booking.order_id).where(Booking.tenant_id == uow.tenant, Booking.id == booking_id)
    )
    await uow.session.execute(
        select(Order.id)
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
        .with_for_update(key_share=True)
    )
    return await get_completing(uow, tenant, booking_id, session_id)


async def get_completing(
    uow: UnitOfWork, tenant: TenantSnapshot, booking_id: UUID, session_id: UUID
) -> Completing:
    """Raises: NotFound, for another tenant's too; Conflict where nobody of it lacks the session."""
    found = await find_completing(uow, tenant, [(booking_id, session_id)])
    one = found.get((booking_id, session_id))
    if one is None:
        raise NotFound(_("There is no such date in this booking."))
    if not one.is_needed:
        raise no_longer_missing()
    return one


def no_longer_missing() -> Conflict:
    return Conflict(
        _("This date is in your booking already, or the booking has ended."), code="not_missing"
    )


async def find_completing(
    uow: UnitOfWork, tenant: TenantSnapshot, wanted: Collection[Wanted]
) -> dict[Wanted, Completing]:
    """By purchase and session, of those that were sold without it."""
    booking_ids = {booking_id for booking_id, _session_id in wanted}
    if not booking_ids:
        return {}
    sold = await _purchases(uow, booking_ids)
    runs = await _sessions(uow, {session_id for _booking_id, session_id in wanted})
    seats = await _seats(uow, booking_ids)
    cancelled = await _cancelled(uow, booking_ids)
    found = {}
    for booking_id, session_id in wanted:
        if booking_id not in sold or session_id not in runs:
            continue
        one = _completing(
            tenant,
            sold[booking_id],
            runs[session_id],
            seats[booking_id],
            cancelled.get(booking_id, set()),
        )
        if session_id in gaps_from(one.booking.gaps).shares:
            found[booking_id, session_id] = one
    return found


async def completing_of(
    uow: UnitOfWork, tenant: TenantSnapshot, entries: Collection[WaitlistEntry]
) -> dict[UUID, Completing]:
    """What entries for a purchase are for, by entry; others are left out.

    An entry whose mails went to an address that has been corrected since is for nobody: it may be
    a stranger's.
    """
    wanted = {
        one.id: (one.for_booking_id, one.session_id)
        for one in entries
        if one.for_booking_id is not None and one.session_id is not None
    }
    found = await find_completing(uow, tenant, list(wanted.values()))
    return {one.id: _of_entry(found[wanted[one.id]], one) for one in entries if one.id in wanted}


def _of_entry(found: Completing, entry: WaitlistEntry) -> Completing:
    return found if entry.address == found.order.guest_email else replace(found, missing=())


class _Sold(NamedTuple):
    booking: Booking
    order: Order
    service: Service
    series: Series


class _Had(NamedTuple):
    """A seat of a purchase, or of what completes it, that is live or was ended by its guest or by
    staff. `is_own`: it is of the purchase itself.
    """

    session_id: UUID
    participant_id: UUID
    tier: str
    starts_at: datetime
    changed_at: datetime
    is_live: bool
    is_own: bool


def _completing(
    tenant: TenantSnapshot,
    sold: _Sold,
    session: Session,
    seats: Collection[_Had],
    cancelled: Collection[str],
) -> Completing:
    gaps = gaps_from(sold.booking.gaps)
    there = [one.participant_id for one in seats if one.is_live and one.session_id == session.id]
    facts = PurchaseFacts(
        gaps=gaps,
        session_id=session.id,
        is_confirmed=sold.order.state == OrderState.CONFIRMED,
        is_in_series=session.series_id == sold.series.id,
        is_cancelled="done" in cancelled,
        comes=tuple(sorted(_who_comes(one for one in seats if one.is_own))),
        there=frozenset(there),
    )
    return Completing(
        booking=sold.booking,
        order=sold.order,
        service=sold.service,
        series=sold.series,
        session=session,
        missing=who_lacks(facts, tenant.currency),
        pays=gaps.pays,
        is_being_cancelled=bool({"waiting", "running"}.intersection(cancelled)),
        zone=tenant.zone,
    )


def _who_comes(seats: Iterable[_Had]) -> list[tuple[UUID, str]]:
    """With what their price was called."""
    by_person: dict[UUID, list[_Had]] = defaultdict(list)
    for one in seats:
        by_person[one.participant_id].append(one)
    comes = []
    for participant_id, theirs in by_person.items():
        live = [one for one in theirs if one.is_live]
        ended_at = [one.changed_at for one in theirs if not one.is_live]
        if still_comes([one.starts_at for one in live], ended_at):
            comes.append((participant_id, live[-1].tier))
    return comes


async def _purchases(uow: UnitOfWork, booking_ids: Collection[UUID]) -> dict[UUID, _Sold]:
    found = await uow.session.execute(
        select(Booking, Order, Service, Series)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .join(Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id))
        .where(Booking.tenant_id == uow.tenant, Booking.id.in_(booking_ids))
        .execution_options(populate_existing=True)
    )
    return {row[0].id: _Sold(*row) for row in found}


async def _sessions(uow: UnitOfWork, session_ids: Collection[UUID]) -> dict[UUID, Session]:
    found = await uow.session.scalars(
        select(Session).where(Session.tenant_id == uow.tenant, Session.id.in_(session_ids))
    )
    return {session.id: session for session in found}


async def _seats(uow: UnitOfWork, booking_ids: Collection[UUID]) -> Mapping[UUID, list[_Had]]:
    """By purchase, with those of the bookings that complete it."""
    purchase_id = func.coalesce(Booking.completes_id, Booking.id)
    is_live = Seat.state.in_(LIVE)
    # What a cancelled date took along has no part in whether somebody still comes.
    by_itself = exists().where(
        Cancellation.tenant_id == Seat.tenant_id,
        Cancellation.id == Seat.cancellation_id,
        Cancellation.scope.in_(["purchase", "seats"]),
    )
    was_left = Seat.state.in_(ENDED) & ((Seat.changed_by == "guest") | by_itself.correlate(Seat))
    found = await uow.session.execute(
        select(purchase_id, Seat.session_id, Seat.participant_id, Seat.tier)
        .add_columns(Session.starts_at, Seat.changed_at, is_live, Booking.completes_id.is_(None))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Booking.id.in_(booking_ids) | Booking.completes_id.in_(booking_ids),
            is_live | was_left,
        )
        .order_by(Seat.id)
    )
    seats: dict[UUID, list[_Had]] = defaultdict(list)
    for booking_id, *seat in found:
        seats[booking_id].append(_Had(*seat))
    return seats


async def _cancelled(uow: UnitOfWork, booking_ids: Collection[UUID]) -> Mapping[UUID, set[str]]:
    """The purchases that staff cancel or have cancelled, and how far that is; nothing undone."""
    found = await uow.session.execute(
        select(Cancellation.subject_id, Cancellation.state).where(
            Cancellation.tenant_id == uow.tenant,
            Cancellation.scope == "purchase",
            Cancellation.subject_id.in_(booking_ids),
            Cancellation.state.in_(["waiting", "running", "done"]),
        )
    )
    states: dict[UUID, set[str]] = defaultdict(set)
    for booking_id, state in found:
        states[booking_id].add(state)
    return states
