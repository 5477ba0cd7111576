"""Groups as their members see them, and that nobody else does."""

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.booking.commands.group_posts import change_post, delete_post
from src.booking.commands.groups import change_group, set_group_active
from src.booking.domain.groups import GroupDraft, PostDraft
from src.platform.services import Services
from src.tenants.models import Customer, Tenant
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.collections import a_customer
from tests.support.groups import a_group, a_group_member, a_post, members_of
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import Visitor
from tests.support.work import work
from tests.tenants.web.test_unsubscribe import path_in

pytestmark = pytest.mark.anyio

PAGE = "/b/lotus/me/groups/early-birds"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def guest(client: AsyncClient) -> Visitor:
    return Visitor(client)


@pytest.fixture
async def carl(services: Services, lotus: Business, client: AsyncClient) -> UUID:
    customer_id = await a_customer(services.uow_factory, lotus.id, established=False)
    await sign_in_portal(client, services, lotus.id, customer_id)
    return customer_id


async def test_the_groups_own_text_speaks_to_its_reader_as_posts_do(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    about = "Dear {customer_name},\n\nthis is {business}. {"
    group_id = await a_group(services.uow_factory, lotus, about=about)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    text = (await guest.open(PAGE)).text
    assert f"Dear Carl Guest,\n\nthis is {lotus.tenant.name}. {{" in text
    listed = (await guest.open("/b/lotus/me/groups")).text
    assert "Dear Carl Guest," in listed
    assert "{customer_name}" not in text + listed


async def test_a_member_reads_the_posts_newest_first_a_page_at_a_time(
    guest: Visitor, services: Services, lotus: Business, carl: UUID, clock: FrozenClock
) -> None:
    group_id = await a_group(services.uow_factory, lotus, about="For <early> people.")
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    for number in range(11):
        clock.advance(timedelta(minutes=1))
        await a_post(services.uow_factory, lotus, group_id, title=f"Post {number}")
    text = (await guest.open(PAGE)).text
    assert "For &lt;early&gt; people." in text
    assert text.index("Post 10<") < text.index("Post 9<") < text.index("Post 1<")
    assert "Post 0<" not in text
    assert "Bring something warm, Carl Guest." in text
    assert "Post 0<" in (await guest.open(f"{PAGE}?page=2")).text
    assert f'href="{PAGE}"' in (await guest.open("/b/lotus/me")).text


async def test_a_mail_leads_to_its_post_however_many_came_after_it(
    guest: Visitor,
    client: AsyncClient,
    services: Services,
    lotus: Business,
    carl: UUID,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    post_id = await a_post(services.uow_factory, lotus, group_id, title="The first", mail=True)
    await work(services, lotus.id)
    [mail] = mailer.sent
    link = f"{PAGE}/posts/{post_id}"
    assert link in mail.body
    assert (await client.get(link)).headers["location"] == f"{PAGE}#post-{post_id}"
    for number in range(10):
        clock.advance(timedelta(minutes=1))
        await a_post(services.uow_factory, lotus, group_id, title=f"Post {number}")
    assert (await client.get(link)).headers["location"] == f"{PAGE}?page=2#post-{post_id}"
    assert f'id="post-{post_id}"' in (await guest.open(link)).text
    async with services.uow_factory(lotus.id) as uow:
        await delete_post(uow, lotus.ctx, group_id, post_id)
    assert "This post is not there any more." in (await guest.open(link, status=404)).text


async def test_nobody_else_finds_it(
    guest: Visitor, services: Services, lotus: Business, client: AsyncClient
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    answer = await client.get(PAGE, follow_redirects=False)
    assert answer.status_code == 303
    assert "/me/sign-in" in answer.headers["location"]
    stranger = await a_customer(services.uow_factory, lotus.id, established=True)
    await sign_in_portal(client, services, lotus.id, stranger)
    post_id = await a_post(services.uow_factory, lotus, group_id)
    post = f"{PAGE}/posts/{post_id}"
    for path in (PAGE, post, f"{PAGE}/leave", "/b/lotus/me/groups/nothing"):
        answer = await client.get(path)
        assert answer.status_code == 404
        assert "or you are not a member of it" in answer.text
    assert "Early birds" not in (await guest.open("/b/lotus/me")).text
    assert await members_of(services.uow_factory, lotus.id, group_id) == []


@pytest.mark.parametrize("how", ["off", "plan"])
async def test_without_its_page_members_do_not_find_it_either(
    guest: Visitor, services: Services, lotus: Business, carl: UUID, client: AsyncClient, how: str
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert (await client.get(PAGE)).status_code == 200
    async with services.uow_factory(lotus.id) as uow:
        if how == "off":
            await set_group_active(uow, lotus.ctx, group_id, active=False)
        else:
            tenant = await uow.session.get_one(Tenant, lotus.id)
            plan = tenant.entitlements["plan"]
            kept = [one for one in plan["features"] if one != "collections"]
            tenant.entitlements = {**tenant.entitlements, "plan": {**plan, "features": kept}}
    assert (await client.get(PAGE)).status_code == 404
    assert "Early birds" not in (await guest.open("/b/lotus/me")).text
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]


async def test_an_address_that_it_had_before_leads_on(
    services: Services, lotus: Business, carl: UUID, client: AsyncClient
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    async with services.uow_factory(lotus.id) as uow:
        draft = GroupDraft(title="Early birds", slug="larks")
        await change_group(uow, lotus.ctx, group_id, draft)
    answer = await client.get(PAGE, follow_redirects=False)
    assert answer.headers["location"] == "/b/lotus/me/groups/larks"


async def test_each_member_chooses_whether_their_name_is_read(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus, shows_members=True)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert "Nobody shows theirs yet." in (await guest.open(PAGE)).text
    await guest.submit({"is_shown": "on"}, to="/name")
    shown = await guest.open(PAGE)
    assert '<li class="break-words">Carl Guest</li>' in shown.text
    assert "carl@example.com" not in shown.text.split('id="members"')[1]
    await guest.submit({"is_shown": ""}, to="/name")
    assert "Nobody shows theirs yet." in (await guest.open(PAGE)).text


async def test_a_group_without_a_list_shows_no_names_and_asks_for_none(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert "Show my name" not in (await guest.open(PAGE)).text


async def test_a_member_leaves_after_reading_what_follows(
    guest: Visitor, services: Services, lotus: Business, carl: UUID, client: AsyncClient
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    await guest.open(f"{PAGE}/leave")
    await guest.submit({}, to="")
    assert await members_of(services.uow_factory, lotus.id, group_id) == []
    assert (await client.get(PAGE)).status_code == 404


async def test_several_stand_under_one_word(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    for title in ("Early birds", "Owls"):
        group_id = await a_group(services.uow_factory, lotus, title=title)
        await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert 'href="/b/lotus/me/groups"' in (await guest.open("/b/lotus/me")).text
    listed = (await guest.open("/b/lotus/me/groups")).text
    assert PAGE in listed
    assert "/b/lotus/me/groups/owls" in listed


async def test_only_members_are_asked_about_mails_of_groups(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    assert "what is new in my groups" not in (await guest.open("/b/lotus/me/profile")).text
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert "what is new in my groups" in (await guest.open("/b/lotus/me/profile")).text


async def test_a_profile_that_was_open_before_says_nothing_of_mails_of_groups(
    guest: Visitor,
    services: Services,
    lotus: Business,
    carl: UUID,
    mailer: RememberingMailer,
) -> None:
    await guest.open("/b/lotus/me/profile")
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    await guest.submit({"reminders": "on"}, to="/profile/mails")
    await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
    await guest.open("/b/lotus/me/profile")
    await guest.submit({"groups": ""}, to="/profile/mails")
    await a_post(services.uow_factory, lotus, group_id, title="And again", mail=True)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1, "this page has asked"


async def test_who_has_no_name_reads_that_none_is_shown(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus, shows_members=True)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    assert "They read “Carl Guest”" in (await guest.open(PAGE)).text
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Customer, (lotus.id, carl))).name = ""
    shown = (await guest.open(PAGE)).text
    assert "nothing is shown until it stands in your profile" in shown
    assert "They read" not in shown


async def test_an_edited_post_says_so(
    guest: Visitor, services: Services, lotus: Business, carl: UUID
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    post_id = await a_post(services.uow_factory, lotus, group_id)
    assert "edited" not in (await guest.open(PAGE)).text
    async with services.uow_factory(lotus.id) as uow:
        draft = PostDraft(title="We meet inside", body="It rains.")
        await change_post(uow, lotus.ctx, group_id, post_id, draft)
    shown = " ".join((await guest.open(PAGE)).text.split())
    assert f"</time> · {lotus.ctx.actor.name} · edited" in shown


async def test_one_click_ends_the_mails_and_not_the_membership(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    carl: UUID,
    mailer: RememberingMailer,
) -> None:
    group_id = await a_group(services.uow_factory, lotus)
    await a_group_member(services.uow_factory, lotus, group_id, carl)
    await a_post(services.uow_factory, lotus, group_id, mail=True)
    await work(services, lotus.id)
    [mail] = mailer.sent
    link = path_in(mail.headers["List-Unsubscribe"])
    assert "writes to the groups that you are in" in (await client.get(link)).text
    done = await client.post(link, data={"List-Unsubscribe": "One-Click"})
    assert "You get no more of these mails" in done.text
    await a_post(services.uow_factory, lotus, group_id, title="And again", mail=True)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
    assert "And again" in (await client.get(PAGE)).text
    assert await members_of(services.uow_factory, lotus.id, group_id) == [carl]
