"""`seatline`: everything an operator types."""

import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

from src.platform.config import ConfigError, Settings, load_settings, warnings_of

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent


def run(work: Coroutine[Any, Any, T]) -> T:
    return uvloop.run(work)


def settings_or_exit() -> Settings:
    try:
        return load_settings(os.environ)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)


@click.group()
def main() -> None:
    """Seatline: bookings for businesses that teach, train and coach."""


@main.command("check-config")
@click.option("--connect", is_flag=True, help="Also ask PostgreSQL, Valkey and the mail server.")
def check_config(connect: bool) -> None:
    """Says what the environment lacks, or that nothing is missing."""
    settings = settings_or_exit()
    for warning in warnings_of(settings):
        click.echo(f"Warning: {warning}", err=True)
    if connect:
        from src.preflight import problems_found

        for problem in (problems := run(problems_found(settings))):
            click.echo(problem, err=True)
        if problems:
            sys.exit(2)
    click.echo(f"Nothing is missing. {settings.base_url}, {settings.environment}.")


@main.command()
def worker() -> None:
    """Runs background work: mails, cancellations, settlements, sweeping."""
    from src.worker import run_worker

    settings_or_exit()
    run(run_worker())


@main.command()
def relay() -> None:
    """Hands outbox rows to the workers."""
    from src.worker import run_relay

    settings_or_exit()
    run(run_relay())


@main.group()
def db() -> None:
    """The database's shape."""


@db.command("upgrade")
@click.argument("revision", default="head")
def db_upgrade(revision: str) -> None:
    """Migrates forward, as the owner of the tables."""
    _alembic("upgrade", revision)


@db.command("downgrade")
@click.argument("revision")
def db_downgrade(revision: str) -> None:
    """Migrates back to REVISION."""
    _alembic("downgrade", revision)


@db.command("check")
def db_check() -> None:
    """Fails when the models and the database differ."""
    _alembic("check")


def _alembic(*words: str) -> None:
    settings = settings_or_exit()
    done = subprocess.run(  # noqa: S603 - our own interpreter and words
        [sys.executable, "-m", "alembic", "-c", str(ROOT / "alembic.ini"), *words],
        check=False,
        env={**os.environ, "MIGRATOR_DATABASE_URL": settings.migrator_database_url},
    )
    sys.exit(done.returncode)


@main.group()
def admin() -> None:
    """Platform admins."""


@admin.command("create")
@click.option("--email", prompt=True)
@click.option("--name", prompt=True)
@click.password_option()
@click.option(
    "--unproved",
    is_flag=True,
    help="Take a user whose address nobody has proved; they leave every business.",
)
def admin_create(email: str, name: str, password: str, unproved: bool) -> None:
    """Makes a platform admin, or makes an existing user one."""
    from src.platform.clock import SystemClock
    from src.platform.errors import DomainError
    from src.running import owners_work
    from src.tenants.cli import create_platform_admin
    from src.wiring import import_models

    import_models()

    async def create() -> None:
        async with owners_work(settings_or_exit()) as uow_factory:
            now = SystemClock().now()
            await create_platform_admin(uow_factory, email, name, password, now, unproved=unproved)

    try:
        run(create())
    except DomainError as refusal:
        click.echo(refusal.message, err=True)
        sys.exit(2)
    click.echo(f"{email} may now sign in at /sign-in and open /admin.")


@main.group()
def outbox() -> None:
    """What must still happen because of what was committed."""


@outbox.command("retry")
def outbox_retry() -> None:
    """Tries again what was parked after too many failures."""
    from src.platform.outbox.retry import retry_parked

    count = run(retry_parked(settings_or_exit().migrator_database_url))
    click.echo(f"{count} parked rows are due again.")


@main.group("demo-data")
def demo_data() -> None:
    """The demo's two businesses."""


@demo_data.command("load")
def demo_data_load() -> None:
    """Fills an empty database with two lively businesses; does nothing to a filled one."""
    from src.sandbox.demo_data import load_demo_data

    run(load_demo_data(settings_or_exit()))


@main.command()
def demo() -> None:
    """Everything on this machine, nothing to install."""
    from src.sandbox.runner import main as run_demo

    sys.exit(run_demo([]))


if __name__ == "__main__":
    main(prog_name="seatline")
