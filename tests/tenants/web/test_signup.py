"""From a stranger to an owner with a business, and back in again."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from src.platform.services import Services
from src.tenants.domain.places import (
    COUNTRIES,
    CURRENCIES,
    timezones,
    usual_currency,
    usual_timezone,
)
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.queries.tenants import find_tenant_by_slug
from tests.support.builders import a_business, a_user
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio

OLIVE: dict[str, Any] = {
    "business_name": "Lotus Yoga",
    "slug": "lotus-yoga",
    "name": "Olive Oak",
    "email": "olive@lotus.example",
    "password": "correct horse battery",
}


@pytest.fixture
def olive(client: AsyncClient) -> Visitor:
    return Visitor(client)


def link_in(mailer: RememberingMailer) -> str:
    found = re.search(r"http://testserver\.local(/\S+)", mailer.sent[-1].body)
    assert found is not None
    return found[1]


async def signed_up(olive: Visitor, services: Services) -> None:
    await olive.open("/sign-up")
    await olive.submit(OLIVE)
    await work(services, PLATFORM_TENANT_ID)


async def begun(olive: Visitor, services: Services, mailer: RememberingMailer) -> None:
    """With a business, and signed out again."""
    await signed_up(olive, services)
    await olive.open(link_in(mailer))
    await olive.submit(to="/sign-out")


async def test_signing_up_confirming_and_landing_on_the_list(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await signed_up(olive, services)
    assert "Look into your mail" in olive.text
    await olive.open(link_in(mailer))
    assert olive.path == "/app/lotus-yoga/start"
    assert "Getting started" in olive.text
    assert "Growth trial: 14 days left" in olive.text


async def test_the_trial_ends_by_the_clock(
    olive: Visitor, services: Services, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    await begun(olive, services, mailer)
    async with services.uow_factory(None) as uow:
        tenant = await find_tenant_by_slug(uow, "lotus-yoga")
        assert tenant is not None
        assert tenant.entitlements.plan_key == "growth"
    clock.advance(timedelta(days=14, seconds=1))
    async with services.uow_factory(None) as uow:
        tenant = await find_tenant_by_slug(uow, "lotus-yoga")
        assert tenant is not None
        assert tenant.entitlements.plan_key == "free"


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("slug", "admin", "reserved"),
        ("slug", "No Spaces!", "small letters"),
        ("slug", "taken", "taken"),
        ("password", "password12", "one of the first"),
        ("password", "short", "10 characters"),
        ("email", "not an address", "e-mail"),
        ("timezone", "Mars/Olympus", "timezone"),
        ("business_name", "", "Please"),
    ],
)
async def test_what_cannot_be_used_is_said_at_its_field_and_the_rest_is_kept(
    olive: Visitor, services: Services, field: str, value: str, sentence: str
) -> None:
    await a_business(services.uow_factory, "taken")
    await olive.open("/sign-up")
    await olive.submit({**OLIVE, field: value}, status=422)
    assert sentence in olive.text
    assert 'value="Olive Oak"' in olive.text
    assert OLIVE["password"] not in olive.text


@pytest.mark.parametrize(
    ("country", "chosen", "kept"),
    [
        ("GB", {}, ("Europe/London", "GBP")),
        ("JP", {"currency": "USD"}, ("Asia/Tokyo", "USD")),
        ("US", {"timezone": "America/Denver"}, ("America/Denver", "USD")),
    ],
)
async def test_zone_and_currency_follow_the_country_unless_they_are_chosen(
    olive: Visitor,
    services: Services,
    mailer: RememberingMailer,
    country: str,
    chosen: dict[str, str],
    kept: tuple[str, str],
) -> None:
    await olive.open("/sign-up")
    if country == "US":
        await olive.submit({**OLIVE, "country": country}, status=422)
        assert "the country has several." in olive.text
    await olive.submit({**OLIVE, "country": country, **chosen})
    await work(services, PLATFORM_TENANT_ID)
    await olive.open(link_in(mailer))
    async with services.uow_factory(None) as uow:
        tenant = await find_tenant_by_slug(uow, "lotus-yoga")
    assert tenant is not None
    assert (tenant.timezone, tenant.currency) == kept


def test_the_usual_ones_can_be_chosen() -> None:
    for country in COUNTRIES:
        assert usual_currency(country) in CURRENCIES
        assert usual_timezone(country) in {*timezones(), ""}


async def test_all_that_is_wrong_is_said_at_once(olive: Visitor) -> None:
    await olive.open("/sign-up")
    await olive.submit({"slug": "admin", "name": "", "email": "", "password": "short"}, status=422)
    for field in ("business_name", "slug", "name", "email", "password"):
        assert f'id="f-{field}-error"' in olive.text, field
    await olive.submit({"slug": "", "password": ""}, status=422)
    assert 'id="f-slug-error"' not in olive.text
    assert "Please fill this in" in olive.text


async def test_an_address_that_is_none_hides_no_other_mistake(olive: Visitor) -> None:
    """What cannot even be read is said together with what is judged."""
    wrong = {"slug": "admin", "name": "", "email": "olive at lotus", "password": "short"}
    await olive.open("/sign-up")
    await olive.submit({**wrong, "business_name": "L" * 101}, status=422)
    for field in ("business_name", "slug", "name", "email", "password"):
        assert olive.text.count(f'id="f-{field}-error"') == 1, field
    assert olive.text.count("Please fill this in") == 1, "the password was typed, only weak"


VARYING = re.compile(r'name="(_csrf_token|token)"\s+value="[^"]+"|\b[0-9a-f]{24}\b')
"""Tokens of forms and the ids of requests, which are new each time."""


async def answers_after_signing_up(
    services: Services, browser: AsyncClient, email: str, slug: str
) -> list[tuple[int, str]]:
    """What a stranger is told who signs up with this address, and by whatever they try then."""
    stranger, told = Visitor(browser), []
    asked = {**OLIVE, "email": email, "slug": slug}

    def note() -> None:
        assert stranger.page is not None
        text = VARYING.sub("", stranger.text).replace(slug, "SLUG").replace(email, "EMAIL")
        told.append((stranger.page.status_code, text))

    await stranger.open("/sign-up")
    await stranger.submit(asked)
    note()
    await work(services, PLATFORM_TENANT_ID)
    for path in (f"/b/{slug}", f"/b/{slug}/theme.css", f"/app/{slug}", "/sign-up"):
        stranger.page = await browser.get(path, follow_redirects=True)
        note()
    browser.cookies.clear()
    await stranger.open("/sign-up")
    for other in (email, "third@x.example"):
        await stranger.submit({**asked, "email": other}, status=422)
        note()
    await stranger.open("/sign-in")
    await stranger.submit({"email": email, "password": OLIVE["password"]}, status=422)
    note()
    return told


async def test_nothing_tells_whether_an_address_was_known(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    """The answer to the form, the slug's page and its style, the door of the dashboard, the form
    sent again, by the same and by another address, and the way in: byte by byte the same.
    """
    await a_user(services.uow_factory, "Olive", email="known@lotus.example")
    known = await answers_after_signing_up(services, client, "known@lotus.example", "lotus-one")
    client.cookies.clear()
    fresh = await answers_after_signing_up(services, client, "fresh@lotus.example", "lotus-two")
    assert known == fresh
    assert [status for status, _text in known] == [200, 404, 404, 404, 200, 422, 422, 422]
    assert "taken" in known[5][1]
    subjects = [mail.subject for mail in mailer.sent]
    assert ["already have" in subject for subject in subjects] == [True, False]


async def test_a_slug_is_free_again_when_nobody_followed_the_link(
    olive: Visitor, services: Services, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    await signed_up(olive, services)
    path = link_in(mailer)
    clock.advance(timedelta(days=3, seconds=1))
    await olive.open(path, status=410)
    olive.client.cookies.clear()
    await olive.open("/sign-up")
    await olive.submit({**OLIVE, "email": "other@x.example"})
    assert "Look into your mail" in olive.text


async def test_the_same_form_corrected_is_the_same_sign_up(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    """A slip in the address does not lock anybody out of the slug they chose."""
    await olive.open("/sign-up")
    await olive.submit({**OLIVE, "email": "slip@lotus.example"})
    await work(services, PLATFORM_TENANT_ID)
    slip = link_in(mailer)
    await olive.open("/sign-up")
    await olive.submit(OLIVE)
    await work(services, PLATFORM_TENANT_ID)
    await olive.open(slip)
    assert olive.path == "/sign-in", "the other address is not good any more"
    await olive.open(link_in(mailer))
    assert olive.path == "/app/lotus-yoga/start"
    await olive.submit(to="/sign-out")
    await olive.open(link_in(mailer))
    assert olive.path == "/sign-in", "a link finishes once"


async def test_another_browser_has_to_know_the_password(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    """Whoever signs up somebody else's address does not get an account together with them."""
    await signed_up(olive, services)
    olive.client.cookies.clear()
    await olive.open(link_in(mailer))
    assert "in another browser" in olive.text
    await olive.submit({"password": "not the one"}, status=422)
    await olive.submit({"password": OLIVE["password"]})
    assert olive.path == "/app/lotus-yoga/start"


async def test_an_address_that_became_known_meanwhile_is_sent_to_sign_in(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await signed_up(olive, services)
    await a_user(services.uow_factory, "Olive", email=OLIVE["email"])
    await olive.open(link_in(mailer))
    assert olive.path == "/sign-in"
    assert "already have an account" in olive.text


async def test_signing_in_gives_a_new_session_id_and_signing_out_ends_it(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await signed_up(olive, services)
    await olive.open(link_in(mailer))
    first = olive.client.cookies["seatline_session"]
    await olive.submit(to="/sign-out")
    assert "seatline_session" not in olive.client.cookies
    await olive.sign_in(OLIVE["email"], OLIVE["password"])
    assert olive.path == "/app/lotus-yoga/start"
    assert olive.client.cookies["seatline_session"] != first
    olive.client.cookies.set("seatline_session", first, domain="testserver.local")
    await olive.open("/app")
    assert olive.path == "/sign-in", "the old id lets nobody in"


async def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await begun(olive, services, mailer)
    sentences = []
    for email, password in ((OLIVE["email"], "wrong"), ("nobody@x.example", "wrong")):
        await olive.open("/sign-in")
        await olive.submit({"email": email, "password": password}, status=422)
        sentences.append("The address or the password is not right" in olive.text)
    assert sentences == [True, True]


@pytest.mark.slow
async def test_guessing_is_slowed_down(olive: Visitor, services: Services) -> None:
    await olive.open("/sign-in")
    for _try in range(10):
        await olive.open("/sign-in")
        await olive.submit({"email": "a@b.example", "password": "x"}, status=422)
    await olive.open("/sign-in")
    await olive.submit({"email": "a@b.example", "password": "x"}, status=429)


async def test_next_never_leads_to_another_site(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await begun(olive, services, mailer)
    await olive.open("/sign-in?next=https://evil.example/")
    await olive.submit({"email": OLIVE["email"], "password": OLIVE["password"]})
    assert olive.page is not None
    assert olive.page.url.host == "testserver.local"


async def test_a_forgotten_password_is_set_anew_once(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await begun(olive, services, mailer)
    await olive.open("/password/forgotten")
    await olive.submit({"email": OLIVE["email"]})
    await work(services, PLATFORM_TENANT_ID)
    path = link_in(mailer)
    await olive.open(path)
    await olive.submit({"password": "another long sentence"})
    await olive.sign_in(OLIVE["email"], "another long sentence")
    assert olive.path == "/app/lotus-yoga/start"
    await olive.submit(to="/sign-out")
    await olive.open(path)
    await olive.submit({"password": "yet another sentence"})
    assert olive.path == "/password/forgotten"


async def test_another_business_comes_without_a_second_trial(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await signed_up(olive, services)
    await olive.open(link_in(mailer))
    await olive.open("/app/new")
    await olive.submit({"business_name": "Second Studio", "slug": ""}, to="/app/new")
    assert olive.path == "/app/second-studio/start"
    async with services.uow_factory(None) as uow:
        tenant = await find_tenant_by_slug(uow, "second-studio")
        assert tenant is not None
        assert tenant.entitlements.plan_key == "free"


async def test_all_that_is_wrong_with_another_business_is_said_at_once(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    await signed_up(olive, services)
    await olive.open(link_in(mailer))
    await olive.open("/app/new")
    await olive.submit({"business_name": "", "slug": "admin"}, to="/app/new", status=422)
    for field in ("business_name", "slug"):
        assert f'id="f-{field}-error"' in olive.text, field
    await olive.submit({"business_name": "L" * 101, "slug": "admin"}, to="/app/new", status=422)
    for field in ("business_name", "slug"):
        assert f'id="f-{field}-error"' in olive.text, field


@pytest.mark.slow
async def test_businesses_are_not_made_by_the_dozen(
    olive: Visitor, services: Services, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    await signed_up(olive, services)
    await olive.open(link_in(mailer))
    for number in range(5):
        await olive.open("/app/new")
        await olive.submit({"business_name": f"Studio {number}"}, to="/app/new")
    await olive.open("/app/new")
    await olive.submit({"business_name": "Studio 6"}, to="/app/new", status=429)
    clock.advance(timedelta(days=2))
    for number in range(10, 14):
        await olive.open("/app/new")
        await olive.submit({"business_name": f"Studio {number}"}, to="/app/new")
    await olive.open("/app/new")
    await olive.submit({"business_name": "Studio 15"}, to="/app/new", status=422)
    assert "You own 10 businesses already" in olive.text
