"""Packages, tags and credits over the API."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from httpx import AsyncClient

from src.billing.models import Package
from src.booking.domain.drop_in import PayWay
from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, a_package
from tests.support.lots import lose_packages

pytestmark = pytest.mark.anyio


@pytest.fixture
async def ten(services: Services, lotus: Business) -> Package:
    service = await a_service(services.uow_factory, lotus.id)
    hidden = await a_service(services.uow_factory, lotus.id, slug="box", visibility="hidden")
    return await a_package(
        services.uow_factory,
        lotus.id,
        any_service=False,
        service_ids=[str(service.id), str(hidden.id)],
        tags=["beginners"],
        pays=["on_site"],
    )


async def test_a_package_is_told_as_guests_are_offered_it(
    program: Program, ten: Package, client: AsyncClient
) -> None:
    [told] = (await program.get("/packages")).json()["items"]
    assert told == (await program.get(f"/packages/{ten.id}")).json()
    assert (told["credits"], told["validity_days"], told["pays"]) == (10, 90, ["on_site"])
    assert told["price"] == {"amount_minor": 12_000, "currency": "EUR"}
    assert told["price_each"]["amount_minor"] == 1200
    assert (told["saving"]["amount_minor"], told["saving_is_up_to"]) == (3000, False)
    scope = told["scope"]
    assert (scope["any_service"], scope["tags"]) == (False, ["beginners"])
    assert scope["service_ids"] == [ten.service_ids[0]], "what is hidden is not named"
    page = (await client.get("/b/lotus/packages")).text
    for words in ("€12.00", "€30.00", "10 sessions"):
        assert words in page


@pytest.mark.parametrize(
    ("more", "in_the_list", "by_itself"),
    [
        ({"visibility": "unlisted"}, 0, 200),
        ({"visibility": "hidden"}, 0, 404),
        ({"active": False}, 0, 404),
        ({"purpose": "refund", "price_minor": 0, "credits": 1, "pays": []}, 0, 404),
    ],
)
async def test_what_guests_do_not_find_no_program_finds(
    program: Program,
    services: Services,
    lotus: Business,
    more: dict[str, Any],
    in_the_list: int,
    by_itself: int,
) -> None:
    package = await a_package(services.uow_factory, lotus.id, **more)
    assert len((await program.get("/packages")).json()["items"]) == in_the_list
    assert (await program.get(f"/packages/{package.id}")).status_code == by_itself


async def test_another_business_and_a_plan_without_packages_show_none(
    program: Program, services: Services, lotus: Business, ten: Package, client: AsyncClient
) -> None:
    other = await a_business(services.uow_factory, "other", owner="Eve")
    theirs = await a_program(client, services, other)
    assert (await theirs.get("/packages")).json() == {"items": []}
    for package_id in (ten.id, uuid4()):
        assert (await theirs.get(f"/packages/{package_id}")).status_code == 404
    await lose_packages(services.uow_factory, lotus.id)
    assert (await program.get("/packages")).json() == {"items": []}
    assert (await program.get(f"/packages/{ten.id}")).json()["reason"]


async def test_tags_and_who_takes_credits_are_set_and_told(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    run = await a_session(services.uow_factory, service)
    for path in (f"/services/{service.id}", f"/series/{term.series.id}", f"/sessions/{run.id}"):
        assert (await program.get(path)).json()["tags"] == []
        changed = await program.put(path, {"tags": ["Advanced", "calm"]})
        assert changed.json()["tags"] == ["advanced", "calm"], path
        assert (await program.put(path, {})).json()["tags"] == ["advanced", "calm"], "they stay"
        refused = await program.put(path, {"tags": ["x" * 40]})
        assert (refused.status_code, list(refused.json()["errors"])) == (422, ["tags"])
    path = f"/series/{term.series.id}"
    assert not (await program.get(path)).json()["takes_credits"]
    wish = {"takes_credits": True, "drop_in_allowed": True, "drop_in_pays": ["credit"]}
    told = (await program.put(path, wish)).json()
    assert (told["takes_credits"], told["drop_in_pays"]) == (True, ["credit"])


async def test_a_booking_says_which_credits_paid_it(
    program: Program, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    factory = services.uow_factory
    run = await a_session(factory, await a_service(factory, lotus.id, price_type="on_site"))
    ends_at = clock.now() + timedelta(days=30)
    customer_id, lot_id = await a_lot(factory, lotus.id, expires_at=ends_at)
    by_credit = a_wish(
        "session", run.id, way=PayWay.CREDIT, customer_id=customer_id, credit_lot_id=lot_id
    )
    made = await booked(factory, lotus, by_credit)
    told = (await program.get(f"/bookings/{made.booking_id}")).json()
    assert (told["payment_mode"], told["total"]["amount_minor"]) == ("credit", 0)
    assert (told["credits"]["name"], told["credits"]["left"]) == ("10 sessions", 9)
    assert told["credits"]["expires_at"]["timezone"] == "Europe/Amsterdam"
    assert [seat["paid_by_credit"] for seat in told["seats"]] == [True]
    wish = a_wish("session", run.id, guest_email="dora@example.com")
    other = await booked(factory, lotus, wish)
    told = (await program.get(f"/bookings/{other.booking_id}")).json()
    assert (told["payment_mode"], told["credits"]) == ("on_site", None)
    assert [seat["paid_by_credit"] for seat in told["seats"]] == [False]


async def test_the_documentation_shows_them(client: AsyncClient) -> None:
    page = (await client.get("/api/v1/docs")).text
    for words in ("/api/v1/packages/{package_id}", "takes_credits", "price_each", "tags"):
        assert words in page
