"""Terms of leaving as whoever sets them sees what guests will read."""

from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.domain.leaving import LeavingTerms
from src.booking.leaving_words import dates_in_words, rules_in_words
from src.booking.paying import Paying


def example_in_words(
    terms: LeavingTerms, price_type: Paying, sample_at: datetime | None, zone: ZoneInfo
) -> list[str]:
    """As moments for the date that starts at `sample_at`; without one, counted from the start of
    any date.
    """
    if sample_at is None:
        return rules_in_words(terms, price_type, zone)
    return dates_in_words(terms, price_type, sample_at, zone)
