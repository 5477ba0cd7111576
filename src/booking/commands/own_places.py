"""Nobody books themselves twice: what stands against it where it is proved who books."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from src.booking.queries.own_places import find_placed, folded
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.models import Customer


async def refuse_twice(
    uow: UnitOfWork,
    customer_id: UUID,
    guest_name: str,
    party: Collection[str],
    session_ids: Collection[UUID],
) -> None:
    """Of a customer who has proved who they are, and of no one else: a stranger who types their
    address would learn from a refusal what they have booked. Bookings of one customer wait for each
    other from here on, so that of two forms sent at once the second is refused.

    Raises: InvalidInput at `name`, `first` or `names.<number>`.
    """
    await uow.session.execute(
        select(Customer.id)
        .where(Customer.tenant_id == uow.tenant, Customer.id == customer_id)
        .with_for_update(key_share=True)
    )
    placed = await find_placed(uow, customer_id, session_ids)
    wrong = {}
    for number, name in enumerate(party, start=1):
        if folded(name) in placed:
            is_guest = number == 1 and folded(name) == folded(guest_name)
            at = "name" if is_guest else "first" if number == 1 else f"names.{number}"
            wrong[at] = has_place() if is_guest else _has_place_too(name)
    if wrong:
        raise InvalidInput(next(iter(wrong.values())), fields=wrong)


def has_place() -> str:
    return _(
        "You have a place here already, by another booking. To book for somebody else, say who"
        " comes."
    )


def _has_place_too(name: str) -> str:
    return _(
        "%(name)s has a place here already, by another booking of yours. If it is somebody else,"
        " please write the name so that they can be told apart.",
        name=name,
    )
