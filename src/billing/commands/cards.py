"""Cards that customers keep: written down, chosen first, ended.

What the processor has to do about it, a job does afterwards.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.plan_cards import follow_card
from src.billing.domain.cards import CardState, in_order, is_over
from src.billing.events import CardEnded, CardKept, ProcessorCustomerEnded
from src.billing.models import ConnectedAccount, ProcessorCustomer, SavedCard
from src.billing.processor import ProcessorCard
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.commands.customers import keep_customer
from src.tenants.models import Customer


def no_such_card() -> NotFound:
    return NotFound(_("There is no such card."))


def card_not_kept() -> Conflict:
    return Conflict(
        _("This card is not kept any more. Please choose another way to pay."), code="card_gone"
    )


async def list_usable_cards(uow: UnitOfWork, customer_id: UUID, today_on: date) -> list[SavedCard]:
    """Those that can pay today, in the order to offer them. Cards live on the business's account:
    with another account they are of no use.
    """
    return [card for card in await list_cards(uow, customer_id) if not is_over(card, today_on)]


async def list_cards(uow: UnitOfWork, customer_id: UUID) -> list[SavedCard]:
    """All that are kept, those whose time is over too."""
    found = await uow.session.scalars(
        select(SavedCard)
        .join(ConnectedAccount, ConnectedAccount.account_id == SavedCard.account_id)
        .where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.customer_id == customer_id,
            SavedCard.state == str(CardState.USABLE),
            ConnectedAccount.tenant_id == uow.tenant,
            ConnectedAccount.disconnected_at.is_(None),
        )
    )
    return in_order(found.all())


async def get_usable_card(
    uow: UnitOfWork, customer_id: UUID, card_id: UUID, today_on: date
) -> SavedCard:
    """Raises: Conflict for what is gone, another's, or no card at all: nobody learns which."""
    for card in await list_usable_cards(uow, customer_id, today_on):
        if card.id == card_id:
            return card
    raise card_not_kept()


async def main_processor_customer(
    uow: UnitOfWork, customer_id: UUID, account_id: str
) -> ProcessorCustomer:
    """Who the customer is at the processor, or is to be: one row, whoever asks at once."""
    customer_id = await keep_customer(uow, customer_id)
    customer = await uow.session.get_one(Customer, (uow.tenant, customer_id))
    row_id = new_id()
    body: dict[str, Any] = {
        "name": customer.name,
        "metadata": {
            "tenant_id": str(uow.tenant),
            "customer_id": str(customer_id),
            "row_id": str(row_id),
        },
    }
    if customer.email:
        body["email"] = customer.email
    await uow.session.execute(
        insert(ProcessorCustomer)
        .values(
            tenant_id=uow.tenant,
            id=row_id,
            customer_id=customer_id,
            account_id=account_id,
            processor_id=None,
            body=body,
            is_main=True,
            created_at=uow.clock.now(),
        )
        .on_conflict_do_nothing(
            index_elements=["tenant_id", "customer_id", "account_id"],
            index_where=text("is_main"),
        )
    )
    found = await uow.session.scalars(
        select(ProcessorCustomer).where(
            ProcessorCustomer.tenant_id == uow.tenant,
            ProcessorCustomer.customer_id == customer_id,
            ProcessorCustomer.account_id == account_id,
            ProcessorCustomer.is_main,
        )
    )
    return found.one()


async def name_processor_customer(uow: UnitOfWork, row_id: UUID, processor_id: str) -> None:
    """What the processor calls them. One who was erased meanwhile is ended there as well."""
    named = await uow.session.execute(
        update(ProcessorCustomer)
        .where(
            ProcessorCustomer.tenant_id == uow.tenant,
            ProcessorCustomer.id == row_id,
            ProcessorCustomer.processor_id.is_(None),
        )
        .values(processor_id=processor_id)
        .returning(ProcessorCustomer.ended_at)
    )
    row = named.first()
    if row is not None and row.ended_at is not None:
        uow.record(ProcessorCustomerEnded(row_id=row_id))


async def give_up_processor_customer(uow: UnitOfWork, processor_id: str) -> None:
    """The processor does not know them any more, and so none of their cards."""
    ended = await uow.session.scalars(
        update(ProcessorCustomer)
        .where(
            ProcessorCustomer.tenant_id == uow.tenant,
            ProcessorCustomer.processor_id == processor_id,
            ProcessorCustomer.ended_at.is_(None),
        )
        .values(is_main=False, ended_at=uow.clock.now())
        .returning(ProcessorCustomer.id)
    )
    for row_id in ended.all():
        await uow.session.execute(
            update(SavedCard)
            .where(
                SavedCard.tenant_id == uow.tenant,
                SavedCard.processor_customer_id == row_id,
                SavedCard.state == str(CardState.USABLE),
            )
            .values(state=str(CardState.GONE), ended_at=uow.clock.now(), is_default=False)
        )


async def store_card(
    uow: UnitOfWork, account_id: str, card: ProcessorCard, consent: Mapping[str, Any]
) -> UUID | None:
    """Writes down what the processor keeps, once. The same card again takes the place of the row
    before it, for its date may be a new one, and is no news to its guest. None for what is
    nobody's here, or was ended.
    """
    owner = await _lock_owner(uow, account_id, card.customer_id)
    if owner is None or owner.ended_at is not None:
        return None
    known = await _find_by_method(uow, account_id, card.payment_method_id)
    if known is not None:
        return known.id
    doubles = await _end_doubles(uow, owner, card)
    row = SavedCard(
        tenant_id=uow.tenant,
        id=new_id(),
        customer_id=owner.customer_id,
        processor_customer_id=owner.id,
        account_id=account_id,
        payment_method_id=card.payment_method_id,
        brand=card.brand,
        last4=card.last4,
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        fingerprint=card.fingerprint,
        is_default=any(doubles.values()),
        state=str(CardState.USABLE),
        consent=dict(consent),
        created_at=uow.clock.now(),
    )
    uow.session.add(row)
    await uow.session.flush()
    await follow_card(uow, doubles, row.id)
    if not doubles:
        uow.record(CardKept(card_id=row.id))
    return row.id


async def _lock_owner(
    uow: UnitOfWork, account_id: str, processor_id: str | None
) -> ProcessorCustomer | None:
    """Two who store cards of one customer take turns. Nobody owns what the processor keeps for no
    customer, least of all those whose own name there is not known yet.
    """
    if processor_id is None:
        return None
    found: ProcessorCustomer | None = await uow.session.scalar(
        select(ProcessorCustomer)
        .where(
            ProcessorCustomer.tenant_id == uow.tenant,
            ProcessorCustomer.account_id == account_id,
            ProcessorCustomer.processor_id == processor_id,
        )
        .with_for_update(key_share=True)
    )
    return found


async def _find_by_method(
    uow: UnitOfWork, account_id: str, payment_method_id: str
) -> SavedCard | None:
    found: SavedCard | None = await uow.session.scalar(
        select(SavedCard).where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.account_id == account_id,
            SavedCard.payment_method_id == payment_method_id,
        )
    )
    return found


async def _end_doubles(
    uow: UnitOfWork, owner: ProcessorCustomer, card: ProcessorCard
) -> dict[UUID, bool]:
    """Those whose place is taken, and of each whether it was preferred."""
    if not card.fingerprint:
        return {}
    doubles = await uow.session.scalars(
        select(SavedCard).where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.customer_id == owner.customer_id,
            SavedCard.account_id == owner.account_id,
            SavedCard.fingerprint == card.fingerprint,
            SavedCard.state == str(CardState.USABLE),
        )
    )
    were_preferred = {}
    for double in doubles.all():
        were_preferred[double.id] = double.is_default
        await end_card(uow, double.id, CardState.REMOVED)
    return were_preferred


async def end_card(uow: UnitOfWork, card_id: UUID, state: CardState) -> bool:
    """From here on nothing is charged to it; False where it had ended before."""
    ended = await uow.session.execute(
        update(SavedCard)
        .where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.id == card_id,
            SavedCard.state == str(CardState.USABLE),
        )
        .values(state=str(state), ended_at=uow.clock.now(), is_default=False)
        .returning(SavedCard.id)
    )
    if ended.first() is None:
        return False
    uow.record(CardEnded(card_id=card_id))
    return True


async def remove_card(uow: UnitOfWork, customer_id: UUID, card_id: UUID) -> SavedCard:
    """By its guest. Twice is once. Raises: NotFound for another's."""
    card = await get_own_card(uow, customer_id, card_id)
    await end_card(uow, card_id, CardState.REMOVED)
    return card


async def get_own_card(uow: UnitOfWork, customer_id: UUID, card_id: UUID) -> SavedCard:
    """Whatever became of it. Raises: NotFound."""
    card: SavedCard | None = await uow.session.get(SavedCard, (uow.tenant, card_id))
    if card is None or card.customer_id != customer_id:
        raise no_such_card()
    return card


async def prefer_card(uow: UnitOfWork, customer_id: UUID, card_id: UUID) -> SavedCard:
    """It is offered first from now on. Raises: NotFound; Conflict for one that has ended."""
    await get_own_card(uow, customer_id, card_id)
    found = await uow.session.scalars(
        select(SavedCard)
        .where(
            SavedCard.tenant_id == uow.tenant,
            SavedCard.customer_id == customer_id,
            SavedCard.state == str(CardState.USABLE),
        )
        .order_by(SavedCard.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    cards = {card.id: card for card in found}
    if card_id not in cards:
        raise card_not_kept()
    for card in cards.values():
        card.is_default = False
    # There is one of them at most at every moment.
    await uow.session.flush()
    cards[card_id].is_default = True
    return cards[card_id]


async def take_card_news(uow: UnitOfWork, card_id: UUID, news: ProcessorCard | None) -> None:
    """What the processor says of a card now: another date, or that it is kept no longer."""
    if news is None or news.customer_id is None:
        await end_card(uow, card_id, CardState.GONE)
        return
    await uow.session.execute(
        update(SavedCard)
        .where(SavedCard.tenant_id == uow.tenant, SavedCard.id == card_id)
        .values(exp_month=news.exp_month, exp_year=news.exp_year, last4=news.last4)
    )
