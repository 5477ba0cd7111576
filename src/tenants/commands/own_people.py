"""A customer keeps the people they book for: their children, their friends."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.customers import keep_customer
from src.tenants.domain.naming import on_one_line
from src.tenants.models import Participant

LONGEST_NAME = 120
LONGEST_NOTE = 300
MOST_PEOPLE = 30


ForgetPerson = Callable[[UnitOfWork, UUID, UUID], Awaitable[None]]
_forgetting: list[ForgetPerson] = []


def register_forgetting(forget: ForgetPerson) -> None:
    """What else has to forget somebody whom a customer, the first id, does not keep any more."""
    if forget not in _forgetting:
        _forgetting.append(forget)


async def keep_person(uow: UnitOfWork, customer_id: UUID, name: str, note: str) -> None:
    """From now on one of theirs. Raises: InvalidInput at `name` or `note`; NotFound."""
    customer_id = await keep_customer(uow, customer_id)
    name, note = await _checked(uow, customer_id, name, note)
    count = await uow.session.scalar(
        select(func.count()).select_from(Participant).where(*_kept(uow, customer_id))
    )
    if (count or 0) >= MOST_PEOPLE:
        said = _("At most %(most)s people are kept.", most=MOST_PEOPLE)
        raise InvalidInput(said, fields={"name": said})
    uow.session.add(
        Participant(
            tenant_id=uow.tenant,
            id=new_id(),
            customer_id=customer_id,
            name=name,
            note=note,
            kept_at=uow.clock.now(),
        )
    )


async def change_person(
    uow: UnitOfWork, customer_id: UUID, person_id: UUID, name: str, note: str
) -> None:
    """In every booking that they are in. Raises: InvalidInput at `name` or `note`; NotFound."""
    customer_id = await keep_customer(uow, customer_id)
    person = await _person(uow, customer_id, person_id)
    person.name, person.note = await _checked(uow, customer_id, name, note, but=person_id)


async def remove_person(uow: UnitOfWork, customer_id: UUID, person_id: UUID) -> None:
    """They are not offered any more; the bookings that they are in keep their name.

    Raises: NotFound.
    """
    customer_id = await keep_customer(uow, customer_id)
    person = await _person(uow, customer_id, person_id)
    person.kept_at, person.note = None, ""
    for forget in _forgetting:
        await forget(uow, customer_id, person_id)


async def _person(uow: UnitOfWork, customer_id: UUID, person_id: UUID) -> Participant:
    person = await uow.session.scalar(
        select(Participant)
        .where(*_kept(uow, customer_id), Participant.id == person_id)
        .with_for_update(key_share=True)
    )
    if person is None:
        raise NotFound(_("There is no such person among yours."))
    return person


async def _checked(
    uow: UnitOfWork, customer_id: UUID, name: str, note: str, but: UUID | None = None
) -> tuple[str, str]:
    """Each name is one person's, since a name on a booking form stands for who has it.

    Raises: InvalidInput.
    """
    name, note = on_one_line(name), " ".join(note.split())
    errors: dict[str, str] = {}
    if not 0 < len(name) <= LONGEST_NAME:
        errors["name"] = _("Please give a name of at most %(most)s characters.", most=LONGEST_NAME)
    if len(note) > LONGEST_NOTE:
        errors["note"] = _("Please write a note of at most %(most)s characters.", most=LONGEST_NOTE)
    same = select(Participant.id).where(
        *_kept(uow, customer_id), func.lower(Participant.name) == name.lower()
    )
    found = await uow.session.scalar(same.where(Participant.id != but) if but else same)
    if found is not None and "name" not in errors:
        errors["name"] = _("You have somebody of this name already.")
    if errors:
        raise InvalidInput(_("Please look at the marked fields."), fields=errors)
    return name, note


def _kept(uow: UnitOfWork, customer_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        Participant.tenant_id == uow.tenant,
        Participant.customer_id == customer_id,
        Participant.kept_at.is_not(None),
    )
