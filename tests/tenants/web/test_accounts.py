"""One's own account: name, password, devices, and what none of it gives away."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient
from redis.asyncio import Redis
from sqlalchemy import select

from src.app import build_app
from src.platform.outbox.models import OutboxRow
from src.platform.passwords import hash_password
from src.platform.ratelimit import RateLimiter
from src.platform.services import Services
from src.tenants.commands.accounts import set_password, tail_of
from src.tenants.commands.admins import NewAdmin, make_admin
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.models import User
from tests.support.builders import a_business, a_user
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.owner import as_who_signed_in
from tests.support.visitor import Visitor
from tests.support.work import work
from tests.tenants.web.signed_in import TOKEN, sign_in

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
ANOTHER = "another long sentence"


@pytest.fixture
def olive(client: AsyncClient) -> Visitor:
    return Visitor(client)


async def stored(services: Services, user_id: UUID) -> User:
    async with services.uow_factory(None) as uow:
        return await uow.session.get_one(User, user_id)


async def an_account(services: Services, **more: Any) -> User:
    hashed = await hash_password(PASSWORD)
    return await a_user(services.uow_factory, password_hash=hashed, **more)


async def test_a_new_password_ends_every_other_session_and_moves_this_one(
    olive: Visitor, services: Services
) -> None:
    user = await an_account(services)
    elsewhere = AsyncClient(transport=olive.client._transport, base_url=olive.client.base_url)
    other = Visitor(elsewhere)
    await other.sign_in(user.email, PASSWORD)
    await olive.sign_in(user.email, PASSWORD)
    before = olive.client.cookies["seatline_session"]
    await olive.open("/account")
    await olive.submit({"current": PASSWORD, "password": ANOTHER}, to="/account/password")
    assert "Other devices are signed out" in olive.text
    assert olive.client.cookies["seatline_session"] != before
    await other.open("/account")
    assert other.path == "/sign-in"
    await elsewhere.aclose()


async def test_a_new_password_does_not_prove_the_address(
    olive: Visitor, services: Services
) -> None:
    user = await an_account(services, email_confirmed_at=None)
    await olive.sign_in(user.email, PASSWORD)
    await olive.open("/account")
    await olive.submit({"current": PASSWORD, "password": ANOTHER}, to="/account/password")
    assert (await stored(services, user.id)).email_confirmed_at is None


async def test_a_password_set_by_a_mailed_link_proves_it(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    user = await an_account(services, email_confirmed_at=None)
    await olive.open("/password/forgotten")
    await olive.submit({"email": user.email.upper()})
    await work(services, PLATFORM_TENANT_ID)
    body = mailer.sent[-1].body
    path = body[body.index("/password/reset/") :].split()[0]
    await olive.open(path)
    await olive.submit({"password": ANOTHER})
    assert (await stored(services, user.id)).email_confirmed_at is not None


async def test_the_present_password_cannot_be_guessed_at_leisure(
    olive: Visitor, services: Services
) -> None:
    user = await an_account(services)
    await olive.sign_in(user.email, PASSWORD)
    for attempt in range(6):
        await olive.open("/account")
        await olive.submit(
            {"current": "a wrong guess", "password": ANOTHER},
            to="/account/password",
            status=422 if attempt < 5 else 429,
        )


async def test_forgetting_does_the_same_work_for_known_and_unknown_addresses(
    olive: Visitor, services: Services, mailer: RememberingMailer
) -> None:
    user = await an_account(services)
    answers = []
    for email in (user.email, "nobody@example.com"):
        await olive.open("/password/forgotten")
        await olive.submit({"email": email})
        answers.append(olive.text[olive.text.index("notices") :][:400])
    assert answers[0] == answers[1]
    async with services.uow_factory(PLATFORM_TENANT_ID) as uow:
        assert len((await uow.session.scalars(select(OutboxRow))).all()) == 2
    await work(services, PLATFORM_TENANT_ID)
    assert [str(mail.to[0]) for mail in mailer.sent] == [f"{user.name} <{user.email}>"]


async def test_one_address_is_not_flooded_with_links(olive: Visitor, services: Services) -> None:
    for attempt in range(6):
        await olive.open("/password/forgotten")
        refused = attempt == 5
        await olive.submit({"email": "olive@example.com"}, status=429 if refused else 200)


@pytest.mark.parametrize("path", ["/confirm-email/nonsense", "/password/reset/nonsense"])
async def test_a_link_that_is_not_ours_opens_nothing(olive: Visitor, path: str) -> None:
    await olive.open(path, status=404)
    assert "This link is not valid" in olive.text


async def test_a_session_from_before_a_new_password_is_over_though_it_was_never_revoked(
    olive: Visitor, services: Services, clock: FrozenClock
) -> None:
    """The store of sessions may be out of reach at the very moment when the password changes."""
    user = await an_account(services)
    await olive.sign_in(user.email, PASSWORD)
    clock.advance(timedelta(seconds=1))
    tail = tail_of((await stored(services, user.id)).password_hash)
    assert await set_password(services.uow_factory, user.id, tail, ANOTHER)
    await olive.open("/account")
    assert olive.path == "/sign-in"


async def test_whoever_was_signed_in_does_not_become_the_platform_admin(
    olive: Visitor, services: Services, clock: FrozenClock
) -> None:
    user = await an_account(services)
    await olive.sign_in(user.email, PASSWORD)
    clock.advance(timedelta(seconds=1))
    new = NewAdmin(email=user.email, name="Ada", password="an admin's own passphrase")
    async with services.uow_factory(None) as uow, as_who_signed_in(uow):
        await make_admin(uow, new, user.password_hash, clock.now(), replace_password=True)
        await uow.session.flush()
    await olive.open("/admin")
    assert olive.path == "/sign-in"


@pytest.mark.slow
async def test_while_sessions_cannot_be_kept_no_answer_tells_a_right_password(
    olive: Visitor, services: Services
) -> None:
    user = await an_account(services)
    gone: Redis = Redis.from_url("redis://127.0.0.1:1")
    cut_off = replace(services, redis=gone, limiter=RateLimiter(gone, services.clock))
    transport = ASGITransport(build_app(cut_off))
    answers = []
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as client:
        shown = await client.get("/sign-in")
        token = TOKEN.search(shown.text)
        assert token is not None
        for guess in [PASSWORD, *["a wrong guess"] * 10]:
            form = {"_csrf_token": token[1], "email": user.email, "password": guess}
            answers.append((await client.post("/sign-in", data=form)).status_code)
    assert answers == [503] * 10 + [429]
    await gone.aclose()


async def test_the_way_to_another_business_is_on_every_page(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    await sign_in(client, services, lotus.owner.id)
    for path in ("/account", "/app/lotus/today"):
        assert 'href="/app/new"' in (await client.get(path)).text
