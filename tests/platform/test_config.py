"""What is said of the environment: a sentence for each thing that would fail or lie later."""

from pathlib import Path

import pytest

from src.platform.config import ConfigError, Settings, load_settings, warnings_of
from src.platform.config_checks import database_address
from tests.architecture.sizes import ROOT

SECRET = "0123456789abcdef0123456789abcdef"


def example(**changes: str) -> dict[str, str]:
    """docker/.env.example as a shell or Compose reads it, with the one value it leaves open."""
    lines = Path(ROOT, "docker/.env.example").read_text().splitlines()
    given = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return dict(given) | {"SECRET_KEY": SECRET} | changes


def problems_of(**changes: str) -> list[str]:
    try:
        load_settings(example(**changes))
    except ConfigError as error:
        return error.problems
    return []


def test_the_example_is_all_that_is_asked_for() -> None:
    assert problems_of() == []
    assert problems_of(SECRET_KEY="") == ["SECRET_KEY is not set."]


def test_the_example_names_everything_that_the_program_reads() -> None:
    read = {name.upper() for name in Settings.__struct_fields__} - {"ENVIRONMENT", "OTLP_ENDPOINT"}
    named = example().keys()
    assert read - named == set()
    assert {"SEATLINE_ENV", "OTEL_EXPORTER_OTLP_ENDPOINT"} <= named


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("DATABASE_URL", "mysql://h/d", "must start with"),
        ("DATABASE_URL", "postgresql://[h/d", "no address"),
        ("DATABASE_URL", "postgresql://h:port/d", "port"),
        ("DATABASE_URL", "postgresql://h/d?sslmode=yes", "must be one of"),
        ("DATABASE_URL", "postgresql://h/d?sslrootcert=/ca.pem", "PGSSLROOTCERT"),
        ("DATABASE_URL", "postgresql://h/d?channel_binding=require", "leave it out"),
        ("MIGRATOR_DATABASE_URL", "postgresql://h/d?application_name=x", "leave it out"),
        ("RELAY_DATABASE_URL", "postgresql://h:0/d", "port"),
        ("TRUSTED_PROXIES", "nginx", "'nginx' is no address"),
        ("STRIPE_API_BASE", "stripe", "must start with"),
        ("STRIPE_API_BASE", "http://", "must name a host"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "must start with"),
        ("SMTP_URL", "smtp://mail.example.com:twentyfive", "port"),
        ("SMTP_URL", "smtp://", "must name a host"),
        ("REDIS_URL", "redis://valkey:port/0", "port"),
        ("REDIS_URL", "redis://valkey:6379/first", "number"),
        ("MAIL_FROM", "Seatline <bookings@example.com>", "without a name"),
        ("MAIL_FROM", "nonsense", "bare address"),
        ("DATABASE_POOL_SIZE", "0", "from 1 to 500"),
        ("DATABASE_POOL_SIZE", "²", "whole number"),
        ("PLATFORM_FEE_BP", "200000", "from 0 to 10000"),
        ("UNDO_WINDOW_SECONDS", "-1", "whole number"),
        ("BASE_URL", "http://bookings.example.com", "https://"),
        ("BASE_URL", "https://example.com/bookings", "no path"),
        ("BASE_URL", "https://example.com/?a=b", "no path"),
        ("BASE_URL", "https://example.com#top", "no path"),
        ("BASE_URL", "https://", "must name a host"),
        ("COOKIE_SECURE", "false", "must not be false"),
        ("COOKIE_SECURE", "perhaps", "true or false"),
        ("SECRET_KEY", "short", "32 characters"),
        ("FORMER_SECRET_KEYS", "x" * 40 + ", short", "32 characters each"),
        ("LOG_FORMAT", "xml", "json or console"),
    ],
)  # fmt: skip
def test_what_would_fail_or_lie_later_is_said_at_once(name: str, value: str, says: str) -> None:
    [problem] = problems_of(**{name: value})
    assert problem.startswith(name)
    assert says in problem


def test_every_problem_is_named() -> None:
    assert len(problems_of(MAIL_FROM="x", TRUSTED_PROXIES="a, 10.0.0.1, b", SMTP_URL="")) == 4


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgres://a:b@h/d", "postgresql+asyncpg://a:b@h/d"),
        ("postgresql+asyncpg://a:b%40@h:1/d", "postgresql+asyncpg://a:b%40@h:1/d"),
        ("postgresql://h/d?sslmode=require", "postgresql+asyncpg://h/d?ssl=require"),
        ("postgresql:///d?host=/run/pg", "postgresql+asyncpg:///d?host=/run/pg"),
    ],
)  # fmt: skip
def test_an_address_is_taken_in_every_usual_spelling(given: str, meant: str) -> None:
    assert database_address(given) == meant
    assert database_address(meant) == meant


def test_outside_of_production_plain_http_will_do() -> None:
    changes = {"SEATLINE_ENV": "demo", "BASE_URL": "http://127.0.0.1:8000/"}
    settings = load_settings(example(**changes, COOKIE_SECURE="false"))
    assert (settings.base_url, settings.cookie_secure) == ("http://127.0.0.1:8000", False)


def test_a_proxy_that_is_not_named_is_warned_of_in_production() -> None:
    bare = example(TRUSTED_PROXIES="", METRICS_TOKEN="")
    warnings = warnings_of(load_settings(bare))
    assert [warning.split(" ", 1)[0] for warning in warnings] == [
        "TRUSTED_PROXIES",
        "METRICS_TOKEN",
    ]
    assert warnings_of(load_settings(bare | {"SEATLINE_ENV": "demo"})) == []
    assert warnings_of(load_settings(example(METRICS_TOKEN="t"))) == []
