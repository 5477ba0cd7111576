"""What a cancellation gives back, and what became of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, or_, select

from src.billing.domain.kinds import BY_HAND_METHODS, RefundCause, RefundState
from src.billing.models import Order, Payment, Refund
from src.billing.queries.refund_failures import is_settled_otherwise, is_waiting
from src.billing.queries.to_hand_back import list_open_by_hand_minor
from src.billing.words import refund_failure
from src.booking.models import Cancellation, CancellationReturn
from src.booking.views.returns import FailedRefund, MoneyBack, ToHandBack
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

MOST_ROWS = 200


async def get_money_back(
    uow: UnitOfWork, tenant: TenantSnapshot, cancellation_id: UUID
) -> MoneyBack | None:
    """None where nothing goes back, and nothing did."""
    is_over = (
        select(Cancellation.state == "done")
        .where(Cancellation.tenant_id == uow.tenant, Cancellation.id == cancellation_id)
        .scalar_subquery()
    )
    given = CancellationReturn.asked_minor + CancellationReturn.by_hand_minor
    goes_back = case((is_over, given), else_=CancellationReturn.chosen_minor)
    number = func.cardinality(CancellationReturn.credited_ids)
    guests = func.count(Order.customer_id.distinct())
    row = (
        await uow.session.execute(
            select(
                guests,
                guests.filter(goes_back > 0),
                guests.filter(number > 0),
                func.coalesce(func.sum(goes_back), 0),
                func.coalesce(func.sum(number), 0),
            )
            .join(
                Order,
                (Order.tenant_id == CancellationReturn.tenant_id)
                & (Order.id == CancellationReturn.order_id),
            )
            .where(*_of(uow, cancellation_id))
        )
    ).one()
    if not row[0]:
        return None
    sums = await _sums(uow, cancellation_id)
    failed_count = sums[RefundState.FAILED][0]
    return MoneyBack(
        people=row[1],
        credited_people=row[2],
        goes_back_minor=int(row[3]),
        credits=int(row[4]),
        pending_minor=sums[RefundState.PENDING][1],
        returned_minor=sums[RefundState.SUCCEEDED][1],
        failed_count=failed_count,
        failed=await list_failed_refunds(uow, cancellation_id) if failed_count else [],
        by_hand=await _to_hand_back(uow, cancellation_id),
        elsewhere_minor=await _elsewhere_minor(uow, cancellation_id),
        settled_minor=await _settled_minor(uow, cancellation_id),
        currency=tenant.currency,
    )


async def list_failed_refunds(uow: UnitOfWork, cancellation_id: UUID) -> list[FailedRefund]:
    """Its refunds that failed and wait for a person, by name; at most `MOST_ROWS`."""
    found = await uow.session.execute(
        _refunds(
            uow,
            cancellation_id,
            Refund.id,
            Refund.order_id,
            Order.guest_name,
            Order.guest_email,
            Refund.amount_minor,
            Payment.currency,
            Refund.error,
        )
        .join(Order, (Order.tenant_id == Refund.tenant_id) & (Order.id == Refund.order_id))
        .where(_is_ours(cancellation_id), is_waiting())
        .order_by(Order.guest_name, Refund.id)
        .limit(MOST_ROWS)
    )
    return [
        FailedRefund(
            refund_id=row.id,
            order_id=row.order_id,
            name=row.guest_name or row.guest_email,
            amount_minor=row.amount_minor,
            currency=row.currency,
            why=refund_failure(row.error),
        )
        for row in found
    ]


async def find_by_hand_minor(
    uow: UnitOfWork, cancellation_ids: Sequence[UUID], order_ids: Sequence[UUID]
) -> dict[tuple[UUID, UUID], int]:
    """What is handed back on site, by cancellation and order."""
    found = await uow.session.execute(
        select(
            CancellationReturn.cancellation_id,
            CancellationReturn.order_id,
            CancellationReturn.by_hand_minor,
        ).where(
            CancellationReturn.tenant_id == uow.tenant,
            CancellationReturn.cancellation_id.in_(cancellation_ids),
            CancellationReturn.order_id.in_(order_ids),
            CancellationReturn.by_hand_minor > 0,
        )
    )
    return {(row[0], row[1]): row[2] for row in found}


def _of(uow: UnitOfWork, cancellation_id: UUID) -> list[ColumnElement[bool]]:
    return [
        CancellationReturn.tenant_id == uow.tenant,
        CancellationReturn.cancellation_id == cancellation_id,
    ]


def _refunds(uow: UnitOfWork, cancellation_id: UUID, *columns: Any) -> Select[Any]:
    """The refunds through the processor of the orders that the cancellation gives back to."""
    return (
        select(*columns)
        .select_from(CancellationReturn)
        .join(
            Refund,
            (Refund.tenant_id == CancellationReturn.tenant_id)
            & (Refund.order_id == CancellationReturn.order_id),
        )
        .join(Payment, (Payment.tenant_id == Refund.tenant_id) & (Payment.id == Refund.payment_id))
        .where(*_of(uow, cancellation_id), Payment.method.not_in(BY_HAND_METHODS))
    )


def _is_ours(cancellation_id: UUID) -> ColumnElement[bool]:
    """Whether the cancellation has caused the refund, by the name of its cause."""
    causes = (RefundCause.CANCELLED, RefundCause.NOT_DELIVERED)
    return or_(*(Refund.cause_key.startswith(f"{cause}:{cancellation_id}:") for cause in causes))


async def _sums(uow: UnitOfWork, cancellation_id: UUID) -> dict[RefundState, tuple[int, int]]:
    """By state how many refunds there are, and their sum; failed ones only while they wait."""
    columns = (Refund.state, func.count(), func.sum(Refund.amount_minor))
    found = await uow.session.execute(
        _refunds(uow, cancellation_id, *columns)
        .where(_is_ours(cancellation_id), or_(Refund.state != RefundState.FAILED, is_waiting()))
        .group_by(Refund.state)
    )
    sums = dict.fromkeys(RefundState, (0, 0))
    return sums | {RefundState(row[0]): (row[1], int(row[2])) for row in found}


async def _settled_minor(uow: UnitOfWork, cancellation_id: UUID) -> int:
    found = await uow.session.scalar(
        _refunds(uow, cancellation_id, func.sum(Refund.amount_minor)).where(
            _is_ours(cancellation_id), is_settled_otherwise()
        )
    )
    return int(found or 0)


async def _elsewhere_minor(uow: UnitOfWork, cancellation_id: UUID) -> int:
    since = select(Cancellation.requested_at).where(
        Cancellation.tenant_id == uow.tenant, Cancellation.id == cancellation_id
    )
    found = await uow.session.scalar(
        _refunds(uow, cancellation_id, func.sum(Refund.amount_minor)).where(
            Refund.cause == str(RefundCause.PROCESSOR),
            Refund.state != str(RefundState.FAILED),
            Refund.created_at >= since.scalar_subquery(),
        )
    )
    return int(found or 0)


async def _to_hand_back(uow: UnitOfWork, cancellation_id: UUID) -> list[ToHandBack]:
    """Those that wait first, with what they still wait for: a part may have been given before."""
    found = await uow.session.execute(
        select(
            CancellationReturn.id,
            CancellationReturn.order_id,
            CancellationReturn.by_hand_minor,
            CancellationReturn.handed_at,
            Order.guest_name,
            Order.guest_email,
        )
        .join(
            Order,
            (Order.tenant_id == CancellationReturn.tenant_id)
            & (Order.id == CancellationReturn.order_id),
        )
        .where(*_of(uow, cancellation_id), CancellationReturn.by_hand_minor > 0)
        .order_by(CancellationReturn.handed_at.is_not(None), Order.guest_name, Order.id)
        .limit(MOST_ROWS)
    )
    rows = found.all()
    waiting = await list_open_by_hand_minor(uow, [row.id for row in rows])
    return [
        ToHandBack(
            order_id=row.order_id,
            name=row.guest_name or row.guest_email,
            amount_minor=waiting.get(row.id, row.by_hand_minor),
            handed_at=row.handed_at,
        )
        for row in rows
    ]
