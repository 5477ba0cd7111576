"""The calendar of all that a customer books: asked for, made and ended, and ended by staff."""

from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.billing.commands.orders import get_order
from src.booking.calendar_links import LinkedCustomer, customer_behind, hold_customer
from src.booking.commands.feeds import (
    FeedMadeBefore,
    ask_for_calendar,
    make_customer_feed,
    revoke_customer_feed,
    stop_sharing_customer,
)
from src.booking.domain.kinds import FeedKind
from src.booking.guest_links import open_link
from src.booking.queries.feeds import find_customer_feed
from src.booking.views.feeds import FeedsView
from src.booking.web.customer import ONE
from src.booking.web.customers import POST_OPTIONS, customers_path
from src.booking.web.feeds import (
    GUESTS,
    PRIVATE,
    PUBLIC,
    feed_part,
    feed_token,
    shown_before,
    stopped_words,
)
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext

AnyRequest = Request[Any, Any, Any]

PUBLIC_PAGE = {
    "public": "The signed link went to the customer's own address.",
    "while_suspended": True,
}
HOME = "/b/{slug:str}/calendar/{calendar:str}"
ASKED_BY_CUSTOMER = Limit("customer-calendar-asked", 3, 60 * 60)
MADE_BY_CUSTOMER = Limit("customer-calendar-made", 20, 10 * 60)


@post(f"{GUESTS}/all", opt=PUBLIC, status_code=200)
async def ask_for_all_dates(
    request: AnyRequest,
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """The same answer whatever is known of the customer: who has a booking's link may be anybody
    whom it was handed to.
    """
    order_id = await open_link(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        customer_id = (await get_order(uow, order_id)).customer_id
    await services.limiter.check(ASKED_BY_CUSTOMER, str(customer_id))
    async with services.uow_factory(ctx.here.id) as uow:
        await ask_for_calendar(uow, order_id)
    said = _(
        "If %(business)s has an e-mail address of yours, a link to all your dates is on its way"
        " there.",
        business=ctx.here.name,
    )
    flash(request, "success", said)
    return redirect(request, f"/b/{ctx.here.slug}/bookings/{token}/feed")


@get(HOME, opt=PUBLIC_PAGE)
async def show_customer_feed(
    request: AnyRequest,
    calendar: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Where a customer shares all their dates with their calendar program."""
    return await _page(request, services, ctx, calendar)


@post(HOME, opt=PUBLIC_PAGE, status_code=200)
async def share_all_dates(
    request: AnyRequest,
    calendar: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Answers with the address itself, in a page that no cache keeps."""
    linked = _behind(services, ctx, calendar)
    await services.limiter.check(MADE_BY_CUSTOMER, str(linked.customer_id))
    feed_id = await feed_token(request)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            made = await make_customer_feed(uow, linked, feed_id)
    except FeedMadeBefore:
        return shown_before(request, f"/b/{ctx.here.slug}/calendar/{calendar}")
    return await _page(request, services, ctx, calendar, made)


@post(f"{HOME}/revoke", opt=PUBLIC_PAGE, status_code=200)
async def stop_sharing_all_dates(
    request: AnyRequest,
    calendar: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    linked = _behind(services, ctx, calendar)
    async with services.uow_factory(ctx.here.id) as uow:
        await revoke_customer_feed(uow, [await hold_customer(uow, linked)])
    flash(request, "success", stopped_words())
    return redirect(request, f"/b/{ctx.here.slug}/calendar/{calendar}")


@post(f"{ONE}/calendar/revoke", **POST_OPTIONS)
async def end_customer_feed(
    request: AnyRequest,
    customer_id: FromPath[UUID],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await stop_sharing_customer(uow, ctx, customer_id)
    flash(request, "success", stopped_words())
    return redirect(request, f"{customers_path(ctx)}/{customer_id}")


def _behind(services: Services, ctx: RequestContext, token: str) -> LinkedCustomer:
    """Raises: NotFound, Gone."""
    return customer_behind(services.settings, token, ctx.here.id, services.clock.now())


async def _page(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    token: str,
    made: str | None = None,
) -> Response[bytes]:
    linked = _behind(services, ctx, token)
    async with services.uow_factory(ctx.here.id) as uow:
        row = await find_customer_feed(uow, await hold_customer(uow, linked))
    part = feed_part(
        services,
        ctx,
        FeedKind.CUSTOMER,
        _("All your dates at %(business)s", business=ctx.here.name),
        _("What you book later comes by itself, and what is moved or cancelled follows."),
        f"/b/{ctx.here.slug}/calendar/{token}",
        row,
        {} if made is None else {FeedKind.CUSTOMER: made},
    )
    view = FeedsView(parts=[part], back=f"/b/{ctx.here.slug}", zone=ctx.here.timezone)
    return page(request, "booking/guest/all_dates.html", view, headers=PRIVATE)


route_handlers: list[Any] = [
    ask_for_all_dates,
    show_customer_feed,
    share_all_dates,
    stop_sharing_all_dates,
    end_customer_feed,
]
