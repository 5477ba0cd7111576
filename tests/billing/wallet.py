"""A customer's cards, as tests keep them and pay with them."""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from src.billing.card_payments import ByCard, CardAnswer, pay_by_card
from src.billing.checkout import Keep, ensure_payment_page
from src.billing.domain.cards import consent_to_keep
from src.billing.models import PaymentPage, SavedCard
from src.billing.settlement import settle_page
from tests.billing.till import CANCEL_URL, SUCCESS_URL, Till

RETURN_URL = "http://testserver.local/b/harbour/back?paid=1"
VISA = "4242424242424242"
ALWAYS_ASKS = "4000002760003184"
DECLINED_LATER = "4000000000000341"


def keep(till: Till, customer_id: UUID | None = None) -> Keep:
    consent = consent_to_keep("Harbour", till.clock.now(), "checkout")
    return Keep(customer_id=customer_id or till.business.customer_id, consent=consent)


async def pay_and_keep(
    till: Till, card: str = VISA, *, customer_id: UUID | None = None, **how: Any
) -> UUID:
    """An order paid on its page by somebody who keeps their card; nothing in the background yet."""
    changes = {} if customer_id is None else {"customer_id": customer_id}
    order_id = await till.order(**changes)
    await ensure_payment_page(
        till.services,
        till.business.id,
        order_id,
        success_url=SUCCESS_URL,
        cancel_url=CANCEL_URL,
        keep=keep(till, customer_id),
    )
    (page,) = await till.rows(PaymentPage, order_id)
    await till.pay(page.processor_id or "", card=card, **how)
    await settle_page(till.services, till.business.id, page.id)
    return order_id


async def a_card(till: Till, card: str = VISA, customer_id: UUID | None = None) -> SavedCard:
    """A card that is kept. One that declines everything is kept on a page without a payment."""
    till.places.left += 1
    if card == DECLINED_LATER:
        await pay_and_keep(till, VISA, customer_id=customer_id)
        await till.work()
        found = (await cards(till))[-1]
        with till.stripe.engine.work(till.account_id) as work:
            work.store.save_private(found.payment_method_id, {"number": DECLINED_LATER})
        return found
    await pay_and_keep(till, card, customer_id=customer_id)
    await till.work()
    return (await cards(till))[-1]


async def cards(till: Till) -> list[SavedCard]:
    async with till.services.uow_factory(till.business.id) as uow:
        return list(await uow.session.scalars(select(SavedCard).order_by(SavedCard.id)))


async def press(
    till: Till, order_id: UUID, card: SavedCard, customer_id: UUID | None = None
) -> CardAnswer:
    by = ByCard(
        customer_id=customer_id or till.business.customer_id,
        card_id=card.id,
        return_url=RETURN_URL,
        today_on=till.clock.now().date(),
    )
    return await pay_by_card(till.services, till.business.id, order_id, by)
