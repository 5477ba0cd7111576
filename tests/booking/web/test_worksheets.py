"""Worksheets on the pages: put together by the business, filled in by guests."""

import csv
import io
import re
from typing import Any
from urllib.parse import unquote
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from src.booking.commands.worksheet_copies import give_worksheet
from src.booking.worksheet_links import worksheet_path
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails, change_customer
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import as_owner, send, send_again
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import forms_of
from tests.support.work import work
from tests.support.worksheets import (
    ALL_KINDS,
    PDF,
    a_worksheet,
    copies_of,
    files_of,
    publish_newest,
    sheet_versions_of,
)
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

ANNA = "anna@x.example"


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    return business


async def a_link(
    services: Services, business: Business, worksheet_id: UUID, **more: Any
) -> tuple[str, UUID]:
    """Where Anna fills it in, and her copy."""
    named = {"name": "Anna", "email": ANNA, **more}
    anna, copy_id = await a_customer(services.uow_factory, business, **named), new_id()
    async with services.uow_factory(business.id) as uow:
        await give_worksheet(uow, business.ctx, copy_id, worksheet_id, anna)
    copy = next(one for one in await copies_of(services.uow_factory, business) if one.id == copy_id)
    at = services.clock.now()
    return worksheet_path(services.settings, business.slug, copy, named["email"], at), copy_id


async def fill(
    client: AsyncClient,
    path: str,
    *,
    do: str = "send",
    files: dict[str, tuple[str, bytes]] | None = None,
    page: Response | None = None,
    **answers: Any,
) -> Response:
    """Opens the form, types into it and sends it as a browser does."""
    shown = page or await client.get(path)
    [form] = [form for form in forms_of(shown) if "version" in form.fields]
    typed = {f"answers.{key}": value for key, value in answers.items() if key != "removed"}
    if "removed" in answers:
        typed["removed"] = answers["removed"]
    data = form.filled({**typed, "do": do})
    sent = {
        f"answers.{key}": (*file, "application/octet-stream") for key, file in (files or {}).items()
    }
    return await client.post(path, data=data, files=sent or {"nothing": ("", b"")})


async def test_an_owner_puts_one_together_publishes_it_and_has_it_asked_for(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    home = f"/app/{lotus.slug}/worksheets"
    assert "No worksheet yet" in (await client.get(home)).text
    refused = await send(client, f"{home}/new", {"title": " ", "introduction": "Kept"})
    assert refused.status_code == 422
    assert 'id="f-title-error"' in refused.text
    assert "Kept" in refused.text
    saved = await send(client, f"{home}/new", {"title": "Health", "introduction": "We care."})
    one = saved.headers["location"]
    assert "Nothing is asked yet" in (await client.get(one)).text
    wrong = await send(client, f"{one}/questions/new", {"label": "Shoe?", "kind": "one"})
    assert wrong.status_code == 422
    assert "at least two answers" in wrong.text
    for label, more in (
        ("Knees?", {"required": "on"}),
        ("Shoe?", {"kind": "one", "choices": "Left\r\n\r\nRight\r\n"}),
        ("How well?", {"kind": "scale", "steps": "3", "low": "badly", "high": "well"}),
    ):
        added = await send(client, f"{one}/questions/new", {"label": label, **more})
        assert added.status_code == 303, added.text
    page = await client.get(one)
    assert page.text.index("Knees?") < page.text.index("Shoe?") < page.text.index("How well?")
    up = next(f.action for f in reversed(forms_of(page)) if f.action.endswith("/move"))
    await send_again(client, up, page, {"up": "1"})
    page = await client.get(one)
    assert page.text.index("How well?") < page.text.index("Shoe?")
    preview = await client.get(f"{one}/publish")
    for said in ("Publish version 1?", "We care.", "3 = well", "Nothing asks for it yet."):
        assert said in preview.text
    done = await send_again(client, f"{one}/publish", preview, {})
    assert done.headers["location"] == one
    service = await a_service(services.uow_factory, lotus.id)
    asked = await send(client, f"{one}/asked-for", {"service_ids": str(service.id)})
    assert asked.status_code == 303
    shown = await client.get(one)
    assert service.name in shown.text
    assert "Nobody has filled it in yet" in shown.text


async def test_a_question_is_edited_and_taken_off_and_a_stale_page_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus, questions=ALL_KINDS)
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    edit = f"{one}/questions/one/edit"
    opened = await client.get(edit)
    assert "Left\nRight" in opened.text
    assert (await send(client, edit, {"label": "Which boot?"})).status_code == 303
    stale = await send_again(client, edit, opened, {"label": "Which sock?"})
    assert stale.status_code == 409
    assert "Which sock?" in stale.text
    assert (await send_again(client, edit, stale, {})).status_code == 303
    page = await client.get(one)
    assert "Which sock?" in page.text
    await send_again(client, f"{one}/questions/one/remove", page, {})
    page = await client.get(one)
    assert "Which sock?" not in page.text
    assert "The draft differs from version 1." in page.text


async def test_a_guest_saves_goes_on_and_sends_by_the_link(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus, questions=ALL_KINDS, introduction="We care.")
    path, copy_id = await a_link(services, lotus, worksheet_id)
    client.cookies.clear()
    page = await client.get(path)
    assert "We care." in page.text
    assert page.headers["x-robots-tag"] == "noindex"
    saved = await fill(client, path, do="save", short="Zo", number="seven")
    assert saved.headers["location"] == path
    page = await client.get(path)
    assert "Saved, and not sent yet" in page.text
    assert 'value="seven"' in page.text
    refused = await fill(client, path, long="Once\nupon", several=["Flute", "Harp"], scale="4")
    assert refused.status_code == 422
    assert "Type a number" in refused.text
    assert "Once\nupon" in refused.text
    sent = await fill(client, path, page=refused, number="1,8", files={"file": ("me.pdf", PDF)})
    assert sent.status_code == 303, sent.text
    page = await client.get(path)
    for said in ("your answers are sent", "Flute, Harp", "4 of 5", "1.8", "me.pdf"):
        assert said in page.text
    assert 'name="answers.' not in page.text
    (copy,) = await copies_of(factory, lotus)
    assert (copy.id, copy.state) == (copy_id, "sent")


async def test_files_are_served_to_be_saved_to_staff_and_their_guest_alone(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus, questions=ALL_KINDS)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    other, _copy = await a_link(services, lotus, worksheet_id, email="ben@x.example")
    await fill(client, path, files={"file": ('x"é;.pdf', PDF)})
    (file,) = await files_of(factory, lotus)
    staff = f"/app/{lotus.slug}/worksheets/{worksheet_id}/copies/{copy_id}"
    for at in (f"{path}/files/{file.id}", f"{staff}/files/{file.id}"):
        got = await client.get(at)
        assert got.content == PDF
        assert got.headers["content-type"] == "application/pdf"
        assert got.headers["content-disposition"].startswith('attachment; filename="')
        assert got.headers["content-disposition"].count('"') == 2
        assert got.headers["content-disposition"].count(";") == 2
        named = got.headers["content-disposition"].partition("; filename*=UTF-8''")[2]
        assert unquote(named) == file.filename
        assert "é" in file.filename
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["cache-control"] == "private, no-store"
    assert (await client.get(f"{other}/files/{file.id}")).status_code == 404
    carl = await a_customer(factory, lotus, name="Carl", email="carl@example.com")
    await sign_in_portal(client, services, lotus.id, carl)
    own = f"/b/{lotus.slug}/me/worksheets/{copy_id}"
    assert (await client.get(own)).status_code == 404
    assert (await client.get(f"{own}/files/{file.id}")).status_code == 404
    await a_business(factory, "rival", owner="Eve")
    assert (await client.get(path.replace(f"/b/{lotus.slug}/", "/b/rival/"))).status_code == 404


async def test_a_link_ends_with_the_address_that_it_went_to(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path, _copy = await a_link(services, lotus, await a_worksheet(services.uow_factory, lotus))
    (copy,) = await copies_of(services.uow_factory, lotus)
    details = CustomerDetails(name="Anna", email="anna@new.example")
    async with services.uow_factory(lotus.id) as uow:
        await change_customer(uow, lotus.ctx, copy.customer_id, details)
    gone = await client.get(path)
    assert gone.status_code == 410
    assert "not valid any more" in gone.text


async def test_staff_read_print_export_and_open_answers_again(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, copy_id = await a_link(services, lotus, worksheet_id)
    await a_link(services, lotus, worksheet_id, name="Ben", email="ben@x.example")
    await fill(client, path, q1="=HYPERLINK(1)", q2="2026-01-02", files={"q3": ("l.pdf", PDF)})
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    page = await client.get(one)
    waits, answered = page.text.split('id="answers"')
    assert "ben@x.example" in waits.replace("<wbr>", "")
    assert "Read the answers of Anna" in answered
    file = await send_again(client, f"{one}/export", page, {})
    header, row = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert header[6:] == ["Do your knees hurt?", "Since when?", "The doctor's letter"]
    assert row[:3] == ["Anna", ANNA, "1"]
    assert row[6:] == ["'=HYPERLINK(1)", "2026-01-02", "l.pdf"]
    shown = await client.get(f"{one}/copies/{copy_id}")
    for said in ("Do your knees hurt?", "=HYPERLINK(1)", "l.pdf", "Open it again"):
        assert said in shown.text
    paper = await client.get(f"{one}/copies/{copy_id}/print")
    assert "=HYPERLINK(1)" in paper.text
    assert "Since when?" in paper.text
    assert "<nav" not in paper.text
    again = {"why": "Which knee?"}
    reopened = await send_again(client, f"{one}/copies/{copy_id}/reopen", shown, again)
    assert reopened.status_code == 303
    await work(services, lotus.id)
    assert "Which knee?" in mailer.sent[-1].body
    assert "Which knee?" in (await client.get(path)).text
    customer = await client.get(
        f"/app/{lotus.slug}/customers/{(await copies_of(factory, lotus))[0].customer_id}"
    )
    assert f"/worksheets/{worksheet_id}/copies/{copy_id}" in customer.text


async def test_staff_give_one_on_the_customers_page(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    anna = await a_customer(factory, lotus, name="Anna", email=ANNA)
    page = await client.get(f"/app/{lotus.slug}/customers/{anna}")
    to = f"/app/{lotus.slug}/customers/{anna}/worksheets"
    given = await send_again(client, to, page, {"worksheet_id": str(worksheet_id)})
    assert given.status_code == 303
    await work(services, lotus.id)
    assert mailer.sent[-1].to == [f"Anna <{ANNA}>"]
    after = await client.get(f"/app/{lotus.slug}/customers/{anna}")
    assert "Not begun" in after.text


async def test_a_booking_asks_and_only_its_own_guest_sees_what_is_left(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    await a_worksheet(factory, business, service_ids=[service.id])
    booked = await shop.book(subject("session", session.id))
    await shop.work()
    booking = booked.headers["location"]
    stranger = await shop.guest.open(booking)
    assert "A worksheet comes with it" in stranger.text
    assert re.search(r"/b/lotus/worksheets/", stranger.text) is None
    mail = next(one for one in mailer.sent if "To fill in" in one.subject)
    assert "/b/lotus/worksheets/" in mail.body
    (copy,) = await copies_of(factory, business)
    anna = await a_customer(factory, business, name="Anna", email=ANNA)
    await sign_in_portal(shop.guest.client, shop.services, business.id, anna, ANNA)
    assert "A worksheet comes with it" in (await shop.guest.open(booking)).text
    await sign_in_portal(shop.guest.client, shop.services, business.id, copy.customer_id)
    own = f"/b/lotus/me/worksheets/{copy.id}"
    for at in (booking, "/b/lotus/me", "/b/lotus/me/worksheets"):
        page = await shop.guest.open(at)
        assert "One worksheet to fill in" in page.text, at
        assert own in page.text, at
    sent = await fill(shop.guest.client, own, q1="No")
    assert sent.headers["location"] == own
    for at in (booking, "/b/lotus/me"):
        assert "worksheet to fill in" not in (await shop.guest.open(at)).text, at
    listed = await shop.guest.open("/b/lotus/me/worksheets")
    assert "Sent on" in listed.text


async def test_a_form_left_open_says_that_it_was_sent(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    opened = await client.get(path)
    await fill(client, path, q1="Yes")
    again = await fill(client, path, page=opened, q1="No")
    assert again.status_code == 303
    page = await client.get(path)
    assert "You had sent it already" in page.text
    assert "Yes" in page.text


async def test_publishing_says_who_goes_on_with_the_former_version(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    path, _copy = await a_link(services, lotus, worksheet_id)
    await fill(client, path, do="save", q1="Yes")
    one = f"/app/{lotus.slug}/worksheets/{worksheet_id}"
    await send(client, f"{one}/edit", {"title": "Health 2"})
    preview = await client.get(f"{one}/publish")
    assert "1 guest has begun with a former version" in preview.text
    stale = await send_again(client, f"{one}/publish", preview, {"shown": "0" * 20})
    assert stale.status_code == 409
    assert await publish_newest(factory, lotus, worksheet_id) == 2
    assert len(await sheet_versions_of(factory, lotus)) == 2
    assert "Versions" in (await client.get(one)).text
