"""The owner's pages about packages of credits."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import Package
from src.booking.models import Series, Service, Session
from src.booking.queries.packages import find_tags_in_use
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_transfers import takes_transfers
from tests.booking.web.pages import send
from tests.support.builders import Business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.collections import a_collection
from tests.support.credits import a_package
from tests.support.lots import a_customer, lose_packages, lot_of, the_lot
from tests.support.policies import a_refund_package, gives_package, leaving

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/packages"


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_minor=4000, tags=["calm"])


async def stored(services: Services, business: Business) -> list[Package]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Package).order_by(Package.created_at)))


async def acts(services: Services, business: Business) -> list[str]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


TYPED = {
    "name": "Ten sessions",
    "credits": "10",
    "price": "350",
    "validity_days": "90",
    "pays": ["online", "on_site"],
}


async def test_an_owner_makes_a_package_and_sees_what_it_saves(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    empty = (await client.get(HOME)).text
    assert "No package for sale yet" in empty
    assert f"{HOME}/embed" not in empty
    answer = await send(client, f"{HOME}/new", {**TYPED, "service_ids": str(yoga.id)})
    [package] = await stored(services, lotus)
    assert answer.headers["location"] == f"{HOME}/{package.id}"
    assert (package.credits, package.price_minor, package.validity_days) == (10, 35_000, 90)
    assert (package.any_service, package.service_ids) == (False, [str(yoga.id)])
    assert package.pays == ["online", "on_site"]
    shown = (await client.get(f"{HOME}/{package.id}")).text
    assert "€35.00 a session instead of €40.00, saves €50.00" in shown
    listed = (await client.get(HOME)).text
    for said in ("€35.00 a session<", "saves €50.00<", f"{HOME}/embed"):
        assert said in listed
    assert await acts(services, lotus) == ["package.created"]


@pytest.mark.parametrize(
    ("visibility", "said"),
    [
        ("public", "In a collection for known customers only"),
        ("unlisted", "By link, for known customers only"),
        ("hidden", "Hidden"),
    ],
)
async def test_what_only_known_customers_find_is_not_said_to_be_on_the_page(
    client: AsyncClient, services: Services, lotus: Business, visibility: str, said: str
) -> None:
    factory = services.uow_factory
    kept = await a_package(factory, lotus.id, name="5 mornings", visibility=visibility)
    await a_collection(factory, lotus.id, kept)
    for path in (HOME, f"{HOME}/{kept.id}"):
        shown = (await client.get(path)).text
        assert said in shown
        assert "On your page" not in shown
    await a_collection(factory, lotus.id, kept, title="For all", established_only=False)
    shown = (await client.get(HOME)).text
    assert ("On your page" in shown) is (visibility == "public")
    assert "for known customers" not in shown


async def test_it_is_said_where_bank_transfers_count_as_online(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    online = await a_package(services.uow_factory, lotus.id, pays=["online"])
    both = await a_package(services.uow_factory, lotus.id, pays=["online", "on_site"])
    desk = await a_package(services.uow_factory, lotus.id, pays=["on_site"])
    form = (await client.get(f"{HOME}/new")).text
    assert "Bank transfers count as online, once you take them." in form
    assert "Online or on site" in (await client.get(f"{HOME}/{both.id}")).text
    await takes_transfers(services, lotus)
    form = (await client.get(f"{HOME}/new")).text
    assert "By bank transfer too, as you take those" in form
    said = [(await client.get(f"{HOME}/{one.id}")).text for one in (online, both, desk)]
    assert "Online, by card or bank transfer" in said[0]
    assert "Online, by card or bank transfer, or on site" in said[1]
    assert "bank transfer" not in said[2]


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({}, "any_service"),
        ({"any_service": "on", "name": ""}, "name"),
        ({"any_service": "on", "credits": "0"}, "credits"),
        ({"any_service": "on", "credits": ""}, "credits"),
        ({"any_service": "on", "price": "lots"}, "price"),
        ({"any_service": "on", "price": "0.20"}, "price"),
        ({"any_service": "on", "tax_percent": "300"}, "tax_percent"),
        ({"any_service": "on", "validity_days": "9999"}, "validity_days"),
        ({"any_service": "on", "pays": []}, "pays"),
        ({"service_ids": "00000000-0000-4000-8000-000000000000"}, "service_ids"),
        ({"tags": "x" * 31}, "tags"),
    ],
)
async def test_what_cannot_be_is_a_sentence_at_its_field(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    yoga: Service,
    typed: dict[str, str],
    field: str,
) -> None:
    answer = await send(client, f"{HOME}/new", {**TYPED, **typed})
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text
    assert await stored(services, lotus) == []


async def test_a_second_press_makes_no_second_package(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    fields = {**TYPED, "any_service": "on", "token": "01990000-0000-7000-8000-000000000001"}
    await send(client, f"{HOME}/new", fields)
    await send(client, f"{HOME}/new", fields)
    assert len(await stored(services, lotus)) == 1


async def test_a_service_added_later_is_not_among_those_of_an_old_package(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await send(client, f"{HOME}/new", {**TYPED, "service_ids": str(yoga.id)})
    await a_service(services.uow_factory, lotus.id, slug="box", name="Boxing", price_minor=9000)
    [package] = await stored(services, lotus)
    assert package.service_ids == [str(yoga.id)]
    shown = (await client.get(f"{HOME}/{package.id}")).text
    assert "instead of €40.00" in shown
    assert "Boxing" not in shown


async def test_saving_is_up_to_where_services_cost_differently(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_service(services.uow_factory, lotus.id, slug="box", name="Boxing", price_minor=5000)
    package = await a_package(services.uow_factory, lotus.id, price_minor=30_000)
    shown = (await client.get(f"{HOME}/{package.id}")).text
    assert "€30.00 a session instead of up to €50.00, saves up to €200.00" in shown
    dear = await a_package(services.uow_factory, lotus.id, price_minor=90_000)
    assert "saves" not in (await client.get(f"{HOME}/{dear.id}")).text


async def test_it_is_changed_duplicated_and_switched_and_what_is_sold_keeps_its_terms(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    package = await a_package(services.uow_factory, lotus.id)
    carl = await a_customer(services.uow_factory, lotus.id)
    lot = await lot_of(services.uow_factory, lotus.id, carl.id, package_id=package.id)
    here = f"{HOME}/{package.id}"
    await send(client, f"{here}/edit", {"name": "Twelve", "credits": "12"})
    await send(client, here, {}, to=f"{here}/active")
    [after] = await stored(services, lotus)
    assert (after.name, after.credits, after.active) == ("Twelve", 12, False)
    kept = await the_lot(services.uow_factory, lotus.id, lot.id)
    assert (kept.name, kept.bought) == ("Ten sessions", 10)
    await send(client, f"{HOME}/new?copy={package.id}", {}, to=f"{HOME}/new")
    copied = (await stored(services, lotus))[1]
    assert (copied.name, copied.credits, copied.active) == ("Twelve (copy)", 12, True)
    assert await acts(services, lotus) == [
        "package.changed",
        "package.switched_off",
        "package.created",
    ]


async def test_only_one_that_was_never_sold_is_deleted(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    sold = await a_package(services.uow_factory, lotus.id)
    carl = await a_customer(services.uow_factory, lotus.id)
    open_page = await client.get(f"{HOME}/{sold.id}/delete")
    assert "Nobody ever bought it." in open_page.text
    await lot_of(services.uow_factory, lotus.id, carl.id, package_id=sold.id)
    spare = await a_package(services.uow_factory, lotus.id, name="Spare")
    assert "cannot be deleted" in (await client.get(f"{HOME}/{sold.id}/delete")).text
    await send(client, f"{HOME}/{spare.id}/delete", {})
    assert [one.id for one in await stored(services, lotus)] == [sold.id]


async def test_what_is_given_back_for_a_date_is_one_credit_without_a_price(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    typed = {**TYPED, "purpose": "refund", "tags": "Calm, level 2", "visibility": "public"}
    await send(client, f"{HOME}/new", typed)
    [package] = await stored(services, lotus)
    assert (package.credits, package.price_minor, package.pays) == (1, 0, [])
    assert (package.visibility, package.tags) == ("hidden", ["calm", "level 2"])
    shown = (await client.get(HOME)).text
    assert "Given back for cancelled dates" in shown
    assert "A tag leads nowhere" in shown


async def test_without_the_feature_nothing_is_made_or_changed_but_looked_at(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    package = await a_package(services.uow_factory, lotus.id)
    await lose_packages(services.uow_factory, lotus.id)
    for path in (f"{HOME}/new", f"{HOME}/{package.id}/edit"):
        refused = await client.get(path)
        assert refused.status_code == 402, path
        assert "Packages of credits are not part of your plan." in refused.text
    assert "Your packages are paused." in (await client.get(HOME)).text
    here = f"{HOME}/{package.id}"
    await send(client, here, {}, to=f"{here}/active")
    [after] = await stored(services, lotus)
    assert not after.active


async def test_a_tag_that_nothing_has_any_more_is_told_with_who_needs_it(
    services: Services, clock: FrozenClock, lotus: Business, yoga: Service
) -> None:
    await a_package(services.uow_factory, lotus.id, any_service=False, tags=["calm", "level 2"])
    await a_session(services.uow_factory, yoga, tags=["level 2"])
    async with services.uow_factory(lotus.id) as uow:
        assert await find_tags_in_use(uow, ["calm", "level 2"]) == {}
    clock.advance(timedelta(days=8))
    async with services.uow_factory(lotus.id) as uow:
        assert await find_tags_in_use(uow, ["calm", "level 2"]) == {"level 2": ["10 sessions"]}


async def test_tags_of_dates_and_series_are_typed_in_their_editors(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    term = await a_series(services.uow_factory, yoga)
    await a_package(services.uow_factory, lotus.id, any_service=False, tags=["level 2"])
    series, date = f"/app/lotus/series/{term.series.id}/edit", term.sessions[0].id
    await send(client, series, {"tags": " Level 2 ", "takes_credits": "on"})
    await send(client, f"/app/lotus/sessions/{date}/edit", {"tags": "evening"})
    async with services.uow_factory(lotus.id) as uow:
        kept = await uow.session.get_one(Series, (lotus.id, term.series.id))
        session = await uow.session.get_one(Session, (lotus.id, date))
    assert (kept.tags, kept.takes_credits, session.tags) == (["level 2"], True, ["evening"])
    refused = await send(client, series, {"tags": "x" * 31})
    assert 'id="f-tags-error"' in refused.text
    after = await send(client, series, {"tags": "", "takes_credits": None})
    told = (await client.get(after.headers["location"])).text
    assert "Nothing has the tag “level 2” any more" in told
    assert "“10 sessions”" in told


async def test_who_deletes_the_last_date_with_a_tag_that_credits_need_is_told(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    await a_package(services.uow_factory, lotus.id, any_service=False, tags=["level 9"])
    run = await a_session(services.uow_factory, yoga, tags=["level 9"])
    await send(client, f"/app/lotus/sessions/{run.id}/delete", {})
    assert "Nothing has the tag “level 9” any more" in (await client.get(HOME)).text


async def test_a_package_that_refund_policies_give_names_them_before_it_goes(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    given = await a_refund_package(factory, lotus.id)
    spare = await a_refund_package(factory, lotus.id, name="Spare")
    terms = leaving(card=gives_package(given))
    service = await a_service(factory, lotus.id, leaving=terms)
    term = await a_series(factory, service, title="Winter", leaving=terms)
    asked = (await client.get(f"{HOME}/{given.id}/delete")).text
    for path in (f"services/{service.id}", f"series/{term.series.id}"):
        assert f'href="/app/lotus/{path}/refunds"' in asked
    assert "refund policies" not in (await client.get(f"{HOME}/{spare.id}/delete")).text
    await send(client, f"{HOME}/{given.id}/delete", {})
    told = (await client.get(HOME)).text
    assert "given back by the refund policies of “Yoga”, “Winter”" in told
    await send(client, f"{HOME}/{spare.id}/delete", {})
    assert "given back by" not in (await client.get(HOME)).text


async def test_all_that_is_wrong_is_said_at_once(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    empty = {"name": "", "credits": "", "price": "", "validity_days": "", "pays": []}
    answer = await send(client, f"{HOME}/new", empty)
    for field in ("name", "credits", "any_service"):
        assert f'id="f-{field}-error"' in answer.text
    wrong = {"name": "", "credits": "99999999999", "validity_days": "long", "price": "much"}
    answer = await send(client, f"{HOME}/new", wrong)
    assert answer.status_code == 422
    for field in ("name", "credits", "validity_days", "price", "any_service"):
        assert f'id="f-{field}-error"' in answer.text
    assert "2,147,483,647" not in answer.text
    assert await stored(services, lotus) == []
    form = await client.get(f"{HOME}/new")
    assert "separated by commas" in form.text
    assert "It is on no page." in form.text
