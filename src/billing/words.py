"""The domain's words as people read them."""

from collections.abc import Sequence

from src.billing.domain.kinds import NotHad, OrderEnd
from src.platform.i18n import _


def refund_cause(cause: str) -> str:
    """Why money goes back, in a few words that fit behind a colon."""
    words = {
        "too_late": _("paid after the hold had ended"),
        "paid_twice": _("paid twice"),
        "too_much": _("more came than was due"),
        "in_vain": _("nothing was bought with it"),
        "not_asked": _("a part that was not asked any more"),
        "not_delivered": _("a part was cancelled meanwhile"),
        "cancelled": _("what was booked was cancelled"),
        "staff": _("decided by the business"),
        "credits": _("credits that were not used"),
        "processor": _("made in Stripe"),
    }
    return words[cause]


def order_end_words(end: OrderEnd, *, holds_places: bool) -> str:
    """How an order ended without money, as its history tells it. `holds_places`: others could not
    have what was not paid.
    """
    words = {
        OrderEnd.EXPIRED: _("The time to pay ended; the places were freed"),
        OrderEnd.RELEASED: _("Released; the places are free again"),
        OrderEnd.GIVEN_UP: _("Given up; the places were freed"),
        OrderEnd.NOT_PAYABLE: _("No payment could be started; the places were freed"),
        OrderEnd.CALLED_OFF: _("Cancelled by the business before it was paid"),
    }
    without_places = {
        OrderEnd.EXPIRED: _("Not paid for in time"),
        OrderEnd.RELEASED: _("Released; it is not waited for any more"),
        OrderEnd.GIVEN_UP: _("Given up by the guest"),
        OrderEnd.NOT_PAYABLE: _("No payment could be started"),
    }
    return words[end] if holds_places else without_places.get(end, words[end])


def who_ended_it(end: OrderEnd) -> str:
    """Why an order can be had no more, whenever its money comes; empty for one that expired, which
    may be.
    """
    words = {
        OrderEnd.RELEASED: _("It was released by the business."),
        OrderEnd.GIVEN_UP: _("The guest has given it up."),
        OrderEnd.NOT_PAYABLE: _("No payment could be started for it."),
        OrderEnd.CALLED_OFF: _("It was cancelled by the business."),
    }
    return words.get(end, "")


def not_had_words(why: NotHad, end: OrderEnd) -> str:
    """`end` is how the order ended."""
    words = {
        NotHad.PART: _("It is less than the price, and came when nothing was waited for any more."),
        NotHad.ENDED: who_ended_it(end),
        NotHad.GONE: _("What it was for is taken by others, over or cancelled by now."),
        NotHad.TWICE: _("The guest has it by another order already."),
        NotHad.VOUCHER: _("The voucher that was to pay a part of it has been spent meanwhile."),
        NotHad.ALL_CANCELLED: _("All of it was cancelled."),
        NotHad.REFUNDED: _("Its credits were refunded before."),
    }
    return words[why]


def dispute_state(state: str) -> tuple[str, str]:
    """The state in a word, and the tone it is shown in."""
    words = {
        "open": (_("Disputed"), "error"),
        "won": (_("Dispute won"), "success"),
        "lost": (_("Dispute lost"), "error"),
    }
    return words[state]


def open_item_word(kind: str) -> str:
    """What an order needs somebody for, in two or three words."""
    words = {
        "payment_mismatch": _("Payment does not match"),
        "refund_failed": _("Refund failed"),
        "page_out_of_reach": _("Payment to be looked up"),
        "dispute": _("Dispute to answer"),
        "hand_back": _("Give back by hand"),
        "part_overdue": _("Part not paid"),
    }
    return words[kind]


def order_state(state: str) -> tuple[str, str]:
    """The state in a word, and the tone it is shown in."""
    words = {
        "open": (_("Waiting for payment"), "warning"),
        "confirmed": (_("Confirmed"), "success"),
        "expired": (_("Not paid in time"), "muted"),
        "cancelled": (_("Cancelled"), "muted"),
    }
    return words[state]


def payment_mode(mode: str) -> str:
    words = {
        "online": _("Online"),
        "on_site": _("On site"),
        "transfer": _("Bank transfer"),
        "credit": _("With credits"),
        "free": _("Free of charge"),
    }
    return words[mode]


def payment_method(method: str) -> str:
    """By what money came, in a word or two; a method that is not known by its own name."""
    words = {
        "on_site": _("On site"),
        "transfer": _("Bank transfer"),
        "card": _("Card"),
        "link": "Link",
        "paypal": "PayPal",
        "ideal": "iDEAL",
        "bancontact": "Bancontact",
        "eps": "EPS",
        "blik": "BLIK",
        "twint": "TWINT",
        "sepa_debit": _("Direct debit"),
    }
    return words.get(method, method)


def method_choices(methods: Sequence[str]) -> list[tuple[str, str, str]]:
    """Each method with its word and what it is."""
    about = {
        "link": _("Stripe's own wallet: guests keep their card there."),
        "paypal": _("Guests pay from their PayPal account."),
        "ideal": _("From a bank account in the Netherlands, at once."),
        "bancontact": _("Cards and app of Belgian banks."),
        "eps": _("From a bank account in Austria, at once."),
        "blik": _("By a code from the app of a Polish bank."),
        "twint": _("By the app of Swiss banks."),
    }
    return [(method, payment_method(method), about[method]) for method in methods]


def refund_state(state: str) -> tuple[str, str]:
    words = {
        "pending": (_("On its way"), "info"),
        "succeeded": (_("Gone back"), "success"),
        "failed": (_("Did not go through"), "error"),
    }
    return words[state]


def page_state(state: str) -> str:
    words = {
        "pending": _("Not known yet"),
        "open": _("Open"),
        "complete": _("Completed"),
        "expired": _("Ended unpaid"),
        "failed": _("Could not be made"),
    }
    return words[state]


def refund_failure(why: str | None) -> str:
    """Why a refund did not go through, from the processor's reason or the code of its refusal.

    One that is not known is named in a general sentence. The processor's own sentence, which is
    there where it gave no code, is in no language of ours and not shown.
    """
    disputed = _("The guest's bank disputes the payment.")
    too_low = _("Your balance at Stripe was too low.")
    words = {
        "": _("The bank sent it back."),
        "balance_insufficient": too_low,
        "charge_already_refunded": _("All of the payment had gone back before."),
        "charge_disputed": disputed,
        "charge_for_pending_refund_disputed": disputed,
        "declined": _("The guest's bank declined it."),
        "expired_or_canceled_card": _("The guest's card has expired or was cancelled."),
        "insufficient_funds": too_low,
        "lost_or_stolen_card": _("The guest's card is reported lost or stolen."),
        "merchant_request": _("It was stopped at your own request."),
    }
    why = why or ""
    if why in words:
        return words[why]
    if why == "unknown" or " " in why:
        return _("The guest's bank or Stripe refused it without saying why.")
    return _("The guest's bank or Stripe refused it, with the code “%(code)s”.", code=why)
