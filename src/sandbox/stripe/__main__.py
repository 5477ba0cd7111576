"""Starts the stand-in for Stripe as a process of its own."""

import asyncio
import signal
from pathlib import Path

import click

from src.sandbox.stripe.config import Config, Endpoint, Hook
from src.sandbox.stripe.serving import serve


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--data-dir", type=click.Path(path_type=Path), help="Kept in memory without it.")
@click.option("--secret-key", required=True)
@click.option("--platform-webhook-url", default="")
@click.option("--platform-webhook-secret", default="")
@click.option("--connect-webhook-url", default="")
@click.option("--connect-webhook-secret", default="")
@click.option("--public-url", help="Root of its pages, when people reach it by another address.")
def main(
    port: int,
    data_dir: Path | None,
    secret_key: str,
    platform_webhook_url: str,
    platform_webhook_secret: str,
    connect_webhook_url: str,
    connect_webhook_secret: str,
    public_url: str | None,
) -> None:
    """A local stand-in for Stripe: API, payment page, onboarding, signed webhooks."""
    hooks: dict[Endpoint, Hook] = {}
    if platform_webhook_url:
        hooks["platform"] = Hook(platform_webhook_url, platform_webhook_secret)
    if connect_webhook_url:
        hooks["connect"] = Hook(connect_webhook_url, connect_webhook_secret)
    config = Config(secret_key=secret_key, data_dir=data_dir, public_url=public_url, hooks=hooks)
    asyncio.run(_serve_until_told(config, port))


async def _serve_until_told(config: Config, port: int) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serve(config, port) as running:
        click.echo(f"The stand-in for Stripe is up at {running.base_url}")
        await stop.wait()


if __name__ == "__main__":
    main()
