"""Refusals of the booking package that are more than a sentence."""

from collections.abc import Sequence

from src.booking.domain.reasons import Reason, guest_sentence
from src.platform.errors import Conflict, NotFound
from src.platform.i18n import _, ngettext


class NotBookable(Conflict):
    """It cannot be booked; `reasons` has every reason, the message is the guest's sentence."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(guest_sentence(reasons), code=str(reasons[0].code))
        self.reasons = tuple(reasons)


class NotOffered(NotFound):
    """Such a date or course is not there for a guest, while its service is."""

    def __init__(self, *, service_name: str, service_slug: str) -> None:
        super().__init__(
            _("What you were looking for is not offered any more, or the address is mistyped.")
        )
        self.service_name, self.service_slug = service_name, service_slug


class PriceChanged(Conflict):
    """The price differs from the one the guest was shown; nothing was booked."""

    code = "price_changed"

    def __init__(self, message: str, *, total_minor: int) -> None:
        super().__init__(message)
        self.total_minor = total_minor


class DatesChanged(Conflict):
    """A date is not as the guest was shown it; nothing was booked."""

    code = "dates_changed"


class MovesGuests(Conflict):
    """It would move guests who have a seat, or an offer of one, and nobody has said that it shall;
    nothing was done.
    """

    code = "moves_guests"

    def __init__(self, seats: int, on_offer: int = 0) -> None:
        taken = ngettext(
            "%(num)s seat is taken. Its guest would be moved too: say that this is meant.",
            "%(num)s seats are taken. Their guests would be moved too: say that this is meant.",
            seats,
        )
        offered = ngettext(
            "%(num)s place is on offer to people on the waiting list: say that this is meant.",
            "%(num)s places are on offer to people on the waiting list: say that this is meant.",
            on_offer,
        )
        said = [taken] if seats else []
        super().__init__(" ".join([*said, offered] if on_offer else [taken]))
        self.seats, self.on_offer = seats, on_offer
