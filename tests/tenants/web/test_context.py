"""Who asks and where, settled before any handler: moved, closed, foreign and half-known callers."""

from email.utils import parseaddr

import pytest
from httpx import AsyncClient
from sqlalchemy import delete, update

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.api_keys import create_api_key
from src.tenants.domain.roles import Role
from src.tenants.models import Member, Tenant, TenantSlug
from tests.support.builders import Business, a_business, a_member, a_user
from tests.tenants.web.signed_in import TOKEN, sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def set_status(services: Services, business: Business, status: str) -> None:
    async with services.uow_factory(None) as uow:
        await uow.session.execute(
            update(Tenant).where(Tenant.id == business.id).values(status=status)
        )


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [("suspended", 403, "is not available at present"), ("closed", 410, "has closed its page")],
)
@pytest.mark.parametrize("path", ["/b/lotus", "/app/lotus/today", "/app/lotus/settings"])
async def test_a_business_that_is_out_of_reach_has_one_calm_page(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    status: str,
    code: int,
    words: str,
    path: str,
) -> None:
    await set_status(services, lotus, status)
    shown = await client.get(path)
    assert shown.status_code == code
    assert words in shown.text
    assert "You work here" not in shown.text
    assert shown.headers["cache-control"] == "no-store"


async def test_its_staff_is_told_that_nothing_is_lost(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, lotus.owner.id)
    await set_status(services, lotus, "suspended")
    shown = await client.get("/app/lotus/today")
    assert shown.status_code == 403
    assert "nothing has been deleted" in shown.text
    assert f"Write to us at {parseaddr(services.settings.mail_from)[1]} " in shown.text


async def test_a_paused_business_is_still_seen(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await set_status(services, lotus, "paused")
    assert (await client.get("/b/lotus")).status_code == 200


async def test_a_key_of_a_business_out_of_reach_opens_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        key = await create_api_key(uow, lotus.ctx, "Website")
    program = {"authorization": f"Bearer {key.plain}"}
    assert (await client.get("/api/v1/services", headers=program)).status_code == 200
    await set_status(services, lotus, "suspended")
    refused = await client.get("/api/v1/services", headers=program)
    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("application/problem+json")


async def test_an_old_or_capital_slug_leads_on_with_path_query_and_body(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    async with services.uow_factory(None) as uow:
        uow.session.add(
            TenantSlug(slug="old-lotus", tenant_id=lotus.id, created_at=uow.clock.now())
        )
    shown = await client.get("/b/Lotus?when=soon", follow_redirects=False)
    assert (shown.status_code, shown.headers["location"]) == (301, "/b/lotus?when=soon")
    assert shown.headers["cache-control"] == "no-store"
    token = TOKEN.search((await client.get("/sign-in")).text)
    assert token is not None
    form = {"_csrf_token": token[1]}
    posted = await client.post("/app/old-lotus/settings", data=form, follow_redirects=False)
    assert (posted.status_code, posted.headers["location"]) == (308, "/app/lotus/settings")


@pytest.mark.parametrize("tail", ["%E2%82%AC", "a%0d%0aset-cookie:x=y", "a%2Fb%3Fc", "%5C%5Cevil"])
async def test_whatever_the_rest_of_the_address_the_way_on_is_one_header(
    client: AsyncClient, lotus: Business, tail: str
) -> None:
    moved = await client.get(f"/b/Lotus/{tail}", follow_redirects=False)
    assert moved.status_code in (301, 404)
    if moved.status_code == 301:
        assert moved.headers["location"].startswith("/b/lotus/")
        assert moved.headers["location"].isascii()
        assert "\n" not in moved.headers["location"]
        assert "x=y" not in moved.headers.get("set-cookie", "")


async def test_a_business_that_never_was_is_not_found(client: AsyncClient) -> None:
    for path in ("/b/never-was", "/app/never-was/today"):
        assert (await client.get(path)).status_code == 404


async def test_whoever_is_no_member_finds_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await a_business(services.uow_factory, "rival", owner="Eve")
    carl = await a_user(services.uow_factory, "Carl")
    await sign_in(client, services, carl.id)
    assert (await client.get("/app/lotus/today")).status_code == 404
    assert (await client.get("/b/lotus")).status_code == 200


async def test_a_member_who_was_let_go_is_out_at_once(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    await sign_in(client, services, mia.user_id)
    assert (await client.get("/app/lotus/settings")).status_code == 200
    async with services.uow_factory(None) as uow:
        await uow.session.execute(delete(Member).where(Member.user_id == mia.user_id))
    assert (await client.get("/app/lotus/settings")).status_code == 404


async def test_a_session_of_a_user_who_is_gone_is_nobodys(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, new_id())
    for path in ("/app", "/app/lotus/today", "/account"):
        shown = await client.get(path, follow_redirects=False)
        assert shown.status_code == 303
        assert shown.headers["location"].startswith("/sign-in")


async def test_guests_pages_never_ask_for_a_session(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, lotus.owner.id)
    shown = await client.get("/b/lotus")
    assert "no-store" not in shown.headers["cache-control"]
