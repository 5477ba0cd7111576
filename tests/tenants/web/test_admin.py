"""The platform admin's desk."""

from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.entitlements import AddGrant, add_grant
from src.tenants.commands.plan_requests import RequestPlan, request_plan
from src.tenants.context import RequestContext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature, Limit
from src.tenants.domain.roles import TenantStatus
from src.tenants.gates import price_list
from src.tenants.models import BookingCounter, EntitlementGrant, PlanRequest
from src.tenants.queries import consequences
from src.tenants.queries.plans import find_plan
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.visitor import as_read
from tests.tenants.plan_support import a_trying_business, an_admin, now_of, version_of
from tests.tenants.web.signed_in import sign_in, submit

pytestmark = pytest.mark.anyio

EDIT = "/admin/plans/growth/edit"
PLAN_FIELDS: dict[str, object] = {
    "based_on_version": "1",
    "name": "Growth",
    "summary": "For studios and schools with classes, courses and packages.",
    "visibility": "public",
    "monthly": "59",
    "yearly": "590.00",
    "trial_days": "14",
    "features": ["series", "group_services"],
    "bookings_per_month": "1200",
    "members": "",
}


@pytest.fixture(autouse=True)
def _fresh_price_list() -> None:
    price_list.forget()


@pytest.fixture
async def ada(client: AsyncClient, services: Services) -> RequestContext:
    """A platform admin, signed in."""
    context = await an_admin(services.uow_factory)
    await sign_in(client, services, context.user_id)
    return context


async def ask(services: Services, business: Business, plan: str) -> UUID:
    async with services.uow_factory(business.id) as uow:
        return await request_plan(
            uow, business.ctx, RequestPlan(plan_key=plan, wanted_for="Series")
        )


async def request_states(uow_factory: UowFactory) -> list[str]:
    async with uow_factory(None) as uow:
        return list(await uow.session.scalars(select(PlanRequest.state)))


@pytest.mark.parametrize(
    "path",
    [
        "/admin",
        "/admin/plans",
        "/admin/plans/free",
        "/admin/plans/free/edit",
        "/admin/tenants",
        "/admin/requests",
        "/admin/audit",
    ],
)
async def test_the_desk_is_for_platform_admins_only(
    client: AsyncClient, services: Services, path: str
) -> None:
    assert (await client.get(path)).headers["location"].startswith("/sign-in")
    lotus = await a_business(services.uow_factory)
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get(path)).status_code == 404
    ada = await an_admin(services.uow_factory)
    await sign_in(client, services, ada.user_id)
    assert (await client.get(path)).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_the_first_page_counts_what_matters(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    lotus = await a_trying_business(services.uow_factory, clock.now() + timedelta(days=3))
    await a_business(services.uow_factory, "tennis", owner="Eve", status="suspended")
    await ask(services, lotus, "growth")
    shown = (await client.get("/admin")).text
    assert "1 request waits for an answer" in shown
    assert "1 is suspended" in shown
    assert "1 ends within a week" in shown


@pytest.mark.usefixtures("ada")
async def test_moments_are_said_with_the_zone_of_their_clock(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    """Users have no zone of their own: many businesses' are told in UTC, one's on its own clock."""
    lotus = await a_trying_business(services.uow_factory, clock.now() + timedelta(days=3))
    await ask(services, lotus, "growth")
    assert "since Mon, Mar 1, 2027, 9:00\u202fAM UTC." in (await client.get("/admin")).text
    inbox = (await client.get("/admin/requests")).text
    assert "All times are in UTC." in inbox
    assert "Mon, Mar 1, 2027, 9:00\u202fAM" in inbox
    base = f"/admin/tenants/{lotus.id}"
    for path in (base, f"{base}/move"):
        shown = (await client.get(path)).text
        assert "Thu, Mar 4, 2027, 10:00\u202fAM" in shown
        assert "All times are in Europe/Amsterdam." in shown


@pytest.mark.usefixtures("ada")
async def test_businesses_are_found_by_name_member_plan_and_status(
    client: AsyncClient, services: Services
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, "lotus", plan="starter")
    await a_business(factory, "tennis", plan="growth", owner="Eve")
    await a_business(factory, "rowing", plan="growth", owner="Nora", status="paused")
    async with factory(lotus.id) as uow:
        uow.session.add(
            BookingCounter(tenant_id=lotus.id, month="2027-03", taken=171, warned_percent=0)
        )
    everything = (await client.get("/admin/tenants")).text
    assert all(name in everything for name in ("Lotus", "Tennis", "Rowing"))
    assert "171 of 200" in everything
    for query, found in (
        ("text=LOT", ["Lotus"]),
        ("text=eve@", ["Tennis"]),
        ("text=%25", []),
        ("plan=growth", ["Tennis", "Rowing"]),
        ("status=paused", ["Rowing"]),
        ("plan=growth&status=active", ["Tennis"]),
        ("page=0", ["Lotus", "Tennis", "Rowing"]),
    ):
        shown = (await client.get(f"/admin/tenants?{query}")).text
        names = [name for name in ("Lotus", "Tennis", "Rowing") if f">{name}<" in shown]
        assert names == found, query


@pytest.mark.usefixtures("ada")
async def test_months_of_usage_are_named_in_words(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    async with services.uow_factory(lotus.id) as uow:
        uow.session.add(BookingCounter(tenant_id=lotus.id, month="2026-11", taken=7))
    shown = (await client.get(f"/admin/tenants/{lotus.id}")).text
    assert "<span>November 2026</span>" in shown
    assert "2026-11" not in shown


@pytest.mark.usefixtures("ada")
async def test_a_long_list_has_pages(client: AsyncClient, services: Services) -> None:
    for number in range(27):
        await a_business(services.uow_factory, f"place-{number}", owner=f"Owner{number}")
    first = (await client.get("/admin/tenants")).text
    assert "1 to 25 of 27" in first
    second = (await client.get("/admin/tenants?page=2")).text
    assert "26 to 27 of 27" in second


@pytest.mark.usefixtures("ada")
async def test_an_edit_is_shown_first_and_then_made(
    client: AsyncClient, services: Services
) -> None:
    await a_business(services.uow_factory, plan="growth")
    review = await submit(client, EDIT, **PLAN_FIELDS, step="review")
    assert review.status_code == 200
    assert "This becomes version 2" in review.text
    assert "€49.00 → €59.00" in review.text
    assert "1 business is on this plan and stays on its version" in review.text
    async with services.uow_factory(None) as uow:
        plan = await find_plan(uow, "growth")
    assert plan is not None
    assert plan.version == 1
    saved = await submit(client, EDIT, **PLAN_FIELDS, step="save")
    assert saved.headers["location"] == "/admin/plans/growth"
    history = (await client.get("/admin/plans/growth")).text
    assert "Saved as version 2." in history
    assert "€59.00" in history


@pytest.mark.usefixtures("ada")
async def test_going_back_from_the_review_keeps_what_was_typed(client: AsyncClient) -> None:
    back = await submit(client, EDIT, **PLAN_FIELDS, step="edit")
    assert 'value="590.00"' in back.text
    assert "Review the changes" in back.text


@pytest.mark.usefixtures("ada")
async def test_every_wrong_field_of_a_plan_is_said_at_once(client: AsyncClient) -> None:
    wrong = {**PLAN_FIELDS, "name": "", "monthly": "5,9,9", "trial_days": "999"}
    answer = await submit(client, EDIT, **wrong, step="review")
    assert answer.status_code == 422
    assert 'id="f-name-error"' in answer.text
    assert 'id="f-monthly-error"' in answer.text
    assert 'id="f-trial_days-error"' in answer.text
    assert 'value="5,9,9"' in answer.text


@pytest.mark.usefixtures("ada")
async def test_an_edit_of_an_older_state_is_sent_back(client: AsyncClient) -> None:
    await submit(client, EDIT, **PLAN_FIELDS, step="save")
    late = await submit(client, EDIT, **{**PLAN_FIELDS, "monthly": "69"}, step="save")
    assert late.headers["location"] == EDIT
    assert "Someone else has changed this plan" in (await client.get(EDIT)).text


@pytest.mark.usefixtures("ada")
async def test_a_move_is_shown_first_with_what_follows(
    client: AsyncClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def probe(uow: object, change: object, now: object) -> list[Consequence]:
        return [Consequence(weight=Weight.KEEPS, text="41 bookings still run.")]

    monkeypatch.setattr(consequences, "_probes", {})
    consequences.register_downgrade_probe("test", probe)
    lotus = await a_business(services.uow_factory, plan="growth")
    shown = (await client.get(f"/admin/tenants/{lotus.id}/move?plan=free")).text
    assert "It loses" in shown
    assert "41 bookings still run." in shown
    assert "olive@lotus.example" in as_read(shown)


async def test_move_and_close(client: AsyncClient, services: Services, ada: RequestContext) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await ask(services, lotus, "growth")
    inbox = (await client.get("/admin/requests")).text
    assert f"/admin/tenants/{lotus.id}/move?plan=growth" in inbox
    moved = await submit(
        client,
        f"/admin/tenants/{lotus.id}/move",
        f"/admin/tenants/{lotus.id}/move?plan=growth",
        version_id=str(await version_of(services.uow_factory, "growth")),
        expected_version_id=str(await version_of(services.uow_factory, "free")),
        note="As asked.",
    )
    assert moved.headers["location"] == f"/admin/tenants/{lotus.id}"
    assert (await now_of(services.uow_factory, lotus)).entitlements.plan_name == "Growth"
    assert await request_states(services.uow_factory) == ["done"]
    assert "Nobody waits" in (await client.get("/admin/requests")).text
    log = (await client.get("/admin/audit")).text
    assert "Moved a business to a plan" in log
    assert "from_version" not in log


@pytest.mark.usefixtures("ada")
async def test_a_request_is_declined_with_words(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    request_id = await ask(services, lotus, "growth")
    path = f"/admin/requests/{request_id}/decline"
    declined = await submit(client, path, answer="Please call us first.")
    assert declined.headers["location"] == "/admin/requests"
    assert await request_states(services.uow_factory) == ["declined"]
    assert "Lotus" in (await client.get("/admin/requests?state=declined")).text


@pytest.mark.usefixtures("ada")
async def test_an_override_is_given_and_taken_back(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    base = f"/admin/tenants/{lotus.id}"
    given = await submit(
        client,
        f"{base}/grants/new",
        what="limit:bookings_per_month",
        value="90",
        ends_on="2027-03-31",
        note="A busy month.",
    )
    assert given.headers["location"] == base
    after = (await now_of(services.uow_factory, lotus)).entitlements
    assert after.limit(Limit.BOOKINGS_PER_MONTH) == 90
    async with services.uow_factory(lotus.id) as uow:
        grant = (await uow.session.scalars(select(EntitlementGrant))).one()
    assert grant.ends_at is not None
    assert grant.ends_at.isoformat() == "2027-03-31T21:59:59+00:00"
    assert "A busy month." in (await client.get(base)).text
    remove = f"{base}/grants/{grant.id}/remove"
    assert "Bookings a month: 90 now, 30 then" in (await client.get(remove)).text
    await submit(client, remove)
    after = (await now_of(services.uow_factory, lotus)).entitlements
    assert after.limit(Limit.BOOKINGS_PER_MONTH) == 30


@pytest.mark.usefixtures("ada")
async def test_an_override_of_nothing_keeps_what_was_typed(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    path = f"/admin/tenants/{lotus.id}/grants/new"
    answer = await submit(client, path, what="feature:flying", ends_on="2020-01-01", note="Hm.")
    assert answer.status_code == 422
    assert "Please choose one feature or one limit." in answer.text
    assert "This has passed already." in answer.text
    assert "Hm." in answer.text


async def test_an_override_of_another_business_is_not_there(
    client: AsyncClient, services: Services, ada: RequestContext
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, plan="free")
    tennis = await a_business(factory, "tennis", owner="Eve")
    async with factory(lotus.id) as uow:
        cmd = AddGrant(tenant_id=lotus.id, feature=Feature.SERIES, note="A pilot.")
        grant_id = await add_grant(uow, ada, cmd)
    path = f"/admin/tenants/{tennis.id}/grants/{grant_id}/remove"
    assert (await client.get(path)).status_code == 404


@pytest.mark.usefixtures("ada")
async def test_a_business_is_suspended_with_a_reason(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    path = f"/admin/tenants/{lotus.id}/status"
    question = f"{path}?to=suspended"
    fields = {"status": "suspended", "expected": "active"}
    assert (await submit(client, path, question, **fields, reason=" ")).status_code == 422
    await submit(client, path, question, **fields, reason="Spam.")
    assert (await now_of(services.uow_factory, lotus)).status is TenantStatus.SUSPENDED
    again = await submit(client, path, f"{path}?to=active", **fields, reason="Spam.")
    assert again.headers["location"] == f"/admin/tenants/{lotus.id}"
    assert (
        "Someone else has changed this business"
        in (await client.get(f"/admin/tenants/{lotus.id}")).text
    )


@pytest.mark.usefixtures("ada")
async def test_what_is_not_there_is_not_found(client: AsyncClient) -> None:
    nothing = new_id()
    for path in (
        "/admin/plans/nonsense",
        f"/admin/tenants/{nothing}",
        f"/admin/tenants/{nothing}/move",
        f"/admin/tenants/{nothing}/status?to=suspended",
        f"/admin/tenants/{nothing}/grants/new",
        f"/admin/requests/{nothing}/decline",
    ):
        assert (await client.get(path)).status_code == 404, path
