"""/b/<slug>/me/receipts: what a guest has paid, each with a receipt to print."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.portal_pages import find_fees
from src.billing.queries.receipts import get_receipt, list_receipts
from src.billing.views.receipts import ReceiptsView, ReceiptView
from src.booking.credit_words import given_lines
from src.booking.guest_links import booking_path
from src.booking.queries.credits_back import list_given_instead
from src.booking.queries.portal import is_booking
from src.booking.web.portal import page_of
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.portal_sections import portal_head
from src.tenants.web.portal import open_portal
from src.tenants.web.portal_sign_in import GUESTS, ME, PRIVATE

AnyRequest = Request[Any, Any, Any]
A_PAGE = 20


@get(f"{ME}/receipts", opt=GUESTS)
async def show_receipts(
    request: AnyRequest,
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    portal = await open_portal(request, services, ctx)
    number, here = page_of(request.query_params.get("page", "1")), f"{portal.path}/receipts"
    async with services.uow_factory(ctx.here.id) as uow:
        rows = await list_receipts(
            uow,
            ctx.here,
            portal.guest.customer_id,
            here,
            limit=A_PAGE + 1,
            offset=(number - 1) * A_PAGE,
        )
        fees = await find_fees(uow, portal) if number == 1 else None
        given = await list_given_instead(uow, [row.order_id for row in rows])
    rows = [
        msgspec.structs.replace(row, credits_given=len(given.get(row.order_id, ()))) for row in rows
    ]
    view = ReceiptsView(
        head=portal_head(portal, "receipts"),
        rows=rows[:A_PAGE],
        fees=fees,
        zone=ctx.here.zone,
        previous_href=f"{here}?page={number - 1}" if number > 1 else None,
        next_href=f"{here}?page={number + 1}" if len(rows) > A_PAGE else None,
    )
    return page(request, "billing/portal/receipts.html", view, headers=PRIVATE)


@get(f"{ME}/receipts/{{order_id:uuid}}", opt=GUESTS)
async def show_receipt(
    request: AnyRequest,
    order_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Raises: NotFound for what is another guest's."""
    portal = await open_portal(request, services, ctx)
    async with services.uow_factory(ctx.here.id) as uow:
        receipt, order = await get_receipt(uow, ctx.here, portal.guest.customer_id, order_id)
        has_page = await is_booking(uow, order_id)
        given = await list_given_instead(uow, [order_id])
    href = booking_path(services.settings, ctx.here.slug, order) if has_page else ""
    view = ReceiptView(
        receipt=receipt,
        business=ctx.here.name,
        contact_email=ctx.here.contact_email,
        contact_phone=ctx.here.contact_phone,
        back=f"{portal.path}/receipts",
        booking_href=href,
        credits_given=given_lines(given.get(order_id, []), ctx.here.zone),
        zone=ctx.here.zone,
    )
    return page(request, "billing/portal/receipt.html", view, headers=PRIVATE)


route_handlers: list[Any] = [show_receipts, show_receipt]
