"""What moving dates means for whoever is in them, in words."""

from src.booking.views.cancellations import Toll, Waiters
from src.booking.web.toll_words import Fact, holder_mails, holders_words
from src.platform.i18n import _, ngettext


def guest_facts(toll: Toll, waiting: Waiters) -> list[Fact]:
    """Names and values; `waiting` are the people on waiting lists."""
    seats = ngettext("%(num)s seat", "%(num)s seats", toll.seats)
    kept = ngettext(
        "%(seats)s of %(num)s guest, kept at the same price",
        "%(seats)s of %(num)s guests, kept at the same price",
        toll.customers,
        seats=seats,
    )
    facts = list_facts(waiting, toll.lists.offers)
    if toll.seats:
        facts.append((_("Seats"), kept))
    facts.append((_("Mails"), "; ".join(filter(None, (_mails(toll), holder_mails(toll.holders))))))
    if toll.holders:
        facts.append((_("Handed on"), holders_words(toll.holders)))
    if toll.in_checkout:
        facts.append((_("Held"), _in_checkout(toll)))
    way_out = _("whoever booked before the move may leave without any charge")
    return [*facts, (_("Way out"), way_out)]


def list_facts(waiting: Waiters, offers: int = 0) -> list[Fact]:
    """What becomes of who waits; `offers` are those of dates that get another time."""
    said = [_told(waiting.told, offers)] if waiting.told else []
    if waiting.served:
        said.append(_served(waiting))
    return [(_("Waiting list"), "; ".join(said))] if said else []


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


def _served(waiting: Waiters) -> str:
    if waiting.told:
        return _(
            "places that get free are offered in turn, and whoever is offered one reads the new"
            " time in that mail"
        )
    return ngettext(
        "%(num)s person waits; places that get free are offered to them by mail",
        "%(num)s people wait; places that get free are offered to them in turn, by mail",
        waiting.served,
    )


def _told(waiting: int, offers: int) -> str:
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
