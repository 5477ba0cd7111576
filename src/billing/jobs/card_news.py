"""What the processor's events tell of cards: that a page has kept one, or what became of one."""

from uuid import UUID

from sqlalchemy import select

from src.billing.card_setup import take_card_of_setup
from src.billing.commands.cards import take_card_news
from src.billing.models import InboxEvent, SavedCard
from src.billing.processor import DefinitiveFailure, ProcessorCard
from src.billing.stripe_gateway import StripeGateway
from src.platform.services import Services

NOT_OURS = "not ours"


async def take_card_of_page(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    """A page without a payment has kept a card, perhaps."""
    account_id, page_id = inbox.account_id or "", inbox.object_id or ""
    is_kept = await take_card_of_setup(services, tenant_id, account_id, page_id)
    return "card kept" if is_kept else NOT_OURS


async def take_news_of_card(services: Services, tenant_id: UUID, inbox: InboxEvent) -> str:
    async with services.uow_factory(tenant_id) as uow:
        card = await uow.session.scalar(
            select(SavedCard).where(
                SavedCard.tenant_id == tenant_id,
                SavedCard.account_id == inbox.account_id,
                SavedCard.payment_method_id == inbox.object_id,
            )
        )
    if card is None:
        return NOT_OURS
    gateway = services.port(StripeGateway)
    news: ProcessorCard | None = None
    try:
        news = await gateway.retrieve_card(card.account_id, card.payment_method_id)
    except DefinitiveFailure as failure:
        if failure.code != "resource_missing":
            raise
    async with services.uow_factory(tenant_id) as uow:
        await take_card_news(uow, card.id, news)
    return "card looked at"
