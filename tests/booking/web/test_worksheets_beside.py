"""Worksheets on pages about something else, and what staff do with copies besides reading them."""

import csv
import io
import re
from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.billing.domain.kinds import PaymentMode
from src.billing.models import Order
from src.booking.commands.worksheet_needs import SheetAskedBy, ask_for_worksheet
from src.booking.commands.worksheets import set_worksheet_active
from src.booking.guest_links import booking_path, package_path
from src.platform.services import Services
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import as_owner, send_again
from tests.booking.web.test_place_package import buy, wish
from tests.booking.web.test_statements import counted
from tests.booking.web.test_worksheets import a_link, fill
from tests.support.builders import Business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.worksheets import PDF, a_worksheet, copies_of, files_of, publish_newest
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def take_back(client: AsyncClient, one: str) -> str:
    """Presses the button on the copy's page; returns the page that follows."""
    page = await client.get(one)
    done = await send_again(client, f"{one}/take-back", page, {})
    assert done.headers["location"] == one
    return (await client.get(one)).text


async def test_staff_take_one_back_and_its_link_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, do="save", q1="Yes", files={"q3": ("letter.pdf", PDF)})
    filling = await client.get(path)
    (file,) = await files_of(factory, lotus)
    sheet = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    one = f"{sheet}/copies/{copy_id}"
    assert one in (await client.get(sheet)).text, "what waits is found from its worksheet"
    assert "What they have saved is deleted." in (await client.get(one)).text
    after = await take_back(client, one)
    assert "It is taken back." in after
    assert "there is nothing for the guest to fill in any more" in after
    assert "/take-back" not in after
    assert one not in (await client.get(sheet)).text
    (copy,) = await copies_of(factory, lotus)
    customer = await client.get(f"/app/{lotus.slug}/customers/{copy.customer_id}")
    assert "Taken back" in customer.text
    await sign_in_portal(client, services, lotus.id, copy.customer_id, "anna@x.example")
    own = f"/b/{lotus.slug}/me/worksheets"
    for at in (path, f"{path}/files/{file.id}", f"{own}/{copy_id}", f"{own}/{copy_id}/files/1"):
        gone = await client.get(at.replace("/files/1", f"/files/{file.id}"))
        assert gone.status_code == 410, at
        assert "This worksheet was taken back" in gone.text
    for at in (own, f"/b/{lotus.slug}/me"):
        assert f"{own}/{copy_id}" not in (await client.get(at)).text
    late = await fill(client, path, page=filling, q1="No")
    assert late.status_code == 410


async def test_staff_read_what_was_sent_and_of_what_is_only_saved_when_it_was(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    clock.advance(timedelta(days=1))
    await fill(client, path, do="save", q1="My secret", files={"q3": ("quill.pdf", PDF)})
    (file,) = await files_of(factory, lotus)
    sheet = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    one = f"{sheet}/copies/{copy_id}"
    shown = await client.get(one)
    assert "The guest has begun to fill it in, and saved it on" in shown.text
    assert "/print" not in shown.text
    (copy,) = await copies_of(factory, lotus)
    for at in (one, f"{one}/print", sheet, f"/app/{lotus.slug}/customers/{copy.customer_id}"):
        page = await client.get(at)
        assert page.status_code == 200, at
        assert "My secret" not in page.text, at
        assert "quill.pdf" not in page.text, at
    assert (await client.get(f"{one}/files/{file.id}")).status_code == 404
    assert (await client.get(f"{path}/files/{file.id}")).content == PDF
    await fill(client, path)
    assert "My secret" in (await client.get(one)).text
    assert (await client.get(f"{one}/files/{file.id}")).content == PDF


async def test_what_was_opened_again_is_closed_until_its_guest_has_begun(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await fill(client, path, q1="Yes")
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}/copies/{copy_id}"
    sent = await client.get(one)
    assert "/take-back" not in sent.text
    await send_again(client, f"{one}/reopen", sent, {"why": "Which knee?"})
    opened = await client.get(one)
    assert "It is closed again, as the guest had sent it." in await take_back(client, one)
    assert "Which knee?" not in (await client.get(path)).text
    twice = await send_again(client, f"{one}/take-back", opened, {})
    assert twice.status_code == 303
    assert "It is sent by now" in (await client.get(one)).text
    await send_again(client, f"{one}/reopen", await client.get(one), {})
    clock.advance(timedelta(minutes=1))
    await fill(client, path, do="save", q1="The left one")
    shown = await client.get(one)
    assert "It closes once the guest sends it." in shown.text
    for said in ("Close it again", "/take-back", "nothing to correct any more"):
        assert said not in shown.text


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
    # What is taken back is asked of nobody who looks at the purchase.
    await as_owner(client, shop.services, business)
    await take_back(client, f"/app/lotus/worksheets/{worksheet_id}/copies/{copy.id}")
    client.cookies.clear()
    assert "worksheet" not in (await shop.guest.open(bought)).text.lower()


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


async def test_a_booking_says_nothing_of_a_worksheet_that_was_taken_back(shop: Shop) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    worksheet_id = await a_worksheet(factory, business, service_ids=[service.id])
    booked = await shop.book(subject("session", session.id))
    await shop.work()
    (copy,) = await copies_of(factory, business)
    client = shop.guest.client
    await as_owner(client, shop.services, business)
    await take_back(client, f"/app/lotus/worksheets/{worksheet_id}/copies/{copy.id}")
    client.cookies.clear()
    page = await shop.guest.open(booked.headers["location"])
    assert "worksheet comes with it" not in page.text


@pytest.mark.parametrize(
    "how",
    [
        "chosen",
        pytest.param("published", marks=pytest.mark.slow),
        pytest.param("switched on", marks=pytest.mark.slow),
    ],
)
async def test_the_page_of_a_booking_names_no_worksheet_that_asks_only_since_later(
    shop: Shop, clock: FrozenClock, how: str
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    asks = frozenset({service.id})
    worksheet_id = await a_worksheet(
        factory,
        business,
        is_published=how != "published",
        service_ids=() if how == "chosen" else asks,
    )
    if how == "switched on":
        async with factory(business.id) as uow:
            await set_worksheet_active(uow, business.ctx, worksheet_id, active=False)
    old = await shop.book(subject("session", session.id))
    await shop.work()
    clock.advance(timedelta(hours=1))
    if how == "published":
        await publish_newest(factory, business, worksheet_id)
    async with factory(business.id) as uow:
        if how == "chosen":
            by = SheetAskedBy(service_ids=asks)
            await ask_for_worksheet(uow, business.ctx, worksheet_id, by)
        elif how == "switched on":
            await set_worksheet_active(uow, business.ctx, worksheet_id, active=True)
    page = await shop.guest.open(old.headers["location"])
    assert "worksheet comes with it" not in page.text
    new = await shop.book(subject("session", session.id), email="ben@example.com")
    assert "worksheet comes with it" in (await shop.guest.open(new.headers["location"])).text
    await shop.work()
    asked = [one.order_id for one in await copies_of(factory, business)]
    newest = (await rows(shop, Order))[-1]
    assert asked == [newest.id]


async def test_a_booking_without_an_address_says_nothing_of_a_mail_with_a_worksheet(
    shop: Shop,
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    await a_worksheet(factory, business, service_ids=[service.id])
    anna = await a_customer(factory, business, name="Anna", email="", phone="+31201234567")
    wish = for_anna("session", session.id, anna, guest_email="")
    made = await by_staff(factory, business, wish)
    await shop.work()
    assert len(await copies_of(factory, business)) == 1
    path = booking_path(shop.services.settings, business.slug, made.order)
    assert "worksheet comes with it" not in (await shop.guest.open(path)).text


async def test_the_pages_about_ones_data_say_where_the_files_are(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    (copy,) = await copies_of(factory, lotus)
    customer = f"/app/{lotus.slug}/customers/{copy.customer_id}"
    await sign_in_portal(client, services, lotus.id, copy.customer_id, "anna@x.example")
    profile = f"/b/{lotus.slug}/me/profile"
    for page in (customer, profile):
        assert "only names the file" not in (await client.get(page)).text
    await fill(client, path, q1="Yes", files={"q3": ("letter.pdf", PDF)})
    shown = await client.get(profile)
    assert "The download only names the file that you sent with a worksheet." in shown.text
    assert f'href="/b/{lotus.slug}/me/worksheets">Get the file itself' in shown.text
    taken = await send_again(client, f"/b/{lotus.slug}/me/export", shown, {})
    assert [one["filename"] for one in taken.json()["worksheet_files"]] == ["letter.pdf"]
    staff = await client.get(customer)
    assert "The export only names the file that they sent with a worksheet." in staff.text
    assert 'href="#worksheets">Get the file itself' in staff.text
    assert 'id="worksheets"' in staff.text
    (file,) = await files_of(factory, lotus)
    got = await client.get(f"/b/{lotus.slug}/me/worksheets/{copy_id}/files/{file.id}")
    assert got.content == PDF


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
