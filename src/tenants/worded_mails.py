"""The mails whose words a business may change, and the rendering of either's words.

Each package says which mails it has, what may stand in their words and how to show one with what
the business really has.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import N_, _, use_locale
from src.platform.mail.queue import Mail
from src.platform.mail.templates import RenderedMail, render_mail
from src.tenants.context import TenantSnapshot
from src.tenants.domain.wording import (
    Paragraph,
    Wording,
    fill,
    linked,
    paragraphs_of,
    placeholders_in,
)


class Placeholder(msgspec.Struct, frozen=True, kw_only=True):
    """What may stand in braces: `label` says what it is, `value` reads it from the mail's view."""

    name: str
    label: str
    value: Callable[[Any], str]


CUSTOMER_NAME = Placeholder(
    name="customer_name", label=N_("The guest's name"), value=lambda view: view.guest_name
)
BUSINESS = Placeholder(
    name="business", label=N_("Your business's name"), value=lambda view: view.from_name
)
REFERENCE = Placeholder(
    name="reference", label=N_("The booking's reference"), value=lambda view: view.reference
)
CONTACT = Placeholder(
    name="contact", label=N_("Your e-mail address"), value=lambda view: view.contact
)


def language_of(locale: str) -> str:
    """The language alone: words are the same wherever it is spoken."""
    return locale.replace("_", "-").partition("-")[0].lower()


@dataclass(frozen=True, slots=True)
class Wordings:
    """A business's own words, by mail and language: "en" for "en-GB" too."""

    by_mail: Mapping[tuple[str, str], Wording] = field(default_factory=dict)

    def find(self, kind: str, locale: str) -> Wording | None:
        """In the reader's language, or None: another language is never put in its place."""
        return self.by_mail.get((kind, language_of(locale)))


SHIPPED = Wordings()


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail is to be shown with."""

    settings: Settings
    tenant: TenantSnapshot
    locale: str
    wordings: Wordings


class MailKind(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to guests. `template` is that of the shipped words; `starter` are words to begin with.

    `needed`: without these placeholders the mail would be of no use. `always`: these end the words
    that lack them, so that nobody misses what they say. `button` is what the link says, where
    there is one; `place` is where it stands in lists.
    """

    key: str
    template: str
    title: str
    occasion: str
    starter: str
    starter_subject: str
    placeholders: tuple[Placeholder, ...]
    preview: Callable[[UnitOfWork, Preview], Awaitable[Mail]]
    needed: tuple[str, ...] = ()
    always: tuple[str, ...] = ()
    button: str = ""
    place: int = 0

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.placeholders]


class WordedView(msgspec.Struct, frozen=True, kw_only=True):
    """A mail in a business's own words. `runs` are its dates, if it has any, and `sheets` what has
    a title and a link of its own; `own_page` and addresses below it can be followed.
    """

    locale: str
    from_name: str
    subject: str
    paragraphs: list[Paragraph]
    runs: list[Any]
    href: str
    button: str
    unsubscribe_url: str
    own_page: str = ""
    sheets: list[Any] = []

    def linked(self, text: str) -> list[tuple[str, str]]:
        """See `wording.linked`."""
        return linked(text, self.own_page)


_kinds: dict[str, MailKind] = {}


def register_mail_kind(kind: MailKind) -> None:
    """From now on businesses may word this mail; the same key again replaces it."""
    _kinds[kind.key] = kind


def mail_kinds() -> list[MailKind]:
    """All of them by their place, then in the order they were registered."""
    return sorted(_kinds.values(), key=lambda kind: kind.place)


def find_mail_kind(key: str) -> MailKind | None:
    return _kinds.get(key)


def render_worded(key: str, view: Any, locale: str, wordings: Wordings) -> RenderedMail:
    """The mail in the business's words for this language, else in the shipped ones."""
    kind, wording = _kinds[key], wordings.find(key, locale)
    if wording is None:
        return render_mail(kind.template, view, locale)
    with use_locale(locale):
        values = {one.name: one.value(view) for one in kind.placeholders}
        worded = WordedView(
            locale=locale,
            from_name=view.from_name,
            subject=fill(wording.subject, values),
            paragraphs=list(paragraphs_of(_with_all(kind, wording.body), values)),
            runs=getattr(view, "runs", []),
            href=values.get("booking_link", ""),
            button=_(kind.button) if kind.button else "",
            unsubscribe_url=getattr(view, "unsubscribe_url", ""),
            own_page=getattr(view, "own_page", ""),
            sheets=getattr(view, "sheets", []),
        )
    return render_mail("worded", worded, locale)


def has_words_for(key: str, name: str, locale: str, wordings: Wordings) -> bool:
    """Whether the mail's body says what the placeholder `name` does; the shipped words say all."""
    wording = wordings.find(key, locale)
    return wording is None or name in placeholders_in(wording.body)


def _with_all(kind: MailKind, body: str) -> str:
    has = placeholders_in(body)
    lacking = [f"{{{name}}}" for name in kind.always if name not in has]
    return "\n\n".join([body, *lacking])
