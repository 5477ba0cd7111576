"""What a cancellation takes from whom, in words."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from src.booking.views.cancellations import ListsToll, LostHold, Toll, Touched
from src.booking.web.some_names import some_names
from src.platform.i18n import _, ngettext
from src.platform.web.formats import date_short, datetime_local, money

Fact = tuple[str, str]
NameAndAddress = tuple[str, str]
MOST_DATES = 3
"""Of one guest; more of them are counted."""
MOST_NAMED = 3
"""Of whom places were handed on to."""


def toll_facts(toll: Toll, currency: str, *, chooses: bool = False) -> list[Fact]:
    """Names and values, those that are nothing left out where nothing is what one expects.

    With `chooses` it is asked what goes back.
    """
    facts = [(_("Seats freed"), _seats(toll))]
    if _written_to(toll) or toll.holders or not toll.lists.closed:
        facts.append((_("Mails"), _mails(toll)))
    if toll.holders:
        facts.append((_("Handed on"), holders_words(toll.holders)))
    if toll.in_checkout:
        facts.append((_("Held"), _in_checkout(toll, currency)))
    if toll.lists.closed or toll.lists.offers:
        facts.append((_("Waiting list"), _lists(toll.lists)))
    facts.append((_("Money"), _money(toll, currency, chooses=chooses)))
    if toll.by_credit:
        facts.append((_("Credits"), _credits(toll)))
    return facts


def holders_words(holders: Sequence[NameAndAddress]) -> str:
    """Who has a place that was handed on to them; two of one name are two."""
    names = [name for name, _address in dict.fromkeys(holders)]
    return ngettext(
        "%(names)s has the place of a guest",
        "%(names)s have the places of guests",
        len(names),
        names=some_names(names, MOST_NAMED),
    )


def holder_mails(holders: Sequence[NameAndAddress]) -> str:
    """What they are sent beside those who booked; empty where there are none."""
    if not holders:
        return ""
    return ngettext(
        "%(num)s to who has a guest's place",
        "%(num)s to those who have guests' places",
        len(holders),
    )


def toll_people(toll: Toll, currency: str, zone: ZoneInfo) -> list[Fact]:
    """Whom it touches and how; on which dates, where these are not the same for all."""
    dates = which_dates([one.starts for one in toll.people], zone)
    return [
        (one.name or one.email, _effect(one, currency, on))
        for one, on in zip(toll.people, dates, strict=True)
    ]


def cancelled_people(toll: Toll, currency: str, zone: ZoneInfo) -> list[Fact]:
    """Whom a cancelling touches, those too who lose all that is held for them until they pay."""
    return [*toll_people(toll, currency, zone), *lost_hold_people(toll, zone)]


def lost_hold_people(toll: Toll, zone: ZoneInfo) -> list[Fact]:
    """Who is told that nothing is held for them any more."""
    return [(one.name or one.email, _lost_hold(one, zone)) for one in toll.lost_holds]


def _lost_hold(hold: LostHold, zone: ZoneInfo) -> str:
    seats = ngettext("%(num)s seat", "%(num)s seats", hold.seats)
    until = "" if hold.until is None else datetime_local(hold.until, zone)
    held = _("%(seats)s held until %(time)s, to be paid by a link", seats=seats, time=until)
    if len(hold.starts) > 1:
        on = "; ".join(date_short(at, zone) for at in hold.starts)
        held = _("%(held)s; all of them are freed, on every date: %(dates)s", held=held, dates=on)
    told = _("told by mail") if hold.email else _("has no address and must be called")
    return " · ".join((held, told))


def which_dates(starts: Sequence[Sequence[datetime]], zone: ZoneInfo) -> list[str]:
    """The dates of each, or how many they are; empty where all have the same one."""
    if len({at for one in starts for at in one}) == 1:
        return [""] * len(starts)
    return [_dates(one, zone) for one in starts]


def _dates(starts: Sequence[datetime], zone: ZoneInfo) -> str:
    if len(starts) > MOST_DATES:
        return ngettext("%(num)s date", "%(num)s dates", len(starts))
    return "; ".join(date_short(at, zone) for at in starts)


def _seats(toll: Toll) -> str:
    if not toll.seats:
        return _("none so far") if toll.in_checkout else _("none, nobody has booked")
    seats = ngettext("%(num)s seat", "%(num)s seats", toll.seats)
    return ngettext(
        "%(seats)s of %(num)s guest", "%(seats)s of %(num)s guests", toll.customers, seats=seats
    )


def _mails(toll: Toll) -> str:
    mails = _written_to(toll)
    said = (
        ngettext("%(num)s, with your reason", "%(num)s, one to each guest", mails) if mails else "",
        holder_mails(toll.holders),
    )
    return "; ".join(filter(None, said)) or _("none")


def _written_to(toll: Toll) -> int:
    return toll.mails + sum(1 for one in toll.lost_holds if one.email)


def _lists(lists: ListsToll) -> str:
    """Who waits in vain, and what was offered; nothing of it before the undo window is over."""
    said = []
    if lists.closed:
        said.append(
            ngettext(
                "%(num)s person who waits is told by mail that the list is closed",
                "%(num)s people who wait are told that the list is closed, one mail each",
                lists.closed,
            )
        )
    if lists.offers:
        said.append(_offers(lists))
    return "; ".join(said)


def _offers(lists: ListsToll) -> str:
    ended = ngettext(
        "%(num)s offer ends when the cancelling is over",
        "%(num)s offers end when the cancelling is over",
        lists.offers,
    )
    if not lists.places:
        return ended
    places = ngettext("%(num)s place", "%(num)s places", lists.places)
    return f"{ended} ({places})"


def _in_checkout(toll: Toll, currency: str) -> str:
    """Nothing happens to a checkout before the undo window is over."""
    held = ngettext(
        "%(num)s seat is held and not paid yet, %(amount)s; its payment page is closed when the"
        " cancelling begins, and what is paid before that goes back by itself",
        "%(num)s seats are held and not paid yet, %(amount)s; their payment pages are closed when"
        " the cancelling begins, and what is paid before that goes back by itself",
        toll.in_checkout,
        amount=money(toll.in_checkout_minor, currency),
    )
    if all(len(one.starts) == 1 for one in toll.lost_holds):
        return held
    whole = _(
        "What is held to be paid by a link or a bank transfer ends with it on its other dates, too."
    )
    return f"{held}. {whole}"


def _credits(toll: Toll) -> str:
    """What paid a seat without money comes back whatever is chosen, if it is paid for itself."""
    said, coming = [], toll.by_credit - toll.credits_gone
    if coming:
        said.append(
            ngettext(
                "%(num)s seat was paid with a credit, which comes back",
                "%(num)s seats were paid with credits, which come back",
                coming,
            )
        )
    if toll.credits_gone:
        said.append(
            ngettext(
                "%(num)s seat was paid with a credit that does not come back, as the money for it"
                " went back already",
                "%(num)s seats were paid with credits that do not come back, as the money for them"
                " went back already",
                toll.credits_gone,
            )
        )
    return "; ".join(said)


def _parts(toll: Toll, currency: str) -> list[str]:
    """What the seats cost, by the way it is paid."""
    paid, taken = money(toll.paid_minor, currency), money(toll.taken_minor, currency)
    transferred, due = money(toll.transferred_minor, currency), money(toll.on_site_minor, currency)
    by_voucher = money(toll.voucher_minor, currency)
    said = [
        (toll.voucher_minor, _("%(amount)s paid by voucher", amount=by_voucher)),
        (toll.paid_minor, _("%(amount)s paid online", amount=paid)),
        (toll.taken_minor, _("%(amount)s paid on site", amount=taken)),
        (toll.transferred_minor, _("%(amount)s paid by bank transfer", amount=transferred)),
        (toll.on_site_minor, _("%(amount)s payable on site", amount=due)),
    ]
    return [words for minor, words in said if minor]


def _money(toll: Toll, currency: str, *, chooses: bool) -> str:
    """What the seats cost, and that what is still owed falls away."""
    parts = _parts(toll, currency)
    if not parts and toll.in_checkout:
        return _("none so far")
    if not toll.seats:
        return _("none")
    if not parts and toll.by_credit == toll.seats:
        return _("none, credits paid for these seats")
    if not parts:
        return _("none, these seats cost nothing")
    amounts = ", ".join(parts)
    if chooses:
        said = _("%(amounts)s. You choose below what of it goes back.", amounts=amounts)
    elif toll.is_with_the_bank:
        said = _("%(amounts)s. Nothing of it can go back.", amounts=amounts)
    else:
        said = _("%(amounts)s. There is nothing to give back.", amounts=amounts)
    if toll.is_with_the_bank:
        bank = _("What a guest's bank has because of a dispute cannot go back from here.")
        said = f"{said} {bank}"
    if not toll.on_site_minor:
        return said
    return " ".join((said, _("What is still to be paid on site for these seats falls away.")))


def _effect(one: Touched, currency: str, on: str) -> str:
    seats = ngettext("%(num)s seat", "%(num)s seats", one.seats)
    if not one.share_minor:
        return " · ".join(filter(None, (on, seats)))
    bank = _("disputed, the guest's bank has it") if one.is_with_the_bank else ""
    price = money(one.share_minor, currency)
    return " · ".join(filter(None, (on, seats, price, _how(one, currency), bank)))


def _how(one: Touched, currency: str) -> str:
    """The way it was paid or is to be; with the amounts where a voucher paid a part alone."""
    on_site = _("paid on site") if one.is_paid else _("still to be paid on site")
    words = {"online": _("paid online"), "on_site": on_site, "credit": _("with credits")}
    words["transfer"] = _("paid by bank transfer")
    how, rest_minor = words.get(one.payment_mode, ""), one.share_minor - one.voucher_minor
    if not one.voucher_minor:
        return how
    if not rest_minor:
        return _("paid by voucher")
    by_voucher = _("%(amount)s paid by voucher", amount=money(one.voucher_minor, currency))
    return f"{by_voucher}, {money(rest_minor, currency)} {how}"
