"""A price that is paid in parts: what may be offered, when each part is charged, what is agreed to.

Source: docs/algorithms/payment-plans.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from src.billing.domain.schedules import Every, Part, Unit, due_on
from src.platform.i18n import _, ngettext
from src.platform.localtime import to_local, to_utc

PART_DUE = "part"
"""The kind of the `due` rows of parts; their `ref` is the part."""

FEWEST_PARTS = 2
MOST_PARTS = 24
LONGEST_PLAN = timedelta(days=2 * 366)
"""From the first part to the last: the link to the purchase lasts a little longer."""

MOST_BETWEEN = LONGEST_PLAN.days // 7
"""Weeks, or months, from one part to the next: two parts so far apart are the longest plan."""

RETRY_DAYS = (1, 3, 5)
"""After the day that a part falls due; once the last has passed in vain it is overdue."""

REMINDED_BEFORE = timedelta(days=3)
LATE = timedelta(days=1)
"""So much later than planned nobody is charged without another mail."""
AT_LEAST_BETWEEN = timedelta(hours=20)
CHARGED_FROM = time(9)
"""By the business's clock: a guest whose bank asks, or whose card fails, is awake."""

PLAN = "parts"
"""Where the agreement is kept among what a guest agreed to with the order."""
CONSENT_VERSION = "1"
"""Of the words in `consent_words`; a new one for new words."""


class PartState(StrEnum):
    """`void`: nothing is bought any more. An overdue part may still be paid by its guest."""

    DUE = "due"
    PAID = "paid"
    OVERDUE = "overdue"
    WAIVED = "waived"
    VOID = "void"


STILL_TO_PAY = (PartState.DUE, PartState.OVERDUE)


class Facts(Protocol):
    """What the rules want to know of a part."""

    number: int
    due_on: date
    minor: int
    state: str


def plan_errors(parts: int, every: Every) -> dict[str, str]:
    """Sentences by the field; empty for what can be offered, and for no parts at all."""
    if every.count > MOST_BETWEEN:
        # Before any day is counted with it: the calendar ends.
        return _too_long()
    if not parts:
        return {}
    if not FEWEST_PARTS <= parts <= MOST_PARTS:
        return {
            "parts": _(
                "Choose a number from %(lowest)s to %(highest)s, or leave it empty.",
                lowest=FEWEST_PARTS,
                highest=MOST_PARTS,
            )
        }
    if every.count < 1:
        return {"parts_every": _("Choose a number above 0.")}
    begins_on = date(2001, 1, 1)
    if due_on(begins_on, every, parts - 1) - begins_on > LONGEST_PLAN:
        return _too_long()
    return {}


def days_of_plan(parts: int, every: Every) -> int:
    """From the first part to the last, in months of 31 days where that matters."""
    begins_on = date(2001, 1, 1)
    return (due_on(begins_on, every, parts - 1) - begins_on).days


def _too_long() -> dict[str, str]:
    return {"parts_every": _("The last part may fall due two years after the first at most.")}


def can_be_paid_online(parts: Iterable[Part], least_minor: int) -> bool:
    """Whether no part is too small for the processor, and there are two at least."""
    amounts = [part.minor for part in parts]
    return len(amounts) >= FEWEST_PARTS and min(amounts) >= least_minor


def charged_at(day: date, zone: ZoneInfo) -> datetime:
    """When a part is charged that is to be on this day."""
    return to_utc(datetime.combine(day, CHARGED_FROM), zone)


def reminded_at(day: date, zone: ZoneInfo) -> datetime:
    """When the guest is told that a part will be charged on this day."""
    return charged_at(day - REMINDED_BEFORE, zone)


def is_to_announce(planned: datetime, announced_at: datetime | None, now: datetime) -> bool:
    """Whether its guest has to be told before a part is charged: also who was, of a day that has
    long passed.
    """
    return announced_at is None or now > planned + LATE


def charged_once_announced(planned: datetime, now: datetime, zone: ZoneInfo) -> datetime:
    """When a part is charged of which its guest is told now: as planned, and in three days where
    that leaves less than two.
    """
    if now <= planned - REMINDED_BEFORE + LATE:
        return planned
    return charged_at(to_local(now, zone).date() + REMINDED_BEFORE, zone)


def next_try(day: date, attempts: int, now: datetime, zone: ZoneInfo) -> datetime | None:
    """When to charge a part again that fell due on this day, after so many attempts in vain; None
    when that was the last. Whoever was late with one is not at once with the next.
    """
    if attempts > len(RETRY_DAYS):
        return None
    planned = charged_at(day + timedelta(days=RETRY_DAYS[attempts - 1]), zone)
    return max(planned, now + AT_LEAST_BETWEEN)


def last_try(day: date, zone: ZoneInfo) -> datetime:
    """When a part that fell due on this day is charged for the last time, as planned."""
    return charged_at(day + timedelta(days=RETRY_DAYS[-1]), zone)


def to_pay(parts: Iterable[Facts]) -> list[Facts]:
    """Those that are still to be paid, the earliest first."""
    left = [part for part in parts if part.state in STILL_TO_PAY]
    return sorted(left, key=lambda part: part.number)


def schedule_key(parts: Sequence[Part]) -> str:
    """Another one as soon as a day or an amount is not what was shown."""
    return ",".join(f"{part.due_on.isoformat()}:{part.minor}" for part in parts)


def every_words(every: Every) -> str:
    """Such as "every 4 weeks"."""
    if every.unit is Unit.WEEK:
        return ngettext("every week", "every %(num)s weeks", every.count)
    return ngettext("every month", "every %(num)s months", every.count)


def consent_words(business: str) -> str:
    """What a guest agrees to who pays in parts; kept word for word with the order and the card."""
    return _(
        "The payment service keeps your card for %(business)s. On the days above each part is"
        " charged to it without you being asked again; you have a mail three days before. You can"
        " pay parts earlier at any time, and pay a part in another way if the card does not. The"
        " card can also be chosen when you buy something else; you can remove it under “Cards” on"
        " your own pages, and then pay the rest by yourself.",
        business=business,
    )


def consent_to_plan(business: str, at: datetime) -> dict[str, Any]:
    """What is kept of the agreement."""
    return {
        "version": f"parts-{CONSENT_VERSION}",
        "text": consent_words(business),
        "accepted_at": at.isoformat(),
        "where": PLAN,
    }


def is_of_plan(consent: Mapping[str, Any] | None) -> bool:
    """Whether the card is kept for the parts of its order, and not only for presses."""
    return consent is not None and consent.get("where") == PLAN
