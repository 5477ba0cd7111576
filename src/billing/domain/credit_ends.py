"""Of which ends of credits people hear when, and when to look at them next."""

from datetime import datetime, timedelta
from enum import StrEnum

LOOK_AFTER = timedelta(hours=1)
"""How often a business's credits are looked at: mails about them are for a day, not for a minute,
and what ends has ended by its date whether or not anybody looks.
"""


class NoticeKind(StrEnum):
    WARNING = "warning"
    EXPIRED = "expired"


def next_look(now: datetime, next_end_at: datetime | None) -> datetime | None:
    """None where nothing is left that ends; then nobody looks until something does again."""
    return None if next_end_at is None else now + LOOK_AFTER
