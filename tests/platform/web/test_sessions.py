"""Sessions: ids only from the server, new ones at every change of privilege, ended when told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from litestar import Request, get, post
from redis.asyncio import Redis

from src.platform.web.kit import WebKit
from src.platform.web.sessions import ABSOLUTE_LIFETIME, IDLE_LIFETIME, session_of
from tests.platform.web.conftest import Serve
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

AnyRequest = Request[Any, Any, Any]
OLIVE = UUID("0190a5b4-7a0a-7000-8000-000000000001")
EVE = UUID("0190a5b4-7a0a-7000-8000-000000000002")
COOKIE = "seatline_session"
FREE = {"csrf_exempt": True}


@get("/me")
async def me(request: AnyRequest) -> dict[str, Any]:
    session = await session_of(request)
    user = str(session.user_id) if session.user_id else None
    return {"user": user, "cart": session.get("cart")}


@post("/sign-in", opt=FREE, status_code=200)
async def sign_in(request: AnyRequest) -> None:
    session = await session_of(request)
    session.sign_in(OLIVE, request.app.state.web.sessions._clock.now())


@post("/cart", opt=FREE, status_code=200)
async def fill_cart(request: AnyRequest) -> None:
    (await session_of(request)).set("cart", ["yoga"])


@post("/rotate", opt=FREE, status_code=200)
async def rotate(request: AnyRequest) -> None:
    (await session_of(request)).rotate()


@post("/sign-out", opt=FREE, status_code=200)
async def sign_out(request: AnyRequest) -> None:
    (await session_of(request)).sign_out()


@get("/public")
async def public() -> str:
    return "public"


HANDLERS = (me, sign_in, fill_cart, rotate, sign_out, public)


@pytest.fixture
async def client(serve: Serve) -> AsyncClient:
    return await serve(*HANDLERS)


async def user_at(client: AsyncClient) -> str | None:
    user: str | None = (await client.get("/me")).json()["user"]
    return user


async def test_visitor_without_data_has_neither_cookie_nor_row(
    client: AsyncClient, redis: Redis
) -> None:
    assert await user_at(client) is None
    assert dict(client.cookies) == {}
    assert await redis.dbsize() == 0


async def test_signed_in_user_is_known_on_the_next_request(client: AsyncClient) -> None:
    await client.post("/sign-in")
    assert await user_at(client) == str(OLIVE)


async def test_id_that_the_server_did_not_issue_is_never_taken_over(client: AsyncClient) -> None:
    chosen = "a" * 43
    client.cookies.set(COOKIE, chosen, domain="testserver.local")
    await client.post("/cart")
    issued = client.cookies[COOKIE]
    assert issued != chosen
    stranger_cookies = {COOKIE: chosen}
    client.cookies.clear()
    client.cookies.update(stranger_cookies)
    assert (await client.get("/me")).json()["cart"] is None


async def test_signing_in_moves_to_a_new_id_and_drops_the_old_one(client: AsyncClient) -> None:
    await client.post("/cart")
    before = client.cookies[COOKIE]
    await client.post("/sign-in")
    assert client.cookies[COOKIE] != before
    client.cookies.set(COOKIE, before, domain="testserver.local")
    assert (await client.get("/me")).json() == {"user": None, "cart": None}


async def test_rotation_keeps_what_the_session_holds(client: AsyncClient) -> None:
    await client.post("/sign-in")
    await client.post("/cart")
    before = client.cookies[COOKIE]
    await client.post("/rotate")
    assert client.cookies[COOKIE] != before
    assert (await client.get("/me")).json() == {"user": str(OLIVE), "cart": ["yoga"]}


async def test_signing_out_ends_the_session_here_and_in_the_store(client: AsyncClient) -> None:
    await client.post("/sign-in")
    before = client.cookies[COOKIE]
    await client.post("/sign-out")
    assert COOKIE not in client.cookies
    client.cookies.set(COOKIE, before, domain="testserver.local")
    assert await user_at(client) is None


async def test_idle_session_ends(client: AsyncClient, clock: FrozenClock) -> None:
    await client.post("/sign-in")
    clock.advance(IDLE_LIFETIME - timedelta(minutes=1))
    assert await user_at(client) == str(OLIVE)
    clock.advance(IDLE_LIFETIME - timedelta(minutes=1))
    assert await user_at(client) == str(OLIVE)
    clock.advance(IDLE_LIFETIME)
    assert await user_at(client) is None


async def test_session_ends_at_its_absolute_age_however_busy(
    client: AsyncClient, clock: FrozenClock
) -> None:
    await client.post("/sign-in")
    step = timedelta(days=10)
    for _visit in range(ABSOLUTE_LIFETIME // step - 1):
        clock.advance(step)
        assert await user_at(client) == str(OLIVE)
    clock.advance(step)
    assert await user_at(client) is None


async def test_store_forgets_a_session_on_its_own(client: AsyncClient, redis: Redis) -> None:
    await client.post("/sign-in")
    lifetimes = [await redis.ttl(key) for key in await redis.keys("session:*")]
    assert lifetimes == [pytest.approx(IDLE_LIFETIME.total_seconds(), abs=5)]


async def test_store_does_not_know_the_id_itself(client: AsyncClient, redis: Redis) -> None:
    await client.post("/sign-in")
    issued = client.cookies[COOKIE].encode()
    assert all(issued not in key for key in await redis.keys("*"))


async def test_user_sees_own_sessions_and_ends_one_of_them(serve: Serve, kit: WebKit) -> None:
    phone, laptop = await serve(*HANDLERS), await serve(*HANDLERS)
    await phone.post("/sign-in", headers={"User-Agent": "phone"})
    await laptop.post("/sign-in", headers={"User-Agent": "laptop"})
    infos = await kit.sessions.sessions_of(OLIVE)
    assert {info.agent for info in infos} == {"phone", "laptop"}
    of_phone = next(info.key for info in infos if info.agent == "phone")
    assert await kit.sessions.revoke(EVE, [of_phone]) == 0
    assert await kit.sessions.revoke(OLIVE, [of_phone]) == 1
    assert await user_at(phone) is None
    assert await user_at(laptop) == str(OLIVE)


async def test_all_sessions_but_one_are_ended_with_a_new_password(
    serve: Serve, kit: WebKit
) -> None:
    clients = [await serve(*HANDLERS) for _number in range(3)]
    for client in clients:
        await client.post("/sign-in")
    spared = (await kit.sessions.sessions_of(OLIVE))[0].key
    assert await kit.sessions.revoke_all(OLIVE, except_key=spared) == 2
    assert [info.key for info in await kit.sessions.sessions_of(OLIVE)] == [spared]


async def test_revoked_session_is_not_revived_by_a_request_that_still_runs(
    serve: Serve, kit: WebKit
) -> None:
    @post("/slow", opt=FREE, status_code=200)
    async def slow(request: AnyRequest) -> None:
        session = await session_of(request)
        await kit.sessions.revoke_all(OLIVE)
        session.set("late", True)

    client = await serve(*HANDLERS, slow)
    await client.post("/sign-in")
    await client.post("/slow")
    assert await user_at(client) is None


async def test_cookie_is_bound_to_the_host_and_hidden_from_scripts(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    plain = await (await serve(*HANDLERS)).post("/sign-in")
    assert plain.headers["set-cookie"].startswith(f"{COOKIE}=")
    secure_client = await serve(*HANDLERS, kit=make_kit(secure=True))
    cookie = (await secure_client.post("/sign-in")).headers["set-cookie"]
    assert cookie.startswith(f"__Host-{COOKIE}=")
    for attribute in ("; Path=/", "; HttpOnly", "; SameSite=Lax", "; Secure", "; Max-Age="):
        assert attribute in cookie
    assert "Domain" not in cookie


async def test_personal_page_is_not_stored_by_anyone(client: AsyncClient) -> None:
    await client.post("/sign-in")
    assert (await client.get("/me")).headers["cache-control"] == "private, no-store"


async def test_public_page_works_while_valkey_is_down_and_others_say_so(
    serve: Serve, make_kit: Callable[..., WebKit]
) -> None:
    dead = Redis.from_url("redis://127.0.0.1:1/0")
    kit = make_kit()
    kit.sessions._redis = dead
    client = await serve(*HANDLERS, kit=kit)
    assert (await client.get("/public")).text == "public"
    assert (await client.post("/sign-in")).status_code == 503
    client.cookies.set(COOKIE, "a" * 43)
    assert (await client.get("/me")).status_code == 503
    await dead.aclose()
