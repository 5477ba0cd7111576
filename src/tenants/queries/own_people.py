"""The people whom a customer keeps, to book for."""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.platform.db.uow import UnitOfWork
from src.tenants.models import Participant


class OwnPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One of them; `note` is for the business."""

    id: UUID
    name: str
    note: str


async def list_own_people(uow: UnitOfWork, customer_id: UUID) -> list[OwnPerson]:
    """By name."""
    found = await uow.session.scalars(
        select(Participant)
        .where(
            Participant.tenant_id == uow.tenant,
            Participant.customer_id == customer_id,
            Participant.kept_at.is_not(None),
        )
        .order_by(func.lower(Participant.name), Participant.id)
    )
    return [OwnPerson(id=one.id, name=one.name, note=one.note) for one in found]


Following = Callable[
    [UnitOfWork, UUID, Sequence[OwnPerson]], Awaitable[Mapping[UUID, Sequence[str]]]
]
_following: list[Following] = []


def register_following(say: Following) -> None:
    """What `say` knows to follow, by person, is told before a customer removes one of theirs."""
    if say not in _following:
        _following.append(say)


async def say_what_follows(
    uow: UnitOfWork, customer_id: UUID, people: Sequence[OwnPerson]
) -> dict[UUID, list[str]]:
    """By person, in sentences; those are left out who are merely offered no more."""
    said: defaultdict[UUID, list[str]] = defaultdict(list)
    for say in _following:
        for person_id, sentences in (await say(uow, customer_id, people)).items():
            said[person_id].extend(sentences)
    return dict(said)
