"""What a demo keeps between two runs besides its data: ports, keys, and where it all lies."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from src.sandbox.folders import write_private
from src.sandbox.postgres import PostgresAddress, Role
from src.sandbox.processes import LOOPBACK, free_port, port_is_free
from src.sandbox.server_files import fallback_data_root

CHECKOUT = Path(__file__).resolve().parents[2]
DEFAULT_DATA = CHECKOUT / ".data" / "demo"
STATE_FILE = "state.json"
SIGN_INS_FILE = "sign-ins.json"
SETTINGS_FILE = "settings.json"
MAIL_FROM = "bookings@seatline.example"
PLATFORM_WEBHOOK_PATH = "/hooks/stripe/platform"
CONNECT_WEBHOOK_PATH = "/hooks/stripe/connect"


class PortsTakenError(Exception):
    """A port that people type into a browser is taken; the message names the variable to set."""


class PublicPorts(msgspec.Struct, frozen=True):
    """The ports that people use, so that they are theirs to choose."""

    web: int
    mailbox: int
    stripe: int


class DemoState(msgspec.Struct, frozen=True):
    """The rest: nobody types these ports, and a restart has to find the same keys."""

    smtp_port: int
    postgres_port: int
    valkey_port: int
    secret_key: str
    metrics_token: str
    stripe_secret_key: str
    stripe_publishable_key: str
    platform_webhook_secret: str
    connect_webhook_secret: str


class SignIn(msgspec.Struct, frozen=True):
    """Who can sign in to the demo, as its data tells."""

    who: str
    where: str
    email: str
    password: str


PORT_VARIABLES = {
    "web": ("SEATLINE_PORT", 8000),
    "mailbox": ("SEATLINE_MAILBOX_PORT", 8025),
    "stripe": ("SEATLINE_STRIPE_PORT", 8026),
}


def public_ports(environ: Mapping[str, str]) -> PublicPorts:
    """Raises: PortsTakenError, with a sentence for each variable that cannot be used."""
    problems: list[str] = []
    ports: dict[str, int] = {}
    for name, (variable, default) in PORT_VARIABLES.items():
        text = environ.get(variable, str(default))
        if not text.isdigit() or not 0 < int(text) < 65536:
            problems.append(f"{variable} must be a port number from 1 to 65535, not {text!r}.")
            continue
        ports[name] = int(text)
        if not port_is_free(ports[name]):
            problems.append(f"Port {text} is already in use: set {variable} to another one.")
    if not problems and len(set(ports.values())) < len(ports):
        names = ", ".join(variable for variable, _ in PORT_VARIABLES.values())
        problems.append(f"{names} must differ from each other.")
    if problems:
        raise PortsTakenError("\n".join(problems))
    return PublicPorts(**ports)


def load_state(root: Path, public: PublicPorts) -> DemoState:
    """The state of the run before, made at the first one; a port taken meanwhile is replaced."""
    path = root / STATE_FILE
    if path.exists():
        state = msgspec.json.decode(path.read_bytes(), type=DemoState)
    else:
        state = _new_state()
    state = _with_usable_ports(state, msgspec.structs.astuple(public))
    write_private(path, msgspec.json.format(msgspec.json.encode(state)))
    return state


def _new_state() -> DemoState:
    return DemoState(
        smtp_port=0,
        postgres_port=0,
        valkey_port=0,
        secret_key=secrets.token_urlsafe(48),
        metrics_token=secrets.token_urlsafe(24),
        stripe_secret_key=f"sk_test_{secrets.token_hex(16)}",
        stripe_publishable_key=f"pk_test_{secrets.token_hex(16)}",
        platform_webhook_secret=f"whsec_{secrets.token_hex(16)}",
        connect_webhook_secret=f"whsec_{secrets.token_hex(16)}",
    )


def _with_usable_ports(state: DemoState, taken: Iterable[int]) -> DemoState:
    used = set(taken)
    chosen: dict[str, int] = {}
    for name in ("smtp_port", "postgres_port", "valkey_port"):
        port = getattr(state, name)
        while not port or port in used or not port_is_free(port):
            port = free_port()
        used.add(port)
        chosen[name] = port
    return msgspec.structs.replace(state, **chosen)


def read_sign_ins(root: Path) -> list[SignIn]:
    path = root / SIGN_INS_FILE
    return msgspec.json.decode(path.read_bytes(), type=list[SignIn]) if path.exists() else []


def address(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def write_settings(root: Path, settings: Mapping[str, str]) -> None:
    """For the command line, which `--demo` points to the demo that runs."""
    write_private(root / SETTINGS_FILE, msgspec.json.encode(dict(settings)))


def read_settings(environ: Mapping[str, str]) -> dict[str, str] | None:
    """The settings of this checkout's demo as it was last started."""
    preferred = Path(environ.get("SEATLINE_DATA_DIR") or DEFAULT_DATA).absolute()
    for root in (preferred, fallback_data_root(preferred)):
        path = root / SETTINGS_FILE
        if path.exists():
            return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    return None


def demo_settings(
    *,
    root: Path,
    ports: PublicPorts,
    state: DemoState,
    postgres: PostgresAddress,
    redis_url: str,
) -> dict[str, str]:
    """Every setting of the program, pointing to the sandbox.

    All of them are set, so that a live key in somebody's shell never reaches a demo.
    """
    return {
        "PYTHONUNBUFFERED": "1",
        "SEATLINE_ENV": "demo",
        "SEATLINE_DATA_DIR": str(root),
        "SEATLINE_MAILBOX_URL": address(ports.mailbox),
        "BASE_URL": address(ports.web),
        "SECRET_KEY": state.secret_key,
        "DATABASE_URL": postgres.url(Role.APP),
        "MIGRATOR_DATABASE_URL": postgres.url(Role.MIGRATOR),
        "RELAY_DATABASE_URL": postgres.url(Role.RELAY),
        "MONITOR_DATABASE_URL": postgres.url(Role.MONITOR),
        "REDIS_URL": redis_url,
        "SMTP_URL": f"smtp://{LOOPBACK}:{state.smtp_port}",
        "MAIL_FROM": MAIL_FROM,
        "STRIPE_SECRET_KEY": state.stripe_secret_key,
        "STRIPE_PUBLISHABLE_KEY": state.stripe_publishable_key,
        "STRIPE_API_BASE": address(ports.stripe),
        "STRIPE_PLATFORM_WEBHOOK_SECRET": state.platform_webhook_secret,
        "STRIPE_CONNECT_WEBHOOK_SECRET": state.connect_webhook_secret,
        "COOKIE_SECURE": "false",
        "METRICS_TOKEN": state.metrics_token,
        "OTEL_EXPORTER_OTLP_ENDPOINT": "",
        "LOG_FORMAT": "console",
        "TRUSTED_PROXIES": "",
    }
