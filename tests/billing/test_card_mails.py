"""Who keeps a card has it in writing: once for each card, however often its keeping is told."""

import pytest
from sqlalchemy import select

from src.billing.card_setup import begin_setup, take_card_of_setup
from src.billing.commands.cards import remove_card
from src.billing.domain.cards import CardState
from src.platform.mail.queue import MailRow
from src.tenants.queries.tenants import tenant_snapshot
from tests.billing.test_card_events import told
from tests.billing.till import Till
from tests.billing.wallet import a_card, cards, pay_and_keep

pytestmark = pytest.mark.anyio

MASTERCARD = "5555555555554444"


async def _mails(till: Till) -> list[MailRow]:
    async with till.services.uow_factory(till.business.id) as uow:
        found = select(MailRow).where(MailRow.kind == "billing.card_kept").order_by(MailRow.id)
        return list(await uow.session.scalars(found))


async def _setup(till: Till, number: str) -> str:
    """The page on which the card was kept, as nobody has told of it yet."""
    async with till.services.uow_factory(till.business.id) as uow:
        tenant = await tenant_snapshot(uow, till.business.id, till.clock.now())
    here = "http://testserver.local/b/harbour/me/cards"
    url = await begin_setup(till.services, tenant, till.business.customer_id, here)
    page_id = url.rsplit("/", 1)[-1]
    await till.stripe.turn("pay", session=page_id, card=number)
    return page_id


async def test_who_keeps_a_card_while_paying_is_mailed_once(till: Till) -> None:
    await a_card(till)
    (mail,) = await _mails(till)
    assert mail.to_address == "carl@guests.example"
    assert mail.subject == "Your card was kept at Harbour"
    assert "A card was kept at Harbour: Visa •••• 4242." in mail.text
    assert "Remove it any time under My bookings > Cards." in mail.text
    assert "/b/harbour/me/cards" in mail.text
    till.places.left += 1
    await pay_and_keep(till)
    await till.work()
    assert len(await cards(till)) == 2
    assert len(await _mails(till)) == 1, "the same card again is no news"
    await a_card(till, MASTERCARD)
    assert [mail.text.count("4444") for mail in await _mails(till)] == [0, 1]


async def test_who_adds_a_card_is_mailed_once_however_often_it_is_told(till: Till) -> None:
    page_id = await _setup(till, "4242424242424242")
    for number in (1, 2, 2):
        await told(till, number, "checkout.session.completed", {"id": page_id, "mode": "setup"})
    tenant_id = till.business.id
    assert await take_card_of_setup(till.services, tenant_id, till.account_id, page_id)
    await till.work()
    (mail,) = await _mails(till)
    assert "Visa •••• 4242" in mail.text


async def test_a_card_that_was_removed_before_the_mail_is_not_told_of(till: Till) -> None:
    page_id = await _setup(till, "4242424242424242")
    tenant_id = till.business.id
    assert await take_card_of_setup(till.services, tenant_id, till.account_id, page_id)
    (card,) = await cards(till)
    async with till.services.uow_factory(tenant_id) as uow:
        await remove_card(uow, till.business.customer_id, card.id)
    await till.work()
    assert [one.state for one in await cards(till)] == [CardState.REMOVED]
    assert await _mails(till) == []


async def _keep(till: Till) -> None:
    page_id = await _setup(till, "4242424242424242")
    assert await take_card_of_setup(till.services, till.business.id, till.account_id, page_id)


async def test_a_card_that_gave_way_to_itself_before_the_mail_is_told_of_once(till: Till) -> None:
    await _keep(till)
    await _keep(till)
    assert [one.state for one in await cards(till)] == [CardState.REMOVED, CardState.USABLE]
    await till.work()
    (mail,) = await _mails(till)
    assert "Visa •••• 4242" in mail.text


async def test_who_removes_a_card_and_keeps_it_again_before_the_mail_has_one(till: Till) -> None:
    await _keep(till)
    (card,) = await cards(till)
    async with till.services.uow_factory(till.business.id) as uow:
        await remove_card(uow, till.business.customer_id, card.id)
    await _keep(till)
    await till.work()
    assert len(await _mails(till)) == 1
