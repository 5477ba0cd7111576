"""Who a customer is at the processor: made when they keep their first card, by one call at most."""

from uuid import UUID

from src.billing.commands.cards import main_processor_customer, name_processor_customer
from src.billing.commands.connect import find_account
from src.billing.domain.page_keys import customer_key
from src.billing.gates import payments_not_ready
from src.billing.stripe_gateway import StripeGateway
from src.platform.services import Services


async def ensure_processor_customer(services: Services, tenant_id: UUID, customer_id: UUID) -> str:
    """The processor's name for the customer on the business's account. No money moves here: the
    row's id is the key, so the same wish makes one.

    Never call it inside a transaction. Raises: Conflict for a business without an account;
    NotFound for who was erased; DefinitiveFailure, Uncertain.
    """
    async with services.uow_factory(tenant_id) as uow:
        account = await find_account(uow)
        if account is None or account.disconnected_at is not None:
            raise payments_not_ready()
        row = await main_processor_customer(uow, customer_id, account.account_id)
    if row.processor_id is not None:
        return row.processor_id
    gateway = services.port(StripeGateway)
    known_as = await gateway.create_customer(row.account_id, row.body, customer_key(row.id))
    async with services.uow_factory(tenant_id) as uow:
        await name_processor_customer(uow, row.id, known_as)
    return known_as
