"""Bookings go with their customer; their seats go with the bookings.

Calendar feeds end on both sides: neither address was asked whether the other one's dates are its
own. Who is left asks for a new one, by a mail to the address that they keep. When a person is
erased, that there were seats stays: a session had so many people, and each had its share of the
money.
"""

from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, func, or_, select

from src.billing.customer_rows import orders_of
from src.booking.commands.feeds import revoke_customer_feed
from src.booking.models import (
    AgreementSignature,
    AgreementVersion,
    Booking,
    CalendarFeed,
    Cancellation,
    HandingOn,
    LeaveRequest,
    Seat,
    Service,
    Session,
    WaitlistEntry,
)
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.platform.links import without_tokens
from src.platform.mail.models import MailRow
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.models import AuditEntry, Participant, User
from src.tenants.person_rows import (
    Person,
    PersonRows,
    nothing,
    register_person_rows,
    under_their_name,
)
from src.tenants.portal_mails import UNWORDED
from src.tenants.worded_mails import mail_kinds

_MAILS = cast(Table, MailRow.__table__)
FEED_COLUMNS = ("created_at", "last_read_at", "revoked_at")


class FeedsThatEnd(CustomerRows):
    """A customer's feeds when they are merged. Nothing that counts as theirs goes over."""

    async def count(self, uow: UnitOfWork, customer_id: UUID) -> int:
        return 0

    async def move(self, uow: UnitOfWork, gone_id: UUID, kept_id: UUID) -> list[UUID]:
        """Ends both customers' feeds, so that neither shows what the other has booked."""
        await revoke_customer_feed(uow, [gone_id, kept_id])
        return await super().move(uow, gone_id, kept_id)


class MailsToThem(PersonRows):
    """Handed over without the tokens of links: who gets hold of the file could use them."""

    async def read(self, uow: UnitOfWork, person: Person) -> list[dict[str, Any]]:
        found = await super().read(uow, person)
        return [{**mail, "text": without_tokens(mail["text"])} for mail in found]


def register_bookings_of_customers() -> None:
    register_customer_rows(
        FeedsThatEnd(
            table=cast(Table, CalendarFeed.__table__),
            words=lambda count: ngettext("%(num)s calendar", "%(num)s calendars", count),
            shown=FEED_COLUMNS,
            erased=None,
        )
    )
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
    register_customer_rows(
        CustomerRows(
            table=cast(Table, AgreementSignature.__table__),
            words=lambda count: ngettext("%(num)s signature", "%(num)s signatures", count),
            shown=(
                *("id", "version_id", "order_id", "name", "address", "browser", "how"),
                *("is_proved", "signed_at"),
            ),
            erased=lambda _person: {"name": "", "address": "", "browser": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, AgreementVersion.__table__),
            whose=lambda person: AgreementVersion.id.in_(
                _ids(
                    person,
                    AgreementSignature.version_id,
                    AgreementSignature.customer_id.in_(person.customer_ids),
                )
            ),
            shown=("id", "number", "title", "text", "sha256", "published_at"),
            erased=nothing,
        )
    )
    _register_what_was_booked()
    _register_what_was_handed_on()
    _register_what_was_said()


def _register_what_was_handed_on() -> None:
    """By whoever booked it, and by whoever got it, whose name stands under the other's customer."""
    register_person_rows(
        PersonRows(
            table=cast(Table, Participant.__table__),
            whose=lambda person: Participant.id.in_(
                _ids(person, HandingOn.participant_id, given_to(person))
            ),
            shown=("name",),
            erased=lambda person: {"name": person.called, "note": ""},
            name="participants_with_a_place_handed_on",
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, HandingOn.__table__),
            whose=lambda person: or_(HandingOn.order_id.in_(orders_of(person)), given_to(person)),
            shown=("seat_id", "address", "was", "by", "at"),
            erased=lambda _person: {"address": "", "was": ""},
        )
    )


def given_to(person: Person) -> ColumnElement[bool]:
    """What was handed on to one of their addresses."""
    return func.lower(HandingOn.address).in_(person.addresses)


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
            shown=("order_id", *FEED_COLUMNS),
            erased=None,
            name="calendar_feeds_of_bookings",
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
            whose=lambda person: or_(
                and_(
                    Cancellation.scope == "purchase",
                    Cancellation.subject_id.in_(bookings_of(person)),
                ),
                and_(
                    Cancellation.scope == "seats",
                    Cancellation.id.in_(
                        _ids(person, Seat.cancellation_id, Seat.booking_id.in_(bookings_of(person)))
                    ),
                ),
            ),
            shown=("reason", "state", "requested_at"),
            erased=lambda _person: {"reason": ""},
        )
    )
    register_person_rows(
        PersonRows(
            table=cast(Table, WaitlistEntry.__table__),
            whose=waits_of,
            shown=(
                *("session_id", "series_id", "address", "name", "party_size", "state"),
                *("joined_at", "ended_at", "ended_by"),
            ),
            erased=lambda _person: {"address": "", "name": ""},
        )
    )
    register_person_rows(
        MailsToThem(
            table=_MAILS,
            whose=mails_to,
            shown=("kind", "to_address", "to_name", "subject", "text", "queued_at", "sent_at"),
            erased=None,
        )
    )
    # The program may not change the log; `erase_in_audit` does.
    register_person_rows(
        PersonRows(
            table=cast(Table, AuditEntry.__table__),
            whose=lambda person: or_(
                AuditEntry.subject_id.in_(person.customer_ids),
                AuditEntry.subject_id.in_(orders_of(person)),
                AuditEntry.subject_id.in_(bookings_of(person)),
            ),
            shown=("action", "actor_name", "detail", "at"),
            erased=nothing,
        )
    )


def waits_of(person: Person) -> ColumnElement[bool]:
    """Entries of waiting lists, which know an address and no customer."""
    address = WaitlistEntry.address
    return and_(
        func.lower(address).in_(person.addresses),
        under_their_name(person, address, WaitlistEntry.name),
    )


def mails_to(person: Person) -> ColumnElement[bool]:
    to = func.lower(MailRow.to_address)
    return and_(to.in_(person.addresses), written_to_a_guest(person))


def written_to_a_guest(person: Person) -> ColumnElement[bool]:
    """Of the mails to their addresses, those that went to them as a guest. Who has an account is
    written to for their work as well, and that tells of others.
    """
    kinds = [f"{prefix}{kind.key}" for kind in mail_kinds() for prefix in ("", "billing.")]
    works = select(func.lower(User.email)).where(User.email.in_(person.addresses))
    return and_(
        under_their_name(person, MailRow.to_address, MailRow.to_name),
        or_(
            MailRow.kind.in_([*kinds, *UNWORDED, "broadcast", "message", "place"]),
            func.lower(MailRow.to_address).not_in(works),
        ),
    )


def bookings_of(person: Person) -> Select[tuple[UUID]]:
    """The ids of all that they ever booked."""
    return _ids(person, Booking.id, Booking.customer_id.in_(person.customer_ids))


def _ids(person: Person, column: Any, condition: Any) -> Select[tuple[UUID]]:
    return select(column).where(column.class_.tenant_id == person.tenant_id, condition)
