"""What moving dates means for whoever is in them, in words."""

from src.booking.views.cancellations import Toll
from src.booking.web.toll_words import Fact
from src.platform.i18n import _, ngettext


def guest_facts(toll: Toll, waiting: int) -> list[Fact]:
    """Names and values; `waiting` are the people on waiting lists who are told as well."""
    seats = ngettext("%(num)s seat", "%(num)s seats", toll.seats)
    kept = ngettext(
        "%(seats)s of %(num)s guest, kept at the same price",
        "%(seats)s of %(num)s guests, kept at the same price",
        toll.customers,
        seats=seats,
    )
    facts = [(_("Waiting list"), _waiting(waiting, toll.lists.offers))] if waiting else []
    if toll.seats:
        facts.append((_("Seats"), kept))
    facts.append((_("Mails"), _mails(toll)))
    if toll.in_checkout:
        facts.append((_("Held"), _in_checkout(toll)))
    way_out = _("whoever booked before the move may leave without any charge")
    return [*facts, (_("Way out"), way_out)]


def _mails(toll: Toll) -> str:
    sent = ngettext(
        "%(num)s, with what it was and what it becomes, and a calendar file",
        "%(num)s, one to each guest, with what it was and what it becomes, and a calendar file",
        toll.mails,
    )
    unreachable = toll.customers - toll.mails
    if not unreachable:
        return sent if toll.mails else _("none")
    call = ngettext(
        "%(num)s guest has no address and must be called",
        "%(num)s guests have no address and must be called",
        unreachable,
    )
    return f"{sent}; {call}" if toll.mails else call


def _in_checkout(toll: Toll) -> str:
    return ngettext(
        "%(num)s seat is held and not paid yet; its confirmation will say both times",
        "%(num)s seats are held and not paid yet; their confirmations will say both times",
        toll.in_checkout,
    )


def _waiting(waiting: int, offers: int) -> str:
    told = ngettext(
        "%(num)s person who waits is told the new time by mail",
        "%(num)s people who wait are told the new time, one mail each",
        waiting,
    )
    if not offers:
        return told
    ends = ngettext(
        "%(num)s offer ends sooner if the new start asks for it",
        "%(num)s offers end sooner if the new start asks for it",
        offers,
    )
    return f"{told}; {ends}"
