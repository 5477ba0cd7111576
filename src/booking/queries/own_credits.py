"""A customer's own credits with their whole history: for themselves, once they have signed in."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import aliased

from src.billing.domain.credits import (
    EntryKind,
    Left,
    LotSource,
    LotState,
    is_taken_off,
    lot_state,
)
from src.billing.domain.kinds import PaymentMode
from src.billing.domain.lot_users import read_users
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.queries.credit_lists import list_granted
from src.billing.queries.end_changes import list_end_changes
from src.billing.queries.left_together import list_left
from src.billing.queries.lots import list_lots, lot_facts, scope_of
from src.billing.queries.package_terms import has_packages_on_sale
from src.billing.views.credits import EndChange
from src.booking.guest_links import booking_path, package_path
from src.booking.models import Seat, Service, Session
from src.booking.money_words import credit_line
from src.booking.queries.exchanged_seats import find_new_starts
from src.booking.queries.guest_packages import SoldSingly, list_sold_singly, works_for
from src.booking.queries.lot_users import find_names, users_in_words
from src.booking.views.guest_packages import OwnCredits, OwnLots, Use
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.portal_sections import Portal

CURRENT = (LotState.ACTIVE, LotState.PENDING)


async def get_own_lots(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, customer_id: UUID
) -> OwnLots:
    """Every lot of the customer but those that were never paid: what can be used in the order in
    which it ends, then what waits for its money, and what is over, the newest first.
    """
    lots = [lot for lot in await list_lots(uow, customer_id) if lot.state != LotState.VOID]
    services = await list_sold_singly(uow)
    entries = await _entries(uow, [lot.id for lot in lots])
    moved = await list_end_changes(uow, [lot.id for lot in lots])
    used = [row.CreditEntry.seat_id for rows in entries.values() for row in rows]
    new_starts = await find_new_starts(uow, used)
    pages = await _pages(uow, tenant, settings, lots)
    granted = await list_granted(uow, [lot.id for lot in lots])
    names = await find_names(uow, customer_id) if lots else {}
    rolled = {lot.rolled_from_id for lot in lots}
    shown = [
        msgspec.structs.replace(
            _own(uow, tenant, lot, entries[lot.id], services, pages, lot.id in rolled),
            given=granted.get(lot.id, lot.bought),
            users=users_in_words(read_users(lot.users), names),
            uses=_uses(entries[lot.id], new_starts, moved[lot.id]),
        )
        for lot in reversed(lots)
    ]
    return OwnLots(
        current=sorted((one for one in shown if one.state in CURRENT), key=_when_it_ends),
        past=[one for one in shown if one.state not in CURRENT],
        zone=tenant.zone,
        packages_href=f"/b/{tenant.slug}/packages",
        sells_packages=await has_packages_on_sale(uow, tenant),
    )


def _when_it_ends(lot: OwnCredits) -> tuple[bool, bool, datetime]:
    """What never ends comes last of what can be used."""
    never = datetime.max.replace(tzinfo=UTC)
    return lot.state == LotState.PENDING, lot.expires_at is None, lot.expires_at or never


async def find_own_credits(uow: UnitOfWork, portal: Portal) -> OwnLots | None:
    """For the guest's own pages: nothing where they have never had any credits."""
    own = await get_own_lots(uow, portal.tenant, portal.settings, portal.guest.customer_id)
    return own if own.current or own.past else None


def _own(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    lot: CreditLot,
    entries: Sequence[Row[Any]],
    services: Sequence[SoldSingly],
    pages: Mapping[UUID, str],
    is_rolled_over: bool,
) -> OwnCredits:
    ledger: list[CreditEntry] = [row.CreditEntry for row in entries]
    used = -sum(entry.credits for entry in ledger if entry.seat_id is not None)
    state = lot_state(lot_facts(lot), uow.clock.now())
    return OwnCredits(
        id=lot.id,
        name=lot.name,
        left=lot.balance,
        given=lot.bought,
        state=str(state),
        expires_at=lot.expires_at,
        works_for=works_for(scope_of(lot), services, tenant.slug),
        uses=[],
        href=pages.get(lot.id, ""),
        is_for_place=lot.source == LotSource.SEAT,
        users="",
        users_href=f"/b/{tenant.slug}/me/credits/{lot.id}/people",
        is_taken_off=is_taken_off(state, used=used, is_rolled_over=is_rolled_over),
    )


async def _entries(uow: UnitOfWork, lot_ids: Sequence[UUID]) -> defaultdict[UUID, list[Row[Any]]]:
    found = await uow.session.execute(
        select(CreditEntry, Session.starts_at, Service.name.label("service"))
        .outerjoin(
            Seat, (Seat.tenant_id == CreditEntry.tenant_id) & (Seat.id == CreditEntry.seat_id)
        )
        .outerjoin(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .outerjoin(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.lot_id.in_(lot_ids))
        .order_by(CreditEntry.at.desc(), CreditEntry.id.desc())
    )
    by_lot: defaultdict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in found:
        by_lot[row.CreditEntry.lot_id].append(row)
    return by_lot


async def _pages(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, lots: Sequence[CreditLot]
) -> dict[UUID, str]:
    """By lot, the page of what was bought, or of the booking for whose place a credit was given:
    that is the seat's, for one that came instead of one that had ended is of the latter's purchase.
    """
    places = [lot.source_seat_id for lot in lots if lot.source_seat_id is not None]
    seats = await uow.session.execute(
        select(Seat.id, Seat.order_id).where(Seat.tenant_id == uow.tenant, Seat.id.in_(places))
    )
    booked = {row.id: row.order_id for row in seats}
    leads_to = {
        lot.id: (booked.get(lot.source_seat_id), booking_path)
        if lot.source_seat_id is not None
        else (lot.order_id, package_path)
        for lot in lots
    }
    ordered = {order_id for order_id, _path in leads_to.values() if order_id is not None}
    found = await uow.session.scalars(
        select(Order).where(Order.tenant_id == uow.tenant, Order.id.in_(ordered))
    )
    orders = {order.id: order for order in found}
    return {
        lot_id: path(settings, tenant.slug, orders[order_id])
        for lot_id, (order_id, path) in leads_to.items()
        if order_id in orders
    }


def _uses(
    entries: Sequence[Row[Any]],
    new_starts: Mapping[UUID, datetime],
    moved: Sequence[EndChange],
) -> list[Use]:
    """The newest first; what came back with a later end comes after that it was moved."""
    ends = [_end(change) for change in reversed(moved)]
    uses = [_use(row, new_starts) for row in entries]
    return sorted([*uses, *ends], key=lambda use: use.at, reverse=True)


def _end(change: EndChange) -> Use:
    return Use(
        at=change.at,
        what=_("End changed"),
        credits=0,
        name="",
        starts_at=None,
        exchanged_for=None,
        reason=change.reason,
        end=change,
    )


def _use(row: Row[Any], new_starts: Mapping[UUID, datetime]) -> Use:
    entry = row.CreditEntry
    return Use(
        at=entry.at,
        what=_what(EntryKind(entry.kind), entry.credits),
        credits=entry.credits,
        name=row.service or "",
        starts_at=row.starts_at,
        exchanged_for=new_starts.get(entry.seat_id),
        reason=entry.reason,
    )


def _what(kind: EntryKind, number: int) -> str:
    match kind:
        case EntryKind.GRANT:
            return _("Received")
        case EntryKind.REDEEM:
            return _("Used")
        case EntryKind.RESTORE:
            return _("Given back")
        case EntryKind.EXPIRE:
            return _("Expired")
        case EntryKind.REFUND:
            return _("Paid back in money")
        case EntryKind.ADJUST:
            return _("Added by us") if number > 0 else _("Taken off by us")


async def get_credits_line(uow: UnitOfWork, order: Order) -> str:
    """Which credits paid for the order's places, and which of them came back, in words; empty for
    one that none paid for. A place that was exchanged took its credit along.
    """
    if order.payment_mode != PaymentMode.CREDIT:
        return ""
    later = aliased(Seat)
    took_it_along = exists().where(
        later.tenant_id == Seat.tenant_id,
        later.replaces_id == Seat.id,
        later.order_id == Seat.order_id,
    )
    came_back = exists().where(
        CreditEntry.tenant_id == Seat.tenant_id,
        CreditEntry.seat_id == Seat.id,
        CreditEntry.lot_id == Seat.credit_lot_id,
        CreditEntry.kind == str(EntryKind.RESTORE),
        Seat.returned_as == "credit",
    )
    found = await uow.session.execute(
        select(CreditLot.id, CreditLot.name, func.count(), func.count().filter(came_back))
        .join(Seat, (Seat.tenant_id == CreditLot.tenant_id) & (Seat.credit_lot_id == CreditLot.id))
        .where(Seat.tenant_id == uow.tenant, Seat.order_id == order.id, ~took_it_along)
        .group_by(CreditLot.id, CreditLot.name)
        .order_by(CreditLot.id)
    )
    spent = {lot_id: (name, used, back) for lot_id, name, used, back in found}
    left = await list_left(uow, spent)
    by_kind: defaultdict[Left, list[tuple[str, int, int]]] = defaultdict(list)
    for lot_id, one in spent.items():
        by_kind[left[lot_id]].append(one)
    return ", ".join(
        credit_line(
            lots[0][0], sum(one[1] for one in lots), kind.credits, sum(one[2] for one in lots)
        )
        for kind, lots in by_kind.items()
    )
