"""What of a signature is said in words."""

from src.booking.queries.agreements_waiting import OfOrder
from src.booking.views.mails import AgreedView
from src.platform.i18n import N_, _
from src.tenants.worded_mails import Placeholder


def how_signed(how: str, *, is_proved: bool) -> str:
    """By which way it came, and whether whoever signed had shown who they are."""
    if how == "portal":
        return _("Signed in, on their own pages")
    if how == "link":
        return _("By the link of their booking")
    if how == "api":
        return _("With a booking, by another program")
    return _("Signed in, with a booking") if is_proved else _("With a booking")


def agreed_of(of_order: OfOrder | None, booking_url: str) -> AgreedView:
    """What a confirmation says of what its order asks for."""
    if of_order is None:
        return AgreedView()
    signed, waiting = (_quoted(titles) for titles in (of_order.signed, of_order.waiting))
    return AgreedView(
        signed=_("You agreed to %(titles)s.", titles=signed) if signed else "",
        waiting=_("Please read and sign before you come: %(titles)s.", titles=waiting)
        if waiting
        else "",
        url=f"{booking_url}/agreements" if waiting else "",
    )


def _quoted(titles: list[str]) -> str:
    return ", ".join(_("“%(title)s”", title=title) for title in titles)


def _in_one(agreed: AgreedView) -> str:
    return " ".join(filter(None, (agreed.signed, agreed.waiting, agreed.url)))


AGREEMENTS = Placeholder(
    name="agreements",
    label=N_("Agreements that were signed, and a link to those that wait; nothing otherwise"),
    value=lambda view: _in_one(view.agreed),
)
