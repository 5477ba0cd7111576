"""The parts of a service's editor that are closed at first, and what each says of what is in it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from src.booking.domain.leaving import BeforeUnit
from src.booking.domain.minimum import USUAL_HOURS
from src.booking.web.appointment_forms import AppointmentFields
from src.booking.web.leaving_forms import LeavingFields
from src.platform.i18n import _, ngettext
from src.platform.web.formats import minutes, minutes_in_words
from src.platform.web.forms import Bound

ALL_OF_IT = 100

FIELDS: Mapping[str, tuple[str, ...]] = {
    "finding": ("slug", "tags"),
    "prices": ("tax_percent", "prices"),
    "times": ("step_minutes", "before_minutes", "after_minutes"),
    "lengths": ("lengths",),
    "minimum": ("default_min_seats", "default_decide_hours"),
    "rules": ("min_notice_minutes", "horizon_days", "max_party"),
    "leaving": LeavingFields.__struct_fields__,
    "questions": ("questions",),
}
"""Everything else of the form is always shown."""


class Fold(msgspec.Struct, frozen=True):
    """`said` is what stands in its fields, in one line."""

    is_open: bool
    said: str


def folds(form: Bound[Any], *, all_open: bool = False) -> dict[str, Fold]:
    """Open is what holds a refused field, and what somebody has just asked to see."""
    opened = {name for name, fields in FIELDS.items() if all_open or _is_refused(form, fields)}
    if "preview" in form.raw:
        opened.add("leaving")
    return {name: Fold(name in opened, _LINES[name](form)) for name in FIELDS}


def _is_refused(form: Bound[Any], fields: tuple[str, ...]) -> bool:
    return any(name.partition(".")[0] in fields for name in form.errors)


def _finding(form: Bound[Any]) -> str:
    slug, tags = form.value("slug").strip(), form.value("tags").strip()
    address = slug or _("An address made from the name")
    return f"{address} · {tags}" if tags else address


def _prices(form: Bound[Any]) -> str:
    percent, names = form.value("tax_percent").strip(), _filled(form, "prices", "name")
    has_tax = percent.strip("0.,") != ""
    tax = _("Tax %(percent)s%%", percent=percent) if has_tax else _("No tax in the price")
    return " · ".join([tax, *names]) if names else tax


def _times(form: Bound[Any]) -> str:
    step, *kept = (_whole(form, name) for name in FIELDS["times"])
    usual = AppointmentFields().step_minutes
    starts = _("Can start every %(minutes)s", minutes=minutes_in_words(step or usual))
    before, after = kept
    if not before and not after:
        return starts
    if not after:
        return _("%(starts)s; %(before)s free before", starts=starts, before=minutes(before))
    if not before:
        return _("%(starts)s; %(after)s free after", starts=starts, after=minutes(after))
    return _(
        "%(starts)s; %(before)s free before, %(after)s after",
        starts=starts,
        before=minutes(before),
        after=minutes(after),
    )


def _lengths(form: Bound[Any]) -> str:
    lengths = [minutes(int(one)) for one in _filled(form, "lengths", "minutes") if _is_whole(one)]
    return ", ".join(lengths) or _("Only the usual one")


def _minimum(form: Bound[Any]) -> str:
    least = _whole(form, "default_min_seats")
    if not least:
        return _("Takes place with any number")
    return ngettext(
        "With at least %(num)s person, decided %(hours)s hours before",
        "With at least %(num)s people, decided %(hours)s hours before",
        least,
        hours=_whole(form, "default_decide_hours") or USUAL_HOURS,
    )


def _rules(form: Bound[Any]) -> str:
    notice, ahead, party = (_whole(form, name) for name in FIELDS["rules"])
    until = (
        _("Until %(time)s before the start", time=minutes_in_words(notice))
        if notice
        else _("Until the start")
    )
    days = ngettext("%(num)s day ahead", "%(num)s days ahead", ahead)
    people = ngettext("one person at a time", "up to %(num)s people at a time", party)
    return ", ".join([until, *([days] if ahead else []), *([people] if party else [])])


def _leaving(form: Bound[Any]) -> str:
    back = _first_step(form) or _("Nothing comes back")
    return back if form.checked("may_cancel") else _("%(back)s; only you cancel", back=back)


def _first_step(form: Bound[Any]) -> str:
    """The longest time for which something comes back; empty where there is none to read."""
    for row in (f"tiers.{number}" for number in range(form.rows("tiers"))):
        before, percent = form.value(f"{row}.before"), form.value(f"{row}.percent").strip("% ")
        if not (_is_whole(before) and _is_whole(percent)):
            continue
        if form.value(f"{row}.unit") == BeforeUnit.DAYS:
            time = ngettext("%(num)s day before", "%(num)s days before", int(before))
        else:
            time = ngettext("%(num)s hour before", "%(num)s hours before", int(before))
        if int(percent) == ALL_OF_IT:
            return _("Free until %(time)s", time=time)
        return _("%(percent)s%% comes back until %(time)s", percent=percent, time=time)
    return ""


def _questions(form: Bound[Any]) -> str:
    return ", ".join(_filled(form, "questions", "label")) or _("None yet; asked while booking")


_LINES: Mapping[str, Callable[[Bound[Any]], str]] = {
    "finding": _finding,
    "prices": _prices,
    "times": _times,
    "lengths": _lengths,
    "minimum": _minimum,
    "rules": _rules,
    "leaving": _leaving,
    "questions": _questions,
}


def _filled(form: Bound[Any], name: str, column: str) -> list[str]:
    """What stands in that column of the rows that have something there."""
    typed = (form.value(f"{name}.{row}.{column}").strip() for row in range(form.rows(name)))
    return [one for one in typed if one]


def _whole(form: Bound[Any], name: str) -> int:
    """0 for what is no number, which is then refused at its field."""
    typed = form.value(name).strip()
    return int(typed) if _is_whole(typed) else 0


def _is_whole(typed: str) -> bool:
    said = typed.strip()
    return said.isascii() and said.isdigit() and len(said) < 6
