"""Credits that have ended while the place that they paid stood: a new one comes for each.

Only for who is free of all terms, because the business called the date off or moved it.
Source: docs/algorithms/credits.md.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from src.billing.commands.credits import Author
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.commands.sold_credits import judge_coming
from src.billing.domain.credits import LotSource, end_of_day
from src.billing.domain.lot_users import read_users
from src.billing.models import CreditLot
from src.billing.queries.lots import scope_of
from src.booking.commands.credit_returns import fill_lots, return_credits
from src.booking.commands.seat_credits import mark_credited
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

DAYS_OF_GRACE = 30
"""How long a credit lives that takes the place of one that has ended meanwhile."""

_IDS = ARRAY(Uuid())


def end_of_grace(tenant: TenantSnapshot, now: datetime) -> datetime:
    """When a credit ends that is given now for one that has ended."""
    return end_of_day(DAYS_OF_GRACE, now, tenant.zone) or now + timedelta(days=DAYS_OF_GRACE)


class ComingBack(NamedTuple):
    """The credits of seats that have ended, by seat, each with the lot that paid it. Of the
    `lapsed`, by their seats' order, that lot has ended, and who had the seat is free of all terms.
    """

    tenant: TenantSnapshot
    author: Author
    credited: Mapping[UUID, UUID]
    lapsed: Mapping[UUID, Mapping[UUID, UUID]]


async def bring_back(uow: UnitOfWork, coming: ComingBack) -> set[UUID]:
    """Wanted after the sessions: the lots are what others wait for.

    For the lapsed new credits come, with time to use them, unless nothing pays for them any more:
    judged for all places together, as it was for who was told beforehand.
    What those are worth in money stays with the lot that paid. All others go back to their lots.
    Returns the seats that no credit has come back for.
    """
    credited, judged = dict(coming.credited), None
    if coming.lapsed:
        lapsed = {seat: lot for own in coming.lapsed.values() for seat, lot in own.items()}
        judged = await judge_coming(uow, {**credited, **lapsed})
        unpaid = judged.unpaid
        paid = {seat_id: lot_id for seat_id, lot_id in lapsed.items() if seat_id not in unpaid}
        replaced = await _replace(uow, coming.tenant, paid, coming.author)
        for order_id, own in sorted(coming.lapsed.items()):
            rest = {seat_id: lot_id for seat_id, lot_id in own.items() if seat_id not in replaced}
            await return_credits(uow, order_id, rest, coming.author)
            credited |= rest
        await uow.settle()
    return await fill_lots(uow, credited, judged)


async def find_lapsed(uow: UnitOfWork, paid_by: Mapping[UUID, UUID]) -> set[UUID]:
    """Of seats, with the lots that paid them, those whose lot has ended."""
    ended = await _ended(uow, paid_by)
    return {seat_id for seat_id, lot_id in paid_by.items() if lot_id in ended}


async def _replace(
    uow: UnitOfWork, tenant: TenantSnapshot, lapsed: Mapping[UUID, UUID], author: Author
) -> set[UUID]:
    """Returns the seats for which a new credit comes; their lots are locked. None comes where staff
    have extended the lot since it was looked at.
    """
    now, ended = uow.clock.now(), await _ended(uow, lapsed)
    new = {seat_id: ended[lot_id] for seat_id, lot_id in lapsed.items() if lot_id in ended}
    lots = [
        NewLot(
            customer_id=lot.customer_id,
            source=LotSource.SEAT,
            name=lot.name,
            credits=1,
            scope=scope_of(lot),
            currency=lot.currency,
            package_id=lot.package_id,
            order_id=lot.order_id,
            source_seat_id=seat_id,
            stands_for_id=lot.id,
            users=read_users(lot.users),
            expires_at=end_of_grace(tenant, now),
        )
        for seat_id, lot in new.items()
    ]
    if lots:
        insert_lots(uow, lots, author, now)
        await mark_credited(uow, list(new))
    return set(new)


async def _ended(uow: UnitOfWork, paid_by: Mapping[UUID, UUID]) -> dict[UUID, CreditLot]:
    """Of the lots, those that have ended, by id."""
    if not paid_by:
        return {}
    found = await uow.session.scalars(
        select(CreditLot).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.id == any_(bindparam(None, list(set(paid_by.values())), type_=_IDS)),
            CreditLot.expires_at < uow.clock.now(),
        ),
        execution_options={"populate_existing": True},
    )
    return {lot.id: lot for lot in found}
