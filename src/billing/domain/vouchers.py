"""The rules of gift vouchers: codes, validity, and what of a price one pays.

Source: docs/algorithms/vouchers.md.
"""

import re
import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta

from src.billing.domain.minimums import least_online_minor
from src.billing.domain.references import ALPHABET
from src.platform.localtime import local_day_bounds, to_utc

GROUPS, GROUP = 4, 4
"""Sixteen characters of 28: whoever guesses a thousand a second needs longer than the sun has."""

GRACE = timedelta(days=30)
"""What comes back to a voucher can be spent for so long at least, even if it has expired."""

LONGEST_VALIDITY_MONTHS = 600
LONGEST_MESSAGE = 300
LONGEST_NAME = 80
LONGEST_WORDS = 600
FURTHEST_SENDING_DAYS = 366
SENDING_HOUR = 8
"""On the business's clock: a present comes in the morning of its day."""
MOST_AMOUNTS = 8
LARGEST_VOUCHER_MINOR = 1_000_000_000
"""The amount is kept in 32 bits, and may be added to."""
MOST_TIMES = 10
"""How much more than it was worth may be on one: beyond that somebody has mistyped."""


class VoucherState(StrEnum):
    """`pending` until its order is paid; who `blocked` it may let it be used again."""

    PENDING = "pending"
    ACTIVE = "active"
    BLOCKED = "blocked"


class VoucherSource(StrEnum):
    """Bought by a guest, given in place of a refund, or sold or given by staff."""

    SOLD = "sold"
    REFUND = "refund"
    STAFF = "staff"


class EntryKind(StrEnum):
    """Why a balance changed. `refund`: what it was bought with went back to its buyer. `expire` is
    kept for who wants to write off by hand; expiry itself changes no balance.
    """

    GRANT = "grant"
    SPEND = "spend"
    GIVE_BACK = "give_back"
    ADJUST = "adjust"
    EXPIRE = "expire"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedVoucher:
    """A voucher that was found usable: it pays `part_minor` of one order out of its balance."""

    voucher_id: UUID
    code: str
    part_minor: int
    balance_minor: int

    @property
    def left_minor(self) -> int:
        return self.balance_minor - self.part_minor


def new_code() -> str:
    """A code like "K7QF-2M9X-…": not to be guessed, with nothing that looks like another."""
    plain = "".join(secrets.choice(ALPHABET) for _ in range(GROUPS * GROUP))
    return "-".join(plain[at : at + GROUP] for at in range(0, len(plain), GROUP))


def code_from(typed: str) -> str:
    """The code as it is kept, out of what somebody types: capitals and what stands between the
    characters do not matter. Empty for what cannot be one.
    """
    plain = re.sub(r"[\W_]", "", typed).upper()
    if len(plain) != GROUPS * GROUP:
        return ""
    return "-".join(plain[at : at + GROUP] for at in range(0, len(plain), GROUP))


def masked(code: str) -> str:
    """As lists show it: enough to tell it from others, too little to spend it."""
    return f"•••• {code[-GROUP:]}"


def expiry_of(
    bought_on: date, zone: ZoneInfo, *, valid_months: int, to_year_end: bool
) -> datetime | None:
    """The end of its last day by the business's clock; None for one that never expires."""
    if valid_months == 0:
        return None
    last = bought_on + relativedelta(months=valid_months)
    return end_of_day(date(last.year, 12, 31) if to_year_end else last, zone)


def end_of_day(on: date, zone: ZoneInfo) -> datetime:
    return local_day_bounds(on, zone)[1]


def last_day(expires_at: datetime, zone: ZoneInfo) -> date:
    """The day whose end `expires_at` is."""
    return (expires_at.astimezone(zone) - timedelta(seconds=1)).date()


def is_over(expires_at: datetime | None, now: datetime) -> bool:
    """In the very second that ends the last day the guest wins."""
    return expires_at is not None and now > expires_at


def sending_moment(send_on: date | None, zone: ZoneInfo) -> datetime | None:
    """When it is to be mailed; None: as soon as it is paid."""
    if send_on is None:
        return None
    return to_utc(datetime.combine(send_on, time(SENDING_HOUR)), zone)


def part_of_price(balance_minor: int, total_minor: int, *, pays_online: bool, currency: str) -> int:
    """What the voucher pays of a total, from 0 to all of it.

    It never leaves a rest online that the processor would not take: then it pays so much less that
    the rest is the least amount, and keeps the difference.
    """
    part = min(balance_minor, total_minor)
    rest, least = total_minor - part, least_online_minor(currency)
    if pays_online and 0 < rest < least:
        return max(total_minor - least, 0)
    return part


def most_on_it_minor(initial_minor: int, largest_sold_minor: int) -> int:
    """What may be on a voucher after adding to it: ten times what it was worth, or what the largest
    that guests can buy is.
    """
    return min(LARGEST_VOUCHER_MINOR, MOST_TIMES * max(initial_minor, largest_sold_minor))
