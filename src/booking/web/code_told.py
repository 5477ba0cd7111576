"""What is said where a price is another one only by the code that the guest has just typed."""

from src.platform.i18n import _
from src.platform.web.formats import money


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
