"""The credits that customers own, for their owner: lists that stay quick with many, and totals."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    any_,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.orm import aliased

from src.billing.credit_words import lot_badge
from src.billing.domain.credits import EntryKind, LotSource, LotState, lot_state
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.queries.lots import lot_facts
from src.billing.queries.outstanding import get_outstanding, soon_until
from src.billing.views.credits import CreditTotals, LotRow, LotsPage
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer

PAGE_SIZE = 50
MOST_NAMED = 500
SORTS = ("bought", "ends")
STATES = ("active", "ending", "expired", "used_up", "refunded", "pending")

_NEVER: ColumnElement[Any] = literal_column("'infinity'::timestamptz")


class LotFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which lots are wanted; `state` is one of STATES, empty for all that were or can be paid, or
    "any"; `before` or `after` a neighbour's id. Those are "ending" that end by `soon_until_at`.
    """

    state: str = ""
    search: str = ""
    sort: str = "bought"
    package_id: UUID | None = None
    customer_id: UUID | None = None
    lot_id: UUID | None = None
    before: UUID | None = None
    after: UUID | None = None
    soon_until_at: datetime | None = None


async def list_lot_page(uow: UnitOfWork, zone: ZoneInfo, wanted: LotFilter) -> LotsPage:
    """One page in the wanted order; of the same place by their ids."""
    now = uow.clock.now()
    wanted = msgspec.structs.replace(wanted, soon_until_at=soon_until(now, zone))
    matches = await _matches(uow, wanted.search)
    found = (await uow.session.execute(_page_of(uow, wanted, now, matches))).all()
    rows = await lot_rows(uow, found[:PAGE_SIZE], now)
    has_more = len(found) > PAGE_SIZE
    goes_back = wanted.after is not None
    if goes_back:
        rows.reverse()
    earlier = bool(rows) and (has_more if goes_back else wanted.before is not None)
    later = bool(rows) and (goes_back or has_more)
    return LotsPage(
        rows=rows,
        state=wanted.state,
        search=wanted.search,
        sort=wanted.sort,
        package_id=wanted.package_id,
        earlier=rows[0].id if earlier else None,
        later=rows[-1].id if later else None,
    )


async def find_lots(
    uow: UnitOfWork, wanted: LotFilter, *, most: int | None = None
) -> Sequence[Any]:
    """What `lot_rows` makes rows of, without pages: the newest first."""
    matches = await _matches(uow, wanted.search)
    statement = _lots(uow, wanted, uow.clock.now(), matches)
    newest = statement.order_by(CreditLot.created_at.desc(), CreditLot.id.desc())
    return (await uow.session.execute(newest.limit(most))).all()


async def list_lots_of(uow: UnitOfWork, customer_id: UUID) -> list[LotRow]:
    """All lots of one customer but those that were never paid, the newest first."""
    found = await find_lots(uow, LotFilter(customer_id=customer_id))
    return await lot_rows(uow, found, uow.clock.now())


def _page_of(
    uow: UnitOfWork, wanted: LotFilter, now: datetime, matches: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    """Newest first, or those first that end soonest; one that never ends comes last."""
    statement = _lots(uow, wanted, now, matches).limit(PAGE_SIZE + 1)
    ends = wanted.sort == "ends"
    when = _when(CreditLot, ends=ends)
    place, is_upwards = tuple_(when, CreditLot.id), ends
    if wanted.after is not None:
        mark = _place_of(uow, wanted.after, ends=ends)
        statement = statement.where(place < mark if ends else place > mark)
        is_upwards = not ends
    elif wanted.before is not None:
        mark = _place_of(uow, wanted.before, ends=ends)
        statement = statement.where(place > mark if ends else place < mark)
    if is_upwards:
        return statement.order_by(when, CreditLot.id)
    return statement.order_by(when.desc(), CreditLot.id.desc())


def _place_of(uow: UnitOfWork, lot_id: UUID, *, ends: bool) -> ColumnElement[Any]:
    """Where in the list the lot stands; nothing comes before or after one that is not there."""
    other = aliased(CreditLot)
    found = select(_when(other, ends=ends)).where(other.tenant_id == uow.tenant, other.id == lot_id)
    return tuple_(found.scalar_subquery(), literal(lot_id))


def _when(lot: Any, *, ends: bool) -> Any:
    """By what the list is ordered; one that never ends has the last place."""
    return func.coalesce(lot.expires_at, _NEVER) if ends else lot.created_at


def _lots(
    uow: UnitOfWork, wanted: LotFilter, now: datetime, matches: Sequence[ColumnElement[bool]]
) -> Select[Any]:
    return (
        select(CreditLot, Customer.name, Customer.email, Order.reference)
        .join(
            Customer,
            (Customer.tenant_id == CreditLot.tenant_id) & (Customer.id == CreditLot.customer_id),
        )
        .outerjoin(
            Order, (Order.tenant_id == CreditLot.tenant_id) & (Order.id == CreditLot.order_id)
        )
        .where(CreditLot.tenant_id == uow.tenant, *_conditions(wanted, now), *matches)
    )


def _conditions(wanted: LotFilter, now: datetime) -> list[ColumnElement[bool]]:
    conditions = [_is_in(wanted.state, now, wanted.soon_until_at)]
    if wanted.package_id is not None:
        conditions.append(CreditLot.package_id == wanted.package_id)
    if wanted.lot_id is not None:
        conditions.append(CreditLot.id == wanted.lot_id)
    if wanted.customer_id is not None:
        conditions.append(CreditLot.customer_id == wanted.customer_id)
    return conditions


def _is_in(state: str, now: datetime, soon_until_at: datetime | None) -> ColumnElement[bool]:
    """SQL of what `lot_state` says, so that the indexes of each state serve it."""
    is_active = CreditLot.state == str(LotState.ACTIVE)
    has_some, is_over = CreditLot.balance > 0, CreditLot.expires_at < now
    is_empty = (CreditLot.balance == 0) & ~(
        (CreditLot.forfeited > 0) & func.coalesce(is_over, false())
    )
    match state:
        case "active":
            return is_active & has_some & or_(CreditLot.expires_at.is_(None), ~is_over)
        case "ending":
            return is_active & has_some & CreditLot.expires_at.between(now, soon_until_at)
        case "expired":
            return is_active & is_over & (CreditLot.balance + CreditLot.forfeited > 0)
        case "used_up":
            return is_active & is_empty & (CreditLot.refunded_minor == 0)
        case "refunded":
            return is_active & is_empty & (CreditLot.refunded_minor > 0)
        case "pending":
            return CreditLot.state == str(LotState.PENDING)
        case "any":
            return true()
        case _:
            return CreditLot.state != str(LotState.VOID)


async def _matches(uow: UnitOfWork, search: str) -> list[ColumnElement[bool]]:
    return [await _match(uow, word) for word in search.split()]


async def _match(uow: UnitOfWork, word: str) -> ColumnElement[bool]:
    """By the customer or by the name of the package; both are looked up first, since to compare
    the words of every lot takes long. A few customers are named, so that an index finds their
    lots; of many customers a page is full soon, whichever way the lots are read.
    """
    customers = select(Customer.id).where(
        Customer.tenant_id == uow.tenant,
        or_(
            Customer.name.icontains(word, autoescape=True),
            Customer.email.icontains(word, autoescape=True),
        ),
    )
    ids = list(await uow.session.scalars(customers.limit(MOST_NAMED + 1)))
    names = await _names_with(uow, word)
    found: list[ColumnElement[bool]] = []
    if len(ids) > MOST_NAMED:
        found.append(CreditLot.customer_id.in_(customers))
    elif ids:
        found.append(CreditLot.customer_id == any_(literal(ids, ARRAY(Uuid))))
    if names:
        found.append(CreditLot.name == any_(literal(names, ARRAY(Text))))
    return or_(false(), *found)


async def _names_with(uow: UnitOfWork, word: str) -> list[str]:
    """What lots are called: many are called the same, so from one name the index leads to the
    next.
    """
    lot = aliased(CreditLot)
    names = (
        select(func.min(CreditLot.name).label("name"))
        .where(CreditLot.tenant_id == uow.tenant)
        .cte("names", recursive=True)
    )
    following = select(func.min(lot.name)).where(
        lot.tenant_id == uow.tenant, lot.name > names.c.name
    )
    names = names.union_all(select(following.scalar_subquery()).where(names.c.name.is_not(None)))
    found = select(names.c.name).where(names.c.name.icontains(word, autoescape=True))
    return list(await uow.session.scalars(found))


async def lot_rows(uow: UnitOfWork, found: Sequence[Any], now: datetime) -> list[LotRow]:
    """Rows as `_lots` finds them, with what the ledger tells of each."""
    ids = [row.CreditLot.id for row in found]
    counts, rolled = await _counts(uow, ids), await _rolled_over(uow, ids)
    return [
        _row(row, counts.get(row.CreditLot.id, _Counts()), row.CreditLot.id in rolled, now)
        for row in found
    ]


async def _rolled_over(uow: UnitOfWork, lot_ids: Collection[UUID]) -> set[UUID]:
    """Those of them whose rest is in a new lot; asked apart, or every lot would be read."""
    found = await uow.session.scalars(
        select(CreditLot.rolled_from_id).where(
            CreditLot.tenant_id == uow.tenant, CreditLot.rolled_from_id.in_(lot_ids)
        )
    )
    return {one for one in found if one is not None}


class _Counts(NamedTuple):
    """What the ledger of a lot says of its credits, as `LotRow` has them."""

    granted: int = 0
    used: int = 0
    refunded: int = 0
    removed: int = 0


def _row(found: Any, counts: _Counts, is_rolled_over: bool, now: datetime) -> LotRow:
    lot: CreditLot = found.CreditLot
    granted, used, refunded, removed = counts
    state = lot_state(lot_facts(lot), now)
    is_over = state is LotState.EXPIRED
    left = 0 if is_over else lot.balance
    lapsed = lot.balance + lot.forfeited if is_over else 0
    gone = used + refunded + removed
    return LotRow(
        id=lot.id,
        customer_id=lot.customer_id,
        customer=found.name,
        email=found.email or "",
        name=lot.name,
        source=lot.source,
        badge=lot_badge(state, used=used, is_rolled_over=is_rolled_over),
        granted=granted or lot.bought,
        used=used,
        left=left,
        lapsed=lapsed,
        refunded=refunded,
        removed=removed,
        rolled_over=granted - gone - left - lapsed if is_rolled_over else 0,
        created_at=lot.created_at,
        expires_at=lot.expires_at,
        begins_when_paid=lot.state == LotState.PENDING and lot.validity_days > 0,
        order_id=lot.order_id,
        reference=found.reference or "",
    )


async def list_granted(uow: UnitOfWork, lot_ids: Collection[UUID]) -> dict[UUID, int]:
    """By lot, what it began with and what staff added, as every page counts its credits, also where
    some were taken off since; lots that nothing was granted of yet are left out.
    """
    counts = await _counts(uow, lot_ids)
    return {lot_id: count.granted for lot_id, count in counts.items() if count.granted}


async def _counts(uow: UnitOfWork, lot_ids: Collection[UUID]) -> dict[UUID, _Counts]:
    """By lot: what was granted and added, what seats took and did not give back, what went back as
    money and did not come back, and what was taken off and is not there again. A package that came
    back after all names its order, see `refill_lots`: nothing is granted by that.
    """
    number, kind = CreditEntry.credits, CreditEntry.kind
    changed = kind == str(EntryKind.ADJUST)
    is_back = CreditEntry.order_id.is_not(None)
    sums = (
        func.sum(number).filter(
            (kind == str(EntryKind.GRANT)) | (changed & (number > 0) & ~is_back)
        ),
        -func.sum(number).filter(CreditEntry.seat_id.is_not(None)),
        -func.sum(number).filter(
            (kind == str(EntryKind.REFUND)) | CreditEntry.refund_id.is_not(None)
        ),
        -func.sum(number).filter(changed & ((number < 0) | is_back)),
    )
    rows = await uow.session.execute(
        select(CreditEntry.lot_id, *(func.coalesce(one, 0) for one in sums))
        .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.lot_id.in_(lot_ids))
        .group_by(CreditEntry.lot_id)
    )
    return {row[0]: _Counts(*(int(one) for one in row[1:])) for row in rows}


async def get_credit_totals(uow: UnitOfWork, tenant: TenantSnapshot) -> CreditTotals:
    """What the month brought so far, on the tenant's clock, and what is out; of the ledger
    this month's rows of seats are read, and those of the few lots whose number was changed.
    """
    now = uow.clock.now()
    first = to_local(now, tenant.zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    starts_at = to_utc(first, tenant.zone)
    sold, sold_minor = await _sold_since(uow, starts_at)
    outstanding, outstanding_minor, expiring = await get_outstanding(uow, now, tenant.zone)
    redeemed = await uow.session.scalar(
        select(-func.coalesce(func.sum(CreditEntry.credits), 0)).where(
            CreditEntry.tenant_id == uow.tenant,
            CreditEntry.seat_id.is_not(None),
            CreditEntry.at >= starts_at,
        )
    )
    return CreditTotals(
        sold=sold,
        sold_minor=sold_minor,
        outstanding=outstanding,
        outstanding_minor=outstanding_minor,
        expiring=expiring,
        redeemed=max(0, int(redeemed or 0)),
        month_starts_at=starts_at,
    )


async def _sold_since(uow: UnitOfWork, since: datetime) -> tuple[int, int]:
    row = (
        await uow.session.execute(
            select(func.count(), func.coalesce(func.sum(CreditLot.paid_minor), 0)).where(
                CreditLot.tenant_id == uow.tenant,
                CreditLot.source == str(LotSource.PACKAGE),
                CreditLot.activated_at >= since,
            )
        )
    ).one()
    return int(row[0]), int(row[1])
