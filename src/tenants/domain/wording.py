"""A business's own words for a mail: paragraphs with {placeholders}.

A paragraph that is nothing but a placeholder of more than words, the list of dates, the button or
several of them, becomes that; within a sentence it is written out.
"""

import re
from collections.abc import Collection, Mapping, Sequence

import msgspec

from src.platform.i18n import _

LONGEST_SUBJECT = 200
LONGEST_BODY = 8_000
DATES, LINK, LINKS = "dates", "booking_link", "links"
POST = "post"
"""What somebody wrote: alone in a paragraph it brings its own paragraphs."""
_PLACEHOLDER = re.compile(r"\{\s*([^{}\n]*?)\s*\}")
_AFTER_ADDRESS = re.escape(".,;:!?)]}>\"'”’»")
_UPWARDS = re.compile(r"\.\.|%2e", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """What a business wrote instead of the shipped words, in one language."""

    subject: str
    body: str


class Paragraph(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is "text", or the placeholder that stands alone in it."""

    kind: str
    text: str = ""


def linked(text: str, own_page: str) -> list[tuple[str, str]]:
    """The text in parts, each with where it leads, "" for words.

    Only `own_page` and the addresses below it lead anywhere: what guests typed stands in mails too,
    and must not become a link to somewhere else in the business's name, by a way up either.
    """
    if not own_page:
        return [(text, "")]
    below = rf"[/?#](?:\S*[^\s{_AFTER_ADDRESS}])?"
    address = re.compile(rf"({re.escape(own_page)}(?:{below}|(?![\w-])))")
    parts = [(part, n % 2 == 1) for n, part in enumerate(address.split(text)) if part]
    return [(part, part if leads and not _UPWARDS.search(part) else "") for part, leads in parts]


def wording_errors(
    wording: Wording, known: Collection[str], needed: Collection[str] = ()
) -> dict[str, str]:
    """Sentences by field; unknown placeholders are named."""
    errors: dict[str, str] = {}
    for field, text, longest in (
        ("subject", wording.subject, LONGEST_SUBJECT),
        ("body", wording.body, LONGEST_BODY),
    ):
        named = dict.fromkeys(placeholders_in(text))
        unknown = [f"{{{name}}}" for name in named if name not in known]
        if not text.strip():
            errors[field] = _("Please write something here.")
        elif len(text) > longest:
            errors[field] = _("Shorten the text to %(limit)s characters.", limit=longest)
        elif unknown:
            errors[field] = _(
                "There is no %(names)s in this mail. Those that it has are named on this page.",
                names=", ".join(unknown),
            )
    missing = [name for name in needed if name not in placeholders_in(wording.body)]
    if missing and "body" not in errors:
        errors["body"] = _("This mail is of no use without {%(name)s}.", name=missing[0])
    return errors


def placeholders_in(text: str) -> list[str]:
    """The names in braces, in order."""
    return _PLACEHOLDER.findall(text)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Each placeholder becomes its value, once: braces in a value stay what they are.

    One without a value becomes nothing: a mail is never lost over its words.
    """
    return _PLACEHOLDER.sub(lambda found: " ".join(values.get(found[1], "").split()), text)


def paragraphs_of(
    body: str, values: Mapping[str, str], blocks: Collection[str] = (DATES, LINK, LINKS)
) -> Sequence[Paragraph]:
    """The body as paragraphs; those without any words left are left out."""
    found = []
    for part in _parts(body):
        alone = _PLACEHOLDER.fullmatch(part.strip())
        if alone is not None and alone[1] in blocks:
            # A button that leads nowhere is none, and neither is a list of no dates.
            found += [Paragraph(kind=alone[1])] if values.get(alone[1]) else []
        elif alone is not None and alone[1] == POST:
            found += [Paragraph(kind="text", text=one) for one in _parts(values.get(POST, ""))]
        elif text := fill(part, values).strip():
            found.append(Paragraph(kind="text", text=text))
    return found


def _parts(body: str) -> list[str]:
    """What blank lines part."""
    return _BLANK_LINES.split(body.replace("\r\n", "\n").strip())
