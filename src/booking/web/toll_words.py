"""What a cancellation takes from whom, in words."""

from src.booking.views.cancellations import ListsToll, Toll, Touched
from src.platform.i18n import _, ngettext
from src.platform.web.formats import money

Fact = tuple[str, str]


def toll_facts(toll: Toll, currency: str, *, chooses: bool = False) -> list[Fact]:
    """Names and values, those that are nothing left out where nothing is what one expects.

    With `chooses` it is asked what goes back.
    """
    facts = [(_("Seats freed"), _seats(toll))]
    if toll.mails or not toll.lists.closed:
        facts.append((_("Mails"), _mails(toll)))
    if toll.in_checkout:
        facts.append((_("Held"), _in_checkout(toll, currency)))
    if toll.lists.closed or toll.lists.offers:
        facts.append((_("Waiting list"), _lists(toll.lists)))
    facts.append((_("Money"), _money(toll, currency, chooses=chooses)))
    return facts


def toll_people(toll: Toll, currency: str) -> list[Fact]:
    return [(one.name or one.email, _effect(one, currency)) for one in toll.people]


def _seats(toll: Toll) -> str:
    if not toll.seats:
        return _("none so far") if toll.in_checkout else _("none, nobody has booked")
    seats = ngettext("%(num)s seat", "%(num)s seats", toll.seats)
    return ngettext(
        "%(seats)s of %(num)s guest", "%(seats)s of %(num)s guests", toll.customers, seats=seats
    )


def _mails(toll: Toll) -> str:
    if not toll.mails:
        return _("none")
    return ngettext("%(num)s, with your reason", "%(num)s, one to each guest", toll.mails)


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
    return ngettext(
        "%(num)s seat is held and not paid yet, %(amount)s; its payment page is closed when the"
        " cancelling begins, and what is paid before that goes back by itself",
        "%(num)s seats are held and not paid yet, %(amount)s; their payment pages are closed when"
        " the cancelling begins, and what is paid before that goes back by itself",
        toll.in_checkout,
        amount=money(toll.in_checkout_minor, currency),
    )


def _money(toll: Toll, currency: str, *, chooses: bool) -> str:
    """What the seats cost, and that what is still owed falls away."""
    parts = []
    if toll.paid_minor:
        parts.append(_("%(amount)s paid online", amount=money(toll.paid_minor, currency)))
    if toll.taken_minor:
        parts.append(_("%(amount)s paid on site", amount=money(toll.taken_minor, currency)))
    if toll.on_site_minor:
        parts.append(_("%(amount)s payable on site", amount=money(toll.on_site_minor, currency)))
    if not parts and toll.in_checkout:
        return _("none so far")
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


def _effect(one: Touched, currency: str) -> str:
    seats = ngettext("%(num)s seat", "%(num)s seats", one.seats)
    if not one.share_minor:
        return seats
    on_site = _("paid on site") if one.is_paid else _("on site")
    words = {"online": _("paid online"), "on_site": on_site, "credit": _("with credits")}
    how = words.get(one.payment_mode, "")
    bank = _("disputed, the guest's bank has it") if one.is_with_the_bank else ""
    return " · ".join(filter(None, (seats, money(one.share_minor, currency), how, bank)))
