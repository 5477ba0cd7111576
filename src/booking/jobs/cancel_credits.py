"""Credits for seats that are being freed, given in the transaction that frees them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select

from src.billing.commands.credits import Author
from src.booking.commands.credit_returns import return_credits
from src.booking.commands.lapsed_credits import ComingBack, find_lapsed
from src.booking.commands.seat_credits import (
    Place,
    insert_seat_credits,
    mark_credited,
    place_of,
    plan_credits,
)
from src.booking.domain.leaving import terms_from
from src.booking.domain.refund_policy import GivenBack
from src.booking.jobs.cancel_money import Taken
from src.booking.models import Booking, Cancellation, CancellationReturn, Seat
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.queries.tenants import tenant_snapshot

_IDS = ARRAY(Uuid())


async def give_credits(
    uow: UnitOfWork, cancellation: Cancellation, seats: Sequence[Taken]
) -> ComingBack:
    """The credits that paid these seats go back, whatever was chosen for those who paid money; and
    a new one is given for each of those for which that was chosen.

    Orders and seats are locked, and what goes back as money is asked for. Returns what is
    to be done with the lots, for `bring_back` once the sessions are done.
    """
    tenant = await tenant_snapshot(uow, uow.tenant, uow.clock.now())
    author = Author("staff", cancellation.requested_by, reason=cancellation.reason)
    await _give_chosen(uow, tenant, cancellation, seats, author)
    paid_by = {seat.id: seat.credit_lot_id for seat in seats if seat.credit_lot_id is not None}
    with_ended = await find_lapsed(uow, paid_by)
    by_order: dict[UUID, dict[UUID, UUID]] = defaultdict(dict)
    lapsed: dict[UUID, dict[UUID, UUID]] = defaultdict(dict)
    for seat in seats:
        if seat.credit_lot_id is not None:
            of = lapsed if seat.id in with_ended else by_order
            of[seat.order_id][seat.id] = seat.credit_lot_id
    for order_id, credited in sorted(by_order.items()):
        await return_credits(uow, order_id, credited, author)
    credited = {seat_id: lot_id for own in by_order.values() for seat_id, lot_id in own.items()}
    return ComingBack(tenant, author, credited, lapsed)


async def _give_chosen(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    cancellation: Cancellation,
    seats: Sequence[Taken],
    author: Author,
) -> None:
    places = await _places(uow, cancellation, seats)
    planned = await plan_credits(uow, tenant, places)
    given = insert_seat_credits(uow, planned, tenant.currency, author)
    await mark_credited(uow, list(given))


async def _places(
    uow: UnitOfWork, cancellation: Cancellation, seats: Sequence[Taken]
) -> list[Place]:
    """Those of the seats that a credit was chosen for, each of the package that was chosen with it,
    or of the one that it was sold with.
    """
    orders = list({seat.order_id for seat in seats})
    chosen = await uow.session.execute(
        select(func.unnest(CancellationReturn.credited_ids), CancellationReturn.package).where(
            CancellationReturn.tenant_id == uow.tenant,
            CancellationReturn.cancellation_id == cancellation.id,
            CancellationReturn.order_id == any_(bindparam(None, orders, type_=_IDS)),
        )
    )
    freed = {seat.id for seat in seats}
    packages = {row[0]: row[1] for row in chosen if row[0] in freed}
    if not packages:
        return []
    found = await uow.session.execute(
        select(Seat, Booking)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.id == any_(bindparam(None, list(packages), type_=_IDS)),
            Seat.returned_as.is_(None),
        )
        .order_by(Seat.id)
        .execution_options(populate_existing=True)
    )
    return [
        place_of(seat, booking, package)
        for seat, booking in found
        if (package := _package(packages[seat.id], booking)) is not None
    ]


def _package(kept: Mapping[str, object], booking: Booking) -> GivenBack | None:
    if not kept:
        return terms_from(booking.leaving).package
    return msgspec.convert(kept, GivenBack)
