"""Bookings go with their customer; their seats go with the bookings.

When a person is erased, that there were seats stays: a session had so many people, and each had its
share of the money.
"""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import Select, Table, and_, func, select

from src.billing.customer_rows import orders_of
from src.booking.models import (
    Booking,
    CalendarFeed,
    Cancellation,
    LeaveRequest,
    Seat,
    Service,
    Session,
    WaitlistEntry,
)
from src.platform.i18n import ngettext
from src.platform.mail.models import MailRow
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.models import AuditEntry
from src.tenants.person_rows import Person, PersonRows, nothing, register_person_rows

_MAILS = cast(Table, MailRow.__table__)


def register_bookings_of_customers() -> None:
    register_customer_rows(
        CustomerRows(
            table=cast(Table, Booking.__table__),
            words=lambda count: ngettext("%(num)s booking", "%(num)s bookings", count),
            shown=(
                *("id", "order_id", "service_id", "series_id", "session_id", "party_size"),
                *("answers", "person_answers", "note", "created_at"),
            ),
            erased=lambda _person: {"answers": [], "person_answers": {}, "note": ""},
        )
    )
    _register_what_was_booked()
    _register_what_was_said()


def _register_what_was_booked() -> None:
    register_person_rows(
        PersonRows(
            table=cast(Table, Seat.__table__),
            whose=lambda person: Seat.booking_id.in_(bookings_of(person)),
            shown=(
                *("id", "booking_id", "session_id", "participant_id", "state", "share_minor"),
                *("tier", "changed_at", "changed_by", "changed_why"),
            ),
            erased=lambda _person: {"changed_why": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, Session.__table__),
            whose=lambda person: Session.id.in_(
                _ids(person, Seat.session_id, Seat.booking_id.in_(bookings_of(person)))
            ),
            shown=("id", "service_id", "title", "starts_at", "ends_at", "state"),
            erased=nothing,
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, Service.__table__),
            whose=lambda person: Service.id.in_(
                _ids(person, Booking.service_id, Booking.customer_id.in_(person.customer_ids))
            ),
            shown=("id", "name"),
            erased=nothing,
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, CalendarFeed.__table__),
            whose=lambda person: CalendarFeed.order_id.in_(orders_of(person)),
            shown=("order_id", "created_at", "last_read_at", "revoked_at"),
            erased=None,
        )
    )


def _register_what_was_said() -> None:
    register_person_rows(
        PersonRows(
            table=cast(Table, LeaveRequest.__table__),
            whose=lambda person: LeaveRequest.booking_id.in_(bookings_of(person)),
            shown=("booking_id", "reason", "state", "answer", "asked_at", "decided_at"),
            erased=lambda _person: {"reason": "", "answer": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, Cancellation.__table__),
            whose=lambda person: and_(
                Cancellation.scope == "purchase",
                Cancellation.subject_id.in_(bookings_of(person)),
            ),
            shown=("reason", "state", "requested_at"),
            erased=lambda _person: {"reason": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, WaitlistEntry.__table__),
            whose=lambda person: func.lower(WaitlistEntry.address).in_(person.addresses),
            shown=(
                *("session_id", "series_id", "address", "name", "party_size", "state"),
                *("joined_at", "ended_at", "ended_by"),
            ),
            erased=lambda _person: {"address": "", "name": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=_MAILS,
            whose=lambda person: func.lower(_MAILS.c.to_address).in_(person.addresses),
            shown=("kind", "to_address", "to_name", "subject", "text", "queued_at", "sent_at"),
            erased=None,
        )
    )
    # The program may not change the log; `erase_in_audit` does.
    register_person_rows(
        PersonRows(
            table=cast(Table, AuditEntry.__table__),
            whose=lambda person: AuditEntry.subject_id.in_(person.customer_ids),
            shown=("action", "actor_name", "detail", "at"),
            erased=nothing,
        )
    )


def bookings_of(person: Person) -> Select[tuple[UUID]]:
    """The ids of all that they ever booked."""
    return _ids(person, Booking.id, Booking.customer_id.in_(person.customer_ids))


def _ids(person: Person, column: Any, condition: Any) -> Select[tuple[UUID]]:
    return select(column).where(column.class_.tenant_id == person.tenant_id, condition)
