"""A guest ends mails: by the page, and by the one click of their mail program."""

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import Customer
from src.tenants.queries.mail_choices import wants_mails
from src.tenants.unsubscribe_links import unsubscribe_url
from tests.booking.jobs.test_broadcast import be
from tests.booking.jobs.test_changes import guests_of
from tests.booking.jobs.test_remind import DAY, reminders, switch, tick
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


def path_in(header: str) -> str:
    return "/b/" + header.strip("<>").partition("/b/")[2]


@pytest.mark.slow
async def test_one_click_ends_reminders_and_nothing_else(
    client: AsyncClient,
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id, price_type="free")
    first = await a_session(services.uow_factory, yoga, in_days=3)
    second = await a_session(services.uow_factory, yoga, in_days=5)
    await switch(services, lotus, yoga.id, DAY)
    await guests_of(services, lotus, first.id, "carl", "dora")
    await guests_of(services, lotus, second.id, "carl", "dora")
    assert all("List-Unsubscribe" not in mail.headers for mail in mailer.sent)
    await tick(services, clock, lotus, timedelta(days=2))
    [mail] = [one for one in reminders(mailer) if "carl" in one.to[0]]
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = path_in(mail.headers["List-Unsubscribe"])
    assert link in mail.body
    looked = await client.get(link)
    assert "No more of these mails?" in looked.text
    client.cookies.clear()
    await be(services, lotus, "suspended")
    done = await client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert done.status_code == 200
    again = await client.post(link, data={"List-Unsubscribe": "One-Click"})
    await be(services, lotus, "active")
    assert "You get no more of these mails" in again.text
    mailer.sent.clear()
    await tick(services, clock, lotus, timedelta(days=2))
    assert [mail.to[0] for mail in mailer.sent] == ["Dora <dora@example.com>"]
    third = await a_session(services.uow_factory, yoga, in_days=1)
    mailer.sent.clear()
    await guests_of(services, lotus, third.id, "carl")
    assert len(mailer.sent) == 1, "a booking is confirmed in any case"


async def test_looking_changes_nothing_and_it_can_be_taken_back(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    customer_id = await a_customer(services, lotus, "Carl")
    link = path_in(link_of(services, lotus, customer_id))
    await client.get(link)
    assert await wants(services, lotus, customer_id)
    await client.post(link)
    assert not await wants(services, lotus, customer_id)
    await sign_in(client, services, lotus.owner.id)
    page = f"/app/lotus/customers/{customer_id}"
    assert "Has ended news by mail" in (await client.get(page)).text
    await client.post(link, data={"wants": "on"})
    assert "Has ended" not in (await client.get(page)).text
    assert await wants(services, lotus, customer_id)


async def test_a_choice_goes_with_its_customer(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    gone, kept = [await a_customer(services, lotus, name) for name in ("Carl", "Karl")]
    await client.post(path_in(link_of(services, lotus, gone)))
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone, kept)
    assert not await wants(services, lotus, kept)
    await client.post(path_in(link_of(services, lotus, gone)), data={"wants": "on"})
    assert await wants(services, lotus, kept)


async def test_a_link_opens_nothing_at_another_business(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    customer_id = await a_customer(services, lotus, "Carl")
    link = path_in(link_of(services, lotus, customer_id))
    for path in (link.replace("/b/lotus/", f"/b/{rival.slug}/"), link[:-2] + "xx"):
        assert (await client.post(path)).status_code == 404
    assert await wants(services, lotus, customer_id)


async def a_customer(services: Services, business: Business, name: str) -> UUID:
    async with services.uow_factory(business.id) as uow:
        customer = Customer(
            tenant_id=business.id, id=new_id(), name=name, created_at=uow.clock.now()
        )
        uow.session.add(customer)
    return customer.id


def link_of(services: Services, business: Business, customer_id: UUID) -> str:
    topic, now = MailTopic.MARKETING, services.clock.now()
    return unsubscribe_url(services.settings, business.tenant, customer_id, topic, now)


async def wants(services: Services, business: Business, customer_id: UUID) -> bool:
    async with services.uow_factory(business.id) as uow:
        return await wants_mails(uow, customer_id, MailTopic.MARKETING)
