"""Credits that come back for places, in sentences of pages and mails."""

from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from src.booking.views.leaving import CreditBack
from src.platform.i18n import _, ngettext
from src.platform.web.formats import date_long


def credit_lines(credits_back: Sequence[CreditBack], zone: ZoneInfo) -> list[str]:
    """One sentence for each kind of credit, however many places bring it."""
    counts = Counter(credits_back)
    return [_line(credit, count, zone) for credit, count in counts.items()]


def given_lines(given: Sequence[CreditBack], zone: ZoneInfo) -> list[str]:
    """Afterwards, what was given for places: one line for each kind of credit."""
    return [_given(credit, count, zone) for credit, count in Counter(given).items()]


def _given(credit: CreditBack, count: int, zone: ZoneInfo) -> str:
    if credit.ends_at is None:
        return ngettext(
            "1 credit for “%(name)s”",
            "%(num)s credits for “%(name)s”",
            count,
            name=credit.name,
        )
    return ngettext(
        "1 credit for “%(name)s”, valid until %(until)s",
        "%(num)s credits for “%(name)s”, valid until %(until)s",
        count,
        name=credit.name,
        until=date_long(credit.ends_at, zone),
    )


def credits_are_lost(count: int, *, others_come_back: bool = False) -> str:
    """Of credits that paid for places which were left."""
    if others_come_back:
        return ngettext(
            "%(num)s of your credits does not come back.",
            "%(num)s of your credits do not come back.",
            count,
        )
    return ngettext(
        "Your credit does not come back.", "%(num)s of your credits do not come back.", count
    )


def _line(credit: CreditBack, count: int, zone: ZoneInfo) -> str:
    name = credit.name
    if credit.ends_at is None:
        return _own_without_end(name, count) if credit.is_own else _new_without_end(name, count)
    until = date_long(credit.ends_at, zone)
    if not credit.is_own:
        return ngettext(
            "You get 1 credit for “%(name)s”, valid until %(until)s.",
            "You get %(num)s credits for “%(name)s”, valid until %(until)s.",
            count,
            name=name,
            until=until,
        )
    if credit.has_ended:
        return ngettext(
            "Your credit of “%(name)s” comes back, but it ended on %(until)s.",
            "%(num)s credits of “%(name)s” come back, but they ended on %(until)s.",
            count,
            name=name,
            until=until,
        )
    return ngettext(
        "Your credit of “%(name)s” comes back, valid until %(until)s as before.",
        "%(num)s credits of “%(name)s” come back, valid until %(until)s as before.",
        count,
        name=name,
        until=until,
    )


def _own_without_end(name: str, count: int) -> str:
    return ngettext(
        "Your credit of “%(name)s” comes back.",
        "%(num)s credits of “%(name)s” come back.",
        count,
        name=name,
    )


def _new_without_end(name: str, count: int) -> str:
    return ngettext(
        "You get 1 credit for “%(name)s”.",
        "You get %(num)s credits for “%(name)s”.",
        count,
        name=name,
    )


def no_credit_unpaid() -> str:
    return _("It has not been paid yet, so no credit is given for it.")


def credit_is_paid_back() -> str:
    return _("What you had paid for your credit has gone back, so the credit does not.")
