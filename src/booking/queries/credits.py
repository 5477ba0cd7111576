"""One lot of credits with its history, and the use of credits as a file tells of it."""

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Select, select

from src.billing.commands.credit_acts import is_of_nobody
from src.billing.credit_words import entry_words, source_words
from src.billing.domain.credit_acts import may_change
from src.billing.domain.credits import (
    EntryKind,
    LotFacts,
    LotState,
    RefundRule,
    each_kind_once,
    lot_state,
)
from src.billing.domain.lot_users import read_users
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.queries.credit_lists import LotFilter, find_lots, lot_rows
from src.billing.queries.credit_worth import get_worth
from src.billing.queries.disputes import get_taken_back_minor, is_with_the_bank
from src.billing.queries.end_changes import list_end_changes
from src.billing.queries.lots import has_ended, list_lots, lot_facts, no_such_credits, scope_of
from src.billing.queries.never_paid import get_never_came_minor
from src.billing.queries.part_sums import get_left_minor
from src.billing.queries.refund_failures import get_waiting_for_credits_minor
from src.billing.queries.refunded_credits import list_refunded_minor
from src.billing.queries.transfers import is_transfer_awaited
from src.billing.views.credits import EndChange
from src.booking.models import Booking, Seat, Series, Service, Session
from src.booking.queries.exchanged_seats import find_new_starts
from src.booking.queries.lot_users import find_names, users_in_words
from src.booking.queries.packages import list_singles, scope_in_words
from src.booking.views.credits import EntryRow, LotView, UsedEntry
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.models import Customer, Participant


async def get_lot(uow: UnitOfWork, lot_id: UUID) -> CreditLot:
    """Raises: NotFound."""
    lot = await uow.session.get(CreditLot, (uow.tenant, lot_id))
    if lot is None:
        raise no_such_credits()
    return lot


async def list_usable(
    uow: UnitOfWork, customer_id: UUID, starts_at: datetime | None
) -> list[LotFacts]:
    """The customer's lots that something is left of and that are not over; those that pay together
    for what starts then as one.
    """
    now, lots = uow.clock.now(), [lot_facts(lot) for lot in await list_lots(uow, customer_id)]
    usable = [lot for lot in lots if lot_state(lot, now) is LotState.ACTIVE]
    return each_kind_once(usable, starts_at)


async def get_lot_view(uow: UnitOfWork, lot_id: UUID) -> LotView:
    """Raises: NotFound."""
    lot, now = await get_lot(uow, lot_id), uow.clock.now()
    found = await find_lots(uow, LotFilter(state="any", lot_id=lot_id))
    [row] = await lot_rows(uow, found, now)
    state, worth = lot_state(lot_facts(lot), now), await get_worth(uow, lot)
    of_nobody = await is_of_nobody(uow, lot)
    rolled, order = await _rolled_over(uow, lot_id), await _order(uow, lot.order_id)
    taken_back_minor = await get_taken_back_minor(uow, order.id) if order is not None else 0
    with_the_bank = order is not None and await is_with_the_bank(uow, order.id)
    return LotView(
        row=row,
        source=source_words(lot.source),
        good_for=await _good_for(uow, lot),
        users=users_in_words(
            read_users(lot.users), await find_names(uow, lot.customer_id), by_staff=True
        ),
        is_claw_back=lot.refund_rule == RefundRule.CLAW_BACK,
        bought=lot.bought,
        paid_minor=lot.paid_minor,
        value_minor=lot.value_minor,
        refunded_minor=lot.refunded_minor,
        currency=lot.currency,
        package_id=lot.package_id,
        reference="" if order is None else order.reference,
        rolled_from_id=lot.rolled_from_id,
        rolled_to_id=None if rolled is None else rolled.lot_id,
        validity_days=lot.validity_days,
        worth_minor=worth.amount_minor if state is LotState.ACTIVE else 0,
        by_hand_minor=worth.by_hand_minor,
        to_voucher_minor=worth.to_voucher_minor,
        is_of_nobody=of_nobody,
        may_change=not of_nobody and may_change(state),
        is_over=state is LotState.EXPIRED,
        has_ended=has_ended(uow, lot),
        is_worth_money=state is LotState.ACTIVE and bool(lot.paid_minor or lot.value_minor),
        kept=lot.balance + lot.forfeited,
        is_refunded=state is LotState.REFUNDED,
        is_pending=state is LotState.PENDING,
        is_void=state is LotState.VOID,
        awaits_transfer=order is not None and is_transfer_awaited(order),
        taken_back_minor=taken_back_minor,
        is_disputed=with_the_bank and not taken_back_minor,
        may_roll_over=not of_nobody and state is LotState.EXPIRED and rolled is None,
        in_parts_minor=await get_left_minor(uow, lot.order_id),
        never_came_minor=await _never_came_minor(uow, lot, order),
        failed_minor=await get_waiting_for_credits_minor(uow, lot.id),
        entries=await _entries(uow, lot, rolled),
    )


async def _never_came_minor(uow: UnitOfWork, lot: CreditLot, order: Order | None) -> int:
    if order is None or not lot.paid_minor:
        return 0
    return min(await get_never_came_minor(uow, order), lot.paid_minor)


async def _good_for(uow: UnitOfWork, lot: CreditLot) -> str:
    names = {one.id: one.name for one in await list_singles(uow)}
    return scope_in_words(scope_of(lot), names)


async def _order(uow: UnitOfWork, order_id: UUID | None) -> Order | None:
    return None if order_id is None else await uow.session.get_one(Order, (uow.tenant, order_id))


async def _rolled_over(uow: UnitOfWork, lot_id: UUID) -> CreditEntry | None:
    """How the new lot began that the rest of this one is in; None where it was not rolled over."""
    found: CreditEntry | None = await uow.session.scalar(
        select(CreditEntry)
        .join(
            CreditLot,
            (CreditLot.tenant_id == CreditEntry.tenant_id) & (CreditLot.id == CreditEntry.lot_id),
        )
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.rolled_from_id == lot_id,
            CreditEntry.kind == str(EntryKind.GRANT),
        )
    )
    return found


async def _entries(uow: UnitOfWork, lot: CreditLot, rolled: CreditEntry | None) -> list[EntryRow]:
    """The newest first, each with the balance after it, and among them when the end was moved, and
    that what was lost at it was rolled over: that was in the ledger no more.
    """
    statement = _with_seats(uow, CreditEntry.lot_id == lot.id)
    found = await uow.session.execute(statement.order_by(CreditEntry.at, CreditEntry.id))
    entries = found.all()
    new_starts = await find_new_starts(uow, [one.CreditEntry.seat_id for one in entries])
    acts = [_end_row(change) for change in (await list_end_changes(uow, [lot.id]))[lot.id]]
    minor = await list_refunded_minor(uow, lot, [one.CreditEntry for one in entries])
    in_ledger = {(one.CreditEntry.kind, one.CreditEntry.by) for one in entries}
    if rolled is not None and (EntryKind.EXPIRE, "staff") not in in_ledger:
        acts.append(_act_row(rolled.at, _("Rolled over"), _by(rolled), rolled.reason))
    others = deque(sorted(acts, key=lambda act: act.at))
    rows: list[EntryRow] = []
    left = 0
    for one in entries:
        while others and others[0].at <= one.CreditEntry.at:
            rows.append(replace(others.popleft(), left=left))
        left += one.CreditEntry.credits
        row = _entry_row(one, left, new_starts)
        rows.append(replace(row, amount_minor=minor.get(one.CreditEntry.id, 0)))
    rows.extend(replace(act, left=left) for act in others)
    return rows[::-1]


def _end_row(change: EndChange) -> EntryRow:
    row = _act_row(change.at, _("End changed"), change.by or _("Staff"), change.reason)
    return replace(row, end=change)


def _act_row(at: datetime, words: str, by: str, reason: str) -> EntryRow:
    """An act that changed no number; how many are left then is not known yet."""
    return EntryRow(
        at=at,
        words=words,
        credits=0,
        left=0,
        what="",
        starts_at=None,
        exchanged_for=None,
        session_id=None,
        booking_id=None,
        who="",
        order_id=None,
        reference="",
        by=by,
        reason=reason,
    )


def _entry_row(found: Any, left: int, new_starts: Mapping[UUID, datetime]) -> EntryRow:
    entry: CreditEntry = found.CreditEntry
    return EntryRow(
        at=entry.at,
        words=_words(entry),
        credits=entry.credits,
        left=left,
        what=_what(found),
        starts_at=found.starts_at,
        exchanged_for=new_starts.get(found.CreditEntry.seat_id),
        session_id=found.session_id,
        booking_id=found.booking_id,
        who=found.participant or "",
        order_id=entry.order_id,
        reference=found.reference or "",
        by=_by(entry),
        reason=entry.reason,
    )


def _words(entry: CreditEntry) -> str:
    return entry_words(
        entry.kind,
        entry.credits,
        of_seat=entry.seat_id is not None,
        of_refund=entry.refund_id is not None,
        by=entry.by,
    )


def _what(found: Any) -> str:
    return " · ".join(filter(None, (found.service, found.series)))


def _by(entry: CreditEntry) -> str:
    if entry.by == "staff":
        return entry.actor_name or _("Staff")
    return _("Guest") if entry.by == "guest" else ""


def _with_seats(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> Select[Any]:
    """Entries with the date and the person that a credit was used for, and their orders."""

    def of(table: Any, key: Any) -> Any:
        return (table.tenant_id == CreditEntry.tenant_id) & (table.id == key)

    return (
        select(CreditEntry, Session.starts_at, Session.id.label("session_id"))
        .add_columns(Seat.booking_id, Participant.name.label("participant"), Order.reference)
        .add_columns(Service.name.label("service"), Series.title.label("series"))
        .outerjoin(Seat, of(Seat, CreditEntry.seat_id))
        .outerjoin(Session, of(Session, Seat.session_id))
        .outerjoin(Service, of(Service, Session.service_id))
        .outerjoin(Booking, of(Booking, Seat.booking_id))
        .outerjoin(Series, of(Series, Session.series_id))
        .outerjoin(Participant, of(Participant, Seat.participant_id))
        .outerjoin(Order, of(Order, CreditEntry.order_id))
        .where(CreditEntry.tenant_id == uow.tenant, *conditions)
    )


async def list_used(uow: UnitOfWork, *, most: int) -> Sequence[UsedEntry]:
    """What was used and given back, of every customer, the newest first."""
    statement = (
        _with_seats(uow, CreditEntry.seat_id.is_not(None))
        .add_columns(CreditLot.name.label("package"), Customer.name.label("customer"))
        .add_columns(Customer.email)
        .join(
            CreditLot,
            (CreditLot.tenant_id == CreditEntry.tenant_id) & (CreditLot.id == CreditEntry.lot_id),
        )
        .join(
            Customer,
            (Customer.tenant_id == CreditLot.tenant_id) & (Customer.id == CreditLot.customer_id),
        )
        .order_by(CreditEntry.at.desc(), CreditEntry.id.desc())
        .limit(most)
    )
    found = await uow.session.execute(statement)
    return [_used(one) for one in found]


def _used(found: Any) -> UsedEntry:
    entry: CreditEntry = found.CreditEntry
    return UsedEntry(
        at=entry.at,
        customer=found.customer,
        email=found.email or "",
        package=found.package,
        words=_words(entry),
        credits=entry.credits,
        what=_what(found),
        starts_at=found.starts_at,
        reference=found.reference or "",
        by=_by(entry),
        reason=entry.reason,
    )
