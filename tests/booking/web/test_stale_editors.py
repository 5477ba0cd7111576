"""An editor left open while somebody else saves: nothing is undone without a decision."""

from typing import Any

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.booking.models import Group, GroupPost, Series, Service, Session
from src.booking.queries.groups import list_givers
from src.platform.services import Services
from tests.booking.web.pages import fields_of, send_again
from tests.support.builders import Business, a_series, a_service, a_session
from tests.support.collections import thing_of
from tests.support.groups import a_group, a_post

pytestmark = pytest.mark.anyio


async def stored(services: Services, business: Business, model: type[Any]) -> Any:
    async with services.uow_factory(business.id) as uow:
        return (await uow.session.scalars(select(model))).first()


async def saved_by_another(
    client: AsyncClient, path: str, theirs: dict[str, str], mine: dict[str, str]
) -> tuple[Response, Response]:
    """The page opened before they saved, and the answer to saving mine from it."""
    opened = await client.get(path)
    first = await send_again(client, path, await client.get(path), theirs)
    assert first.status_code == 303, first.text
    return opened, await send_again(client, path, opened, mine)


async def test_a_stale_series_reverts_no_price(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", price_minor=4500)
    path = f"/app/lotus/series/{term.series.id}/edit"
    opened, refused = await saved_by_another(client, path, {"price": "50"}, {"title": "Winter"})
    assert refused.status_code == 409
    assert "changed meanwhile" in refused.text
    assert "Price of the course" in refused.text.split("Saved by now")[1].split("</dl>")[0]
    assert "50.00" in refused.text.split("Saved by now")[1].split("</dl>")[0]
    assert fields_of(refused, path)["title"] == ["Winter"]
    series = await stored(services, lotus, Series)
    assert (series.price_minor, series.title) == (5000, term.series.title)

    again = await send_again(client, path, opened, {"title": "Winter"})
    assert again.status_code == 409

    decided = await send_again(client, path, refused, {})
    assert decided.status_code == 303
    series = await stored(services, lotus, Series)
    assert (series.price_minor, series.title) == (4500, "Winter")


async def test_a_mistyped_stale_form_stays_stale(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", price_minor=4500)
    path = f"/app/lotus/series/{term.series.id}/edit"
    _opened, wrong = await saved_by_another(client, path, {"price": "50"}, {"price": "much"})
    assert wrong.status_code == 422
    refused = await send_again(client, path, wrong, {"price": "45"})
    assert refused.status_code == 409
    assert (await stored(services, lotus, Series)).price_minor == 5000


async def test_sending_the_same_twice_is_no_clash(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", price_minor=4500)
    for path in (
        f"/app/lotus/series/{term.series.id}/edit",
        f"/app/lotus/services/{service.id}/edit",
        f"/app/lotus/sessions/{term.sessions[0].id}/edit",
    ):
        name = "name" if "services" in path else "title"
        same = {name: "Winter"}
        _opened, answer = await saved_by_another(client, path, same, same)
        assert answer.status_code == 303, path


async def test_a_stale_service_reverts_no_price(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site", price_minor=900)
    path = f"/app/lotus/services/{service.id}/edit"
    theirs = {"price": "12", "max_party": "4"}
    _opened, refused = await saved_by_another(client, path, theirs, {"name": "Yin"})
    assert refused.status_code == 409
    saved = refused.text.split("Saved by now")[1].split("</dl>")[0]
    assert "12.00" in saved
    assert "Largest party" in saved
    assert "On offer" not in saved
    now = await stored(services, lotus, Service)
    assert (now.price_minor, now.max_party, now.name) == (1200, 4, service.name)
    assert (await send_again(client, path, refused, {})).status_code == 303
    assert (await stored(services, lotus, Service)).name == "Yin"


async def test_a_stale_session_shows_what_was_saved(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    run = await a_session(services.uow_factory, service)
    path = f"/app/lotus/sessions/{run.id}/edit"
    theirs = {"title": "Basics", "capacity": "31"}
    _opened, refused = await saved_by_another(client, path, theirs, {"title": "Advanced"})
    assert refused.status_code == 409
    saved = refused.text.split("Saved by now")[1].split("</dl>")[0]
    assert "Basics" in saved
    assert "31" in saved
    now = await stored(services, lotus, Session)
    assert (now.title, now.capacity) == ("Basics", 31)


async def test_seats_that_another_changed_are_noticed_too(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    run = await a_session(services.uow_factory, service)
    path = f"/app/lotus/sessions/{run.id}/edit"
    _opened, refused = await saved_by_another(client, path, {"capacity": "31"}, {"title": "Yin"})
    assert refused.status_code == 409
    assert (await stored(services, lotus, Session)).capacity == 31


def saved_by_now(page: Response) -> str:
    return page.text.split("Saved by now")[1].split("</dl>")[0]


async def test_a_stale_group_undoes_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    path = f"/app/lotus/groups/{await a_group(services.uow_factory, lotus)}/edit"
    theirs = {"about": "On the roof", "shows_members": "on"}
    _opened, refused = await saved_by_another(client, path, theirs, {"title": "Larks"})
    assert refused.status_code == 409
    assert "changed meanwhile" in refused.text
    assert "On the roof" in saved_by_now(refused)
    assert "yes" in saved_by_now(refused)
    group = await stored(services, lotus, Group)
    assert (group.title, group.about, group.shows_members) == ("Early birds", "On the roof", True)
    assert (await send_again(client, path, refused, {})).status_code == 303
    group = await stored(services, lotus, Group)
    assert (group.title, group.about, group.shows_members) == ("Larks", "", False)


async def test_what_another_has_chosen_to_give_a_group_stays(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    yoga = await a_service(services.uow_factory, lotus.id)
    pilates = await a_service(services.uow_factory, lotus.id, slug="pilates", name="Pilates")
    group_id = await a_group(services.uow_factory, lotus)
    here = f"/app/lotus/groups/{group_id}"
    path = f"{here}/givers"

    async def given() -> list[str]:
        async with services.uow_factory(lotus.id) as uow:
            return [one.key for one in await list_givers(uow, group_id)]

    opened = await client.get(here)
    theirs, mine = thing_of(pilates).key, thing_of(yoga).key
    assert (await send_again(client, path, opened, {"things": theirs})).status_code == 303
    refused = await send_again(client, path, opened, {"things": mine})
    assert refused.status_code == 409
    assert "Pilates" in saved_by_now(refused)
    assert fields_of(refused, path)["things"] == [mine]
    assert await given() == [theirs]
    assert (await send_again(client, path, opened, {"things": theirs})).status_code == 303
    unreadable = await send_again(client, path, refused, {"things": mine, "seen": "x" * 60})
    assert unreadable.status_code == 422
    assert await given() == [theirs], "a form that cannot be read chooses nothing"
    assert (await send_again(client, path, refused, {})).status_code == 303
    assert await given() == [mine]


async def test_a_stale_post_undoes_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    post_id = await a_post(services.uow_factory, lotus, group_id)
    path = f"/app/lotus/groups/{group_id}/posts/{post_id}/edit"
    theirs = {"body": "On Sunday"}
    _opened, refused = await saved_by_another(client, path, theirs, {"title": "We meet inside"})
    assert refused.status_code == 409
    assert "On Sunday" in saved_by_now(refused)
    assert (await stored(services, lotus, GroupPost)).body == "On Sunday"
    assert (await send_again(client, path, refused, {})).status_code == 303
    post = await stored(services, lotus, GroupPost)
    assert (post.title, post.body.splitlines()[0]) == ("We meet inside", "On Saturday.")
