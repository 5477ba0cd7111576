"""The links of worksheets end with the address that they went to, and after some years; a mail has
one that opens what it is about.
"""

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.booking.commands.readdress import Readdressed, correct_customer, merge_and_correct
from src.booking.commands.worksheet_copies import give_worksheet, reopen_copy
from src.booking.web.customer_words import readdressed_words
from src.booking.worksheet_links import LIFETIME
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from tests.booking.commands.test_worksheets import fill, given
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.support.worksheets import a_worksheet, copies_of
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

TYPED, RIGHT = "anna@x.exampel", "anna@x.example"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def correct(
    services: Services, lotus: Business, customer_id: UUID, **more: str
) -> Readdressed:
    details = CustomerDetails(**{"name": "Anna", "email": RIGHT, **more})
    async with services.uow_factory(lotus.id) as uow:
        return await correct_customer(uow, lotus.ctx, customer_id, details, readdress=True)


def path_in(mailer: RememberingMailer) -> str:
    """Where the newest mail leads."""
    at = mailer.sent[-1].body.index("/b/lotus/worksheets/")
    return mailer.sent[-1].body[at:].split()[0]


async def test_a_corrected_address_gets_one_mail_with_all_that_is_to_be_filled_in(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    health, goals, sent = [
        await a_worksheet(factory, lotus, title=title) for title in ("Health", "Goals", "Sent")
    ]
    await fill(factory, lotus, await given(factory, lotus, sent, email=TYPED))
    anna = (await copies_of(factory, lotus))[0].customer_id
    for worksheet_id in (health, goals):
        async with factory(lotus.id) as uow:
            await give_worksheet(uow, lotus.ctx, new_id(), worksheet_id, anna)
    await work(services, lotus.id)
    former = path_in(mailer)
    count = len(mailer.sent)
    told = await correct(services, lotus, anna)
    await work(services, lotus.id)
    (mail,) = mailer.sent[count:]
    assert mail.to == [f"Anna <{RIGHT}>"]
    assert mail.subject.endswith("“Goals”, “Health”")
    assert (await client.get(former)).status_code == 410
    assert (await client.get(path_in(mailer))).status_code == 200
    assert told == Readdressed(worksheets=2)
    assert readdressed_words(told) == ["2 links to worksheets go to the new address."]


async def test_nothing_goes_out_where_the_address_stays_or_there_is_none(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    await given(factory, lotus, await a_worksheet(factory, lotus), email=RIGHT)
    await work(services, lotus.id)
    (copy,) = await copies_of(factory, lotus)
    for details in ({"name": "Anna B."}, {"email": "", "phone": "+31201234567"}):
        assert await correct(services, lotus, copy.customer_id, **details) == Readdressed()
    await work(services, lotus.id)
    assert len(mailer.sent) == 1


@pytest.mark.parametrize("readdress", [True, False])
async def test_who_is_left_after_merging_gets_the_links_of_who_is_gone(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    readdress: bool,
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    await given(factory, lotus, worksheet_id, email=TYPED)
    await given(factory, lotus, worksheet_id, email="ben@x.example", name="Ben")
    await work(services, lotus.id)
    gone = (await copies_of(factory, lotus))[0].customer_id
    kept = await a_customer(factory, lotus, name="Anna", email=RIGHT)
    count = len(mailer.sent)
    async with factory(lotus.id) as uow:
        told = await merge_and_correct(uow, lotus.ctx, gone, kept, readdress=readdress)
    await work(services, lotus.id)
    (mail,) = mailer.sent[count:]
    assert mail.to == [f"Anna <{RIGHT}>"]
    assert (await client.get(path_in(mailer))).status_code == 200
    assert told == Readdressed(worksheets=1)


async def test_who_takes_over_the_address_goes_on_with_the_link(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    await given(factory, lotus, await a_worksheet(factory, lotus), email=RIGHT)
    await work(services, lotus.id)
    path = path_in(mailer)
    gone = (await copies_of(factory, lotus))[0].customer_id
    kept = await a_customer(factory, lotus, name="Anna", email="", phone="+31201234567")
    async with factory(lotus.id) as uow:
        assert await merge_and_correct(uow, lotus.ctx, gone, kept) == Readdressed()
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("is_sent", [True, False])
async def test_what_is_opened_or_given_again_after_years_has_a_link_that_works(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    clock: FrozenClock,
    is_sent: bool,
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    copy_id = await given(factory, lotus, worksheet_id, email=RIGHT)
    await work(services, lotus.id)
    former = path_in(mailer)
    if is_sent:
        await fill(factory, lotus, copy_id)
    clock.advance(LIFETIME + timedelta(days=1))
    assert (await client.get(former)).status_code == 410
    (copy,) = await copies_of(factory, lotus)
    async with factory(lotus.id) as uow:
        if is_sent:
            await reopen_copy(uow, lotus.ctx, worksheet_id, copy_id, "Is it still so?")
        else:
            await give_worksheet(uow, lotus.ctx, new_id(), worksheet_id, copy.customer_id)
    await work(services, lotus.id)
    assert (await client.get(path_in(mailer))).status_code == 200
