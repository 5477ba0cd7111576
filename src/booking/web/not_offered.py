"""What a guest reads who looks for a date or a course that is not there."""

from typing import Any

import msgspec
from litestar import Request, Response

from src.booking.errors import NotOffered
from src.platform.web.pages import page
from src.tenants.web.middleware import context_of


class NotOfferedView(msgspec.Struct, frozen=True):
    """`service_href` leads to what else there is of the same."""

    message: str
    service_name: str
    service_href: str
    hub_href: str


def render_not_offered(request: Request[Any, Any, Any], error: NotOffered) -> Response[Any]:
    """An error renderer: a page of the business that leads on, for HTMX its notice alone."""
    hub_href = f"/b/{context_of(request).here.slug}"
    view = NotOfferedView(
        error.message, error.service_name, f"{hub_href}/{error.service_slug}", hub_href
    )
    return page(
        request,
        "booking/guest/not_offered.html",
        view,
        fragment="booking/guest/_not_offered.html",
        status_code=error.status,
    )
