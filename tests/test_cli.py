"""What an operator types, as it is typed: `bin/seatline` in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from src.sandbox.demo_state import write_settings
from src.sandbox.postgres import Role
from tests.architecture.sizes import ROOT
from tests.platform.test_config import example
from tests.support.databases import drop_database, own_database
from tests.support.servers import fresh_database, test_servers, worker_name

IN_THE_EXAMPLE = "change-me-too@postgres:5432/seatline"
SETTINGS = ("_URL", "SECRET", "MAIL_FROM", "SEATLINE_ENV", "STRIPE")


def seatline(environ: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    inherited = {n: v for n, v in os.environ.items() if not any(part in n for part in SETTINGS)}
    return subprocess.run(
        [ROOT / "bin/seatline", *words],
        check=False,
        cwd="/",
        env={**inherited, **environ},
        capture_output=True,
        text=True,
    )


def placed(name: str, **changes: str) -> dict[str, str]:
    """The example with the three addresses leading to a database of the test's own."""
    postgres = test_servers().postgres

    def address(role: Role) -> str:
        here = f"{postgres.passwords[role]}@127.0.0.1:{postgres.port}/{name}"
        given = example()[variables[role]]
        assert IN_THE_EXAMPLE in given
        return given.replace(IN_THE_EXAMPLE, here)

    variables = {
        Role.APP: "DATABASE_URL",
        Role.MIGRATOR: "MIGRATOR_DATABASE_URL",
        Role.RELAY: "RELAY_DATABASE_URL",
    }
    return example(**{variable: address(role) for role, variable in variables.items()}, **changes)


@pytest.fixture
def empty() -> Iterator[str]:
    name = f"seatline_{worker_name()}_cli"
    fresh_database(name)
    yield name
    drop_database(name)


@pytest.fixture
def migrated() -> Iterator[str]:
    """Its name."""
    name, _urls = own_database()
    yield name
    drop_database(name)


@pytest.mark.slow
def test_the_example_as_it_is_spelt_migrates(empty: str) -> None:
    """`docker compose up` does nothing else with these words."""
    environ = placed(empty)
    assert environ["MIGRATOR_DATABASE_URL"].startswith("postgresql://")
    done = seatline(environ, "db", "upgrade")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "No new upgrade operations" in seatline(environ, "db", "check").stdout


@pytest.mark.slow
@pytest.mark.parametrize("spelling", ["postgres://{}", "postgresql://{}?sslmode=prefer"])
def test_alembic_by_hand_takes_the_same_spellings(empty: str, spelling: str) -> None:
    address = spelling.format(placed(empty)["MIGRATOR_DATABASE_URL"].split("://")[1])
    done = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "0001"],
        check=False,
        cwd=ROOT,
        env={**os.environ, "MIGRATOR_DATABASE_URL": address},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_what_is_missing_is_one_sentence_each() -> None:
    environ = example(MIGRATOR_DATABASE_URL="", MAIL_FROM="nonsense")
    for words in (["db", "upgrade"], ["check-config"], ["worker"], ["outbox", "retry"]):
        done = seatline(environ, *words)
        assert done.returncode == 2
        assert done.stderr.splitlines() == [
            "MIGRATOR_DATABASE_URL is not set.",
            "MAIL_FROM must be a bare address such as bookings@example.com, without a name.",
        ]


def test_check_config_warns_of_what_is_hardly_meant() -> None:
    done = seatline(example(TRUSTED_PROXIES=""), "check-config")
    assert done.returncode == 0
    assert "Warning: TRUSTED_PROXIES is empty" in done.stderr
    assert "Nothing is missing. https://bookings.example.com, production." in done.stdout


@pytest.mark.slow
def test_an_admin_is_made_with_a_strong_password_and_replaced_only_when_told_to(
    migrated: str,
) -> None:
    only = {"MIGRATOR_DATABASE_URL": placed(migrated)["MIGRATOR_DATABASE_URL"]}
    who = ["admin", "create", "--email", "ada@example.com", "--name", "Ada", "--password"]
    weak = seatline(only, *who, "short")
    assert weak.returncode == 2
    assert len(weak.stderr.splitlines()) == 1
    made = seatline(only, *who, "violet hammock seven")
    assert made.returncode == 0, made.stderr
    assert "ada@example.com may now sign in" in made.stdout
    refused = seatline(only, *who, "purple hammock eight")
    assert refused.returncode == 2
    assert "ada@example.com has an account already" in refused.stderr
    assert "--replace-password" in refused.stderr
    told = seatline(only, *who, "purple hammock eight", "--replace-password")
    assert told.returncode == 0, told.stderr
    assert "its password is the new one" in told.stdout


def test_nobody_types_a_password_for_nothing() -> None:
    asked = seatline({}, "admin", "create")
    assert asked.returncode == 2
    assert asked.stdout == ""
    assert asked.stderr.splitlines()[0] == "MIGRATOR_DATABASE_URL is not set."


def test_the_demos_settings_are_there_for_the_command_line(empty: str, tmp_path: Path) -> None:
    here = {"SEATLINE_DATA_DIR": str(tmp_path)}
    absent = seatline(here, "--demo", "check-config")
    assert absent.returncode == 2
    assert "make demo" in absent.stderr
    write_settings(tmp_path, placed(empty))
    assert "Nothing is missing." in seatline(here, "--demo", "check-config").stdout
