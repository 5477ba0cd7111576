"""What the processor's events set off. None is believed: each only says what to look at."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update

from src.billing.commands.connect import disconnect_account, recheck_account
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.inbox import find_inbox_event, mark_handled
from src.billing.domain.kinds import PageKind
from src.billing.events import ProcessorEventReceived
from src.billing.jobs.card_news import NOT_OURS, take_card_of_page, take_news_of_card
from src.billing.models import InboxEvent, Order, Payment, PaymentPage
from src.billing.processor import (
    ACCOUNT_OUT_OF_REACH,
    DefinitiveFailure,
    Dispute,
    ProcessorPage,
)
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import settle_page
from src.billing.stripe_gateway import StripeGateway
from src.platform.jobs.context import JobContext
from src.platform.services import Services

Handler = Callable[[Services, UUID, InboxEvent], Awaitable[str]]


async def handle_processor_event(job: JobContext, event: ProcessorEventReceived) -> None:
    """Consumer of ProcessorEventReceived. Raises: ProcessorError, so that it is tried again."""
    async with job.unit_of_work() as uow:
        inbox = await find_inbox_event(uow, event.inbox_id)
    outcome = NOT_OURS
    if inbox is not None and inbox.handled_at is None:
        outcome = await HANDLERS[inbox.type](job.services, job.tenant_id, inbox)
    async with job.unit_of_work(done=True) as uow:
        await mark_handled(uow, event.inbox_id, outcome)


async def _page_changed(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    if _object(inbox).get("mode") == "setup":
        return await take_card_of_page(services, tenant_id, inbox)
    claimed = _object(inbox).get("metadata", {}).get("page_id")
    return await _settle(services, tenant_id, inbox.account_id, inbox.object_id, claimed)


async def _card_payment_changed(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    """Of a card that is kept; the payment of a hosted page is told by the page itself."""
    words = _object(inbox).get("metadata") or {}
    if words.get("kind") != PageKind.CARD:
        return NOT_OURS
    return await _settle(
        services, tenant_id, inbox.account_id, inbox.object_id, words.get("page_id")
    )


async def _settle(
    services: Services,
    tenant_id: UUID,
    account_id: str | None,
    processor_id: str | None,
    claimed: object,
) -> str:
    page_id = await _find_page(services, tenant_id, account_id, processor_id, claimed)
    if page_id is None:
        return NOT_OURS
    return str(await settle_page(services, tenant_id, page_id))


async def _find_page(
    services: Services,
    tenant_id: UUID,
    account_id: str | None,
    processor_id: str | None,
    claimed: object,
) -> UUID | None:
    """Our row of the page, which may not know the processor's name for it yet: the event can be
    faster than the answer that it crossed. `claimed` is the row's id as the page names it.
    """
    async with services.uow_factory(tenant_id) as uow:
        found = await uow.session.execute(
            select(PaymentPage.id, PaymentPage.processor_id).where(
                PaymentPage.tenant_id == tenant_id,
                PaymentPage.account_id == account_id,
                or_(PaymentPage.processor_id == processor_id, PaymentPage.id == _uuid(claimed)),
            )
        )
        row = found.first()
        if row is not None and row.processor_id is None:
            await uow.session.execute(
                update(PaymentPage)
                .where(
                    PaymentPage.tenant_id == tenant_id,
                    PaymentPage.id == row.id,
                    PaymentPage.processor_id.is_(None),
                )
                .values(processor_id=processor_id)
            )
        return row.id if row is not None else None


async def _money_went_back(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    intent = _object(inbox).get("payment_intent")
    if not intent or await _payment_of(services, tenant_id, inbox, intent) is None:
        return NOT_OURS
    await take_refunds_of(services, tenant_id, intent)
    return "refunds looked at"


async def _disputed(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    dispute = await _dispute_now(services, inbox)
    intent = dispute.payment_intent_id
    found = await _payment_of(services, tenant_id, inbox, intent) if intent else None
    if found is None:
        return NOT_OURS
    async with services.uow_factory(tenant_id) as uow:
        if not await take_dispute_news(uow, *found, dispute):
            return "dispute decided before"
    return f"dispute {dispute.outcome or 'open'}"


async def _payment_of(
    services: Services, tenant_id: UUID, inbox: InboxEvent, payment_intent_id: str
) -> tuple[UUID, UUID, str] | None:
    """Ids of our payment and its order, and the order's reference; None for money that is not ours.

    News of a payment can be faster than that of its page: then the page is settled first, so that
    nothing that was said of the payment is lost. Raises: DefinitiveFailure while the account is out
    of reach, for then nobody can say whose money it is.
    """
    found = await _stored_payment(services, tenant_id, payment_intent_id)
    if found is None and await _settle_page_of(services, tenant_id, inbox, payment_intent_id):
        found = await _stored_payment(services, tenant_id, payment_intent_id)
    return found


async def _settle_page_of(
    services: Services, tenant_id: UUID, inbox: InboxEvent, payment_intent_id: str
) -> bool:
    account_id = inbox.account_id or ""
    gateway = services.port(StripeGateway)
    page = await gateway.find_checkout_page_of(account_id, payment_intent_id)
    if page is None:
        page = await _card_payment(gateway, account_id, payment_intent_id)
    if page is None:
        return False
    claimed = page.metadata.get("page_id")
    return await _settle(services, tenant_id, account_id, page.id, claimed) != NOT_OURS


async def _card_payment(
    gateway: StripeGateway, account_id: str, payment_intent_id: str
) -> ProcessorPage | None:
    """None for what the business took by itself, in its own dashboard or elsewhere."""
    found = await gateway.retrieve_card_payment(account_id, payment_intent_id)
    return found if found.metadata.get("kind") == PageKind.CARD else None


async def _stored_payment(
    services: Services, tenant_id: UUID, payment_intent_id: str
) -> tuple[UUID, UUID, str] | None:
    async with services.uow_factory(tenant_id) as uow:
        found = await uow.session.execute(
            select(Payment.id, Order.id, Order.reference)
            .join(Order, (Order.tenant_id == Payment.tenant_id) & (Order.id == Payment.order_id))
            .where(Payment.tenant_id == tenant_id, Payment.payment_intent_id == payment_intent_id)
        )
        row = found.first()
        return None if row is None else row._tuple()


async def _dispute_now(services: Services, inbox: InboxEvent) -> Dispute:
    """As it stands. A business that has disconnected is still told of what its event says."""
    gateway = services.port(StripeGateway)
    try:
        return await gateway.retrieve_dispute(inbox.account_id or "", inbox.object_id or "")
    except DefinitiveFailure as failure:
        if failure.code != ACCOUNT_OUT_OF_REACH:
            raise
        return gateway.read_dispute(_object(inbox))


async def _account_changed(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    may_charge = await recheck_account(services, tenant_id)
    return "may charge" if may_charge else "may not charge"


async def _account_gone(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    async with services.uow_factory(tenant_id) as uow:
        await disconnect_account(uow, inbox.account_id or "")
    return "disconnected"


def _object(inbox: InboxEvent) -> dict[str, Any]:
    """Empty for an account that is another business's by now."""
    found: dict[str, Any] = inbox.payload.get("data", {}).get("object", {})
    return found


def _uuid(text: object) -> UUID | None:
    try:
        return UUID(str(text))
    except ValueError:
        return None


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _page_changed,
    "checkout.session.async_payment_succeeded": _page_changed,
    "checkout.session.async_payment_failed": _page_changed,
    "checkout.session.expired": _page_changed,
    "payment_intent.succeeded": _card_payment_changed,
    "payment_intent.payment_failed": _card_payment_changed,
    "payment_intent.canceled": _card_payment_changed,
    "payment_method.automatically_updated": take_news_of_card,
    "payment_method.updated": take_news_of_card,
    "payment_method.detached": take_news_of_card,
    "refund.created": _money_went_back,
    "refund.updated": _money_went_back,
    "refund.failed": _money_went_back,
    "charge.refunded": _money_went_back,
    "charge.dispute.created": _disputed,
    "charge.dispute.closed": _disputed,
    "account.updated": _account_changed,
    "account.application.deauthorized": _account_gone,
}
