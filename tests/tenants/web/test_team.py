"""Settings > Team over HTTP: invited by mail, joined by link, changed, removed."""

import re
from collections.abc import AsyncIterator

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.platform.passwords import hash_password
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import Member
from tests.booking.commands.places import a_performer
from tests.support.builders import Business, a_business, a_member, a_service, a_session, a_user
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

TEAM = "/app/lotus/settings/team"
PASSWORD = "a heron waits beside the water"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def olive(client: AsyncClient, services: Services, lotus: Business) -> Visitor:
    await sign_in(client, services, lotus.owner.id)
    return Visitor(client)


@pytest.fixture
async def ivan(client: AsyncClient) -> AsyncIterator[Visitor]:
    async with AsyncClient(transport=client._transport, base_url=client.base_url) as other:
        yield Visitor(other)


def link_in(mailer: RememberingMailer) -> str:
    found = re.search(r"http://testserver\.local(/join/\S+)", mailer.sent[-1].body)
    assert found is not None
    return found[1]


async def invite(
    olive: Visitor, services: Services, lotus: Business, email: str, role: str = "instructor"
) -> None:
    await olive.open(TEAM)
    await olive.submit({"email": email, "role": role}, to=TEAM)
    assert f"An invitation is on its way to {email}" in olive.text
    await work(services, lotus.id)


async def member_path(services: Services, lotus: Business, user_id: object) -> str:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalar(select(Member.id).where(Member.user_id == user_id))
    return f"{TEAM}/{found}"


@pytest.mark.slow
async def test_somebody_new_is_invited_joins_and_sees_their_own_sessions(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    performer = await a_performer(services.uow_factory, lotus)
    await a_session(services.uow_factory, service, title="Own", performer_id=performer.id)
    await a_session(services.uow_factory, service, title="Other")
    await olive.open(TEAM)
    asked = {"email": "ivan@new.example", "role": "instructor", "performer_id": performer.id}
    await olive.submit(asked, to=TEAM)
    await work(services, lotus.id)
    assert mailer.sent[-1].subject == "Join Lotus on Seatline"
    assert "Olive asks you to join the team of Lotus as instructor." in mailer.sent[-1].body
    path = link_in(mailer)
    await ivan.open(path)
    await ivan.submit({"name": "", "password": "short"}, to=path, status=422)
    for field in ("name", "password"):
        assert f'id="f-{field}-error"' in ivan.text
    await ivan.submit({"name": "Ivan Iris", "password": PASSWORD}, to=path)
    assert ivan.path == "/app/lotus/today"
    assert "Own" in ivan.text
    assert "Other" not in ivan.text
    await ivan.open(path)
    assert "You are in already." in ivan.text
    await ivan.open("/app/lotus/sessions")
    await ivan.submit(to="/sign-out")
    await ivan.sign_in("ivan@new.example", PASSWORD)
    assert ivan.path == "/app/lotus/today"
    await olive.open(TEAM)
    assert "Ivan Iris" in olive.text


@pytest.mark.slow
async def test_somebody_with_an_account_signs_in_and_accepts(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    user = await a_user(services.uow_factory, "Ivan", password_hash=await hash_password(PASSWORD))
    await invite(olive, services, lotus, user.email, "manager")
    path = link_in(mailer)
    await ivan.open(path)
    assert "You have an account" in ivan.text
    href = re.search(r'href="(/sign-in\?next=[^"]+)"', ivan.text)
    assert href is not None
    await ivan.open(href[1])
    await ivan.submit({"email": user.email, "password": PASSWORD})
    assert ivan.path == path
    await ivan.submit(to=path)
    assert ivan.path == "/app/lotus/today"
    await ivan.open(path)
    assert ivan.path == "/app/lotus/today"
    assert "You are in already." in ivan.text
    await ivan.open(TEAM)


async def test_inviting_says_the_same_of_known_and_unknown_addresses(
    olive: Visitor, services: Services, mailer: RememberingMailer, lotus: Business
) -> None:
    await a_user(services.uow_factory, "Known")
    pages = []
    for email in ("known@example.com", "fresh@example.com"):
        await invite(olive, services, lotus, email)
        pages.append(olive.text.count(email))
    assert pages[0] == pages[1]
    assert mailer.sent[0].subject == mailer.sent[1].subject


async def test_somebody_else_who_is_signed_in_cannot_take_the_invitation(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    await invite(olive, services, lotus, "ivan@new.example")
    await olive.open(link_in(mailer))
    assert "You are signed in as olive@lotus.example" in olive.text
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', olive.text)
    assert token is not None
    sent = await olive.client.post(link_in(mailer), data={"_csrf_token": token[1]})
    assert sent.status_code == 200
    assert "You are signed in as" in sent.text


async def test_an_invitation_is_sent_again_and_taken_back(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    await invite(olive, services, lotus, "ivan@new.example")
    await olive.submit({}, to="/resend")
    await work(services, lotus.id)
    assert len(mailer.sent) == 2
    await olive.submit({}, to="/revoke")
    assert "taken back" in olive.text
    await ivan.open(link_in(mailer), status=410)
    assert "not open any more" in ivan.text


async def test_a_full_plan_shows_the_panel_in_place_of_the_form_and_answers_402(
    client: AsyncClient, services: Services
) -> None:
    small = await a_business(services.uow_factory, "small", plan="free", owner="Sam")
    await sign_in(client, services, small.owner.id)
    shown = await client.get("/app/small/settings/team")
    assert "Your plan has no room for another team member" in shown.text
    assert "Send invitation" not in shown.text
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', shown.text)
    assert token is not None
    fields = {"_csrf_token": token[1], "email": "a@b.example", "role": "manager"}
    refused = await client.post("/app/small/settings/team", data=fields)
    assert refused.status_code == 402
    assert "Starter" in refused.text


async def test_a_removed_member_reaches_nothing_from_the_next_request_on(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    ctx = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    assert ctx.user_id is not None
    await sign_in(ivan.client, services, ctx.user_id)
    await ivan.open("/app/lotus/today")
    path = await member_path(services, lotus, ctx.user_id)
    await olive.open(f"{path}/remove")
    assert "Open sign-ins reach nothing here" in olive.text
    await olive.submit(to=f"{path}/remove")
    assert "Ivan is out of the team" in olive.text
    await ivan.open("/app/lotus/today", status=404)
    await work(services, lotus.id)
    assert mailer.sent[-1].subject == "You are not in the team of Lotus any more"


async def test_another_role_takes_effect_at_once_and_is_told(
    olive: Visitor,
    ivan: Visitor,
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
) -> None:
    ctx = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    assert ctx.user_id is not None
    await sign_in(ivan.client, services, ctx.user_id)
    await ivan.open("/app/lotus/orders", status=403)
    path = await member_path(services, lotus, ctx.user_id)
    await olive.open(path)
    await olive.submit({"role": "manager"}, to=path)
    await ivan.open("/app/lotus/orders")
    await work(services, lotus.id)
    assert "you are manager from now on" in mailer.sent[-1].body


async def test_the_last_owner_is_told_why_they_stay(
    olive: Visitor, services: Services, lotus: Business
) -> None:
    path = await member_path(services, lotus, lotus.owner.id)
    await olive.open(path)
    await olive.submit({"role": "manager"}, to=path, status=422)
    assert "A business needs an owner" in olive.text
    await olive.open(f"{path}/remove")
    await olive.submit(to=f"{path}/remove", status=409)
    assert "A business needs an owner" in olive.text


async def test_a_manager_is_offered_no_owner_to_change(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    assert mia.user_id is not None
    await sign_in(client, services, mia.user_id)
    manager = Visitor(client)
    await manager.open(TEAM)
    path = await member_path(services, lotus, lotus.owner.id)
    assert path not in manager.text
    assert 'value="owner"' not in manager.text
    await manager.open(path, status=403)
    await manager.open(f"{path}/remove", status=403)


@pytest.mark.slow
async def test_invitations_are_not_sent_by_the_hundred(olive: Visitor, lotus: Business) -> None:
    await olive.open(TEAM)
    for number in range(50):
        await olive.submit({"email": f"i{number}@x.example"}, to=TEAM)
    await olive.submit({"email": "one@x.example"}, to=TEAM, status=429)
