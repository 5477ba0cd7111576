"""/app/<slug>/sessions/<id>: the session itself, who comes, and lists for the door."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from src.booking.commands.attendance import Ticked, mark_attendance
from src.booking.commands.sessions import TIME_COLUMNS
from src.booking.domain.attendance import why_not_tick
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.queries.customers import list_notes_of
from src.booking.queries.finding import find_session
from src.booking.queries.roster import get_roster
from src.booking.queries.roster_history import list_history
from src.booking.queries.sessions import get_session_detail
from src.booking.queries.waitlist_counts import count_waiting
from src.booking.views.finding import Found
from src.booking.views.roster import HistoryLine, Roster, RosterSeat
from src.booking.views.sessions import SessionDetail
from src.booking.waitlist_words import not_counted_words
from src.booking.web.roster_words import (
    SHOWN,
    Tab,
    action_words,
    column_words,
    consent_words,
    payment_words,
    roster_tabs,
    source_words,
)
from src.booking.web.seen_seats import overtaken_words, seen_seats
from src.booking.web.sessions import led_by
from src.booking.web.sold_words import door_words
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _, ngettext
from src.platform.services import Services
from src.platform.web.exchange import exchange_of
from src.platform.web.formats import datetime_local, time_short
from src.platform.web.forms import bind, form_data, read_form
from src.platform.web.pages import flash, page, redirect
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.web.guards import requires_member

MAY_SEE = [requires_member(Role.INSTRUCTOR)]
ONE = "/app/{slug:str}/sessions/{session_id:uuid}"
MOST_TICKED = 1000
MARKS = (SeatState.ATTENDED, SeatState.NO_SHOW, SeatState.CONFIRMED)


class RosterQuery(msgspec.Struct):
    """Which part of the roster is shown; on paper, whether with the `notes` of staff. `ticked` is
    the seat that was ticked just before.
    """

    show: Annotated[str, Meta(max_length=20)] = "all"
    ticked: UUID | None = None
    notes: bool = False


class AttendanceForm(msgspec.Struct):
    """What the seats are to be: attended, no_show, or confirmed, which takes a tick back; and what
    they `was`, each, on the page.
    """

    wanted: Annotated[str, Meta(max_length=20)]
    seat_ids: Annotated[list[UUID], Meta(max_length=MOST_TICKED)] = []
    was: list[Annotated[str, Meta(max_length=60)]] = []
    show: Annotated[str, Meta(max_length=20)] = "all"


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session with its roster; `history` is for those who run the business.

    `listed` is the part of those coming that `shown` names; `why_not` says of each mark why nobody
    can be given it now, None where they can; `said` is what has just been done, and `left` the seat
    that has left this part of the list by it. So many entries are `waiting` for a place in it.
    `notes` are those of staff, by customer, where they are asked for. `found`, for those who run
    the business, says how guests find it; `not_counted` names the places that do not count for its
    minimum.
    """

    session: SessionDetail
    roster: Roster
    listed: list[RosterSeat]
    shown: str
    tabs: list[Tab]
    why_not: dict[str, str | None]
    said: tuple[str, str] | None
    left: RosterSeat | None
    waiting: int
    found: Found | None
    not_counted: str
    history: list[HistoryLine]
    base: str
    zone: str
    may_edit: bool
    has_ended: bool
    has_started: bool
    now: datetime
    seat_words: dict[str, tuple[str, str]]
    payment_words: dict[str, tuple[str, str | None]]
    source_words: dict[str, str]
    consent_words: dict[str, str]
    action_words: dict[str, str]
    column_words: dict[str, str]
    notes: dict[UUID, list[str]] = {}

    def told(self, at: datetime) -> str:
        """The time, with its date where that is not today."""
        zone = ZoneInfo(self.zone)
        is_today = at.astimezone(zone).date() == self.now.astimezone(zone).date()
        return time_short(at, zone) if is_today else datetime_local(at, zone)


@get(ONE, guards=MAY_SEE, include_in_schema=False)
async def show_session(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    asked = bind(RosterQuery, form_data(request.query_params.dict())).struct
    ticked = asked.ticked if asked is not None else None
    view = await roster_view(services, ctx, session_id, _shown(request), ticked=ticked)
    return page(request, "booking/roster/session.html", view)


@get(ONE + "/print", guards=MAY_SEE, include_in_schema=False)
async def show_door_list(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Names with a box to tick, on paper. What staff noted about guests is on it only for who runs
    the business and asks for it, since paper lies around.
    """
    view = await roster_view(services, ctx, session_id, _shown(request))
    wanted = bind(RosterQuery, form_data(request.query_params.dict())).struct
    if view.may_edit and wanted is not None and wanted.notes:
        customer_ids = {seat.customer_id for seat in view.listed if seat.staff_notes}
        async with services.uow_factory(ctx.here.id) as uow:
            notes = await list_notes_of(uow, customer_ids)
        view = msgspec.structs.replace(view, notes=notes)
    return page(request, "booking/roster/print.html", view)


@post(ONE + "/attendance", guards=MAY_SEE, status_code=200, include_in_schema=False)
async def tick(
    request: Request[Any, Any, Any],
    services: NamedDependency[Services],
    ctx: NamedDependency[RequestContext],
    session_id: FromPath[UUID],
) -> Response[bytes]:
    """Ticks one seat or many; answers with the roster, or for HTMX with the part that changed."""
    form = bind(AttendanceForm, await read_form(request)).struct
    shown = form.show if form is not None and form.show in SHOWN else "all"
    said, ticked = await _tick(services, ctx, session_id, form)
    if exchange_of(request.scope).is_htmx:
        view = await roster_view(services, ctx, session_id, shown, said, ticked)
        return page(request, "booking/roster/_coming.html", view)
    flash(request, "success" if said[0] == "success" else "warning", said[1])
    query = "" if shown == "all" else f"?show={shown}"
    query += f"&ticked={ticked}" if query and ticked is not None else ""
    return redirect(request, f"/app/{ctx.here.slug}/sessions/{session_id}{query}#coming")


async def _tick(
    services: Services, ctx: RequestContext, session_id: UUID, form: AttendanceForm | None
) -> tuple[tuple[str, str], UUID | None]:
    """Tone and sentence of what became of it, and the one seat that is as wanted now."""
    async with services.uow_factory(ctx.here.id) as uow:
        await get_session_detail(uow, session_id, led_by=led_by(ctx))
    if form is None or form.wanted not in MARKS or not form.seat_ids:
        return ("warning", _("Tick at least one guest first.")), None
    only = form.seat_ids[0] if len(form.seat_ids) == 1 else None
    try:
        async with services.uow_factory(ctx.here.id) as uow:
            wanted = SeatState(form.wanted)
            was = seen_seats(form.was)
            done = await mark_attendance(uow, ctx, session_id, form.seat_ids, wanted, was)
            is_named = done.overtaken or (only is not None and done.changed)
            names = await _names(uow, session_id) if is_named else {}
    except Conflict as refused:
        return ("warning", refused.message), only
    sentence = _said_of(wanted, done, names.get(only, "") if only is not None else "")
    if done.overtaken:
        sentence = f"{sentence} {overtaken_words(done.overtaken, names)}".strip()
        return ("warning", sentence), None
    return ("success" if done.changed else "warning", sentence), only


async def _names(uow: UnitOfWork, session_id: UUID) -> dict[UUID, str]:
    return {seat.seat_id: seat.name for seat in (await get_roster(uow, session_id)).coming}


def _marked_words(wanted: SeatState, changed: int, name: str) -> str:
    """Of one seat, whose it is."""
    if name:
        return {
            SeatState.ATTENDED: _("%(name)s is here.", name=name),
            SeatState.NO_SHOW: _("%(name)s did not come.", name=name),
            SeatState.CONFIRMED: _("Taken back for %(name)s.", name=name),
        }[wanted]
    return {
        SeatState.ATTENDED: ngettext("%(num)s is here.", "%(num)s are here.", changed),
        SeatState.NO_SHOW: ngettext("%(num)s did not come.", "%(num)s did not come.", changed),
        SeatState.CONFIRMED: ngettext(
            "Taken back for %(num)s.", "Taken back for %(num)s.", changed
        ),
    }[wanted]


def _said_of(wanted: SeatState, done: Ticked, name: str) -> str:
    said = _marked_words(wanted, done.changed, name)
    sentences = [said] if done.changed else []
    if done.fees:
        sentences.append(
            ngettext(
                "Asked in a day: %(num)s fee. Until then it can be forgiven, at Orders, Fees.",
                "Asked in a day: %(num)s fees. Until then they can be forgiven, at Orders, Fees.",
                done.fees,
            )
        )
    if done.passed_over:
        sentences.append(
            ngettext(
                "%(num)s was so already, or has no place any more.",
                "%(num)s were so already, or have no place any more.",
                done.passed_over,
            )
        )
    if done.being_cancelled:
        sentences.append(
            ngettext(
                "%(num)s is being cancelled and stays as it is.",
                "%(num)s are being cancelled and stay as they are.",
                done.being_cancelled,
            )
        )
    return " ".join(sentences or ([] if done.overtaken else [said]))


def _shown(request: Request[Any, Any, Any]) -> str:
    wanted = bind(RosterQuery, form_data(request.query_params.dict())).struct
    return wanted.show if wanted is not None and wanted.show in SHOWN else "all"


async def roster_view(
    services: Services,
    ctx: RequestContext,
    session_id: UUID,
    shown: str,
    said: tuple[str, str] | None = None,
    ticked: UUID | None = None,
) -> SessionView:
    """Raises: NotFound, for another instructor's session too."""
    may_edit = ctx.actor.role is not Role.INSTRUCTOR
    async with services.uow_factory(ctx.here.id) as uow:
        session = await get_session_detail(uow, session_id, led_by=led_by(ctx))
        roster = await get_roster(uow, session_id)
        history = await list_history(uow, session_id) if may_edit else []
        waiting = await count_waiting(uow, session_id) if may_edit else 0
        found = await find_session(uow, ctx.here, session_id) if may_edit else None
    base, now = f"/app/{ctx.here.slug}", services.clock.now()
    return SessionView(
        session=session,
        roster=roster,
        listed=[seat for seat in roster.coming if SHOWN[shown](seat)],
        shown=shown,
        tabs=roster_tabs(roster, shown, f"{base}/sessions/{session_id}"),
        why_not=_why_not(services, ctx, session),
        said=said,
        left=next((seat for seat in roster.coming if _has_left(seat, ticked, shown)), None),
        waiting=waiting,
        found=found,
        not_counted=not_counted_words(session.minimum.unpaid, session.on_offer),
        history=[_said(line) for line in history],
        base=base,
        zone=ctx.here.timezone,
        may_edit=may_edit,
        has_ended=session.ends_at <= now,
        has_started=session.starts_at <= now,
        now=now,
        seat_words=door_words(),
        payment_words=payment_words(),
        source_words=source_words(),
        consent_words=consent_words(),
        action_words=action_words(),
        column_words=column_words(),
    )


def _has_left(seat: RosterSeat, ticked: UUID | None, shown: str) -> bool:
    """Whether it is the ticked seat and its row, where the tick is taken back, is shown no more."""
    return (
        seat.seat_id == ticked
        and seat.state in (SeatState.ATTENDED, SeatState.NO_SHOW)
        and not SHOWN[shown](seat)
    )


def _why_not(
    services: Services, ctx: RequestContext, session: SessionDetail
) -> dict[str, str | None]:
    state, now = SessionState(session.state), services.clock.now()
    return {
        str(mark): why_not_tick(mark, state, session.starts_at, ctx.here.zone, now)
        for mark in MARKS
    }


def _said(line: HistoryLine) -> HistoryLine:
    """A change of the time is a move; it is named only where something else has changed too."""
    if line.was is None or line.action != "session.changed":
        return line
    others = tuple(name for name in line.changed if name not in TIME_COLUMNS)
    rest = ("time", *others) if others else ()
    return msgspec.structs.replace(line, action="session.moved_by_hand", changed=rest)


route_handlers = [show_session, show_door_list, tick]
