"""Whether this process lives, whether it can work, and its figures."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from litestar import Request, Response, get

from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.cookies import header_of
from src.platform.web.exchange import exchange_of
from src.platform.web.metrics import CONTENT_TYPE, exposition

Check = Callable[[], Awaitable[object]]

CHECK_SECONDS = 2.0
OPERATIONS: dict[str, Any] = {"public": True, "quiet": True}

log = structlog.get_logger(__name__)


@get("/healthz", opt=OPERATIONS, include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process answers; says nothing of what it depends on."""
    return {"status": "ok"}


@get("/readyz", opt=OPERATIONS, include_in_schema=False)
async def readyz(request: Request[Any, Any, Any]) -> Response[dict[str, str]]:
    """200 when everything that a request needs answers too, 503 when not."""
    checks = exchange_of(request.scope).kit.readiness_checks
    results = await run_checks(checks)
    is_ready = all(result == "ok" for result in results.values())
    return Response(results, status_code=200 if is_ready else 503)


async def run_checks(checks: Mapping[str, Check]) -> dict[str, str]:
    """What each check came to, "ok" or "failed"; the reason goes to the log, not to strangers."""
    outcomes = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
    return dict(zip(checks, ("ok" if passed else "failed" for passed in outcomes), strict=True))


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as error:  # noqa: BLE001  whatever goes wrong means not ready
        log.warning("readiness_check_failed", check=name, reason=repr(error))
        return False
    return True


@get("/metrics", opt=OPERATIONS, include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Figures for Prometheus; with a configured token only for `Authorization: Bearer <token>`.

    In production nobody gets them without one: they tell what is sold, and how much.
    """
    kit = exchange_of(request.scope).kit
    token = kit.metrics_token
    if token is None and kit.metrics_need_token:
        raise NotFound(_("This page does not exist."))
    if token is not None:
        given = header_of(request.scope, b"authorization").encode("latin-1", "replace")
        if not hmac.compare_digest(given, f"Bearer {token}".encode()):
            raise NotFound(_("This page does not exist."))
    return Response(exposition(), media_type=CONTENT_TYPE)
