"""What the processor has to do, or to tell, about cards that guests keep."""

from uuid import UUID

import structlog
from sqlalchemy import update

from src.billing.card_mails import card_key, card_mail
from src.billing.commands.cards import store_card
from src.billing.commands.plan_cards import use_card
from src.billing.domain.cards import CardState
from src.billing.domain.parts import is_of_plan
from src.billing.events import CardEnded, CardKept, CardToKeep, ProcessorCustomerEnded
from src.billing.models import PaymentPage, ProcessorCustomer, SavedCard
from src.billing.pages import CLOCK_SKEW
from src.billing.processor import DefinitiveFailure, ProcessorCard
from src.billing.queries.cards import find_in_place_of
from src.billing.stripe_gateway import StripeGateway
from src.platform.jobs.context import JobContext
from src.platform.mail.queue import has_mail, queue_mail
from src.tenants.models import Customer
from src.tenants.queries.tenants import tenant_snapshot
from src.tenants.queries.wordings import find_wordings

log = structlog.get_logger(__name__)


async def keep_card(job: JobContext, event: CardToKeep) -> None:
    """Consumer of CardToKeep: the card that has paid is written down, unless something else paid.

    Raises: Uncertain.
    """
    async with job.unit_of_work() as uow:
        page = await uow.session.get(PaymentPage, (job.tenant_id, event.page_id))
    found = await _kept_by(job, page) if page is not None else None
    async with job.unit_of_work(done=True) as uow:
        if page is not None and found is not None:
            card_id = await store_card(uow, page.account_id, found, page.keeps_card or {})
            if card_id is not None and is_of_plan(page.keeps_card):
                await use_card(uow, page.order_id, card_id)


async def _kept_by(job: JobContext, page: PaymentPage) -> ProcessorCard | None:
    """None for an account that is out of reach by now: its cards are of no use to anybody."""
    gateway: StripeGateway = job.services.port(StripeGateway)
    try:
        return await gateway.retrieve_kept_card(page.account_id, page.processor_id or "")
    except DefinitiveFailure as failure:
        log.warning("kept_card_not_found", page_id=str(page.id), error=str(failure))
        return None


async def tell_of_kept_card(job: JobContext, event: CardKept) -> None:
    """Consumer of CardKept: its guest has it in writing, once. One that is kept no longer by now is
    not told of; one that was kept again meanwhile is told of by its new row, which nobody has told
    of, since it was taken for no news.
    """
    settings = job.services.settings
    async with job.unit_of_work(done=True) as uow:
        card = await uow.session.get(SavedCard, (uow.tenant, event.card_id))
        if card is not None and card.state != CardState.USABLE:
            was_told = await has_mail(uow, card_key(card))
            card = None if was_told else await find_in_place_of(uow, card)
        if card is None:
            return
        owner = await uow.session.get_one(Customer, (uow.tenant, card.customer_id))
        if not owner.email:
            return
        tenant = await tenant_snapshot(uow, uow.tenant, job.clock.now())
        mail = card_mail(settings, tenant, owner, card, await find_wordings(uow))
        await queue_mail(uow, mail, host=settings.host)


async def detach_card(job: JobContext, event: CardEnded) -> None:
    """Consumer of CardEnded. One that is nobody's any more there, or out of reach, is through.

    Raises: Uncertain.
    """
    async with job.unit_of_work() as uow:
        card = await uow.session.get(SavedCard, (job.tenant_id, event.card_id))
    if card is not None and card.detached_at is None:
        try:
            await job.services.port(StripeGateway).detach_card(
                card.account_id, card.payment_method_id
            )
        except DefinitiveFailure as failure:
            log.info("card_detached_before", card_id=str(card.id), why=str(failure))
    async with job.unit_of_work(done=True) as uow:
        await uow.session.execute(
            update(SavedCard)
            .where(SavedCard.tenant_id == job.tenant_id, SavedCard.id == event.card_id)
            .where(SavedCard.detached_at.is_(None))
            .values(detached_at=uow.clock.now())
        )


async def end_processor_customer(job: JobContext, event: ProcessorCustomerEnded) -> None:
    """Consumer of ProcessorCustomerEnded: they go there with all their cards, once. One whose
    making had no answer is looked for by the name we gave them.

    Raises: Uncertain.
    """
    row = await _customer(job, event.row_id)
    if row is not None:
        gateway: StripeGateway = job.services.port(StripeGateway)
        try:
            for known_as in await _known_as(gateway, row):
                await gateway.delete_customer(row.account_id, known_as)
        except DefinitiveFailure as failure:
            log.info("processor_customer_gone_before", row_id=str(row.id), why=str(failure))
    async with job.unit_of_work(done=True):
        pass


async def _known_as(gateway: StripeGateway, row: ProcessorCustomer) -> list[str]:
    if row.processor_id is not None:
        return [row.processor_id]
    return await gateway.find_customers(row.account_id, str(row.id), row.created_at - CLOCK_SKEW)


async def _customer(job: JobContext, row_id: UUID) -> ProcessorCustomer | None:
    async with job.unit_of_work() as uow:
        found: ProcessorCustomer | None = await uow.session.get(
            ProcessorCustomer, (job.tenant_id, row_id)
        )
        return found
