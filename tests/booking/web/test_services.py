"""The pages about services, as an owner goes through them."""

from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.models import Service
from src.booking.web.service_presets import offered_presets, preset_values
from src.platform.services import Services
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import a_business, a_member, a_service, a_session
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

NEW = "/app/lotus/services/new"


async def stored(services: Services, tenant_id: Any) -> list[Service]:
    async with services.uow_factory(tenant_id) as uow:
        return list(await uow.session.scalars(select(Service).order_by(Service.name)))


async def test_without_a_service_the_next_step_is_shown(
    client: AsyncClient, services: Services
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    shown = await client.get("/app/lotus/services")
    assert "No service yet" in shown.text
    assert f'href="{NEW}"' in shown.text


@pytest.mark.parametrize(
    ("key", "mode", "minutes", "tiers"),
    [("workshop", "single", 180, 2), ("course", "series", 75, 0), ("class", "single", 60, 1)],
)
async def test_a_new_service_may_begin_as_one_of_three(
    client: AsyncClient, services: Services, key: str, mode: str, minutes: int, tiers: int
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    filled = await send(client, NEW, {"name": "Clay", "as": key, "duration_minutes": "7"})
    assert "Filled in" in filled.text
    assert fields_of(filled)["name"] == ["Clay"], "what was typed before stays"
    sent = await send_again(client, NEW, filled, {"price": "80"})
    assert sent.status_code == 303
    [made] = await stored(services, business.id)
    assert (made.sales_mode, made.duration_minutes) == (mode, minutes)
    assert len(made.leaving.get("tiers", [])) == tiers


async def test_what_a_service_begins_as_keeps_no_rule_of_the_one_pressed_before(
    client: AsyncClient, services: Services
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    open_class = await send(client, NEW, {"name": "Clay", "as": "class"})
    assert fields_of(open_class)["horizon_days"] == ["28"]
    workshop = fields_of(await send_again(client, NEW, open_class, {"as": "workshop"}))
    assert workshop["horizon_days"] == ["365"]
    course = fields_of(await send_again(client, NEW, open_class, {"as": "course"}))
    assert course["min_notice_minutes"] == ["0"]
    assert course["horizon_days"] == ["365"]
    assert not any(course["tiers.0.before"]), "what has no way out of its own has none of another"


def test_no_course_is_begun_with_on_a_plan_without_series() -> None:
    offered = offered_presets("course", frozenset({Feature.GROUP_SERVICES}))
    assert [one.key for one in offered] == ["workshop", "class"]
    assert preset_values("course", frozenset({Feature.GROUP_SERVICES})) == {}


async def test_tags_are_words_between_commas(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    refused = await send(client, NEW, {"name": "Clay", "price": "80", "tags": "x" * 31})
    assert refused.status_code == 422
    assert 'id="f-tags-error"' in refused.text
    sent = await send(client, NEW, {"name": "Clay", "price": "80", "tags": "Outdoors, calm,, calm"})
    assert sent.status_code == 303
    [made] = await stored(services, business.id)
    assert made.tags == ["calm", "outdoors"]
    edit = f"/app/lotus/services/{made.id}/edit"
    assert fields_of(await client.get(edit), edit)["tags"] == ["calm, outdoors"]
    assert (await send(client, edit, {"tags": ""})).status_code == 303
    assert (await stored(services, business.id))[0].tags == []


async def test_an_owner_makes_a_service(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    answer = await send(
        client,
        NEW,
        {
            "name": "Yin yoga",
            "price": "12,50",
            "tax_percent": "21",
            "questions.0.label": "Any injuries?",
            "questions.1.label": "Your level?",
            "questions.1.kind": "choice",
            "questions.1.choices": "Beginner\nAdvanced\n",
            "questions.1.required": "on",
        },
    )
    [service] = await stored(services, business.id)
    assert answer.headers["location"] == f"/app/lotus/services/{service.id}/sessions"
    assert (service.slug, service.price_minor, service.tax_rate_bp) == ("yin-yoga", 1250, 2100)
    assert [each["label"] for each in service.questions] == ["Any injuries?", "Your level?"]
    assert service.questions[1]["choices"] == ["Beginner", "Advanced"]


async def test_going_back_and_sending_again_makes_no_second_one(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    form = await client.get(NEW)
    for _ in range(2):
        answer = await send_again(client, NEW, form, {"name": "Yoga", "price": "10"})
        assert answer.status_code == 303
    assert len(await stored(services, business.id)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"price": "abc"}, "This is not an amount."),
        ({"price": "1.250"}, "This could be 1250 or 1.25."),
        ({"price": "1.2345"}, "decimals"),
        ({"price": ""}, "Enter a price above zero"),
        ({"price": "-3"}, "An amount cannot be below zero."),
        ({"tax_percent": "101"}, "tax rate from 0 to 100"),
        ({"tax_percent": "NaN"}, "tax rate from 0 to 100"),
        ({"slug": "No Good"}, "Use small letters"),
        ({"default_capacity": "0"}, "Choose a number from 1"),
        ({"default_min_seats": "11"}, "Choose a number from 1 to 10."),
        ({"default_min_seats": "3", "default_decide_hours": "9999"}, "Choose a number from 1 to"),
        ({"duration_minutes": "soon"}, "Please give a whole number."),
        ({"price_type": "barter"}, "Please choose one of the given ones."),
        (
            {"questions.0.label": "", "questions.1.label": "Size?", "questions.1.kind": "choice"},
            "Give at least two answers",
        ),
    ],
)
async def test_what_cannot_be_used_is_said_and_kept(
    client: AsyncClient, services: Services, changes: dict[str, str], sentence: str
) -> None:
    business = await a_business(services.uow_factory)
    await as_owner(client, services, business)
    answer = await send(client, NEW, {"name": "Yoga", "price": "10", **changes})
    assert answer.status_code == 422
    assert sentence in answer.text
    kept = fields_of(answer)
    assert all(kept.get(name) in ([text], None) for name, text in changes.items())
    assert await stored(services, business.id) == []


async def test_the_editor_shows_what_is_stored_and_changes_it(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    questions = [{"key": "q1", "label": "Level?", "kind": "text", "required": True, "choices": []}]
    service = await a_service(services.uow_factory, business.id, questions=questions)
    await as_owner(client, services, business)
    path = f"/app/lotus/services/{service.id}/edit"
    fields = fields_of(await client.get(path))
    assert (fields["price"], fields["slug"]) == (["15.00"], ["yoga"])
    assert (fields["questions.0.label"], fields["questions.0.key"]) == (["Level?"], ["q1"])
    answer = await send(client, path, {"price": "17.50", "questions.0.label": "Your level?"})
    assert answer.status_code == 303
    [now] = await stored(services, business.id)
    assert (now.price_minor, now.sales_mode) == (1750, "both")
    assert [(each["key"], each["label"]) for each in now.questions] == [("q1", "Your level?")]


async def test_saving_what_was_shown_changes_nothing(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, plan="starter")
    service = await a_service(services.uow_factory, business.id, min_notice_minutes=45)
    await as_owner(client, services, business)
    answer = await send(client, f"/app/lotus/services/{service.id}/edit", {})
    assert answer.status_code == 303
    [now] = await stored(services, business.id)
    assert (now.min_notice_minutes, now.sales_mode, now.updated_at) == (
        45,
        "both",
        service.updated_at,
    )


async def test_the_list_tells_price_sales_and_dates(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    await a_session(services.uow_factory, service, seats_taken=4)
    await a_service(services.uow_factory, business.id, slug="off", name="Old", active=False)
    single = await a_service(services.uow_factory, business.id, slug="one", sales_mode="single")
    await as_owner(client, services, business)
    shown = (await client.get("/app/lotus/services")).text
    assert "€15.00" in shown
    assert "1 session coming up" in shown
    assert "4 of 10 seats taken" in shown
    assert f'href="/app/lotus/services/{service.id}/series"' in shown
    assert f"/services/{single.id}/series" not in shown, "it is sold as single dates only"
    assert "Off</span>" in shown


async def test_a_service_is_switched_off_and_on(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id)
    await as_owner(client, services, business)
    path = f"/app/lotus/services/{service.id}/active"
    for on in (False, True):
        answer = await send(client, "/app/lotus/services", {"on": str(int(on))}, to=path)
        assert answer.status_code == 303
        [now] = await stored(services, business.id)
        assert now.active is on


async def test_a_price_online_may_be_saved_before_payments_are_ready(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, payments_ready=False)
    await as_owner(client, services, business)
    assert "You cannot be paid online yet." in (await client.get(NEW)).text
    assert (await send(client, NEW, {"name": "Yoga", "price": "10"})).status_code == 303
    assert (await send(client, NEW, {"name": "Tea", "price_type": "free"})).status_code == 303
    listed = (await client.get("/app/lotus/services")).text
    assert listed.count("Guests pay online for it, and payments are not connected.") == 1


async def test_a_plan_without_groups_gets_a_panel_in_place_of_the_form(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory, plan="starter")
    service = await a_service(services.uow_factory, business.id, active=False)
    await as_owner(client, services, business)
    shown = await client.get(f"{NEW}?kind=group")
    assert shown.status_code == 402
    assert "Growth" in shown.text
    forged = await send(client, NEW, {"kind": "group", "name": "Clay"})
    assert forged.status_code == 402
    assert fields_of(await client.get(NEW))["kind"] == ["appointment"], "what the plan has"
    back = f"/app/lotus/services/{service.id}/active"
    answer = await send(client, "/app/lotus/services", {"on": "1"}, to=back)
    assert answer.status_code == 402
    forced = await send(client, f"/app/lotus/services/{service.id}/edit", {"active": "on"})
    assert forced.status_code == 402
    page = (await client.get("/app/lotus/services")).text
    assert "Your group services rest." in page


async def test_who_may_not_is_kept_out(client: AsyncClient, services: Services) -> None:
    business = await a_business(services.uow_factory)
    theirs = await a_business(services.uow_factory, "other", owner="Eve")
    service = await a_service(services.uow_factory, theirs.id)
    await a_service(services.uow_factory, business.id)
    instructor = await a_member(services.uow_factory, business, "Ivan", Role.INSTRUCTOR)
    assert (await client.get("/app/lotus/services")).status_code in (303, 401)
    await sign_in(client, services, instructor.user_id)
    assert (await client.get("/app/lotus/services")).status_code == 403
    await as_owner(client, services, business)
    assert (await client.get("/app/other/services")).status_code == 404
    assert (await client.get(f"/app/lotus/services/{service.id}/edit")).status_code == 404
    assert (await client.get(f"/app/lotus/services/{service.id}/sessions")).status_code == 404
    answer = await send(
        client, "/app/lotus/services", {"on": "0"}, to=f"/app/lotus/services/{service.id}/active"
    )
    assert answer.status_code == 404


async def test_everything_that_is_wrong_is_said_at_once(
    client: AsyncClient, services: Services
) -> None:
    await as_owner(client, services, await a_business(services.uow_factory))
    wrong = {"name": "Yin", "price": "much", "tax_percent": "101", "duration_minutes": "0"}
    refused = await send(client, NEW, {**wrong, "max_party": "0"})
    assert refused.status_code == 422
    for name in ("price", "tax_percent", "duration_minutes", "max_party"):
        assert f'id="f-{name}-error"' in refused.text, name
    unread = await send(client, NEW, {**wrong, "duration_minutes": "long"})
    for name in ("price", "tax_percent", "duration_minutes"):
        assert f'id="f-{name}-error"' in unread.text, name


async def test_the_price_is_said_as_it_was_understood(
    client: AsyncClient, services: Services
) -> None:
    business = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, business.id, max_party=1)
    await as_owner(client, services, business)
    path = f"/app/lotus/services/{service.id}/edit"
    await send(client, path, {"price": "12.345,00"})
    assert "It costs €12,345.00." in (await client.get("/app/lotus/services")).text
    child = {"key": "child", "name": "Child", "price_minor": 800}
    await a_service(
        services.uow_factory,
        business.id,
        slug="hidden",
        sales_mode="single",
        visibility="unlisted",
        price_tiers=[child],
    )
    listed = (await client.get("/app/lotus/services")).text
    assert "From €8.00 · Single dates" in " ".join(listed.split())
