"""The platform admin's desk: bolt-ons, who has them, and giving and taking them."""

import pytest
from httpx import AsyncClient

from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.context import RequestContext
from src.tenants.domain.entitlements import Feature
from src.tenants.gates import price_list
from tests.support.builders import a_business
from tests.tenants.bolt_on_support import (
    MORE,
    REFUNDS,
    ask_for,
    bolt_on_of,
    given,
    holdings,
    request_states,
)
from tests.tenants.plan_support import an_admin, now_of
from tests.tenants.web.signed_in import sign_in, submit
from tests.tenants.web.test_bolt_on_page import HELD, words

pytestmark = pytest.mark.anyio

EDIT = f"/admin/bolt-ons/{MORE}/edit"
FIELDS: dict[str, object] = {
    "based_on_version": "1",
    "name": "+100 bookings a month",
    "summary": "For when the month runs out before it ends, but the plan fits otherwise.",
    "visibility": "public",
    "active": "on",
    "monthly": "12",
    "yearly": "120.00",
    "features": [],
    "bookings_per_month": "150",
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


@pytest.mark.parametrize("path", ["/admin/bolt-ons", f"/admin/bolt-ons/{MORE}", EDIT])
async def test_the_pages_are_for_platform_admins_only(
    client: AsyncClient, services: Services, path: str
) -> None:
    lotus = await a_business(services.uow_factory)
    await sign_in(client, services, lotus.owner.id)
    assert (await client.get(path)).status_code == 404
    ada = await an_admin(services.uow_factory)
    await sign_in(client, services, ada.user_id)
    assert (await client.get(path)).status_code == 200


async def test_the_list_says_who_has_what(
    client: AsyncClient, services: Services, ada: RequestContext
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, plan="growth")
    await a_business(factory, "tennis", plan="growth", owner="Eve")
    await given(factory, ada, lotus, REFUNDS)
    shown = words((await client.get("/admin/bolt-ons")).text)
    assert "Auto-refund version 1 €9.00 €90.00 Auto-refund 1" in shown
    assert "100 more bookings a month 0" in shown
    detail = words((await client.get(f"/admin/bolt-ons/{REFUNDS}")).text)
    assert "Lotus Growth 1" in detail
    assert "Tennis" not in detail


async def test_an_edit_is_shown_first_and_then_made(
    client: AsyncClient, services: Services, ada: RequestContext
) -> None:
    lotus = await a_business(services.uow_factory, plan="free")
    await given(services.uow_factory, ada, lotus, MORE)
    review = await submit(client, EDIT, **FIELDS, step="review")
    assert review.status_code == 200
    said = words(review.text)
    assert "This becomes version 2" in said
    assert "€9.00 → €12.00" in said
    assert "100 more bookings a month → 150 more bookings a month" in said
    assert "1 business has it and keeps its version" in said
    assert (await bolt_on_of(services.uow_factory, MORE)).version == 1
    saved = await submit(client, EDIT, **FIELDS, step="save")
    assert saved.headers["location"] == f"/admin/bolt-ons/{MORE}"
    assert "Saved as version 2." in words((await client.get(f"/admin/bolt-ons/{MORE}")).text)
    assert "1 on older versions" in words((await client.get("/admin/bolt-ons")).text)
    tenant = words((await client.get(f"/admin/tenants/{lotus.id}")).text)
    assert "version 1, 2 is offered now" in tenant
    late = await submit(client, EDIT, **{**FIELDS, "monthly": "14"}, step="save")
    assert late.headers["location"] == EDIT
    log = words((await client.get("/admin/audit")).text)
    assert "Edited a bolt-on" in log
    assert "Added a bolt-on to a business" in log


@pytest.mark.usefixtures("ada")
async def test_every_wrong_field_is_said_at_once_and_kept(client: AsyncClient) -> None:
    wrong = {**FIELDS, "name": "", "monthly": "1,2,3", "bookings_per_month": "0"}
    answer = await submit(client, EDIT, **wrong, step="review")
    assert answer.status_code == 422
    for field in ("name", "monthly", "bookings_per_month"):
        assert f'id="f-{field}-error"' in answer.text, field
    assert 'value="1,2,3"' in answer.text
    nothing = await submit(client, EDIT, **{**FIELDS, "bookings_per_month": ""}, step="save")
    assert nothing.status_code == 422
    assert "Please choose a feature, or a limit that it raises." in nothing.text


@pytest.mark.usefixtures("ada")
async def test_a_request_is_answered_by_giving(client: AsyncClient, services: Services) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, plan="growth")
    await ask_for(factory, lotus, REFUNDS)
    assert "1 request waits for an answer" in words((await client.get("/admin")).text)
    give = f"/admin/tenants/{lotus.id}/bolt-ons/{REFUNDS}/give"
    inbox = (await client.get("/admin/requests")).text
    assert give in inbox
    assert "Auto-refund" in inbox
    preview = words((await client.get(give)).text)
    assert "It gains Auto-refund" in preview
    assert "Together a month €49.00 until now, then €58.00" in preview
    assert "Mail to olive@lotus.example" in preview
    assert "its open request for this bolt-on is done with it" in preview
    version_id = str((await bolt_on_of(factory, REFUNDS)).version_id)
    made = await submit(client, give, version_id=version_id, note="As asked.")
    assert made.headers["location"] == f"/admin/tenants/{lotus.id}"
    assert (await now_of(factory, lotus)).entitlements.has(Feature.AUTO_REFUND)
    assert await request_states(factory) == ["done"]
    again = await client.get(give)
    assert again.headers["location"] == f"/admin/tenants/{lotus.id}"
    tenant = words((await client.get(f"/admin/tenants/{lotus.id}")).text)
    assert "The business has this bolt-on already." in tenant
    assert "As asked." in tenant
    done = words((await client.get("/admin/requests?state=done")).text)
    assert "Lotus on Growth now Auto-refund bolt-on" in done


@pytest.mark.usefixtures("ada")
async def test_a_request_is_declined_with_words(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory, plan="growth")
    request_id = await ask_for(services.uow_factory, lotus, REFUNDS)
    path = f"/admin/requests/{request_id}/decline"
    assert "It asks for Auto-refund and is on Growth." in words((await client.get(path)).text)
    await submit(client, path, answer="Please call us first.")
    assert await request_states(services.uow_factory) == ["declined"]
    assert await holdings(services.uow_factory, lotus) == []


async def test_an_admin_takes_it_with_what_follows_said_first(
    client: AsyncClient, services: Services, ada: RequestContext
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, plan="growth")
    await given(factory, ada, lotus, REFUNDS)
    remove = f"/admin/tenants/{lotus.id}/bolt-ons/{REFUNDS}/remove"
    asked = await client.get(remove)
    assert "It loses Auto-refund" in words(asked.text)
    held = HELD.search(asked.text)
    assert held is not None
    await submit(client, remove, held_id=held[1], note="Unpaid.")
    assert not (await now_of(factory, lotus)).entitlements.has(Feature.AUTO_REFUND)
    again = await client.get(remove)
    assert again.headers["location"] == f"/admin/tenants/{lotus.id}"


@pytest.mark.usefixtures("ada")
async def test_a_version_that_was_edited_meanwhile_is_not_given(
    client: AsyncClient, services: Services
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory, plan="free")
    looked_at = str((await bolt_on_of(factory, MORE)).version_id)
    await submit(client, EDIT, **FIELDS, step="save")
    give = f"/admin/tenants/{lotus.id}/bolt-ons/{MORE}/give"
    await submit(client, give, version_id=looked_at)
    assert await holdings(factory, lotus) == []
    tenant = words((await client.get(f"/admin/tenants/{lotus.id}")).text)
    assert "Someone else has changed this bolt-on" in tenant


@pytest.mark.usefixtures("ada")
async def test_what_is_not_there_is_not_found(client: AsyncClient, services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    for path in (
        "/admin/bolt-ons/nonsense",
        "/admin/bolt-ons/nonsense/edit",
        f"/admin/tenants/{lotus.id}/bolt-ons/nonsense/give",
        f"/admin/tenants/{new_id()}/bolt-ons/{MORE}/give",
        f"/admin/tenants/{new_id()}/bolt-ons/{MORE}/remove",
    ):
        assert (await client.get(path)).status_code == 404, path
