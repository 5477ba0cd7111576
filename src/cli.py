"""`seatline`: everything an operator types."""

import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

from src.platform.config import ConfigError, Settings, load_settings, owners_database, warnings_of

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


def owners_database_or_exit() -> str:
    """Before anything is asked for: nobody types a password for nothing."""
    try:
        return owners_database(os.environ)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        click.echo("For the demo of this checkout: seatline --demo ...", err=True)
        sys.exit(2)


@click.group()
@click.option("--demo", "for_demo", is_flag=True, help="With the settings of the running demo.")
def main(for_demo: bool) -> None:
    """Seatline: bookings for businesses that teach, train and coach."""
    if for_demo:
        from src.sandbox.demo_state import read_settings

        settings = read_settings(os.environ)
        if settings is None:
            click.echo("There is no demo here yet: start it with make demo.", err=True)
            sys.exit(2)
        os.environ.update(settings)


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
@click.option("--email")
@click.option("--name")
@click.option("--password")
@click.option(
    "--unproved",
    is_flag=True,
    help="Take a user whose address nobody has proved; they leave every business.",
)
@click.option(
    "--replace-password",
    is_flag=True,
    help="Give a user who is there already this password, without asking.",
)
def admin_create(
    email: str | None,
    name: str | None,
    password: str | None,
    unproved: bool,
    replace_password: bool,
) -> None:
    """Makes a platform admin, or makes an existing user one; asks for what is not given."""
    address = owners_database_or_exit()
    given = (
        email or click.prompt("Email"),
        name or click.prompt("Name"),
        password or click.prompt("Password", hide_input=True, confirmation_prompt=True),
    )
    is_new = _create_admin(address, given, unproved=unproved, replace_password=replace_password)
    if not is_new:
        click.echo("The account was there already: its password is the new one, and whoever was")
        click.echo("signed in with it is signed out. This stands in the platform's log.")
    click.echo(f"{given[0]} may now sign in at /sign-in and open /admin.")


def _create_admin(
    address: str, given: tuple[str, str, str], *, unproved: bool, replace_password: bool
) -> bool:
    """Whether the user is new. Asks before a password is replaced; ends the program on a no."""
    from src.platform.clock import SystemClock
    from src.platform.errors import DomainError
    from src.running import owners_work
    from src.tenants.cli import create_platform_admin
    from src.wiring import import_models

    import_models()

    async def create() -> bool:
        async with owners_work(address) as uow_factory:
            now = SystemClock().now()
            return await create_platform_admin(
                uow_factory,
                *given,
                now,
                unproved=unproved,
                replace_password=replace_password,
            )

    try:
        return run(create())
    except DomainError as refusal:
        click.echo(refusal.message, err=True)
        if refusal.code != "known_user":
            sys.exit(2)
    if not sys.stdin.isatty():
        click.echo("Nothing was changed. Give --replace-password to set this one.", err=True)
        sys.exit(2)
    click.confirm("Replace that password and make them a platform admin?", abort=True)
    return _create_admin(address, given, unproved=unproved, replace_password=True)


@main.group()
def outbox() -> None:
    """What must still happen because of what was committed."""


@outbox.command("retry")
@click.option(
    "--in-doubt", is_flag=True, help="Also mails that may have arrived: they go out once more."
)
def outbox_retry(*, in_doubt: bool) -> None:
    """Tries again what was parked after too many failures."""
    from src.platform.outbox.retry import retry_parked

    count = run(retry_parked(settings_or_exit().migrator_database_url, in_doubt=in_doubt))
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
