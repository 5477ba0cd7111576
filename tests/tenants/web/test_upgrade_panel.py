"""What stands where the plan says no: for a member, for a guest, for a program."""

from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient
from litestar import get, post
from litestar.di import NamedDependency

from src.platform.services import Services
from src.platform.web.formats import date_medium
from src.tenants.commands.api_keys import create_api_key
from src.tenants.commands.counters import claim_booking_unit
from src.tenants.commands.plan_requests import RequestPlan, request_plan
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.roles import Role
from src.tenants.gates import price_list
from src.tenants.models import BookingCounter
from src.tenants.web.guards import requires, requires_api_key, requires_member
from tests.support.builders import Business, a_business, a_member
from tests.support.shared_app import app_for
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

HTMX = {"HX-Request": "true"}


@get("/app/{slug:str}/gated", guards=[requires_member(), requires(Feature.SERIES)])
async def gated_page() -> str:
    return "the form"


@get("/app/{slug:str}/by-hand", guards=[requires_member()])
async def booked_by_staff(
    ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> str:
    return await _book(ctx, services)


@get("/b/{slug:str}/by-guest")
async def booked_by_guest(
    ctx: NamedDependency[RequestContext], services: NamedDependency[Services]
) -> str:
    return await _book(ctx, services)


@post(
    "/api/v1/gated",
    guards=[requires_api_key, requires(Feature.SERIES)],
    opt={"csrf_exempt": True},
)
async def gated_program() -> str:
    return "made"


async def _book(ctx: RequestContext, services: Services) -> str:
    async with services.uow_factory(ctx.here.id) as uow:
        return await claim_booking_unit(uow, ctx.here, services.clock.now())


@pytest.fixture
async def client(services: Services) -> AsyncIterator[AsyncClient]:
    """The real application with a few gated routes of our own."""
    price_list.forget()
    app = app_for(services, gated_page, booked_by_staff, booked_by_guest, gated_program)
    transport = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url="http://testserver.local") as browser:
        yield browser


async def use_up(services: Services, business: Business) -> None:
    async with services.uow_factory(business.id) as uow:
        uow.session.add(
            BookingCounter(tenant_id=business.id, month="2027-03", taken=30, warned_percent=100)
        )


@pytest.mark.slow
async def test_an_owner_gets_the_panel_in_place_of_the_form(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    await sign_in(client, services, lotus.owner.id)
    answer = await client.get("/app/lotus/gated")
    assert answer.status_code == 402
    assert "Series are not part of your plan." in answer.text
    assert "You are on Starter. The smallest plan for that is Growth." in answer.text
    assert "€49.00 a month" in answer.text
    assert 'name="plan" value="growth"' in " ".join(answer.text.split())
    assert "<html" in answer.text


async def test_htmx_gets_the_panel_alone(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    await sign_in(client, services, lotus.owner.id)
    answer = await client.get("/app/lotus/gated", headers=HTMX)
    assert answer.status_code == 402
    assert "Series are not part of your plan." in answer.text
    assert "<html" not in answer.text


async def test_once_it_is_asked_for_the_panel_says_when_instead(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    async with services.uow_factory(lotus.id) as uow:
        await request_plan(uow, lotus.ctx, RequestPlan(plan_key="growth"))
        asked_on = date_medium(uow.clock.now(), lotus.tenant.timezone)
    await sign_in(client, services, lotus.owner.id)
    for headers in ({}, HTMX):
        answer = await client.get("/app/lotus/gated", headers=headers)
        assert answer.status_code == 402
        assert f"Asked for on {asked_on}. We will be in touch by mail." in answer.text
        assert "Ask for this plan" not in answer.text


async def test_who_may_not_ask_gets_no_button(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    answer = await client.get("/app/lotus/gated")
    assert answer.status_code == 402
    assert "Ask for this plan" not in answer.text


async def test_the_plan_that_has_it_lets_through(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get("/app/lotus/gated")).text == "the form"


async def test_at_the_months_limit_staff_get_the_panel(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await use_up(services, lotus)
    await sign_in(client, services, lotus.owner.id)
    answer = await client.get("/app/lotus/by-hand")
    assert answer.status_code == 402
    assert "The bookings of your plan are used up for this month." in answer.text
    offer = "You are on Free. Add the bolt-on +100 bookings a month to it, for €9.00 a month."
    assert offer in answer.text
    assert 'action="/app/lotus/plan/bolt-ons/bookings_100"' in answer.text


@pytest.mark.parametrize("headers", [{}, HTMX])
async def test_at_the_months_limit_guests_read_nothing_of_plans(
    client: AsyncClient, services: Services, headers: dict[str, str]
) -> None:
    lotus = await a_business(services.uow_factory, plan="free", contact_email="hi@lotus.example")
    await use_up(services, lotus)
    answer = await client.get("/b/lotus/by-guest", headers=headers)
    assert answer.status_code == 409
    assert "This cannot be booked online at present." in answer.text
    assert "hi@lotus.example" in answer.text
    for word in ("Free", "Starter", "upgrade", "your plan"):
        assert word not in answer.text


async def test_an_owner_on_the_guests_page_reads_what_guests_read(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await use_up(services, lotus)
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get("/b/lotus/by-guest")).status_code == 409


async def test_a_program_gets_a_problem_document(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="starter")
    async with services.uow_factory(lotus.id) as uow:
        key = await create_api_key(uow, lotus.ctx, "till")
    answer = await client.post("/api/v1/gated", headers={"Authorization": f"Bearer {key.plain}"})
    assert answer.status_code == 402
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["feature"] == "series"
    assert problem["current_plan"] == "Starter"
    assert problem["cheapest_plan"] == "Growth"
    assert problem["cheapest_bolt_on"] is None
    assert problem["code"] == "plan_limit_reached"


async def test_a_guests_program_reads_nothing_of_plans(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await use_up(services, lotus)
    answer = await client.get("/b/lotus/by-guest", headers={"Accept": "application/json"})
    assert answer.json()["detail"].startswith("This cannot be booked online at present.")
    assert "current_plan" not in answer.json()
