"""The short code that people read out when they talk about an order."""

import secrets

ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
"""Nothing that looks like another character, and no vowels, so that no words arise."""


def new_reference() -> str:
    """Eight random characters as "K7QF-2M9X": one in 380,000 million, unique within a tenant."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{code[:4]}-{code[4:]}"
