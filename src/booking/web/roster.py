"""/app/<slug>/sessions/<id>: the session itself, who comes, and a list for the door."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from src.booking.commands.sessions import TIME_COLUMNS
from src.booking.queries.roster import get_roster, list_history
from src.booking.queries.sessions import get_session_detail
from src.booking.views.roster import HistoryLine, Roster
from src.booking.views.sessions import SessionDetail
from src.booking.web.sessions import led_by
from src.booking.web.sold_words import seat_words
from src.platform.i18n import _
from src.platform.services import Services
from src.platform.web.pages import page
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.INSTRUCTOR)]


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its roster; `history` is for those who run the business."""

    session: SessionDetail
    roster: Roster
    history: list[HistoryLine]
    base: str
    zone: str
    may_edit: bool
    has_ended: bool
    seat_words: dict[str, tuple[str, str]]
    payment_words: dict[str, tuple[str, str | None]]
    source_words: dict[str, str]
    action_words: dict[str, str]
    column_words: dict[str, str]


@get("/app/{slug:str}/sessions/{session_id:uuid}", guards=MAY_SEE, include_in_schema=False)
async def show_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    view = await _view(services, ctx, session_id)
    return page(request, "booking/roster/session.html", view)


@get("/app/{slug:str}/sessions/{session_id:uuid}/print", guards=MAY_SEE, include_in_schema=False)
async def show_door_list(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Names with a box to tick, on paper."""
    view = await _view(services, ctx, session_id)
    return page(request, "booking/roster/print.html", view)


async def _view(services: Services, ctx: RequestContext, session_id: UUID) -> SessionView:
    may_edit = ctx.actor.role is not Role.INSTRUCTOR
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id, led_by=led_by(ctx))
        roster = await get_roster(uow, session_id)
        history = await list_history(uow, session_id) if may_edit else []
    return SessionView(
        session=session,
        roster=roster,
        history=[_said(line) for line in history],
        base=f"/app/{ctx.here.slug}",
        zone=ctx.here.timezone,
        may_edit=may_edit,
        has_ended=session.ends_at <= services.clock.now(),
        seat_words=seat_words(),
        payment_words=payment_words(),
        source_words=source_words(),
        action_words=action_words(),
        column_words=column_words(),
    )


def _said(line: HistoryLine) -> HistoryLine:
    """A change of the time is a move; it is named only where something else has changed too."""
    if line.was is None or line.action != "session.changed":
        return line
    others = tuple(name for name in line.changed if name not in TIME_COLUMNS)
    rest = ("time", *others) if others else ()
    return msgspec.structs.replace(line, action="session.moved_by_hand", changed=rest)


def payment_words() -> dict[str, tuple[str, str | None]]:
    return {
        "free": (_("Free"), None),
        "paid": (_("Paid online"), "success"),
        "on_site": (_("To pay on site"), "warning"),
        "paid_on_site": (_("Paid on site"), "success"),
        "waived": (_("Nothing to pay"), None),
        "refunded": (_("Refunded"), "info"),
        "in_checkout": (_("In checkout"), "warning"),
    }


def source_words() -> dict[str, str]:
    return {
        "hub": _("Single date"),
        "staff": _("Booked by staff"),
        "api": _("Through the API"),
    }


def action_words() -> dict[str, str]:
    return {
        "session.published": _("Published"),
        "session.changed": _("Changed"),
        "session.moved_by_hand": _("Moved"),
        "session.cancelled": _("Cancelling asked for"),
        "session.cancellation_undone": _("Cancelling undone"),
        "session.moved": _("Moved with the business's time zone"),
    }


def column_words() -> dict[str, str]:
    return {
        "time": _("time"),
        "title": _("title"),
        "starts_at": _("start"),
        "ends_at": _("end"),
        "capacity": _("seats"),
        "mode": _("online or in person"),
        "meeting_url": _("meeting link"),
        "location_id": _("place"),
        "performer_id": _("led by"),
    }


route_handlers = [show_session, show_door_list]
