"""One booking for whoever has its link: its own rows and nobody else's."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from src.billing.domain.holds import payable_until
from src.billing.models import Fee, Order
from src.billing.owed import get_discount_minor, get_owed_minor
from src.billing.queries.cards import find_card_attempt
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.disputes import get_taken_back_minor, is_with_the_bank
from src.billing.queries.fees import list_guest_fees
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.billing.queries.transfers import find_how_to_transfer, get_beside_price
from src.booking.credit_words import given_lines
from src.booking.domain.naming import may_guest_name
from src.booking.domain.states import LIVE_SEATS
from src.booking.guest_links import booking_path, may_lead_on
from src.booking.late_fee_words import fee_lines
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.booked_dates import (
    about_dates,
    dates_of,
    has_free_way_out,
    is_past,
    sold_as,
    told_as,
)
from src.booking.queries.changes import Believed, find_earlier
from src.booking.queries.credits_back import list_given_instead
from src.booking.queries.guest_money import get_guest_money, went_back, why_not_booked
from src.booking.queries.guest_stage import stage_of
from src.booking.queries.late_fees import is_told_of_missing
from src.booking.queries.leave_requests import find_newest_request
from src.booking.queries.missing_dates import list_missing
from src.booking.queries.own_credits import get_credits_line
from src.booking.queries.party import NUMBER, called
from src.booking.queries.people import first_start
from src.booking.queries.question_answers import answers_of_booking
from src.booking.said import in_party_of, names_of, party_words
from src.booking.views.guest import (
    AskedToLeave,
    BookedDate,
    FeeLine,
    GuestBookingView,
    PartyView,
)
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location, Participant, Performer


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
    attempt, has_paid = await find_card_attempt(uow, order_id, has_paid=has_paid)
    stage = stage_of(order, seats, money, now, has_paid=has_paid)
    about = await about_dates(uow, tenant, order, booking, path)
    dates = dates_of(seats, await _earlier(uow, seats), about)
    booked = [booking] if stage == "confirmed" else []
    return GuestBookingView(
        stage=stage,
        reference=order.reference,
        name=f"{service.name} · {series.title}" if series is not None else service.name,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        party=_party(seats, order.guest_name),
        answers=answers_of_booking(booking, _called(booking, seats)),
        dates=dates,
        may_leave_free=has_free_way_out(seats, dates, now),
        coupon=await coupon_code_of(uow, order),
        discount_minor=await get_discount_minor(uow, order),
        voucher_minor=order.voucher_minor,
        total_minor=order.total_minor,
        paid_minor=order.paid_minor,
        **await went_back(uow, order, money),
        not_arrived_minor=money.not_arrived_minor,
        settled_minor=money.settled_minor,
        is_with_the_bank=stage == "cancelled" and await is_with_the_bank(uow, order_id),
        taken_back_minor=await get_taken_back_minor(uow, order_id),
        fees=await _fees(uow, tenant, settings, order_id),
        money_back=money.back,
        why_not_booked=why_not_booked(order, money),
        payment_mode=order.payment_mode,
        credits_line=await get_credits_line(uow, order),
        credits_given=await _credits_given(uow, tenant, order_id),
        currency=order.currency,
        hold_until_at=payable_until(order.hold_expires_at),
        looked_at=now,
        path=path,
        course_href=_course_href(series, dates, path),
        people_href=await _people_href(uow, booking, path),
        **_where_else(tenant, service),
        missing=(await list_missing(uow, tenant, settings, booked)).get(booking.id, []),
        completes_href=await _completes_href(uow, tenant, settings, booking, order),
        **await _on_the_way(uow, tenant, order),
        asked_to_leave=await _asked_to_leave(uow, booking, stage),
        attempt=attempt,
        looks_again=has_paid and stage == "too_late" and money.is_kept,
    )


async def _fees(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, order_id: UUID
) -> list[FeeLine]:
    known = await list_guest_fees(uow, tenant, settings, Fee.order_id == order_id)
    return fee_lines(known, tenant.zone)


async def _on_the_way(uow: UnitOfWork, tenant: TenantSnapshot, order: Order) -> dict[str, Any]:
    """What is still to be paid, or to be handed back, past the processor."""
    return {
        "owed_minor": await get_owed_minor(uow, order.id),
        "to_hand_back_minor": await get_to_hand_back_minor(uow, order.id),
        "beside": await get_beside_price(uow, order),
        "transfer": await find_how_to_transfer(uow, order, tenant.zone),
    }


async def _credits_given(uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID) -> list[str]:
    given = await list_given_instead(uow, [order_id])
    return given_lines(given.get(order_id, []), tenant.zone)


def _where_else(tenant: TenantSnapshot, service: Service) -> dict[str, Any]:
    """Where to go on, and whom to ask."""
    return {
        "again_href": f"/b/{tenant.slug}/{service.slug}",
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
    both = ((seat, one) for seat in seats for one in (sold_as(seat), told_as(seat)))
    return await find_earlier(uow, [one for seat, one in both if is_past(seat, one)])


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
            Seat.share_minor,
            Seat.credit_lot_id,
            Seat.tier,
            Seat.may_leave_free,
            Seat.is_handed_on,
            is_told_of_missing().label("is_told_of_missing"),
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
    dates any more is told apart, unless that is everybody; who was handed single ones comes in
    place of somebody else, and is named with those. Of whom places were handed on to, no more are
    of the party than come on one date: different people may have got those of the same guest. Once
    nobody comes to anything, the same is told of what they had.
    """
    people, live = in_party_of(seats), [seat for seat in seats if seat.state in LIVE_SEATS]
    counted = live or list(seats)
    own = {seat.participant_id for seat in counted if not seat.is_handed_on}
    most = max(Counter(seat.session_id for seat in counted).values(), default=0)
    held = {seat.participant_id for seat in counted}
    taken_over = [key for key in people if key in held - own]
    stay = own | set(taken_over[: max(0, most - len(own))])
    stand_ins = {seat.participant_id for seat in seats if seat in live or seat.is_handed_on} - stay
    people = {key: one for key, one in people.items() if key not in stand_ins}
    comes = [one for key, one in people.items() if key in stay]
    gone = [one for key, one in people.items() if key not in stay]
    return PartyView(
        size=len(comes),
        comes=names_of(comes) if gone else party_words(comes, guest),
        gone=names_of(gone),
    )


def _course_href(series: Series | None, dates: Sequence[BookedDate], path: str) -> str:
    is_course = series is not None and sum(bool(date.leave_href) for date in dates) > 1
    return f"{path}/leave" if is_course else ""


async def _people_href(uow: UnitOfWork, booking: Booking, path: str) -> str:
    is_open = may_guest_name(await first_start(uow, booking), uow.clock.now())
    return f"{path}/people" if is_open else ""
