"""Codes and links by which guests enter their own pages, and marks of the addresses they proved.

A code is worked out anew from the program's secret whenever it is needed, so that none is stored
anywhere: who reads the database, hashes and all, can enter nothing.
"""

import hmac
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

CODE_DIGITS = 6
CODE_LIFETIME = timedelta(minutes=15)
SENT_AGAIN_WITH = timedelta(minutes=10)
"""So much time a code has to have left, that asking again sends it again and not another."""
MOST_TRIES = 5
"""Wrong codes after which the right one enters nothing any more either."""


def code_of(secret: str, tenant_id: UUID, code_id: UUID) -> str:
    """The digits that enter, for one row of one business."""
    key = sha256(b"seatline.portal-code:" + secret.encode()).digest()
    digest = hmac.new(key, tenant_id.bytes + code_id.bytes, sha256).digest()
    return f"{int.from_bytes(digest[:8]) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def is_code(secrets: Sequence[str], tenant_id: UUID, code_id: UUID, typed: str) -> bool:
    """Whether it is the code, of any secret still in use; blanks and hyphens do not matter."""
    digits = _joined(typed).encode()
    matches = [
        hmac.compare_digest(code_of(secret, tenant_id, code_id).encode(), digits)
        for secret in secrets
    ]
    return any(matches)


def looks_like_code(typed: str) -> bool:
    """Whether it could be anybody's code: what could not is no try at one."""
    digits = _joined(typed)
    return len(digits) == CODE_DIGITS and digits.isascii() and digits.isdigit()


def _joined(typed: str) -> str:
    return "".join(one for one in typed if not one.isspace() and one != "-")


def mark_of(address: str) -> str:
    """Enough to tell whether an address is still the one that was proved, without saying it."""
    return sha256(b"seatline.portal-address:" + address.strip().lower().encode()).hexdigest()[:32]
