"""Nobody books themselves twice: what stands against it where it is proved who books."""

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from src.booking.queries.own_places import find_placed, folded
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.tenants.models import Customer


class WhoBooks(Protocol):
    """What a wish says of who books, and for whom. `customer_id` is there where it is proved."""

    @property
    def customer_id(self) -> UUID | None: ...
    @property
    def guest_name(self) -> str: ...
    @property
    def party(self) -> Collection[str]: ...
    @property
    def pays(self) -> object | None: ...
    @property
    def completes(self) -> UUID | None: ...


async def refuse_twice(
    uow: UnitOfWork,
    cmd: WhoBooks,
    session_ids: Collection[UUID],
    *,
    instead_of: UUID | None = None,
) -> None:
    """Of a customer who has proved who they are, and of no one else: a stranger who types their
    address would learn from a refusal what they have booked. Nothing stands against staff, nor
    against what completes a booking; what the order `instead_of` holds does not count. Bookings of
    one customer wait for each other from here on, so that of two forms sent at once the second is
    refused.

    Raises: InvalidInput at `first`, where who comes instead is said, or at `names.<number>`.
    """
    if cmd.customer_id is None or cmd.pays is not None or cmd.completes is not None:
        return
    await uow.session.execute(
        select(Customer.id)
        .where(Customer.tenant_id == uow.tenant, Customer.id == cmd.customer_id)
        .with_for_update(key_share=True)
    )
    placed = await find_placed(uow, cmd.customer_id, session_ids, instead_of=instead_of)
    wrong, own = {}, folded(cmd.guest_name)
    for number, name in enumerate(cmd.party, start=1):
        if folded(name) in placed:
            is_guest = number == 1 and folded(name) == own
            at = "first" if number == 1 else f"names.{number}"
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
