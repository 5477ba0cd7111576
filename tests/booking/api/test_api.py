"""Everything a program may do, what it is refused, and that a key opens one business only."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import text

from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.api.conftest import Program, a_program
from tests.booking.commands.test_book import a_wish, booked
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.work import work_through

pytestmark = pytest.mark.anyio

CARL = {"guest_name": "Carl", "guest_email": "carl@example.com"}


def a_service_body(**more: Any) -> dict[str, Any]:
    return {
        "name": "Yoga",
        "price_type": "on_site",
        "price_minor": 1500,
        "sales_mode": "both",
        **more,
    }


@pytest.mark.slow
async def test_from_nothing_to_a_booked_series(
    program: Program, clock: FrozenClock, services: Services, lotus: Business
) -> None:
    service = (await program.post("/services", a_service_body())).json()
    sessions = []
    for week in (1, 2, 3):
        starts_at = clock.now() + timedelta(weeks=week)
        body = {
            "service_id": service["id"],
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            "capacity": 5,
        }
        made = await program.post("/sessions", body)
        assert made.status_code == 201, made.text
        sessions.append(made.json())
    assert sessions[0]["starts_at"]["timezone"] == "Europe/Amsterdam"
    series = await program.post(
        "/series",
        {
            "service_id": service["id"],
            "title": "Term",
            "price_type": "on_site",
            "price_minor": 4000,
            "session_ids": [session["id"] for session in sessions],
        },
    )
    assert series.status_code == 201, series.text
    series_id = series.json()["id"]
    published = await program.post(f"/series/{series_id}/publish")
    assert (published.status_code, published.json()["base_sessions"]) == (200, 3)
    hub = (await program.get("/hub")).json()
    assert hub["open"]
    assert hub["services"][0]["series"][0]["price"] == {"amount_minor": 4000, "currency": "EUR"}
    made = await program.post("/bookings", {"kind": "series", "id": series_id, **CARL})
    assert made.status_code == 201, made.text
    booking = made.json()
    assert (booking["state"], booking["payment_url"]) == ("confirmed", None)
    shown = (await program.get(f"/bookings/{booking['id']}")).json()
    assert [seat["share_minor"] for seat in shown["seats"]] == [1334, 1333, 1333]
    assert shown["owed"] == {"amount_minor": 4000, "currency": "EUR"}
    cancelled = await program.post(f"/bookings/{booking['id']}/cancel", {"reason": "Ill"})
    assert cancelled.status_code == 202
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    after = (await program.get(f"/bookings/{booking['id']}")).json()
    assert after["state"] == "cancelled"
    assert after["owed"]["amount_minor"] == 0


async def test_a_session_is_cancelled_with_everyone_in_it(
    program: Program, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    answer = await program.post(f"/sessions/{session.id}/cancel", {"reason": "Storm"})
    assert (answer.status_code, answer.json()["customers"]) == (202, 1)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert (await program.get(f"/sessions/{session.id}")).json()["state"] == "cancelled"


async def test_sessions_come_page_by_page(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    for day in range(1, 6):
        await a_session(services.uow_factory, service, in_days=day)
    seen: list[str] = []
    after: str | None = None
    while True:
        params = {"limit": 2} | ({"after": after} if after else {})
        page = (await program.get("/sessions", **params)).json()
        seen += [session["id"] for session in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 5


async def test_the_mark_of_a_page_goes_into_an_address_as_it_is(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    first, second = [await a_session(services.uow_factory, service, in_days=d) for d in (1, 2)]
    mark = (await program.get("/sessions", limit=1)).json()["next"]
    assert quote_plus(mark) == mark
    rest = await program.get(f"/sessions?after={mark}")
    assert [one["id"] for one in rest.json()["items"]] == [str(second.id)]
    broken = await program.get("/sessions", after=f"2027-03-01T00:00:00_{first.id.hex}")
    assert (broken.status_code, list(broken.json()["errors"])) == (422, ["after"])


async def test_a_sold_out_series_has_no_price(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    term = await a_series(services.uow_factory, service, capacity=1, price_type="on_site")
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    [service_shown] = (await program.get("/hub")).json()["services"]
    [series] = service_shown["series"]
    assert (series["sold_out"], series["price"]) == (True, None)
    assert series["full_price"] == {"amount_minor": 6000, "currency": "EUR"}


async def test_without_a_key_or_with_a_wrong_one_there_is_no_way_in(client: AsyncClient) -> None:
    bare = await client.get("/api/v1/me")
    assert bare.status_code == 401
    assert bare.headers["content-type"].startswith("application/problem+json")
    wrong = await client.get("/api/v1/me", headers={"Authorization": "Bearer sl_nonsense"})
    assert wrong.status_code == 401


async def test_a_revoked_key_is_worth_nothing(
    program: Program, services: Services, lotus: Business
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(text("UPDATE api_keys SET revoked_at = now()"))
    assert (await program.get("/me")).status_code == 401


@pytest.mark.parametrize("plan", ["free", "starter"])
async def test_a_smaller_plan_gets_402_whichever_way_it_tries(
    client: AsyncClient, services: Services, plan: str
) -> None:
    small = await a_business(services.uow_factory, "small", plan=plan)
    program = await a_program(client, services, small)
    service = await a_service(services.uow_factory, small.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    term = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    later = (session.starts_at + timedelta(days=1)).isoformat()
    much_later = (session.starts_at + timedelta(days=1, hours=1)).isoformat()
    tries = [
        ("/services", a_service_body()),
        (
            "/sessions",
            {
                "service_id": str(service.id),
                "starts_at": later,
                "ends_at": much_later,
                "capacity": 1,
            },
        ),
        (
            "/series",
            {
                "service_id": str(service.id),
                "title": "T",
                "price_type": "free",
                "session_ids": [str(session.id)],
            },
        ),
        (f"/series/{term.series.id}/publish", None),
        ("/bookings", {"kind": "session", "id": str(session.id), **CARL}),
        ("/bookings", {"kind": "series", "id": str(term.series.id), **CARL}),
    ]
    for path, body in tries:
        answer = await program.post(path, body)
        assert answer.status_code == 402, (path, answer.text)
        problem = answer.json()
        assert problem["current_plan"].lower() == plan
        assert problem["cheapest_plan"] == "Growth"


async def test_past_the_months_limit_the_program_is_told_so(
    client: AsyncClient, services: Services
) -> None:
    busy = await a_business(services.uow_factory, "busy", plan="growth")
    program = await a_program(client, services, busy)
    service = await a_service(services.uow_factory, busy.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    async with services.uow_factory(busy.id) as uow:
        await uow.session.execute(
            text("INSERT INTO booking_counters VALUES (:t, '2027-03', 1000, 100)"), {"t": busy.id}
        )
    answer = await program.post("/bookings", {"kind": "session", "id": str(session.id), **CARL})
    assert (answer.status_code, answer.json()["limit"]) == (402, "bookings_per_month")
    me = (await program.get("/me")).json()
    assert (me["bookings_this_month"], me["bookings_per_month"]) == (1000, 1000)


async def test_the_same_key_makes_one_booking(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, capacity=1)
    body = {"kind": "session", "id": str(session.id), **CARL}
    first = await program.post("/bookings", body, key="order-1")
    again = await program.post("/bookings", body, key="order-1")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = await program.post("/bookings", {**body, "guest_name": "Dora"}, key="order-1")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    sold_out = await program.post("/bookings", body, key="order-2")
    assert (sold_out.status_code, sold_out.json()["code"]) == (409, "full")


async def test_the_same_key_tells_a_cancelled_booking_as_cancelled(
    program: Program, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, capacity=1)
    body = {"kind": "session", "id": str(session.id), **CARL}
    made = (await program.post("/bookings", body, key="order-1")).json()
    assert made["state"] == "confirmed"
    await program.post(f"/bookings/{made['id']}/cancel", {"reason": ""})
    await work_through(services, clock, lotus.id, timedelta(minutes=2))
    again = (await program.post("/bookings", body, key="order-1")).json()
    shown = (await program.get(f"/bookings/{made['id']}")).json()
    assert (again["id"], again["state"]) == (made["id"], shown["state"])
    assert again["state"] == "cancelled"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"guest_email": "nobody"}, "guest_email"),
        ({"guest_name": ""}, "guest_name"),
        ({"party": []}, "party"),
        ({"kind": "course"}, "kind"),
        ({"id": "7"}, "id"),
        ({"guest_name": 5}, "guest_name"),
    ],
)
async def test_bad_input_is_named_by_its_field(
    program: Program, change: dict[str, Any], field: str
) -> None:
    body = {"kind": "session", "id": str(new_id()), **CARL, **change}
    answer = await program.post("/bookings", body)
    assert answer.status_code in (400, 422), answer.text
    assert field in answer.text


@pytest.mark.parametrize("name", ["   ", "\t \u200b", "\u2060\u00a0"])
async def test_a_name_of_which_nothing_can_be_seen_is_none(
    program: Program, services: Services, lotus: Business, name: str
) -> None:
    """The guest has one; who else comes may have none."""
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    body = {"kind": "session", "id": str(session.id), **CARL}
    refused = await program.post("/bookings", {**body, "guest_name": name})
    assert refused.status_code == 422, refused.text
    assert list(refused.json()["errors"]) == ["guest_name"]
    made = await program.post("/bookings", {**body, "party": ["Carl", name]})
    shown = (await program.get(f"/bookings/{made.json()['id']}")).json()
    assert sorted(seat["participant"] for seat in shown["seats"]) == ["", "Carl"]


async def test_a_guests_name_is_as_long_as_on_the_form(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    body = {"kind": "session", "id": str(session.id), **CARL}
    refused = await program.post("/bookings", {**body, "guest_name": "x" * 121})
    assert "guest_name" in refused.text
    made = await program.post("/bookings", {**body, "guest_name": "x" * 120})
    assert made.status_code == 201, made.text


async def test_a_price_that_differs_from_the_expected_books_nothing(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    body = {"kind": "session", "id": str(session.id), **CARL, "expected_total_minor": 1}
    answer = await program.post("/bookings", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "price_changed")


async def test_unknown_ids_are_absent(program: Program) -> None:
    missing: UUID = new_id()
    for path in ("/services", "/sessions", "/series", "/bookings"):
        assert (await program.get(f"{path}/{missing}")).status_code == 404


async def test_changing_one_field_leaves_all_others(program: Program) -> None:
    questions = [{"key": "why", "label": "Why yoga?", "required": True}]
    body = a_service_body(
        tax_rate_bp=2100, questions=questions, min_notice_minutes=120, horizon_days=30
    )
    made = (await program.post("/services", body)).json()
    renamed = await program.put(f"/services/{made['id']}", {"name": "Yoga for all"})
    assert renamed.status_code == 200, renamed.text
    assert renamed.json() == {**made, "name": "Yoga for all"}
    assert (await program.put(f"/services/{made['id']}", renamed.json())).json() == renamed.json()


async def test_a_session_has_a_minimum_until_it_is_taken_away(program: Program) -> None:
    service = (await program.post("/services", a_service_body())).json()
    times = {"starts_at": "2027-05-14T18:00:00+02:00", "ends_at": "2027-05-14T19:00:00+02:00"}
    body = {"service_id": service["id"], "capacity": 5, "min_seats": 3, **times}
    made = (await program.post("/sessions", body)).json()
    assert (made["min_seats"], made["decide_hours"]) == (3, 24)
    path = f"/sessions/{made['id']}"
    renamed = (await program.put(path, {"title": "Basics"})).json()
    assert renamed == {**made, "title": "Basics"}
    refused = await program.put(path, {"min_seats": 6})
    assert list(refused.json()["errors"]) == ["min_seats"]
    gone = (await program.put(path, {"min_seats": None})).json()
    assert (gone["min_seats"], gone["decide_hours"]) == (None, None)


async def test_a_series_keeps_what_a_change_leaves_out(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    body = {
        "service_id": str(service.id),
        "title": "Term",
        "price_type": "on_site",
        "price_minor": 4000,
        "join_policy": "until",
        "join_until_on": "2027-05-14",
        "drop_in_allowed": True,
        "drop_in_minor": 0,
        "session_ids": [str(session.id)],
    }
    made = await program.post("/series", body)
    assert made.status_code == 201, made.text
    assert made.json()["drop_in"] == {"amount_minor": 0, "currency": "EUR"}
    same = await program.put(f"/series/{made.json()['id']}", made.json())
    assert same.json() == made.json()
    changed = await program.put(f"/series/{made.json()['id']}", {"drop_in_minor": None})
    assert changed.json() == {**made.json(), "drop_in": None}


async def test_a_body_that_cannot_be_read_is_refused_in_a_sentence_and_by_field(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    body = {"service_id": str(service.id), "title": "Term", "price_type": "free"}
    refused = await program.post("/series", {**body, "session_ids": [], "join_until_on": "soon"})
    assert refused.status_code == 400
    assert refused.json()["detail"] == "Please look at the marked fields."
    assert "join_until_on" in refused.json()["errors"]


async def test_a_phone_number_is_one_and_is_kept_as_the_world_dials_it(
    program: Program, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    body = {"kind": "session", "id": str(session.id), **CARL}
    refused = await program.post("/bookings", {**body, "guest_phone": "not a phone"})
    assert refused.status_code == 422
    assert "guest_phone" in refused.json()["errors"]
    made = await program.post("/bookings", {**body, "guest_phone": "020 123 4567"})
    assert made.status_code == 201, made.text
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(text("SELECT guest_phone FROM orders")) == "+31201234567"


async def test_broken_json_is_refused_in_a_sentence(program: Program) -> None:
    headers = {"Authorization": f"Bearer {program.key}", "Content-Type": "application/json"}
    refused = await program.client.post("/api/v1/bookings", content=b"{", headers=headers)
    assert refused.status_code == 400
    assert "well-formed JSON" in refused.json()["detail"]
