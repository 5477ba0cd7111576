import pytest
from sqlalchemy import select

from src.billing.models import ConnectedAccount
from src.tenants.domain.roles import Role
from src.tenants.models import Tenant
from tests.billing.web.conftest import Desk
from tests.support.builders import a_business, a_member

pytestmark = pytest.mark.anyio


async def newcomer(desk: Desk) -> None:
    """Another business, which has no account yet."""
    made = await a_business(
        desk.till.services.uow_factory, "quay", owner="Eve", payments_ready=False, currency="EUR"
    )
    desk.business = made
    await desk.enter(made.owner.id)


async def account(desk: Desk) -> ConnectedAccount | None:
    async with desk.till.services.uow_factory(None) as uow:
        found: ConnectedAccount | None = await uow.session.scalar(
            select(ConnectedAccount).where(ConnectedAccount.tenant_id == desk.business.id)
        )
        return found


async def ready(desk: Desk) -> bool:
    async with desk.till.services.uow_factory(None) as uow:
        found = await uow.session.scalar(
            select(Tenant.payments_ready).where(Tenant.id == desk.business.id)
        )
    return bool(found)


async def press_connect(desk: Desk) -> str:
    """Presses the button and returns where it leads, without going there."""
    client = desk.visitor.client
    shown = await desk.visitor.open("/app/quay/payments")
    from tests.support.visitor import forms_of

    form = next(f for f in forms_of(shown) if f.action.endswith("/connect"))
    answer = await client.post(form.action, data=form.fields)
    assert answer.status_code == 303
    return answer.headers["location"]


async def test_a_business_connects_and_comes_back_ready(desk: Desk) -> None:
    await newcomer(desk)
    leads_to = await press_connect(desk)
    assert leads_to.startswith(desk.till.stripe.base_url)
    made = await account(desk)
    assert made is not None
    assert not made.charges_enabled
    await desk.visitor.open("/app/quay/payments/return")
    assert "still needs something" in desk.visitor.text
    assert not await ready(desk)
    await desk.till.stripe.turn("account", account=made.account_id)
    await desk.visitor.open("/app/quay/payments/return")
    assert "You can take payments" in desk.visitor.text
    assert await ready(desk)


async def test_the_same_account_is_used_however_often_the_button_is_pressed(desk: Desk) -> None:
    await newcomer(desk)
    await press_connect(desk)
    first = await account(desk)
    await press_connect(desk)
    again = await account(desk)
    assert first is not None
    assert again is not None
    assert first.account_id == again.account_id


@pytest.mark.slow
async def test_a_lost_answer_does_not_make_two_accounts(desk: Desk) -> None:
    await newcomer(desk)
    await desk.till.stripe.turn("api_faults", kind="timeout_after", path_contains="/v1/accounts")
    with desk.till.impatient():
        assert await press_connect(desk) == "/app/quay/payments"
    await desk.visitor.open("/app/quay/payments")
    assert "does not answer" in desk.visitor.text
    await press_connect(desk)
    made = await account(desk)
    assert made is not None
    named = desk.till.stripe.engine.store.totals(
        "SELECT count(*) FROM objects WHERE kind = 'account'"
        f" AND json_extract(body, '$.metadata.tenant_id') = '{desk.business.id}'"
    )
    assert named == [(1,)]


async def test_a_refusal_is_told(desk: Desk) -> None:
    await newcomer(desk)
    await desk.till.stripe.turn(
        "api_faults",
        kind="refuse",
        path_contains="/v1/accounts",
        error={"message": "NL is not supported."},
    )
    assert await press_connect(desk) == "/app/quay/payments"
    await desk.visitor.open("/app/quay/payments")
    assert "NL is not supported." in desk.visitor.text


async def test_a_disconnected_business_gets_a_new_account(desk: Desk) -> None:
    await newcomer(desk)
    await press_connect(desk)
    first = await account(desk)
    assert first is not None
    from src.billing.commands.connect import disconnect_account

    async with desk.till.services.uow_factory(desk.business.id) as uow:
        await disconnect_account(uow, first.account_id)
    await desk.visitor.open("/app/quay/payments")
    assert "was disconnected" in desk.visitor.text
    await press_connect(desk)
    second = await account(desk)
    assert second is not None
    assert second.account_id != first.account_id
    assert second.disconnected_at is None


async def test_a_used_up_link_is_replaced(desk: Desk) -> None:
    await newcomer(desk)
    await press_connect(desk)
    answer = await desk.visitor.client.get("/app/quay/payments/refresh")
    assert answer.headers["location"].startswith(desk.till.stripe.base_url)


async def test_a_ready_business_sees_so(desk: Desk) -> None:
    await desk.visitor.open("/app/harbour/payments")
    assert "You can take payments" in desk.visitor.text
    assert desk.till.account_id in desk.visitor.text
    await desk.visitor.submit(to="/check")
    assert "You can take payments now." in desk.visitor.text


async def test_only_owners_decide_about_payouts(desk: Desk) -> None:
    mia = await a_member(desk.till.services.uow_factory, desk.business, "Mia", Role.MANAGER)
    await desk.enter(mia.user_id)
    await desk.visitor.open("/app/harbour/payments", status=403)
