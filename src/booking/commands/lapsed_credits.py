"""Credits that have ended while the place that they paid stood: a new one comes for each.

Only for who is free of all terms, because the business called the date off or moved it.
Source: docs/algorithms/credits.md.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, select

from src.billing.commands.credits import Author, scope_of
from src.billing.commands.new_lots import NewLot, insert_lots
from src.billing.domain.credits import LotSource, end_of_day
from src.billing.domain.lot_users import read_users
from src.billing.models import CreditLot
from src.billing.queries.uncovered import find_unpaid_seats
from src.booking.commands.seat_credits import mark_credited
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

DAYS_OF_GRACE = 30
"""How long a credit lives that takes the place of one that has ended meanwhile."""

_IDS = ARRAY(Uuid())


def end_of_grace(tenant: TenantSnapshot, now: datetime) -> datetime:
    """When a credit ends that is given now for one that has ended."""
    return end_of_day(DAYS_OF_GRACE, now, tenant.zone) or now + timedelta(days=DAYS_OF_GRACE)


async def replace_lapsed(
    uow: UnitOfWork, tenant: TenantSnapshot, paid_by: Mapping[UUID, UUID], author: Author
) -> set[UUID]:
    """Of seats that have ended, with the lots that paid them: those whose lot has ended too get a
    new credit, with time to use it, unless nothing pays for the lot's any more. What it is worth in
    money stays with the lot that paid.

    Returns these seats; nothing goes back to their lots.
    """
    lapsed = await _lapsed(uow, paid_by)
    ended = {seat_id: lot_id for seat_id, lot_id in paid_by.items() if lot_id in lapsed}
    now, unpaid = uow.clock.now(), await find_unpaid_seats(uow, ended)
    new = {seat_id: lapsed[lot_id] for seat_id, lot_id in ended.items() if seat_id not in unpaid}
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
            users=read_users(lot.users),
            expires_at=end_of_grace(tenant, now),
        )
        for seat_id, lot in new.items()
    ]
    if lots:
        insert_lots(uow, lots, author, now)
        await mark_credited(uow, list(new))
    return set(new)


async def _lapsed(uow: UnitOfWork, paid_by: Mapping[UUID, UUID]) -> dict[UUID, CreditLot]:
    """Of the lots, those that have ended, by id."""
    if not paid_by:
        return {}
    found = await uow.session.scalars(
        select(CreditLot).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.id == any_(bindparam(None, list(set(paid_by.values())), type_=_IDS)),
            CreditLot.expires_at < uow.clock.now(),
        )
    )
    return {lot.id: lot for lot in found}
