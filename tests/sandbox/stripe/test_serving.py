"""Many stand-ins at one port, one after the other, share nothing."""

from typing import Any

import httpx
import pytest
import stripe

from src.sandbox.stripe.serving import Port
from tests.sandbox.stripe.conftest import Receiver, client_for, config_for, new_shop

pytestmark = pytest.mark.anyio


async def test_a_new_stand_in_knows_nothing_of_the_one_before(
    stripe_port: Port, http: stripe.HTTPXClient
) -> None:
    receiver, later = Receiver(), Receiver()
    client: Any = client_for(stripe_port.base_url, http)
    async with stripe_port.occupied(config_for(), receiver) as running:
        fresh = await running.state()
        shop = await new_shop(running, client, receiver)
        await running.turn("webhooks", delay_seconds=60.0)
        await shop.paid_page()
        await running.turn("api_faults", kind="timeout_before", times=5)
        await running.turn("refund_status", status="failed")
        await running.turn("clock", advance_seconds=3600)
        running.engine.conformance_failures.append("something is wrong")
    async with stripe_port.occupied(config_for(), later) as running:
        state = await running.state()
        assert {**state, "now": 0} == {**fresh, "now": 0}
        assert abs(state["now"] - fresh["now"]) < 60
        assert running.engine.conformance_failures == []
        with pytest.raises(stripe.PermissionError):
            await client.v1.accounts.retrieve_async(shop.account)
        await new_shop(running, client, later)
        await running.turn("flush")
    assert later.types == ["account.updated"]


async def test_who_hangs_keeps_nobody_who_comes_later_waiting(
    stripe_port: Port, http: stripe.HTTPXClient, hasty: stripe.HTTPXClient, receiver: Receiver
) -> None:
    client: Any = client_for(stripe_port.base_url, http)
    in_haste: Any = client_for(stripe_port.base_url, hasty)
    async with stripe_port.occupied(config_for(), receiver) as running:
        await running.turn("api_faults", kind="timeout_before", times=9, seconds=60.0)
        with pytest.raises(stripe.APIConnectionError):
            await in_haste.v1.accounts.create_async({"type": "standard"})
    async with stripe_port.occupied(config_for(), receiver):
        made = await client.v1.accounts.create_async({"type": "standard"})
        assert made.id.startswith("acct_")


async def test_nobody_answers_between_two_stand_ins(stripe_port: Port, receiver: Receiver) -> None:
    async with stripe_port.occupied(config_for(), receiver):
        pass
    async with httpx.AsyncClient(base_url=stripe_port.base_url, trust_env=False) as late:
        assert (await late.get("/_emulator/state")).status_code == 500
