"""/app/<slug>/sessions/<id>/minimum: how many people a session needs, and the answer for it."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.minimum import let_it_take_place, set_minimum
from src.booking.domain.minimum import USUAL_HOURS
from src.booking.queries.sessions import get_session_detail
from src.booking.views.sessions import SessionDetail
from src.booking.web.roster import ONE
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.forms import Bound, bind, blank, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_EDIT = [requires_member(Role.MANAGER)]
POST_OPTIONS: dict[str, Any] = {"guards": MAY_EDIT, "status_code": 200, "include_in_schema": False}
AnyRequest = Request[Any, Any, Any]


class MinimumForm(msgspec.Struct):
    """An empty number takes the minimum away."""

    min_seats: int | None = None
    decide_hours: int = USUAL_HOURS


class MinimumView(msgspec.Struct, frozen=True, kw_only=True):
    """The form with the session that it is about."""

    form: Any
    session: SessionDetail
    base: str
    here: str
    zone: str


@get(ONE + "/minimum", guards=MAY_EDIT, include_in_schema=False)
async def show_minimum(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
    minimum = session.minimum
    initial = {"min_seats": minimum.min_seats, "decide_hours": minimum.decide_hours or USUAL_HOURS}
    return _form(request, ctx, session, blank(MinimumForm, initial))


@post(ONE + "/minimum", **POST_OPTIONS)
async def save_minimum(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    bound = bind(MinimumForm, await read_form(request))
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id)
    form = bound.struct
    if form is None:
        return _form(request, ctx, session, bound)
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await set_minimum(
                uow, ctx, session_id, min_seats=form.min_seats, decide_hours=form.decide_hours
            )
    except InvalidInput as refused:
        return _form(request, ctx, session, bound.refused(refused))
    flash(request, "success", _("The minimum is saved."))
    return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}")


@post(ONE + "/go", **POST_OPTIONS)
async def let_go(
    request: AnyRequest,
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        await let_it_take_place(uow, ctx, session_id)
    flash(request, "success", _("It takes place, however many come."))
    return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}")


def _form(
    request: AnyRequest, ctx: RequestContext, session: SessionDetail, form: Bound[MinimumForm]
) -> Response[bytes]:
    base = f"/app/{ctx.here.slug}"
    view = MinimumView(
        form=form,
        session=session,
        base=base,
        here=f"{base}/sessions/{session.id}",
        zone=ctx.here.timezone,
    )
    status_code = 422 if form.errors or form.form_error else 200
    return page(request, "booking/roster/minimum.html", view, status_code=status_code)


route_handlers = [show_minimum, save_minimum, let_go]
