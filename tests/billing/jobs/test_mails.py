from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.billing.models import PaymentPage
from src.billing.settlement import settle_page
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.outbox.models import OutboxRow
from src.tenants.models import Member, Tenant, User
from tests.billing.till import Till

pytestmark = pytest.mark.anyio


async def mails(till: Till) -> Sequence[MailRow]:
    async with till.services.uow_factory(till.business.id) as uow:
        return (await uow.session.scalars(select(MailRow).order_by(MailRow.id))).all()


async def name_business(till: Till, name: str) -> None:
    async with till.services.uow_factory(None) as uow:
        tenant = await uow.session.get(Tenant, till.business.id)
        assert tenant is not None
        tenant.name = name


async def an_owner(till: Till) -> None:
    now = till.clock.now()
    async with till.services.uow_factory(None) as uow:
        user = User(
            id=new_id(),
            email="olive@harbour.example",
            name="Olive",
            password_hash="",
            created_at=now,
        )
        uow.session.add(user)
        await uow.session.flush()
        uow.session.add(
            Member(tenant_id=till.business.id, user_id=user.id, role="owner", created_at=now)
        )


async def settle(till: Till, order_id: UUID) -> None:
    await settle_page(till.services, till.business.id, await till.page_id(order_id))


async def test_a_guest_who_paid_too_late_is_told_once_that_all_goes_back(till: Till) -> None:
    await name_business(till, "Yoga & Friends")
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", till.clock.now())
    till.places.left = 0
    for _ in range(2):
        await settle(till, order_id)
        await till.work()
    (mail,) = await mails(till)
    assert (mail.kind, mail.to_address) == ("billing.payment_too_late", "carl@guests.example")
    assert mail.subject == "Your payment to Yoga & Friends came too late"
    assert "£20.00" in mail.text
    assert "Yoga & Friends" in mail.text
    assert "you are not booked" in mail.html
    assert (await till.state(order_id)).reference in mail.text


async def test_two_late_payments_of_one_order_are_two_mails(till: Till) -> None:
    order_id = await till.order()
    sessions = []
    for _page in range(2):
        await till.page(order_id)
        pages = await till.rows(PaymentPage, order_id)
        sessions.append(pages[-1].processor_id)
        await change_page(till, pages[-1].id, state="failed")
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, "given_up", till.clock.now())
    for page, session_id in zip(await till.rows(PaymentPage, order_id), sessions, strict=True):
        await till.pay(str(session_id))
        await settle_page(till.services, till.business.id, page.id)
    await till.work()
    told = await mails(till)
    assert [mail.kind for mail in told] == ["billing.payment_too_late"] * 2
    refunds = await till.refunds(order_id)
    assert {mail.dedupe_key for mail in told} == {f"payment_too_late:{one.id}" for one in refunds}


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("given_up", "You had given the places up before it came."),
        ("cancelled", "Harbour had cancelled what you booked before it came."),
    ],
)
async def test_a_guest_is_told_why_the_late_payment_booked_nothing(
    till: Till, why: str, words: str
) -> None:
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, why, till.clock.now())
    await settle(till, order_id)
    await till.work()
    (mail,) = await mails(till)
    assert words in mail.text
    assert words in mail.html
    assert "gone to others" not in mail.text
    assert "on its way back to you" in mail.text


async def test_a_late_payment_told_in_the_old_words_still_makes_its_mail(till: Till) -> None:
    """An event that was recorded before it named its refund may still wait in the outbox."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    async with till.services.uow_factory(till.business.id) as uow:
        order = await lock_order(uow, order_id)
        await end_locked_order(uow, order, OrderState.CANCELLED, "given_up", till.clock.now())
    await settle(till, order_id)
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(
            update(OutboxRow)
            .where(OutboxRow.topic == "billing.payment_came_too_late")
            .values(payload={"order_id": str(order_id)})
        )
    await till.work()
    assert [mail.kind for mail in await mails(till)] == ["billing.payment_too_late"]


async def change_page(till: Till, page_id: UUID, **values: Any) -> None:
    async with till.services.uow_factory(till.business.id) as uow:
        await uow.session.execute(
            update(PaymentPage).where(PaymentPage.id == page_id).values(**values)
        )


async def test_a_guest_is_told_of_what_could_not_be_delivered(till: Till) -> None:
    till.places.undeliverable_minor = 700
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle(till, order_id)
    await till.work()
    (mail,) = await mails(till)
    assert mail.kind == "billing.refunded"
    assert "£7.00" in mail.subject
    assert "The rest of your booking stands." in mail.text
    for told in (mail.text, mail.html):
        assert "Booked: Evening Yoga, 5 dates by now" in told


async def test_a_guest_who_lost_all_of_it_is_not_told_that_a_rest_stands(till: Till) -> None:
    till.places.undeliverable_minor = 2000
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle(till, order_id)
    await till.work()
    (mail,) = await mails(till)
    assert "£20.00" in mail.subject
    assert "All of what you booked was cancelled just before your payment came." in mail.text
    assert "stands" not in mail.text


async def test_a_guest_without_an_address_gets_no_mail(till: Till) -> None:
    till.places.undeliverable_minor = 700
    order_id, session_id = await till.order_with_page(guest_email="")
    await till.pay(session_id)
    await settle(till, order_id)
    await till.work()
    assert await mails(till) == []


async def test_owners_hear_of_money_that_needs_them(till: Till) -> None:
    await an_owner(till)
    till.places.undeliverable_minor = 700
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle(till, order_id)
    await till.stripe.turn(
        "api_faults", kind="refuse", path_contains="refunds", error={"message": "No money."}
    )
    await till.work()
    (mail,) = [one for one in await mails(till) if one.kind == "billing.open_item"]
    assert mail.to_address == "olive@harbour.example"
    assert "A refund of £7.00" in mail.text
    assert "did not go through" in mail.text
    assert "No money." not in mail.text, "the processor's own words are in no language of ours"
    assert f"/app/harbour/orders/{order_id}" in mail.text
