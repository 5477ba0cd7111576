"""How much is said of a booking, and until when a guest may say who comes."""

from datetime import datetime

LONGEST_NAME = 120
LONGEST_NOTE = 2000
"""Of a booking, however it is made or noted, in characters."""


def may_guest_name(first_starts_at: datetime | None, now: datetime) -> bool:
    """Until the first of the dates that stand begins, its very second included; None: none does."""
    return first_starts_at is not None and now <= first_starts_at
