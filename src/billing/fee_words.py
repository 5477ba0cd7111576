"""Fees in words."""

import msgspec

from src.billing.domain.kinds import FeeKind, FeeState
from src.platform.i18n import _


def fee_kind_word(kind: FeeKind) -> str:
    return _("Did not come") if kind is FeeKind.NO_SHOW else _("Cancelled late")


def fee_reason(kind: FeeKind) -> str:
    """For the guest: why it is asked."""
    if kind is FeeKind.NO_SHOW:
        return _("You did not come, and had not cancelled.")
    return _("You cancelled later than it is free of charge.")


class FeeStanding(msgspec.Struct, frozen=True):
    """Whether a fee had been paid when more money came for it, and whether on site."""

    is_paid: bool
    is_on_site: bool = False


def why_not_asked(fee: FeeStanding) -> str:
    """For the guest: why what they paid goes back."""
    if fee.is_on_site:
        return _("The fee had been paid on site already.")
    if fee.is_paid:
        return _("The fee had been paid already.")
    return _("The fee was not asked any more when your payment came.")


def fee_state_word(state: FeeState) -> tuple[str, str | None]:
    """With the tone of its badge."""
    return {
        FeeState.ASKED: (_("Asked"), "warning"),
        FeeState.PAID: (_("Paid"), "success"),
        FeeState.FORGIVEN: (_("Forgiven"), None),
        FeeState.DROPPED: (_("Taken back"), None),
    }[state]


class FeeWords(msgspec.Struct, frozen=True):
    """By kind, and by state with its tone."""

    kinds: dict[str, str]
    states: dict[str, tuple[str, str | None]]


def fee_words() -> FeeWords:
    """For templates."""
    return FeeWords(
        {str(kind): fee_kind_word(kind) for kind in FeeKind},
        {str(state): fee_state_word(state) for state in FeeState},
    )
