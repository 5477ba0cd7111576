"""What makes a session valid, and what a change of the business's time zone does to sessions."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from src.booking.domain.kinds import SessionMode
from src.platform.i18n import _, ngettext
from src.platform.localtime import is_ambiguous, is_nonexistent, to_local, to_utc

LONGEST_SESSION = timedelta(days=7)
LONGEST_TITLE = 120
LONGEST_URL = 2000
LARGEST_CAPACITY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionDraft:
    """A session as somebody wants it.

    `taken` are the places in use now, of which `on_offer` are offered to people who wait.
    `current_starts_at` and `current_ends_at` are when the session starts and ends at present, None
    while it is being created.
    """

    title: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    mode: SessionMode
    meeting_url: str = ""
    taken: int = 0
    on_offer: int = 0
    current_starts_at: datetime | None = None
    current_ends_at: datetime | None = None


def session_errors(draft: SessionDraft, now: datetime) -> dict[str, str]:
    """Sentences by the draft's fields; empty when the session may be saved as it is."""
    return {
        **_time_errors(draft, now),
        **_capacity_errors(draft),
        **_text_errors(draft),
    }


def move_errors(draft: SessionDraft, now: datetime) -> dict[str, str]:
    """Why guests who have a seat cannot be moved to the draft's time; what has been, has been."""
    before, ends_before = draft.current_starts_at, draft.current_ends_at
    if not draft.taken or before is None or ends_before is None:
        return {}
    starts_differ, ends_differ = draft.starts_at != before, draft.ends_at != ends_before
    if ends_before <= now and (starts_differ or ends_differ):
        field = "starts_at" if starts_differ else "ends_at"
        return {field: _("This session is over and had guests, so its time stays as history.")}
    if before <= now and starts_differ:
        return {"starts_at": _("This session has begun with its guests, so its start stays.")}
    if ends_differ and not starts_differ and draft.ends_at <= now:
        return {"ends_at": _("This end has passed; choose a later one.")}
    return {}


def _time_errors(draft: SessionDraft, now: datetime) -> dict[str, str]:
    """A past session may be corrected, but none may be moved or put into the past."""
    fields: dict[str, str] = {}
    if draft.starts_at < now and draft.starts_at != draft.current_starts_at:
        fields["starts_at"] = _("This start has passed; choose a later one.")
    if draft.ends_at <= draft.starts_at:
        fields["ends_at"] = _("The end must come after the start.")
    elif draft.ends_at - draft.starts_at > LONGEST_SESSION:
        fields["ends_at"] = _("A session lasts seven days at most.")
    return fields


def _capacity_errors(draft: SessionDraft) -> dict[str, str]:
    if draft.capacity < 1:
        return {"capacity": _("A session needs at least one seat.")}
    if draft.capacity < draft.taken:
        return {"capacity": _too_small(draft.taken - draft.on_offer, draft.on_offer)}
    if draft.capacity > LARGEST_CAPACITY:
        limit = LARGEST_CAPACITY
        return {"capacity": _("A session has %(limit)s seats at most.", limit=limit)}
    return {}


def _too_small(taken: int, on_offer: int) -> str:
    if not on_offer:
        return _("%(taken)s seats are already taken; cancel some first.", taken=taken)
    offered = ngettext(
        "%(num)s place is on offer to people on the waiting list",
        "%(num)s places are on offer to people on the waiting list",
        on_offer,
    )
    if not taken:
        return _(
            "%(offered)s; wait until that is over, or take them off the list.", offered=offered
        )
    return _(
        "%(taken)s seats are already taken, and %(offered)s; cancel some seats, wait until the"
        " offers are over, or take them off the list.",
        taken=taken,
        offered=offered,
    )


def _text_errors(draft: SessionDraft) -> dict[str, str]:
    fields: dict[str, str] = {}
    if len(draft.title) > LONGEST_TITLE:
        limit = LONGEST_TITLE
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=limit)
    if draft.meeting_url and draft.mode is SessionMode.IN_PERSON:
        fields["meeting_url"] = _("A meeting link belongs to an online session only.")
    elif draft.meeting_url and not is_safe_meeting_url(draft.meeting_url):
        fields["meeting_url"] = _("Enter a link that begins with https://.")
    return fields


def is_safe_meeting_url(url: str) -> bool:
    """An https address with a host, without sign-in data and without white space."""
    if len(url) > LONGEST_URL or not url.isprintable() or any(map(str.isspace, url)):
        return False
    try:
        parts = urlsplit(url)
        port_is_readable = parts.port is None or parts.port > 0
    except ValueError:
        return False
    bare_host = parts.hostname is not None and "@" not in parts.netloc and "\\" not in url
    return parts.scheme == "https" and bare_host and port_is_readable


class ZoneChange(StrEnum):
    """What stays when the business moves to another zone: the moments, or what clocks show."""

    KEEP_INSTANTS = "keep_instants"
    KEEP_WALL_CLOCK = "keep_wall_clock"


@dataclass(frozen=True, slots=True)
class ZoneShift:
    """One session before and after; `adjusted` where the new zone lacks or doubles its time."""

    session_id: UUID
    starts_at: datetime
    ends_at: datetime
    local_before: datetime
    local_after: datetime
    moved_by: timedelta
    adjusted: bool


def preview_zone_change(
    sessions: Iterable[tuple[UUID, datetime, datetime]],
    old_zone: ZoneInfo,
    new_zone: ZoneInfo,
    change: ZoneChange,
) -> list[ZoneShift]:
    """What would become of each (id, start, end), whose length in minutes always stays."""
    return [
        _shift(session_id, starts_at, ends_at, old_zone, new_zone, change)
        for session_id, starts_at, ends_at in sessions
    ]


def _shift(
    session_id: UUID,
    starts_at: datetime,
    ends_at: datetime,
    old_zone: ZoneInfo,
    new_zone: ZoneInfo,
    change: ZoneChange,
) -> ZoneShift:
    local_before = to_local(starts_at, old_zone)
    keeps_clock = change is ZoneChange.KEEP_WALL_CLOCK
    new_start_at = to_utc(local_before, new_zone) if keeps_clock else starts_at
    odd = is_nonexistent(local_before, new_zone) or is_ambiguous(local_before, new_zone)
    return ZoneShift(
        session_id=session_id,
        starts_at=new_start_at,
        ends_at=new_start_at + (ends_at - starts_at),
        local_before=local_before,
        local_after=to_local(new_start_at, new_zone),
        moved_by=new_start_at - starts_at,
        adjusted=keeps_clock and odd,
    )
