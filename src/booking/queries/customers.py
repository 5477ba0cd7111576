"""Customers in lists: found by name, address, number or tag, a page at a time."""

import re
from collections.abc import Collection
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, Select, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.models import Booking
from src.booking.views.customers import CustomerHead, CustomerRow, CustomersPage
from src.platform.db.uow import UnitOfWork
from src.tenants.commands.customers import no_such_customer
from src.tenants.models import Customer, CustomerNote, CustomerTag

PAGE_SIZE = 50
MOST_EXPORTED = 100_000
ESTABLISHED = {"yes": True, "no": False}

_LIKE_A_NUMBER = re.compile(r"[0-9\s+()./-]{3,}", re.ASCII)
_NOT_DIGITS = re.compile(r"[^0-9]", re.ASCII)


class CustomerFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which customers are wanted; `established` is a key of ESTABLISHED, or "" for all."""

    search: str = ""
    tag: str = ""
    established: str = ""


async def list_customers(
    uow: UnitOfWork, wanted: CustomerFilter, *, number: int = 1
) -> CustomersPage:
    """By name. One statement for the page, whatever is on it."""
    conditions = _conditions(uow.tenant, wanted)
    total = await uow.session.scalar(select(func.count()).select_from(Customer).where(*conditions))
    found = await uow.session.execute(
        _rows(conditions).limit(PAGE_SIZE + 1).offset((number - 1) * PAGE_SIZE)
    )
    rows = [_row(row) for row in found]
    return CustomersPage(
        rows=rows[:PAGE_SIZE],
        total=total or 0,
        number=number,
        has_more=len(rows) > PAGE_SIZE,
        tags=await list_tags(uow),
    )


async def list_customers_to_export(uow: UnitOfWork, wanted: CustomerFilter) -> list[CustomerRow]:
    """All of them, up to a hundred thousand."""
    found = await uow.session.execute(_rows(_conditions(uow.tenant, wanted)).limit(MOST_EXPORTED))
    return [_row(row) for row in found]


async def list_tags(uow: UnitOfWork) -> list[str]:
    """Every word that a customer is tagged with."""
    found = await uow.session.scalars(
        select(CustomerTag.word)
        .where(CustomerTag.tenant_id == uow.tenant)
        .distinct()
        .order_by(CustomerTag.word)
        .limit(200)
    )
    return list(found)


async def get_customer(uow: UnitOfWork, customer_id: UUID) -> CustomerHead:
    """Also one who was merged. Raises: NotFound, for another business's too."""
    found = await uow.session.execute(
        select(Customer, tags_of_customer().label("tags")).where(
            Customer.tenant_id == uow.tenant, Customer.id == customer_id
        )
    )
    row = found.one_or_none()
    if row is None:
        raise no_such_customer()
    customer: Customer = row.Customer
    return CustomerHead(
        id=customer.id,
        name=customer.name,
        email=customer.email or "",
        phone=customer.phone,
        is_established=customer.is_established,
        created_at=customer.created_at,
        merged_into=customer.merged_into,
        erased_at=customer.erased_at,
        tags=row.tags or [],
    )


def tags_of_customer() -> Any:
    """The words of the Customer of the statement around it, in order; None without any."""
    return (
        select(func.array_agg(aggregate_order_by(CustomerTag.word, CustomerTag.word)))
        .where(CustomerTag.tenant_id == Customer.tenant_id, CustomerTag.customer_id == Customer.id)
        .correlate(Customer)
        .scalar_subquery()
    )


def notes_of_customer() -> Any:
    """How many notes staff have about the Customer of the statement around it."""
    return (
        select(func.count())
        .select_from(CustomerNote)
        .where(
            CustomerNote.tenant_id == Customer.tenant_id, CustomerNote.customer_id == Customer.id
        )
        .correlate(Customer)
        .scalar_subquery()
    )


async def list_notes_of(uow: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """What staff have noted about each of these customers, the latest first."""
    found = await uow.session.execute(
        select(CustomerNote.customer_id, CustomerNote.text)
        .where(CustomerNote.tenant_id == uow.tenant, CustomerNote.customer_id.in_(customer_ids))
        .order_by(CustomerNote.created_at.desc(), CustomerNote.id.desc())
    )
    notes: dict[UUID, list[str]] = {}
    for customer_id, text in found:
        notes.setdefault(customer_id, []).append(text)
    return notes


def _bookings() -> Any:
    return (
        select(func.count())
        .select_from(Booking)
        .join(Order, (Order.tenant_id == Booking.tenant_id) & (Order.id == Booking.order_id))
        .where(
            Booking.tenant_id == Customer.tenant_id,
            Booking.customer_id == Customer.id,
            Order.state == str(OrderState.CONFIRMED),
        )
        .correlate(Customer)
        .scalar_subquery()
    )


def _rows(conditions: list[ColumnElement[bool]]) -> Select[Any]:
    return (
        select(Customer, tags_of_customer().label("tags"), _bookings().label("bookings"))
        .where(*conditions)
        .order_by(func.lower(Customer.name), Customer.id)
    )


def _conditions(tenant_id: UUID, wanted: CustomerFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Customer.tenant_id == tenant_id,
        Customer.merged_into.is_(None),
        Customer.erased_at.is_(None),
        *_matches(wanted.search),
    ]
    if wanted.tag:
        tagged = select(CustomerTag.customer_id).where(
            CustomerTag.tenant_id == tenant_id, CustomerTag.word == wanted.tag
        )
        conditions.append(Customer.id.in_(tagged))
    if wanted.established in ESTABLISHED:
        conditions.append(Customer.is_established == ESTABLISHED[wanted.established])
    return conditions


def _matches(search: str) -> list[ColumnElement[bool]]:
    """What looks like a number is looked for among the numbers, however it is written."""
    if _LIKE_A_NUMBER.fullmatch(search):
        digits = _NOT_DIGITS.sub("", search).lstrip("0")
        stored = func.regexp_replace(Customer.phone, "[^0-9]", "", "g")
        return [stored.contains(digits, autoescape=True)]
    return [
        or_(
            Customer.name.icontains(word, autoescape=True),
            Customer.email.icontains(word, autoescape=True),
            Customer.phone.contains(word, autoescape=True),
        )
        for word in search.split()
    ]


def _row(row: Row[Any]) -> CustomerRow:
    customer: Customer = row.Customer
    return CustomerRow(
        id=customer.id,
        name=customer.name,
        email=customer.email or "",
        phone=customer.phone,
        is_established=customer.is_established,
        tags=row.tags or [],
        bookings=row.bookings,
        created_at=customer.created_at,
    )
