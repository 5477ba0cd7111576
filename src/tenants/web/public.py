"""The public face of the platform: what it is and what it costs."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.queries.plans import list_public_plans

FOR_EVERYONE = {"public": "Strangers read what this is and what it costs."}


@get("/", opt=FOR_EVERYONE, include_in_schema=False)
async def show_front_page(
    request: Request[Any, Any, Any], services: NamedDependency[Services]
) -> Response[bytes]:
    async with services.uow_factory(None) as uow:
        prices = await list_public_plans(uow)
    return page(request, "public/home.html", prices)
