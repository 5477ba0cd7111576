"""Reading what the mailbox got, and its calendar files by libraries that are not ours."""

import base64
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import recurring_ical_events
from icalendar import Calendar

from tests.support.program import Program, eventually


@dataclass(frozen=True)
class Entry:
    """A date in a calendar file, as a calendar program would show it."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    status: str
    sequence: int


def the_mail(program: Program, to: str, subject: str) -> dict[str, Any]:
    """Waits for a mail to that address whose subject begins so; there is exactly one."""
    found = eventually(lambda: _with_subject(program, to, subject), f"the mail {subject!r} to {to}")
    assert len(found) == 1, [mail["subject"] for mail in found]
    mail: dict[str, Any] = found[0]
    return mail


def _with_subject(program: Program, to: str, subject: str) -> list[dict[str, Any]]:
    return [mail for mail in program.mails(to=to) if mail["subject"].startswith(subject)]


def link_in(mail: dict[str, Any], path: str) -> str:
    """The first address in the mail's plain text whose path begins so."""
    found = re.search(rf"https?://[^/\s]+({re.escape(path)}[^\s<>]*)", mail["text"])
    assert found, mail["text"]
    return found.group(1)


def the_calendar(mail: dict[str, Any]) -> tuple[str, list[Entry]]:
    """The method and the dates of the mail's only calendar file."""
    files = [one for one in mail["attachments"] if one["filename"].endswith(".ics")]
    assert len(files) == 1, [one["filename"] for one in mail["attachments"]]
    return read_calendar(base64.b64decode(files[0]["content"]))


def read_calendar(content: bytes) -> tuple[str, list[Entry]]:
    calendar = Calendar.from_ical(content)
    method = str(calendar["METHOD"])
    if method == "CANCEL":
        # An expander leaves cancelled dates out, as it should.
        events = calendar.walk("VEVENT")
    else:
        now = datetime.now().astimezone()
        events = recurring_ical_events.of(calendar).between(
            now - timedelta(days=1), now + timedelta(days=800)
        )
    entries = [
        Entry(
            uid=str(event["UID"]),
            starts_at=event["DTSTART"].dt,
            ends_at=event["DTEND"].dt,
            status=str(event["STATUS"]),
            sequence=int(event["SEQUENCE"]),
        )
        for event in events
    ]
    return method, sorted(entries, key=lambda entry: entry.starts_at)
