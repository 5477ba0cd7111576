"""One person across all tables: who they are, and what is kept about them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from src.billing.customer_rows import lots_of, orders_of
from src.billing.models import Order
from src.booking.customer_rows import bookings_of, mails_to, waits_of
from src.booking.models import BroadcastMail, LeaveRequest, Seat, WaitlistEntry
from src.platform.db.uow import UnitOfWork
from src.platform.mail.models import MailRow
from src.platform.outbox.models import OutboxRow
from src.tenants.commands.customers import no_such_customer
from src.tenants.models import AuditEntry, Customer, Member, Participant, User
from src.tenants.person_rows import Person, person_rows

KEYS_OF_THEIRS = ("customer_id", "order_id", "entry_id", "request_id")
"""Under which an event names the one thing that it is about, or with `seat_ids` several of one
order. What else it says is no sign: one about many ends at somebody's booking, to go on from there.
"""


async def find_person(uow: UnitOfWork, customer_id: UUID, called: str = "") -> Person:
    """Raises: NotFound, also for one who was merged or erased."""
    living = select(Customer.id).where(
        Customer.tenant_id == uow.tenant,
        Customer.id == customer_id,
        Customer.merged_into.is_(None),
        Customer.erased_at.is_(None),
    )
    if await uow.session.scalar(living) is None:
        raise no_such_customer()
    return await person_behind(uow, customer_id, called)


async def person_behind(uow: UnitOfWork, customer_id: UUID, called: str = "") -> Person:
    """Of one who was erased only the ids are left."""
    known = select(Customer.id).where(
        Customer.tenant_id == uow.tenant,
        or_(Customer.id == customer_id, Customer.merged_into == customer_id),
    )
    ids = sorted((await uow.session.scalars(known)).all())
    person = Person(
        tenant_id=uow.tenant, customer_ids=ids, addresses=(), at=uow.clock.now(), called=called
    )
    found = await _addresses(uow, person)
    former = [address for address, is_former in found.items() if is_former]
    names = await _names(uow, person) if former else ()
    return replace(person, addresses=list(found), former=former, names=sorted(names))


async def _addresses(uow: UnitOfWork, person: Person) -> dict[str, bool]:
    """All that they were ever written to at, but those that are another customer's now; whether
    only the log knows it.
    """
    ids = person.customer_ids
    was = AuditEntry.detail["was"]["email"].astext
    mistyped = AuditEntry.detail["gone"]["email"].astext
    of_them = and_(AuditEntry.tenant_id == uow.tenant, AuditEntry.subject_id.in_(ids))
    every = union(
        _spelt(Customer.email).where(Customer.tenant_id == uow.tenant, Customer.id.in_(ids)),
        _spelt(Order.guest_email).where(Order.id.in_(orders_of(person))),
        _spelt(BroadcastMail.address).where(
            BroadcastMail.tenant_id == uow.tenant, BroadcastMail.customer_id.in_(ids)
        ),
        _spelt(was, is_former=True).where(of_them),
        _spelt(mistyped, is_former=True).where(of_them),
    ).subquery()
    anothers = exists().where(
        Customer.tenant_id == uow.tenant,
        Customer.email == every.c.address,
        Customer.id.not_in(ids),
    )
    found = await uow.session.execute(
        select(every.c.address, func.bool_and(every.c.is_former))
        .where(every.c.address != "", ~anothers)
        .group_by(every.c.address)
        .order_by(every.c.address)
    )
    return dict(found.tuples().all())


def _spelt(address: Any, *, is_former: bool = False) -> Select[tuple[str, bool]]:
    return select(func.lower(address).label("address"), literal(is_former).label("is_former"))


async def list_things(uow: UnitOfWork, person: Person) -> list[UUID]:
    """The ids under which the log, and what is still to be done, tell of them."""
    ids = person.customer_ids
    bookings = bookings_of(person)
    every = union(
        select(Customer.id).where(Customer.tenant_id == uow.tenant, Customer.id.in_(ids)),
        orders_of(person),
        lots_of(person),
        bookings,
        select(Seat.id).where(Seat.tenant_id == uow.tenant, Seat.booking_id.in_(bookings)),
        select(LeaveRequest.id).where(
            LeaveRequest.tenant_id == uow.tenant, LeaveRequest.booking_id.in_(bookings)
        ),
        select(WaitlistEntry.id).where(waits(uow, person)),
    )
    return list(await uow.session.scalars(every))


async def list_names(uow: UnitOfWork, person: Person) -> list[str]:
    """By what they can be found in what was written to staff, in lower case.

    No name of one or two letters, which would be found in half of all sentences, and none of staff.
    """
    staff = await uow.session.scalars(
        select(func.lower(User.name))
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == uow.tenant)
    )
    found = await _names(uow, person) - set(staff)
    return sorted(word for word in found if len(word) > 2)


async def _names(uow: UnitOfWork, person: Person) -> set[str]:
    """What they and who came with them are and were called, and their numbers, in lower case."""
    ids = person.customer_ids
    own = and_(Customer.tenant_id == uow.tenant, Customer.id.in_(ids))
    ordered = Order.id.in_(orders_of(person))
    came = and_(Participant.tenant_id == uow.tenant, Participant.customer_id.in_(ids))
    every = union(
        select(func.lower(Customer.name)).where(own),
        select(Customer.phone).where(own),
        select(func.lower(Order.guest_name)).where(ordered),
        select(Order.guest_phone).where(ordered),
        select(func.lower(Participant.name)).where(came),
    )
    return {*await uow.session.scalars(every), *await _former_names(uow, person)} - {""}


async def _former_names(uow: UnitOfWork, person: Person) -> set[str]:
    """What the log says that they, or who came with them, were called before it was corrected."""
    booked = await uow.session.scalars(bookings_of(person))
    known = await uow.session.scalars(
        select(AuditEntry.detail).where(
            AuditEntry.tenant_id == uow.tenant,
            AuditEntry.subject_id.in_([*person.customer_ids, *booked]),
            or_(AuditEntry.detail.has_key("was"), AuditEntry.detail.has_key("gone")),
        )
    )
    found: set[str] = set()
    for was in (detail[key] for detail in known for key in ("was", "gone") if key in detail):
        found |= {was.get("name") or "", was.get("phone") or "", *was.get("names", {}).values()}
    return {name.lower() for name in found}


async def list_staff_addresses(uow: UnitOfWork) -> list[str]:
    found = await uow.session.scalars(
        select(func.lower(User.email))
        .join(Member, Member.user_id == User.id)
        .where(Member.tenant_id == uow.tenant)
    )
    return list(found)


async def read_person(uow: UnitOfWork, person: Person) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """Everything that is kept about them, by table, but secrets of links and payment pages."""
    found = {rows.key: await rows.read(uow, person) for rows in person_rows()}
    return {name: each for name, each in found.items() if each}


def events_about(things: Iterable[UUID]) -> ColumnElement[bool]:
    """Of those that are still to be done, or were given up, what is about these things alone."""
    ids, payload = [str(thing) for thing in things], OutboxRow.payload
    return or_(
        *(payload[key].astext.in_(ids) for key in KEYS_OF_THEIRS),
        payload["seat_ids"].has_any(cast(ids, ARRAY(Text))),
    )


async def mails_telling_of(uow: UnitOfWork, person: Person) -> ColumnElement[bool]:
    """Mails to others: those to staff by any name of the person, all by an address."""
    staff, names = await list_staff_addresses(uow), await list_names(uow, person)
    own, to = telling_addresses(person, staff), func.lower(MailRow.to_address)
    told = func.concat(MailRow.subject, " ", MailRow.text, " ", MailRow.reply_to)
    return and_(
        MailRow.tenant_id == uow.tenant,
        ~mails_to(person),
        or_(_tells_of(told, own), and_(to.in_(staff), _tells_of(told, names))),
    )


def telling_addresses(person: Person, staff: Sequence[str]) -> list[str]:
    """Those that are nobody else's, so that whatever says them tells of this person."""
    return [one for one in person.addresses if one not in staff and one not in person.former]


def _tells_of(told: Any, words: Sequence[str]) -> ColumnElement[bool]:
    """Whether any of the words, in lower case, stands in it by itself."""
    return func.tells_of(told, cast(list(words), ARRAY(Text)))


def waits(uow: UnitOfWork, person: Person) -> ColumnElement[bool]:
    return and_(WaitlistEntry.tenant_id == uow.tenant, waits_of(person))
