"""Giving a place on a date to somebody else: what its form is shown with."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec


class HandOnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The date, and whose places on it can be given: `people` by seat with what they are called.

    `until_at` is how long guests may, None where that says nothing. `why_not` is a sentence where
    nothing can be given, `is_online` where whoever comes needs no way to a door. `has_it` is who
    has the one place by now that was given away before.
    """

    what: str
    title: str
    starts_at: datetime
    ends_at: datetime
    is_online: bool
    people: list[tuple[str, str]]
    until_at: datetime | None
    why_not: str
    guest_name: str
    guest_email: str
    zone: ZoneInfo
    contact_email: str
    contact_phone: str
    has_it: str = ""
