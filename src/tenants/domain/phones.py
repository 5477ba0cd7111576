"""Phone numbers: as businesses publish them, and as the world dials them."""

import phonenumbers

from src.platform.i18n import _


def public_phone(typed: str, country: str) -> str | None:
    """The number as people abroad can dial it, "+31 20 555 0134", or None if it is none.

    Without a leading + it is read as a number of `country` (two letters).
    """
    return _formatted(typed, country, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def dialled_phone(typed: str, country: str) -> str | None:
    """The number without anything but digits, "+31205550134", or None if it is none."""
    return _formatted(typed, country, phonenumbers.PhoneNumberFormat.E164)


def not_a_phone() -> str:
    return _("This is not a phone number. From abroad, begin with + and the country.")


def _formatted(typed: str, country: str, form: int) -> str | None:
    try:
        parsed = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, form))
