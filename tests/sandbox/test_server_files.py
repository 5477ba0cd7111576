import os
import subprocess
import sys
from pathlib import Path

import pytest

from src.sandbox.processes import ONESELF, Identity
from src.sandbox.server_files import (
    ServerMissingError,
    choose_data_root,
    fallback_data_root,
    find_postgres,
)

CHECKOUT = Path(__file__).resolve().parents[2]


def without_packages(program: str) -> str:
    """What Python says that has nothing but its standard library and this checkout."""
    program = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); {program}"
    command = [sys.executable, "-I", "-S", "-c", program]
    result = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False)
    return result.stderr


def fake_postgres(folder: Path, version: str) -> Path:
    folder.mkdir()
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version}'\n")
        (folder / name).chmod(0o755)
    return folder


def test_without_any_valkey_it_is_said_what_to_set() -> None:
    said = without_packages("from src.sandbox.server_files import *; find_valkey({})")
    assert "SEATLINE_VALKEY_BIN" in said


def test_without_any_postgres_every_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServerMissingError, match=f"{tmp_path}: no PostgreSQL that starts"):
        find_postgres({"SEATLINE_PG_BIN": str(tmp_path)})


def test_a_postgres_that_is_too_old_is_refused(tmp_path: Path) -> None:
    folder = fake_postgres(tmp_path / "bin", "14.11")
    with pytest.raises(ServerMissingError, match=r"14\.11 is older than 15"):
        find_postgres({"SEATLINE_PG_BIN": str(folder)})


def test_a_folder_that_can_be_entered_is_used_and_not_listed(tmp_path: Path) -> None:
    root = choose_data_root(tmp_path / "demo", ONESELF)
    assert root == tmp_path / "demo"
    assert root.stat().st_mode & 0o777 == 0o700


def test_the_fall_back_is_the_same_every_time_and_differs_between_checkouts(tmp_path: Path) -> None:
    assert fallback_data_root(tmp_path / "a") == fallback_data_root(tmp_path / "a")
    assert fallback_data_root(tmp_path / "a") != fallback_data_root(tmp_path / "b")


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "demo").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerMissingError, match="belongs to another user"):
        choose_data_root(tmp_path / "demo", ONESELF)


if os.geteuid() == 0:

    def test_data_moves_where_the_server_can_reach_it(tmp_path: Path) -> None:
        nobody = find_postgres().identity
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        root = choose_data_root(closed / "demo", nobody)
        assert root == fallback_data_root(closed / "demo")
        assert root.stat().st_mode & 0o777 == 0o711
        root.rmdir()

    def test_a_fall_back_that_somebody_else_made_is_refused(tmp_path: Path) -> None:
        nobody = find_postgres().identity
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        planted = fallback_data_root(closed / "demo")
        planted.mkdir()
        os.chown(planted, 65534, 65534)
        with pytest.raises(ServerMissingError, match="belongs to another user"):
            choose_data_root(closed / "demo", nobody)
        planted.rmdir()

    def test_in_a_user_namespace_root_s_own_files_do(tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        closed.mkdir(mode=0o700)
        mapped = Identity(65534, 65534, mapped=True)
        assert choose_data_root(closed / "demo", mapped) == closed / "demo"
