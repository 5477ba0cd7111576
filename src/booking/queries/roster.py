"""The seats of one session with all that the person at the door wants to know."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import CreditLot, Order
from src.billing.owed import owed_minor
from src.billing.queries.disputes import dispute_state_of_order
from src.billing.views.disputes import dispute_badge
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.states import LIVE_SEATS, is_waived, live_cancellation
from src.booking.models import Booking, Seat, Series, Session
from src.booking.queries.customers import notes_of_customer, tags_of_customer
from src.booking.queries.held import is_by_link, pay_until_of
from src.booking.queries.party import NUMBER, called_by_staff
from src.booking.queries.question_answers import answers_of_person
from src.booking.views.roster import Roster, RosterSeat
from src.platform.db.uow import UnitOfWork
from src.tenants.models import Customer, Participant


async def get_roster(uow: UnitOfWork, session_id: UUID) -> Roster:
    """Seats by name; holds that died are nobody's business."""
    tenant = Seat.tenant_id
    found = await uow.session.execute(
        select(Seat, Booking, Order, Participant.name.label("participant"))
        .add_columns(Participant.note.label("person_note"))
        .add_columns(Customer.name.label("customer"), Customer.erased_at)
        .add_columns(Series.title.label("series_title"), CreditLot.name.label("package"))
        .add_columns(owed_minor().label("owed"), NUMBER)
        .add_columns(Session.state.label("session_state"))
        .add_columns(dispute_state_of_order().label("dispute"))
        .add_columns(tags_of_customer().label("tags"), notes_of_customer().label("notes"))
        .join(Session, (Session.tenant_id == tenant) & (Session.id == Seat.session_id))
        .join(Booking, (Booking.tenant_id == tenant) & (Booking.id == Seat.booking_id))
        .join(Order, (Order.tenant_id == tenant) & (Order.id == Seat.order_id))
        .join(
            Participant, (Participant.tenant_id == tenant) & (Participant.id == Seat.participant_id)
        )
        .join(Customer, (Customer.tenant_id == tenant) & (Customer.id == Booking.customer_id))
        .outerjoin(Series, (Series.tenant_id == tenant) & (Series.id == Booking.series_id))
        .outerjoin(
            CreditLot, (CreditLot.tenant_id == tenant) & (CreditLot.id == Seat.credit_lot_id)
        )
        .where(tenant == uow.tenant, Seat.session_id == session_id)
        .where(Seat.state != str(SeatState.EXPIRED))
    )
    seats = sorted((_seat(row) for row in found), key=_by_name)
    live = {str(state) for state in LIVE_SEATS}
    return Roster(
        coming=[seat for seat in seats if seat.state in live],
        gone=[seat for seat in seats if seat.state not in live],
    )


def payment_state(order: Order, owed_minor: int, *, is_waived: bool) -> str:
    """How the seat is paid: credit, free, on_site, paid_on_site, waived, paid, paid_by_transfer,
    refunded, or while it is held by_link, in_checkout or awaits_transfer.

    `owed_minor` is what is still to be paid on site for all of its order; `is_waived` says that
    nothing of it is for this seat.
    """
    if order.state == OrderState.OPEN:
        if order.payment_mode == PaymentMode.TRANSFER:
            return "awaits_transfer"
        return "by_link" if is_by_link(order) else "in_checkout"
    if order.payment_mode == PaymentMode.CREDIT:
        return "credit"
    if order.refunded_minor and order.refunded_minor >= order.paid_minor:
        return "refunded"
    if order.payment_mode == PaymentMode.ON_SITE:
        if owed_minor and not is_waived:
            return "on_site"
        return "paid_on_site" if order.paid_minor and not owed_minor else "waived"
    if order.payment_mode == PaymentMode.TRANSFER:
        return "paid_by_transfer"
    return "paid" if order.total_minor else "free"


def _seat(row: Row[Any]) -> RosterSeat:
    seat: Seat = row.Seat
    booking: Booking = row.Booking
    order: Order = row.Order
    return RosterSeat(
        seat_id=seat.id,
        booking_id=booking.id,
        order_id=order.id,
        customer_id=booking.customer_id,
        is_erased=row.erased_at is not None,
        party_size=booking.party_size,
        name=called_by_staff(row.participant, row.number, order.guest_name or row.customer),
        booked_by=order.guest_name or row.customer,
        email=order.guest_email,
        phone=order.guest_phone,
        state=seat.state,
        cancellation_id=live_cancellation(SeatState(seat.state), seat.cancellation_id),
        series_title=row.series_title,
        package=row.package or "",
        source=order.source,
        payment=payment_state(
            order,
            row.owed,
            is_waived=is_waived(
                SeatState(seat.state),
                SessionState(row.session_state),
                lies_in_credit=seat.returned_as == "credit" and seat.credit_lot_id is None,
            ),
        ),
        dispute=dispute_badge(row.dispute),
        share_minor=seat.share_minor,
        tier=seat.tier,
        owed_minor=row.owed,
        currency=order.currency,
        pay_until_at=pay_until_of(order),
        note=" · ".join(filter(None, (booking.note, row.person_note))),
        answers=answers_of_person(booking, seat.participant_id),
        consents=sorted(order.consents),
        tags=row.tags or [],
        staff_notes=row.notes,
        booked_at=booking.created_at,
        changed_why=seat.changed_why,
    )


def _by_name(seat: RosterSeat) -> tuple[str, UUID]:
    return seat.name.casefold(), seat.seat_id
