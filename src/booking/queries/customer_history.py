"""All that happened with one customer, a page at a time.

What the log and the mails are looked up by is read first: as a condition beside others, no index
would serve it, and both tables tell of everybody.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from src.billing.customer_rows import orders_of
from src.billing.domain.kinds import OrderState
from src.billing.models import (
    Coupon,
    CouponUse,
    DisputeRow,
    Order,
    OrderLine,
    Payment,
    Refund,
)
from src.booking.customer_rows import bookings_of, written_to_a_guest
from src.booking.models import (
    Broadcast,
    BroadcastMail,
    LeaveRequest,
    Seat,
    Series,
    Service,
    Session,
    WaitlistEntry,
)
from src.booking.queries.person import person_behind
from src.booking.views.customers import HistoryLine, HistoryPage
from src.platform.db.uow import UnitOfWork
from src.platform.mail.models import MailRow
from src.tenants.models import AuditEntry, Customer, MailChoice
from src.tenants.person_rows import Person, under_their_name

PAGE_SIZE = 30
ENDED = ("attended", "no_show", "cancelled", "late_cancelled", "swapped")
TOLD_BY_ROWS = (
    *("customer.booked", "booking.seat_moved", "seats.cancelled"),
    *("order.marked_paid", "order.released"),
    "booking.leaving_declined",
)
"""Acts of the log that a row of their own tells of as well."""


async def list_history(uow: UnitOfWork, customer_id: UUID, *, number: int = 1) -> HistoryPage:
    """The newest first; also of those who have been merged into them, and of an erased one what is
    left.
    """
    person = await person_behind(uow, customer_id)
    subjects, spellings = await _subjects(uow, person), await _spellings(uow, person)
    every = union_all(
        *(_orders(person), _ended_orders(person), _money_in(person), _money_back(person)),
        *(_disputes(person, is_over=False), _disputes(person, is_over=True)),
        *(_coupons(person, is_return=False), _coupons(person, is_return=True)),
        *(_requests(person, is_decided=False), _requests(person, is_decided=True)),
        *(_seats(person), _log(person, subjects), _choices(person)),
        *(_waiting(person, has_ended=False), _waiting(person, has_ended=True)),
        *(_mails(person, spellings), _broadcasts(person), _first_seen(customer_id, person)),
    ).subquery()
    columns = every.c
    found = await uow.session.execute(
        select(every)
        .order_by(columns.at.desc(), columns.kind == "first_seen", columns.kind, columns.ref)
        .limit(PAGE_SIZE + 1)
        .offset((number - 1) * PAGE_SIZE)
    )
    lines = [
        HistoryLine(at=row.at, kind=row.kind, ref=row.ref, who=row.who, facts=row.facts)
        for row in found
    ]
    return HistoryPage(lines=lines[:PAGE_SIZE], number=number, has_more=len(lines) > PAGE_SIZE)


def _part(at: Any, kind: str, ref: Any, *, who: Any = "", **facts: Any) -> Select[tuple[Any, ...]]:
    """What all parts have in common, so that they can be put in one order."""
    named = [each for name, value in facts.items() for each in (literal(name), value)]
    return select(
        at.label("at"),
        literal(kind).label("kind"),
        cast(ref, Uuid).label("ref"),
        (literal(who) if isinstance(who, str) else who).label("who"),
        func.jsonb_build_object(*named).label("facts"),
    )


def _orders(person: Person) -> Select[tuple[Any, ...]]:
    facts = {"what": _what(), "state": Order.state, "source": Order.source}
    return _part(Order.created_at, "order", Order.id, **facts).where(
        Order.tenant_id == person.tenant_id, Order.customer_id.in_(person.customer_ids)
    )


def _ended_orders(person: Person) -> Select[tuple[Any, ...]]:
    """Those that nobody paid, when that was over; what the business released, by whom."""
    who = (
        select(func.min(AuditEntry.actor_name))
        .where(
            AuditEntry.tenant_id == Order.tenant_id,
            AuditEntry.subject_id == Order.id,
            AuditEntry.action == "order.released",
        )
        .scalar_subquery()
    )
    facts = {"what": _what(), "state": Order.state, "why": Order.closed_why}
    return _part(
        Order.closed_at, "order_ended", Order.id, who=func.coalesce(who, ""), **facts
    ).where(
        Order.tenant_id == person.tenant_id,
        Order.customer_id.in_(person.customer_ids),
        Order.state.in_([str(OrderState.EXPIRED), str(OrderState.CANCELLED)]),
        Order.closed_at.is_not(None),
    )


def _what() -> Any:
    """The first line of an order."""
    return (
        select(OrderLine.description)
        .where(
            OrderLine.tenant_id == Order.tenant_id,
            OrderLine.order_id == Order.id,
            OrderLine.position == 0,
        )
        .scalar_subquery()
    )


def _money_in(person: Person) -> Select[tuple[Any, ...]]:
    facts = {"amount": Payment.amount_minor, "currency": Payment.currency, "by": Payment.method}
    return _part(Payment.received_at, "payment", Payment.order_id, **facts).where(
        Payment.tenant_id == person.tenant_id, Payment.order_id.in_(orders_of(person))
    )


def _money_back(person: Person) -> Select[tuple[Any, ...]]:
    facts = {"amount": Refund.amount_minor, "currency": Payment.currency}
    return (
        _part(Refund.finished_at, "refund", Refund.order_id, **facts)
        .join(Payment, and_(Payment.tenant_id == Refund.tenant_id, Payment.id == Refund.payment_id))
        .where(
            Refund.tenant_id == person.tenant_id,
            Refund.order_id.in_(orders_of(person)),
            Refund.state == "succeeded",
            Refund.finished_at.is_not(None),
        )
    )


def _disputes(person: Person, *, is_over: bool) -> Select[tuple[Any, ...]]:
    at = DisputeRow.decided_at if is_over else DisputeRow.opened_at
    kind = "dispute_over" if is_over else "dispute"
    facts = {
        "amount": DisputeRow.amount_minor,
        "currency": DisputeRow.currency,
        "state": DisputeRow.state,
    }
    return _part(at, kind, DisputeRow.order_id, **facts).where(
        DisputeRow.tenant_id == person.tenant_id,
        DisputeRow.order_id.in_(orders_of(person)),
        at.is_not(None),
    )


def _coupons(person: Person, *, is_return: bool) -> Select[tuple[Any, ...]]:
    at = CouponUse.returned_at if is_return else CouponUse.created_at
    kind = "coupon_returned" if is_return else "coupon"
    facts = {"code": Coupon.code, "off": CouponUse.discount_minor, "currency": Order.currency}
    return (
        _part(at, kind, CouponUse.order_id, **facts)
        .join(
            Coupon,
            and_(Coupon.tenant_id == CouponUse.tenant_id, Coupon.id == CouponUse.coupon_id),
        )
        .join(Order, and_(Order.tenant_id == CouponUse.tenant_id, Order.id == CouponUse.order_id))
        .where(
            CouponUse.tenant_id == person.tenant_id,
            CouponUse.customer_id.in_(person.customer_ids),
            at.is_not(None),
        )
    )


def _seats(person: Person) -> Select[tuple[Any, ...]]:
    """How places ended, those of one act on one date together."""
    facts = {
        "state": Seat.state,
        "seats": func.count(),
        "what": func.min(Service.name),
        "starts_at": Session.starts_at,
    }
    return (
        _part(Seat.changed_at, "seats", Seat.booking_id, who=Seat.changed_by, **facts)
        .select_from(Seat)
        .join(Session, and_(Session.tenant_id == Seat.tenant_id, Session.id == Seat.session_id))
        .join(
            Service, and_(Service.tenant_id == Session.tenant_id, Service.id == Session.service_id)
        )
        .where(
            Seat.tenant_id == person.tenant_id,
            Seat.booking_id.in_(bookings_of(person)),
            Seat.state.in_(ENDED),
        )
        .group_by(Seat.changed_at, Seat.booking_id, Seat.changed_by, Seat.state, Session.starts_at)
    )


def _requests(person: Person, *, is_decided: bool) -> Select[tuple[Any, ...]]:
    """Those that were declined with the answer, and by whom; accepting is an act of its own."""
    at = LeaveRequest.decided_at if is_decided else LeaveRequest.asked_at
    kind = "leave_decided" if is_decided else "leave_request"
    facts = {"state": LeaveRequest.state, "answer": LeaveRequest.answer}
    who = func.coalesce(_who_declined(), "") if is_decided else ""
    return _part(at, kind, LeaveRequest.id, who=who, **facts).where(
        LeaveRequest.tenant_id == person.tenant_id,
        LeaveRequest.booking_id.in_(bookings_of(person)),
        at.is_not(None),
    )


def _who_declined() -> ScalarSelect[str]:
    """The log is written with the answer, and keeps the name of whoever has left the team."""
    return (
        select(AuditEntry.actor_name)
        .where(
            AuditEntry.tenant_id == LeaveRequest.tenant_id,
            AuditEntry.subject_id == LeaveRequest.booking_id,
            AuditEntry.action == "booking.leaving_declined",
            AuditEntry.at >= LeaveRequest.decided_at,
            LeaveRequest.state == "declined",
        )
        .order_by(AuditEntry.at)
        .limit(1)
        .correlate(LeaveRequest)
        .scalar_subquery()
    )


async def _subjects(uow: UnitOfWork, person: Person) -> list[UUID]:
    """The ids of all that the log may tell of."""
    found = await uow.session.scalars(union_all(orders_of(person), bookings_of(person)))
    return [*person.customer_ids, *found]


def _log(person: Person, subjects: Sequence[UUID]) -> Select[tuple[Any, ...]]:
    """What was done to them, and to what they booked, by staff, by guests or by itself."""
    facts = {
        "action": AuditEntry.action,
        "detail": AuditEntry.detail,
        "actor_kind": AuditEntry.actor_kind,
    }
    return _part(AuditEntry.at, "log", null(), who=AuditEntry.actor_name, **facts).where(
        AuditEntry.tenant_id == person.tenant_id,
        AuditEntry.subject_id == any_(cast(subjects, ARRAY(Uuid()))),
        AuditEntry.action.not_in(TOLD_BY_ROWS),
    )


def _choices(person: Person) -> Select[tuple[Any, ...]]:
    facts = {"topic": MailChoice.topic, "wants": MailChoice.wants}
    return _part(MailChoice.chosen_at, "choice", null(), **facts).where(
        MailChoice.tenant_id == person.tenant_id, MailChoice.customer_id.in_(person.customer_ids)
    )


def _waiting(person: Person, *, has_ended: bool) -> Select[tuple[Any, ...]]:
    at = WaitlistEntry.ended_at if has_ended else WaitlistEntry.joined_at
    theirs = aliased(Service)
    facts = {
        "what": theirs.name,
        "title": func.coalesce(Series.title, Session.title),
        "starts_at": Session.starts_at,
        "places": WaitlistEntry.party_size,
        "state": WaitlistEntry.state,
    }
    kind = "waited" if has_ended else "waits"
    ref = func.coalesce(WaitlistEntry.session_id, WaitlistEntry.series_id)
    facts["is_series"] = WaitlistEntry.series_id.is_not(None)
    return (
        _part(at, kind, ref, **facts)
        .select_from(WaitlistEntry)
        .outerjoin(Session, _same(WaitlistEntry, Session, WaitlistEntry.session_id))
        .outerjoin(Series, _same(WaitlistEntry, Series, WaitlistEntry.series_id))
        .join(
            theirs,
            and_(
                theirs.tenant_id == WaitlistEntry.tenant_id,
                theirs.id == func.coalesce(Session.service_id, Series.service_id),
            ),
        )
        .where(
            WaitlistEntry.tenant_id == person.tenant_id,
            WaitlistEntry.address.in_(person.addresses),
            under_their_name(person, WaitlistEntry.address, WaitlistEntry.name),
            at.is_not(None),
        )
    )


def _same(here: Any, there: Any, ref: Any) -> ColumnElement[bool]:
    return and_(there.tenant_id == here.tenant_id, there.id == ref)


async def _spellings(uow: UnitOfWork, person: Person) -> list[str]:
    """Their addresses, also as they typed them: mails are kept under what was typed."""
    as_typed = select(Order.guest_email).where(
        Order.id.in_(orders_of(person)), func.lower(Order.guest_email).in_(person.addresses)
    )
    return sorted({*person.addresses, *await uow.session.scalars(as_typed)})


def _mails(person: Person, spellings: Sequence[str]) -> Select[tuple[Any, ...]]:
    """Those that are still kept; what went to many is told by `_broadcasts`, for good."""
    facts = {
        "subject": MailRow.subject,
        "to": MailRow.to_address,
        "is_refused": and_(MailRow.sent_at.is_(None), MailRow.refused.is_not(None)),
        "is_sent": MailRow.sent_at.is_not(None),
    }
    return (
        _part(MailRow.queued_at, "mail", null(), **facts)
        .where(
            MailRow.tenant_id == person.tenant_id,
            MailRow.to_address == any_(cast(spellings, ARRAY(Text))),
            MailRow.kind != "broadcast",
        )
        .where(written_to_a_guest(person))
    )


def _broadcasts(person: Person) -> Select[tuple[Any, ...]]:
    return (
        _part(
            BroadcastMail.written_at,
            "broadcast",
            Broadcast.id,
            who=Broadcast.sent_by,
            subject=Broadcast.subject,
        )
        .join(Broadcast, _same(BroadcastMail, Broadcast, BroadcastMail.broadcast_id))
        .where(
            BroadcastMail.tenant_id == person.tenant_id,
            BroadcastMail.customer_id.in_(person.customer_ids),
        )
    )


def _first_seen(customer_id: UUID, person: Person) -> Select[tuple[Any, ...]]:
    """Whoever was added by staff has a line of the log for it."""
    was_added = exists().where(
        AuditEntry.tenant_id == person.tenant_id,
        AuditEntry.subject_id == customer_id,
        AuditEntry.action == "customer.added",
    )
    return _part(Customer.created_at, "first_seen", null()).where(
        Customer.tenant_id == person.tenant_id, Customer.id == customer_id, ~was_added
    )
