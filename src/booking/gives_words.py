"""What a step of the terms gives to who leaves in time, in words."""

from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.refund_policy import GivenBack, Gives
from src.platform.i18n import _, ngettext


def back_words(percent: int) -> str:
    """How much of what was paid comes back."""
    if percent == 100:
        return _("all that you paid for it comes back")
    if percent == 50:
        return _("half of what you paid for it comes back")
    return _("%(percent)s%% of what you paid for it comes back", percent=percent)


def gives_words(terms: LeavingTerms, percent: int, seats: int = 1) -> str:
    """What a step gives: a credit is whole, whatever its percent says."""
    if terms.gives is Gives.CREDIT:
        return ngettext("your credit comes back", "your credits come back", seats)
    if terms.gives is Gives.PACKAGE and terms.package is not None:
        package = package_words(terms.package)
        return ngettext(
            "you get 1 credit for %(package)s",
            "you get %(num)s credits for %(package)s, one for each paid place",
            seats,
            package=package,
        )
    return back_words(percent)


def package_words(package: GivenBack) -> str:
    """Its name with how long it is good for."""
    if not package.validity_days:
        return _("“%(name)s”", name=package.name)
    return ngettext(
        "“%(name)s”, valid for a day",
        "“%(name)s”, valid for %(num)s days",
        package.validity_days,
        name=package.name,
    )
