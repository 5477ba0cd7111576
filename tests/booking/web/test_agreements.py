"""Agreements on the pages: written and published by the business, signed by guests."""

import csv
import io
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.billing.models import Order
from src.booking.guest_links import booking_path
from src.booking.models import Seat
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop, rows, subject
from tests.booking.web.pages import send, send_again
from tests.support.agreements import (
    TEXT,
    an_agreement,
    republish,
    signatures_of,
    signing,
    versions_of,
)
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


async def free_yoga(shop: Shop | Business, services: Services) -> tuple[Any, Any, str]:
    business = shop.business if isinstance(shop, Shop) else shop
    factory = services.uow_factory
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    return service, session, subject("session", session.id)


def fill(version_id: UUID, **more: str) -> dict[str, str]:
    return {"agreed": str(version_id), "agree": "on", "signature": "Carl Guest", **more}


async def test_an_owner_writes_previews_publishes_and_has_it_asked_for(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service, _session, _url = await free_yoga(lotus, services)
    home = f"/app/{lotus.slug}/agreements"
    assert "No agreement yet" in (await client.get(home)).text
    refused = await send(client, f"{home}/new", {"title": " ", "text": "Kept"})
    assert refused.status_code == 422
    assert 'id="f-title-error"' in refused.text
    assert "Kept" in refused.text
    saved = await send(client, f"{home}/new", {"title": "Waiver", "text": TEXT})
    assert saved.status_code == 303
    publishing = saved.headers["location"]
    page = await client.get(publishing)
    assert "Publish version 1?" in page.text
    assert "You climb at your own risk." in page.text
    assert "Nothing asks for it yet." in page.text
    one = publishing.removesuffix("/publish")
    assert (await client.get(f"/b/{lotus.slug}/agreements/waiver")).status_code == 404
    done = await send_again(client, publishing, page, {})
    assert done.headers["location"] == one
    asked = await send(client, f"{one}/asked-for", {"service_ids": str(service.id)})
    assert asked.status_code == 303
    shown = await client.get(one)
    assert "Asked for" in shown.text
    assert "Nobody has signed it yet" in shown.text
    assert "You climb" in (await client.get(f"/b/{lotus.slug}/agreements/waiver")).text
    # The thing's own page has the same box.
    own = await client.get(f"/app/{lotus.slug}/services/{service.id}/agreements")
    assert "checked" in own.text
    off = await send(
        client, f"/app/{lotus.slug}/services/{service.id}/agreements", {"agreement_ids": None}
    )
    assert off.status_code == 303
    assert "Nothing asks for it" in (await client.get(one)).text


async def test_publishing_says_who_signed_before_and_who_is_asked_again(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service, session, _url = await free_yoga(lotus, services)
    agreement_id = await an_agreement(factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(factory, lotus)
    await booked(factory, lotus, a_wish("session", session.id, signing=signing(version.id)))
    one = f"/app/{lotus.slug}/agreements/{agreement_id}"
    same = await client.get(f"{one}/publish")
    assert "No changes to publish" in same.text
    assert "Publish version" not in same.text
    edited = await send(client, f"{one}/edit", {"text": "Now it is different."})
    page = await client.get(edited.headers["location"])
    assert "1 person has signed version 1." in page.text
    assert "1 customer has something to come that asks for it" in page.text
    stale = await client.post(
        f"{one}/publish",
        data={"_csrf_token": _token(page.text), "shown": "0" * 64},
    )
    assert stale.status_code == 409
    assert "changed meanwhile" in stale.text
    await send_again(client, f"{one}/publish", page, {})
    shown = await client.get(one)
    assert "Still to sign" in shown.text
    former = await client.get(f"{one}/versions/1")
    assert "Replaced" in former.text
    assert version.sha256 in former.text


def _token(html: str) -> str:
    return html.split('name="_csrf_token" value="')[1].split('"', maxsplit=1)[0]


async def test_signatures_are_listed_printed_and_exported(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service, session, _url = await free_yoga(lotus, services)
    agreement_id = await an_agreement(factory, lotus, service_ids=[service.id])
    (version,) = await versions_of(factory, lotus)
    given = signing(version.id, name="=HYPERLINK Carl")
    made = await booked(factory, lotus, a_wish("session", session.id, signing=given))
    (kept,) = await signatures_of(factory, lotus)
    one = f"/app/{lotus.slug}/agreements/{agreement_id}"
    assert "=HYPERLINK Carl" in (await client.get(one)).text
    assert "=HYPERLINK Carl" in (await client.get(f"{one}?q=carl@example")).text
    assert "Nobody of that name" in (await client.get(f"{one}?q=berta")).text
    record = await client.get(f"{one}/signatures/{kept.id}")
    for said in (TEXT.split("\n")[1], version.sha256, "203.0.113.7", "Firefox", "carl@example.com"):
        assert said in record.text.replace("<wbr>", "")
    assert made.reference in record.text
    pdf = await client.get(f"{one}/signatures/{kept.id}/signature.pdf")
    assert pdf.content.startswith(b"%PDF")
    file = await send_again(client, f"{one}/export", await client.get(one), {})
    (_header, row) = csv.reader(io.StringIO(file.content.decode("utf-8-sig")))
    assert row[:5] == ["'=HYPERLINK Carl", "Carl", "carl@example.com", "Waiver", "1"]
    customer = await client.get(f"/app/{lotus.slug}/customers/{made.order.customer_id}")
    assert f"/agreements/{agreement_id}/signatures/{kept.id}" in customer.text


async def test_the_booking_form_asks_at_the_field_and_keeps_what_was_typed(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service, _session, url = await free_yoga(shop, shop.services)
    await an_agreement(factory, shop.business, service_ids=[service.id])
    (version,) = await versions_of(factory, shop.business)
    form = await shop.guest.open(url)
    assert "You climb at your own risk." in form.text
    assert "/b/lotus/agreements/waiver" in form.text
    refused = await shop.send(note="I bring a mat")
    assert refused.status_code == 422
    assert 'id="f-agree-error"' in refused.text
    assert "Please read and agree to “Waiver”." in refused.text
    assert "Please type your full name to sign." in refused.text
    assert "I bring a mat" in refused.text
    assert await rows(shop, Seat) == []
    sent = await shop.send(**fill(version.id))
    assert sent.status_code == 303
    (kept,) = await signatures_of(factory, shop.business)
    assert (kept.name, kept.is_proved, kept.how) == ("Carl Guest", False, "booking")
    assert kept.address
    await shop.work()


async def test_a_version_published_meanwhile_is_shown_and_has_to_be_agreed_to_anew(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    service, _session, url = await free_yoga(shop, shop.services)
    agreement_id = await an_agreement(factory, shop.business, service_ids=[service.id])
    (version,) = await versions_of(factory, shop.business)
    await shop.guest.open(url)
    await republish(factory, shop.business, agreement_id, "Now it is different.")
    refused = await shop.send(**fill(version.id, note="I bring a mat"))
    assert refused.status_code == 422
    assert "“Waiver” has changed since you opened this page." in refused.text
    assert "Now it is different." in refused.text
    assert "I bring a mat" in refused.text
    assert 'value="Carl Guest"' in refused.text
    ticked = refused.text.split('id="f-agree"')[1].split(">")[0]
    assert "checked" not in ticked
    _first, second = await versions_of(factory, shop.business)
    # Working out the price again does not carry an old tick over to a new text.
    updated = await shop.send(**fill(version.id, step="update"))
    assert "checked" not in updated.text.split('id="f-agree"')[1].split(">")[0]
    assert (await shop.send(**fill(second.id))).status_code == 303
    (kept,) = await signatures_of(factory, shop.business)
    assert kept.version_id == second.id


async def test_the_form_that_has_booked_leads_to_its_booking_whatever_was_published_since(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    service, _session, url = await free_yoga(shop, shop.services)
    agreement_id = await an_agreement(factory, shop.business, service_ids=[service.id])
    (version,) = await versions_of(factory, shop.business)
    first = await shop.book(url, **fill(version.id))
    await republish(factory, shop.business, agreement_id, "Now it is different.")
    again = await shop.send(**fill(version.id))
    assert again.headers["location"] == first.headers["location"]


async def test_one_who_is_signed_in_signs_once(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service, _session, url = await free_yoga(shop, shop.services)
    other = await a_session(factory, service, in_days=9)
    agreement_id = await an_agreement(factory, shop.business, service_ids=[service.id])
    (version,) = await versions_of(factory, shop.business)
    carl = await a_customer(factory, shop.business, email="carl@example.com")
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, carl)
    sent = await shop.book(url, **fill(version.id))
    assert sent.status_code == 303
    (kept,) = await signatures_of(factory, shop.business)
    assert kept.is_proved
    form = await shop.guest.open(subject("session", other.id))
    assert "To read and sign" not in form.text
    assert (await shop.send()).status_code == 303
    own = await shop.guest.open("/b/lotus/me/agreements")
    assert "Version 1, signed" in own.text
    record = await shop.guest.open(f"/b/lotus/me/agreements/{kept.id}")
    assert "You climb at your own risk." in record.text
    assert kept.address not in record.text
    await republish(factory, shop.business, agreement_id, "Now it is different.")
    home = await shop.guest.open("/b/lotus/me")
    assert "One agreement to sign" in home.text
    page = await shop.guest.open("/b/lotus/me/agreements")
    assert "Now it is different." in page.text
    refused = await shop.guest.submit({"signature": ""}, to="/me/agreements", status=422)
    assert "Please type your full name to sign." in refused.text
    _first, second = await versions_of(factory, shop.business)
    await shop.guest.submit(fill(second.id), to="/me/agreements")
    assert "One agreement to sign" not in (await shop.guest.open("/b/lotus/me")).text


async def test_whom_staff_booked_for_signs_by_the_link_in_the_mail(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service, session, _url = await free_yoga(shop, shop.services)
    await an_agreement(factory, business, service_ids=[service.id])
    (version,) = await versions_of(factory, business)
    anna = await a_customer(factory, business)
    await by_staff(factory, business, for_anna("session", session.id, anna, pays="free"))
    await work(shop.services, business.id)
    (order,) = await rows(shop, Order)
    path = booking_path(shop.services.settings, business.slug, order)
    mail = mailer.sent[-1]
    assert "Please read and sign before you come: “Waiver”." in mail.body
    assert f"{path}/agreements" in mail.body
    assert "One agreement to sign" in (await shop.guest.open(path)).text
    page = await shop.guest.open(f"{path}/agreements")
    assert "You climb at your own risk." in page.text
    await shop.guest.submit(fill(version.id, signature="Anna Bakker"), to="/agreements")
    (kept,) = await signatures_of(factory, business)
    assert (kept.name, kept.how, kept.order_id) == ("Anna Bakker", "link", order.id)
    assert "One agreement to sign" not in (await shop.guest.open(path)).text


async def test_the_confirmation_says_what_was_agreed_to(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service, session, _url = await free_yoga(shop, shop.services)
    await an_agreement(factory, business, service_ids=[service.id])
    (version,) = await versions_of(factory, business)
    await booked(factory, business, a_wish("session", session.id, signing=signing(version.id)))
    await work(shop.services, business.id)
    assert "You agreed to “Waiver”." in mailer.sent[-1].body
    assert "Please read and sign" not in mailer.sent[-1].body


async def test_a_package_is_bought_with_a_signature(shop: Shop) -> None:
    factory, business = shop.services.uow_factory, shop.business
    await a_service(factory, business.id)
    package = await a_package(factory, business.id, pays=["on_site"])
    await an_agreement(factory, business, package_ids=[package.id])
    (version,) = await versions_of(factory, business)
    await shop.guest.open(f"/b/lotus/packages/{package.id}")
    refused = await shop.send(step="buy", way="on_site")
    assert refused.status_code == 422
    assert "Please read and agree to “Waiver”." in refused.text
    sent = await shop.send(step="buy", way="on_site", **fill(version.id))
    assert sent.status_code == 303
    again = await shop.send(step="buy", way="on_site", **fill(version.id))
    assert again.headers["location"] == sent.headers["location"]
    assert len(await signatures_of(factory, business)) == 1


async def test_another_guests_signature_and_another_business_are_not_to_be_seen(
    shop: Shop, services: Services
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    service, session, _url = await free_yoga(shop, shop.services)
    await an_agreement(factory, business, service_ids=[service.id])
    (version,) = await versions_of(factory, business)
    await booked(factory, business, a_wish("session", session.id, signing=signing(version.id)))
    (kept,) = await signatures_of(factory, business)
    anna = await a_customer(factory, business)
    await sign_in_portal(shop.guest.client, shop.services, business.id, anna, "anna@example.com")
    page = await shop.guest.client.get(f"/b/lotus/me/agreements/{kept.id}")
    assert page.status_code == 404
    pdf = await shop.guest.client.get(f"/b/lotus/me/agreements/{kept.id}/signature.pdf")
    assert pdf.status_code == 404
    await a_business(factory, "rival", owner="Eve")
    assert (await shop.guest.client.get("/b/rival/agreements/waiver")).status_code == 404
