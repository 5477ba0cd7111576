"""Staff's pages about groups."""

import re
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.groups import set_group_active
from src.booking.models import Group, GroupPost, Service
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import send
from tests.support.builders import Business, a_service, a_session
from tests.support.collections import a_customer
from tests.support.groups import a_group, a_group_member, a_post, members_of
from tests.support.work import work

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/groups"


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service)
    return service


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    return await a_customer(services.uow_factory, lotus.id, established=False)


async def acts(services: Services, business: Business) -> list[str]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_staff_make_one_choose_what_gives_it_and_change_it(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service
) -> None:
    assert "No group yet" in (await client.get(HOME)).text
    typed = {"title": "Early birds", "about": "Dear {first_name}"}
    unknown = await send(client, f"{HOME}/new", typed)
    assert unknown.status_code == 422
    assert "There is no {first_name} here" in unknown.text
    assert 'id="f-about-error"' in unknown.text
    refused = await send(client, f"{HOME}/new", {"title": " ", "about": "For <early> people"})
    assert refused.status_code == 422
    assert "Give the group a title." in refused.text
    assert "For &lt;early&gt; people" in refused.text
    answer = await send(client, f"{HOME}/new", {"title": "Birds", "shows_members": "on"})
    async with services.uow_factory(lotus.id) as uow:
        [group] = await uow.session.scalars(select(Group))
    here = f"{HOME}/{group.id}"
    assert answer.headers["location"] == here
    assert (group.slug, group.shows_members) == ("birds", True)
    answer = await send(client, here, {"things": f"service:{yoga.id}"}, to=f"{here}/givers")
    assert answer.headers["location"] == f"{here}#givers"
    assert f'value="service:{yoga.id}" checked' in " ".join((await client.get(here)).text.split())
    refused = await send(client, here, {"things": f"service:{group.id}"}, to=f"{here}/givers")
    assert refused.status_code == 422
    assert "Please choose among what there is." in refused.text
    await send(client, f"{here}/edit", {"title": "Larks", "slug": "larks"})
    assert "Larks" in (await client.get(HOME)).text
    assert await acts(services, lotus) == ["group.created", "group.givers_changed", "group.changed"]


async def test_staff_find_a_customer_take_them_in_and_off(
    client: AsyncClient, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    here = f"{HOME}/{group_id}"
    assert "Nobody else is called like this." in (await client.get(f"{here}?find=zz%25")).text
    assert str(carl) in (await client.get(f"{here}?find=CARL")).text
    await send(client, f"{here}?find=carl", {"customer_id": str(carl)}, to=f"{here}/members")
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]
    shown = await client.get(here)
    assert "Carl Guest" in shown.text
    story = await client.get(f"/app/lotus/customers/{carl}")
    assert f'href="{here}">Early birds</a>' in story.text
    assert "Took a customer into a group" in story.text
    member_id = await a_group_member(services.uow_factory, lotus, group_id, carl)
    await send(client, here, {}, to=f"{here}/members/{member_id}/remove")
    assert await members_of(services.uow_factory, lotus.id, group_id) == []
    assert (
        f'href="{here}">Early birds</a>'
        not in (await client.get(f"/app/lotus/customers/{carl}")).text
    )


async def test_staff_write_edit_and_delete_a_post(
    client: AsyncClient, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    here = f"{HOME}/{group_id}"
    assert "To 1 member now, once." in (await client.get(f"{here}/posts/new")).text
    refused = await send(client, f"{here}/posts/new", {"title": "Hello {who}", "body": "Kept"})
    assert refused.status_code == 422
    assert "{who}" in refused.text
    assert "Kept" in refused.text
    answer = await send(client, f"{here}/posts/new", {"title": "Hello", "body": "You"})
    assert answer.headers["location"] == f"{here}#posts"
    async with services.uow_factory(lotus.id) as uow:
        [post] = await uow.session.scalars(select(GroupPost))
    assert not post.is_mailed
    assert "You" in (await client.get(f"{here}/posts/{post.id}/edit")).text
    await send(client, f"{here}/posts/{post.id}/edit", {"title": "Hello", "body": "All"})
    assert "edited" in (await client.get(here)).text
    assert "All" in (await client.get(f"{here}/posts/{post.id}/delete")).text
    await send(client, f"{here}/posts/{post.id}/delete", {})
    assert "Nothing was written yet" in (await client.get(here)).text


async def test_switching_off_and_deleting_say_first_what_follows(
    client: AsyncClient, services: Services, lotus: Business, yoga: Service, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus, yoga)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    await a_post(services.uow_factory, lotus, group_id)
    here = f"{HOME}/{group_id}"
    assert "1 member does not find the page any more" in (await client.get(f"{here}/off")).text
    await send(client, f"{here}/off", {})
    answer = await send(client, f"{here}/posts/new", {"title": "Hello", "body": "You"})
    assert answer.headers["location"] == here, "nobody could read it"
    await send(client, f"{here}?find=carl", {"customer_id": str(carl)}, to=f"{here}/members")
    assert "so nobody can join it" in (await client.get(here)).text
    await send(client, here, {}, to=f"{here}/on")
    asked = (await client.get(f"{here}/delete")).text
    for said in ("1 membership", "1 post", "1 offer makes nobody a member any more"):
        assert said in asked
    await send(client, f"{here}/delete", {})
    assert "No group yet" in (await client.get(HOME)).text
    assert (await client.get(here)).status_code == 404


async def test_who_is_looked_for_is_named_with_what_they_are_already(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    free = await a_service(services.uow_factory, lotus.id, slug="free", price_type="free")
    session = await a_session(services.uow_factory, free)
    group_id = await a_group(services.uow_factory, lotus, free)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await work(services, lotus.id)
    here = f"{HOME}/{group_id}"
    shown = await client.get(f"{here}?find=carl")
    assert "A member by a purchase." in shown.text
    assert "There are more." not in shown.text
    for number in range(10):
        address = f"carl{number}@example.com"
        await a_customer(services.uow_factory, lotus.id, address, established=False)
    shown = await client.get(f"{here}?find=carl")
    assert shown.text.count('name="customer_id"') == 10
    assert "There are more." in shown.text


async def test_a_post_that_nobody_has_by_mail_yet_is_not_said_to_have_gone_to_none(
    client: AsyncClient, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    await a_post(services.uow_factory, lotus, group_id, mail=True)
    shown = " ".join((await client.get(f"{HOME}/{group_id}")).text.split())
    assert f"{lotus.ctx.actor.name} · by mail </p>" in shown
    await work(services, lotus.id)
    assert "by mail to 1 member" in (await client.get(f"{HOME}/{group_id}")).text


async def test_the_list_says_which_groups_are_on(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await a_group(services.uow_factory, lotus, shows_members=True)
    off = await a_group(services.uow_factory, lotus, title="Owls")
    async with services.uow_factory(lotus.id) as uow:
        await set_group_active(uow, lotus.ctx, off, active=False)
    rows = (await client.get(HOME)).text.split("<tbody")[1].split("<tr")[1:]
    assert [">On<" in re.sub(r"\s", "", row) for row in rows] == [True, False]
