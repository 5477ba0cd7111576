"""Ids with Stripe's prefixes and lengths."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in secrets.token_bytes(length))


def new_object_id(prefix: str) -> str:
    """Such as `pi_3Q...` with 24 characters after the underscore."""
    return f"{prefix}_{random_text(24)}"


def new_session_id() -> str:
    return f"cs_test_a1{random_text(56)}"


def new_account_id() -> str:
    return f"acct_1{random_text(15)}"
