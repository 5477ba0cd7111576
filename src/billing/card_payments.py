"""Paying with a card that its guest keeps: one press, without a page.

As with pages every attempt is a row before it is a call, and no call is made inside a transaction.
The payment is made first, which takes no money, and asked for after that: so whoever ends a hold
can cancel it, and whoever is unsure may make it again. Only a press asks for the money.
"""

from contextlib import suppress
from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from src.billing import page_calls
from src.billing.commands.cards import card_not_kept, end_card, get_usable_card
from src.billing.commands.connect import find_account, recheck_account
from src.billing.commands.due import add_due
from src.billing.commands.orders import lock_order
from src.billing.commands.settle import apply_page, lock_page
from src.billing.domain.amounts import application_fee_minor
from src.billing.domain.cards import GONE_CODE, CardState
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState, PageKind, PageOutcome, PageState
from src.billing.domain.page_keys import confirm_key, page_key
from src.billing.domain.processor_amounts import to_processor
from src.billing.domain.retries import MAX_CARD_ATTEMPTS, PAGE_DUE, next_page_check
from src.billing.gates import payments_not_ready, require_payments_ready_now
from src.billing.models import Order, PaymentPage, ProcessorCustomer, SavedCard
from src.billing.pages import PageCall, make_page
from src.billing.payable import no_answer, refuse_unless_payable, too_small
from src.billing.processor import (
    TOO_SMALL,
    DefinitiveFailure,
    ProcessorPage,
    Uncertain,
)
from src.billing.putting_aside import InTheWay, put_aside, why_in_the_way
from src.billing.queries.attempts import newest_page
from src.billing.settlement import close_page, settle_page
from src.billing.stripe_gateway import StripeGateway
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services

GONE = ("resource_missing", "payment_method_unexpected_state")


class CardOutcome(StrEnum):
    """`bank`: the bank asks its guest first. `unsure`: nobody knows yet, and it is being asked."""

    PAID = "paid"
    BANK = "bank"
    DECLINED = "declined"
    UNSURE = "unsure"


class CardAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What a press came to; `bank_url` is where the bank asks, and `why` its no."""

    outcome: CardOutcome
    bank_url: str = ""
    why: str = ""


class ByCard(msgspec.Struct, frozen=True, kw_only=True):
    """Who is signed in, the card of theirs that they chose, and where the bank sends them back.
    `today_on` is the day at the business.
    """

    customer_id: UUID
    card_id: UUID
    return_url: str
    today_on: date


async def pay_by_card(
    services: Services, tenant_id: UUID, order_id: UUID, by: ByCard
) -> CardAnswer:
    """Pays for an order with a card that its customer keeps, once however often it is pressed.

    Never call it inside a transaction. A card that does not pay leaves the hold as it is.
    Raises: Conflict `already_paid`, `too_many_attempts`, a code of `payable`, or `card_gone`, also
    for what is another's; Gone when the hold has ended; Unavailable.
    """
    try:
        await put_aside(services, tenant_id, order_id, lambda page: page.card_id != by.card_id)
    except Uncertain as doubt:
        raise no_answer() from doubt
    try:
        call = await _prepare(services, tenant_id, order_id, by)
    except InTheWay as still:
        raise await why_in_the_way(services, tenant_id) from still
    if call.row.processor_id is not None:
        # The answer to its making is as old as that: a press later asks how it stands now.
        return await _press_again(services, tenant_id, call.row)
    try:
        found = await make_page(services, tenant_id, call)
    except Uncertain:
        return CardAnswer(outcome=CardOutcome.UNSURE)
    except DefinitiveFailure as failure:
        if failure.code == TOO_SMALL:
            raise too_small() from failure
        return await _refused(services, tenant_id, call.row, failure)
    return await _go_on(services, call.row, found)


async def _press_again(services: Services, tenant_id: UUID, row: PaymentPage) -> CardAnswer:
    """A payment stays at the processor for good; only a business can be out of reach."""
    try:
        found = await page_calls.retrieve(services.port(StripeGateway), row, row.processor_id or "")
    except Uncertain:
        return CardAnswer(outcome=CardOutcome.UNSURE)
    except DefinitiveFailure as failure:
        return await _refused(services, tenant_id, row, failure)
    return await _go_on(services, row, found)


async def _go_on(services: Services, row: PaymentPage, found: ProcessorPage) -> CardAnswer:
    """Writes the payment down as it was `found`, and asks for the money unless somebody did."""
    async with services.uow_factory(row.tenant_id) as uow:
        applied = await apply_page(uow, row.id, found)
    may_be_asked = found.is_unconfirmed and applied.order_state == OrderState.OPEN
    if may_be_asked and await ask_for_money(services, row, found):
        return CardAnswer(outcome=CardOutcome.UNSURE)
    return await _how_it_stands(services, row.tenant_id, row.id)


async def ask_for_money(services: Services, row: PaymentPage, found: ProcessorPage) -> bool:
    """Whether nobody knows what came of it. A no is not told here: the payment itself tells."""
    try:
        await confirm_payment(services, row, found)
    except Uncertain:
        return True
    return False


async def confirm_payment(
    services: Services, row: PaymentPage, found: ProcessorPage
) -> DefinitiveFailure | None:
    """Asks for the money. Returns the processor's no, which is the bank's where the payment says
    that it was declined. Raises: Uncertain.
    """
    gateway, key = services.port(StripeGateway), confirm_key(row.id)
    try:
        await gateway.confirm_card_payment(row.account_id, found.id, row.body["confirm"], key)
    except DefinitiveFailure as failure:
        if failure.param == "payment_method":
            async with services.uow_factory(row.tenant_id) as uow:
                await put_off_card(uow, row.id)
            with suppress(Uncertain):
                await close_page(services, row.tenant_id, row.id)
        return failure
    return None


def is_about_card(failure: DefinitiveFailure) -> bool:
    """Whether the processor does not know the card, or whose it is."""
    return failure.param in ("payment_method", "customer") or failure.code in GONE


async def _how_it_stands(services: Services, tenant_id: UUID, page_id: UUID) -> CardAnswer:
    try:
        outcome = await settle_page(services, tenant_id, page_id)
    except Uncertain:
        return CardAnswer(outcome=CardOutcome.UNSURE)
    async with services.uow_factory(tenant_id) as uow:
        page = await uow.session.get_one(PaymentPage, (tenant_id, page_id))
    if outcome == PageOutcome.PAID:
        return CardAnswer(outcome=CardOutcome.PAID)
    if page.state == PageState.FAILED or outcome in (PageOutcome.DECLINED, PageOutcome.ENDED):
        return CardAnswer(outcome=CardOutcome.DECLINED, why=page.error or "")
    if outcome == PageOutcome.OPEN and page.url:
        return CardAnswer(outcome=CardOutcome.BANK, bank_url=page.url)
    return CardAnswer(outcome=CardOutcome.UNSURE)


async def _refused(
    services: Services, tenant_id: UUID, row: PaymentPage, failure: DefinitiveFailure
) -> CardAnswer:
    """The payment could not even be made: the card is gone, or the business may not charge."""
    if is_about_card(failure):
        async with services.uow_factory(tenant_id) as uow:
            await put_off_card(uow, row.id)
        return CardAnswer(outcome=CardOutcome.DECLINED, why=GONE_CODE)
    if not await may_charge(services, tenant_id):
        raise payments_not_ready() from failure
    raise Unavailable(
        _("The payment could not be started. Nothing was charged."), code="card_refused"
    ) from failure


async def may_charge(services: Services, tenant_id: UUID) -> bool:
    """Whether the business may charge as far as we know, after a no that says nothing of a card."""
    try:
        return await recheck_account(services, tenant_id)
    except Uncertain:
        return True


async def put_off_card(uow: UnitOfWork, page_id: UUID) -> None:
    """The card is the processor's no more."""
    _order, page = await lock_page(uow, page_id)
    page.error, page.put_aside_at = GONE_CODE, uow.clock.now()
    if page.card_id is not None:
        await end_card(uow, page.card_id, CardState.GONE)


async def _prepare(services: Services, tenant_id: UUID, order_id: UUID, by: ByCard) -> PageCall:
    """The attempt to call for, stored and committed before the call."""
    async with services.uow_factory(tenant_id) as uow:
        order = await lock_order(uow, order_id)
        if order.customer_id != by.customer_id:
            raise card_not_kept()
        newest, now = await newest_page(uow, order_id), services.clock.now()
        refuse_unless_payable(order, newest, now)
        if order.later_minor:
            raise Conflict(
                _("This is paid in parts: please pay the first one on the payment page."),
                code="paid_in_parts",
            )
        if newest is not None and newest.state != PageState.FAILED:
            if newest.card_id != by.card_id or newest.put_aside_at is not None:
                raise InTheWay
            return PageCall(row=newest, is_replay=True)
        card = await get_usable_card(uow, by.customer_id, by.card_id, by.today_on)
        fee_bp = services.settings.platform_fee_bp
        attempt = newest.attempt + 1 if newest is not None else 1
        row = await _new_attempt(uow, order, card, by.return_url, fee_bp, attempt)
        return PageCall(row=row, is_replay=False)


async def _new_attempt(
    uow: UnitOfWork,
    order: Order,
    card: SavedCard,
    return_url: str,
    fee_bp: int,
    attempt: int,
) -> PaymentPage:
    """Ends when the hold's time to pay does, and prolongs it by nothing."""
    await require_payments_ready_now(uow)
    await _refuse_too_many(uow, order.id)
    account = await find_account(uow)
    if account is None or account.account_id != card.account_id:
        raise card_not_kept()
    owner = await uow.session.get_one(ProcessorCustomer, (uow.tenant, card.processor_customer_id))
    now, page_id, ends_at = uow.clock.now(), new_id(), payable_until(order.hold_expires_at)
    assert ends_at is not None, "an open order has a hold"
    page = PaymentPage(
        tenant_id=uow.tenant,
        id=page_id,
        order_id=order.id,
        attempt=attempt,
        kind=str(PageKind.CARD),
        card_id=card.id,
        account_id=card.account_id,
        idempotency_key=page_key(page_id),
        body={
            "create": payment_body(
                order, card, owner.processor_id or "", page_id, fee_bp, order.to_pay_minor
            ),
            "confirm": {"return_url": return_url},
        },
        state=str(PageState.PENDING),
        expires_at=ends_at,
        created_at=now,
        called_at=now,
    )
    uow.session.add(page)
    await add_due(uow, PAGE_DUE, page_id, next_page_check(now, now))
    return page


async def _refuse_too_many(uow: UnitOfWork, order_id: UUID) -> None:
    tried = await uow.session.scalar(
        select(func.count(PaymentPage.id)).where(
            PaymentPage.tenant_id == uow.tenant,
            PaymentPage.order_id == order_id,
            PaymentPage.kind == str(PageKind.CARD),
        )
    )
    if (tried or 0) >= MAX_CARD_ATTEMPTS:
        raise Conflict(
            _("That was tried too often with cards that are kept. Please pay on the payment page."),
            code="too_many_attempts",
        )


def payment_body(
    order: Order,
    card: SavedCard,
    processor_customer: str,
    page_id: UUID,
    fee_bp: int,
    amount_minor: int,
) -> dict[str, Any]:
    """What is sent to make the payment, stored before the call and sent again word for word."""
    body: dict[str, Any] = {
        "amount": to_processor(amount_minor, order.currency),
        "currency": order.currency.lower(),
        "customer": processor_customer,
        "payment_method": card.payment_method_id,
        "allowed_payment_method_types": ["card"],
        "description": order.reference,
        "metadata": {
            "tenant_id": str(order.tenant_id),
            "order_id": str(order.id),
            "page_id": str(page_id),
            "kind": "card",
        },
    }
    fee_minor = application_fee_minor(amount_minor, fee_bp)
    if fee_minor:
        body["application_fee_amount"] = to_processor(fee_minor, order.currency)
    return body
