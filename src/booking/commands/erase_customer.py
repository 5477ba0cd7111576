"""Erasing a person: who it was goes for good, and the money stays as it is.

Locks: orders by id, then the customer and those who were merged into it, FOR UPDATE, so that
whoever books or writes for them is seen, or finds nobody; then the seats by (session, id); then
their people, and last their lots of credits by id, paid or not. See `docs/algorithms/erasing.md`.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, delete, func, or_, select, true, update
from sqlalchemy import cast as as_type
from sqlalchemy.dialects.postgresql import ARRAY

from src.billing.commands.credit_ends import end_credits_of, lock_credits_of
from src.billing.commands.lapse_package import lapse_packages_of
from src.billing.customer_rows import orders_of
from src.billing.events import ProcessorEventReceived
from src.billing.models import (
    DisputeRow,
    Payment,
    PaymentPage,
    ProcessorCustomer,
    Refund,
    SavedCard,
)
from src.booking.customer_rows import bookings_of
from src.booking.models import Seat
from src.booking.queries.erasing_bars import (
    find_bars,
    list_bars,
    own_bars,
    under_way,
    waits_to_be_sent,
)
from src.booking.queries.person import (
    events_about,
    find_person,
    list_names,
    list_staff_addresses,
    list_things,
    mails_telling_of,
    telling_addresses,
)
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotAllowed
from src.platform.i18n import _, use_locale
from src.platform.mail.models import MailRow
from src.platform.outbox.models import OutboxRow
from src.tenants.commands.audit import audit
from src.tenants.context import RequestContext
from src.tenants.customer_rows import customer_rows
from src.tenants.domain.roles import Role
from src.tenants.events import PortalCodeAsked
from src.tenants.models import Customer
from src.tenants.person_rows import Person, person_rows
from src.tenants.role_words import needs_role


async def erase_customer(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, typed: str
) -> None:
    """All that told who they were is gone for good, from every table; nobody is told.

    `typed` is the word that `word_to_type` asks for. Raises: NotFound, also for one who was merged
    or erased; NotAllowed; InvalidInput at `typed`; Conflict with what stands against it.
    """
    _check_owner(ctx)
    person = await _hold(uow, customer_id, typed)
    bars = await list_bars(uow, person)
    if bars:
        raise Conflict(" ".join(bars), code="not_erasable")
    await _erase(uow, ctx, person, customer_id)


async def erase_oneself(
    uow: UnitOfWork, ctx: RequestContext, customer_id: UUID, typed: str
) -> None:
    """The same, by the signed-in guest whose `customer_id` it is. What stands against it is the
    same too: a place that lies ahead is somebody's whom the business waits for.

    Raises: NotFound; InvalidInput at `typed`; Conflict.
    """
    person = await _hold(uow, customer_id, typed)
    bars = own_bars(await find_bars(uow, person))
    if bars:
        raise Conflict(" ".join(bars), code="not_erasable")
    await _erase(uow, ctx, person, customer_id)


async def _hold(uow: UnitOfWork, customer_id: UUID, typed: str) -> Person:
    """The person, locked together with what nobody may add to meanwhile."""
    for contended in customer_rows():
        if contended.is_contended:
            await contended.lock(uow, customer_id)
    await _lock(uow, customer_id)
    person = await find_person(uow, customer_id, _("Erased customer"))
    await _check_typed(uow, customer_id, typed)
    return person


async def _erase(uow: UnitOfWork, ctx: RequestContext, person: Person, customer_id: UUID) -> None:
    await _lock_seats(uow, person)
    things, staff = await list_things(uow, person), await list_staff_addresses(uow)
    own = telling_addresses(person, staff)
    await _erase_in_mails_to_others(uow, person)
    await _erase_in_log(uow, things, own, await list_names(uow, person))
    await _erase_in_events(uow, await _marks_of(uow, person, own))
    await _erase_given_up(uow, things, person.addresses)
    for rows in person_rows():
        await rows.erase(uow, person)
    with use_locale(ctx.here.locale):
        why = _("Its customer was erased.")
    await lock_credits_of(uow, person.customer_ids)
    await lapse_packages_of(uow, person.customer_ids)
    await end_credits_of(uow, person.customer_ids, why, person.at)
    await audit(uow, ctx, "customer.erased", "customer", customer_id)


async def word_to_type(uow: UnitOfWork, customer_id: UUID) -> str:
    """What has to be typed before somebody is erased: their address, number or name."""
    customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
    return customer.email or customer.phone or customer.name


def _check_owner(ctx: RequestContext) -> None:
    if ctx.actor.role is not Role.OWNER:
        raise NotAllowed(needs_role(Role.OWNER))


async def _check_typed(uow: UnitOfWork, customer_id: UUID, typed: str) -> None:
    word = await word_to_type(uow, customer_id)
    if " ".join(typed.split()).lower() != " ".join(word.split()).lower():
        sentence = _("Please type “%(word)s” as it stands here.", word=word)
        raise InvalidInput(sentence, fields={"typed": sentence})


async def _lock(uow: UnitOfWork, customer_id: UUID) -> None:
    await uow.session.execute(
        select(Customer.id)
        .where(
            Customer.tenant_id == uow.tenant,
            or_(Customer.id == customer_id, Customer.merged_into == customer_id),
        )
        .order_by(Customer.id)
        .with_for_update()
    )


async def _lock_seats(uow: UnitOfWork, person: Person) -> None:
    """In everybody's order, since those of a party are ticked together at the door."""
    await uow.session.execute(
        select(Seat.id)
        .where(Seat.tenant_id == uow.tenant, Seat.booking_id.in_(bookings_of(person)))
        .order_by(Seat.session_id, Seat.id)
        .with_for_update(key_share=True)
    )


async def _erase_in_log(
    uow: UnitOfWork, things: Sequence[UUID], words: Sequence[str], names: Sequence[str]
) -> None:
    """What the log says stays, but for words that somebody wrote or was called by.

    An act on several people's places is logged under the session, with the places' ids: the
    function finds `things` in what an entry says as well.
    """
    await uow.session.execute(
        select(
            func.erase_in_audit(
                as_type(list(things), ARRAY(Uuid())),
                as_type(list(words), ARRAY(Text)),
                as_type(list(names), ARRAY(Text)),
            )
        )
    )


async def _erase_in_events(uow: UnitOfWork, words: Sequence[str]) -> None:
    """Raises: Conflict while one of the processor's events has not had its effect yet, or where
    that was given up.
    """
    marks = as_type(list(words), ARRAY(Text))
    left = await uow.session.scalar(select(func.erase_in_events(marks, type_=ARRAY(Uuid()))))
    if not left:
        return
    given_up = await uow.session.scalar(
        select(OutboxRow.id)
        .where(
            OutboxRow.tenant_id == uow.tenant,
            OutboxRow.topic == ProcessorEventReceived.topic,
            OutboxRow.payload["inbox_id"].astext.in_([str(inbox_id) for inbox_id in left]),
            OutboxRow.parked_at.is_not(None),
        )
        .limit(1)
    )
    raise Conflict(under_way() if given_up is None else _given_up(), code="not_erasable")


def _given_up() -> str:
    return _(
        "What the payment processor said of them could not be worked off. Ask those who run this"
        " service to see to it first."
    )


async def _marks_of(uow: UnitOfWork, person: Person, addresses: Sequence[str]) -> list[str]:
    """By what the processor's events can be told to be about them."""
    ordered = orders_of(person)
    found = set(addresses) | {str(order_id) for order_id in await uow.session.scalars(ordered)}
    for model, column in (
        (PaymentPage, PaymentPage.processor_id),
        (Payment, Payment.payment_intent_id),
        (Refund, Refund.processor_id),
        (DisputeRow, DisputeRow.processor_id),
    ):
        marks = await uow.session.scalars(
            select(column).where(
                model.tenant_id == uow.tenant, model.order_id.in_(ordered), column.is_not(None)
            )
        )
        found |= {mark for mark in marks if mark}
    return sorted(found | await _marks_of_cards(uow, person))


async def _marks_of_cards(uow: UnitOfWork, person: Person) -> set[str]:
    found: set[str] = set()
    for model, column in (
        (ProcessorCustomer, ProcessorCustomer.processor_id),
        (SavedCard, SavedCard.payment_method_id),
    ):
        marks = await uow.session.scalars(
            select(column).where(
                model.tenant_id == uow.tenant, model.customer_id.in_(person.customer_ids)
            )
        )
        found |= {mark for mark in marks if mark}
    return found


async def _erase_given_up(
    uow: UnitOfWork, things: Sequence[UUID], addresses: Sequence[str]
) -> None:
    """What could not be done and waits for an operator has nobody left to be done for."""
    asked_in = and_(
        OutboxRow.topic == PortalCodeAsked.topic, OutboxRow.payload["email"].astext.in_(addresses)
    )
    await uow.session.execute(
        delete(OutboxRow).where(
            OutboxRow.tenant_id == uow.tenant,
            OutboxRow.parked_at.is_not(None),
            or_(events_about(things), asked_in),
        )
    )


async def _erase_in_mails_to_others(uow: UnitOfWork, person: Person) -> None:
    """The copies of those that have ended stay, empty. Nobody may be sent an empty one: those that
    were given up go, and one that was written just now leaves as it is.
    """
    told = await mails_telling_of(uow, person)
    unsent = MailRow.sent_at.is_(None)
    given_up = waits_to_be_sent(OutboxRow.parked_at.is_not(None))
    await uow.session.execute(delete(MailRow).where(told, unsent, given_up))
    await uow.session.execute(
        update(MailRow)
        .where(told, ~waits_to_be_sent(true()))
        .values(subject="", text="", html="", attachments=[], reply_to=None)
    )
