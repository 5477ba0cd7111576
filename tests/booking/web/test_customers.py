"""The customers' pages: found, told in full, added, written on, merged."""

from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import event, select, text

from src.platform.csvio import read_csv
from src.platform.services import Services
from src.tenants.commands.customer_care import add_note, set_tags
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry, Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
)
from tests.tenants.commands.test_customer_care import a_customer
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/customers"


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory, booking_terms="Be on time.")
    await as_owner(client, services, business)
    return business


async def all_customers(services: Services, business: Business) -> list[Customer]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Customer).order_by(Customer.name)))


async def test_an_empty_list_says_what_to_do(client: AsyncClient, lotus: Business) -> None:
    shown = (await client.get(HOME)).text
    assert "No customers yet" in shown
    assert f'href="{HOME}/new"' in shown
    assert "Export as CSV" not in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=ann", ["Anna"]),
        ("q=BEA%40", ["Bea"]),
        ("q=020 555 01 34", ["Bea"]),
        ("q=%2B31205550134", ["Bea"]),
        ("q=100%25", []),
        ("q=ann bakker", []),
        ("tag=vip", ["Bea"]),
        ("tag=vi", []),
        ("established=yes", ["Anna"]),
        ("established=no", ["Bea", "Cem"]),
        ("established=x&page=0", ["Anna", "Bea", "Cem"]),
        ("q=ann&tag=vip", []),
    ],
)
async def test_customers_are_found_by_what_one_knows_of_them(
    client: AsyncClient, services: Services, lotus: Business, query: str, found: list[str]
) -> None:
    factory = services.uow_factory
    await a_customer(factory, lotus, is_established=True)
    bea = await a_customer(factory, lotus, name="Bea", email="bea@example.com", phone="020 5550134")
    gone = await a_customer(factory, lotus, name="Anna Old", email="old@example.com")
    cem = await a_customer(factory, lotus, name="Cem", email="cem@example.com")
    async with factory(lotus.id) as uow:
        await set_tags(uow, lotus.ctx, bea, "vip, board")
    async with factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone, cem)
    shown = (await client.get(f"{HOME}?{query}")).text
    listed = [name for name in ("Anna", "Bea", "Cem") if f">{name}</a>" in shown]
    assert listed == found
    assert "Anna Old" not in shown


async def test_a_page_of_customers_takes_no_query_for_each(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory

    async def counted() -> int:
        statements: list[str] = []
        async with factory(lotus.id) as uow:
            connection = await uow.session.connection()
            engine = connection.sync_connection.engine  # type: ignore[union-attr]  # it is connected

        def note(*args: Any) -> None:
            statements.append(args[2])

        event.listen(engine, "before_cursor_execute", note)
        assert (await client.get(HOME)).status_code == 200
        event.remove(engine, "before_cursor_execute", note)
        return sum("customers" in one for one in statements)

    await a_customer(factory, lotus)
    with_one = await counted()
    async with factory(lotus.id) as uow:
        await uow.session.execute(
            text(
                "INSERT INTO customers (tenant_id, id, name, phone, is_established, created_at)"
                " SELECT :tenant, gen_random_uuid(), 'Guest ' || n, '', false, now()"
                " FROM generate_series(1, 120) AS n"
            ),
            {"tenant": lotus.id},
        )
    assert await counted() == with_one > 0
    second = (await client.get(f"{HOME}?page=2")).text
    assert "page=3" in second
    assert "121 in all" in second


async def test_the_export_is_safe_and_logged(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    evil = await a_customer(services.uow_factory, lotus, name="=cmd()", phone="+31205550134")
    await a_customer(services.uow_factory, lotus, name="Bea", email="bea@example.com")
    async with services.uow_factory(lotus.id) as uow:
        await set_tags(uow, lotus.ctx, evil, "vip")
    answer = await send(client, HOME, {"q": "cmd"}, to=f"{HOME}/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert b"'=cmd()" in answer.content
    [row] = read_csv(answer.content).rows
    assert row.cells[1:5] == ("anna@example.com", "+31205550134", "no", "vip")
    async with services.uow_factory(lotus.id) as uow:
        entry = await uow.session.scalar(
            select(AuditEntry).where(AuditEntry.action == "customer.exported")
        )
    assert entry is not None
    assert (entry.actor_name, entry.detail) == ("Olive", {"rows": 1})


async def test_a_phone_customer_is_added_and_shown(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    typed = {"name": "Anna", "phone": "020 555 0134"}
    answer = await send(client, f"{HOME}/new", typed)
    assert answer.status_code == 303
    shown = (await client.get(answer.headers["location"])).text
    assert "+31205550134" in shown
    assert "Nothing booked" in shown
    assert "None was asked for or given." in shown


async def test_a_known_address_is_offered_and_nobody_is_added(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    anna = await a_customer(services.uow_factory, lotus)
    answer = await send(client, f"{HOME}/new", {"name": "Ann", "email": "Anna@Example.com"})
    assert answer.status_code == 422
    assert f'href="{HOME}/{anna}"' in answer.text
    assert len(await all_customers(services, lotus)) == 1


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "f-name-error"),
        ({"name": "Anna", "email": "nobody"}, "f-email-error"),
        ({"name": "Anna", "phone": "ring me"}, "This is not a phone number."),
        ({"name": "Anna"}, "Please give an e-mail address or a phone number."),
    ],
)
async def test_what_is_wrong_stands_at_its_field_and_what_was_typed_stays(
    client: AsyncClient, services: Services, lotus: Business, typed: dict[str, str], sentence: str
) -> None:
    answer = await send(client, f"{HOME}/new", typed)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert all(value in answer.text for value in typed.values())
    assert await all_customers(services, lotus) == []


async def test_the_story_has_all_of_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="on_site")
    session = await a_session(factory, service, title="Basics")
    term = await a_series(factory, service, price_type="free", price_minor=0)
    consents = {
        "terms": {"sha256": "0" * 64, "accepted_at": "2026-11-20T09:00:00+00:00"},
        "marketing": {"accepted_at": "2026-11-20T09:00:00+00:00"},
    }
    single = a_wish("session", session.id, party=("Carl", "Kim"), consents=consents)
    made = await booked(factory, lotus, single)
    course = await booked(factory, lotus, a_wish("series", term.series.id, party=("Carl", "")))
    carl = made.order.customer_id
    await a_customer(factory, lotus, name="CARL", email="ca.rl@example.com")
    async with factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, carl, "Left <knee>.")
        await set_tags(uow, lotus.ctx, carl, "vip")
    shown = (await client.get(f"{HOME}/{carl}")).text
    for words in (
        "Yoga · Basics",
        "Yoga · Spring term",
        "Kim",
        "€30.00",
        "Still to pay on site",
        made.reference,
        "Left &lt;knee&gt;.",
        "vip",
        "Booking terms",
        "News by mail",
        "An earlier text, fingerprint 000000000000",
        "Perhaps the same person",
        "the same e-mail but for dots, the same name",
        "Booked Yoga · Basics",
        "First seen",
    ):
        assert words in shown, words
    booking = (await client.get(f"/app/lotus/bookings/{course.booking_id}")).text
    assert ", person 2" in booking
    assert booking.count(", person 2") == shown.count(", person 2") == len(term.sessions)


async def test_who_shares_a_phone_is_pointed_out_and_a_stranger_is_not(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    anna = await a_customer(factory, lotus, phone="020 555 0134")
    await a_customer(factory, lotus, name="Bea", email="", phone="+31 20 5550134")
    await a_customer(factory, lotus, name="Cem", email="cem@example.com", phone="+31205550135")
    shown = (await client.get(f"{HOME}/{anna}")).text
    assert "the same phone" in shown
    assert ">Bea</a>" in shown
    assert "Cem" not in shown


@pytest.mark.slow
async def test_notes_and_tags_are_written_from_the_page(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path = f"{HOME}/{await a_customer(services.uow_factory, lotus)}"
    await send(client, path, {"text": "Rings on Mondays."}, to=f"{path}/notes")
    await send(client, path, {"tags": "VIP, board"}, to=f"{path}/tags")
    shown = (await client.get(path)).text
    assert "Rings on Mondays." in shown
    assert 'value="board, vip"' in shown
    refused = await send(client, path, {"text": " "}, to=f"{path}/notes")
    assert refused.status_code == 422
    refused = await send(client, path, {"tags": "x" * 40}, to=f"{path}/tags")
    assert refused.status_code == 422
    assert "is too long for a tag" in refused.text


async def test_an_edit_is_saved_and_anothers_address_leads_to_merging(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    anna = await a_customer(services.uow_factory, lotus)
    bea = await a_customer(services.uow_factory, lotus, name="Bea", email="bea@example.com")
    path = f"{HOME}/{anna}/edit"
    assert (await send(client, path, {"name": "Anne", "is_established": "on"})).status_code == 303
    refused = await send(client, path, {"email": "bea@example.com"})
    assert refused.status_code == 422
    assert f"{HOME}/{bea}/merge/{anna}?readdress=1" in refused.text
    names = [(one.name, one.is_established) for one in await all_customers(services, lotus)]
    assert names == [("Anne", True), ("Bea", False)]
    assert "Known: has had a confirmed booking" in (await client.get(f"{HOME}/{anna}")).text
    assert "New: has had no confirmed booking yet." in (await client.get(f"{HOME}/{bea}")).text


async def a_pair(services: Services, lotus: Business) -> tuple[UUID, UUID]:
    """Who has a booking and is to be gone, and who is left."""
    session = await a_session(
        services.uow_factory, await a_service(services.uow_factory, lotus.id, price_type="free")
    )
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    kept = await a_customer(services.uow_factory, lotus, name="Karl", email="karl@example.com")
    return made.order.customer_id, kept


async def test_a_merge_says_first_what_it_does_and_then_does_it(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    gone, kept = await a_pair(services, lotus)
    path = f"{HOME}/{kept}/merge/{gone}"
    choice = (await client.get(f"{HOME}/{kept}/merge?q=carl")).text
    assert path in choice
    shown = (await client.get(path)).text
    for words in (
        "Make “Carl” a part of “Karl”?",
        "1 order, 1 participant, 1 booking",
        "Who books with carl@example.com is Karl from now on",
    ):
        assert words in " ".join(shown.split()), words
    answer = await send(client, path, {})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}/{kept}")
    story = (await client.get(f"{HOME}/{kept}")).text
    assert "Yoga" in story
    assert "Merged two customers: “Karl”" in story
    old = await client.get(f"{HOME}/{gone}")
    assert (old.status_code, old.headers["location"]) == (303, f"{HOME}/{kept}")
    again = await client.get(path)
    assert again.status_code == 409
    assert "has been merged already" in again.text


async def test_a_merge_with_one_who_has_nothing_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    kept = await a_customer(services.uow_factory, lotus)
    gone = await a_customer(
        services.uow_factory, lotus, name="Karl", email="karl@example.com", is_established=True
    )
    shown = " ".join((await client.get(f"{HOME}/{kept}/merge/{gone}")).text.split())
    assert "nothing; there are neither bookings nor notes nor anything else of theirs" in shown
    assert "is marked as established, as Karl was" in shown
    shown = " ".join((await client.get(f"{HOME}/{gone}/merge/{kept}")).text.split())
    assert "as established" not in shown


async def test_merging_one_with_themselves_is_a_sentence(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    anna = await a_customer(services.uow_factory, lotus)
    shown = await client.get(f"{HOME}/{anna}/merge/{anna}")
    assert shown.status_code == 409
    assert "one and the same customer" in shown.text


async def test_instructors_have_no_customers_but_their_rosters(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    anna = await a_customer(services.uow_factory, lotus)
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    for path in (HOME, f"{HOME}/{anna}", f"{HOME}/{anna}/book", f"{HOME}/{anna}/merge"):
        assert (await client.get(path)).status_code == 403
    assert "/customers" not in (await client.get("/app/lotus/today")).text


async def test_looking_needs_a_role_and_no_plan(client: AsyncClient, services: Services) -> None:
    small = await a_business(services.uow_factory, "small", plan="free")
    await as_owner(client, services, small)
    anna = await a_customer(services.uow_factory, small)
    for path in ("", "/new", f"/{anna}", f"/{anna}/edit", f"/{anna}/merge"):
        assert (await client.get(f"/app/small/customers{path}")).status_code == 200
