"""Phone numbers as businesses publish them."""

import phonenumbers


def public_phone(typed: str, country: str) -> str | None:
    """The number as people abroad can dial it, "+31 20 555 0134", or None if it is none.

    Without a leading + it is read as a number of `country` (two letters).
    """
    try:
        parsed = phonenumbers.parse(typed, country or None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
