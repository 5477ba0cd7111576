"""From when a fee for leaving late is asked, and beside what."""

from src.booking.domain.fees import LateFees
from src.booking.domain.refund_policy import Gives
from src.platform.i18n import _
from src.platform.web.formats import money


def late_fee(fee: str, gives: Gives, before: str, *, has_steps: bool, is_owed: bool) -> str:
    """Says the time itself where no sentence before it does, which is where nothing comes back; on
    site the fee comes on top of the price. `before` is empty for what ends with the start.
    """
    if not has_steps and is_owed:
        return _("Who cancels is asked for a fee of %(fee)s as well as the price.", fee=fee)
    if not has_steps:
        return _("Who cancels is asked for a fee of %(fee)s.", fee=fee)
    if is_owed and gives in (Gives.MONEY, Gives.NOTHING):
        return _(
            "Who cancels later than that is asked for a fee of %(fee)s as well as the price.",
            fee=fee,
        )
    if gives is not Gives.NOTHING:
        return _("Who cancels later than that is asked for a fee of %(fee)s.", fee=fee)
    if not before:
        return _("Who cancels after it has started is asked for a fee of %(fee)s.", fee=fee)
    return _(
        "Who cancels later than %(before)s before it starts is asked for a fee of %(fee)s.",
        before=before,
        fee=fee,
    )


def late_fee_now(fee: str, *, is_owed: bool) -> str:
    """Once the last step has passed, nothing says any more what "later than that" is."""
    if is_owed:
        return _("Who cancels now is asked for a fee of %(fee)s as well as the price.", fee=fee)
    return _("Who cancels now is asked for a fee of %(fee)s.", fee=fee)


def late_fees_asked(fees: LateFees | None) -> str:
    """Empty where none are."""
    if fees is None:
        return ""
    return fee_asked(money(fees.amount_minor, fees.currency), is_told=fees.is_told)


def fee_asked(amount: str, *, is_told: bool = False) -> str:
    """For who has left late, or is about to; `is_told`: they have the mail with the link."""
    if is_told:
        return _(
            "A fee of %(amount)s is asked for cancelling late. You have a mail with a link to pay.",
            amount=amount,
        )
    return _(
        "A fee of %(amount)s is asked for cancelling late. A mail follows with a link to pay it.",
        amount=amount,
    )
