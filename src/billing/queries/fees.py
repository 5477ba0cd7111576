"""Fees as staff list them, and one as its guest sees it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Row, func, select

from src.billing.commands.fees import FEE_LINE
from src.billing.domain.kinds import FeeKind, FeeState, RefundCause, RefundState
from src.billing.fee_links import fee_path
from src.billing.models import Fee, Order, OrderLine, Refund
from src.billing.views.fees import FeePage, FeeRow, FeesPage, GuestFee
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer

PAGE_SIZE = 50
UNASKED = (RefundCause.NOT_DELIVERED, RefundCause.PAID_TWICE, RefundCause.TOO_LATE)
"""Why money goes back that came for nothing that was still asked."""

_IS_THEIRS = (Customer.tenant_id == Fee.tenant_id) & (Customer.id == Fee.customer_id)


class FeeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which fees are wanted: `state` "" for all, `before` a fee's id."""

    state: str = ""
    before: UUID | None = None
    customer_id: UUID | None = None


async def list_fees(uow: UnitOfWork, tenant: TenantSnapshot, wanted: FeeFilter) -> FeesPage:
    """One page, the newest first."""
    found = await _rows(uow, wanted, PAGE_SIZE + 1)
    rows = [_row(row, uow) for row in found[:PAGE_SIZE]]
    open_minor = await uow.session.scalar(
        select(func.coalesce(func.sum(Fee.amount_minor), 0)).where(
            Fee.tenant_id == uow.tenant, Fee.state == str(FeeState.ASKED)
        )
    )
    return FeesPage(
        slug=tenant.slug,
        zone=tenant.zone,
        rows=rows,
        state=wanted.state,
        open_minor=int(open_minor or 0),
        currency=tenant.currency,
        older=rows[-1].id if len(found) > PAGE_SIZE else None,
        is_newest=wanted.before is None,
    )


async def list_fees_of_customer(
    uow: UnitOfWork, customer_id: UUID, most: int = PAGE_SIZE
) -> list[FeeRow]:
    """The newest first."""
    found = await _rows(uow, FeeFilter(customer_id=customer_id), most)
    return [_row(row, uow) for row in found]


async def list_fees_of_order(uow: UnitOfWork, order_id: UUID) -> list[FeeRow]:
    """What is asked, paid or forgiven for parts of the order, in the order of their dates; what was
    taken back had been a mistake.
    """
    found = await uow.session.execute(
        select(Fee, Customer.name)
        .join(Customer, _IS_THEIRS)
        .where(
            Fee.tenant_id == uow.tenant,
            Fee.order_id == order_id,
            Fee.state != str(FeeState.DROPPED),
        )
        .order_by(Fee.starts_at, Fee.id)
    )
    return [_row(row, uow) for row in found]


async def list_guest_fees(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, whose: ColumnElement[bool]
) -> list[GuestFee]:
    """The fees that their guest knows of and that are not let go, the oldest first: what is asked
    and what is paid. Who did not come knows of it from the mail that asks; who left late at once.
    """
    is_known = (Fee.kind == str(FeeKind.LATE_CANCEL)) | Fee.told_at.is_not(None)
    found = await uow.session.execute(
        select(Fee, Order)
        .join(Order, (Order.tenant_id == Fee.tenant_id) & (Order.id == Fee.order_id))
        .where(
            Fee.tenant_id == uow.tenant,
            whose,
            (Fee.state == str(FeeState.PAID)) | ((Fee.state == str(FeeState.ASKED)) & is_known),
        )
        .order_by(Fee.id)
    )
    return [
        GuestFee(
            kind=FeeKind(fee.kind),
            is_paid=fee.state == FeeState.PAID,
            is_told=fee.told_at is not None,
            amount_minor=fee.amount_minor,
            currency=fee.currency,
            what=fee.what,
            starts_at=fee.starts_at,
            href=fee_path(settings, tenant.slug, fee, order),
        )
        for fee, order in found
    ]


async def get_fee_page(uow: UnitOfWork, tenant: TenantSnapshot, fee_id: UUID) -> FeePage:
    """Raises: NotFound."""
    found = (
        await uow.session.execute(
            select(Fee, Customer.name, Order.reference, Order.guest_email)
            .join(
                Customer, (Customer.tenant_id == Fee.tenant_id) & (Customer.id == Fee.customer_id)
            )
            .join(Order, (Order.tenant_id == Fee.tenant_id) & (Order.id == Fee.order_id))
            .where(Fee.tenant_id == uow.tenant, Fee.id == fee_id)
        )
    ).one_or_none()
    if found is None:
        raise NotFound(_("There is no such fee."))
    return FeePage(
        fee=_row(found, uow),
        slug=tenant.slug,
        zone=tenant.zone,
        reference=found.reference,
        guest_email=found.guest_email,
        can_pay_online=tenant.payments_ready,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
        business=tenant.name,
        **await _money_back(uow, fee_id),
    )


async def _money_back(uow: UnitOfWork, fee_id: UUID) -> dict[str, Any]:
    """What came for a fee that was paid or let go already, by whether it goes back."""
    rows = await uow.session.execute(
        select(Refund.order_id, Refund.amount_minor, Refund.state)
        .join(
            OrderLine,
            (OrderLine.tenant_id == Refund.tenant_id) & (OrderLine.order_id == Refund.order_id),
        )
        .where(
            Refund.tenant_id == uow.tenant,
            OrderLine.kind == FEE_LINE,
            OrderLine.subject_id == fee_id,
            Refund.cause.in_([str(cause) for cause in UNASKED]),
        )
        .order_by(Refund.created_at, Refund.id)
    )
    found = rows.all()
    minor = dict.fromkeys(RefundState, 0)
    for one in found:
        minor[RefundState(one.state)] += one.amount_minor
    return {
        "back_minor": minor[RefundState.PENDING],
        "gone_back_minor": minor[RefundState.SUCCEEDED],
        "stuck_minor": minor[RefundState.FAILED],
        "back_order_id": found[-1].order_id if found else None,
    }


async def _rows(uow: UnitOfWork, wanted: FeeFilter, most: int) -> Sequence[Row[tuple[Fee, str]]]:
    statement = (
        select(Fee, Customer.name)
        .join(Customer, _IS_THEIRS)
        .where(Fee.tenant_id == uow.tenant)
        .order_by(Fee.id.desc())
        .limit(most)
    )
    if wanted.state in set(FeeState):
        statement = statement.where(Fee.state == wanted.state)
    if wanted.before is not None:
        statement = statement.where(Fee.id < wanted.before)
    if wanted.customer_id is not None:
        statement = statement.where(Fee.customer_id == wanted.customer_id)
    return (await uow.session.execute(statement)).all()


def _row(row: Row[tuple[Fee, str]] | Row[tuple[Fee, str, str, str]], uow: UnitOfWork) -> FeeRow:
    fee, name = row[0], row[1]
    is_waiting = fee.state == FeeState.ASKED and fee.told_at is None
    return FeeRow(
        id=fee.id,
        customer_id=fee.customer_id,
        customer=name,
        order_id=fee.order_id,
        kind=FeeKind(fee.kind),
        state=FeeState(fee.state),
        amount_minor=fee.amount_minor,
        currency=fee.currency,
        what=fee.what,
        starts_at=fee.starts_at,
        why=fee.why,
        at=fee.at,
        told_at=fee.told_at,
        told_from=fee.chargeable_at if is_waiting else None,
        pays_id=fee.pays_id if fee.state == FeeState.PAID else None,
    )
