"""When fees are asked and beside what, and how it stands with them, in sentences for guests."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from src.billing.domain.kinds import FeeKind
from src.billing.views.fees import GuestFee
from src.booking.domain.refund_policy import Gives
from src.booking.views.guest import FeeLine
from src.platform.i18n import _
from src.platform.web.formats import datetime_local, money


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


def fee_asked(amount: str, *, is_told: bool = False) -> str:
    """For who has left late, or is about to; `is_told`: they have the mail with the link."""
    if is_told:
        return _(
            "A fee of %(amount)s is asked for cancelling late. You have a mail with a link to pay.",
            amount=amount,
        )
    return _(
        "A fee of %(amount)s is asked for cancelling late. A day later, a mail follows with a link"
        " to pay it.",
        amount=amount,
    )


def fee_asked_for_not_coming(amount: str) -> str:
    """For who has the mail with the link; nobody else is told."""
    return _(
        "A fee of %(amount)s is asked for not coming. You have a mail with a link to pay.",
        amount=amount,
    )


def fee_paid(amount: str, *, is_late: bool) -> str:
    if is_late:
        return _("The fee of %(amount)s for cancelling late is paid.", amount=amount)
    return _("The fee of %(amount)s for not coming is paid.", amount=amount)


def fee_lines(fees: Sequence[GuestFee], zone: ZoneInfo) -> list[FeeLine]:
    """What is asked, or was paid, for what was missed of one order, a sentence for each kind."""
    kinds: dict[tuple[FeeKind, bool, bool], list[GuestFee]] = {}
    for fee in fees:
        kinds.setdefault((fee.kind, fee.is_paid, fee.is_told or fee.is_paid), []).append(fee)
    return [
        FeeLine(
            text=_words(key[0], _sum(alike), is_paid=key[1], is_told=key[2]),
            links=_links(alike, zone) if key[2] else [],
        )
        for key, alike in kinds.items()
    ]


def _sum(fees: Sequence[GuestFee]) -> str:
    return money(sum(fee.amount_minor for fee in fees), fees[0].currency)


def _words(kind: FeeKind, amount: str, *, is_paid: bool, is_told: bool) -> str:
    if is_paid:
        return fee_paid(amount, is_late=kind is FeeKind.LATE_CANCEL)
    if kind is FeeKind.LATE_CANCEL:
        return fee_asked(amount, is_told=is_told)
    return fee_asked_for_not_coming(amount)


def _links(fees: Sequence[GuestFee], zone: ZoneInfo) -> list[tuple[str, str]]:
    """To the page of each fee, by its date where there are several."""
    if len(fees) == 1:
        [fee] = fees
        return [(_("See the fee") if fee.is_paid else _("See and pay the fee"), fee.href)]
    return [
        (
            _(
                "%(amount)s, %(when)s",
                amount=money(fee.amount_minor, fee.currency),
                when=datetime_local(fee.starts_at, zone),
            ),
            fee.href,
        )
        for fee in fees
    ]
