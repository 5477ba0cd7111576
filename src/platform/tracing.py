"""Traces where an OTLP endpoint is configured: a request and the jobs it led to as one."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from litestar.plugins import InitPlugin
from litestar.types import Scope
from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from src.platform.config import Settings
from src.platform.web.loggable import loggable_path
from src.platform.web.metrics import route_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

SERVICE_NAME = "seatline"
TRACEPARENT = "traceparent"

_PROPAGATOR = TraceContextTextMapPropagator()


@lru_cache(maxsize=1)
def _provider(endpoint: str) -> "TracerProvider":
    # Imported here, for the exporter costs memory and start-up time that most runs can do without.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": SERVICE_NAME}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def tracing_plugins(settings: Settings) -> list[InitPlugin]:
    """The framework's tracing, or nothing at all."""
    if settings.otlp_endpoint is None:
        return []
    from litestar.plugins.opentelemetry import OpenTelemetryConfig, OpenTelemetryPlugin

    config = OpenTelemetryConfig(
        tracer_provider=_provider(settings.otlp_endpoint),
        exclude_spans=["receive", "send"],
        scope_span_details_extractor=details_of_request,
    )
    return [OpenTelemetryPlugin(config)]


def details_of_request(scope: Scope) -> tuple[str, dict[str, Any]]:
    """A span's name and what it has of the address: no query, and no link that lets anybody in.

    The library's own attributes of the address are overwritten, whichever names it uses.
    """
    path = loggable_path(scope)
    shown = dict.fromkeys(("http.target", "http.url", "url.path", "url.full"), path)
    return f"{scope.get('method', '')} {route_of(scope)}", {
        **shown,
        "url.query": "",
        "http.route": route_of(scope),
    }


def trace_jobs(settings: Settings) -> None:
    """Lets a process without a framework, such as a worker, tell of its spans too."""
    if settings.otlp_endpoint is not None:
        trace.set_tracer_provider(_provider(settings.otlp_endpoint))


def current_trace() -> str | None:
    """The running span as W3C's `traceparent` has it, None outside of any."""
    if not trace.get_current_span().get_span_context().is_valid:
        return None
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get(TRACEPARENT)


@contextmanager
def span_after(name: str, origin: str | None) -> Iterator[None]:
    """A span that goes on with the trace in which its work was asked for."""
    context = _PROPAGATOR.extract({TRACEPARENT: origin}) if origin else None
    with trace.get_tracer(SERVICE_NAME).start_as_current_span(name, context=context):
        yield
