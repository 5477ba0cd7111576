"""Which agreements somebody is asked to sign, and when a signature will do.

Source: docs/algorithms/agreements.md.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec

from src.platform.i18n import _, ngettext

LONGEST_TITLE = 120
LONGEST_TEXT = 60_000
LONGEST_SLUG = 60
LONGEST_SIGNATURE = 120
LONGEST_BROWSER = 200
MOST_ASKED = 20
"""Of one thing; more would be signed without being read."""
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


class SignedHow(StrEnum):
    """By which way a signature came."""

    BOOKING = "booking"
    API = "api"
    LINK = "link"
    PORTAL = "portal"


class AgreementDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement as somebody writes it; an empty `slug` is made from the title."""

    title: str
    slug: str
    text: str


class Needed(msgspec.Struct, frozen=True, kw_only=True):
    """The newest version of an agreement that something asks for."""

    agreement_id: UUID
    slug: str
    version_id: UUID
    number: int
    title: str
    text: str
    sha256: str


class Signed(msgspec.Struct, frozen=True):
    """A signature that there is: `order_id` is what it was given with. Without proof of who gave
    it, it stands for that order alone.
    """

    version_id: UUID
    order_id: UUID | None
    is_proved: bool


class Signing(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody agrees: to the versions that they were shown, by typing their name, from there."""

    version_ids: tuple[UUID, ...] = ()
    name: str = ""
    address: str = ""
    browser: str = ""
    how: SignedHow = SignedHow.BOOKING


def as_shown(typed: str) -> str:
    """The text as it is published, whatever the system that it was typed on: blanks at the ends of
    lines, and empty lines around it, are nobody's will.
    """
    lines = [line.rstrip() for line in typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    return "\n".join(lines).strip("\n").strip()


def sha256_of(text: str) -> str:
    """What `sha256sum` says of a file with just this text."""
    return hashlib.sha256(text.encode()).hexdigest()


def draft_errors(draft: AgreementDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when it may be saved."""
    fields: dict[str, str] = {}
    if not draft.title.strip():
        fields["title"] = _("Give it a title.")
    elif len(draft.title) > LONGEST_TITLE:
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=LONGEST_TITLE)
    if not as_shown(draft.text):
        fields["text"] = _("Write what is to be agreed to.")
    elif len(draft.text) > LONGEST_TEXT:
        fields["text"] = _("Shorten the text to %(limit)s characters.", limit=LONGEST_TEXT)
    if len(draft.slug) > LONGEST_SLUG:
        fields["slug"] = _("Shorten the address to %(limit)s characters.", limit=LONGEST_SLUG)
    elif draft.slug and not _SLUG.fullmatch(draft.slug):
        fields["slug"] = _("Use small letters, digits and single hyphens between them.")
    return fields


def is_covered(version_id: UUID, order_id: UUID | None, signed: Iterable[Signed]) -> bool:
    """Whether nobody has to be asked for this version any more, for that order or, without one, for
    something new.
    """
    return any(
        one.version_id == version_id
        and (one.is_proved or (order_id is not None and one.order_id == order_id))
        for one in signed
    )


def to_ask(
    needed: Iterable[Needed], signed: Collection[Signed], order_id: UUID | None = None
) -> list[Needed]:
    """What is to be signed, by its title. Of a stranger nothing is known to be `signed`."""
    left = [one for one in needed if not is_covered(one.version_id, order_id, signed)]
    return sorted(left, key=lambda one: (one.title.casefold(), one.agreement_id))


def not_agreed(asked: Iterable[Needed], signing: Signing | None) -> list[Needed]:
    """Of what is asked, that to which was not agreed as it now is."""
    agreed = set(signing.version_ids) if signing is not None else set()
    return [one for one in asked if one.version_id not in agreed]


def please_agree(asked: Sequence[Needed]) -> str:
    """To who has not agreed."""
    titles = titles_of(asked)
    return ngettext(
        "Please read and agree to %(titles)s.",
        "Please read and agree to %(titles)s.",
        len(asked),
        titles=titles,
    )


def has_changed(changed: Sequence[Needed]) -> str:
    """To who agreed to another text than the one that now holds."""
    return ngettext(
        "%(titles)s has changed since you opened this page. Please read the new text, and agree to"
        " it if you do.",
        "%(titles)s have changed since you opened this page. Please read the new texts, and agree"
        " to them if you do.",
        len(changed),
        titles=titles_of(changed),
    )


def sign_with_name() -> str:
    return _("Please type your full name to sign.")


def titles_of(asked: Sequence[Needed]) -> str:
    """In quotation marks, one after the other."""
    return ", ".join(_("“%(title)s”", title=one.title) for one in asked)
