import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from src.platform.config import load_settings
from src.sandbox.demo_state import (
    DemoState,
    PortsTakenError,
    PublicPorts,
    demo_environment,
    load_state,
    public_ports,
    read_sign_ins,
)
from src.sandbox.postgres import PostgresAddress, Role
from src.sandbox.processes import free_port

PORTS = PublicPorts(web=8000, mailbox=8025, stripe=8026)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def environment(state: DemoState, root: Path, outside: dict[str, str]) -> dict[str, str]:
    postgres = PostgresAddress(5432, {role.value: "secret" for role in Role})
    return demo_environment(
        outside,
        root=root,
        ports=PORTS,
        state=state,
        postgres=postgres,
        redis_url="redis://:secret@127.0.0.1:6379/0",
    )


def test_ports_come_from_the_environment() -> None:
    web, mailbox, stripe = free_port(), free_port(), free_port()
    chosen = {
        "SEATLINE_PORT": str(web),
        "SEATLINE_MAILBOX_PORT": str(mailbox),
        "SEATLINE_STRIPE_PORT": str(stripe),
    }
    assert public_ports(chosen) == PublicPorts(web, mailbox, stripe)


@pytest.mark.parametrize(
    "variable", ["SEATLINE_PORT", "SEATLINE_MAILBOX_PORT", "SEATLINE_STRIPE_PORT"]
)
def test_a_taken_port_is_refused_by_the_name_of_its_variable(
    variable: str, taken_port: int
) -> None:
    expected = f"Port {taken_port} is already in use: set {variable} to another one."
    with pytest.raises(PortsTakenError, match=expected):
        public_ports({variable: str(taken_port)})


@pytest.mark.parametrize("text", ["", "eighty", "0", "65536", "-1"])
def test_what_is_no_port_is_refused(text: str) -> None:
    with pytest.raises(PortsTakenError, match="SEATLINE_PORT must be a port number"):
        public_ports({"SEATLINE_PORT": text})


def test_one_port_cannot_serve_two() -> None:
    port, other = str(free_port()), str(free_port())
    wanted = {"SEATLINE_PORT": port, "SEATLINE_MAILBOX_PORT": port, "SEATLINE_STRIPE_PORT": other}
    with pytest.raises(PortsTakenError, match="must differ"):
        public_ports(wanted)


def test_state_is_the_same_at_the_next_start_and_private(tmp_path: Path) -> None:
    first = load_state(tmp_path, PORTS)
    assert load_state(tmp_path, PORTS) == first
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600


def test_two_demos_share_no_secret(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    a, b = load_state(tmp_path / "a", PORTS), load_state(tmp_path / "b", PORTS)
    assert a.secret_key != b.secret_key
    assert a.stripe_secret_key != b.stripe_secret_key


def test_a_kept_port_that_was_taken_meanwhile_is_replaced(tmp_path: Path) -> None:
    first = load_state(tmp_path, PORTS)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", first.postgres_port))
        listener.listen()
        second = load_state(tmp_path, PORTS)
    assert second.postgres_port != first.postgres_port
    assert (second.smtp_port, second.secret_key) == (first.smtp_port, first.secret_key)


def test_kept_ports_keep_out_of_the_way_of_chosen_ones(tmp_path: Path) -> None:
    first = load_state(tmp_path, PORTS)
    chosen = PublicPorts(web=first.smtp_port, mailbox=8025, stripe=8026)
    assert load_state(tmp_path, chosen).smtp_port != first.smtp_port


def test_the_environment_makes_complete_settings(tmp_path: Path) -> None:
    state = load_state(tmp_path, PORTS)
    settings = load_settings(environment(state, tmp_path, {}))
    assert settings.environment == "demo"
    assert settings.base_url == "http://127.0.0.1:8000"
    assert settings.stripe_api_base == "http://127.0.0.1:8026"
    assert settings.database_url.startswith("postgresql+asyncpg://seatline_app:")
    assert settings.smtp_url == f"smtp://127.0.0.1:{state.smtp_port}"


def test_no_setting_of_a_real_service_reaches_the_demo(tmp_path: Path) -> None:
    state = load_state(tmp_path, PORTS)
    sandboxed = environment(state, tmp_path, {})
    live = {name: "live" for name in sandboxed if name not in {"PATH", "HOME"}}
    assert environment(state, tmp_path, live) == sandboxed


def test_the_rest_of_the_environment_is_passed_on(tmp_path: Path) -> None:
    state = load_state(tmp_path, PORTS)
    assert environment(state, tmp_path, {"PATH": os.defpath})["PATH"] == os.defpath


def test_sign_ins_are_read_once_there_are_some(tmp_path: Path) -> None:
    assert read_sign_ins(tmp_path) == []
    (tmp_path / "sign-ins.json").write_text(
        '[{"who": "Olive, owner", "where": "/app/yoga", "email": "olive@x.example",'
        ' "password": "pw"}]'
    )
    (found,) = read_sign_ins(tmp_path)
    assert (found.who, found.email) == ("Olive, owner", "olive@x.example")
