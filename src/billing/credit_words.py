"""Credits in words, as people read them."""

from src.billing.domain.credits import LotSource, LotState, is_taken_off
from src.billing.views.credits import LotBadge
from src.platform.i18n import _, ngettext


def lot_badge(state: LotState, *, used: int, is_rolled_over: bool = False) -> LotBadge:
    """The state in a word or two, and the tone it is shown in."""
    if is_rolled_over and state is LotState.USED_UP:
        return LotBadge(_("Rolled over"), "muted")
    if is_taken_off(state, used=used, is_rolled_over=is_rolled_over):
        return LotBadge(_("Taken off"), "muted")
    words = {
        LotState.PENDING: (_("Waiting for payment"), "warning"),
        LotState.ACTIVE: (_("Active"), "success"),
        LotState.EXPIRED: (_("Expired"), "error"),
        LotState.USED_UP: (_("Used up"), "muted"),
        LotState.REFUNDED: (_("Refunded"), "info"),
        LotState.VOID: (_("Never paid"), "muted"),
    }
    return LotBadge(*words[state])


def source_words(source: str) -> str:
    """Where credits come from."""
    words = {
        LotSource.PACKAGE: _("Bought"),
        LotSource.SEAT: _("Given back for a date"),
        LotSource.GOODWILL: _("Given by you"),
        LotSource.ROLLOVER: _("Rolled over"),
    }
    return words[LotSource(source)]


def how_to_use_credits(count: int) -> str:
    """To who was given some, perhaps without having bought any."""
    return ngettext(
        "To use it, choose a date, sign in with this e-mail address, and pay with your credit.",
        "To use them, choose a date, sign in with this e-mail address, and pay with your credits.",
        count,
    )


def entry_words(kind: str, number: int, *, of_seat: bool, of_refund: bool, by: str) -> str:
    """What an entry of the ledger did, for whom and by whom it was made."""
    if kind == "restore" and of_refund:
        return _("Back, the refund failed")
    if kind == "restore":
        return _("Given back") if of_seat else _("There again, extended")
    if kind == "expire":
        return _("Rolled over") if by == "staff" else _("Ended unused")
    if kind == "adjust":
        return _("Added") if number > 0 else _("Removed")
    words = {
        "grant": _("Received"),
        "redeem": _("Used"),
        "refund": _("Refunded"),
    }
    return words[kind]
