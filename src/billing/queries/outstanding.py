"""The credits that customers can still use, and what of what was paid for them is in those."""

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, Select, cast, exists, func, or_, select, text

from src.billing.domain.credit_acts import worth_minor
from src.billing.domain.credits import LotState, RefundRule, end_of_day, refundable_minor
from src.billing.domain.paid_credits import Line
from src.billing.models import CreditEntry, CreditLot
from src.billing.models.credits import BESIDE_SEATS
from src.billing.queries.credit_worth import unused_of
from src.billing.queries.paid_credits import list_written
from src.platform.db.uow import UnitOfWork

SOON_DAYS = 30


def soon_until(now: datetime, zone: ZoneInfo) -> datetime:
    """Credits end with a day by the business's clock, so that what is bought today for 30 days ends
    within 30 days.
    """
    until = end_of_day(SOON_DAYS, now, zone)
    assert until is not None
    return until


async def get_outstanding(uow: UnitOfWork, now: datetime, zone: ZoneInfo) -> tuple[int, int, int]:
    """Credits that can be used, what was paid for them, and those that end soon.

    Asked of all lots with credits left, and counted by their end, so that an index alone answers;
    then mended by the few of which staff, or a refund, has changed the number.
    """
    is_usable = or_(CreditLot.expires_at.is_(None), CreditLot.expires_at >= now)
    ends_soon = CreditLot.expires_at.between(now, soon_until(now, zone))
    found = await uow.session.execute(
        _of_lots(
            uow,
            func.coalesce(func.sum(CreditLot.balance).filter(is_usable), 0),
            func.coalesce(func.sum(_as_bought()).filter(is_usable), 0),
            func.coalesce(func.sum(CreditLot.balance).filter(ends_soon), 0),
        )
    )
    left, minor, expiring = found.one()
    return int(left), int(minor) + await _mended_minor(uow, is_usable), int(expiring)


def _of_lots(uow: UnitOfWork, *what: Any) -> Select[Any]:
    return select(*what).where(
        CreditLot.tenant_id == uow.tenant,
        CreditLot.state == str(LotState.ACTIVE),
        CreditLot.balance > 0,
    )


def _as_bought() -> ColumnElement[int]:
    """What is left of a lot as if all that is in it was bought, rounded half up."""
    # Of whole numbers, and typed so: otherwise each is divided as a fraction and rounded down.
    left = func.least(CreditLot.balance, CreditLot.bought, type_=BigInteger)
    bought = cast(CreditLot.bought, BigInteger)
    parts = func.nullif(2 * bought, 0, type_=BigInteger)
    share = (2 * cast(CreditLot.paid_minor, BigInteger) * left + bought) // parts
    return func.coalesce(share, 0) + CreditLot.value_minor


async def _mended_minor(uow: UnitOfWork, is_usable: ColumnElement[bool]) -> int:
    """What the sum changes by when added and refunded credits are told from the paid ones, lot by
    lot as their own pages do.
    """
    has_money = CreditLot.paid_minor + CreditLot.value_minor > 0
    found = await uow.session.scalars(
        _of_lots(uow, CreditLot).where(is_usable, has_money, is_changed())
    )
    lots = found.all()
    lines: dict[UUID, list[Line]] = defaultdict(list)
    for written in await list_written(uow, [lot.id for lot in lots]) if lots else []:
        lines[written.lot_id].append(written.line)
    return sum(_paid_minor(lot, lines[lot.id]) - _as_bought_minor(lot) for lot in lots)


def is_changed() -> ColumnElement[bool]:
    """Whether a lot may hold others than those that it began with. The kinds are literal text, as
    in the index of such entries: a plan that is kept for all parameters finds it by nothing else.
    """
    return exists().where(
        CreditEntry.tenant_id == CreditLot.tenant_id,
        CreditEntry.lot_id == CreditLot.id,
        text(BESIDE_SEATS),
    )


def _as_bought_minor(lot: CreditLot) -> int:
    """`_as_bought` of one lot."""
    share_minor = refundable_minor(
        RefundRule.LINEAR,
        paid_minor=lot.paid_minor,
        bought=lot.bought,
        unused=min(lot.balance, lot.bought),
        single_minor=0,
    )
    return share_minor + lot.value_minor


def _paid_minor(lot: CreditLot, lines: list[Line]) -> int:
    """What was paid for those that are left, whatever a refund would take off for the used ones."""
    return worth_minor(replace(unused_of(lot, lot.balance, lines), rule=RefundRule.LINEAR))
