"""The JSON API, version 1."""

from typing import Any

from litestar import Request, Response, Router, get
from litestar.di import NamedDependency

from src.booking.web.api import (
    bookings,
    cancellations,
    catalogue,
    collections,
    drop_in,
    packages,
    seats,
    waitlists,
)
from src.booking.web.api.schema import api_schema, operations
from src.platform.ratelimit import API_BY_KEY
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.web.guards import requires_api_key
from src.tenants.web.middleware import bearer_of

PREFIX = "/api/v1"
FOR_EVERYONE = {"public": "What the API can do is no secret.", "session": False}


async def limit_key(request: Request[Any, Any, Any]) -> None:
    """So many calls a minute for each key. Raises: TooManyRequests."""
    services: Services = request.app.state.services
    await services.limiter.check(API_BY_KEY, (bearer_of(request.scope) or "")[:67])


@get(f"{PREFIX}/openapi.json", opt=FOR_EVERYONE, include_in_schema=False)
async def show_schema() -> dict[str, Any]:
    return api_schema()


@get(f"{PREFIX}/docs", opt=FOR_EVERYONE, include_in_schema=False)
async def show_docs(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    return page(request, "booking/api_docs.html", operations(services.settings.base_url))


api_router = Router(
    path=PREFIX,
    guards=[requires_api_key],
    before_request=limit_key,
    opt={"csrf_exempt": True},
    route_handlers=[
        *drop_in.route_handlers,
        *catalogue.route_handlers,
        *bookings.route_handlers,
        *seats.route_handlers,
        *cancellations.route_handlers,
        *waitlists.route_handlers,
        *packages.route_handlers,
        *collections.route_handlers,
    ],
)

route_handlers = [show_schema, show_docs, api_router]
