"""The processor's calls about one attempt, a hosted page or a card that its guest keeps."""

from datetime import datetime

from src.billing.domain.kinds import PageKind
from src.billing.models import PaymentPage
from src.billing.processor import ProcessorPage
from src.billing.stripe_gateway import StripeGateway


async def create(gateway: StripeGateway, row: PaymentPage) -> ProcessorPage:
    """Makes what the row's body says, or finds what this very attempt made before. To make a card's
    takes no money: only who presses asks for that, so it can always be made again to end it.
    """
    if row.kind == PageKind.CARD:
        return await gateway.create_card_payment(
            row.account_id, row.body["create"], row.idempotency_key
        )
    return await gateway.create_checkout_page(row.account_id, row.body, row.idempotency_key)


async def find(
    gateway: StripeGateway, row: PaymentPage, since: datetime, until: datetime
) -> ProcessorPage | None:
    if row.kind == PageKind.CARD:
        return await gateway.find_card_payment(row.account_id, str(row.id), since, until)
    return await gateway.find_checkout_page(row.account_id, str(row.id), since, until)


async def retrieve(gateway: StripeGateway, row: PaymentPage, processor_id: str) -> ProcessorPage:
    if row.kind == PageKind.CARD:
        return await gateway.retrieve_card_payment(row.account_id, processor_id)
    return await gateway.retrieve_checkout_page(row.account_id, processor_id)


async def end(gateway: StripeGateway, row: PaymentPage, processor_id: str) -> ProcessorPage:
    """Raises: DefinitiveFailure when it has been paid, or has ended."""
    if row.kind == PageKind.CARD:
        return await gateway.cancel_card_payment(row.account_id, processor_id)
    return await gateway.expire_checkout_page(row.account_id, processor_id)
