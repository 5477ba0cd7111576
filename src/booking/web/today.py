"""/app/<slug>/today: where the day begins."""

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from src.booking.queries.today import get_today
from src.booking.views.today import Today
from src.booking.web.sessions import led_by
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.gates import month_is_used_up
from src.tenants.views.plans import UpgradeView
from src.tenants.web.guards import requires_member
from src.tenants.web.upgrade_panel import upgrade_view


class TodayView(msgspec.Struct, frozen=True, kw_only=True):
    """`upgrade` is shown when this month's bookings are used up."""

    today: Today
    upgrade: UpgradeView | None
    now: datetime
    base: str
    public: str
    zone: str


@get("/app/{slug:str}/today", guards=[requires_member(Role.INSTRUCTOR)], include_in_schema=False)
async def show_today(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
) -> Response[bytes]:
    now = services.clock.now()
    async with services.uow_factory(ctx.here.id) as uow:
        today = await get_today(uow, ctx.here, now, led_by=led_by(ctx))
    is_used_up = today.business is not None and today.business.counter.is_used_up
    view = TodayView(
        today=today,
        upgrade=upgrade_view(ctx, month_is_used_up(ctx.here.entitlements)) if is_used_up else None,
        now=now,
        base=f"/app/{ctx.here.slug}",
        public=f"/b/{ctx.here.slug}",
        zone=ctx.here.timezone,
    )
    return page(request, "booking/today/today.html", view)


route_handlers = [show_today]
