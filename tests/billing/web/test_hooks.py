import json
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from src.billing.models import ConnectedAccount, DisputeRow, InboxEvent
from src.billing.open_item_words import open_item_sentence
from src.sandbox.stripe.webhooks import signature_header
from src.tenants.models import Tenant
from tests.billing.web.conftest import Wired

pytestmark = pytest.mark.anyio


def event(type_: str, **more: Any) -> dict[str, Any]:
    shape = {
        "id": "evt_1",
        "object": "event",
        "type": type_,
        "api_version": "2026-10-28.endive",
        "created": 1,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "data": {"object": {"id": "x_1", "object": "charge"}},
    }
    return shape | more


async def post(wired: Wired, body: dict[str, Any], secret: str, endpoint: str = "connect") -> Any:
    payload = json.dumps(body)
    header = signature_header(payload, secret, int(time.time()))
    return await wired.http.post(
        f"/hooks/stripe/{endpoint}",
        content=payload.encode(),
        headers={"stripe-signature": header, "content-type": "application/json"},
    )


async def inbox(wired: Wired) -> list[InboxEvent]:
    async with wired.till.services.uow_factory(None) as uow:
        found = await uow.session.scalars(select(InboxEvent).order_by(InboxEvent.received_at))
        return list(found)


async def test_a_guest_pays_and_the_event_confirms(wired: Wired) -> None:
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.pay(session_id)
    await wired.flush()
    assert (await wired.till.state(order_id)).state == "confirmed"
    outcomes = {row.type: row.outcome for row in await inbox(wired)}
    assert outcomes["checkout.session.completed"] == "paid"
    assert all(row.handled_at for row in await inbox(wired))


@pytest.mark.parametrize(
    "faults",
    [
        {"duplicate": 2},
        {"reorder": True},
        {"fail_first": 2},
        {"lose_answers": 2},
        {"duplicate": 1, "reorder": True, "lose_answers": 1},
    ],
)
async def test_events_that_misbehave_have_one_effect(wired: Wired, faults: dict[str, Any]) -> None:
    """Row 2-20: an event that came again took effect again."""
    await wired.till.stripe.turn("webhooks", **faults)
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.pay(session_id)
    for _ in range(2):
        await wired.flush()
    assert (await wired.till.state(order_id)).state == "confirmed"
    assert len(await wired.till.payments(order_id)) == 1
    assert wired.till.places.calls == ["confirm"]


async def test_an_expired_page_frees_the_place(wired: Wired) -> None:
    order_id, _session = await wired.till.order_with_page()
    wired.till.clock.advance(timedelta(minutes=32))
    await wired.till.stripe.turn("clock")
    await wired.flush()
    assert (await wired.till.state(order_id)).state == "expired"


async def test_a_bad_signature_is_refused_and_leaves_nothing(wired: Wired) -> None:
    """Row 2-20: a bad signature was a fault of the server."""
    answer = await post(wired, event("charge.refunded", account="acct_1"), "whsec_of_others")
    assert answer.status_code == 400
    assert "evt_1" not in {row.event_id for row in await inbox(wired)}
    unsigned = await wired.http.post("/hooks/stripe/connect", content=b"{}")
    assert unsigned.status_code == 400


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b"null", b"\xff\xfe"])
async def test_signed_rubbish_is_refused(wired: Wired, body: bytes) -> None:
    text = body.decode("latin-1")
    header = signature_header(text, "whsec_connect", int(time.time()))
    answer = await wired.http.post(
        "/hooks/stripe/connect",
        content=text.encode("latin-1"),
        headers={"stripe-signature": header},
    )
    assert answer.status_code == 400


async def test_a_type_that_nobody_waits_for_leaves_no_trace(wired: Wired) -> None:
    before = len(await inbox(wired))
    body = event("invoice.paid", account=wired.till.account_id)
    answer = await post(wired, body, "whsec_connect")
    assert (answer.status_code, answer.json()) == (200, {"outcome": "nothing to do"})
    assert len(await inbox(wired)) == before


async def test_a_foreign_account_is_stored_and_done_with(wired: Wired) -> None:
    """Row 2-12: an event that could change nothing was answered with an error."""
    answer = await post(wired, event("charge.refunded", account="acct_other"), "whsec_connect")
    assert answer.status_code == 200
    row = next(row for row in await inbox(wired) if row.event_id == "evt_1")
    assert row.outcome == "unknown account"


async def test_the_two_endpoints_have_their_own_secrets(wired: Wired) -> None:
    body = event("account.updated")
    assert (await post(wired, body, "whsec_connect", "platform")).status_code == 400
    assert (await post(wired, body, "whsec_platform", "platform")).status_code == 200
    row = next(row for row in await inbox(wired) if row.event_id == "evt_1")
    assert (row.endpoint, row.outcome) == ("platform", "nothing to do")


async def test_without_a_secret_there_is_no_endpoint(wired: Wired) -> None:
    settings = wired.till.services.settings
    msgspec.structs.force_setattr(settings, "stripe_connect_webhook_secret", "")
    answer = await post(wired, event("account.updated", account="a"), "")
    assert answer.status_code == 404


async def test_a_page_of_another_program_on_the_same_account_is_not_ours(wired: Wired) -> None:
    gateway_body = {
        "mode": "payment",
        "success_url": "http://elsewhere.example/",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "gbp",
                    "unit_amount": 900,
                    "product_data": {"name": "Tea"},
                },
            }
        ],
    }
    from src.billing.stripe_gateway import StripeGateway

    gateway = wired.till.services.port(StripeGateway)
    made = await gateway.create_checkout_page(wired.till.account_id, gateway_body, "tea")
    await wired.till.pay(made.id)
    await wired.flush()
    outcomes = {row.type: row.outcome for row in await inbox(wired)}
    assert outcomes["checkout.session.completed"] == "not ours"


async def test_money_that_goes_back_in_the_dashboard_is_seen(wired: Wired) -> None:
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.pay(session_id)
    await wired.flush()
    (payment,) = await wired.till.payments(order_id)
    await wired.till.stripe.turn(
        "refund_from_dashboard", payment=payment.payment_intent_id, amount=700
    )
    await wired.flush()
    assert (await wired.till.state(order_id)).refunded_minor == 700


async def test_a_dispute_is_told_until_it_is_won(wired: Wired) -> None:
    order_id, session_id = await wired.till.order_with_page()
    await wired.till.pay(session_id)
    await wired.flush()
    (payment,) = await wired.till.payments(order_id)
    dispute = await wired.till.stripe.turn("dispute", payment=payment.payment_intent_id)
    await wired.flush()
    (item,) = await wired.till.open_items(order_id)
    assert item.kind == "dispute"
    assert "£20.00" in open_item_sentence(item)
    assert await disputes(wired, order_id) == ["open"]
    await wired.till.stripe.turn("dispute", dispute=dispute["id"], outcome="won")
    await wired.flush()
    assert await wired.till.open_items(order_id) == []
    assert await disputes(wired, order_id) == ["won"]


async def disputes(wired: Wired, order_id: UUID) -> list[str]:
    return [row.state for row in await wired.till.rows(DisputeRow, order_id)]


async def ready(wired: Wired) -> bool:
    async with wired.till.services.uow_factory(None) as uow:
        found = await uow.session.scalar(
            select(Tenant.payments_ready).where(Tenant.id == wired.till.business.id)
        )
    return bool(found)


async def test_an_account_that_may_not_charge_switches_selling_off_and_on(wired: Wired) -> None:
    account = wired.till.account_id
    await wired.till.stripe.turn("account", account=account, charges_enabled=False)
    await wired.flush()
    assert not await ready(wired)
    await wired.till.stripe.turn("account", account=account, charges_enabled=True)
    await wired.flush()
    assert await ready(wired)


async def test_a_business_that_disconnects_sells_nothing_for_money(wired: Wired) -> None:
    await wired.till.stripe.turn("deauthorize", account=wired.till.account_id)
    await wired.flush()
    assert not await ready(wired)
    async with wired.till.services.uow_factory(None) as uow:
        account = await uow.session.get(ConnectedAccount, wired.till.account_id)
    assert account is not None
    assert account.disconnected_at is not None
