"""Cancelling a whole series: consequences first; its progress is that of any cancellation."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.cancel_series import cancel_series
from src.booking.queries.being_cancelled import list_going
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.cancellations import (
    dates_to_come,
    find_live_cancellation,
    list_dates_to_come,
    toll_of_series,
)
from src.booking.queries.series import get_series_overview
from src.booking.queries.sold_terms import list_packages_to_give
from src.booking.views.cancellations import Going, LostDate
from src.booking.views.returns import MoneyAsked
from src.booking.views.series import SeriesHead
from src.booking.web.cancellation_money import CancelForm, money_asked
from src.booking.web.cancellations import MAY_CANCEL, POST_OPTIONS, cancel, to_progress
from src.booking.web.toll_words import Fact, cancelled_people, toll_facts
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, blank
from src.platform.web.pages import page
from src.tenants.context import RequestContext

HERE = "/app/{slug:str}/series/{series_id:uuid}/cancel"
AnyRequest = Request[Any, Any, Any]


class CancelSeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """What cancelling the series would do; `why_not` when no date is left to cancel, `going` while
    places of its dates are being cancelled.
    """

    form: Any
    series: SeriesHead
    facts: list[Fact]
    people: list[Fact]
    more: int
    dates: list[LostDate]
    money: MoneyAsked | None
    why_not: str | None
    going: list[Going]
    base: str
    zone: str
    undo_seconds: int


@get(HERE, guards=MAY_CANCEL, include_in_schema=False)
async def ask_cancel_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    return await _ask(request, services, ctx, series_id, blank(CancelForm))


@post(HERE, **POST_OPTIONS)
async def do_cancel_series(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    series_id: FromPath[UUID],
) -> Response[bytes]:
    async def ask_again(form: Bound[CancelForm]) -> Response[bytes]:
        return await _ask(request, services, ctx, series_id, form, status_code=422)

    return await cancel(request, services, ctx, cancel_series, series_id, ask_again)


async def _ask(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    series_id: UUID,
    form: Bound[CancelForm],
    *,
    status_code: int = 200,
) -> Response[bytes]:
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        overview = await get_series_overview(uow, series_id, now)
        live = await find_live_cancellation(uow, series_id)
        toll = await toll_of_series(uow, series_id, now)
        dates = await list_dates_to_come(uow, series_id, now)
        able = await list_returnable(uow, ctx.here, dates_to_come(series_id, now))
        packages = await list_packages_to_give(uow)
        going = await list_going(uow, dates_to_come(series_id, now))
    if live is not None:
        return to_progress(request, ctx, live)
    view = CancelSeriesView(
        form=form,
        series=overview.head,
        facts=toll_facts(toll, ctx.here.currency, chooses=bool(able)),
        people=cancelled_people(toll, ctx.here.currency, ctx.here.zone),
        more=toll.more,
        dates=dates,
        money=money_asked(able, ctx.here.currency, ctx.here.zone, packages),
        why_not=None if dates else _("No date of this series is left to cancel."),
        going=going,
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        undo_seconds=services.settings.undo_window_seconds,
    )
    return page(request, "booking/cancellations/series.html", view, status_code=status_code)


route_handlers: list[Any] = [ask_cancel_series, do_cancel_series]
