"""Until when whoever the business moved may leave a date without any charge, and what comes after.

While that holds no step of the terms counts, so none is named beside it.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from src.platform.i18n import _
from src.platform.web.formats import datetime_local


def date_is_free(starts_at: datetime, zone: ZoneInfo, names: Sequence[str] = ()) -> str:
    """Of one date; with `names`, for these of a party alone."""
    when = datetime_local(starts_at, zone)
    if names:
        return _(
            "Free of charge for %(names)s until it starts, on %(when)s; after that it cannot be"
            " cancelled any more.",
            names=", ".join(names),
            when=when,
        )
    return _(
        "Free of charge until it starts, on %(when)s; after that it cannot be cancelled any more.",
        when=when,
    )


def dates_are_free(*, all_of_them: bool) -> str:
    """Of a course with several dates."""
    if not all_of_them:
        return _("Dates that were moved after you booked them are free of charge until they start.")
    return _(
        "All of these dates were moved after you booked them: each is free of charge until it"
        " starts; after that it cannot be cancelled any more."
    )
