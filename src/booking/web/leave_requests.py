"""/app/<slug>/leave-requests/...: a guest asks to leave a course; accept, or decline with words."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.leave_requests import decline_leaving
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.cancellations import toll_of_purchase
from src.booking.queries.leave_requests import get_leave_request, get_purchase_money
from src.booking.queries.lost import list_lost_dates
from src.booking.queries.purchases import left_of_purchase
from src.booking.views.cancellations import LostDate, Toll
from src.booking.views.leaving import LeaveAsked, PurchaseMoney
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_DECIDE = [requires_member(Role.MANAGER)]
TEMPLATE = "booking/customers/leave_request.html"

AnyRequest = Request[Any, Any, Any]


class DeclineForm(msgspec.Struct, kw_only=True):
    answer: Annotated[str, Meta(max_length=2000)] = ""


class LeaveRequestView(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked for, and while it is open what hangs on it: the `dates` that are left, what
    was paid, what the guest's terms give back now, in money and in credits, if anything can go
    back, and in `toll` what is not paid yet and falls away.
    """

    asked: LeaveAsked
    money: PurchaseMoney
    toll: Toll
    dates: list[LostDate]
    terms_minor: int | None
    terms_credits: int
    form: Any
    base: str
    zone: str


@get("/app/{slug:str}/leave-requests/{request_id:uuid}", guards=MAY_DECIDE, include_in_schema=False)
async def show_leave_request(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    return await _page(request, services, ctx, request_id, blank(DeclineForm))


@post(
    "/app/{slug:str}/leave-requests/{request_id:uuid}",
    guards=MAY_DECIDE,
    status_code=200,
    include_in_schema=False,
)
async def decline_leave_request(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    request_id: FromPath[UUID],
) -> Response[bytes]:
    """Declines it. Accepting it is cancelling the purchase, which has a page of its own."""
    bound = bind(DeclineForm, await read_form(request))
    if bound.struct is None:
        return await _page(request, services, ctx, request_id, bound, status_code=422)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await decline_leaving(uow, ctx, request_id, bound.struct.answer)
    except Conflict as too_late:
        flash(request, "warning", str(too_late))
        return redirect(request, f"/app/{ctx.here.slug}/leave-requests/{request_id}")
    except InvalidInput as refused:
        bound = bound.refused(refused)
        return await _page(request, services, ctx, request_id, bound, status_code=422)
    flash(request, "success", _("The guest is told by mail and keeps the course."))
    return redirect(request, f"/app/{ctx.here.slug}/today")


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    request_id: UUID,
    form: Bound[DeclineForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        asked, now = await get_leave_request(uow, request_id), uow.clock.now()
        money = await get_purchase_money(uow, asked.purchase_id)
        toll = await toll_of_purchase(uow, asked.purchase_id, now)
        dates = await list_lost_dates(uow, asked.purchase_id, now)
        which = left_of_purchase(asked.purchase_id, now)
        able = await list_returnable(uow, ctx.here, which)
    view = LeaveRequestView(
        asked=asked,
        money=money,
        toll=toll,
        dates=dates,
        terms_minor=sum(one.terms_minor for one in able) if able else None,
        terms_credits=sum(len(one.terms_ids) for one in able),
        form=form,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
    )
    return page(request, TEMPLATE, view, status_code=status_code)


route_handlers: list[Any] = [show_leave_request, decline_leave_request]
