"""Vouchers as members see them: the list, one with its ledger, what was sold and what is owed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from src.billing.domain.kinds import OrderState
from src.billing.domain.vouchers import VoucherSource, VoucherState, last_day, masked
from src.billing.models import Order, Voucher, VoucherEntry
from src.billing.queries.vouchers import entries_of, get_voucher
from src.billing.views.vouchers import LedgerLine, VoucherRow, VoucherSums
from src.billing.voucher_words import entry_words, voucher_source, voucher_state
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer

PAGE_SIZE = 50
MOST_EXPORTED = 20_000
STATES = ("", "active", "used", "expired", "blocked", "pending")


class VoucherFilter(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is one of STATES; `search` words of codes' ends, buyers and recipients; `before` the
    id of the last voucher of the page before.
    """

    state: str = ""
    search: str = ""
    before: UUID | None = None


async def list_vouchers(
    uow: UnitOfWork, tenant: TenantSnapshot, wanted: VoucherFilter
) -> tuple[list[VoucherRow], str | None]:
    """One page, newest first, and the id that the next one comes after."""
    statement = _rows(uow).where(*_conditions(wanted, uow.clock.now())).limit(PAGE_SIZE + 1)
    if wanted.before is not None:
        statement = statement.where(Voucher.id < wanted.before)
    found = (await uow.session.execute(statement)).all()
    rows = [voucher_row_view(row, tenant, uow.clock.now()) for row in found[:PAGE_SIZE]]
    return rows, str(rows[-1].id) if len(found) > PAGE_SIZE else None


async def list_for_export(uow: UnitOfWork) -> Sequence[Row[Any]]:
    """All that were ever paid, newest first."""
    statement = _rows(uow).where(Voucher.state != str(VoucherState.PENDING))
    return (await uow.session.execute(statement.limit(MOST_EXPORTED))).all()


def _rows(uow: UnitOfWork) -> Select[Any]:
    """Newest first: ids rise with time."""
    return (
        select(Voucher, Customer.name, Customer.email, Order.guest_name, Order.guest_email)
        .add_columns(Order.reference)
        .join(
            Customer,
            (Customer.tenant_id == Voucher.tenant_id) & (Customer.id == Voucher.customer_id),
        )
        .outerjoin(Order, (Order.tenant_id == Voucher.tenant_id) & (Order.id == Voucher.order_id))
        .where(Voucher.tenant_id == uow.tenant)
        .order_by(Voucher.id.desc())
    )


def voucher_row_view(found: Row[Any], tenant: TenantSnapshot, now: datetime) -> VoucherRow:
    voucher: Voucher = found.Voucher
    expires_at = voucher.expires_at
    return VoucherRow(
        id=voucher.id,
        code=masked(voucher.code),
        state=voucher_state(voucher, now),
        source=voucher_source(voucher.source),
        initial_minor=voucher.initial_minor,
        balance_minor=voucher.balance_minor,
        currency=voucher.currency,
        buyer=found.guest_name or found.name or found.email or "",
        recipient=voucher.recipient_name or voucher.recipient_email,
        expires_on=last_day(expires_at, tenant.zone) if expires_at is not None else None,
        created_at=voucher.created_at,
    )


def _conditions(wanted: VoucherFilter, now: datetime) -> list[ColumnElement[bool]]:
    """Those that wait for a payment which never came are of no interest to anybody."""
    conditions = [_matches(word) for word in wanted.search.split()]
    is_over = and_(Voucher.expires_at.is_not(None), Voucher.expires_at < now)
    is_active = Voucher.state == str(VoucherState.ACTIVE)
    by_state = {
        "active": is_active & ~func.coalesce(is_over, False) & (Voucher.balance_minor > 0),
        "used": is_active & (Voucher.balance_minor == 0),
        "expired": is_active & is_over & (Voucher.balance_minor > 0),
        "blocked": Voucher.state == str(VoucherState.BLOCKED),
        "pending": Voucher.state == str(VoucherState.PENDING),
    }
    if wanted.state in by_state:
        conditions.append(by_state[wanted.state])
    is_alive = Order.state.in_([str(OrderState.OPEN), str(OrderState.CONFIRMED)])
    return [*conditions, (Voucher.state != str(VoucherState.PENDING)) | is_alive]


def _matches(word: str) -> ColumnElement[bool]:
    """The end of a code in either case; parts of names and addresses."""
    return or_(
        func.replace(Voucher.code, "-", "").endswith(
            word.replace("-", "").upper(), autoescape=True
        ),
        Voucher.recipient_name.icontains(word, autoescape=True),
        Voucher.recipient_email.icontains(word, autoescape=True),
        Customer.name.icontains(word, autoescape=True),
        Customer.email.icontains(word, autoescape=True),
        Order.guest_name.icontains(word, autoescape=True),
        Order.guest_email.icontains(word, autoescape=True),
    )


async def sum_vouchers(uow: UnitOfWork, tenant: TenantSnapshot) -> VoucherSums:
    """In the business's own currency: what can still be spent is owed."""
    now, balance = uow.clock.now(), Voucher.balance_minor
    is_over = func.coalesce(Voucher.expires_at < now, False)
    is_active = Voucher.state == str(VoucherState.ACTIVE)
    is_paid = Voucher.state != str(VoucherState.PENDING)
    in_place = Voucher.source == str(VoucherSource.REFUND)
    initial, zero = Voucher.initial_minor, 0
    found = await uow.session.execute(
        select(
            func.coalesce(func.sum(balance).filter(is_active & ~is_over), zero),
            func.coalesce(
                func.sum(balance).filter(Voucher.state == str(VoucherState.BLOCKED)), zero
            ),
            func.coalesce(func.sum(balance).filter(is_active & is_over), zero),
            func.count().filter(is_active & ~is_over & (balance > 0)),
            func.coalesce(func.sum(initial).filter(is_paid & ~in_place), zero),
            func.coalesce(func.sum(initial).filter(is_paid & in_place), zero),
        ).where(Voucher.tenant_id == uow.tenant, Voucher.currency == tenant.currency)
    )
    row = found.one()
    return VoucherSums(
        open_minor=int(row[0]),
        blocked_minor=int(row[1]),
        expired_minor=int(row[2]),
        active=int(row[3]),
        sold_minor=int(row[4]),
        given_minor=int(row[5]),
    )


async def get_with_people(uow: UnitOfWork, voucher_id: UUID) -> Row[Any]:
    """The voucher with its buyer and its order, as in the list. Raises: NotFound."""
    await get_voucher(uow, voucher_id)
    return (await uow.session.execute(_rows(uow).where(Voucher.id == voucher_id))).one()


async def list_ledger(uow: UnitOfWork, voucher_id: UUID) -> list[LedgerLine]:
    """Newest first, each with the balance after it."""
    entries = await entries_of(uow, voucher_id)
    order_ids = {one.order_id for one in entries if one.order_id is not None}
    found = await uow.session.execute(
        select(Order.id, Order.reference).where(
            Order.tenant_id == uow.tenant, Order.id.in_(order_ids)
        )
    )
    references = {row.id: row.reference for row in found}
    lines, balance = [], 0
    for one in entries:
        balance += one.amount_minor
        lines.append(_line(one, balance, references))
    return lines[::-1]


def _line(entry: VoucherEntry, balance_minor: int, references: dict[UUID, str]) -> LedgerLine:
    reference = references.get(entry.order_id, "") if entry.order_id is not None else ""
    return LedgerLine(
        at=entry.at,
        words=entry_words(entry.kind),
        who=entry.actor_name if entry.actor_id is not None else "",
        reason=entry.reason,
        amount_minor=entry.amount_minor,
        balance_minor=balance_minor,
        order_id=entry.order_id,
        reference=reference,
    )
