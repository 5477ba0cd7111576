"""Single dates of a series over the API: their rules, and booking them."""

from datetime import timedelta

import pytest

from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.api.conftest import Program
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_transfers import takes_transfers
from tests.support.builders import Business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio


async def test_a_dates_own_rules_are_set_and_told_with_what_holds(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, drop_in_price_minor=2200, drop_in_opens_before=3
    )
    path = f"/sessions/{term.sessions[0].id}/drop-in"
    before = (await program.get(path)).json()
    assert (before["allowed"], before["price"]["amount_minor"]) == (False, 2200)
    assert before["pays"] == ["online"]
    body = {"allowed": True, "price_minor": 900, "opens_before": 0, "pays": ["on_site", "online"]}
    changed = await program.put(path, body)
    assert changed.status_code == 200, changed.text
    told = changed.json()
    assert (told["allowed"], told["opens_at"], told["price"]["amount_minor"]) == (True, None, 900)
    assert told["pays"] == ["online", "on_site"]
    assert told["own"]["price_minor"] == 900
    emptied = (await program.put(path, {})).json()
    opens_at = term.sessions[0].starts_at - timedelta(days=3)
    assert emptied["opens_at"]["utc"] == opens_at.isoformat().replace("+00:00", "Z")
    assert (emptied["allowed"], emptied["price"]["amount_minor"]) == (False, 2200)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"price_minor": -1}, 400),
        ({"opens_before": 366}, 422),
        ({"pays": ["transfer"]}, 400),
        ({"price_minor": 10}, 422),
    ],
)
async def test_rules_that_cannot_be_are_refused(
    services: Services, lotus: Business, program: Program, body: dict[str, object], status: int
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    refused = await program.put(f"/sessions/{term.sessions[0].id}/drop-in", body)
    assert (refused.status_code, bool(refused.json()["errors"])) == (status, True)


async def test_a_date_in_no_series_has_none(
    services: Services, lotus: Business, program: Program
) -> None:
    loose = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    for session_id, status in ((loose.id, 409), (new_id(), 404)):
        path = f"/sessions/{session_id}/drop-in"
        assert (await program.put(path, {})).status_code == status
        assert (await program.get(path)).status_code == 404


async def test_a_series_tells_and_takes_the_rules_of_its_dates(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    path = f"/series/{term.series.id}"
    change = {
        "drop_in_opens_before": 36,
        "drop_in_opens_unit": "hours",
        "drop_in_pays": ["on_site"],
    }
    told = (await program.put(path, change)).json()
    assert {name: told[name] for name in change} == change
    assert (await program.get(path)).json()["drop_in_pays"] == ["on_site"]


async def test_a_program_says_how_it_is_paid(
    services: Services, lotus: Business, program: Program
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, drop_in_allowed=True, drop_in_pays=["online", "on_site"]
    )
    wish = {
        "kind": "session",
        "id": str(term.sessions[0].id),
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
        "way": "on_site",
    }
    made = (await program.post("/bookings", wish)).json()
    assert (made["payment_mode"], made["state"]) == ("on_site", "confirmed")
    refused = await program.post("/bookings", {**wish, "kind": "series", "id": str(term.series.id)})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["way"]
    assert len(await seats_of(services.uow_factory, lotus.id)) == 1


async def test_a_program_books_for_who_transfers_the_price(
    services: Services, lotus: Business, program: Program
) -> None:
    await takes_transfers(services, lotus)
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, in_days=14)
    wish = {
        "kind": "session",
        "id": str(session.id),
        "guest_name": "Carl",
        "guest_email": "carl@example.com",
        "way": "transfer",
    }
    made = (await program.post("/bookings", wish)).json()
    assert (made["payment_mode"], made["state"]) == ("transfer", "held")
    assert made["payment_url"] is None
    soon = await a_session(services.uow_factory, service, in_days=2)
    refused = await program.post("/bookings", {**wish, "id": str(soon.id)})
    assert refused.status_code == 422
    assert list(refused.json()["errors"]) == ["way"]
