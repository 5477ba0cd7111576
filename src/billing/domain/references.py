"""The short code that people read out when they talk about an order."""

import re
import secrets

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""Nothing that looks like another character, and no vowels, so that no words arise."""


def new_reference() -> str:
    """Eight random characters as "K7QF-2M9X": one in 380,000 million, unique within a tenant."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"


def reference_from(typed: str) -> str:
    """The reference as it is kept, out of what somebody types: capitals and what stands between
    the characters do not matter.
    """
    code = re.sub(r"[\W_]", "", typed).upper()
    return f"{code[:4]}-{code[4:]}"
