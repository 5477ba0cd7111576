"""What members type about vouchers."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from src.billing.commands.voucher_sales import SellVoucher
from src.billing.commands.voucher_settings import VoucherOffer
from src.billing.commands.vouchers import LONGEST_REASON
from src.billing.domain.vouchers import LONGEST_MESSAGE, LONGEST_NAME, LONGEST_WORDS
from src.billing.web.amounts import read_amount, show_amount
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.web.forms import Email

Amount = Annotated[str, Meta(max_length=30)]
Name = Annotated[str, Meta(max_length=LONGEST_NAME)]


class AdjustForm(msgspec.Struct, kw_only=True):
    """A change of the balance, and why."""

    way: Literal["add", "take"] = "add"
    amount: Amount
    reason: Annotated[str, Meta(max_length=LONGEST_REASON)]


class ExtendForm(msgspec.Struct, kw_only=True):
    """The new last day; left empty, it never expires."""

    last_on: date | None = None


class SellForm(msgspec.Struct, kw_only=True):
    """A voucher sold by hand; `token` makes two presses one."""

    amount: Amount
    name: Name
    email: Email = ""
    recipient_name: Name = ""
    recipient_email: Email = ""
    message: Annotated[str, Meta(max_length=LONGEST_MESSAGE)] = ""
    send_on: date | None = None
    is_paid: bool = False
    token: Annotated[str, Meta(max_length=40)]


class OfferForm(msgspec.Struct, kw_only=True):
    """Which vouchers guests can buy; `amounts` are typed with blanks or semicolons between them."""

    is_on: bool = False
    amounts: Annotated[str, Meta(max_length=200)] = ""
    least: Amount = ""
    most: Amount = ""
    valid_months: Annotated[int, Meta(ge=0, le=600)] = 36
    to_year_end: bool = False
    words: Annotated[str, Meta(max_length=LONGEST_WORDS)] = ""


def sale_of(form: SellForm, currency: str) -> SellVoucher:
    """Raises: InvalidInput at `amount`, and where it cannot be sent."""
    return SellVoucher(
        amount_minor=read_amount(form.amount, currency, "amount"),
        buyer_name=" ".join(form.name.split()),
        buyer_email=form.email,
        form_token=f"staff-{form.token}",
        recipient_name=" ".join(form.recipient_name.split()),
        recipient_email=form.recipient_email,
        message=form.message.strip(),
        send_on=form.send_on,
        locale=current_locale(),
        is_paid=form.is_paid,
    )


def offer_of(form: OfferForm, currency: str) -> VoucherOffer:
    """Raises: InvalidInput for amounts that are none."""
    fields: dict[str, str] = {}
    amounts: set[int] = set()
    for typed in form.amounts.replace(";", " ").split():
        amount_minor = _amount(typed, currency, "amounts", fields)
        if amount_minor is not None:
            amounts.add(amount_minor)
    least = _amount(form.least, currency, "least", fields)
    most = _amount(form.most, currency, "most", fields)
    if fields:
        raise InvalidInput(_("Please look at the marked fields."), fields=fields)
    return VoucherOffer(
        is_on=form.is_on,
        amounts_minor=sorted(amounts),
        least_minor=least,
        most_minor=most,
        valid_months=form.valid_months,
        to_year_end=form.to_year_end,
        words=form.words.strip(),
    )


def initial_of(offer: VoucherOffer, currency: str) -> dict[str, Any]:
    """The offer as the form shows it at first."""
    least, most = offer.least_minor, offer.most_minor
    return {
        "is_on": offer.is_on,
        "amounts": "; ".join(show_amount(one, currency) for one in offer.amounts_minor),
        "least": show_amount(least, currency) if least is not None else "",
        "most": show_amount(most, currency) if most is not None else "",
        "valid_months": offer.valid_months,
        "to_year_end": offer.to_year_end,
        "words": offer.words,
    }


def _amount(typed: str, currency: str, field: str, fields: dict[str, str]) -> int | None:
    if not typed.strip():
        return None
    try:
        return read_amount(typed, currency, field)
    except InvalidInput as refused:
        fields |= refused.fields
        return None
