"""Figures for Prometheus: by method, route template and status; never by tenant or raw address."""

import os
from typing import Any, cast

from litestar.types import Scope
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)

REQUESTS = Counter("seatline_http_requests", "Answered requests.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "seatline_http_request_seconds",
    "Time from a request's arrival to the last byte of its answer.",
    ["method", "route"],
    buckets=BUCKETS,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_of(scope: Scope) -> str:
    """The route's template, so that there are as many labels as routes: "/b/{slug}"."""
    return str(cast("dict[str, Any]", scope).get("path_template") or "unmatched")


def observe(scope: Scope, status: int, seconds: float) -> None:
    given = str(scope.get("method", ""))
    method = given if given in METHODS else "other"
    route = route_of(scope)
    REQUESTS.labels(method, route, str(status)).inc()
    REQUEST_SECONDS.labels(method, route).observe(seconds)


def exposition() -> bytes:
    """All figures as text, summed over the processes where PROMETHEUS_MULTIPROC_DIR is set."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has no hint here
    return generate_latest(registry)
