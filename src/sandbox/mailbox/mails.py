"""Reads a mail as it came over the wire. Nothing in it is trusted, and nothing makes it fail."""

import email
import html
import re
from collections.abc import Iterator
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32

import msgspec

from src.sandbox.mailbox.dates import CalendarFile, read_calendar

CALENDAR_TYPE = "text/calendar"
SNIPPET_LENGTH = 140
ADDRESS = re.compile(r"https?://[^\s<>\"']+")


class Envelope(msgspec.Struct, frozen=True):
    """What SMTP was told, which the headers need not agree with (blind copies do not)."""

    sender: str
    recipients: tuple[str, ...]
    received_at: datetime


class Attachment(msgspec.Struct, frozen=True):
    """Any part that is not the text itself; `content` is base64 in JSON."""

    filename: str
    content_type: str
    content_id: str
    size: int
    content: bytes
    calendar: CalendarFile | None


class Mail(msgspec.Struct, frozen=True):
    """One received mail, whole."""

    id: str
    envelope: Envelope
    message_id: str
    subject: str
    sender: str
    recipients: str
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str
    attachments: tuple[Attachment, ...]

    @property
    def words(self) -> str:
        """What a reader sees first, in one line."""
        text = self.text or html.unescape(re.sub(r"<(style|head).*?</\1>|<[^>]+>", " ", self.html))
        return " ".join(text.split())

    @property
    def snippet(self) -> str:
        words = " ".join(ADDRESS.sub("", self.words).split())
        return words if len(words) <= SNIPPET_LENGTH else words[: SNIPPET_LENGTH - 1].rstrip() + "…"


def read_mail(mail_id: str, envelope: Envelope, content: bytes) -> Mail:
    """Every part of the mail; what cannot be decoded is shown as well as it can be."""
    message = email.message_from_bytes(content, policy=compat32)
    headers = tuple((name, decode(value)) for name, value in message.items())
    first = {name.lower(): value for name, value in reversed(headers)}
    texts: dict[str, list[str]] = {"text/plain": [], "text/html": []}
    attachments: list[Attachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in texts and part.get_content_disposition() != "attachment":
            texts[kind].append(_text(part))
        else:
            attachments.append(_attachment(part, len(attachments) + 1))
    return Mail(
        id=mail_id,
        envelope=envelope,
        message_id=first.get("message-id", ""),
        subject=first.get("subject", ""),
        sender=first.get("from", envelope.sender),
        recipients=first.get("to", ", ".join(envelope.recipients)),
        headers=headers,
        text="\n".join(texts["text/plain"]),
        html="\n".join(texts["text/html"]),
        attachments=tuple(attachments),
    )


def decode(value: object) -> str:
    """A header as people read it: encoded words decoded, folding undone."""
    raw = re.sub(r"\r?\n[ \t]+", " ", str(value))
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, ValueError):
        return raw


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _content(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    charset = part.get_content_charset() or "utf-8"
    try:
        return _content(part).decode(charset, errors="replace")
    except LookupError:
        return _content(part).decode("utf-8", errors="replace")


def _attachment(part: Message, number: int) -> Attachment:
    kind = part.get_content_type()
    content = _content(part)
    default = "invite.ics" if kind == CALENDAR_TYPE else f"attachment-{number}"
    filename = decode(part.get_filename() or default).replace("/", "_").replace("\\", "_")
    is_calendar = kind == CALENDAR_TYPE or filename.lower().endswith(".ics")
    return Attachment(
        filename=filename,
        content_type=kind,
        content_id=decode(part.get("Content-ID", "")).strip("<> "),
        size=len(content),
        content=content,
        calendar=read_calendar(content) if is_calendar else None,
    )
