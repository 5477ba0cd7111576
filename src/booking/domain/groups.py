"""Groups: what makes one valid, and what may be written to one.

Source: docs/algorithms/groups.md.
"""

from dataclasses import dataclass
from enum import StrEnum

from src.booking.domain.broadcasting import PLACEHOLDERS
from src.booking.domain.collections import address_error
from src.booking.domain.service_rules import slug_for
from src.platform.i18n import _
from src.tenants.domain.wording import Wording, placeholders_in, wording_errors

LONGEST_TITLE = 120
LONGEST_ABOUT = 5_000
LONGEST_POST_TITLE = 120
FALLBACK_SLUG = "group"


class EndedBy(StrEnum):
    """Who or what has ended a membership: its purchase, once all of it is cancelled."""

    STAFF = "staff"
    GUEST = "guest"
    PURCHASE = "purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDraft:
    """A group as somebody wants it; without a `slug` it gets one after its title."""

    title: str
    slug: str = ""
    about: str = ""
    shows_members: bool = False


def group_errors(draft: GroupDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when it may be saved as it is."""
    fields: dict[str, str] = {}
    if not draft.title.strip():
        fields["title"] = _("Give the group a title.")
    elif len(draft.title) > LONGEST_TITLE:
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=LONGEST_TITLE)
    if len(draft.about) > LONGEST_ABOUT:
        fields["about"] = _("Shorten the text to %(limit)s characters.", limit=LONGEST_ABOUT)
    elif unknown := _unknown_in(draft.about):
        fields["about"] = _(
            "There is no %(names)s here, only {customer_name} and {business}.", names=unknown
        )
    if said := address_error(draft.slug):
        fields["slug"] = said
    return fields


def _unknown_in(text: str) -> str:
    names = dict.fromkeys(placeholders_in(text))
    return ", ".join(f"{{{name}}}" for name in names if name not in PLACEHOLDERS)


def slug_of_group(title: str) -> str:
    """The title as it would stand in an address; it may still be taken."""
    slug = slug_for(title)
    return FALLBACK_SLUG if slug == "service" and "service" not in title.casefold() else slug


@dataclass(frozen=True, slots=True, kw_only=True)
class PostDraft:
    """What staff write: plain paragraphs with the placeholders of any mail to many."""

    title: str
    body: str


def post_errors(draft: PostDraft) -> dict[str, str]:
    """Sentences by the draft's fields; empty when it may be published."""
    found = wording_errors(Wording(subject=draft.title, body=draft.body), PLACEHOLDERS)
    fields = {("title" if name == "subject" else name): said for name, said in found.items()}
    if "title" not in fields and len(draft.title) > LONGEST_POST_TITLE:
        limit = LONGEST_POST_TITLE
        fields["title"] = _("Shorten the title to %(limit)s characters.", limit=limit)
    return fields
