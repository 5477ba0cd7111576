"""What leaving a date, or a whole course, would mean for the guest who has the link."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.billing.domain.kinds import BY_HAND_MODES, PaymentMode
from src.billing.models import Order
from src.billing.queries.disputes import is_with_the_bank
from src.billing.queries.refundable import is_all_back, list_refundable_minor
from src.billing.queries.to_hand_back import get_left_by_hand_minor
from src.billing.queries.unreturned import list_unreturned_minor
from src.booking.commands.leave import OwnSeat, facts_of_leaving, is_still_coming, own_seats
from src.booking.credit_words import credit_is_paid_back, credit_lines, no_credit_unpaid
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    amount_back_minor,
    capped,
    gives_credit,
    gives_own_credit_back,
    is_late,
    is_late_since_exchange,
    late_fee_minor,
    percent_back,
    terms_from,
    why_not_hand_on,
    why_not_leave,
    why_not_move_seat,
)
from src.booking.domain.reasons import Reason, guest_sentence
from src.booking.domain.swapping import why_not_exchange
from src.booking.free_way_words import date_is_free, dates_are_free
from src.booking.gone_words import gone_words
from src.booking.guest_links import booking_path
from src.booking.late_fee_words import fee_asked
from src.booking.leaving_words import dates_in_words, rules_in_words
from src.booking.models import Booking, Seat, Series, Service
from src.booking.money_words import will_go_back
from src.booking.paying import paying_of
from src.booking.queries.credits_back import find_credits_to_come
from src.booking.queries.leave_requests import find_newest_request
from src.booking.queries.leaving_promises import promised_alone, promised_together
from src.booking.queries.missing_dates import list_missing
from src.booking.queries.party import NUMBER, called, count_paying
from src.booking.said import person_words
from src.booking.views.guest import MissingDate
from src.booking.views.leaving import LeavingPage, LeavingSeat
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.formats import money
from src.tenants.context import TenantSnapshot
from src.tenants.models import Participant


class Own(NamedTuple):
    """A guest's seat with the order it belongs to and who sits in it with the kind of its price,
    empty for one who comes alone and has no name.
    """

    seat: OwnSeat
    who: str


async def get_leaving_page(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    settings: Settings,
    order_id: UUID,
    session_id: UUID | None,
    ticked: Collection[UUID] | None = None,
) -> LeavingPage:
    """For one date of the booking, of its `ticked` seats if any are, or for all still to come.

    Raises: NotFound for a date that the booking does not have.
    """
    now = uow.clock.now()
    order = await uow.session.get(Order, (uow.tenant, order_id))
    found = await list_own(uow, order_id)
    if order is None or not found:
        raise NotFound(_("There is no such booking."))
    own = _of_ticked(_asked_for(found, session_id, now), ticked or ())
    shown = own or found[:1]
    if session_id is None and shown[0].seat.booking.series_id is None:
        session_id = _only_session(own)
    is_course = session_id is None
    seats = [_seat(one, tenant, now, is_course=is_course) for one in shown]
    leavable = [seat for seat in seats if not seat.why_not]
    path = booking_path(settings, tenant.slug, order)
    about = (path, tenant, now)
    back_minor, by_hand_minor, no_money_why = await _back(uow, order, leavable)
    promised = promised_together if is_course else promised_alone
    leavable = promised(leavable, back_minor or by_hand_minor, is_promised=back_minor > 0)
    leavable = await _with_credits(uow, tenant, shown, leavable)
    return LeavingPage(
        seats=leavable,
        is_course=is_course,
        has_others=any(
            one.seat.session.id != session_id and is_still_coming(one.seat, now) for one in found
        ),
        name=await name_of(uow, shown[0].seat.booking),
        reference=order.reference,
        guest_email=order.guest_email,
        stays_due_minor=_stays_due_minor(order, shown, seats),
        was_paid=order.paid_minor > 0,
        no_money_why=no_money_why,
        **_in_words(order, back_minor, by_hand_minor, leavable),
        **_about_credits(order, shown, leavable, tenant, now),
        terms=_terms(shown, order, tenant, now, is_course=is_course),
        why_not="" if leavable and own else _why_not(seats, own, found, session_id, order),
        is_gone=not own and session_id is not None,
        action=f"{path}/leave" + ("" if session_id is None else f"?date={session_id}"),
        may_ask=_may_ask(own, is_course=is_course),
        asked=await find_newest_request(uow, order_id) if is_course else None,
        move_href=_href(*_moving(shown), own, about, session_id),
        is_appointment=shown[0].seat.session.is_slot,
        hand_on_href=_href("hand-on", why_not_hand_on, own, about, session_id),
        ticked=None if ticked is None else len(ticked),
        path=path,
        had=await _had(uow, tenant, settings, shown[0].seat.booking) if is_course else [],
        currency=order.currency,
        **_business(tenant),
    )


def _business(tenant: TenantSnapshot) -> dict[str, Any]:
    return {
        "zone": tenant.zone,
        "contact_email": tenant.contact_email,
        "contact_phone": tenant.contact_phone,
    }


async def _back(
    uow: UnitOfWork, order: Order, leavable: Sequence[LeavingSeat]
) -> tuple[int, int, str]:
    """What comes back for all of them, what of it by the business's own hand, and why nothing."""
    refundable = (await list_refundable_minor(uow, [order.id])).get(order.id, 0)
    by_terms_minor = sum(seat.back_minor for seat in leavable)
    no_money_why = await _no_money_why(uow, order, refundable)
    by_hand_minor = 0
    if not refundable and not no_money_why and order.payment_mode in BY_HAND_MODES:
        unreturned = (await list_unreturned_minor(uow, [order.id])).get(order.id, 0)
        left_minor = await get_left_by_hand_minor(uow, order.id)
        by_hand_minor = min(by_terms_minor, unreturned, left_minor)
    return min(by_terms_minor, refundable), by_hand_minor, no_money_why


async def _had(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, booking: Booking
) -> list[MissingDate]:
    missing = await list_missing(uow, tenant, settings, [booking])
    return [date for date in missing.get(booking.id, []) if date.state == "had"]


async def list_own(uow: UnitOfWork, order_id: UUID) -> list[Own]:
    """The order's seats by session, and in the order of the party, whoever has moved since."""
    statement = own_seats(uow, order_id).add_columns(Participant.name, NUMBER)
    found = await uow.session.execute(
        statement.join(
            Participant,
            (Participant.tenant_id == uow.tenant)
            & (Participant.id == statement.selected_columns["participant_id"]),
        )
    )
    return [
        Own(
            OwnSeat(seat, session, booking),
            person_words(called(name, number, booking.party_size), seat.tier),
        )
        for seat, session, booking, name, number in sorted(
            found, key=lambda row: (row.Session.id, row.number)
        )
    ]


def _asked_for(found: Sequence[Own], session_id: UUID | None, now: datetime) -> list[Own]:
    """Raises: NotFound for a date that is not among them."""
    if session_id is None:
        coming = [one for one in found if is_still_coming(one.seat, now)]
        return sorted(coming, key=lambda one: one.seat.session.starts_at)
    own = [one for one in found if one.seat.session.id == session_id]
    if not own:
        raise NotFound(_("There is no such date in this booking."))
    return [one for one in own if one.seat.seat.state == SeatState.CONFIRMED]


def _of_ticked(own: list[Own], ticked: Collection[UUID]) -> list[Own]:
    return [one for one in own if one.seat.seat.id in ticked] or own


def _seat(one: Own, tenant: TenantSnapshot, now: datetime, *, is_course: bool) -> LeavingSeat:
    facts = facts_of_leaving(one.seat, tenant, is_whole_course=is_course)
    reasons = why_not_leave(facts, now)
    percent, session = percent_back(facts, now), one.seat.session
    back_minor = amount_back_minor(one.seat.seat.share_minor, percent)
    return LeavingSeat(
        value=f"{one.seat.seat.id}:{back_minor}",
        who=one.who,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        is_online=session.mode == SessionMode.ONLINE,
        percent=percent,
        back_minor=back_minor,
        is_late=is_late(facts, now),
        is_late_since_exchange=is_late_since_exchange(facts, now),
        is_penalty_free=facts.is_penalty_free,
        why_not=guest_sentence(reasons) if reasons else "",
        fee_minor=late_fee_minor(
            facts,
            one.seat.seat.share_minor,
            now,
            is_by_credit=one.seat.seat.credit_lot_id is not None,
        ),
    )


async def _with_credits(
    uow: UnitOfWork, tenant: TenantSnapshot, own: Sequence[Own], seats: Sequence[LeavingSeat]
) -> list[LeavingSeat]:
    """Each with the credit it brings, which is sent back as promised."""
    coming = await find_credits_to_come(uow, tenant, [one.seat for one in own])
    shown = []
    for seat in seats:
        credit = coming.get(UUID(seat.value.partition(":")[0]))
        value = seat.value if credit is None else f"{seat.value}:credit"
        shown.append(msgspec.structs.replace(seat, value=value, credit=credit))
    return shown


def _about_credits(
    order: Order,
    own: Sequence[Own],
    seats: Sequence[LeavingSeat],
    tenant: TenantSnapshot,
    now: datetime,
) -> dict[str, Any]:
    """Which come back, and why the terms' credit is not given for what is left in time."""
    coming = [seat.credit for seat in seats if seat.credit is not None]
    would = [one for one in own if gives_credit(facts_of_leaving(one.seat, tenant), now)]
    why = ""
    if would and not coming:
        gone = _("All that you paid has gone back or is on its way, so no credit is given.")
        why = gone if order.paid_minor else no_credit_unpaid()
    paid_by_credit = [one for one in own if one.seat.seat.credit_lot_id is not None]
    facts = [facts_of_leaving(one.seat, tenant) for one in paid_by_credit]
    if not coming and any(gives_own_credit_back(one, now) for one in facts):
        why = credit_is_paid_back()
    return {
        "credits": credit_lines(coming, tenant.zone),
        "no_credit_why": why,
        "by_credits": order.payment_mode == PaymentMode.CREDIT,
    }


async def get_left_late_minor(uow: UnitOfWork, order_id: UUID) -> int:
    """The shares of what was left late of an order to be paid on site; 0 for others."""
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(Seat.share_minor), 0))
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id == order_id,
            Seat.state == str(SeatState.LATE_CANCELLED),
            Order.payment_mode == str(PaymentMode.ON_SITE),
            Order.paid_minor == 0,
        )
    )
    return int(found or 0)


def _in_words(
    order: Order, back_minor: int, by_hand_minor: int, seats: Sequence[LeavingSeat]
) -> dict[str, Any]:
    """The amounts, where what comes back goes, and what is asked for leaving late."""
    fee_minor = sum(seat.fee_minor for seat in seats)
    return {
        "back_minor": back_minor,
        "by_hand_minor": by_hand_minor,
        "goes_back": will_go_back(order, back_minor, by_hand_minor),
        "fee_line": fee_asked(money(fee_minor, order.currency)) if fee_minor else "",
    }


def _stays_due_minor(order: Order, own: Sequence[Own], seats: Sequence[LeavingSeat]) -> int:
    """The shares of what is left late, of an order that is still to be paid on site."""
    if order.payment_mode != PaymentMode.ON_SITE or order.paid_minor:
        return 0
    pairs = zip(own, seats, strict=True)
    return sum(one.seat.seat.share_minor for one, seat in pairs if seat.is_late)


def _only_session(own: Sequence[Own]) -> UUID | None:
    """The one date that is left; None where there are several, or none."""
    sessions = {one.seat.session.id for one in own}
    return sessions.pop() if len(sessions) == 1 else None


async def _no_money_why(uow: UnitOfWork, order: Order, refundable_minor: int) -> str:
    """Why nothing comes back by itself although it was paid for, empty where the terms say so."""
    if refundable_minor or not order.paid_minor:
        return ""
    if is_all_back(order):
        return _("All that you paid has gone back or is on its way, so no more comes back.")
    if await is_with_the_bank(uow, order.id):
        return _("Your bank has this payment because of a dispute, so no money comes back from us.")
    return ""


def _why_not(
    seats: Sequence[LeavingSeat],
    own: Sequence[Own],
    found: Sequence[Own],
    session_id: UUID | None,
    order: Order,
) -> str:
    if own:
        return seats[0].why_not
    gone = [one.seat for one in found if one.seat.session.id == session_id]
    if not gone:
        return _("None of these places is yours any more, so there is nothing to cancel.")
    back_minor = sum(one.seat.returned_minor for one in gone if one.seat.returned_as == "money")
    return gone_words(
        SessionState(gone[0].session.state),
        {SeatState(one.seat.state) for one in gone},
        by_guest=all(one.seat.changed_by == "guest" for one in gone),
        places=len(gone),
        back=money(back_minor, order.currency) if back_minor else "",
    )


def _may_ask(own: Sequence[Own], *, is_course: bool) -> bool:
    """Whether it is the business that decides about leaving this course."""
    if not own or not is_course or own[0].seat.booking.series_id is None:
        return False
    return not terms_from(own[0].seat.booking.leaving).whole_course


def _terms(
    own: Sequence[Own], order: Order, tenant: TenantSnapshot, now: datetime, *, is_course: bool
) -> list[str]:
    """What is over is not offered any more; where the free way out holds for all, only that is."""
    free = [one for one in own if facts_of_leaving(one.seat, tenant).is_penalty_free]
    bound = [one for one in own if one not in free]
    starts_at = own[0].seat.session.starts_at
    said = []
    if free and is_course:
        said = [dates_are_free(all_of_them=not bound)]
    elif free:
        said = [date_is_free(starts_at, tenant.zone, [one.who for one in free] if bound else [])]
    if not bound:
        return said
    terms, paying = terms_from(own[0].seat.booking.leaving), paying_of(order)
    people = count_paying(one.seat.seat for one in bound)
    if is_course:
        return said + rules_in_words(terms, paying, tenant.zone, seats=people)
    terms = capped(terms, min(one.seat.seat.most_percent for one in bound))
    return said + dates_in_words(terms, paying, starts_at, tenant.zone, now, seats=people)


def _moving(
    own: Sequence[Own],
) -> tuple[str, Callable[[LeavingFacts, datetime], list[Reason]]]:
    """An appointment goes to another time, and any other date to another date."""
    return (
        ("time", why_not_move_seat) if own[0].seat.session.is_slot else ("move", why_not_exchange)
    )


def _href(
    page: str,
    why_not: Callable[[LeavingFacts, datetime], list[Reason]],
    own: Sequence[Own],
    about: tuple[str, TenantSnapshot, datetime],
    session_id: UUID | None,
) -> str:
    """To another way out of the date, empty where it cannot be."""
    path, tenant, now = about
    if not own or session_id is None or why_not(facts_of_leaving(own[0].seat, tenant), now):
        return ""
    return f"{path}/{page}?date={session_id}"


async def name_of(uow: UnitOfWork, booking: Booking) -> str:
    service = await uow.session.get_one(Service, (uow.tenant, booking.service_id))
    if booking.series_id is None:
        return service.name
    series = await uow.session.get_one(Series, (uow.tenant, booking.series_id))
    return f"{service.name} · {series.title}"
