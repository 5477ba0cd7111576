"""What one date's editor says is done to others too: asked there, and looked at before."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response

from src.booking.commands.changes import changed_meanwhile
from src.booking.commands.edit_plan import EditSeveral, mark_of_command, plan_edit
from src.booking.domain.kinds import DateScope, SessionState
from src.booking.models import Session
from src.booking.queries.reached import count_others
from src.booking.queries.sessions import get_session_detail
from src.booking.web.edit_several import several_page
from src.booking.web.edit_several_forms import SeveralForm, scopes
from src.booking.web.session_forms import SessionForm, details_of, marks_of
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.localtime import to_local
from src.platform.services import Services
from src.platform.web.forms import Bound, blank
from src.tenants.context import RequestContext

_FIELDS = {
    "weekday": "starts_at",
    "shift_days": "starts_at",
    "start_time": "starts_at",
    "duration_minutes": "ends_at",
}
"""Where the editor of one date has what the form for several asks for in another way."""


async def list_scopes(
    uow: UnitOfWork, ctx: RequestContext, session: Session
) -> list[tuple[str, str]]:
    """What editing this date may reach, none where there is no other date to reach."""
    if session.state != SessionState.SCHEDULED or session.starts_at <= uow.clock.now():
        return []
    if not await count_others(uow, session, DateScope.ALL, ctx.here.zone):
        return []
    return scopes(await get_session_detail(uow, session.id), with_this=True)


async def several_instead(
    request: Request[Any, Any, Any],
    services: Services,
    ctx: RequestContext,
    session: Session,
    form: SessionForm,
) -> Response[bytes]:
    """Every date that is reached, with what becomes of it; nothing is done yet.

    Raises: Conflict when the date is not as the form showed it: what differs would be more than
    what was typed. InvalidInput for what cannot be said of several dates.
    """
    marks = marks_of(session)
    if form.seen not in (None, marks["seen"]) or form.shown not in ("", marks["shown"]):
        raise changed_meanwhile()
    several = several_of(form, session, ctx.here.zone)
    planned, asked = [], ""
    if several.change:
        cmd = _command(several, session, ctx.here.currency)
        async with services.uow_factory(ctx.here.id) as uow:
            planned, asked = await plan_edit(uow, ctx, cmd), mark_of_command(cmd)
    bound: Bound[SeveralForm] = blank(SeveralForm, several)
    return await several_page(request, services, ctx, session.id, bound, planned, asked)


def _command(several: SeveralForm, session: Session, currency: str) -> EditSeveral:
    """Raises: InvalidInput about the fields of the one date's editor."""
    try:
        return several.command(session.id, currency)
    except InvalidInput as refused:
        fields = {
            _FIELDS.get(name, name): said
            for name, said in refused.fields.items()
            if _FIELDS.get(name, name) in SessionForm.__struct_fields__
        }
        sentences = refused.fields.values() if not fields else [refused.message]
        raise InvalidInput(" ".join(sentences), fields=fields) from refused


def several_of(form: SessionForm, session: Session, zone: ZoneInfo) -> SeveralForm:
    """The same change for several dates: what differs from the session is ticked, and its day is
    a number of days further on.
    """
    then, start = details_of(form, zone, session), to_local(session.starts_at, zone)
    lasts, lasted = then["ends_at"] - then["starts_at"], session.ends_at - session.starts_at
    days = (form.starts_at.date() - start.date()).days
    differs = {
        "day": days != 0,
        "time": form.starts_at.time() != start.time().replace(second=0, microsecond=0),
        "duration": lasts != lasted,
        "mode": (form.mode, form.meeting_url.strip()) != (session.mode, session.meeting_url),
        "place": form.location_id != session.location_id,
        "performer": form.performer_id != session.performer_id,
        "capacity": form.capacity != session.capacity,
        "minimum": (then["min_seats"], then["decide_hours"])
        != (session.min_seats, session.decide_hours),
        "title": form.title.strip() != session.title,
    }
    return SeveralForm(
        scope=form.scope,
        change=[part for part, is_other in differs.items() if is_other],
        shift_days=days or None,
        start_time=form.starts_at.time(),
        duration_minutes=lasts // timedelta(minutes=1),
        capacity=form.capacity,
        title=form.title,
        mode=form.mode,
        meeting_url=form.meeting_url,
        location_id=form.location_id,
        performer_id=form.performer_id,
        tells_performer=form.tells_performer,
        min_seats=form.min_seats,
        decide_hours=form.decide_hours,
        reason=form.reason,
        began=True,
    )
