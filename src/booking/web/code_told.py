"""What is said of the code that a guest has just typed: that a price is another one only by it, and
what became of the one that was used before.
"""

from collections.abc import Sequence

from src.platform.i18n import _
from src.platform.web.formats import money

LONGEST_WORDS = 80
"""Of what the form itself says was shown."""


def code_told(
    code: str, shown: tuple[int | None, int | None], now: tuple[int, int], currency: str
) -> str:
    """What a code takes off that was typed, exchanged or taken out after the price was shown: good
    news, no changed price. Empty where the price has changed by something else.

    `shown` is what was to pay and what a code took off that, `now` the same as it is now, each in
    minor units.
    """
    shown_minor, shown_off_minor = shown
    to_pay_minor, off_minor = now
    if shown_minor is None or shown_minor + (shown_off_minor or 0) != to_pay_minor + off_minor:
        return ""
    if code and off_minor:
        amount = money(off_minor, currency)
        return _("%(code)s takes %(amount)s off. Please look again.", code=code, amount=amount)
    if not code and shown_off_minor:
        price = money(to_pay_minor, currency)
        return _("Without the code the price is %(price)s. Please look again.", price=price)
    return ""


def code_words(lines: Sequence[tuple[str, int, str]], off_minor: int) -> str:
    """How the price's own line names the code that takes something off; empty without one."""
    return lines[-1][0] if off_minor else ""


def exchanged(before: str, now: str, *, typed: str) -> str:
    """What became of the code that was used before: another is in its place, or what was `typed`
    over it is of no use and it went all the same. `before` and `now` are both `code_words`. A form
    takes one code, so that who has two would not see why the first went. Empty where none did, or
    where it was taken out on purpose.
    """
    if not before or before == now or not (now or typed.strip()):
        return ""
    if not now and typed.strip().casefold() in before.casefold():
        # It is that very code which is of no use any more, and the reason stands beside it.
        return ""
    if not now:
        return _(
            "“%(before)s” is not used any more. Type it again to have it.",
            before=before[:LONGEST_WORDS],
        )
    return _(
        "One code at a time: “%(now)s” is used in place of “%(before)s”.",
        now=now,
        before=before[:LONGEST_WORDS],
    )
