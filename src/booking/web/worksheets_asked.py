"""What of worksheets stands on pages about something else: a booking's, and a customer's."""

from uuid import UUID

from src.billing.commands.orders import get_order
from src.booking.queries.worksheet_copies import (
    count_files_of,
    find_sheets_waiting,
    list_copies_of_customer,
    list_taken_back,
)
from src.booking.queries.worksheet_needs import find_asked
from src.booking.queries.worksheets import list_sheet_choices
from src.booking.views.worksheets import OfCustomer, WorksheetsWaiting
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.pages import AnyRequest
from src.tenants.context import RequestContext
from src.tenants.web.portal import has_portal_cookie, portal_guest, portal_path


async def worksheets_of_order(
    request: AnyRequest, services: Services, ctx: RequestContext, order_id: UUID
) -> WorksheetsWaiting | None:
    """What the customer of a confirmed booking, or a bought package, is to fill in.

    Only who is signed in as that customer is told what is left; anybody else reads what it asked of
    everyone, so that nobody learns from it whether an address is known, or reads answers by such a
    link. Where none was typed nothing is said, for no mail has gone.
    """
    async with services.uow_factory(ctx.here.id) as uow:
        taken_back = await list_taken_back(uow, order_id)
        asked = await find_asked(uow, [order_id])
        asked = [one for one in asked if one.worksheet_id not in taken_back]
        order = await get_order(uow, order_id) if asked else None
    if order is None:
        return None
    href = f"{portal_path(ctx)}/worksheets"
    guest = await portal_guest(request, services, ctx) if has_portal_cookie(request, ctx) else None
    if guest is None or guest.customer_id != order.customer_id:
        if not order.guest_email:
            return None
        items = [(one.title, "") for one in asked]
        return WorksheetsWaiting(items=items, href=href, is_known=False)
    async with services.uow_factory(ctx.here.id) as uow:
        return await find_sheets_waiting(uow, guest.customer_id, href)


async def sheets_of_customer(uow: UnitOfWork, customer_id: UUID) -> OfCustomer:
    return OfCustomer(
        rows=await list_copies_of_customer(uow, customer_id),
        files=await count_files_of(uow, customer_id),
        choices=await list_sheet_choices(uow),
        token=new_id(),
    )
