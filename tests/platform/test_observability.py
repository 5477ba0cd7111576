"""Logs are lines of JSON that say which request and tenant, and never what lets someone in."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
import structlog
from litestar.plugins.opentelemetry import OpenTelemetryPlugin
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from structlog.contextvars import bind_contextvars, clear_contextvars

from src.platform.config import Settings
from src.platform.observability import (
    REDACTED,
    configure_logging,
    note_tenant,
)
from src.platform.tracing import current_trace, span_after, tracing_plugins
from src.sandbox.postgres import Role
from tests.support.settings import settings_for


@pytest.fixture
def settings() -> Settings:
    urls = dict.fromkeys(Role, "postgresql://app@127.0.0.1:1/none")
    return settings_for(urls, "redis://127.0.0.1:1/0", LOG_FORMAT="json")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    before, level, configured = list(root.handlers), root.level, structlog.get_config()
    structlog.reset_defaults()
    yield
    root.handlers[:], root.level = before, level
    structlog.configure(**configured)
    clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines() if line]


def test_event_is_one_line_with_its_request_and_tenant(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    bind_contextvars(request_id="abc")
    note_tenant("tenant-1")
    structlog.get_logger("test").info("booking_confirmed", seats=2, odd=object)
    (line,) = lines(capsys)
    assert line["event"] == "booking_confirmed"
    assert (line["request_id"], line["tenant_id"], line["seats"]) == ("abc", "tenant-1", 2)
    assert line["level"] == "info"
    assert line["timestamp"].endswith("Z")


def test_library_logs_go_the_same_way_and_chatter_stays_out(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    bind_contextvars(request_id="abc")
    logging.getLogger("some.library").warning("disk %s is full", "sda")
    logging.getLogger("httpx").info("HTTP Request: GET ...")
    logging.getLogger("some.library").debug("detail")
    (line,) = lines(capsys)
    assert (line["event"], line["request_id"]) == ("disk sda is full", "abc")


def test_secrets_are_taken_out_wherever_they_stand(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    log = structlog.get_logger("test")
    secret = "hunter2hunter2"
    log.info("signed_in", password=secret, api_key=secret, headers={"Authorization": secret})
    log.info("connecting", url=f"postgresql://app:{secret}@db:5432/x", note=[f"sk_live_{secret}"])
    logging.getLogger("lib").warning("key whsec_%s, header Bearer %s", secret, secret)
    try:
        raise ValueError(f"cannot reach redis://:{secret}@cache:6379")
    except ValueError:
        log.exception("failed")
    text = capsys.readouterr().err
    assert secret not in text
    assert text.count(REDACTED) >= 8
    assert "cache:6379" in text


def test_configuring_twice_logs_once(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging(settings)
    configure_logging(settings)
    structlog.get_logger("test").info("once")
    assert len(lines(capsys)) == 1


def test_console_format_is_for_eyes(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(msgspec.structs.replace(settings, log_format="console"))
    structlog.get_logger("test").info("booking_confirmed", seats=2)
    text = capsys.readouterr().err
    assert "booking_confirmed" in text
    assert "seats=2" in text


def test_tracing_is_there_only_with_an_endpoint(settings: Settings) -> None:
    assert tracing_plugins(settings) == []
    traced = msgspec.structs.replace(settings, otlp_endpoint="http://127.0.0.1:4318/")
    (plugin,) = tracing_plugins(traced)
    assert isinstance(plugin, OpenTelemetryPlugin)


def test_a_job_goes_on_with_the_trace_that_asked_for_it() -> None:
    assert current_trace() is None
    tracer = TracerProvider().get_tracer("test")
    with tracer.start_as_current_span("request") as asked:
        origin = current_trace()
    assert origin is not None
    with span_after("job", origin):
        found = trace.get_current_span().get_span_context()
        assert found.trace_id == asked.get_span_context().trace_id
