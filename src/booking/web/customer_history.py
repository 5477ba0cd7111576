"""What the customer's page says of what happened, and where each thing leads."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from src.billing.domain.kinds import TRANSFER_METHOD, OrderEnd, order_end
from src.booking.views.customers import HistoryLine, HistoryPage
from src.platform.i18n import _, current_locale, ngettext
from src.platform.money import Money, format_money
from src.platform.web.formats import datetime_local
from src.tenants.role_words import actor_words
from src.tenants.web.audit_words import Around, log_sentence


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, in words; `href` leads to more of it."""

    at: datetime
    text: str
    who: str = ""
    href: str | None = None


class HistoryView(msgspec.Struct, frozen=True, kw_only=True):
    moments: list[Moment]
    previous_href: str | None
    next_href: str | None


def history_view(page: HistoryPage, base: str, here: str, zone: ZoneInfo) -> HistoryView:
    number = page.number
    return HistoryView(
        moments=[_moment(line, base, zone) for line in page.lines],
        previous_href=f"{here}?history={number - 1}#history" if number > 1 else None,
        next_href=f"{here}?history={number + 1}#history" if page.has_more else None,
    )


def _moment(line: HistoryLine, base: str, zone: ZoneInfo) -> Moment:
    path = _PATHS.get(line.kind)
    if path == "waitlist":
        path = "series/{}/waitlist" if line.facts["is_series"] else "sessions/{}/waitlist"
    return Moment(
        at=line.at,
        text=_WORDS[line.kind](line.facts, zone),
        who=_who(line),
        href=f"{base}/{path.format(line.ref)}" if path and line.ref else None,
    )


_PATHS = {
    "order": "orders/{}",
    "order_ended": "orders/{}",
    "payment": "orders/{}",
    "refund": "orders/{}",
    "dispute": "orders/{}",
    "dispute_over": "orders/{}",
    "coupon": "orders/{}",
    "coupon_returned": "orders/{}",
    "seats": "bookings/{}",
    "leave_request": "leave-requests/{}",
    "leave_decided": "leave-requests/{}",
    "waits": "waitlist",
    "waited": "waitlist",
    "broadcast": "broadcasts/{}",
}


def _who(line: HistoryLine) -> str:
    by_staff = line.facts.get("source") == "staff" or line.who == "staff"
    if by_staff:
        return _("by staff")
    if line.kind == "log":
        return actor_words(line.facts["actor_kind"], line.who)
    return line.who if line.kind in ("order_ended", "leave_decided", "broadcast") else ""


Facts = Mapping[str, Any]


def _order(facts: Facts, _zone: ZoneInfo) -> str:
    said = {
        "open": _("Is paying for %(what)s", what=facts["what"]),
        "confirmed": _("Booked %(what)s", what=facts["what"]),
    }
    return said.get(facts["state"]) or _("Ordered %(what)s", what=facts["what"])


def _order_ended(facts: Facts, _zone: ZoneInfo) -> str:
    what = facts["what"]
    words = {
        OrderEnd.EXPIRED: _("Did not pay in time for %(what)s", what=what),
        OrderEnd.RELEASED: _("Released unpaid: %(what)s", what=what),
        OrderEnd.GIVEN_UP: _("Gave up %(what)s", what=what),
        OrderEnd.NOT_PAYABLE: _("No payment could be started for %(what)s", what=what),
        OrderEnd.CALLED_OFF: _("Cancelled by the business before it was paid: %(what)s", what=what),
    }
    return words[order_end(facts["state"], facts["why"])]


def _payment(facts: Facts, _zone: ZoneInfo) -> str:
    if facts["by"] == "on_site":
        return _("%(amount)s taken on site", amount=_amount(facts))
    if facts["by"] == TRANSFER_METHOD:
        return _("%(amount)s came by bank transfer", amount=_amount(facts))
    return _("%(amount)s paid", amount=_amount(facts))


def _dispute_over(facts: Facts, _zone: ZoneInfo) -> str:
    if facts["state"] == "won":
        return _("The dispute over %(amount)s was won", amount=_amount(facts))
    return _("The dispute over %(amount)s was lost", amount=_amount(facts))


def _coupon(facts: Facts, _zone: ZoneInfo) -> str:
    off = _money(facts["off"], facts["currency"])
    return _("Used the code %(code)s: %(off)s off", code=facts["code"], off=off)


def _seats(facts: Facts, zone: ZoneInfo) -> str:
    what = f"{facts['what']}, {_when(facts, zone)}"
    return _ENDED[facts["state"]](facts["seats"], what)


_ENDED: Mapping[str, Callable[[int, str], str]] = {
    "attended": lambda count, what: ngettext(
        "Came: %(what)s", "%(num)s people came: %(what)s", count, what=what
    ),
    "no_show": lambda count, what: ngettext(
        "Did not come: %(what)s", "%(num)s people did not come: %(what)s", count, what=what
    ),
    "cancelled": lambda count, what: ngettext(
        "Place cancelled: %(what)s", "%(num)s places cancelled: %(what)s", count, what=what
    ),
    "late_cancelled": lambda count, what: ngettext(
        "Place cancelled late: %(what)s",
        "%(num)s places cancelled late: %(what)s",
        count,
        what=what,
    ),
    "swapped": lambda count, what: ngettext(
        "Place moved away: %(what)s", "%(num)s places moved away: %(what)s", count, what=what
    ),
}


def _decided(facts: Facts, _zone: ZoneInfo) -> str:
    said = {
        "accepted": _("Asked to leave a course; accepted"),
        "declined": _("Asked to leave a course; declined"),
    }
    return ": ".join(filter(None, (said[facts["state"]], facts["answer"])))


def _log(facts: Facts, zone: ZoneInfo) -> str:
    return log_sentence(facts["action"], facts["detail"], Around(zone))


def _choice(facts: Facts, _zone: ZoneInfo) -> str:
    if facts["topic"] == "marketing":
        return _("Wants news by mail") if facts["wants"] else _("Ended news by mail")
    return _("Wants reminders by mail") if facts["wants"] else _("Ended reminders by mail")


def _waits(facts: Facts, zone: ZoneInfo) -> str:
    return ngettext(
        "Joined the waiting list: %(what)s, for %(num)s place",
        "Joined the waiting list: %(what)s, for %(num)s places",
        facts["places"],
        what=_waited_for(facts, zone),
    )


def _waited(facts: Facts, zone: ZoneInfo) -> str:
    what = _waited_for(facts, zone)
    said = {
        "accepted": _("Took the place they had waited for: %(what)s", what=what),
        "left": _("Left the waiting list: %(what)s", what=what),
        "removed": _("Was taken off the waiting list: %(what)s", what=what),
        "closed": _("The waiting list was closed: %(what)s", what=what),
    }
    return said.get(facts["state"]) or _("Waited until it was over: %(what)s", what=what)


def _waited_for(facts: Facts, zone: ZoneInfo) -> str:
    return " · ".join(filter(None, (facts["what"], facts["title"], _when(facts, zone))))


def _mail(facts: Facts, _zone: ZoneInfo) -> str:
    subject, to = facts["subject"], facts["to"]
    if facts["is_refused"]:
        return _("Mail “%(subject)s” could not reach %(to)s", subject=subject, to=to)
    if not facts["is_sent"]:
        return _("Mail “%(subject)s” is on its way to %(to)s", subject=subject, to=to)
    return _("Mail “%(subject)s” to %(to)s", subject=subject, to=to)


def _broadcast(facts: Facts, _zone: ZoneInfo) -> str:
    return _("Message to many: “%(subject)s”", subject=facts["subject"])


def _when(facts: Facts, zone: ZoneInfo) -> str:
    starts_at = facts["starts_at"]
    return datetime_local(datetime.fromisoformat(starts_at), zone) if starts_at else ""


def _amount(facts: Facts) -> str:
    return _money(facts["amount"], facts["currency"])


def _money(amount_minor: int, currency: str) -> str:
    return format_money(Money(amount_minor, currency), current_locale())


_WORDS: Mapping[str, Callable[[Facts, ZoneInfo], str]] = {
    "order": _order,
    "order_ended": _order_ended,
    "payment": _payment,
    "refund": lambda facts, _zone: _("%(amount)s went back", amount=_amount(facts)),
    "dispute": lambda facts, _zone: _(
        "The guest's bank disputes %(amount)s", amount=_amount(facts)
    ),
    "dispute_over": _dispute_over,
    "coupon": _coupon,
    "coupon_returned": lambda facts, _zone: _(
        "The code %(code)s may be used again", code=facts["code"]
    ),
    "seats": _seats,
    "leave_request": lambda _facts, _zone: _("Asks to leave a course"),
    "leave_decided": _decided,
    "log": _log,
    "choice": _choice,
    "waits": _waits,
    "waited": _waited,
    "mail": _mail,
    "broadcast": _broadcast,
    "first_seen": lambda _facts, _zone: _("First seen"),
}
