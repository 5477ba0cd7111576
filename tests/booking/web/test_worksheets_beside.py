"""Worksheets on pages about something else, and what staff do with copies besides reading them."""

import csv
import io
import re

import pytest
from httpx import AsyncClient

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.guest_links import package_path
from src.platform.services import Services
from tests.booking.web.conftest import Shop, rows
from tests.booking.web.pages import send_again
from tests.booking.web.test_place_package import buy, wish
from tests.booking.web.test_statements import counted
from tests.booking.web.test_worksheets import a_link, fill
from tests.support.builders import Business
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.worksheets import PDF, a_worksheet, copies_of, publish_newest

pytestmark = pytest.mark.anyio


async def test_a_bought_package_says_what_comes_with_it_and_its_buyer_what_is_left(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    package = await a_package(factory, business.id)
    worksheet_id = await a_worksheet(factory, business, package_ids=[package.id])
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    await shop.work()
    assert any("To fill in" in mail.subject for mail in mailer.sent)
    (order,) = await rows(shop, Order)
    (copy,) = await copies_of(factory, business)
    bought = package_path(shop.services.settings, "lotus", order)
    stranger = await shop.guest.open(bought)
    assert "A worksheet comes with it" in stranger.text
    assert re.search(r"/b/lotus/worksheets/", stranger.text) is None
    client = shop.guest.client
    await sign_in_portal(client, shop.services, business.id, order.customer_id)
    own = f"/b/lotus/me/worksheets/{copy.id}"
    page = await shop.guest.open(bought)
    assert "One worksheet to fill in" in page.text
    assert own in page.text


async def test_a_package_that_was_given_up_says_nothing_of_worksheets(shop: Shop) -> None:
    factory, business = shop.services.uow_factory, shop.business
    package = await a_package(factory, business.id)
    await a_worksheet(factory, business, package_ids=[package.id])
    await buy(shop, wish(package.id, way=PaymentMode.ON_SITE))
    (order,) = await rows(shop, Order)
    await shop.guest.open(package_path(shop.services.settings, "lotus", order))
    page = await shop.guest.submit(to="/give-up")
    assert "You have given it up" in page.text
    assert "worksheet" not in page.text.lower()


async def test_the_export_asks_the_database_as_often_for_many_as_for_few(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    often: list[int] = []
    for guests in (range(2), range(2, 6)):
        for guest in guests:
            address = f"guest{guest}@x.example"
            path, _copy = await a_link(services, lotus, worksheet_id, email=address)
            await fill(client, path, q1=f"Yes {guest}", files={"q3": (f"{guest}.pdf", PDF)})
        page = await client.get(one)
        with counted() as sent:
            file = await send_again(client, f"{one}/export", page, {})
        often.append(len(sent))
        if len(often) == 1:
            added = {"label": "Your hips?", "kind": "short"}
            new = f"{one}/questions/new"
            assert (await send_again(client, new, await client.get(new), added)).status_code == 303
            assert await publish_newest(factory, lotus, worksheet_id) == 2
    assert often[0] == often[1], sent
    header, *lines = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    questions = ["Do your knees hurt?", "Since when?", "The doctor's letter", "Your hips?"]
    assert header[6:] == questions
    assert len(lines) == len(await copies_of(factory, lotus)) == 6
    assert [line[8] for line in lines[:2]] == ["5.pdf", "4.pdf"]
