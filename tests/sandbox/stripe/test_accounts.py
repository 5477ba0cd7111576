from typing import Any

import httpx
import pytest
import stripe

from src.sandbox.stripe import Running
from tests.sandbox.stripe.conftest import Shop

pytestmark = pytest.mark.anyio

RETURN_URL = "http://127.0.0.1/app/return"
REFRESH_URL = "http://127.0.0.1/app/refresh"


async def new_account(client: stripe.StripeClient, **params: Any) -> Any:
    given: Any = {"type": "express", "country": "PL", "email": "olive@example.com"} | params
    return await client.v1.accounts.create_async(given)


async def new_link(client: stripe.StripeClient, account: str) -> str:
    link = await client.v1.account_links.create_async(
        {
            "account": account,
            "type": "account_onboarding",
            "return_url": RETURN_URL,
            "refresh_url": REFRESH_URL,
        }
    )
    return link.url


async def press(running: Running, url: str, decision: str) -> httpx.Response:
    return await running.http.post(url, data={"decision": decision})


async def test_a_new_account_may_not_charge(client: stripe.StripeClient) -> None:
    account = await new_account(client, business_profile={"name": "Yoga Loft"})
    assert (account.charges_enabled, account.details_submitted) == (False, False)
    assert (account.country, account.default_currency) == ("PL", "pln")
    order: Any = {
        "mode": "payment",
        "success_url": "http://127.0.0.1/",
        "line_items": [
            {
                "price_data": {
                    "currency": "pln",
                    "unit_amount": 5000,
                    "product_data": {"name": "Yoga"},
                },
                "quantity": 1,
            }
        ],
    }
    with pytest.raises(stripe.InvalidRequestError, match="cannot currently make charges"):
        await client.v1.checkout.sessions.create_async(order, {"stripe_account": account.id})


@pytest.mark.parametrize(
    "controller",
    [
        {"stripe_dashboard": {"type": "express"}, "fees": {"payer": "application"}},
        {"requirement_collection": "stripe", "losses": {"payments": "stripe"}},
    ],
)
async def test_an_account_can_be_made_by_controller(
    client: stripe.StripeClient, controller: Any
) -> None:
    account = await client.v1.accounts.create_async(
        {"controller": controller, "capabilities": {"card_payments": {"requested": True}}}
    )
    assert account.type == "none"
    assert account.capabilities is not None
    assert account.capabilities.card_payments == "inactive"


async def test_finishing_onboarding_opens_the_account(
    running: Running, client: stripe.StripeClient, receiver: Any
) -> None:
    account = await new_account(client)
    url = await new_link(client, account.id)
    page = await running.http.get(url)
    assert page.status_code == 200
    assert "Finish onboarding" in page.text
    done = await press(running, url, "finish")
    assert (done.status_code, done.headers["location"]) == (303, RETURN_URL)
    found = await client.v1.accounts.retrieve_async(account.id)
    assert (found.charges_enabled, found.payouts_enabled, found.details_submitted) == (
        True,
        True,
        True,
    )
    await running.turn("flush")
    event = receiver.events[-1]
    assert (event["type"], event["account"]) == ("account.updated", account.id)
    assert event["data"]["previous_attributes"]["charges_enabled"] is False
    assert receiver.paths == ["/connect"]


async def test_leaving_unfinished_changes_nothing(
    running: Running, client: stripe.StripeClient
) -> None:
    account = await new_account(client)
    left = await press(running, await new_link(client, account.id), "leave")
    assert left.headers["location"] == RETURN_URL
    assert not (await client.v1.accounts.retrieve_async(account.id)).charges_enabled


async def test_a_link_works_once_and_not_for_long(
    running: Running, client: stripe.StripeClient
) -> None:
    account = await new_account(client)
    used = await new_link(client, account.id)
    await press(running, used, "leave")
    old = await new_link(client, account.id)
    await running.turn("clock", advance_seconds=301)
    for url in (used, old):
        seen, pressed = await running.http.get(url), await press(running, url, "finish")
        assert seen.headers["location"] == pressed.headers["location"] == REFRESH_URL
    assert not (await client.v1.accounts.retrieve_async(account.id)).charges_enabled
    assert (await running.http.get(old[:-3] + "xyz")).status_code == 404


async def test_a_link_needs_its_account_and_both_addresses(client: stripe.StripeClient) -> None:
    account = await new_account(client)
    for wrong in ({"account": "acct_elsewhere"}, {"return_url": "nowhere"}):
        params: Any = {
            "account": account.id,
            "type": "account_onboarding",
            "return_url": RETURN_URL,
            "refresh_url": REFRESH_URL,
        }
        with pytest.raises((stripe.InvalidRequestError, stripe.PermissionError)):
            await client.v1.account_links.create_async(params | wrong)


async def test_an_account_can_be_restricted_and_opened_again(shop: Shop) -> None:
    await shop.running.turn("account", account=shop.account, charges_enabled=False)
    with pytest.raises(stripe.InvalidRequestError, match="cannot currently make charges"):
        await shop.open_page()
    await shop.running.turn("account", account=shop.account)
    assert (await shop.open_page()).status == "open"


async def test_a_disconnected_account_is_out_of_reach(shop: Shop) -> None:
    session = await shop.paid_page()
    await shop.running.turn("deauthorize", account=shop.account)
    with pytest.raises(stripe.PermissionError):
        await shop.session(session.id)
    with pytest.raises(stripe.PermissionError):
        await shop.client.v1.accounts.retrieve_async(shop.account)
    await shop.running.turn("flush")
    event = shop.receiver.events[-1]
    assert event["type"] == "account.application.deauthorized"
    assert (event["account"], shop.receiver.paths[-1]) == (shop.account, "/connect")


async def test_the_platform_can_disconnect_too(shop: Shop) -> None:
    form = {"client_id": "ca_1", "stripe_user_id": shop.account}
    done = await shop.running.http.post("/oauth/deauthorize", data=form)
    assert done.json() == {"stripe_user_id": shop.account}
    assert (await shop.running.http.post("/oauth/deauthorize", data=form)).status_code == 401


async def test_accounts_are_listed_changed_and_deleted(shop: Shop) -> None:
    accounts = shop.client.v1.accounts
    changed = await accounts.update_async(
        shop.account, {"business_profile": {"name": "Loft"}, "metadata": {"tenant": "t1"}}
    )
    assert changed.business_profile is not None
    assert changed.business_profile.name == "Loft"
    assert [found.id for found in (await accounts.list_async()).data] == [shop.account]
    own = await accounts.retrieve_current_async(None, shop.on)
    assert own.id == shop.account
    assert (await accounts.delete_async(shop.account)).deleted
    with pytest.raises(stripe.PermissionError):
        await shop.open_page()
