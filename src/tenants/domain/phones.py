"""Phone numbers as businesses publish them, and as programs keep them."""

import phonenumbers


def public_phone(typed: str, country: str) -> str | None:
    """The number as people abroad can dial it, "+31 20 555 0134", or None if it is none.

    Without a leading + it is read as a number of `country` (two letters).
    """
    return _formatted(typed, country, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_number(typed: str, country: str) -> str | None:
    """The number as it is kept, "+31205550134", so that equal ones are equal; None for none."""
    return _formatted(typed, country, phonenumbers.PhoneNumberFormat.E164)


def _formatted(typed: str, country: str, style: int) -> str | None:
    try:
        parsed = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, style))
