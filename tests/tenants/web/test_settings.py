"""Settings as an owner goes through them: profile, clock, colour, terms."""

from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.platform.services import Services
from src.tenants.context import TenantSnapshot
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry
from src.tenants.queries.tenants import tenant_snapshot
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.support.visitor import Visitor
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/settings"
ZONE = f"{HOME}/timezone?timezone="


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await sign_in(client, services, business.owner.id)
    return business


@pytest.fixture
def olive(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def save(who: Visitor, values: dict[str, Any] | None = None, status: int = 200) -> None:
    """Sends the page's own form; the dashboard around it has others."""
    await who.submit(values, to=who.path, status=status)


async def now_of(services: Services, business: Business) -> TenantSnapshot:
    async with services.uow_factory(None) as uow:
        return await tenant_snapshot(uow, business.id, services.clock.now())


async def actions(services: Services, business: Business) -> list[str]:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(AuditEntry.action)
            .where(AuditEntry.tenant_id == business.id)
            .order_by(AuditEntry.id)
        )
        return list(found)


async def test_the_profile_is_saved_and_shown_again(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(HOME)
    await save(
        olive,
        {
            "business_name": "Lotus  Loft",
            "about": "Small classes.",
            "contact_email": "hello@Lotus.example",
            "contact_phone": "020 555 0134",
        },
    )
    assert "Your profile is saved." in olive.text
    assert 'value="Lotus Loft"' in olive.text
    tenant = await now_of(services, lotus)
    assert (tenant.name, tenant.about) == ("Lotus Loft", "Small classes.")
    assert tenant.contact_email == "hello@lotus.example"
    assert tenant.contact_phone == "+31 20 555 0134"
    assert await actions(services, lotus) == ["settings.profile_changed"]


@pytest.mark.slow
async def test_how_many_places_are_left_is_said_as_the_business_wishes(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    for typed, kept in (
        ({"seats_told": "few", "few_seats": "4"}, 4),
        ({"seats_told": "never", "few_seats": "a few"}, 0),
        ({"seats_told": "always", "few_seats": ""}, None),
    ):
        await olive.open(HOME)
        await save(olive, typed)
        assert (await now_of(services, lotus)).seats_told_up_to == kept
    for few in ("0", "100", "", "-4", "a few"):
        await olive.open(HOME)
        await save(olive, {"seats_told": "few", "few_seats": few}, status=422)
        assert "a number from 1 to 99" in olive.text
    await olive.open(HOME)
    await save(olive, {"seats_told": "few", "few_seats": "4"})
    await olive.open(HOME)
    await save(olive)
    assert (await actions(services, lotus)).count("settings.profile_changed") == 4


async def test_saving_what_is_there_already_is_no_change(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(HOME)
    await save(olive)
    assert "Your profile is saved." in olive.text
    assert await actions(services, lotus) == []


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("business_name", "", "2 to 100 characters"),
        ("business_name", "L", "2 to 100 characters"),
        ("slug", "admin", "reserved"),
        ("slug", "rival", "taken"),
        ("slug", "rival-before", "taken"),
        ("slug", "No Spaces!", "small letters"),
        ("slug", "ab", "at least 3"),
        ("contact_email", "nobody", "not an e-mail address"),
        ("contact_phone", "call me", "not a phone number"),
        ("country", "XX", "country from the list"),
        ("currency", "XXX", "currency from the list"),
        ("locale", "tlh", "language from the list"),
        ("about", "x" * 2001, "2,000"),
    ],
)
async def test_what_cannot_be_used_is_said_and_all_input_is_kept(
    olive: Visitor, services: Services, lotus: Business, field: str, value: str, sentence: str
) -> None:
    await a_business(services.uow_factory, "rival-before", owner="Eve")
    await renamed(services, "rival-before", "rival")
    typed = {"business_name": "Another name", "about": "Kept text", field: value}
    await olive.open(HOME)
    await save(olive, typed, status=422)
    assert sentence.replace(",", "") in olive.text.replace(",", "")
    assert typed["business_name"] in olive.text
    assert await now_of(services, lotus) == lotus.tenant
    assert await actions(services, lotus) == []


async def test_languages_go_by_the_names_their_speakers_give_them(
    client: AsyncClient, services: Services, olive: Visitor
) -> None:
    business = await a_business(services.uow_factory, locale="en-GB")
    await sign_in(client, services, business.owner.id)
    await olive.open(HOME)
    assert "English · Wed, Mar 31, 2027, 6:00 PM" in olive.text.replace("\u202f", " ")
    assert "English (United Kingdom) · Wed, 31 Mar 2027, 18:00" in olive.text
    assert "Only languages that every page and mail is translated into" in olive.text


async def test_all_that_is_wrong_is_said_at_once(olive: Visitor, lotus: Business) -> None:
    await olive.open(HOME)
    await save(olive, {"business_name": "", "slug": "admin", "contact_phone": "call me"}, 422)
    for sentence in ("2 to 100 characters", "reserved", "not a phone number"):
        assert sentence in olive.text


async def renamed(services: Services, old: str, new: str) -> None:
    """Somebody else's business, after it moved from one address to another."""
    from src.tenants.models import Tenant, TenantSlug

    async with services.uow_factory(None) as uow:
        tenant = (await uow.session.scalars(select(Tenant).where(Tenant.slug == old))).one()
        tenant.slug = new
        now = uow.clock.now()
        uow.session.add(TenantSlug(slug=new, tenant_id=tenant.id, created_at=now))


async def test_an_old_address_leads_on_and_may_be_taken_back(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(HOME)
    await save(olive, {"slug": "Lotus-Loft"})
    assert olive.path == "/app/lotus-loft/settings"
    moved = await olive.client.get("/b/lotus?x=1", follow_redirects=False)
    assert moved.status_code == 301
    assert moved.headers["location"] == "/b/lotus-loft?x=1"
    await olive.open(HOME)
    assert olive.path == "/app/lotus-loft/settings"
    await save(olive, {"slug": "lotus"})
    assert olive.path == HOME
    moved = await olive.client.get("/b/lotus-loft", follow_redirects=False)
    assert moved.headers["location"] == "/b/lotus"


@pytest.mark.slow
async def test_the_number_of_addresses_has_an_end(olive: Visitor, lotus: Business) -> None:
    for number in range(19):
        await olive.open("/app/lotus/settings")
        await save(olive, {"slug": f"lotus-{number}"})
    await save(olive, {"slug": "lotus-one-more"}, status=422)
    assert "many addresses" in olive.text
    await olive.open(HOME)
    await save(olive, {"slug": "lotus-3"})
    assert olive.path == "/app/lotus-3/settings"


async def test_the_currency_changes_until_something_has_a_price(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(HOME)
    await save(olive, {"currency": "PLN"})
    assert (await now_of(services, lotus)).currency == "PLN"
    await a_service(services.uow_factory, lotus.id, price_type="free", price_minor=0)
    await olive.open(HOME)
    await save(olive, {"currency": "EUR"})
    assert (await now_of(services, lotus)).currency == "EUR"
    await olive.open(HOME)
    await a_service(services.uow_factory, lotus.id, slug="pilates", name="Pilates")
    await save(olive, {"currency": "PLN"}, status=422)
    assert "have prices in it" in olive.text
    await olive.open(HOME)
    assert "have prices in it" in olive.text
    assert "PLN" not in olive.text


async def test_a_new_timezone_is_shown_before_it_is_set(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    evening = datetime(2027, 3, 9, 17, tzinfo=UTC)
    await a_session(services.uow_factory, service, starts_at=evening)
    await olive.open(f"{ZONE}Europe/Helsinki")
    assert "One date lies ahead." in olive.text
    assert '<time datetime="2027-03-09T18:00:00">' in olive.text
    assert '<time datetime="2027-03-09T19:00:00">' in olive.text
    assert (await now_of(services, lotus)).timezone == "Europe/Amsterdam"
    await save(olive)
    assert olive.path == HOME
    assert "Your timezone is now Europe/Helsinki." in olive.text
    assert (await now_of(services, lotus)).timezone == "Europe/Helsinki"
    assert await actions(services, lotus) == ["settings.timezone_changed"]


@pytest.mark.parametrize(
    ("keep", "starts_at"),
    [
        ("instants", datetime(2027, 3, 9, 17, tzinfo=UTC)),
        ("wall_clock", datetime(2027, 3, 9, 16, tzinfo=UTC)),
    ],
)
async def test_dates_follow_the_answer(
    olive: Visitor, services: Services, lotus: Business, keep: str, starts_at: datetime
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    evening = datetime(2027, 3, 9, 17, tzinfo=UTC)
    session = await a_session(services.uow_factory, service, starts_at=evening)
    await olive.open(f"{ZONE}Europe/Helsinki")
    await save(olive, {"keep": keep})
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        kept = await uow.session.get_one(type(session), (lotus.id, session.id))
        assert kept.starts_at == starts_at


async def test_without_dates_ahead_nothing_is_asked(olive: Visitor, lotus: Business) -> None:
    await olive.open(f"{ZONE}Asia/Tokyo")
    assert "No dates lie ahead" in olive.text
    assert "The time of day" not in olive.text
    await save(olive)
    assert "Asia/Tokyo" in olive.text


@pytest.mark.parametrize(
    ("zone", "sentence"),
    [
        ("Mars/Olympus", "timezone from the list"),
        ("../etc/passwd", "timezone from the list"),
        ("Europe/Amsterdam", "have already"),
        ("", "Please fill this in."),
    ],
)
async def test_a_timezone_that_will_not_do(
    olive: Visitor, lotus: Business, zone: str, sentence: str
) -> None:
    await olive.open(f"{ZONE}{zone}", status=422)
    assert sentence in olive.text


async def test_two_people_changing_the_timezone(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(f"{ZONE}Europe/Helsinki")
    second = Visitor(olive.client)
    await second.open(f"{ZONE}Asia/Tokyo")
    await save(second)
    await save(olive)
    assert "Somebody changed the timezone meanwhile" in olive.text
    assert (await now_of(services, lotus)).timezone == "Asia/Tokyo"


@pytest.mark.parametrize("values", [{"keep": "both"}, {"timezone": ""}])
async def test_a_tampered_answer_changes_nothing(
    olive: Visitor, services: Services, lotus: Business, values: dict[str, Any]
) -> None:
    await olive.open(f"{ZONE}Europe/Helsinki")
    await save(olive, values)
    assert "once more" in olive.text
    assert (await now_of(services, lotus)).timezone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"brand_color": "#0F766E"}, "#0f766e"),
        ({"brand_color": "0f766e"}, "#0f766e"),
        ({"brand_color": "#abc"}, "#aabbcc"),
        ({"picked": "#ff3366"}, "#ff3366"),
        ({"brand_color": "#0f766e", "picked": "#ff3366"}, "#0f766e"),
    ],
)
async def test_a_colour_is_typed_or_picked(
    olive: Visitor, services: Services, lotus: Business, typed: dict[str, str], stored: str
) -> None:
    await olive.open(f"{HOME}/branding")
    await save(olive, typed)
    assert "Your colour is saved." in olive.text
    assert (await now_of(services, lotus)).brand_color == stored
    assert await actions(services, lotus) == ["settings.accent_changed"]


@pytest.mark.parametrize("wrong", ["", "red", "#12", "#0f766e;}", "url(x)"])
@pytest.mark.parametrize("step", ["save", "look"])
async def test_what_is_no_colour_is_refused_and_kept(
    olive: Visitor, services: Services, lotus: Business, wrong: str, step: str
) -> None:
    await olive.open(f"{HOME}/branding")
    await save(olive, {"brand_color": wrong, "step": step}, status=422)
    assert "Please give a colour like" in olive.text
    assert f'value="{wrong}"' in olive.text
    assert (await now_of(services, lotus)).brand_color == lotus.tenant.brand_color


async def test_a_colour_is_looked_at_before_it_is_kept(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(f"{HOME}/branding")
    await save(olive, {"brand_color": "#ffe600", "step": "look"})
    assert "Guests still see the old one" in olive.text
    css = await olive.client.get(f"{HOME}/accent.css?color=%23ffe600")
    assert "--color-primary:#" in css.text
    assert f"{HOME}/accent.css?color=%23ffe600" in olive.text
    assert (await now_of(services, lotus)).brand_color == lotus.tenant.brand_color
    await save(olive)
    assert (await now_of(services, lotus)).brand_color == "#ffe600"
    assert (await olive.client.get(f"{HOME}/accent.css?color=red")).status_code == 404


async def test_booking_terms(olive: Visitor, services: Services, lotus: Business) -> None:
    await olive.open(f"{HOME}/terms")
    await save(olive, {"terms": "Come on time.\nBring a mat."})
    assert "Your booking terms are saved." in olive.text
    assert "Bring a mat." in (await now_of(services, lotus)).booking_terms
    await save(olive, {"terms": "y" * 20_001}, status=422)
    assert "At most 20" in olive.text
    await olive.open(f"{HOME}/terms")
    await save(olive, {"terms": " "})
    assert (await now_of(services, lotus)).booking_terms == ""
    assert await actions(services, lotus) == ["settings.terms_changed"] * 2


PLACES = ("", "/branding", "/terms", "/performers", "/locations", "/team", "/log")


async def test_a_manager_sets_all_but_keys_and_an_instructor_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    await sign_in(client, services, mia.user_id)
    for place in PLACES:
        shown = await client.get(HOME + place)
        assert shown.status_code == 200, place
        assert "API keys" not in shown.text.replace("all but API keys", "")
    assert (await client.get(f"{HOME}/api-keys")).status_code == 403
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    for place in (*PLACES, "/api-keys", "/accent.css?color=%23abc", "/timezone"):
        assert (await client.get(HOME + place)).status_code == 403, place


async def test_a_stranger_finds_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    eve = await a_business(services.uow_factory, "rival", owner="Eve")
    await sign_in(client, services, eve.owner.id)
    for place in (*PLACES, "/api-keys"):
        assert (await client.get(HOME + place)).status_code == 404, place
