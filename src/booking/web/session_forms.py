"""The form of a session: wall-clock times as typed, moments as stored, and what to say of both."""

from datetime import datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request
from msgspec import Meta

from src.booking.commands.sessions import UpdateSession, details_of_session
from src.booking.domain.kinds import DateScope, SessionMode
from src.booking.domain.minimum import USUAL_HOURS, hours_of
from src.booking.domain.seen import mark_of
from src.booking.models import Service, Session
from src.booking.queries.resources import Choice
from src.booking.web.meanwhile import Words, of_choices
from src.booking.web.service_words import mode_words
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.ids import new_id
from src.platform.localtime import is_ambiguous, is_nonexistent, to_local, to_utc
from src.platform.web.formats import datetime_local, zone_short

FIRST_YEAR, LAST_YEAR = 2000, 2100


class SessionForm(msgspec.Struct, kw_only=True):
    """A session as it is typed, on the clock of the business. `token` becomes a new one's id.

    `seen` is the state of the session that the form was made from and `shown` the mark of all that
    it showed; `move_guests` and `reason` come from the page that said what moving it means. `scope`
    says which other dates are to be changed too.
    """

    token: UUID | None = None
    seen: int | None = None
    shown: Annotated[str, Meta(max_length=64)] = ""
    scope: DateScope = DateScope.THIS
    move_guests: bool = False
    reason: Annotated[str, Meta(max_length=500)] = ""
    title: Annotated[str, Meta(max_length=120)] = ""
    starts_at: datetime
    ends_at: datetime
    capacity: int
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=2000)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    tells_performer: bool = False
    min_seats: int | None = None
    decide_hours: int | None = None
    tags: Annotated[str, Meta(max_length=1000)] = ""


def initial_of_new(
    service: Service, zone: ZoneInfo, now: datetime, starts_at: datetime | None = None
) -> dict[str, Any]:
    """Tomorrow at six in the evening, or as asked for, with what the service begins with; a day
    later as often as it takes for the decision about a minimum to be still to come.
    """
    hours = service.default_decide_hours or USUAL_HOURS
    if starts_at is None:
        local = to_local(now, zone)
        soonest = local + timedelta(hours=hours if service.default_min_seats else 0)
        evening = datetime.combine(max(soonest.date(), local.date() + timedelta(days=1)), time(18))
        is_late = soonest.replace(tzinfo=None) >= evening
        starts_at = evening + timedelta(days=1) if is_late else evening
    return {
        "token": new_id(),
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(minutes=service.duration_minutes),
        "capacity": service.default_capacity,
        "mode": service.mode,
        "location_id": service.default_location_id,
        "performer_id": service.default_performer_id,
        "min_seats": service.default_min_seats,
        "decide_hours": hours,
    }


def initial_of(
    session: Session, zone: ZoneInfo, starts_at: datetime | None = None
) -> dict[str, Any]:
    """The session as the form shows it at first, or as it would be from another start on."""
    start, end = to_local(session.starts_at, zone), to_local(session.ends_at, zone)
    moved_by = timedelta() if starts_at is None else starts_at - start
    return {
        **marks_of(session),
        "title": session.title,
        "starts_at": start + moved_by,
        "ends_at": end + moved_by,
        "capacity": session.capacity,
        "mode": session.mode,
        "meeting_url": session.meeting_url,
        "location_id": session.location_id,
        "performer_id": session.performer_id,
        "min_seats": session.min_seats,
        "decide_hours": session.decide_hours or USUAL_HOURS,
        "tags": ", ".join(session.tags),
    }


def time_in_query(request: Request[Any, Any, Any], name: str) -> datetime | None:
    """A wall-clock time that the address brings along; None for what is none."""
    try:
        found = datetime.fromisoformat(request.query_params.get(name, ""))
    except ValueError:
        return None
    is_plain = found.tzinfo is None and FIRST_YEAR <= found.year <= LAST_YEAR
    return found.replace(second=0, microsecond=0) if is_plain else None


def field_labels() -> dict[str, str]:
    """What the editor calls its fields."""
    return {
        "starts_at": _("Starts"),
        "ends_at": _("Ends"),
        "title": _("Title"),
        "capacity": _("Seats"),
        "performer_id": _("Performer"),
        "mode": _("Where"),
        "location_id": _("Place"),
        "meeting_url": _("Meeting link"),
        "min_seats": _("Needs at least this many people"),
        "decide_hours": _("Hours before the start at which that is decided"),
        "tags": _("Tags"),
    }


def saved_words(performers: list[Choice], locations: list[Choice]) -> Words:
    """How saved values of the fields are said that are not words already."""
    return {
        "mode": of_choices(mode_words().items()),
        "performer_id": of_choices(performers),
        "location_id": of_choices(locations),
    }


def marks_of(session: Session) -> dict[str, Any]:
    """What tells later whether the session is still as it was shown."""
    return {"seen": session.sequence, "shown": mark_of(details_of_session(session))}


def details_of(form: SessionForm, zone: ZoneInfo, session: Session | None = None) -> dict[str, Any]:
    """The fields of a command.

    A time that the form only showed stays the very moment it was: in a doubled hour the clock
    alone would not tell.
    """
    return {
        "title": form.title,
        "starts_at": _moment(form.starts_at, zone, session.starts_at if session else None),
        "ends_at": _moment(form.ends_at, zone, session.ends_at if session else None),
        "capacity": form.capacity,
        "mode": form.mode,
        "meeting_url": form.meeting_url,
        "location_id": form.location_id,
        "performer_id": form.performer_id,
        "min_seats": form.min_seats,
        "decide_hours": hours_of(form.min_seats, form.decide_hours),
        "tags": tuple(form.tags.split(",")),
    }


def update_of(form: SessionForm, zone: ZoneInfo, session: Session) -> UpdateSession:
    return UpdateSession(
        session_id=session.id,
        move_guests=form.move_guests,
        reason=form.reason,
        tells_performer=form.tells_performer,
        seen_sequence=form.seen,
        seen=form.shown or None,
        **details_of(form, zone, session),
    )


def clock_notes(form: SessionForm, zone: ZoneInfo, session: Session | None = None) -> list[str]:
    """What was made of times at which the clocks change, as sentences for the owner."""
    before = {to_local(at, zone) for at in (session.starts_at, session.ends_at)} if session else ()
    typed = [local for local in (form.starts_at, form.ends_at) if local not in before]
    return [note for local in typed if (note := _clock_note(local, zone)) is not None]


def about_clocks(refused: InvalidInput, form: SessionForm, zone: ZoneInfo) -> InvalidInput:
    """The refusal, which says so where the clocks left nothing between the typed times."""
    skipped = [at for at in (form.starts_at, form.ends_at) if is_nonexistent(at, zone)]
    if "ends_at" not in refused.fields or form.ends_at <= form.starts_at or not skipped:
        return refused
    field = "starts_at" if skipped[0] == form.starts_at else "ends_at"
    sentence = _(
        "The clocks go forward that night, so %(typed)s does not exist; choose another time.",
        typed=skipped[0].strftime("%H:%M"),
    )
    fields = {name: said for name, said in refused.fields.items() if name != "ends_at"}
    return InvalidInput(refused.message, fields={**fields, field: sentence})


def _moment(local: datetime, zone: ZoneInfo, current: datetime | None) -> datetime:
    if current is not None and to_local(current, zone).replace(second=0, microsecond=0) == local:
        return current
    return to_utc(local, zone)


def _clock_note(local: datetime, zone: ZoneInfo) -> str | None:
    at = to_utc(local, zone)
    if is_nonexistent(local, zone):
        return _(
            "The clocks skip %(typed)s that day, so it was moved forward to %(moved)s.",
            typed=local.strftime("%H:%M"),
            moved=datetime_local(at, zone),
        )
    if is_ambiguous(local, zone):
        return _(
            "The clocks show %(typed)s twice that day; the first one is meant (%(zone)s).",
            typed=local.strftime("%H:%M"),
            zone=zone_short(at, zone),
        )
    return None
