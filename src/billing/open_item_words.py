"""What an open item says, in the language of whoever reads it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from src.billing.domain.kinds import TRANSFER_METHOD, OpenItemKind
from src.billing.models import OpenItem
from src.billing.views.orders import OpenItemView
from src.billing.words import refund_failure
from src.platform.i18n import _, current_locale, ngettext
from src.platform.money import Money, format_money
from src.platform.web.formats import day_medium


def open_item_sentence(item: OpenItem) -> str:
    """In the current language; an item of before its facts were kept says what it was given."""
    if not item.facts:
        return item.sentence
    match OpenItemKind(item.kind):
        case OpenItemKind.PAYMENT_MISMATCH:
            return _mismatch(item.facts)
        case OpenItemKind.REFUND_FAILED:
            return _refund_failed(item.facts)
        case OpenItemKind.PAGE_OUT_OF_REACH:
            return _out_of_reach(item.facts)
        case OpenItemKind.DISPUTE:
            return _dispute(item.facts)
        case OpenItemKind.HAND_BACK:
            return _hand_back(item.facts)
        case OpenItemKind.PART_OVERDUE:
            return _part_overdue(item.facts)


def closing_words(item: OpenItemView) -> list[tuple[str, str]]:
    """What follows of a person's saying that they have dealt with it, by what it is about. Of a
    refund that is with the guest's bank nothing can go back, and the guest reads nothing of it.
    """
    is_refund = item.kind == OpenItemKind.REFUND_FAILED
    is_told = is_refund and bool(item.refund_id or item.payment_id)
    guest = (
        _(
            "Their page no longer says that the refund did not arrive, but that you have dealt with"
            " it in another way."
        )
        if is_told
        else _("Their page stays as it is.")
    )
    return [
        (_("Money"), _money_stays(item, may_go_back=is_told)),
        (_("Guest"), guest),
        (_("Mails"), _("None.")),
        (
            _("Here"),
            _("It is no longer listed as needing you, and you cannot open it again."),
        ),
        (_("History"), _("The order keeps that you said so, and when.")),
    ]


def _money_stays(item: OpenItemView, *, may_go_back: bool) -> str:
    match OpenItemKind(item.kind):
        case OpenItemKind.REFUND_FAILED if may_go_back:
            return _(
                "None moves. This refund cannot be tried again; another one can still be made of"
                " the payment."
            )
        case OpenItemKind.PAYMENT_MISMATCH:
            return _("None moves. What was paid stays with you until you give it back.")
        case OpenItemKind.PAGE_OUT_OF_REACH:
            return _("None moves. We do not ask again whether it was paid.")
        case OpenItemKind.DISPUTE:
            return _("None moves. What the bank does or has done about it stays as it is.")
        case _kind:
            return _("None moves.")


def _mismatch(facts: Mapping[str, Any]) -> str:
    return _(
        "%(paid)s were paid for order %(reference)s, which costs %(total)s.",
        paid=_money(facts["paid_minor"], facts["paid_currency"]),
        reference=facts["reference"],
        total=_money(facts["total_minor"], facts["total_currency"]),
    )


def _refund_failed(facts: Mapping[str, Any]) -> str:
    said = _(
        "A refund of %(amount)s for order %(reference)s did not go through: %(why)s",
        amount=_money(facts["amount_minor"], facts["currency"]),
        reference=facts["reference"],
        why=refund_failure(facts["why"]),
    )
    sentences, attempts = [said], facts.get("attempt", 1)
    if attempts > 1:
        tried = ngettext("It was tried %(num)s time.", "It was tried %(num)s times.", attempts)
        sentences.append(tried)
    if number := facts.get("credits", 0):
        back = ngettext(
            "%(num)s credit that had gone with it was given back to the guest. If you return the"
            " money in another way, take it off first.",
            "%(num)s credits that had gone with it were given back to the guest. If you return the"
            " money in another way, take them off first.",
            number,
        )
        sentences.append(back)
    return " ".join(sentences)


def _hand_back(facts: Mapping[str, Any]) -> str:
    if facts.get("method") == TRANSFER_METHOD:
        return _transfer_back(facts)
    if facts.get("of_place"):
        return _(
            "You refunded unused credits of %(guest)s, given back for a place of order"
            " %(reference)s. Please give back %(amount)s of what you took on site.",
            guest=facts["guest"],
            reference=facts["reference"],
            amount=_money(facts["amount_minor"], facts["currency"]),
        )
    if facts.get("credits"):
        return _(
            "You refunded unused credits of %(guest)s, bought with order %(reference)s. Please give"
            " back %(amount)s of what you took on site.",
            guest=facts["guest"],
            reference=facts["reference"],
            amount=_money(facts["amount_minor"], facts["currency"]),
        )
    if facts.get("cancelled"):
        return _(
            "You cancelled places of %(guest)s in order %(reference)s. Please give back %(amount)s"
            " of what you took on site.",
            guest=facts["guest"],
            reference=facts["reference"],
            amount=_money(facts["amount_minor"], facts["currency"]),
        )
    return _(
        "%(guest)s has left a date of order %(reference)s in time. Please give back %(amount)s of"
        " what you took on site.",
        guest=facts["guest"],
        reference=facts["reference"],
        amount=_money(facts["amount_minor"], facts["currency"]),
    )


def _part_overdue(facts: Mapping[str, Any]) -> str:
    return _(
        "Part %(number)s of %(of)s of order %(reference)s, %(amount)s that fell due on %(day)s, has"
        " not been paid by %(guest)s. They have the link to pay it. Their credits stay as"
        " they are: talk to them, take it on site, let them off it, or refund the credits that are"
        " left, which ends the other parts too.",
        number=facts["number"],
        of=facts["of"],
        reference=facts["reference"],
        amount=_money(facts["amount_minor"], facts["currency"]),
        day=day_medium(date.fromisoformat(facts["due_on"])),
        guest=facts["guest"],
    )


def _transfer_back(facts: Mapping[str, Any]) -> str:
    words = {
        "guest": facts["guest"],
        "reference": facts["reference"],
        "amount": _money(facts["amount_minor"], facts["currency"]),
    }
    if facts.get("extra"):
        return _(
            "%(guest)s has transferred %(amount)s that order %(reference)s does not wait for."
            " Please send it back.",
            **words,
        )
    if facts.get("of_place"):
        return _(
            "You refunded unused credits of %(guest)s, given back for a place of order"
            " %(reference)s. Please send back %(amount)s of what they transferred.",
            **words,
        )
    if facts.get("credits"):
        return _(
            "You refunded unused credits of %(guest)s, bought with order %(reference)s. Please send"
            " back %(amount)s of what they transferred.",
            **words,
        )
    if facts.get("cancelled"):
        return _(
            "You cancelled places of %(guest)s in order %(reference)s. Please send back %(amount)s"
            " of what they transferred.",
            **words,
        )
    return _(
        "%(guest)s has left a date of order %(reference)s in time. Please send back %(amount)s of"
        " what they transferred.",
        **words,
    )


def _out_of_reach(facts: Mapping[str, Any]) -> str:
    return _(
        "We could not ask whether order %(reference)s was paid. Please look in your Stripe"
        " dashboard, and refund what came in.",
        reference=facts["reference"],
    )


def _dispute(facts: Mapping[str, Any]) -> str:
    amount, reference = _money(facts["amount_minor"], facts["currency"]), facts["reference"]
    if facts["outcome"] == "lost":
        return _(
            "The dispute over %(amount)s of order %(reference)s was lost: the guest's bank has"
            " given the money back to them.",
            amount=amount,
            reference=reference,
        )
    return _(
        "The guest's bank disputes %(amount)s of order %(reference)s. Please answer in your Stripe"
        " dashboard.",
        amount=amount,
        reference=reference,
    )


def _money(amount_minor: int, currency: str) -> str:
    return format_money(Money(amount_minor, currency), current_locale())
