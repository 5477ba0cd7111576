"""The form of one change for several sessions: as typed, as a command, and its words."""

from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from src.booking.commands.edit_plan import EditSeveral
from src.booking.domain.drop_in import DropInRules, PayWay
from src.booking.domain.kinds import DateScope, SessionMode
from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.minimum import USUAL_HOURS
from src.booking.domain.shifting import FURTHEST_DAYS
from src.booking.views.sessions import SessionDetail
from src.booking.web.chosen_dates import SessionIds
from src.booking.web.drop_in_forms import ALLOWED, Typed, read_drop_in
from src.platform.errors import InvalidInput
from src.platform.i18n import _
from src.platform.localtime import to_local
from src.platform.web.formats import weekday

A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


class SeveralForm(msgspec.Struct):
    """`change` names what is to be changed; everything else that stands in the form is left.

    `session_ids` are the chosen dates, where some were, and `began` says that the form was shown.
    `seen` and `result` are the marks of the dates that were looked at and of what they become,
    `asked` that of the change itself.
    """

    scope: DateScope = DateScope.FOLLOWING
    session_ids: SessionIds = []
    change: list[Annotated[str, Meta(max_length=20)]] = []
    weekday: Annotated[int, Meta(ge=0, le=6)] | None = None
    shift_days: int | None = None
    start_time: time | None = None
    duration_minutes: int | None = None
    capacity: int | None = None
    title: Annotated[str, Meta(max_length=120)] = ""
    mode: SessionMode = SessionMode.IN_PERSON
    meeting_url: Annotated[str, Meta(max_length=2000)] = ""
    location_id: UUID | None = None
    performer_id: UUID | None = None
    tells_performer: bool = False
    min_seats: int | None = None
    decide_hours: int | None = None
    allowed: Literal["series", "yes", "no"] = "series"
    drop_in_price: Typed = ""
    drop_in_opens_before: Typed = ""
    drop_in_opens_unit: BeforeUnit = BeforeUnit.DAYS
    drop_in_pays: list[PayWay] = []
    include_edited: bool = False
    reason: Annotated[str, Meta(max_length=500)] = ""
    began: bool = False
    looked: bool = False
    seen: Annotated[str, Meta(max_length=64)] = ""
    result: Annotated[str, Meta(max_length=64)] = ""
    asked: Annotated[str, Meta(max_length=64)] = ""

    def command(self, session_id: UUID, currency: str) -> EditSeveral:
        """Raises: InvalidInput for what does not say what is to become of the dates."""
        ticked = set(self.change)
        drop_in = _check(self, ticked, currency)
        return EditSeveral(
            session_id=session_id,
            scope=self.scope,
            chosen=tuple(dict.fromkeys(self.session_ids)),
            weekday=self.weekday if "day" in ticked else None,
            shift_days=self.shift_days if "day" in ticked else None,
            start_time=self.start_time if "time" in ticked else None,
            duration_minutes=self.duration_minutes if "duration" in ticked else None,
            capacity=self.capacity if "capacity" in ticked else None,
            title=self.title if "title" in ticked else None,
            changes_place="place" in ticked,
            location_id=self.location_id,
            mode=self.mode if "mode" in ticked else None,
            meeting_url=self.meeting_url,
            changes_performer="performer" in ticked,
            performer_id=self.performer_id,
            tells_performer=self.tells_performer,
            changes_minimum="minimum" in ticked,
            min_seats=self.min_seats,
            decide_hours=self.decide_hours,
            drop_in=drop_in,
            include_edited=self.include_edited,
            reason=self.reason,
        )


def _check(form: SeveralForm, ticked: set[str], currency: str) -> DropInRules | None:
    """The rules for single dates, where these are ticked. Raises: InvalidInput."""
    fields: dict[str, str] = {}
    rules = None
    if not ticked & set(dict(parts())):
        fields["change"] = _("Tick what is to change.")
    if "day" in ticked:
        fields |= _day_errors(form.weekday, form.shift_days)
    for part, name in _NUMBERS.items():
        if part in ticked and getattr(form, name) is None:
            fields[name] = _("Please fill this in.")
    if "drop_in" in ticked:
        read = read_drop_in(form, currency, fields)
        rules = msgspec.structs.replace(read, allowed=ALLOWED[form.allowed])
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    return rules


_NUMBERS = {"time": "start_time", "duration": "duration_minutes", "capacity": "capacity"}


def _day_errors(on: int | None, days: int | None) -> dict[str, str]:
    if on is None and not days:
        return {"weekday": _("Choose a weekday, or give a number of days.")}
    if on is not None and days:
        return {"shift_days": _("Choose a weekday or give a number of days, not both.")}
    if days is not None and abs(days) > FURTHEST_DAYS:
        return {
            "shift_days": _("At most %(most)s days from where dates are now.", most=FURTHEST_DAYS)
        }
    return {}


def initial_of(session: SessionDetail, zone: ZoneInfo) -> dict[str, Any]:
    """The form as it begins from a date: everything as it is there, and nothing ticked."""
    return {
        "began": True,
        "start_time": to_local(session.starts_at, zone).time(),
        "duration_minutes": int((session.ends_at - session.starts_at).total_seconds() // 60),
        "capacity": session.capacity,
        "title": session.title,
        "mode": session.mode,
        "meeting_url": session.meeting_url,
        "location_id": session.location_id,
        "performer_id": session.performer_id,
        "min_seats": session.minimum.min_seats,
        "decide_hours": session.minimum.decide_hours or USUAL_HOURS,
    }


def parts() -> list[tuple[str, str]]:
    return [
        ("day", _("Day")),
        ("time", _("Time of day")),
        ("duration", _("Duration")),
        ("mode", _("In person or online")),
        ("place", _("Place")),
        ("performer", _("Performer")),
        ("capacity", _("Seats")),
        ("minimum", _("Minimum group size")),
        ("drop_in", _("Single places")),
        ("title", _("Title")),
    ]


def allowed_choices() -> list[tuple[str, str]]:
    return [
        ("series", _("As the series says")),
        ("yes", _("Sold alone")),
        ("no", _("Not sold alone")),
    ]


def weekday_choices() -> list[tuple[int, str]]:
    return [(day, weekday(A_MONDAY + timedelta(days=day), "UTC")) for day in range(7)]


def scopes(session: SessionDetail, *, with_this: bool = False) -> list[tuple[str, str]]:
    """What an act on this date may reach."""
    alone = [("this", _("Only this date"))] if with_this else []
    if session.series_id is not None:
        return [
            *alone,
            ("following", _("This date and those after it in the series")),
            ("all", _("All dates of the series that are still to come")),
        ]
    return [
        *alone,
        ("following", _("This date and those after it on the same weekday and time")),
        ("all", _("All dates still to come on the same weekday and time")),
    ]
