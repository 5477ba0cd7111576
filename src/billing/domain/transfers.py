"""Paying by bank transfer: until when the money is waited for, and whether it comes in time at all.

Source: docs/algorithms/holds-and-payments.md, "Bank transfer".
"""

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from stdnum import bic as bics
from stdnum import iban as ibans
from stdnum.exceptions import ValidationError

from src.billing.domain.kinds import TRANSFER_METHOD
from src.platform.i18n import _
from src.platform.localtime import local_day_bounds, to_local

LEAST_DAYS = 2
"""A transfer takes a bank's working day, and the guest has to get to it first."""
MOST_DAYS = 60
MOST_LEAD_DAYS = 60
LONGEST_HOLDER = 70
"""What a giro code can carry."""
LONGEST_TEXT = 1000
REMINDED_BEFORE = timedelta(days=2)


class TransferTerms(msgspec.Struct, frozen=True, kw_only=True):
    """Of a business. `days` to pay, and never later than `lead_days` before the first date; IBAN
    and BIC without blanks, the BIC may be empty, as may the `text` for guests.
    """

    holder: str
    iban: str
    bic: str = ""
    days: int = 7
    lead_days: int = 2
    text: str = ""


def transfer_due_on(
    terms: TransferTerms, made_at: datetime, first_at: datetime | None, zone: ZoneInfo
) -> date | None:
    """The last day of the zone on which the money may come; None where too little time is left for
    a transfer. `first_at` is when what is bought begins, None for what does not.
    """
    made_on = to_local(made_at, zone).date()
    due_on = made_on + timedelta(days=terms.days)
    if first_at is not None:
        latest = last_due_on(terms, first_at, zone)
        due_on = min(due_on, latest)
    return due_on if due_on >= made_on + timedelta(days=LEAST_DAYS) else None


def last_due_on(terms: TransferTerms, first_at: datetime, zone: ZoneInfo) -> date:
    """The latest day that money for what begins then may be waited for; it is before that day."""
    return to_local(first_at, zone).date() - timedelta(days=max(terms.lead_days, 1))


def due_at(due_on: date, zone: ZoneInfo) -> datetime:
    """The end of that day."""
    return local_day_bounds(due_on, zone)[1]


def transfer_name(token: UUID, *, is_extra: bool = False) -> str:
    """What the payment is called that was noted with the form of this token; what was more than
    the price is a payment of its own.
    """
    return f"{TRANSFER_METHOD}:{token}" + (":extra" if is_extra else "")


def token_of_transfer(name: str) -> str:
    """The token of the form with which the payment of this name was noted."""
    return name.removeprefix(f"{TRANSFER_METHOD}:").removesuffix(":extra")


def reminded_at(made_at: datetime, due: datetime) -> datetime:
    """Two days before the end, or half-way where that is later."""
    return max(due - REMINDED_BEFORE, made_at + (due - made_at) / 2)


def read_iban(typed: str) -> str | None:
    """Without blanks and in capitals; None for what cannot be one."""
    try:
        return str(ibans.validate(typed))
    except ValidationError:
        return None


def read_bic(typed: str) -> str | None:
    """Without blanks and in capitals; None for what cannot be one."""
    try:
        return str(bics.validate(typed))
    except ValidationError:
        return None


def spaced_iban(iban: str) -> str:
    """In groups of four, as people read it."""
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def transfer_errors(terms: TransferTerms) -> dict[str, str]:
    """Sentences by field; empty when guests may be told to pay so. Read IBAN and BIC first."""
    wrong: dict[str, str] = {}
    if not terms.holder:
        wrong["holder"] = _("Please say whose account it is.")
    elif len(terms.holder) > LONGEST_HOLDER:
        wrong["holder"] = _("At most %(num)s characters.", num=LONGEST_HOLDER)
    if read_iban(terms.iban) is None:
        wrong["iban"] = _("This is no valid IBAN. Please look at it again.")
    if terms.bic and read_bic(terms.bic) is None:
        wrong["bic"] = _("This is no valid BIC. Most transfers need none.")
    if not LEAST_DAYS <= terms.days <= MOST_DAYS:
        least, most = LEAST_DAYS, MOST_DAYS
        wrong["days"] = _("Between %(least)s and %(most)s days.", least=least, most=most)
    if not 1 <= terms.lead_days <= MOST_LEAD_DAYS:
        wrong["lead_days"] = _("Between %(least)s and %(most)s days.", least=1, most=MOST_LEAD_DAYS)
    if len(terms.text) > LONGEST_TEXT:
        wrong["text"] = _("At most %(num)s characters.", num=LONGEST_TEXT)
    return wrong


def due_on_error(
    due_on: date, today_on: date, terms: TransferTerms, first_at: datetime | None, zone: ZoneInfo
) -> str | None:
    """Why the money cannot be waited for until that day; None where it can."""
    if due_on < today_on:
        return _("That day is over.")
    if (due_on - today_on).days > MOST_DAYS:
        return _("At most %(num)s days from today.", num=MOST_DAYS)
    if first_at is not None and due_on > last_due_on(
        msgspec.structs.replace(terms, lead_days=1), first_at, zone
    ):
        return _("The money has to be there before the first date.")
    return None
