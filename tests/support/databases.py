"""Migrated databases for tests: one copy per xdist worker, fresh ones for what must commit."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import count

from src.sandbox.postgres import Role
from tests.support.servers import (
    CHECKOUT,
    fresh_database,
    make_template,
    test_servers,
    worker_name,
)

_numbers: Iterator[int] = count()


def migrate(url: str) -> None:
    """Runs every migration as the tables' owner, the way production does."""
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        check=True,
        cwd=CHECKOUT,
        env={**os.environ, "MIGRATOR_DATABASE_URL": url},
        capture_output=True,
    )


def shared_database() -> dict[Role, str]:
    """This worker's database, for tests that roll everything back."""
    return fresh_database(f"seatline_{worker_name()}", make_template(migrate))


def own_database() -> tuple[str, dict[Role, str]]:
    """A database of one test's own, for tests that commit. Returns its name and addresses."""
    name = f"seatline_{worker_name()}_{next(_numbers)}"
    return name, fresh_database(name, make_template(migrate))


def drop_database(name: str) -> None:
    test_servers().postgres.execute("postgres", f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
