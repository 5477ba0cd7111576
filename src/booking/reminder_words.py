"""When guests are reminded of their dates, in words."""

from collections.abc import Sequence

from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.reminding import Offset
from src.platform.i18n import _, ngettext

_HOURS = {BeforeUnit.HOURS: 1, BeforeUnit.DAYS: 24}


def offset_words(ahead: int, unit: BeforeUnit) -> str:
    if unit is BeforeUnit.DAYS:
        return ngettext("%(num)s day before", "%(num)s days before", ahead)
    return ngettext("%(num)s hour before", "%(num)s hours before", ahead)


def reminded_words(offsets: Sequence[Offset]) -> str:
    """What a service has set, the earliest mail first."""
    if not offsets:
        return _("Guests are not reminded of their dates.")
    in_order = sorted(offsets, key=lambda one: one[0] * _HOURS[one[1]], reverse=True)
    when = ", ".join(offset_words(ahead, unit) for ahead, unit in in_order)
    return _("Guests are reminded by mail: %(when)s.", when=when)
