"""One order with everything about its money."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.billing.commands.lapse_package import waits_at_desk
from src.billing.commands.orders import get_order
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import (
    BY_HAND_METHODS,
    TRANSFER_METHOD,
    VOUCHER_METHOD,
    OrderState,
    PageKind,
    PaymentMode,
    RefundState,
)
from src.billing.domain.package_sale import WAITS_FOR_MONEY
from src.billing.lines import handlers_of, list_sold_by_tier
from src.billing.models import OpenItem, OrderLine, Payment, PaymentPage, Refund
from src.billing.owed import get_not_due_minor, get_owed_minor
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.disputes import (
    get_taken_back_minor,
    list_disputes_of_order,
    list_payments_with_the_bank,
)
from src.billing.queries.never_paid import get_never_came_minor, was_never_paid
from src.billing.queries.orders import open_item_view
from src.billing.queries.parts import get_parts_view
from src.billing.queries.timeline import History, timeline
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.billing.queries.transfers import (
    BoughtCredits,
    get_bought_credits,
    is_transfer_awaited,
    list_mistakable,
)
from src.billing.standing import get_is_all_cancelled
from src.billing.views.orders import (
    LineView,
    OpenItemView,
    OrderPage,
    PageView,
    PaymentView,
    RefundView,
)
from src.billing.views.parts import PartsView
from src.billing.words import refund_failure
from src.platform.db.uow import UnitOfWork
from src.platform.mail.queue import find_refusal
from src.tenants.context import TenantSnapshot
from src.tenants.models import AuditEntry

Row = TypeVar("Row")

OUT_OF_ITS_SIGHT = (*BY_HAND_METHODS, VOUCHER_METHOD)
"""Methods of payments that the processor knows nothing of."""


class _Around(NamedTuple):
    """What an order's own rows do not tell of it."""

    owed_minor: int
    not_due_minor: int
    taken_back_minor: int
    is_all_cancelled: bool
    coupon: str
    mail_refused: str | None
    standing: int
    pages_of_sold: Sequence[tuple[str, str]]
    with_the_bank: Container[UUID]
    to_hand_back_minor: int
    now_for: Mapping[str, Sequence[str]]
    may_be_mistaken: bool
    never_came_minor: int
    credits: BoughtCredits
    package_waits: bool
    in_parts: PartsView | None


async def get_order_page(uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID) -> OrderPage:
    """Raises: NotFound."""
    order = await get_order(uow, order_id)
    kinds = await handlers_of(uow, order)
    fates = [await kind.fate(uow, order_id, tenant.zone) for kind in kinds]
    history = History(
        order=order,
        pages=await _of_order(uow, PaymentPage, order_id),
        payments=await _of_order(uow, Payment, order_id),
        refunds=await _of_order(uow, Refund, order_id),
        items=await _of_order(uow, OpenItem, order_id),
        audit=await _audit_of(uow, order_id),
        disputes=await list_disputes_of_order(uow, order_id),
        ended=[end for fate in fates for end in fate.ended],
        moved=[move for fate in fates for move in fate.moved],
        dates_moved=[move for fate in fates for move in fate.dates_moved],
        holds_places=not kinds or any(kind.holds_places for kind in kinds),
    )
    lines = await _of_order(uow, OrderLine, order_id)
    around = _Around(
        owed_minor=await get_owed_minor(uow, order_id),
        not_due_minor=await get_not_due_minor(uow, order_id),
        taken_back_minor=await get_taken_back_minor(uow, order_id),
        is_all_cancelled=await get_is_all_cancelled(uow, order_id),
        coupon=await coupon_code_of(uow, order),
        mail_refused=await find_refusal(uow, order.guest_email, order.created_at),
        standing=sum(fate.standing for fate in fates),
        pages_of_sold=[one for fate in fates for one in fate.pages],
        with_the_bank=await list_payments_with_the_bank(uow, order_id),
        to_hand_back_minor=await get_to_hand_back_minor(uow, order_id),
        now_for=await list_sold_by_tier(uow, order_id, tenant),
        may_be_mistaken=bool(await list_mistakable(uow, order_id)),
        never_came_minor=await get_never_came_minor(uow, order),
        credits=await get_bought_credits(uow, order_id),
        package_waits=await waits_at_desk(uow, order),
        in_parts=await get_parts_view(uow, order, tenant.zone),
    )
    return _page(tenant, history, sorted(lines, key=lambda line: line.position), around)


async def _of_order(uow: UnitOfWork, model: type[Row], order_id: UUID) -> Sequence[Row]:
    table: Any = model
    found = await uow.session.scalars(
        select(table)
        .where(table.tenant_id == uow.tenant, table.order_id == order_id)
        .order_by(table.id)
    )
    return found.all()


async def _audit_of(uow: UnitOfWork, order_id: UUID) -> Sequence[AuditEntry]:
    found = await uow.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.tenant_id == uow.tenant, AuditEntry.subject_id == order_id)
        .order_by(AuditEntry.id)
    )
    return found.all()


def _page(
    tenant: TenantSnapshot,
    history: History,
    lines: Sequence[OrderLine],
    around: _Around,
) -> OrderPage:
    order = history.order
    return OrderPage(
        slug=tenant.slug,
        zone=tenant.timezone,
        id=order.id,
        customer_id=order.customer_id,
        reference=order.reference,
        state=order.state,
        is_all_cancelled=around.is_all_cancelled,
        payment_mode=order.payment_mode,
        currency=order.currency,
        guest_name=order.guest_name,
        guest_email=order.guest_email,
        guest_phone=order.guest_phone,
        source=order.source,
        created_at=order.created_at,
        pay_until_at=payable_until(order.hold_expires_at),
        closed_why=order.closed_why,
        coupon=around.coupon,
        discount_minor=order.discount_minor,
        voucher_minor=order.voucher_minor,
        total_minor=order.total_minor,
        tax_minor=sum(line.tax_minor for line in lines),
        paid_minor=order.paid_minor,
        refunded_minor=order.refunded_minor,
        taken_back_minor=around.taken_back_minor,
        owed_minor=around.owed_minor,
        not_due_minor=around.not_due_minor,
        returning_minor=_returning_minor(history),
        to_hand_back_minor=around.to_hand_back_minor,
        lines=line_views(lines, around.now_for),
        payments=[payment_view(one, around.with_the_bank) for one in history.payments],
        refunds=_refunds(history, around.with_the_bank),
        pages=[_payment_page(page) for page in history.pages],
        open_items=_open_items(history, around.with_the_bank),
        timeline=timeline(history),
        disputes=list(history.disputes),
        mail_refused=around.mail_refused,
        standing=around.standing,
        pages_of_sold=around.pages_of_sold,
        holds_places=history.holds_places,
        may_still_come=_may_still_come(history),
        was_never_paid=was_never_paid(history.order),
        missing_minor=_missing_minor(history),
        never_came_minor=around.never_came_minor,
        may_be_mistaken=around.may_be_mistaken,
        is_package=around.credits.is_package,
        credits_in_places=around.credits.in_places,
        are_credits_off=around.credits.are_off,
        package_waits_until_at=order.created_at + WAITS_FOR_MONEY if around.package_waits else None,
        in_parts=around.in_parts,
    )


def _may_still_come(history: History) -> bool:
    """Whether less was noted of transfers than the order cost. What went back had come. It may of a
    package as well that is cancelled, since its transfer was taken off.
    """
    order = history.order
    is_over = order.state != OrderState.CONFIRMED or was_never_paid(order)
    if order.payment_mode != PaymentMode.TRANSFER or not is_over:
        return False
    noted = [one.amount_minor for one in history.payments if one.method == TRANSFER_METHOD]
    return sum(noted) < order.to_pay_minor


def _missing_minor(history: History) -> int:
    """Of a transfer that is waited for while a part of it is there; 0 where none of it is."""
    order = history.order
    received_minor = sum(
        one.amount_minor - one.refunded_minor
        for one in history.payments
        if one.method == TRANSFER_METHOD and not one.is_extra
    )
    if not is_transfer_awaited(order) or not received_minor:
        return 0
    return order.to_pay_minor - received_minor


def _returning_minor(history: History) -> int:
    """Refunds under way; those in another currency never counted for the order."""
    ours = {one.id for one in history.payments if one.currency == history.order.currency}
    return sum(
        refund.amount_minor
        for refund in history.refunds
        if refund.state == RefundState.PENDING and refund.payment_id in ours
    )


def _open_items(history: History, with_the_bank: Container[UUID]) -> list[OpenItemView]:
    """Without a way to try a refund again of what a bank has taken back, and of one that is more
    than is left with the way to give back the rest.
    """
    gone = {one.id for one in history.refunds if one.payment_id in with_the_bank}
    too_much = {
        one.id: one.payment_id
        for one in history.refunds
        if one.id not in gone and _is_too_much(history, one)
    }
    return [
        msgspec.structs.replace(view, refund_id=None, payment_id=too_much.get(view.refund_id))
        if view.refund_id in gone or view.refund_id in too_much
        else view
        for view in map(open_item_view, _still_open(history.items))
    ]


def _left_minor(history: History, refund: Refund) -> int:
    payment = next(one for one in history.payments if one.id == refund.payment_id)
    return payment.amount_minor - payment.refunded_minor


def _is_too_much(history: History, refund: Refund) -> bool:
    """It failed, and since then so much went back in another way that it cannot be tried again."""
    failed = refund.state == RefundState.FAILED
    return failed and refund.amount_minor > _left_minor(history, refund)


def _still_open(items: Iterable[OpenItem]) -> list[OpenItem]:
    return [item for item in items if item.closed_at is None]


def line_views(lines: Sequence[OrderLine], now_for: Mapping[str, Sequence[str]]) -> list[LineView]:
    """What the lines of one kind of price are for by now stands below each of them, or once where
    they are for several dates.
    """
    views, told = list[LineView](), set[str]()
    for line in lines:
        bought = {other.description for other in lines if other.tier == line.tier}
        is_told = line.tier in told and len(bought) > 1
        told.add(line.tier)
        now = () if is_told else now_for.get(line.tier, ())
        views.append(line_view(line, in_other_words(bought, now)))
    return views


def in_other_words(bought: Collection[str], now_for: Sequence[str]) -> str:
    """What an order is for by now, empty where that is what was bought."""
    return "; ".join(now_for) if set(now_for).difference(bought) else ""


def line_view(line: OrderLine, by_now: str = "") -> LineView:
    return LineView(
        description=line.description,
        by_now=by_now,
        tier=line.tier,
        quantity=line.quantity,
        unit_minor=line.unit_minor,
        discount_minor=line.discount_minor,
        total_minor=line.total_minor,
        tax_rate_bp=line.tax_rate_bp,
        tax_minor=line.tax_minor,
    )


def payment_view(payment: Payment, with_the_bank: Container[UUID]) -> PaymentView:
    """Of payments that a bank has taken back, `with_the_bank`, nothing is left to go back."""
    by_hand = payment.method in BY_HAND_METHODS
    is_gone = payment.id in with_the_bank
    left_minor = 0 if by_hand or is_gone else payment.amount_minor - payment.refunded_minor
    return PaymentView(
        id=payment.id,
        amount_minor=payment.amount_minor,
        fee_minor=payment.fee_minor,
        refunded_minor=payment.refunded_minor,
        left_minor=left_minor,
        currency=payment.currency,
        method=payment.method,
        arrived_on=payment.arrived_on,
        voucher_id=payment.voucher_id,
        is_extra=payment.is_extra,
        received_at=payment.received_at,
        processor_id="" if payment.method in OUT_OF_ITS_SIGHT else payment.payment_intent_id,
        is_with_the_bank=is_gone,
    )


def _refunds(history: History, with_the_bank: Container[UUID]) -> list[RefundView]:
    currencies = {payment.id: payment.currency for payment in history.payments}
    waiting = {item.subject_id for item in _still_open(history.items)}
    return [
        _refund(
            refund,
            currencies[refund.payment_id],
            is_waiting=refund.id in waiting,
            is_with_the_bank=refund.payment_id in with_the_bank,
            left_minor=_left_minor(history, refund),
        )
        for refund in history.refunds
    ]


def _refund(
    refund: Refund, currency: str, *, is_waiting: bool, is_with_the_bank: bool, left_minor: int
) -> RefundView:
    return RefundView(
        id=refund.id,
        payment_id=refund.payment_id,
        amount_minor=refund.amount_minor,
        currency=currency,
        cause=refund.cause,
        state=refund.state,
        error=_why_failed(refund),
        created_at=refund.created_at,
        attempt=refund.attempt,
        finished_at=refund.finished_at,
        is_waiting=is_waiting,
        is_with_the_bank=is_with_the_bank,
        left_minor=left_minor,
        voucher_id=refund.voucher_id,
    )


def _payment_page(page: PaymentPage) -> PageView:
    return PageView(
        attempt=page.attempt,
        state=page.state,
        expires_at=page.expires_at,
        processor_id=page.processor_id,
        # What a bank says of a guest's card is between the two of them.
        error=page.error if page.kind == PageKind.PAGE else None,
    )


def _why_failed(refund: Refund) -> str | None:
    """In the current language; None where it did not fail."""
    return refund_failure(refund.error) if refund.state == RefundState.FAILED else None
