"""Every refusal and failure as the asker can read it: a page, a part of one, or a problem document.

Refusals carry their own sentence. What the framework says is in English and about parameters, so
its status decides the sentence; what a fault says stays in the log, under the id that is shown.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
import structlog
from jinja2 import TemplateNotFound
from litestar import Response
from litestar.exceptions import HTTPException, ValidationException
from markupsafe import escape

from src.platform.errors import (
    DomainError,
    PlanLimitReached,
    TooManyRequests,
)
from src.platform.i18n import _
from src.platform.outages import as_unavailable
from src.platform.web.cookies import header_of
from src.platform.web.csrf import CsrfFailed
from src.platform.web.exchange import NOT_KEPT, exchange_of
from src.platform.web.pages import AnyRequest, PageContext, html_response, redirect, render

PROBLEM_TYPE = "application/problem+json"
SIGN_IN_PATH = "/sign-in"
GUEST_PATH = "/b/"
RETRY_SECONDS_WHEN_UNAVAILABLE = 5

ErrorRenderer = Callable[[AnyRequest, Any], Response[Any] | None]

log = structlog.get_logger(__name__)


class ErrorView(msgspec.Struct, frozen=True):
    """What an error page shows; without a `message` the page's own words stand."""

    status: int
    code: str
    message: str | None
    request_id: str
    fields: dict[str, str] = {}
    retry_after_seconds: int | None = None


def exception_handlers() -> dict[int | type[Exception], Callable[[AnyRequest, Any], Response[Any]]]:
    """For `Litestar(exception_handlers=...)`; app-level ones also see what middleware raises."""
    return {DomainError: render_error, HTTPException: render_error, Exception: render_error}


def render_error(request: AnyRequest, error: Exception) -> Response[Any]:
    """The answer to any exception, in the form that was asked for."""
    outage = as_unavailable(error)
    if outage is not None:
        log.error("server_does_not_answer", reason=repr(error))
        error = outage
    view = _view_of(request, error)
    if view.status >= 500:
        _log_failure(error, view)
    if isinstance(error, CsrfFailed):
        exchange_of(request.scope).forget_csrf()
    response = _response(request, error, view)
    response.headers.update(_headers_of(error, view))
    return response


def _response(request: AnyRequest, error: Exception, view: ErrorView) -> Response[Any]:
    if wants_json(request):
        return problem(error, view, names_plans=not request.scope["path"].startswith(GUEST_PATH))
    for kind, renderer in exchange_of(request.scope).kit.error_renderers.items():
        if isinstance(error, kind) and (own := renderer(request, error)) is not None:
            return own
    if view.status == 401:
        return _to_sign_in(request)
    return _html(request, view)


def wants_json(request: AnyRequest) -> bool:
    """Whether a program asks: below /api, or by an Accept header with JSON and no HTML in it."""
    if request.scope["path"].startswith("/api/"):
        return True
    accept = header_of(request.scope, b"accept")
    return "json" in accept and "text/html" not in accept


def _view_of(request: AnyRequest, error: Exception) -> ErrorView:
    request_id = exchange_of(request.scope).request_id
    if isinstance(error, DomainError):
        retry = error.retry_after_seconds if isinstance(error, TooManyRequests) else None
        return ErrorView(error.status, error.code, error.message, request_id, error.fields, retry)
    status = error.status_code if isinstance(error, HTTPException) else 500
    return ErrorView(status, _phrase(status).lower().replace(" ", "_"), None, request_id)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"


def _headers_of(error: Exception, view: ErrorView) -> dict[str, str]:
    headers: dict[str, str] = {"cache-control": NOT_KEPT}
    if isinstance(error, HTTPException):
        headers.update(error.headers or {})
    if view.retry_after_seconds is not None:
        headers["retry-after"] = str(view.retry_after_seconds)
    elif view.status == 503:
        headers["retry-after"] = str(RETRY_SECONDS_WHEN_UNAVAILABLE)
    return headers


def _log_failure(error: Exception, view: ErrorView) -> None:
    if isinstance(error, DomainError):
        log.warning("request_refused", code=view.code, status=view.status, reason=error.message)
        return
    log.error("request_failed", status=view.status, exc_info=error)


def problem(error: Exception, view: ErrorView, *, names_plans: bool = True) -> Response[bytes]:
    """The refusal as RFC 9457 has it; `code` is for programs, `errors` are by field.

    What plan a business is on is not for its guests: without `names_plans` nothing of it is said.
    """
    document: dict[str, Any] = {
        "type": f"urn:seatline:problem:{view.code}",
        "title": _phrase(view.status),
        "status": view.status,
        "detail": view.message or _words(view.status),
        "code": view.code,
        "request_id": view.request_id,
    }
    if isinstance(error, PlanLimitReached) and names_plans:
        document |= _plan_members(error)
    errors = view.fields or _validation_errors(error)
    if errors:
        document["errors"] = errors
        document["detail"] = view.message or _("Please look at the marked fields.")
    body = msgspec.json.encode(document)
    headers = {"www-authenticate": "Bearer"} if view.status == 401 else {}
    return Response(body, media_type=PROBLEM_TYPE, status_code=view.status, headers=headers)


def _words(status: int) -> str:
    """For a program's author; fields that are to blame are told beside it."""
    if status == HTTPStatus.BAD_REQUEST:
        return _("The body of this request cannot be read. Please send well-formed JSON.")
    return _phrase(status)


def _plan_members(error: PlanLimitReached) -> dict[str, str | None]:
    wanted = {"feature": error.feature} if error.feature else {"limit": error.limit}
    return {
        **wanted,
        "current_plan": error.current_plan,
        "cheapest_plan": error.cheapest_plan,
        "cheapest_bolt_on": error.cheapest_bolt_on,
    }


def _validation_errors(error: Exception) -> dict[str, str]:
    """What the framework found wrong in an API's body or query, by the name of the field."""
    if not isinstance(error, ValidationException) or not isinstance(error.extra, list):
        return {}
    found: dict[str, str] = {}
    for item in error.extra:
        if isinstance(item, Mapping):
            found[str(item.get("key", ""))] = str(item.get("message", ""))
    return found


def _to_sign_in(request: AnyRequest) -> Response[Any]:
    """To the sign-in page, and afterwards back to where the person was."""
    if request.method in {"GET", "HEAD"}:
        query = request.scope["query_string"].decode("latin-1")
        back = request.scope["path"] + (f"?{query}" if query else "")
    else:
        back = "/"
    return redirect(request, f"{SIGN_IN_PATH}?next={quote(back, safe='/')}")


def _html(request: AnyRequest, view: ErrorView) -> Response[bytes]:
    """The first template there is of the error's own, the general one, and a plain one.

    Nothing may fail here: where the full page cannot be made, because what broke is a part of it,
    the plain one stands in.
    """
    exchange = exchange_of(request.scope)
    names = [f"errors/{view.status}.html", "errors/error.html"]
    if exchange.wants_fragment:
        names = ["errors/_fragment.html"]
    context = PageContext(
        request,
        cache_policy=NOT_KEPT,
        is_to_be_sent_again=_is_to_be_sent_again(view.status),
    )
    for name in names:
        try:
            body = render(exchange.kit.environment, name, context, error=view)
            return html_response(body, view.status)
        except TemplateNotFound:
            continue
        except Exception:
            log.exception("error_page_failed", template=name)
            break
    return html_response(_plain(view, exchange.wants_fragment), view.status)


def _is_to_be_sent_again(status: int) -> bool:
    """Whether loading the page anew has to send the form that failed, and not get an empty one.

    A failure may have come after what was asked for was done. Only the same form, with the token
    in it, finds that again; a new one would do it twice. What came too fast is right as it is.
    """
    return status >= 500 or status == HTTPStatus.TOO_MANY_REQUESTS


def _plain(view: ErrorView, is_fragment: bool) -> bytes:
    message = view.message or _("This did not work. Please reload the page and try again.")
    words = f"<p>{escape(message)}</p><p><small>{escape(view.request_id)}</small></p>"
    if is_fragment:
        return f'<div role="alert">{words}</div>'.encode()
    head = f'<meta charset="utf-8"><title>{view.status}</title>'
    return f"<!doctype html><html><head>{head}</head><body>{words}</body></html>".encode()
