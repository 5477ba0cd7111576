"""Whoever transferred what was not due hears that it comes back, and hears when it has gone."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.commands.transfers import Outcome
from src.billing.models import OpenItem, Payment
from src.billing.settlement import give_up_order
from src.booking.commands.book import book
from src.booking.domain.drop_in import PayWay
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish
from tests.booking.commands.test_transfers import (
    PRICE_MINOR,
    by_transfer,
    lotus,
    receive,
    to_the_end,
)
from tests.support.builders import Business, a_service, a_session, as_guest
from tests.support.clock import FrozenClock
from tests.support.work import work

pytestmark = pytest.mark.anyio

__all__ = ["lotus"]


async def told(services: Services, business: Business, kind: str) -> list[MailRow]:
    await work(services, business.id)
    async with services.uow_factory(business.id) as uow:
        found = select(MailRow).where(MailRow.kind == f"billing.{kind}").order_by(MailRow.id)
        return list(await uow.session.scalars(found))


async def hand_back(services: Services, business: Business, order_id: UUID) -> int:
    async with services.uow_factory(business.id) as uow:
        item_id = (await uow.session.scalars(select(OpenItem.id))).one()
        return await close_item_by_hand(uow, business.ctx, order_id, item_id)


async def the_reason(services: Services, business: Business, back: str) -> str:
    """What the one mail says between what has come and what goes back."""
    [mail] = await told(services, business, "transfer_not_due")
    assert mail.subject == f"Lotus sends {back} back to you"
    assert mail.to_address == "carl@example.com"
    found = re.search(rf"has come\. (.*) Lotus sends {re.escape(back)} back to you\.", mail.text)
    assert found is not None, mail.text
    assert found[1] in mail.html
    return found[1]


async def test_of_what_is_too_much_its_guest_reads_how_much_was_due(
    services: Services, lotus: Business
) -> None:
    order = (await by_transfer(services, lotus)).order
    await receive(services, lotus, order.id, PRICE_MINOR + 1000)
    assert await the_reason(services, lotus, "€10.00") == "Only €15.00 of it was due."
    assert await told(services, lotus, "transfer_sent_back") == []
    for _press in range(2):
        await hand_back(services, lotus, order.id)
    [mail] = await told(services, lotus, "transfer_sent_back")
    assert mail.subject == "Lotus has sent €10.00 back to you"
    for text in (mail.text, mail.html):
        assert "has sent €10.00 back to you of what you had transferred." in text
        assert order.reference in text


async def test_who_transfers_twice_for_one_order_has_a_mail_for_each(
    services: Services, lotus: Business
) -> None:
    order = (await by_transfer(services, lotus)).order
    await receive(services, lotus, order.id)
    assert await told(services, lotus, "transfer_not_due") == []
    token = new_id()
    for _press in range(2):
        await receive(services, lotus, order.id, 500, token)
    why = "Nothing was due any more: it was paid before, and stays as it is."
    assert await the_reason(services, lotus, "€5.00") == why
    await receive(services, lotus, order.id, 700)
    subjects = [one.subject for one in await told(services, lotus, "transfer_not_due")]
    assert subjects == ["Lotus sends €5.00 back to you", "Lotus sends €7.00 back to you"]


async def test_what_comes_for_what_was_given_up_goes_back(
    services: Services, lotus: Business
) -> None:
    order = (await by_transfer(services, lotus)).order
    await give_up_order(services, lotus.id, order.id)
    await receive(services, lotus, order.id)
    why = "Nothing was due any more, since what it was for had ended before."
    assert await the_reason(services, lotus, "€15.00") == why


async def test_a_part_that_comes_too_late_goes_back(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    order = (await by_transfer(services, lotus)).order
    await to_the_end(services, clock, order)
    await receive(services, lotus, order.id, 1000)
    why = "The time to pay was over, and less than the price has come."
    assert await the_reason(services, lotus, "€10.00") == why


async def test_what_brings_all_of_it_after_its_time_does_not_go_back(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    order = (await by_transfer(services, lotus)).order
    await to_the_end(services, clock, order)
    assert (await receive(services, lotus, order.id)).outcome is Outcome.CONFIRMED
    assert await told(services, lotus, "transfer_not_due") == []


async def test_what_comes_when_others_have_the_place_goes_back(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, in_days=14, capacity=1)
    wish = a_wish("session", session.id, way=PayWay.TRANSFER)
    async with services.uow_factory(lotus.id) as uow:
        order = (await book(uow, as_guest(lotus), wish)).order
    await to_the_end(services, clock, order)
    async with services.uow_factory(lotus.id) as uow:
        other = a_wish("session", session.id, way=PayWay.TRANSFER, guest_name="Bo")
        await book(uow, as_guest(lotus), other)
    await receive(services, lotus, order.id, PRICE_MINOR * 2)
    [mail] = await told(services, lotus, "transfer_not_due")
    assert "your transfer of €30.00 has come." in mail.text
    assert "what it was for could not be had any more." in mail.text


@pytest.mark.parametrize("then", ["taken off", "handed back"])
async def test_nobody_reads_that_it_goes_back_once_that_is_over(
    services: Services, lotus: Business, clock: FrozenClock, then: str
) -> None:
    order = (await by_transfer(services, lotus)).order
    await receive(services, lotus, order.id)
    await work(services, lotus.id)
    clock.advance(timedelta(minutes=1))
    await receive(services, lotus, order.id, 500)
    if then == "handed back":
        await hand_back(services, lotus, order.id)
    else:
        async with services.uow_factory(lotus.id) as uow:
            extra = (await uow.session.scalars(select(Payment).where(Payment.is_extra))).one()
            cmd = TransferMistaken(order_id=order.id, payment_id=extra.id, reason="Twice.")
            await take_off_transfer(uow, lotus.ctx, cmd)
    assert await told(services, lotus, "transfer_not_due") == []
    assert len(await told(services, lotus, "transfer_sent_back")) == (then == "handed back")
