"""What is said of a booking after it was made: a note for the door, and who its people are."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.naming import LONGEST_NAME, LONGEST_NOTE, may_guest_name
from src.booking.models import Booking
from src.booking.queries.people import get_people, get_people_of_order
from src.booking.views.people import BookingPeople
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.commands.customers import keep_customer
from src.tenants.context import RequestContext
from src.tenants.domain.naming import on_one_line
from src.tenants.models import Participant


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be different: names by participant, and the note, None where it stays."""

    names: Mapping[UUID, str]
    note: str | None = None


async def say_of_booking(
    uow: UnitOfWork, ctx: RequestContext, booking_id: UUID, said: Said
) -> bool:
    """Staff write the note and names of a booking, whenever it was. Returns whether anything is
    different now; only then there is an entry in the log, with what it was.

    Raises: NotFound, for a person of another booking too; InvalidInput.
    """
    people = await get_people(uow, booking_id)
    return await _write(uow, ctx, people, said)


async def name_people(
    uow: UnitOfWork, ctx: RequestContext, order_id: UUID, names: Mapping[UUID, str]
) -> bool:
    """A guest says who comes, until the first date begins. Returns whether a name has changed.

    Raises: NotFound, InvalidInput; Conflict once it is too late, or nobody comes any more.
    """
    people = await get_people_of_order(uow, order_id)
    refuse_naming(people, await _state(uow, order_id), uow)
    return await _write(uow, ctx, people, Said(names=names))


def refuse_naming(people: BookingPeople, state: str, uow: UnitOfWork) -> None:
    """Raises: Conflict with the reason why a guest cannot change names now."""
    if state != OrderState.CONFIRMED or people.first_starts_at is None:
        raise Conflict(_("This booking has no place that stands."), code="not_booked")
    if not may_guest_name(people.first_starts_at, uow.clock.now()):
        raise Conflict(
            _("The first date has begun. Please tell the business who comes."), code="too_late"
        )


async def _state(uow: UnitOfWork, order_id: UUID) -> str:
    found = await uow.session.scalar(
        select(Order.state).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    )
    return found or ""


async def _write(uow: UnitOfWork, ctx: RequestContext, people: BookingPeople, said: Said) -> bool:
    names, note = _checked(people, said)
    before = {one.participant_id: one.name for one in people.people}
    new_names = {one: name for one, name in names.items() if before[one] != name}
    new_note = note if note is not None and note != people.note else None
    if not new_names and new_note is None:
        return False
    # A merge or an erasure of the customer waits for us, or we for it.
    await keep_customer(uow, people.customer_id)
    was: dict[str, Any] = {}
    for participant_id in sorted(new_names):
        await uow.session.execute(
            update(Participant)
            .where(Participant.tenant_id == uow.tenant, Participant.id == participant_id)
            .values(name=new_names[participant_id])
        )
        was.setdefault("names", {})[str(participant_id)] = before[participant_id]
    if new_note is not None:
        await _note(uow, people.purchase_id, new_note)
        was["note"] = people.note
    detail = {"changed": sorted(was), "was": was}
    await audit(uow, ctx, "booking.people_changed", "booking", people.booking_id, **detail)
    return True


async def _note(uow: UnitOfWork, purchase_id: UUID, note: str) -> None:
    """With the bookings that complete it, too: what is known of one purchase is known at the door
    of each of its dates.
    """
    of_it = (Booking.id == purchase_id) | (Booking.completes_id == purchase_id)
    ours = select(Booking.id).where(Booking.tenant_id == uow.tenant, of_it)
    found = await uow.session.scalars(ours.order_by(Booking.id).with_for_update(key_share=True))
    await uow.session.execute(
        update(Booking)
        .where(Booking.tenant_id == uow.tenant, Booking.id.in_(found.all()))
        .values(note=note)
    )


def _checked(people: BookingPeople, said: Said) -> tuple[dict[UUID, str], str | None]:
    """Names on one line, since they stand in lists and mails.

    Raises: NotFound, InvalidInput.
    """
    if said.names.keys() - {one.participant_id for one in people.people}:
        raise NotFound(_("There is no such person in this booking."))
    errors: dict[str, str] = {}
    names = {one: on_one_line(name) for one, name in said.names.items()}
    for one, name in names.items():
        if len(name) > LONGEST_NAME:
            errors[f"names.{one}"] = _(
                "Please give a name of at most %(most)s characters.", most=LONGEST_NAME
            )
    note = None if said.note is None else said.note.strip()
    if note is not None and len(note) > LONGEST_NOTE:
        errors["note"] = _("Please write a note of at most %(most)s characters.", most=LONGEST_NOTE)
    if errors:
        raise InvalidInput(_("Please look at the marked fields."), fields=errors)
    return names, note
