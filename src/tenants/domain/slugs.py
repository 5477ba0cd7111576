"""Slugs: the name of a business in its addresses."""

import re
import unicodedata
from enum import StrEnum

SHORTEST, LONGEST = 3, 40
FALLBACK = "my-business"

_RESERVED_WORDS = """
about account accounts admin administrator api app apps assets auth b billing blog book booking
bookings business businesses calendar careers checkout confirm confirm-email contact cookies
dashboard demo developers docs download embed error faq favicon feed ftp healthz help home
hooks host hub imprint index info internal invite invoice invoices jobs legal localhost login
logout mail mailbox me media metrics new news null oauth offline onboarding owner page password
pay payment payments platform plan plans press pricing privacy profile public readyz register
robots root sandbox seatline search security settings setup shop sign-in sign-out sign-up
signin signout signup sitemap sitemap-xml smtp ssl start static status store stripe support
system team teams terms test today undefined user users verify webhook webhooks well-known www
"""
RESERVED = frozenset(_RESERVED_WORDS.split())

_FORMAT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_NOT_ALLOWED = re.compile(r"[^a-z0-9]+", re.ASCII)
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i"}
)


class SlugProblem(StrEnum):
    """Why a slug cannot be used, whoever asks; being taken is for the database to say."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    MALFORMED = "malformed"
    RESERVED = "reserved"


def normalise_slug(text: str) -> str:
    """What was typed, as it would stand in an address: blanks off, lower case."""
    return text.strip().lower()


def slug_problem(slug: str) -> SlugProblem | None:
    """What is wrong with a normalised slug, None when nothing is."""
    if len(slug) < SHORTEST:
        return SlugProblem.TOO_SHORT
    if len(slug) > LONGEST:
        return SlugProblem.TOO_LONG
    if not _FORMAT.fullmatch(slug):
        return SlugProblem.MALFORMED
    return SlugProblem.RESERVED if slug in RESERVED else None


def suggest_slug(name: str) -> str:
    """A slug that looks like the name and has no problem; it may still be taken."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    slug = _NOT_ALLOWED.sub("-", letters).strip("-")[:LONGEST].rstrip("-")
    if slug_problem(slug) is None:
        return slug
    longer = f"{slug}-studio"[:LONGEST].strip("-")
    return longer if slug and slug_problem(longer) is None else FALLBACK


def numbered_slug(slug: str, number: int) -> str:
    """The next one to try where `slug` is taken: yoga-loft-2, yoga-loft-3."""
    ending = f"-{number}"
    return slug[: LONGEST - len(ending)].rstrip("-") + ending
