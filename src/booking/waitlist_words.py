"""Why somebody is not offered a place, in words for owners and for guests."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from src.booking.domain.kinds import SessionState
from src.booking.domain.price_label import price_words
from src.booking.domain.reasons import Reason, guest_sentence, not_at_present
from src.booking.domain.waiting import Weighed, WhyNot
from src.booking.models import Session
from src.booking.queries.offered_price import OfferedPrice
from src.platform.i18n import _, ngettext
from src.platform.web.formats import datetime_local


def guest_refusal(why: WhyNot, reasons: Sequence[Reason]) -> str:
    """The one sentence for who may not wait."""
    if reasons:
        return guest_sentence(reasons)
    if why is WhyNot.PARTY_TOO_BIG:
        return _("So many people cannot be booked at once.")
    if why is WhyNot.NEVER_FITS:
        return _("There are not that many places in all: please wait for fewer.")
    if why is WhyNot.TOO_LATE:
        return _("It is too late to wait for a place: it starts soon.")
    if why is WhyNot.SWITCHED_OFF:
        return _("There is no waiting list for this.")
    return not_at_present()


def offered_price_words(price: OfferedPrice | None, currency: str) -> str:
    """What the places cost; empty where there is no price to say."""
    if price is None:
        return ""
    return price_words(price.amount_minor, currency, is_lowest=price.is_lowest)


def on_offer_words(places: int) -> str:
    """That so many places are offered and not taken yet; empty for none."""
    if not places:
        return ""
    return ngettext(
        "%(num)s place is on offer to people on the waiting list.",
        "%(num)s places are on offer to people on the waiting list.",
        places,
    )


def unpaid_words(places: int) -> str:
    """That so many places are held and not paid yet; empty for none."""
    if not places:
        return ""
    return ngettext(
        "%(num)s place is held until it is paid, and does not count yet.",
        "%(num)s places are held until they are paid, and do not count yet.",
        places,
    )


def not_counted_words(unpaid: int, on_offer: int) -> str:
    """Both, beside the number of people that a session needs."""
    return " ".join(filter(None, (unpaid_words(unpaid), on_offer_words(on_offer))))


def on_offer_short(places: int) -> str:
    """The same beside a number of people; empty for none."""
    return ngettext("%(num)s on offer", "%(num)s on offer", places) if places else ""


def owner_lines(weighed: Weighed, zone: ZoneInfo) -> list[tuple[str, str]]:
    """Why this entry has no offer, and how to mend it; empty mend where nothing can be done."""
    why = weighed.why
    if why is None:
        return [(_("A place is offered in a moment."), "")]
    if weighed.reasons:
        return [(reason.owner_sentence, reason.mend) for reason in weighed.reasons]
    return [_line(why, weighed, zone)]


def _line(why: WhyNot, weighed: Weighed, zone: ZoneInfo) -> tuple[str, str]:
    if why is WhyNot.TOO_FEW_PLACES:
        return _too_few(weighed, zone)
    lines = {
        WhyNot.HAS_OFFER: (_("A place is offered and not answered yet."), ""),
        WhyNot.SWITCHED_OFF: (
            _("The waiting list is switched off, or not part of the plan."),
            _("Switch it on at the service, or choose a plan with waiting lists."),
        ),
        WhyNot.NOT_ON_SALE: (_("No date is left that could still be booked."), ""),
        WhyNot.PARTY_TOO_BIG: (
            _("The party is bigger than may be booked at once."),
            _("Raise the biggest party of the service."),
        ),
        WhyNot.NEVER_FITS: (
            _("The party is bigger than the session, even when it is empty."),
            _("Raise the session's capacity. Nobody else waits for this party."),
        ),
        WhyNot.TOO_LATE: (
            _("It starts too soon for an offer to be taken."),
            _("Book the guest yourself."),
        ),
        WhyNot.NO_PLACE: (_("No place is free."), _("Raise the session's capacity.")),
        WhyNot.BEHIND_BIGGER_PARTY: (
            _("Somebody further ahead waits until there are places for a bigger party."),
            _("Offer it by hand, or let smaller parties pass sooner."),
        ),
        WhyNot.NOT_WAITING: (_("Is not on the list any more."), _("Offer it by hand.")),
    }
    return lines[why]


def _too_few(weighed: Weighed, zone: ZoneInfo) -> tuple[str, str]:
    said = ngettext(
        "Only %(num)s place is free for a party of %(size)s.",
        "Only %(num)s places are free for a party of %(size)s.",
        weighed.room,
        size=weighed.entry.size,
    )
    if weighed.is_passed:
        return said, _("Smaller parties behind it are offered what is free; raise the capacity.")
    if weighed.passes_at is None:
        return said, _("Smaller parties wait behind it; raise the capacity, or let them pass.")
    when = datetime_local(weighed.passes_at, zone)
    return said, _("Smaller parties pass it from %(when)s on.", when=when)


def closed_words(session: Session | None) -> str:
    """Why nobody can wait any more for the session, or for the series without any to be booked."""
    if session is None:
        return _("No date is left that could still be booked, so nobody can wait for one.")
    if session.state == SessionState.CANCELLING:
        return _("It is being cancelled, so nobody can wait for it unless that is undone.")
    if session.state == SessionState.CANCELLED:
        return _("It is cancelled, so nobody can wait for it.")
    return _("It has begun, so nobody can wait for it.")


def state_words() -> dict[str, tuple[str, str | None]]:
    """What an entry's state is called, and its colour."""
    return {
        "waiting": (_("Waiting"), None),
        "offered": (_("Offered"), "warning"),
        "accepted": (_("Took the place"), "success"),
        "left": (_("Left the list"), None),
        "expired": (_("Let it pass"), None),
        "removed": (_("Taken off the list"), "error"),
        "closed": (_("The list was closed"), None),
    }


def offer_words(made_by: str, *, holds: bool) -> str:
    if made_by == "staff":
        return _("A place was offered by hand")
    return _("A place was offered and held") if holds else _("Told with everybody else")


def ended_words(state: str) -> str:
    """How an offer ended."""
    return {
        "taken": _("Went on to book it"),
        "declined": _("Did not want it"),
        "expired": _("The time to take it was over"),
        "withdrawn": _("The offer was withdrawn"),
    }[state]
