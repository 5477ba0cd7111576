"""The credits that places bring when they are left, before it is done and after."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select

from src.billing.domain.credits import EntryKind, LotSource, LotState
from src.billing.models import CreditEntry, CreditLot
from src.billing.queries.uncovered import find_unpaid_seats
from src.booking.commands.lapsed_credits import end_of_grace
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.commands.seat_credits import place_of, plan_credits
from src.booking.domain.kinds import SeatState
from src.booking.domain.leaving import gives_credit, gives_own_credit_back
from src.booking.models import Seat
from src.booking.views.leaving import CreditBack
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

LEFT = (str(SeatState.CANCELLED), str(SeatState.LATE_CANCELLED))


async def find_credits_to_come(
    uow: UnitOfWork, tenant: TenantSnapshot, own: Sequence[OwnSeat]
) -> dict[UUID, CreditBack]:
    """By seat, what leaving all of them now would bring. The credit that paid a place does not come
    back where what was paid for it has.
    """
    now = uow.clock.now()
    facts = [(one, facts_of_leaving(one, tenant)) for one in own]
    places = [
        place_of(one.seat, one.booking, fact.terms.package)
        for one, fact in facts
        if fact.terms.package is not None and gives_credit(fact, now)
    ]
    coming = {
        new.place.seat_id: CreditBack(name=new.place.package.name, ends_at=new.expires_at)
        for new in await plan_credits(uow, tenant, places)
    }
    by_terms = {
        one.seat.id: one.seat.credit_lot_id
        for one, fact in facts
        if one.seat.credit_lot_id is not None and gives_own_credit_back(fact, now)
    }
    unpaid = await find_unpaid_seats(uow, by_terms)
    lots = await _lots(uow, set(by_terms.values()))
    for one, fact in facts:
        if one.seat.id not in by_terms or one.seat.id in unpaid:
            continue
        lot = lots[by_terms[one.seat.id]]
        own_back = _own(lot, now)
        if own_back.has_ended and fact.is_penalty_free:
            own_back = CreditBack(name=lot.name, ends_at=end_of_grace(tenant, now))
        coming[one.seat.id] = own_back
    return coming


async def find_credits_given(uow: UnitOfWork, seat_ids: Collection[UUID]) -> dict[UUID, CreditBack]:
    """By seat, what came back for these, which have ended."""
    given = await uow.session.scalars(
        select(CreditLot).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.source == str(LotSource.SEAT),
            CreditLot.source_seat_id.in_(seat_ids),
        )
    )
    new = {lot.source_seat_id: lot for lot in given if lot.source_seat_id is not None}
    restored = await uow.session.execute(
        select(Seat.id, CreditLot)
        .join(
            CreditLot,
            (CreditLot.tenant_id == Seat.tenant_id) & (CreditLot.id == Seat.credit_lot_id),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.id.in_(seat_ids),
            Seat.id.not_in(new),
            Seat.returned_as == "credit",
        )
    )
    now = uow.clock.now()
    back = {seat_id: _own(lot, now) for seat_id, lot in restored}
    for seat_id, lot in new.items():
        back[seat_id] = CreditBack(name=lot.name, ends_at=lot.expires_at)
    return back


async def list_given_instead(
    uow: UnitOfWork, order_ids: Collection[UUID]
) -> dict[UUID, list[CreditBack]]:
    """By order, the credits that were given for its places which were cancelled. Those that had
    paid for a place and came back themselves are none of them, nor what an exchange went through,
    nor those that were taken off again or went back as money since.
    """
    # What places took and gave back is left out, and what ended, for that was given all the same.
    is_of_gift = or_(
        CreditEntry.kind.in_([str(EntryKind.GRANT), str(EntryKind.ADJUST), str(EntryKind.REFUND)]),
        CreditEntry.refund_id.is_not(None),
    )
    given_still = (
        select(CreditEntry.lot_id)
        .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.lot_id == CreditLot.id, is_of_gift)
        .group_by(CreditEntry.lot_id)
        .having(func.sum(CreditEntry.credits) > 0)
    )
    found = await uow.session.execute(
        select(Seat.order_id, CreditLot.name, CreditLot.expires_at)
        .join(
            CreditLot,
            (CreditLot.tenant_id == Seat.tenant_id) & (CreditLot.source_seat_id == Seat.id),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.order_id.in_(order_ids),
            Seat.state.in_(LEFT),
            CreditLot.state != str(LotState.VOID),
            given_still.exists(),
        )
        .order_by(CreditLot.id)
    )
    given: dict[UUID, list[CreditBack]] = {}
    for order_id, name, ends_at in found:
        given.setdefault(order_id, []).append(CreditBack(name=name, ends_at=ends_at))
    return given


async def count_credits_lost(uow: UnitOfWork, seat_ids: Collection[UUID]) -> int:
    """How many credits paid for those of these that were left, and did not come back in any way."""
    found = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.id.in_(seat_ids),
            Seat.credit_lot_id.is_not(None),
            Seat.state.in_(LEFT),
            Seat.returned_as.is_(None),
        )
    )
    return int(found or 0)


async def _lots(uow: UnitOfWork, lot_ids: Collection[UUID]) -> Mapping[UUID, CreditLot]:
    if not lot_ids:
        return {}
    found = await uow.session.scalars(
        select(CreditLot).where(CreditLot.tenant_id == uow.tenant, CreditLot.id.in_(lot_ids))
    )
    return {lot.id: lot for lot in found}


def _own(lot: CreditLot, now: datetime) -> CreditBack:
    has_ended = lot.expires_at is not None and lot.expires_at < now
    return CreditBack(name=lot.name, ends_at=lot.expires_at, is_own=True, has_ended=has_ended)
