"""Other people's calendar software, as a guest has it: what it makes of our files.

The files are written with icalendar. vobject and ics have a parser of their own each, and work out
a moment by the rules of the file's VTIMEZONE; khal is a calendar program, with its own store.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import ics
import vobject


@dataclass(frozen=True)
class Shown:
    """A date as the program shows it; moments in UTC."""

    uid: str
    starts_at: datetime
    ends_at: datetime
    title: str
    status: str
    sequence: int


Reader = Callable[[bytes], tuple[str, list[Shown]]]


def by_vobject(content: bytes) -> tuple[str, list[Shown]]:
    """The file's method and its dates."""
    [calendar] = vobject.readComponents(content.decode())
    return calendar.method.value, [
        Shown(
            uid=event.uid.value,
            starts_at=event.dtstart.value.astimezone(UTC),
            ends_at=event.dtend.value.astimezone(UTC),
            title=event.summary.value,
            status=event.status.value,
            sequence=int(event.sequence.value),
        )
        for event in calendar.vevent_list
    ]


def by_ics(content: bytes) -> tuple[str, list[Shown]]:
    """The file's method and its dates."""
    calendar = ics.Calendar(content.decode())
    return calendar.method, [
        Shown(
            uid=event.uid,
            starts_at=event.begin.datetime.astimezone(UTC),
            ends_at=event.end.datetime.astimezone(UTC),
            title=event.name,
            status=event.status,
            sequence=int(next(line.value for line in event.extra if line.name == "SEQUENCE")),
        )
        for event in calendar.events
    ]


@dataclass
class OwnCalendar:
    """A calendar that keeps what it was sent, by the rules of RFC 5546: a date is known by its UID,
    and only a higher SEQUENCE changes it.
    """

    read: Reader
    kept: dict[str, Shown] = field(default_factory=dict)

    def take(self, content: bytes) -> None:
        method, dates = self.read(content)
        assert method in {"PUBLISH", "CANCEL"}
        for date in dates:
            known = self.kept.get(date.uid)
            if known is not None and date.sequence <= known.sequence:
                continue
            if method == "CANCEL":
                self.kept.pop(date.uid, None)
            else:
                self.kept[date.uid] = date


CONFIG = """
[calendars]
[[own]]
path = {home}/dates
[sqlite]
path = {home}/khal.db
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = UTC
default_timezone = UTC
"""
BETWEEN = " | "


@dataclass(frozen=True)
class Khal:
    """The program, with a calendar of its own below `home`."""

    home: Path

    def __post_init__(self) -> None:
        (self.home / "dates").mkdir(parents=True)
        (self.home / "config").write_text(CONFIG.format(home=self.home))

    def take(self, content: bytes) -> None:
        file = self.home / "sent.ics"
        file.write_bytes(content)
        self._run("import", "--batch", str(file))

    def shown(self) -> set[tuple[str, datetime, str]]:
        """Of each date the UID, the start and the status, of a year from March 2027."""
        fields = BETWEEN.join(["{uid}", "{start}", "{status}"])
        said = self._run("list", "--day-format", "", "--format", fields, "2027-03-01", "365d")
        return set(_dates(said.splitlines()))

    def _run(self, *words: str) -> str:
        command = [sys.executable, "-m", "khal", "-c", str(self.home / "config"), *words]
        done = subprocess.run(
            command,
            env={"HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def _dates(lines: Iterable[str]) -> Iterable[tuple[str, datetime, str]]:
    for line in lines:
        if BETWEEN in line:
            uid, start, status = line.split(BETWEEN)
            yield (
                uid,
                datetime.strptime(start, "%Y-%m-%d %H:%M").replace(tzinfo=UTC),
                status.strip(),
            )
