"""What the stand-in knows outlives it."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe

from src.sandbox.stripe import create_app, serve, stripe_behind
from tests.sandbox.stripe.conftest import Receiver, client_for, config_for, line, new_shop

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[3]
START_SECONDS = 20


async def test_a_kept_folder_finds_its_payments(
    tmp_path: Path, receiver: Receiver, http: stripe.HTTPXClient
) -> None:
    async with serve(config_for(tmp_path), webhook_transport=receiver) as running:
        shop = await new_shop(running, client_for(running.base_url, http), receiver)
        paid, still_open = await shop.paid_page(), await shop.open_page()
        keyed = await shop.client.v1.customers.create_async(
            {"name": "Carl"}, shop.on | {"idempotency_key": "key-1"}
        )
        await running.turn("flush")
        await running.turn("webhooks", delay_seconds=60)
        await running.turn("clock", advance_seconds=3600)
        expired = await shop.open_page()
        await shop.client.v1.checkout.sessions.expire_async(expired.id, None, shop.on)
        before = running.engine.clock.now()
    async with serve(config_for(tmp_path), webhook_transport=receiver) as running:
        client = client_for(running.base_url, http)
        sessions = client.v1.checkout.sessions
        found = await sessions.retrieve_async(paid.id, None, shop.on)
        assert found.payment_status == "paid"
        assert (await running.http.get(f"/c/pay/{still_open.id}")).status_code == 200
        again = await client.v1.customers.create_async(
            {"name": "Carl"}, shop.on | {"idempotency_key": "key-1"}
        )
        assert again.id == keyed.id
        assert running.engine.clock.now() == pytest.approx(before, abs=5)
        await running.turn("flush")
        assert receiver.types[-1] == "checkout.session.expired"


@pytest.mark.slow
async def test_the_process_keeps_its_data_when_killed_and_stops_when_told(
    tmp_path: Path, http: stripe.HTTPXClient, unused_port: int
) -> None:
    address = f"http://127.0.0.1:{unused_port}"
    customers = client_for(address, http, "sk_test_process").v1.customers
    for number, outcome in ((signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 0)):
        process = await start_process(unused_port, tmp_path)
        try:
            assert process.stdout is not None
            async with asyncio.timeout(START_SECONDS):
                told = await process.stdout.readline()
            assert address in told.decode()
            await customers.create_async({"name": number.name})
            found = [customer.name for customer in (await customers.list_async()).data]
        finally:
            process.send_signal(number)
            assert await process.wait() == outcome
    assert found == ["SIGTERM", "SIGKILL"]


async def start_process(port: int, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "src.sandbox.stripe",
        f"--port={port}",
        f"--data-dir={folder / 'stripe'}",
        "--secret-key=sk_test_process",
        "--platform-webhook-url=http://127.0.0.1:9/platform",
        "--platform-webhook-secret=whsec_1",
        "--connect-webhook-url=http://127.0.0.1:9/connect",
        "--connect-webhook-secret=whsec_2",
        cwd=ROOT,
        env=dict(os.environ),
        stdout=asyncio.subprocess.PIPE,
    )


async def test_an_app_can_be_driven_without_a_port(receiver: Receiver) -> None:
    app: Any = create_app()
    transport = httpx.ASGITransport(app)
    async with (
        stripe_behind(app, config_for(), receiver),
        httpx.AsyncClient(transport=transport, base_url="http://stripe.test") as browser,
    ):
        headers = {"authorization": "Bearer sk_test_for_tests"}
        item = line("Yoga", 1000)["price_data"]
        form = {
            "mode": "payment",
            "success_url": "http://127.0.0.1/",
            "line_items[0][quantity]": "1",
            "line_items[0][price_data][currency]": item["currency"],
            "line_items[0][price_data][unit_amount]": str(item["unit_amount"]),
            "line_items[0][price_data][product_data][name]": "Yoga",
        }
        made = await browser.post("/v1/checkout/sessions", data=form, headers=headers)
        assert made.json()["url"].startswith("http://stripe.test/c/pay/")
        await browser.post("/_emulator/pay", json={"session": made.json()["id"]})
        await browser.post("/_emulator/flush")
    assert "checkout.session.completed" in receiver.types
