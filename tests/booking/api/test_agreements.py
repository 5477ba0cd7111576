"""Programs agree for the guest whom they have shown the text."""

import pytest
from httpx import AsyncClient

from src.platform.ids import new_id
from src.platform.services import Services
from tests.security.test_isolation import a_key
from tests.support.agreements import an_agreement, republish, signatures_of, versions_of
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


async def test_a_booking_names_the_versions_that_were_shown(
    client: AsyncClient, services: Services
) -> None:
    factory = services.uow_factory
    business = await a_business(factory)
    service = await a_service(factory, business.id, price_type="free")
    session = await a_session(factory, service)
    term = await a_series(factory, service)
    agreement_id = await an_agreement(factory, business, service_ids=[service.id])
    (version,) = await versions_of(factory, business)
    headers = await a_key(services, business)
    told = (await client.get(f"/api/v1/services/{service.id}", headers=headers)).json()
    assert told["agreements"] == [
        {
            "version_id": str(version.id),
            "title": "Waiver",
            "version": 1,
            "sha256": version.sha256,
            "url": f"{services.settings.base_url}/b/lotus/agreements/waiver",
        }
    ]
    series = (await client.get(f"/api/v1/series/{term.series.id}", headers=headers)).json()
    assert series["agreements"] == told["agreements"]
    hub = (await client.get("/api/v1/hub", headers=headers)).json()
    assert hub["services"][0]["agreements"] == told["agreements"]
    body = {
        "kind": "session",
        "id": str(session.id),
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
    }
    refused = await client.post("/api/v1/bookings", json=body, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["code"] == "agreements_missing"
    errors = refused.json()["errors"]
    assert str(version.id) in errors["agreed_version_ids"]
    assert "“Waiver”" in errors["agreed_version_ids"]
    assert "signed_name" in errors
    stranger = {**body, "agreed_version_ids": [str(new_id())], "signed_name": "Carl Guest"}
    refused = await client.post("/api/v1/bookings", json=stranger, headers=headers)
    assert set(refused.json()["errors"]) == {"agreed_version_ids"}
    await republish(factory, business, agreement_id, "Now it is different.")
    former = {**body, "agreed_version_ids": [str(version.id)], "signed_name": "Carl Guest"}
    refused = await client.post("/api/v1/bookings", json=former, headers=headers)
    assert refused.status_code == 422
    _first, second = await versions_of(factory, business)
    agreed = {**former, "agreed_version_ids": [str(second.id)]}
    made = await client.post("/api/v1/bookings", json=agreed, headers=headers)
    assert made.status_code == 201
    (kept,) = await signatures_of(factory, business)
    assert (kept.how, kept.is_proved, kept.name) == ("api", False, "Carl Guest")


async def test_a_package_tells_what_whoever_buys_it_signs(
    client: AsyncClient, services: Services
) -> None:
    factory = services.uow_factory
    business = await a_business(factory)
    await a_service(factory, business.id)
    package = await a_package(factory, business.id)
    await an_agreement(factory, business, package_ids=[package.id])
    (version,) = await versions_of(factory, business)
    headers = await a_key(services, business)
    (listed,) = (await client.get("/api/v1/packages", headers=headers)).json()["items"]
    assert [one["version_id"] for one in listed["agreements"]] == [str(version.id)]
    told = (await client.get(f"/api/v1/packages/{package.id}", headers=headers)).json()
    assert told["agreements"] == listed["agreements"]
