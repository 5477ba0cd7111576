"""The received mails: one .eml file each, so that they outlive the server that took them."""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from src.sandbox.mailbox.mails import Envelope, Mail, read_mail

SENDER_HEADER = "X-Mailbox-Sender"
RECIPIENTS_HEADER = "X-Mailbox-Recipients"
ID_FORMAT = "%Y%m%dT%H%M%S%f"


class Summary(msgspec.Struct, frozen=True):
    """What the list and the search need, kept in memory."""

    id: str
    received_at: datetime
    sender: str
    recipients: tuple[str, ...]
    subject: str
    snippet: str
    message_id: str
    attachments: int
    calendars: int
    words: str


class MailStore:
    """Mails by the time they came. Not safe for several processes on one folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._summaries: dict[str, Summary] = {}
        for path in sorted(folder.glob("????????T????????????.eml")):
            self._remember(self._read(path.stem))

    def add(self, sender: str, recipients: Iterable[str], content: bytes) -> Mail:
        """Keeps the mail; it is on disk, whole, when this returns."""
        mail_id = self._new_id()
        head = f"{SENDER_HEADER}: {sender}\r\n{RECIPIENTS_HEADER}: {', '.join(recipients)}\r\n"
        fresh = self._folder / f"{mail_id}.new"
        fresh.write_bytes(head.encode("utf-8", "surrogateescape") + content)
        fresh.replace(self._path(mail_id))
        mail = self._read(mail_id)
        self._remember(mail)
        return mail

    def find(self, recipient: str = "", words: str = "") -> list[Summary]:
        """Newest first: those to the recipient in which all the words occur, in any place."""
        wanted = words.casefold().split()
        recipient = recipient.strip().casefold()
        return [
            summary
            for summary in reversed(self._summaries.values())
            if (not recipient or recipient in map(str.casefold, summary.recipients))
            and all(word in summary.words for word in wanted)
        ]

    def get(self, mail_id: str) -> Mail | None:
        return self._read(mail_id) if mail_id in self._summaries else None

    def source(self, mail_id: str) -> bytes:
        """The file as it is kept: the mail itself after two lines about its envelope."""
        return self._path(self._summaries[mail_id].id).read_bytes()

    def recipients(self) -> list[tuple[str, int]]:
        """Everybody who got a mail, with how many, in alphabetical order."""
        counted = Counter(name for found in self._summaries.values() for name in found.recipients)
        return sorted(counted.items())

    def copies(self) -> Counter[str]:
        """How often each Message-ID came; more than once is what a sender must not let happen."""
        return Counter(found.message_id for found in self._summaries.values() if found.message_id)

    def clear(self) -> None:
        for mail_id in list(self._summaries):
            self._path(mail_id).unlink(missing_ok=True)
            del self._summaries[mail_id]

    def __len__(self) -> int:
        return len(self._summaries)

    def _new_id(self) -> str:
        """The time to the microsecond, later than the last one's even when the clock is not."""
        last = next(reversed(self._summaries.values()), None)
        now = datetime.now(UTC)
        if last is not None:
            now = max(now, last.received_at + timedelta(microseconds=1))
        return now.strftime(ID_FORMAT)

    def _path(self, mail_id: str) -> Path:
        return self._folder / f"{mail_id}.eml"

    def _read(self, mail_id: str) -> Mail:
        sender, recipients, content = _split(self._path(mail_id).read_bytes())
        received_at = datetime.strptime(mail_id, ID_FORMAT).replace(tzinfo=UTC)
        return read_mail(mail_id, Envelope(sender, recipients, received_at), content)

    def _remember(self, mail: Mail) -> None:
        calendars = sum(found.calendar is not None for found in mail.attachments)
        searched = (mail.subject, mail.sender, mail.recipients, mail.message_id, mail.words)
        self._summaries[mail.id] = Summary(
            id=mail.id,
            received_at=mail.envelope.received_at,
            sender=mail.sender,
            recipients=mail.envelope.recipients,
            subject=mail.subject,
            snippet=mail.snippet,
            message_id=mail.message_id,
            attachments=len(mail.attachments) - calendars,
            calendars=calendars,
            words=" ".join((*searched, *mail.envelope.recipients)).casefold(),
        )


def _split(stored: bytes) -> tuple[str, tuple[str, ...], bytes]:
    """Sender, recipients and the mail as it came; a foreign .eml file has no such lines."""
    lines = stored.split(b"\r\n", 2)
    prefixes = (f"{SENDER_HEADER}: ".encode(), f"{RECIPIENTS_HEADER}: ".encode())
    if len(lines) < 3 or not all(map(bytes.startswith, lines, prefixes)):
        return "", (), stored
    sender, recipients = (
        os.fsdecode(line.removeprefix(prefix))
        for line, prefix in zip(lines, prefixes, strict=False)
    )
    return sender, tuple(recipients.split(", ")), lines[2]
