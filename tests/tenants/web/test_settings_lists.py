"""Performers, places, keys, team and log as an owner goes through them."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.api_keys import authenticate_api_key, create_api_key
from src.tenants.commands.audit import audit
from src.tenants.commands.catalogue import (
    LocationDetails,
    PerformerDetails,
    add_location,
    add_performer,
)
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry, Location, Performer
from tests.support.builders import Business, a_business, a_member
from tests.support.visitor import Visitor
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/settings"
PERFORMERS, LOCATIONS, KEYS = f"{HOME}/performers", f"{HOME}/locations", f"{HOME}/api-keys"


@pytest.fixture
async def lotus(client: AsyncClient, services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await sign_in(client, services, business.owner.id)
    return business


@pytest.fixture
async def rival(services: Services) -> Business:
    return await a_business(services.uow_factory, "rival", owner="Eve")


@pytest.fixture
def olive(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def save(who: Visitor, values: dict[str, Any] | None = None, status: int = 200) -> None:
    """Sends the page's own form; the dashboard around it has others."""
    await who.submit(values, to=who.path, status=status)


async def rows_of(services: Services, business: Business, model: type[Any]) -> list[Any]:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalars(
            select(model).where(model.tenant_id == business.id).order_by(model.id)
        )
        return list(found)


async def log_of(services: Services, business: Business) -> list[str]:
    return [entry.action for entry in await rows_of(services, business, AuditEntry)]


async def a_performer(services: Services, business: Business, name: str = "Mara") -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await add_performer(uow, business.ctx, PerformerDetails(name=name))


async def a_location(services: Services, business: Business, name: str = "Loft") -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await add_location(uow, business.ctx, LocationDetails(name=name))


async def test_a_performer_comes_gets_a_name_goes_and_comes_back(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await olive.open(PERFORMERS)
    assert "No performer yet" in olive.text
    await save(olive, {"name": " Mara  Lind "})
    assert "“Mara Lind” is added." in olive.text.replace("  ", " ")
    [mara] = await rows_of(services, lotus, Performer)
    assert (mara.name, mara.user_id) == ("Mara Lind", None)
    await olive.open(f"{PERFORMERS}/{mara.id}")
    await save(olive, {"name": "Mara L.", "user_id": ivan.user_id})
    assert "Ivan" in olive.text
    await olive.open(f"{PERFORMERS}/{mara.id}")
    await olive.submit(to=f"{mara.id}/active")
    assert "gets no new sessions" in olive.text
    [kept] = await rows_of(services, lotus, Performer)
    assert (kept.name, kept.user_id, kept.active) == ("Mara L.", ivan.user_id, False)
    await olive.open(f"{PERFORMERS}/{mara.id}")
    await olive.submit(to=f"{mara.id}/active")
    assert "can be given sessions again" in olive.text
    assert await log_of(services, lotus) == [
        "performer.added",
        "performer.changed",
        "performer.deactivated",
        "performer.activated",
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"name": "x" * 101}, "At most 100"),
        ({"name": "mara"}, "of this name already"),
        ({"name": "Mara"}, "of this name already"),
        ({"name": "Nils", "user_id": str(new_id())}, "member from the list"),
        ({"name": "Nils", "user_id": "nobody"}, "field-error"),
    ],
)
async def test_a_performer_that_will_not_do(
    olive: Visitor, services: Services, lotus: Business, typed: dict[str, str], sentence: str
) -> None:
    await a_performer(services, lotus)
    await olive.open(PERFORMERS)
    await save(olive, typed, status=422)
    assert sentence in olive.text
    assert f'value="{typed["name"]}"' in olive.text
    assert len(await rows_of(services, lotus, Performer)) == 1


async def test_a_member_is_one_performer_at_most(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await olive.open(PERFORMERS)
    await save(olive, {"name": "Mara", "user_id": ivan.user_id})
    await save(olive, {"name": "Nils", "user_id": ivan.user_id}, status=422)
    assert "This member is Mara already." in olive.text


async def test_an_owner_of_another_business_is_no_member(
    olive: Visitor, services: Services, lotus: Business, rival: Business
) -> None:
    await olive.open(PERFORMERS)
    await save(olive, {"name": "Eve", "user_id": rival.owner.id}, status=422)
    assert "member from the list" in olive.text


async def test_a_place_comes_changes_goes_and_comes_back(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(LOCATIONS)
    assert "No location yet" in olive.text
    await olive.open(f"{LOCATIONS}/new")
    typed = {"name": "Loft", "address": "Keizersgracht 1\nAmsterdam", "room_capacity": "14"}
    await save(olive, typed)
    assert olive.path == LOCATIONS
    [loft] = await rows_of(services, lotus, Location)
    assert (loft.name, loft.room_capacity, loft.is_online) == ("Loft", 14, False)
    await olive.open(f"{LOCATIONS}/{loft.id}")
    await save(olive, {"address": "", "room_capacity": "", "is_online": "on"})
    assert "Online" in olive.text
    [kept] = await rows_of(services, lotus, Location)
    assert (kept.address, kept.room_capacity, kept.is_online) == ("", None, True)
    await olive.open(f"{LOCATIONS}/{loft.id}")
    await olive.submit(to=f"{loft.id}/active")
    assert not (await rows_of(services, lotus, Location))[0].active
    await olive.open(f"{LOCATIONS}/{loft.id}")
    await olive.submit(to=f"{loft.id}/active")
    assert await log_of(services, lotus) == [
        "location.added",
        "location.changed",
        "location.deactivated",
        "location.activated",
    ]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"name": "LOFT"}, "of this name already"),
        ({"name": "Attic", "room_capacity": "0"}, "number from 1 to"),
        ({"name": "Attic", "room_capacity": "many"}, "whole number"),
        ({"name": "Attic", "address": "x" * 301}, "At most 300"),
        ({"name": "Attic", "address": "Here 1", "is_online": "on"}, "has no address"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False])
async def test_a_place_that_will_not_do(
    olive: Visitor,
    services: Services,
    lotus: Business,
    typed: dict[str, str],
    sentence: str,
    is_new: bool,
) -> None:
    await a_location(services, lotus)
    attic = await a_location(services, lotus, "Attic")
    typed = {**typed, "name": typed["name"].replace("Attic", "Basement")} if is_new else typed
    await olive.open(f"{LOCATIONS}/{'new' if is_new else attic}")
    await save(olive, typed, status=422)
    assert sentence in olive.text
    assert f'value="{typed["name"]}"' in olive.text
    assert [row.name for row in await rows_of(services, lotus, Location)] == ["Loft", "Attic"]


async def test_a_key_is_shown_once_works_and_is_revoked(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(KEYS)
    assert "No key yet" in olive.text
    assert 'href="/api/v1/docs"' in olive.text
    await save(olive, {"name": "Website"})
    assert olive.page is not None
    assert olive.page.headers["cache-control"] == "no-store"
    found = re.search(r"sl_[0-9a-f]{32}_[0-9a-f]{32}_[\w-]{43}", olive.text)
    assert found is not None
    now = services.clock.now()
    caller = await authenticate_api_key(services.uow_factory, found[0], now)
    assert caller.tenant.id == lotus.id
    await olive.open(KEYS)
    assert found[0] not in olive.text
    assert f"…{found[0][-4:]}" in olive.text
    link = re.search(r'href="(/app/lotus/settings/api-keys/[^"]+/revoke)"', olive.text)
    assert link is not None
    await olive.open(link[1])
    assert "Revoke “Website”?" in olive.text
    await save(olive)
    assert "Nothing gets in with it any more" in olive.text
    assert link[1] not in olive.text
    await olive.open(link[1])
    assert "revoked already" in olive.text
    assert await log_of(services, lotus) == ["api_key.created", "api_key.revoked"]


async def test_a_form_sent_twice_makes_one_key_and_says_so(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    """As who loads the page with the new key again sends it."""
    await olive.open(KEYS)
    form = olive.page
    await save(olive, {"name": "Website"})
    shown = re.search(r"sl_[0-9a-f]{32}_[0-9a-f]{32}_[\w-]{43}", olive.text)
    assert shown is not None
    for name in ("Website", "Till"):
        olive.page = form
        await save(olive, {"name": name}, status=409)
        assert "“Website” has been made already" in olive.text
        assert shown[0] not in olive.text
        assert olive.text.count("/revoke") == 2, "of the one key, in the list and in what is said"
    assert 'value="Till"' in olive.text, "what was typed is kept"
    await save(olive)
    assert await log_of(services, lotus) == ["api_key.created"] * 2, "from there on, another one"


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
async def test_a_key_needs_a_name(
    olive: Visitor, services: Services, lotus: Business, name: str
) -> None:
    await olive.open(KEYS)
    await save(olive, {"name": name}, status=422)
    assert "field-error" in olive.text
    assert await log_of(services, lotus) == []


async def test_another_business_things_are_not_there(
    olive: Visitor, services: Services, lotus: Business, rival: Business
) -> None:
    performer = await a_performer(services, rival)
    location = await a_location(services, rival)
    async with services.uow_factory(rival.id) as uow:
        key = (await create_api_key(uow, rival.ctx, "Theirs")).id
    pages = (f"{PERFORMERS}/{performer}", f"{LOCATIONS}/{location}", f"{KEYS}/{key}/revoke")
    for path in pages:
        await olive.open(path, status=404)
    await olive.open(PERFORMERS)
    assert olive.page is not None
    token = re.search(r'name="_csrf_token" value="([^"]+)"', olive.text)
    assert token is not None
    for path in (*pages, f"{PERFORMERS}/{performer}/active", f"{LOCATIONS}/{location}/active"):
        typed = {"_csrf_token": token[1], "name": "Mine now"}
        assert (await olive.client.post(path, data=typed)).status_code == 404, path
    assert (await rows_of(services, rival, Performer))[0].active
    assert await log_of(services, lotus) == []


async def test_the_team_is_listed_with_roles(
    olive: Visitor, services: Services, lotus: Business, rival: Business
) -> None:
    await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await olive.open(f"{HOME}/team")
    assert "Olive (you)" in olive.text
    assert "ivan@example.com" in olive.text
    assert "Instructor" in olive.text
    assert rival.owner.email not in olive.text


async def test_the_log_says_in_words_who_did_what(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    await olive.open(f"{HOME}/log")
    assert "Nothing yet" in olive.text
    await a_performer(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        detail = {"before": "A/B", "after": "C/D"}
        await audit(uow, lotus.ctx, "settings.timezone_changed", "tenant", lotus.id, **detail)
        await audit(uow, lotus.ctx, "robot.was_oiled", "robot", None, reason="It squeaked")
    await olive.open(f"{HOME}/log")
    for words in (
        "Added a performer",
        "“Mara”</a>",
        "Changed the timezone: A/B → C/D",
        "Robot was oiled: It squeaked",
        "Olive",
    ):
        assert words in olive.text


async def test_the_log_is_paged_both_ways(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    """By time, also of what is written later of an earlier moment."""
    async with services.uow_factory(lotus.id) as uow:
        for number in (*range(0, 120, 2), *range(1, 120, 2)):
            uow.session.add(
                AuditEntry(
                    tenant_id=lotus.id,
                    id=new_id(),
                    actor_kind="user",
                    action="x.done",
                    subject_kind="x",
                    detail={"note": f"n{number:03}"},
                    at=services.clock.now() + timedelta(minutes=number // 4),
                )
            )
            await uow.session.flush()
    await olive.open(f"{HOME}/log")
    seen = [numbers(olive.text)]
    for rel in ("next", "next", "prev", "prev"):
        link = re.search(rf'rel="{rel}"\s+href="([^"]+)"', olive.text)
        assert link is not None
        await olive.open(link[1])
        seen.append(numbers(olive.text))
    newest, middle, oldest = seen[:3]
    every = newest + middle + oldest
    assert sorted(every) == list(range(120))
    assert [number // 4 for number in every] == sorted((n // 4 for n in every), reverse=True)
    assert seen[3:] == [middle, newest]
    assert 'rel="prev"' not in olive.text
    await olive.open(f"{HOME}/log?before=nonsense")
    assert numbers(olive.text) == newest


def numbers(html: str) -> list[int]:
    return [int(found) for found in re.findall(r"X done: n(\d{3})", html)]
