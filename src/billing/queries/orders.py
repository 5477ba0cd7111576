"""Lists of orders and what the month brought."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    ScalarSelect,
    Select,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
)

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OpenItemKind, OrderState, PaymentMode
from src.billing.income import is_income
from src.billing.lines import list_sold_now
from src.billing.models import OpenItem, Order, OrderLine
from src.billing.open_item_words import open_item_sentence
from src.billing.owed import owed_minor
from src.billing.queries.disputes import (
    dispute_state_of_order,
    is_disputed,
    sum_disputes,
    taken_back_minor,
)
from src.billing.queries.to_hand_back import to_hand_back_minor
from src.billing.queries.transfers import (
    count_awaited,
    is_transfer_awaited,
    list_received_minor,
)
from src.billing.standing import is_all_cancelled
from src.billing.views.disputes import dispute_badge
from src.billing.views.orders import MonthTotals, OpenItemView, OrderRow, OrdersPage
from src.billing.words import open_item_word
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local, to_utc
from src.tenants.context import TenantSnapshot

PAGE_SIZE = 50

BY_VOUCHER = "voucher"
"""What `OrderFilter.paid` may be beside a payment mode: a voucher pays all of it, or a part."""

STATES: dict[str, tuple[OrderState, ...]] = {
    "": tuple(OrderState),
    "open": (OrderState.OPEN,),
    "transfer": (OrderState.OPEN,),
    "confirmed": (OrderState.CONFIRMED,),
    "ended": (OrderState.EXPIRED, OrderState.CANCELLED),
    "attention": tuple(OrderState),
    "disputed": tuple(OrderState),
}


class OrderFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders are wanted; `state` is a key of STATES, `before` or `after` a neighbour's id;
    `paid` a way of paying, or empty for any.
    """

    state: str = ""
    search: str = ""
    paid: str = ""
    before: UUID | None = None
    after: UUID | None = None


async def list_orders(
    uow: UnitOfWork, tenant: TenantSnapshot, wanted: OrderFilter, now: datetime
) -> OrdersPage:
    """One page, newest first: by the time that stands in the list, and of one time by their ids."""
    found = (await uow.session.execute(_page_of(uow, wanted))).all()
    now_for = await list_sold_now(uow, [row.Order.id for row in found[:PAGE_SIZE]], tenant)
    came = await list_received_minor(
        uow, [row.Order.id for row in found[:PAGE_SIZE] if is_transfer_awaited(row.Order)]
    )
    rows = [
        _row(row, now_for.get(row.Order.id, []), came.get(row.Order.id, 0))
        for row in found[:PAGE_SIZE]
    ]
    has_more = len(found) > PAGE_SIZE
    if wanted.after is not None:
        rows.reverse()
    goes_back = wanted.after is not None
    newer = bool(rows) and (has_more if goes_back else wanted.before is not None)
    older = bool(rows) and (goes_back or has_more)
    return OrdersPage(
        slug=tenant.slug,
        zone=tenant.timezone,
        rows=rows,
        totals=await month_totals(uow, tenant, now),
        state=wanted.state,
        search=wanted.search,
        paid=wanted.paid,
        older=rows[-1].id if older else None,
        newer=rows[0].id if newer else None,
        open=await _count_open(uow),
        transfers=(await count_awaited(uow)).orders,
        in_need=await _count_in_need(uow),
        disputes=await sum_disputes(uow),
    )


def _page_of(uow: UnitOfWork, wanted: OrderFilter) -> Select[Any]:
    lines = (
        select(
            func.min(OrderLine.description).filter(OrderLine.position == 0).label("what"),
            func.count(OrderLine.description.distinct()).label("things"),
        )
        .where(OrderLine.tenant_id == Order.tenant_id, OrderLine.order_id == Order.id)
        .lateral()
    )
    statement = (
        select(Order, lines.c.what, lines.c.things, _open_kinds().label("open_kinds"))
        .add_columns(owed_minor().label("owed"), dispute_state_of_order().label("dispute"))
        .add_columns(taken_back_minor().label("taken_back"))
        .add_columns(is_all_cancelled().label("is_all_cancelled"))
        .join(lines, lines.c.things > 0)
        .where(Order.tenant_id == uow.tenant, *_conditions(wanted))
        .limit(PAGE_SIZE + 1)
    )
    place = tuple_(Order.created_at, Order.id)
    if wanted.after is not None:
        newer = statement.where(place > _place_of(uow, wanted.after))
        return newer.order_by(Order.created_at, Order.id)
    if wanted.before is not None:
        statement = statement.where(place < _place_of(uow, wanted.before))
    return statement.order_by(Order.created_at.desc(), Order.id.desc())


def _place_of(uow: UnitOfWork, order_id: UUID) -> ColumnElement[Any]:
    """Where in the list the order stands; nothing comes before or after one that is not there."""
    made_at = select(Order.created_at).where(Order.tenant_id == uow.tenant, Order.id == order_id)
    return tuple_(made_at.scalar_subquery(), literal(order_id))


def _conditions(wanted: OrderFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    states = STATES.get(wanted.state, STATES[""])
    if len(states) < len(OrderState):
        is_so = Order.state.in_([str(state) for state in states])
        conditions.append(is_so | is_all_cancelled() if wanted.state == "ended" else is_so)
    if wanted.state == "confirmed":
        conditions.append(~is_all_cancelled())
    if wanted.state == "transfer":
        conditions.append(Order.payment_mode == str(PaymentMode.TRANSFER))
    if wanted.state == "attention":
        conditions.append(_has_open_item())
    if wanted.paid == BY_VOUCHER:
        conditions.append(Order.voucher_minor > 0)
    elif wanted.paid:
        conditions.append(Order.payment_mode == wanted.paid)
    if wanted.state == "disputed":
        conditions.append(is_disputed())
    return [*conditions, *(_matches(word) for word in wanted.search.split())]


def _matches(word: str) -> ColumnElement[bool]:
    """A reference is found with and without its hyphen, in either case."""
    plain = word.replace("-", "").upper()
    return or_(
        Order.guest_name.icontains(word, autoescape=True),
        Order.guest_email.icontains(word, autoescape=True),
        func.replace(Order.reference, "-", "").startswith(plain, autoescape=True),
    )


async def is_item(uow: UnitOfWork, item_id: UUID) -> bool:
    """Whether something of that id needs somebody, or did before it was closed."""
    item = OpenItem.id == item_id
    found = await uow.session.scalar(
        select(OpenItem.id).where(OpenItem.tenant_id == uow.tenant, item)
    )
    return found is not None


def _has_open_item() -> ColumnElement[bool]:
    return exists(
        select(OpenItem.id).where(
            OpenItem.tenant_id == Order.tenant_id,
            OpenItem.order_id == Order.id,
            OpenItem.closed_at.is_(None),
        )
    )


def _open_kinds() -> ScalarSelect[list[str]]:
    """What the row of `orders` at hand needs somebody for; null for nothing."""
    return (
        select(func.array_agg(OpenItem.kind.distinct()))
        .where(
            OpenItem.tenant_id == Order.tenant_id,
            OpenItem.order_id == Order.id,
            OpenItem.closed_at.is_(None),
        )
        .correlate(Order)
        .scalar_subquery()
    )


def _is_told(kind: str, found: Any) -> bool:
    """How a dispute stands has a badge of its own."""
    return kind != OpenItemKind.DISPUTE or found.dispute is None


def _row(found: Any, now_for: Sequence[str], came_minor: int) -> OrderRow:
    order: Order = found.Order
    is_transfer = is_transfer_awaited(order)
    return OrderRow(
        id=order.id,
        reference=order.reference,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        what=now_for[0] if now_for else found.what,
        more=(len(now_for) or found.things) - 1,
        state=order.state,
        is_all_cancelled=found.is_all_cancelled,
        payment_mode=order.payment_mode,
        total_minor=order.total_minor,
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        taken_back_minor=int(found.taken_back),
        owed_minor=int(found.owed),
        awaited_minor=order.to_pay_minor - came_minor if is_transfer else 0,
        currency=order.currency,
        created_at=order.created_at,
        needs=[open_item_word(kind) for kind in found.open_kinds or () if _is_told(kind, found)],
        dispute=dispute_badge(found.dispute),
        transfer_until_at=payable_until(order.hold_expires_at) if is_transfer else None,
    )


async def month_totals(uow: UnitOfWork, tenant: TenantSnapshot, now: datetime) -> MonthTotals:
    """What the orders of this calendar month, on the tenant's clock, have brought so far; vouchers
    count when they are spent.
    """
    local = to_local(now, tenant.zone)
    starts_at = to_utc(local.replace(day=1, hour=0, minute=0, second=0, microsecond=0), tenant.zone)
    is_confirmed, counts = Order.state == str(OrderState.CONFIRMED), is_income(uow)
    found = (
        await uow.session.execute(
            select(
                func.count().filter(is_confirmed),
                func.coalesce(func.sum(Order.paid_minor).filter(counts), 0),
                func.coalesce(func.sum(Order.refunded_minor).filter(counts), 0),
                func.coalesce(func.sum(owed_minor()), 0),
                func.coalesce(func.sum(taken_back_minor()), 0),
                func.coalesce(func.sum(to_hand_back_minor()).filter(counts), 0),
            ).where(
                Order.tenant_id == uow.tenant,
                Order.created_at >= starts_at,
                Order.currency == tenant.currency,
            )
        )
    ).one()
    return MonthTotals(
        month_starts_at=starts_at,
        currency=tenant.currency,
        confirmed=found[0],
        paid_minor=int(found[1]),
        refunded_minor=int(found[2]),
        taken_back_minor=int(found[4]),
        owed_minor=int(found[3]),
        to_hand_back_minor=int(found[5]),
    )


async def _count_open(uow: UnitOfWork) -> int:
    found = await uow.session.scalar(
        select(func.count()).where(
            Order.tenant_id == uow.tenant,
            # As a literal, so that the index of holds serves.
            Order.state == text("'open'"),
        )
    )
    return int(found or 0)


async def _count_in_need(uow: UnitOfWork) -> int:
    """Orders, as the list shows them: one with two refunds that failed is one of them."""
    found = await uow.session.scalar(
        select(func.count(OpenItem.order_id.distinct())).where(
            OpenItem.tenant_id == uow.tenant, OpenItem.closed_at.is_(None)
        )
    )
    return int(found or 0)


async def count_open_items_by_kind(uow: UnitOfWork) -> dict[OpenItemKind, int]:
    """Kinds of which none is open are left out."""
    found = await uow.session.execute(
        select(OpenItem.kind, func.count())
        .where(OpenItem.tenant_id == uow.tenant, OpenItem.closed_at.is_(None))
        .group_by(OpenItem.kind)
    )
    return {OpenItemKind(row[0]): row[1] for row in found}


class DisputeCount(NamedTuple):
    """Disputes that somebody is to look at: those that run, and those that were lost."""

    open: int
    lost: int


async def count_disputes_to_look_at(uow: UnitOfWork) -> DisputeCount:
    is_lost = func.coalesce(func.jsonb_extract_path_text(OpenItem.facts, "outcome"), "") == "lost"
    found = await uow.session.execute(
        select(func.count().filter(~is_lost), func.count().filter(is_lost)).where(
            OpenItem.tenant_id == uow.tenant,
            OpenItem.kind == str(OpenItemKind.DISPUTE),
            OpenItem.closed_at.is_(None),
        )
    )
    return DisputeCount(*found.one())


async def list_open_items(uow: UnitOfWork, limit: int = 20) -> Sequence[OpenItemView]:
    """What about money needs a person, oldest first: for the orders page and for today's."""
    found = await uow.session.scalars(
        select(OpenItem)
        .where(OpenItem.tenant_id == uow.tenant, OpenItem.closed_at.is_(None))
        .order_by(OpenItem.created_at)
        .limit(limit)
    )
    return [open_item_view(item) for item in found]


def open_item_view(item: OpenItem) -> OpenItemView:
    return OpenItemView(
        id=item.id,
        kind=item.kind,
        sentence=open_item_sentence(item),
        order_id=item.order_id,
        created_at=item.created_at,
        refund_id=item.subject_id if item.kind == "refund_failed" else None,
        payment_id=item.subject_id if item.kind == "payment_mismatch" else None,
        page=item.facts.get("page"),
        may_be_mistaken=bool(item.facts.get("extra")),
    )
