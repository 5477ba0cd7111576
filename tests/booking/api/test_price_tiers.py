"""Several prices over the API."""

from datetime import timedelta
from typing import Any

import pytest

from src.platform.services import Services
from tests.booking.api.conftest import Program
from tests.booking.commands.test_book import seats_of
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

CHILD = {"key": "child", "name": "Child", "price_minor": 800}


async def test_prices_are_set_and_told(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    tiers = [{"name": "Child", "price_minor": 800}]
    early = [{"name": "Early bird", "price_minor": 5000, "until_on": "2027-03-05"}]
    told = (await program.put(f"/services/{service.id}", {"price_tiers": tiers})).json()
    assert told["price_tiers"] == [{"key": "child", "name": "Child", "price_minor": 800}]
    told = (await program.put(f"/series/{term.series.id}", {"price_tiers": early})).json()
    assert [tier["key"] for tier in told["price_tiers"]] == ["early-bird"]
    await a_session(services.uow_factory, service)
    [on_hub] = (await program.get("/hub")).json()["services"]
    assert on_hub["price_label"] == "From €8.00 · series from €50.00"
    assert [tier["key"] for tier in on_hub["tiers"]] == ["child"]
    [series] = on_hub["series"]
    assert series["tiers"][0]["price"]["amount_minor"] == 5000


LABELS: list[tuple[dict[str, Any], dict[str, Any] | None, str, str]] = [
    ({}, None, "€15.00", "€15.00"),
    ({"price_type": "free"}, None, "Free", "Free"),
    ({"price_tiers": [CHILD]}, None, "From €8.00", "From €8.00"),
    ({"price_tiers": [{**CHILD, "price_minor": 0}]}, None, "Partly free", "Partly free"),
    ({}, {}, "€15.00 · series €60.00", "€60.00"),
    ({}, {"price_type": "free", "price_minor": 0}, "€15.00 · series free", "Free"),
    ({}, {"price_tiers": [CHILD]}, "€15.00 · series from €8.00", "From €8.00"),
]
"""Of a service and of its series: the label of the service, and the price of what was made last."""


@pytest.mark.parametrize(("of_service", "of_series", "label", "price"), LABELS)
async def test_every_surface_says_the_same_price(
    services: Services,
    lotus: Business,
    program: Program,
    of_service: dict[str, Any],
    of_series: dict[str, Any] | None,
    label: str,
    price: str,
) -> None:
    service = await a_service(services.uow_factory, lotus.id, **of_service)
    await a_session(services.uow_factory, service)
    if of_series is not None:
        await a_series(services.uow_factory, service, **of_series)
    [on_hub] = (await program.get("/hub")).json()["services"]
    assert on_hub["price_label"] == label
    visitor = program.client
    hub = (await visitor.get("/b/lotus")).text
    assert f'<span class="font-medium">{label}</span>' in hub
    assert f'">{price}</span>' in hub
    page = (await visitor.get("/b/lotus/yoga")).text
    assert f'<span class="text-lg font-semibold">{label}</span>' in page
    await as_owner(visitor, services, lotus)
    assert f"{label} · " in (await visitor.get("/app/lotus/services")).text


async def test_prices_that_cannot_be_are_refused(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    twice = [{"name": "Child", "price_minor": 800}, {"name": "child", "price_minor": 900}]
    refused = await program.put(f"/services/{service.id}", {"price_tiers": twice})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["prices.1.name"]


async def test_a_price_that_has_run_out_is_kept_without_its_key(
    services: Services, lotus: Business, program: Program, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    early = {"name": "Early bird", "price_minor": 5000, "until_on": "2027-03-05"}
    paths = (f"/services/{service.id}", f"/series/{term.series.id}")
    for _days in range(2):
        for path in paths:
            kept = await program.put(path, {"price_tiers": [early]})
            assert kept.status_code == 200, kept.text
        clock.advance(timedelta(days=5))
    for path in paths:
        refused = await program.put(path, {"price_tiers": [{**early, "name": "Earlier bird"}]})
        assert list(refused.json()["errors"]) == ["prices.0.until_on"]


async def test_a_party_is_booked_at_several_prices(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", price_tiers=[CHILD]
    )
    session = await a_session(services.uow_factory, service)
    wish: dict[str, Any] = {
        "kind": "session",
        "id": str(session.id),
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
        "party": ["Carl", "Dora"],
        "tiers": ["full", "child"],
        "expected_total_minor": 2300,
    }
    made = await program.post("/bookings", wish)
    assert made.status_code == 201, made.text
    told = (await program.get(f"/bookings/{made.json()['id']}")).json()
    assert {seat["participant"]: (seat["tier"], seat["share_minor"]) for seat in told["seats"]} == {
        "Carl": ("", 1500),
        "Dora": ("Child", 800),
    }
    for tiers in (["full"], ["full", "student"], ["full", "child", "child"]):
        refused = await program.post("/bookings", {**wish, "tiers": tiers})
        assert refused.status_code == 422
        assert list(refused.json()["errors"]) == ["tiers"]
    assert len(await seats_of(services.uow_factory, lotus.id)) == 2
