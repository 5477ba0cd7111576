"""Giving a place on a date to somebody else, by the guest's link and by staff from the roster."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.hand_on import HandOn, hand_on, who_comes_instead
from src.booking.domain.kinds import By
from src.booking.domain.naming import LONGEST_NAME
from src.booking.guest_links import open_link
from src.booking.models import Seat
from src.booking.queries.hand_on_page import get_hand_on_page, why_no_date_chosen
from src.booking.views.handing_on import HandOnFacts
from src.booking.web.guest_leaving import limit_guest
from src.booking.web.guest_page import PRIVATE, PUBLIC
from src.booking.web.hub import uuid_of
from src.booking.web.roster import ONE
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.ratelimit import Limit
from src.platform.services import Services
from src.platform.web.forms import Bound, Email, bind, blank, read_form
from src.platform.web.pages import AnyRequest, flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.naming import on_one_line
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

HERE = "/b/{slug:str}/bookings/{token:str}/hand-on"
OF_SEAT = ONE + "/seats/{seat_id:uuid}/hand-on"
MAY_HAND_ON = [requires_member(Role.MANAGER)]
BY_ORDER = Limit("handing_on", 10, 24 * 60 * 60)
"""Each writes to an address that the guest typed."""


class HandOnForm(msgspec.Struct, kw_only=True):
    """Who comes instead of whoever has the `seat`."""

    seat: UUID
    name: Annotated[str, Meta(max_length=LONGEST_NAME)]
    address: Email


class HandOnView(msgspec.Struct, frozen=True, kw_only=True):
    """The form; `refusal` says why what was sent was not done."""

    form: Bound[HandOnForm]
    facts: HandOnFacts
    back: str
    crumbs: list[tuple[str, str]] = []
    refusal: str = ""


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Whose place, on which date; `seat_id` where staff chose it on the roster."""

    order_id: UUID
    session_id: UUID
    back: str
    template: str
    by: By = "guest"
    seat_id: UUID | None = None


@get(HERE, opt=PUBLIC, include_in_schema=False)
async def show_handing_on(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Nothing is done; `?date=` says which. Without one it leads to the booking and says why."""
    if "date" not in request.query_params:
        order_id = await open_link(services, ctx, token)
        async with services.uow_factory(ctx.here.id) as uow:
            said = await why_no_date_chosen(uow, ctx.here, order_id)
        if said:
            flash(request, "info", said)
        return redirect(request, request.scope["path"].removesuffix("/hand-on"))
    return await _show(request, services, ctx, await _of_link(request, services, ctx, token))


@post(HERE, opt=PUBLIC, status_code=200, include_in_schema=False)
async def send_handing_on(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    ctx: NamedDependency[RequestContext],
    services: NamedDependency[Services],
) -> Response[bytes]:
    """Pressed again it changes nothing."""
    asked = await _of_link(request, services, ctx, token)
    await limit_guest(request, services, asked.order_id)
    await services.limiter.check(BY_ORDER, str(asked.order_id))
    return await _send(request, services, ctx, asked)


@get(OF_SEAT, guards=MAY_HAND_ON, include_in_schema=False)
async def show_handing_on_by_staff(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    seat_id: FromPath[UUID],
) -> Response[bytes]:
    asked = await _of_roster(services, ctx, session_id, seat_id)
    return await _show(request, services, ctx, asked)


@post(OF_SEAT, guards=MAY_HAND_ON, status_code=200, include_in_schema=False)
async def send_handing_on_by_staff(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
    seat_id: FromPath[UUID],
) -> Response[bytes]:
    """The terms do not bind staff."""
    asked = await _of_roster(services, ctx, session_id, seat_id)
    return await _send(request, services, ctx, asked)


async def _of_link(
    request: AnyRequest, services: Services, ctx: RequestContext, token: str
) -> _Asked:
    """Raises: NotFound, Gone."""
    order_id = await open_link(services, ctx, token)
    session_id = uuid_of(request.query_params.get("date", ""))
    if session_id is None:
        raise NotFound(_("There is no such date in this booking."))
    return _Asked(
        order_id=order_id,
        session_id=session_id,
        back=request.scope["path"].removesuffix("/hand-on"),
        template="booking/guest/hand_on.html",
    )


async def _of_roster(
    services: Services, ctx: RequestContext, session_id: UUID, seat_id: UUID
) -> _Asked:
    """Raises: NotFound."""
    async with services.uow_factory(ctx.here.id) as uow:
        seat = await uow.session.get(Seat, (uow.tenant, seat_id))
    if seat is None or seat.session_id != session_id:
        raise NotFound(_("There is no such place in this session."))
    return _Asked(
        order_id=seat.order_id,
        session_id=session_id,
        back=f"/app/{ctx.here.slug}/sessions/{session_id}",
        template="booking/roster/hand_on.html",
        by="staff",
        seat_id=seat_id,
    )


async def _send(
    request: AnyRequest, services: Services, ctx: RequestContext, asked: _Asked
) -> Response[bytes]:
    form = bind(HandOnForm, await read_form(request))
    if form.struct is None:
        if not on_one_line(form.value("name")):
            form = form.with_errors({"name": who_comes_instead()})
        return await _show(request, services, ctx, asked, form)
    if asked.seat_id not in (None, form.struct.seat):
        raise NotFound(_("There is no such place in this session."))
    cmd = HandOn(
        order_id=asked.order_id,
        seat_id=form.struct.seat,
        name=form.struct.name,
        address=form.struct.address,
        session_id=asked.session_id,
        by=asked.by,
    )
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            await hand_on(uow, ctx, cmd)
    except InvalidInput as refusal:
        return await _show(request, services, ctx, asked, form.refused(refusal))
    except Conflict as refusal:
        return await _show(request, services, ctx, asked, form, refusal)
    said = _("Done. %(name)s has a mail with the date.", name=form.struct.name)
    flash(request, "success", said)
    return redirect(request, asked.back)


async def _show(
    request: AnyRequest,
    services: Services,
    ctx: RequestContext,
    asked: _Asked,
    form: Bound[HandOnForm] | None = None,
    refusal: Conflict | None = None,
) -> Response[bytes]:
    async with services.uow_factory(ctx.here.id) as uow:
        facts = await get_hand_on_page(
            uow, ctx.here, asked.order_id, asked.session_id, by=asked.by, seat_id=asked.seat_id
        )
    first = facts.people[0][0] if len(facts.people) == 1 else ""
    view = HandOnView(
        form=form or blank(HandOnForm, {"seat": first}),
        facts=facts,
        back=asked.back,
        crumbs=[(_("Sessions"), f"/app/{ctx.here.slug}/sessions"), (facts.what, asked.back)],
        refusal="" if refusal is None else refusal.message,
    )
    status = refusal.status if refusal is not None else 200 if form is None else 422
    headers = PRIVATE if asked.by == "guest" else None
    return page(request, asked.template, view, status_code=status, headers=headers)


route_handlers: list[Any] = [
    show_handing_on,
    send_handing_on,
    show_handing_on_by_staff,
    send_handing_on_by_staff,
]
