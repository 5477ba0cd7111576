"""Keeping a card without buying anything, on a page of the processor's.

No money moves, so there is no row of an attempt: a page that nobody fills in ends by itself, and
what one has kept is told by its event and by the guest's way back.
"""

from typing import Any
from uuid import UUID

from src.billing.commands.cards import store_card
from src.billing.commands.connect import find_account
from src.billing.domain.cards import consent_to_keep
from src.billing.domain.page_keys import setup_key
from src.billing.gates import payments_not_ready, require_payments_ready
from src.billing.processor import DefinitiveFailure, ProcessorCard, ProcessorError, Uncertain
from src.billing.processor_customers import ensure_processor_customer
from src.billing.stripe_gateway import StripeGateway
from src.platform.errors import Unavailable
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.context import TenantSnapshot

LONGEST_METADATA = 500
"""What the processor takes for one value."""
PAGE_ID = "{CHECKOUT_SESSION_ID}"
"""The processor puts the page's id in its place, in the address that the guest comes back to."""


async def begin_setup(
    services: Services, tenant: TenantSnapshot, customer_id: UUID, here_url: str
) -> str:
    """The address of a page that keeps a card, for who has agreed to that. They come back to
    `here_url`, with `kept` when a card was kept.

    Never call it inside a transaction. Raises: Conflict for a business that may not charge;
    Unavailable.
    """
    require_payments_ready(tenant)
    try:
        known_as = await ensure_processor_customer(services, tenant.id, customer_id)
        async with services.uow_factory(tenant.id) as uow:
            account = await find_account(uow)
        if account is None:
            raise payments_not_ready()
        agreed = consent_to_keep(tenant.name, services.clock.now(), "portal")
        body = _body(tenant, known_as, here_url, agreed)
        key = setup_key(str(new_id()))
        gateway = services.port(StripeGateway)
        url = await gateway.create_setup_page(account.account_id, body, key)
    except ProcessorError as failure:
        raise _not_just_now() from failure
    if url is None:
        raise _not_just_now()
    return url


def _body(
    tenant: TenantSnapshot, known_as: str, here_url: str, agreed: dict[str, Any]
) -> dict[str, Any]:
    metadata = {name: str(value)[:LONGEST_METADATA] for name, value in agreed.items()}
    return {
        "mode": "setup",
        "currency": tenant.currency.lower(),
        "customer": known_as,
        "allowed_payment_method_types": ["card"],
        "success_url": f"{here_url}?kept={PAGE_ID}",
        "cancel_url": here_url,
        "metadata": {"tenant_id": str(tenant.id), **metadata},
    }


def _not_just_now() -> Unavailable:
    return Unavailable(
        _("The payment service does not answer. Please try again in a moment."),
        code="setup_page_unsure",
    )


async def take_card_of_setup(
    services: Services, tenant_id: UUID, account_id: str, page_id: str
) -> bool:
    """Asks for the card that the page has kept, and writes it down with what its guest agreed to.
    The event does this and the guest's way back, whichever is first.

    Raises: Uncertain.
    """
    gateway = services.port(StripeGateway)
    try:
        found = await gateway.retrieve_kept_card(account_id, page_id)
    except DefinitiveFailure:
        return False
    if found is None or found.metadata.get("tenant_id") != str(tenant_id):
        return False
    agreed = _agreed(found)
    if not agreed:
        # A page on which something was paid: what it keeps is told of by the payment.
        return False
    async with services.uow_factory(tenant_id) as uow:
        return await store_card(uow, account_id, found, agreed) is not None


def _agreed(card: ProcessorCard) -> dict[str, str]:
    """What the page was made with, when its guest had ticked the box."""
    names = ("version", "text", "accepted_at", "where")
    return {name: card.metadata[name] for name in names if name in card.metadata}


async def look_at_setup(services: Services, tenant_id: UUID, page_id: str) -> bool:
    """Whether a card was kept on the page that a guest comes back from."""
    async with services.uow_factory(tenant_id) as uow:
        account = await find_account(uow)
    if account is None:
        return False
    try:
        return await take_card_of_setup(services, tenant_id, account.account_id, page_id)
    except Uncertain:
        return False
