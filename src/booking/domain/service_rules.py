"""What makes a service valid, and how it is called in addresses."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from src.booking.domain.kinds import SalesMode, SeriesPriceType
from src.booking.domain.minimum import LONGEST_HOURS, hours_of
from src.booking.domain.questions import Question, question_errors
from src.booking.domain.session_rules import LARGEST_CAPACITY, LONGEST_SESSION
from src.platform.i18n import _

LONGEST_NAME = 120
LONGEST_DESCRIPTION = 10_000
LONGEST_SLUG = 60
LARGEST_PARTY = 100
LONGEST_NOTICE_MINUTES = 90 * 24 * 60
LONGEST_HORIZON_DAYS = 730
LARGEST_TAX_RATE_BP = 10_000
LARGEST_ORDER_MINOR = 2_000_000_000
"""What the whole party may cost in one order, for the amount is kept in 32 bits."""

_RESERVED_WORDS = """
about agreements app book booking bookings calendar collections credits embed feed feeds me
offerings packages portal products series services sessions sign-in sign-out theme vouchers waitlist
worksheets
"""
RESERVED_SLUGS = frozenset(_RESERVED_WORDS.split())
FALLBACK_SLUG = "service"
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+", re.ASCII)
_LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceDraft:
    """A service as somebody wants it; `slug` is never empty here."""

    name: str
    slug: str
    description: str
    sales_mode: SalesMode
    price_type: SeriesPriceType
    price_minor: int
    tax_rate_bp: int
    duration_minutes: int
    default_capacity: int
    min_notice_minutes: int
    horizon_days: int
    max_party: int
    questions: Sequence[Question]
    default_min_seats: int | None = None
    default_decide_hours: int | None = None


def service_errors(draft: ServiceDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when the service may be saved as it is."""
    return {
        **_text_errors(draft),
        **_slug_errors(draft.slug),
        **_price_errors(draft),
        **_number_errors(draft),
        **question_errors(draft.questions),
    }


def slug_for(name: str) -> str:
    """The name as it would stand in an address; it may still be taken."""
    plain = unicodedata.normalize("NFKD", name.casefold().translate(_LETTERS))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    slug = _NOT_IN_SLUG.sub("-", letters).strip("-")[:LONGEST_SLUG].rstrip("-")
    if not slug:
        return FALLBACK_SLUG
    return f"{slug}-1" if slug in RESERVED_SLUGS else slug


def numbered(slug: str, number: int) -> str:
    """The next one to try where `slug` is taken: yoga-2, yoga-3."""
    ending = f"-{number}"
    return slug[: LONGEST_SLUG - len(ending)].rstrip("-") + ending


def _text_errors(draft: ServiceDraft) -> dict[str, str]:
    fields: dict[str, str] = {}
    if not draft.name.strip():
        fields["name"] = _("Give the service a name.")
    elif len(draft.name) > LONGEST_NAME:
        fields["name"] = _("Shorten the name to %(limit)s characters.", limit=LONGEST_NAME)
    if len(draft.description) > LONGEST_DESCRIPTION:
        limit = LONGEST_DESCRIPTION
        fields["description"] = _("Shorten the text to %(limit)s characters.", limit=limit)
    return fields


def _slug_errors(slug: str) -> dict[str, str]:
    if len(slug) > LONGEST_SLUG:
        return {"slug": _("Shorten the address to %(limit)s characters.", limit=LONGEST_SLUG)}
    if not _SLUG.fullmatch(slug):
        return {"slug": _("Use small letters, digits and single hyphens between them.")}
    if slug in RESERVED_SLUGS:
        return {"slug": _("This address is needed for a page of ours; choose another.")}
    return {}


def _price_errors(draft: ServiceDraft) -> dict[str, str]:
    fields: dict[str, str] = {}
    if draft.price_minor < 0:
        fields["price_minor"] = _("A price cannot be below zero.")
    elif draft.price_type is not SeriesPriceType.FREE and draft.price_minor == 0:
        fields["price_minor"] = _("Enter a price above zero, or make the service free.")
    elif draft.price_minor * max(draft.max_party, 1) > LARGEST_ORDER_MINOR:
        fields["price_minor"] = _("This price is too high for a party of that size.")
    if not 0 <= draft.tax_rate_bp <= LARGEST_TAX_RATE_BP:
        fields["tax_rate_bp"] = _("A tax rate lies between 0 and 100 percent.")
    return fields


def _number_errors(draft: ServiceDraft) -> dict[str, str]:
    longest = int(LONGEST_SESSION.total_seconds()) // 60
    bounds = {
        "duration_minutes": (draft.duration_minutes, 1, longest),
        "default_capacity": (draft.default_capacity, 1, LARGEST_CAPACITY),
        "min_notice_minutes": (draft.min_notice_minutes, 0, LONGEST_NOTICE_MINUTES),
        "horizon_days": (draft.horizon_days, 1, LONGEST_HORIZON_DAYS),
        "max_party": (draft.max_party, 1, LARGEST_PARTY),
    }
    if draft.default_min_seats is not None:
        hours = hours_of(draft.default_min_seats, draft.default_decide_hours) or 0
        bounds |= {
            "default_min_seats": (draft.default_min_seats, 1, draft.default_capacity),
            "default_decide_hours": (hours, 1, LONGEST_HOURS),
        }
    return {
        name: _("Choose a number from %(lowest)s to %(highest)s.", lowest=lowest, highest=highest)
        for name, (number, lowest, highest) in bounds.items()
        if not lowest <= number <= highest
    }
