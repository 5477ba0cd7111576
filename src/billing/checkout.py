"""Sending a guest to pay: one order, one payment page, however often the button is pressed."""

from contextlib import suppress
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Select, func, select

from src.billing.commands.cards import give_up_processor_customer
from src.billing.commands.connect import recheck_account
from src.billing.commands.due import add_due, move_due
from src.billing.commands.ending import cancel_open_order
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import apply_page
from src.billing.domain.holds import HOLD_MARGIN, page_expires_at
from src.billing.domain.kinds import (
    NOT_PAYABLE_WHY,
    OrderState,
    PageKind,
    PageOutcome,
    PageState,
)
from src.billing.domain.page_keys import page_key
from src.billing.domain.retries import MAX_PAGE_ATTEMPTS, PAGE_DUE, next_page_check
from src.billing.gates import payments_not_ready, require_payments_ready_now
from src.billing.models import ConnectedAccount, Order, OrderLine, PaymentPage
from src.billing.page_body import Addresses, page_body
from src.billing.pages import PageCall, make_page
from src.billing.payable import (
    already_paid,
    hold_over,
    no_answer,
    refuse_unless_payable,
    too_small,
)
from src.billing.processor import TOO_SMALL, DefinitiveFailure, ProcessorError, Uncertain
from src.billing.processor_customers import ensure_processor_customer
from src.billing.putting_aside import InTheWay, put_aside, why_in_the_way
from src.billing.queries.attempts import newest_page
from src.billing.queries.coupon_use import coupon_code_of
from src.billing.queries.payment_settings import list_page_methods
from src.billing.settlement import close_page
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services

log = structlog.get_logger(__name__)

NOT_PAYABLE = frozenset({TOO_SMALL, "payments_not_ready", "payment_page_refused"})
"""Refusals after which there is no page and will be none: asking again would change nothing."""


class Keep(msgspec.Struct, frozen=True, kw_only=True):
    """What the guest who goes on to pay wants of their card: `consent` is what they agreed to who
    keep it, None of who does not want that. They are signed in who keep one: it is
    `customer_id`'s. `is_needed`: nothing is paid with a card that cannot be kept, for it is to pay
    later parts too.
    """

    customer_id: UUID | None = None
    consent: dict[str, Any] | None = None
    is_needed: bool = False


async def ensure_payment_page(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    *,
    success_url: str,
    cancel_url: str,
    keep: Keep | None = None,
) -> str:
    """The address of the order's payment page, made now or at an earlier call.

    Never call it inside a transaction. The same order gets the same page again, and its hold is
    not prolonged by asking; only a definitive failure leads to another attempt, and who chooses
    the page instead of a card, or says otherwise than before whether to `keep` theirs; without it
    the page stays as it is. An order that nobody can pay is cancelled at once: it would keep its
    seats from others for nothing.
    Raises: NotFound; Conflict `already_paid`, `too_many_attempts`, or one of `NOT_PAYABLE`; Gone
    when the hold has ended; Unavailable when the processor does not answer, so that the guest may
    try again, or refuses, which is one of `NOT_PAYABLE` too.
    """
    addresses = Addresses(success_url=success_url, cancel_url=cancel_url)
    try:
        try:
            return await _ensure(services, tenant_id, order_id, addresses, keep)
        except InTheWay as still:
            raise await why_in_the_way(services, tenant_id) from still
    except (Conflict, Unavailable) as refusal:
        if refusal.code in NOT_PAYABLE:
            await _let_go(services, tenant_id, order_id)
        raise


async def _let_go(services: Services, tenant_id: UUID, order_id: UUID) -> None:
    """Frees what the order holds, unless somebody else has got a page for it meanwhile."""
    with suppress(Conflict):
        async with services.uow_factory(tenant_id) as uow:
            await cancel_open_order(uow, order_id, NOT_PAYABLE_WHY, services.clock.now())


async def _ensure(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    addresses: Addresses,
    keep: Keep | None,
) -> str:
    wish = await _wish(services, tenant_id, order_id, addresses, keep)
    call = await _prepare(services, tenant_id, order_id, wish)
    if call.is_replay:
        try:
            return await _open(services, tenant_id, call)
        except DefinitiveFailure:
            call = await _prepare(services, tenant_id, order_id, wish)
    try:
        return await _open(services, tenant_id, call)
    except DefinitiveFailure as failure:
        if failure.param != "customer" or wish.processor_customer is None:
            raise await refused(services, tenant_id, failure) from failure
        # Who they were there was taken off in the dashboard; they keep nothing this time.
        async with services.uow_factory(tenant_id) as uow:
            await give_up_processor_customer(uow, wish.processor_customer)
    if keep is not None and keep.is_needed:
        raise _page_unsure()
    return await _ensure(services, tenant_id, order_id, addresses, Keep())


class _Wish(NamedTuple):
    """What the page is to be like. `processor_customer` is who keeps the card that pays there."""

    addresses: Addresses
    consent: dict[str, Any] | None
    processor_customer: str | None


async def _wish(
    services: Services,
    tenant_id: UUID,
    order_id: UUID,
    addresses: Addresses,
    keep: Keep | None,
) -> _Wish:
    """What is in the way of such a page is put aside. Where the processor cannot be asked to keep a
    card just now, the guest pays all the same, and it is not kept.
    """
    try:
        await put_aside(services, tenant_id, order_id, lambda page: _is_in_the_way(page, keep))
    except Uncertain as doubt:
        raise no_answer() from doubt
    if keep is None or keep.consent is None or keep.customer_id is None:
        return _Wish(addresses, None, None)
    try:
        known_as = await ensure_processor_customer(services, tenant_id, keep.customer_id)
    except (ProcessorError, Conflict) as failure:
        if keep.is_needed:
            raise _page_unsure() from failure
        log.warning("card_not_kept", order_id=str(order_id), error=str(failure))
        return _Wish(addresses, None, None)
    return _Wish(addresses, keep.consent, known_as)


def _is_in_the_way(page: PaymentPage, keep: Keep | None) -> bool:
    if page.kind == PageKind.CARD:
        return True
    wants_to = keep is not None and keep.consent is not None
    return keep is not None and wants_to != (page.keeps_card is not None)


def _page_unsure() -> Unavailable:
    """No page was shown to anybody yet, and nobody can have paid on it."""
    return Unavailable(
        _("The payment service does not answer. Nothing was charged; please try again."),
        code="payment_page_unsure",
    )


async def refused(
    services: Services, tenant_id: UUID, failure: DefinitiveFailure
) -> Conflict | Unavailable:
    """What the processor's no means to a guest. Mostly the business may not charge any more."""
    if failure.code == TOO_SMALL:
        return too_small()
    with suppress(Uncertain):
        if not await recheck_account(services, tenant_id):
            return payments_not_ready()
    return Unavailable(
        _("The payment could not be started. Nothing was charged."), code="payment_page_refused"
    )


async def _prepare(services: Services, tenant_id: UUID, order_id: UUID, wish: _Wish) -> PageCall:
    """The attempt to call for, stored and committed before the call."""
    async with services.uow_factory(tenant_id) as uow:
        order = await lock_order(uow, order_id)
        newest = await newest_page(uow, order_id)
        refuse_unless_payable(order, newest, services.clock.now())
        if newest is not None and newest.state != PageState.FAILED:
            if newest.kind == PageKind.CARD or newest.put_aside_at is not None:
                raise InTheWay
            return PageCall(row=newest, is_replay=True)
        attempt = newest.attempt + 1 if newest is not None else 1
        row = await _new_attempt(uow, services, order, wish, attempt)
        return PageCall(row=row, is_replay=False)


async def _new_attempt(
    uow: UnitOfWork, services: Services, order: Order, wish: _Wish, attempt: int
) -> PaymentPage:
    """Writes the attempt down and lets the hold outlive its page."""
    if await _count_pages(uow, order.id) >= MAX_PAGE_ATTEMPTS:
        raise _too_many_pages()
    await require_payments_ready_now(uow)
    now = services.clock.now()
    expires_at = page_expires_at(now)
    page_id = new_id()
    lines = (await uow.session.scalars(_lines_of(uow, order.id))).all()
    fee_bp, code = services.settings.platform_fee_bp, await coupon_code_of(uow, order)
    # What is to pay later parts too is a card.
    methods = [] if order.later_minor else await list_page_methods(uow)
    body = page_body(
        order,
        lines,
        page_id,
        expires_at,
        wish.addresses,
        fee_bp=fee_bp,
        code=code,
        methods=methods,
        keeper=wish.processor_customer,
    )
    page = PaymentPage(
        tenant_id=uow.tenant,
        id=page_id,
        order_id=order.id,
        attempt=attempt,
        kind=str(PageKind.PAGE),
        keeps_card=wish.consent,
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


def _too_many_pages() -> Conflict:
    return Conflict(
        _(
            "The payment was begun too often. Please wait until the time to pay is over, then book"
            " once more."
        ),
        code="too_many_attempts",
    )


async def _count_pages(uow: UnitOfWork, order_id: UUID) -> int:
    """Attempts with cards that are kept prolong nothing, and do not count."""
    found = await uow.session.scalar(
        select(func.count(PaymentPage.id)).where(
            PaymentPage.tenant_id == uow.tenant,
            PaymentPage.order_id == order_id,
            PaymentPage.kind == str(PageKind.PAGE),
        )
    )
    return found or 0


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
        raise _page_unsure() from doubt
    async with services.uow_factory(tenant_id) as uow:
        applied = await apply_page(uow, call.row.id, found)
    if applied.outcome == PageOutcome.PAID:
        raise already_paid()
    if applied.order_state != OrderState.OPEN or found.url is None:
        await close_page(services, tenant_id, call.row.id)
        raise hold_over()
    return found.url
