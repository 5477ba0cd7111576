"""One booking for whoever has its link: its own rows and nobody else's."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row, select

from src.billing.domain.holds import payable_until
from src.billing.models import Order
from src.billing.owed import get_discount_minor, get_owed_minor
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.disputes import get_taken_back_minor, is_with_the_bank
from src.billing.queries.refundable import is_all_back
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.billing.queries.transfers import find_how_to_transfer
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.leaving import (
    LeavingTerms,
    capped,
    exchanged_until,
    hand_on_until,
    moves_until,
    terms_from,
)
from src.booking.domain.moves import Facet, Said, may_leave_free_because_moved, what_differs
from src.booking.domain.naming import may_guest_name
from src.booking.domain.states import LIVE_SEATS, state_of_date
from src.booking.guest_links import booking_path, may_lead_on
from src.booking.leaving_words import next_deadline_words
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.paying import paying_of
from src.booking.queries.changes import Believed, find_earlier, said_of
from src.booking.queries.guest_money import get_guest_money, went_back, why_not_booked
from src.booking.queries.guest_stage import stage_of
from src.booking.queries.late_fees import get_late_fee_line
from src.booking.queries.leave_requests import find_newest_request
from src.booking.queries.mail_facts import Known
from src.booking.queries.missing_dates import list_missing
from src.booking.queries.own_credits import get_credits_line
from src.booking.queries.party import NUMBER, called
from src.booking.queries.people import first_start
from src.booking.queries.question_answers import answers_of_booking
from src.booking.said import in_party_of, names_of, party_words, was_words
from src.booking.views.guest import AskedToLeave, BookedDate, GuestBookingView, PartyView
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location, Participant, Performer

KNOWS_THE_LINK = frozenset({SeatState.CONFIRMED, SeatState.ATTENDED})

Until = Callable[[LeavingTerms, datetime, ZoneInfo], datetime | None]


async def get_guest_booking(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    settings: Settings,
    order_id: UUID,
    *,
    has_paid: bool = False,
) -> GuestBookingView:
    """As it stands. `has_paid`: the guest comes from paying, of which an open order has not been
    told yet. Raises: NotFound.
    """
    money = await get_guest_money(uow, order_id)
    order, booking, service, series = await _order(uow, order_id)
    seats, now = await _seats(uow, order_id), uow.clock.now()
    path = booking_path(settings, tenant.slug, order)
    stage = stage_of(order, seats, money, now, has_paid=has_paid)
    dates = _dates(
        seats, await _earlier(uow, seats), await _about(uow, tenant, order, booking, path)
    )
    missing = await list_missing(uow, tenant, settings, [booking] if stage == "confirmed" else [])
    return GuestBookingView(
        stage=stage,
        reference=order.reference,
        name=f"{service.name} · {series.title}" if series is not None else service.name,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        party=_party(seats, order.guest_name),
        answers=answers_of_booking(booking, _called(booking, seats)),
        dates=dates,
        may_leave_free=_has_free_way_out(seats, dates, now),
        coupon=await coupon_code_of(uow, order),
        discount_minor=await get_discount_minor(uow, order),
        voucher_minor=order.voucher_minor,
        total_minor=order.total_minor,
        paid_minor=order.paid_minor,
        **await went_back(uow, order, money),
        owed_minor=await get_owed_minor(uow, order_id),
        not_arrived_minor=money.not_arrived_minor,
        taken_back_minor=await get_taken_back_minor(uow, order_id),
        to_hand_back_minor=await get_to_hand_back_minor(uow, order_id),
        fee_line=await get_late_fee_line(uow, order_id),
        money_back=money.back,
        why_not_booked=why_not_booked(order, money),
        payment_mode=order.payment_mode,
        credits_line=await get_credits_line(uow, order),
        currency=order.currency,
        hold_until_at=payable_until(order.hold_expires_at),
        looked_at=now,
        path=path,
        course_href=_course_href(series, dates, path),
        people_href=await _people_href(uow, booking, path),
        again_href=f"/b/{tenant.slug}/{service.slug}",
        **_business(tenant),
        missing=missing.get(booking.id, []),
        completes_href=await _completes_href(uow, tenant, settings, booking, order),
        asked_to_leave=await _asked_to_leave(uow, booking, stage),
        transfer=await find_how_to_transfer(uow, order, tenant.zone),
        looks_again=has_paid and stage == "too_late" and money.is_kept,
    )


def _business(tenant: TenantSnapshot) -> dict[str, Any]:
    return {
        "zone": tenant.zone,
        "hub_href": f"/b/{tenant.slug}",
        "contact_email": tenant.contact_email,
        "contact_phone": tenant.contact_phone,
    }


def _called(booking: Booking, seats: Sequence[Row[Any]]) -> dict[UUID, str]:
    size = booking.party_size
    return {one.participant_id: called(one.participant, one.number, size) for one in seats}


async def _earlier(uow: UnitOfWork, seats: Sequence[Row[Any]]) -> Believed:
    """What was sold and told of the dates, where it is no longer so."""
    both = ((seat, one) for seat in seats for one in (_sold(seat), _told(seat)))
    return await find_earlier(uow, [one for seat, one in both if _is_past(seat, one)])


async def _completes_href(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, booking: Booking, order: Order
) -> str:
    """The page of the booking that it completes; empty for others, and for who may not see it."""
    if booking.completes_id is None:
        return ""
    first = await uow.session.scalar(
        select(Order)
        .join(Booking, (Booking.tenant_id == Order.tenant_id) & (Booking.order_id == Order.id))
        .where(Booking.tenant_id == uow.tenant, Booking.id == booking.completes_id)
    )
    if first is None or not may_lead_on(order, first):
        return ""
    return booking_path(settings, tenant.slug, first)


async def _asked_to_leave(uow: UnitOfWork, booking: Booking, stage: str) -> AskedToLeave:
    if booking.series_id is None or stage != "confirmed":
        return AskedToLeave()
    asked = await find_newest_request(uow, booking.order_id)
    if asked is not None and asked.state == "open":
        return AskedToLeave(open_since=asked.asked_at)
    declined = asked.answer if asked is not None and asked.state == "declined" else ""
    return AskedToLeave(declined=declined)


async def _order(uow: UnitOfWork, order_id: UUID) -> tuple[Order, Booking, Service, Series | None]:
    found = await uow.session.execute(
        select(Order, Booking, Service, Series)
        .join(Booking, (Booking.tenant_id == Order.tenant_id) & (Booking.order_id == Order.id))
        .join(
            Service,
            (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id),
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(Order.tenant_id == uow.tenant, Order.id == order_id)
        .limit(1)
    )
    row = found.first()
    if row is None:
        raise NotFound(_("There is no such booking."))
    return row[0], row[1], row[2], row[3]


async def _seats(uow: UnitOfWork, order_id: UUID) -> Sequence[Row[Any]]:
    """The order's seats with all around them, in the order of time and of the party."""
    found = await uow.session.execute(
        select(
            Seat.state,
            Seat.changed_at,
            Seat.session_id,
            Seat.participant_id,
            Seat.sold_sequence,
            Seat.told_sequence,
            Seat.most_percent,
            Seat.tier,
            Seat.may_leave_free,
            Seat.is_handed_on,
            Session,
            Location,
            Participant.name.label("participant"),
            Performer.name.label("performer"),
            NUMBER,
        )
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .outerjoin(
            Performer,
            (Performer.tenant_id == Session.tenant_id) & (Performer.id == Session.performer_id),
        )
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order_id)
        .order_by(Session.starts_at, Seat.session_id, Seat.id)
    )
    return found.all()


def _party(seats: Sequence[Row[Any]], guest: str) -> PartyView:
    """Everyone once, in the order of the form, with their kind of price. Who comes to none of the
    dates any more is told apart, unless that is everybody.
    """
    people = in_party_of(seats)
    stay = {seat.participant_id for seat in seats if seat.state in LIVE_SEATS} or set(people)
    comes = [one for key, one in people.items() if key in stay]
    gone = [one for key, one in people.items() if key not in stay]
    return PartyView(
        size=len(comes),
        comes=names_of(comes) if gone else party_words(comes, guest),
        gone=names_of(gone),
    )


def _sold(seat: Row[Any]) -> Known:
    return seat.session_id, seat.sold_sequence


def _told(seat: Row[Any]) -> Known:
    return seat.session_id, seat.told_sequence


def _is_past(seat: Row[Any], known: Known) -> bool:
    """Whether the session has changed since it was that."""
    return bool(known[1] < seat.Session.sequence)


def _may_leave_free(seat: Row[Any], now: datetime) -> bool:
    return (
        seat.state == SeatState.CONFIRMED
        and seat.Session.starts_at > now
        and may_leave_free_because_moved(
            seat.sold_sequence, seat.Session.moved_sequence, is_marked=seat.may_leave_free
        )
    )


def _has_free_way_out(
    seats: Sequence[Row[Any]], dates: Sequence[BookedDate], now: datetime
) -> bool:
    """What is at its old time again is not worth saying so, unless the guest was moved there."""
    free = [seat for seat in seats if _may_leave_free(seat, now)]
    if any(seat.may_leave_free for seat in free):
        return True
    return bool(free) and any(date.is_moved for date in dates)


class _About(NamedTuple):
    """What each date of a booking has in common; `is_gone`: none of what was paid can go back."""

    tenant: TenantSnapshot
    order: Order
    terms: LeavingTerms
    path: str
    now: datetime
    is_gone: bool


async def _about(
    uow: UnitOfWork, tenant: TenantSnapshot, order: Order, booking: Booking, path: str
) -> _About:
    is_gone = is_all_back(order) or await is_with_the_bank(uow, order.id)
    return _About(tenant, order, terms_from(booking.leaving), path, uow.clock.now(), is_gone)


def _back_until(seat: Row[Any], about: _About, seats: int) -> str:
    """The next deadline; one that was moved may be left for everything, which is said elsewhere."""
    if about.is_gone or _may_leave_free(seat, about.now):
        return ""
    return next_deadline_words(
        capped(about.terms, seat.most_percent),
        paying_of(about.order),
        seat.Session.starts_at,
        about.tenant.zone,
        about.now,
        seats,
    )


def _course_href(series: Series | None, dates: Sequence[BookedDate], path: str) -> str:
    is_course = series is not None and sum(bool(date.leave_href) for date in dates) > 1
    return f"{path}/leave" if is_course else ""


async def _people_href(uow: UnitOfWork, booking: Booking, path: str) -> str:
    is_open = may_guest_name(await first_start(uow, booking), uow.clock.now())
    return f"{path}/people" if is_open else ""


def _dates(seats: Sequence[Row[Any]], then: Believed, about: _About) -> list[BookedDate]:
    by_session = groupby(seats, key=lambda seat: seat.session_id)
    dates = [_date(list(own), then, about) for _id, own in by_session]
    return sorted(dates, key=lambda date: date.starts_at)


def _date(own: list[Row[Any]], then: Believed, about: _About) -> BookedDate:
    """A date as it is; one that nobody comes to any more as it was when they gave it up, for what
    became of it since was not told to them.
    """
    standing = [seat for seat in own if seat.state in LIVE_SEATS]
    first, states = (standing or own)[0], Counter(SeatState(seat.state) for seat in own)
    session, location = first.Session, first.Location
    # While a cancellation can be undone it says nothing; each seat speaks for itself then.
    is_off = session.state == SessionState.CANCELLED
    shown = state_of_date((SeatState(seat.state), seat.changed_at) for seat in own)
    if is_off and not set(states) <= {SeatState.EXPIRED, SeatState.SWAPPED}:
        shown = SeatState.CANCELLED
    told_last = max(own, key=lambda seat: seat.told_sequence)
    if not standing and (left := then.get(_told(told_last))) is not None:
        return _date_left(left.said, shown)
    online = _("Online") if session.mode == SessionMode.ONLINE else None
    before, now = then.get(_sold(first)), said_of(session, location, about.tenant.timezone)
    can_leave = states[SeatState.CONFIRMED] > 0 and not is_off and about.now <= session.starts_at
    return BookedDate(
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        place=location.name if location is not None else online,
        is_online=session.mode == SessionMode.ONLINE,
        is_appointment=session.is_slot,
        address=location.address if location is not None else "",
        performer=first.performer,
        meeting_url=session.meeting_url if shown in KNOWS_THE_LINK else "",
        state=str(shown),
        seats=sum(count for seat, count in states.items() if seat in LIVE_SEATS),
        comes=names_of(list(in_party_of(standing).values())),
        handed_to=[seat.participant for seat in standing if seat.is_handed_on],
        was=was_words(before.said, now) if before is not None and not is_off else "",
        is_moved=before is not None and Facet.TIME in what_differs(before.said, now),
        leave_href=f"{about.path}/leave?date={session.id}" if can_leave else "",
        move_href=_href(*_moving(session), session, about) if can_leave else "",
        hand_on_href=_href("hand-on", hand_on_until, session, about) if can_leave else "",
        back_until=_same_for_all(
            _back_until(seat, about, states[SeatState.CONFIRMED])
            for seat in own
            if can_leave and seat.state == SeatState.CONFIRMED
        ),
    )


def _moving(session: Session) -> tuple[str, Until]:
    """An appointment goes to another time, and any other date to another date."""
    return ("time", moves_until) if session.is_slot else ("move", exchanged_until)


def _href(name: str, until: Until, session: Session, about: _About) -> str:
    """To a page about the date, which says what else than the terms stands against it."""
    until_at = until(about.terms, session.starts_at, about.tenant.zone)
    if until_at is None or until_at < about.now:
        return ""
    return f"{about.path}/{name}?date={session.id}"


def _same_for_all(words: Iterable[str]) -> str:
    """What holds for one of the party only, the page about leaving says of each."""
    said = set(words)
    return said.pop() if len(said) == 1 else ""


def _date_left(said: Said, state: SeatState) -> BookedDate:
    return BookedDate(
        title=said.title,
        starts_at=said.starts_at,
        ends_at=said.ends_at,
        place=said.place or (_("Online") if said.mode == SessionMode.ONLINE else None),
        is_online=said.mode == SessionMode.ONLINE,
        state=str(state),
        seats=0,
    )
