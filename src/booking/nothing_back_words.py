"""The sentences for who leaves a date and gets nothing for it."""

from src.platform.i18n import _


def nothing_back() -> str:
    return _("You can cancel until it starts, but nothing comes back.")


def nothing_paid_back() -> str:
    return _("What is paid by then does not come back.")


def price_stays_due() -> str:
    return _("You can cancel until it starts, but the price stays due.")


def no_credit_back() -> str:
    return _("You can cancel until it starts, but no credit comes back.")


def not_by_yourself() -> str:
    return _("Dates cannot be cancelled here; please write to the business.")


def no_money_back() -> str:
    return _("You can cancel until it starts, but no money comes back.")
