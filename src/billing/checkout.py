"""Sending a guest to pay: one order, one payment page, however often the button is pressed."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, select

from src.billing.commands.connect import recheck_account
from src.billing.commands.due import add_due, move_due
from src.billing.commands.ending import cancel_open_order
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import apply_page
from src.billing.domain.holds import HOLD_MARGIN, page_expires_at
from src.billing.domain.kinds import (
    NOT_PAYABLE_WHY,
    OrderState,
    PageOutcome,
    PageState,
    PaymentMode,
)
from src.billing.domain.page_keys import page_key
from src.billing.domain.retries import MAX_PAGE_ATTEMPTS, PAGE_DUE, next_page_check
from src.billing.gates import payments_not_ready, require_payments_ready_now
from src.billing.models import ConnectedAccount, Order, OrderLine, PaymentPage
from src.billing.page_body import Addresses, page_body
from src.billing.pages import PageCall, make_page
from src.billing.processor import TOO_SMALL, DefinitiveFailure, Uncertain
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.payment_settings import list_page_methods
from src.billing.settlement import close_page
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Gone, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services

NOT_PAYABLE = frozenset({TOO_SMALL, "payments_not_ready", "payment_page_refused"})
"""Refusals after which there is no page and will be none: asking again would change nothing."""


async def ensure_payment_page(
    services: Services, tenant_id: UUID, order_id: UUID, *, success_url: str, cancel_url: str
) -> str:
    """The address of the order's payment page, made now or at an earlier call.

    Never call it inside a transaction. The same order gets the same page again, and its hold is
    not prolonged by asking; only a definitive failure leads to another attempt. An order that
    nobody can pay is cancelled at once: it would keep its seats from others for nothing.
    Raises: NotFound; Conflict `already_paid`, or one of `NOT_PAYABLE`; Gone when the hold has
    ended; Unavailable when the processor does not answer, so that the guest may try again, or
    refuses, which is one of `NOT_PAYABLE` too.
    """
    addresses = Addresses(success_url=success_url, cancel_url=cancel_url)
    try:
        return await _ensure(services, tenant_id, order_id, addresses)
    except (Conflict, Unavailable) as refusal:
        if refusal.code in NOT_PAYABLE:
            await _let_go(services, tenant_id, order_id)
        raise


async def _let_go(services: Services, tenant_id: UUID, order_id: UUID) -> None:
    """Frees what the order holds, unless somebody else has got a page for it meanwhile."""
    with suppress(Conflict):
        async with services.uow_factory(tenant_id) as uow:
            await cancel_open_order(uow, order_id, NOT_PAYABLE_WHY, services.clock.now())


async def _ensure(services: Services, tenant_id: UUID, order_id: UUID, addresses: Addresses) -> str:
    call = await _prepare(services, tenant_id, order_id, addresses)
    if call.is_replay:
        try:
            return await _open(services, tenant_id, call)
        except DefinitiveFailure:
            call = await _prepare(services, tenant_id, order_id, addresses)
    try:
        return await _open(services, tenant_id, call)
    except DefinitiveFailure as failure:
        raise await _refused(services, tenant_id, failure) from failure


async def _refused(
    services: Services, tenant_id: UUID, failure: DefinitiveFailure
) -> Conflict | Unavailable:
    """What the processor's no means to a guest. Mostly the business may not charge any more."""
    if failure.code == TOO_SMALL:
        return Conflict(
            _("This amount is too small to be paid online. Please contact the business."),
            code=TOO_SMALL,
        )
    with suppress(Uncertain):
        if not await recheck_account(services, tenant_id):
            return payments_not_ready()
    return Unavailable(
        _("The payment could not be started. Nothing was charged."), code="payment_page_refused"
    )


async def _prepare(
    services: Services, tenant_id: UUID, order_id: UUID, addresses: Addresses
) -> PageCall:
    """The attempt to call for, stored and committed before the call."""
    async with services.uow_factory(tenant_id) as uow:
        order = await lock_order(uow, order_id)
        newest = await _newest_page(uow, order_id)
        _refuse_unless_payable(order, newest, services.clock.now())
        if newest is not None and newest.state != PageState.FAILED:
            return PageCall(row=newest, is_replay=True)
        attempt = newest.attempt + 1 if newest is not None else 1
        row = await _new_attempt(uow, services, order, addresses, attempt)
        return PageCall(row=row, is_replay=False)


def _refuse_unless_payable(order: Order, newest: PaymentPage | None, now: datetime) -> None:
    if order.payment_mode == PaymentMode.TRANSFER:
        raise Conflict(_("This is paid by bank transfer."), code="paid_by_transfer")
    paid = newest is not None and newest.state == PageState.COMPLETE
    if order.state == OrderState.CONFIRMED or paid:
        raise Conflict(_("This order is paid already."), code="already_paid")
    over = newest is not None and newest.state == PageState.EXPIRED
    if order.hold_expires_at is None or now >= order.hold_expires_at or over:
        raise _hold_over()
    if order.state != OrderState.OPEN:
        raise _hold_over()


def _hold_over() -> Gone:
    return Gone(
        _("The time to pay is over and the places are free again. Please book once more."),
        code="hold_over",
    )


async def _newest_page(uow: UnitOfWork, order_id: UUID) -> PaymentPage | None:
    found: PaymentPage | None = await uow.session.scalar(
        select(PaymentPage)
        .where(PaymentPage.tenant_id == uow.tenant, PaymentPage.order_id == order_id)
        .order_by(PaymentPage.attempt.desc())
        .limit(1)
    )
    return found


async def _new_attempt(
    uow: UnitOfWork, services: Services, order: Order, addresses: Addresses, attempt: int
) -> PaymentPage:
    """Writes the attempt down and lets the hold outlive its page."""
    if attempt > MAX_PAGE_ATTEMPTS:
        raise _hold_over()
    await require_payments_ready_now(uow)
    now = services.clock.now()
    expires_at = page_expires_at(now)
    page_id = new_id()
    lines = (await uow.session.scalars(_lines_of(uow, order.id))).all()
    fee_bp, code = services.settings.platform_fee_bp, await coupon_code_of(uow, order)
    methods = await list_page_methods(uow)
    body = page_body(
        order, lines, page_id, expires_at, addresses, fee_bp=fee_bp, code=code, methods=methods
    )
    page = PaymentPage(
        tenant_id=uow.tenant,
        id=page_id,
        order_id=order.id,
        attempt=attempt,
        account_id=await _account_id(uow),
        idempotency_key=page_key(page_id),
        body=body,
        state=str(PageState.PENDING),
        expires_at=expires_at,
        created_at=now,
        called_at=now,
    )
    uow.session.add(page)
    await _hold_as_long_as(uow, order, expires_at)
    await add_due(uow, PAGE_DUE, page_id, next_page_check(now, now))
    return page


async def _hold_as_long_as(uow: UnitOfWork, order: Order, page_ends_at: datetime) -> None:
    """The sweeper comes when a hold was to end and finds that it was prolonged; one that is made
    shorter, as a hold by link is, it would find too late.
    """
    before, order.hold_expires_at = order.hold_expires_at, page_ends_at + HOLD_MARGIN
    if before is not None and order.hold_expires_at < before:
        await move_due(uow, order.id, order.hold_expires_at)


def _lines_of(uow: UnitOfWork, order_id: UUID) -> Select[tuple[OrderLine]]:
    return (
        select(OrderLine)
        .where(OrderLine.tenant_id == uow.tenant, OrderLine.order_id == order_id)
        .order_by(OrderLine.position)
    )


async def _account_id(uow: UnitOfWork) -> str:
    account_id = await uow.session.scalar(
        select(ConnectedAccount.account_id).where(
            ConnectedAccount.tenant_id == uow.tenant, ConnectedAccount.disconnected_at.is_(None)
        )
    )
    if account_id is None:
        raise payments_not_ready()
    return account_id


async def _open(services: Services, tenant_id: UUID, call: PageCall) -> str:
    """Calls for the page unless its address is known, and stores what came back."""
    if call.row.state == PageState.OPEN and call.row.url is not None:
        return call.row.url
    try:
        found = await make_page(services, tenant_id, call)
    except Uncertain as doubt:
        raise Unavailable(
            _("The payment service does not answer. Nothing was charged; please try again."),
            code="payment_page_unsure",
        ) from doubt
    async with services.uow_factory(tenant_id) as uow:
        applied = await apply_page(uow, call.row.id, found)
    if applied.outcome == PageOutcome.PAID:
        raise Conflict(_("This order is paid already."), code="already_paid")
    if applied.order_state != OrderState.OPEN or found.url is None:
        await close_page(services, tenant_id, call.row.id)
        raise _hold_over()
    return found.url
