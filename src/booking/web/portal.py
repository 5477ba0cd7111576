"""/b/<slug>/me: a guest's own bookings at one business."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.queries.own_offerings import MENU, list_own_offerings
from src.booking.queries.portal import PAST_A_PAGE, list_past
from src.booking.views.collections import OfferingsView
from src.booking.views.portal import PastBookingsView, PortalHomeView
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.portal_sections import load_portal_sections, portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
LAST_PAGE = 500


@get(ME, opt=GUESTS)
async def show_portal(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """What waits for payment, what is to come, what else the guest has, and what is over."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        sections = await load_portal_sections(uow, portal)
    view = PortalHomeView(head=portal_head(portal, "bookings"), sections=sections)
    return page(request, "booking/portal/home.html", view, headers=PRIVATE)


@get(f"{ME}/past", opt=GUESTS)
async def show_past(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    number = page_of(request.query_params.get("page", "1"))
    start = (number - 1) * PAST_A_PAGE
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_past(uow, portal, limit=PAST_A_PAGE + 1, offset=start)
    here = f"{portal.path}/past?page="
    view = PastBookingsView(
        head=portal_head(portal, "bookings"),
        rows=rows[:PAST_A_PAGE],
        zone=ctx.here.zone,
        previous_href=f"{here}{number - 1}" if number > 1 else None,
        next_href=f"{here}{number + 1}" if len(rows) > PAST_A_PAGE else None,
    )
    return page(request, "booking/portal/past.html", view, headers=PRIVATE)


def page_of(typed: str) -> int:
    """The number of a page as it stands in an address; the first for what is none."""
    is_number = typed.isascii() and typed.isdigit() and len(typed) < 5
    return min(max(int(typed), 1), LAST_PAGE) if is_number else 1


@get(f"{ME}/offerings", opt=GUESTS)
async def show_offerings(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The collections in the guest's menu."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_own_offerings(uow, portal)
    view = OfferingsView(head=portal_head(portal, MENU), rows=rows)
    return page(request, "booking/portal/offerings.html", view, headers=PRIVATE)


route_handlers: list[Any] = [show_portal, show_past, show_offerings]
