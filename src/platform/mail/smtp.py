"""Speaking SMTP, and nowhere else: connections that are kept for the mails that follow."""

import asyncio
import re
from email.utils import parseaddr
from typing import cast
from urllib.parse import unquote, urlsplit

from aiosmtplib import SMTP, SMTPException, SMTPResponseException
from litestar_email import EmailMessage, SMTPConfig
from litestar_email.backends.smtp import SMTPBackend

from src.platform.config import Settings
from src.platform.mail.mime import written

STEP_SECONDS = 10
DIALOGUE_SECONDS = 20
"""Less than a lease: who still talks to the server when another run begins has been cut off."""

MAILBOX_CODES = frozenset({550, 551, 553})
_REASON = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")

MOST_KEPT = 6
KEPT_SECONDS = 15
"""Less than any server waits for the next command."""


class MailInDoubt(Exception):
    """The whole mail was handed over, and no answer came: the server may have taken it."""


class MailRefused(Exception):
    """The server says for good that nobody has this address; `str()` is its answer."""


class _Talk:
    """How far the dialogue about one mail has come."""

    all_said = False


class Connection(SMTPBackend):
    """The library's connection, opened and signed in as it does, one step of a mail at a time."""

    @property
    def smtp(self) -> SMTP:
        return cast(SMTP, self._connection)

    async def begin(self, sender: str) -> None:
        """Raises: SMTPException when the server wants no mail this way."""
        await self.smtp.mail(sender)

    async def finish(self, recipients: list[str], content: bytes, talk: _Talk) -> None:
        """Raises: MailRefused; SMTPException when the server did not take the mail, or did not say
        so.
        """
        for recipient in recipients:
            try:
                await self.smtp.rcpt(recipient)
            except SMTPResponseException as refusal:
                if _is_for_good(refusal):
                    raise MailRefused(f"{refusal.code} {refusal.message}") from refusal
                raise
        talk.all_said = True
        await self.smtp.data(content)

    def drop(self) -> None:
        """Ends it without a word: a mail that was not finished is not delivered."""
        if self._connection is not None:
            self._connection.close()

    def leave(self) -> None:
        """Says goodbye without waiting for the answer."""
        transport = self.smtp.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(b"QUIT\r\n")
        self.drop()


def _is_for_good(refusal: SMTPResponseException) -> bool:
    """Whether the address is the trouble, and not our mail or our server.

    Where the server gives no reason of its own (RFC 3463: 5.1.x is about addresses), the codes that
    RFC 5321 has for mailboxes speak for themselves.
    """
    reason = _REASON.match(refusal.message.strip())
    if reason is not None:
        return reason[0].startswith("5.1.")
    return refusal.code in MAILBOX_CODES


class SmtpMailer:
    """Mail over SMTP, as `smtp://user:password@host:port` or `smtps://`; `?starttls=1` upgrades."""

    def __init__(self, smtp_url: str, mail_from: str) -> None:
        address = urlsplit(smtp_url)
        self.mail_from = mail_from
        self._config = SMTPConfig(
            host=address.hostname or "localhost",
            port=address.port or (465 if address.scheme == "smtps" else 25),
            username=unquote(address.username) if address.username else None,
            password=unquote(address.password) if address.password else None,
            use_tls="starttls=1" in address.query,
            use_ssl=address.scheme == "smtps",
            timeout=STEP_SECONDS,
        )
        self._kept: list[Connection] = []
        self._tidying: asyncio.TimerHandle | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> "SmtpMailer":
        return cls(settings.smtp_url, settings.mail_from)

    async def send(self, message: EmailMessage) -> None:
        """Raises: MailInDoubt, MailRefused, or what else kept the server from taking the mail;
        TimeoutError when it would not listen for `DIALOGUE_SECONDS`.
        """
        message.from_email = message.from_email or self.mail_from
        sender, *recipients = (
            parseaddr(one)[1] for one in (message.from_email, *message.recipients())
        )
        talk = _Talk()
        try:
            async with asyncio.timeout(DIALOGUE_SECONDS):
                await self._send(sender, recipients, written(message), talk)
        except SMTPResponseException:
            raise
        except (SMTPException, OSError) as error:
            if talk.all_said:
                raise MailInDoubt(f"{type(error).__name__}: {error}") from error
            raise

    async def _send(self, sender: str, recipients: list[str], content: bytes, talk: _Talk) -> None:
        connection = await self._begun(sender)
        try:
            await connection.finish(recipients, content, talk)
        except BaseException:
            connection.drop()
            raise
        self._keep(connection)

    async def _begun(self, sender: str) -> Connection:
        """A connection on which a mail has begun. One that was kept may be gone by now, or not want
        another mail; nothing of the mail has been said on it, so a new one may be asked.
        """
        while self._kept:
            connection = self._kept.pop()
            try:
                await connection.begin(sender)
            except (SMTPException, OSError):
                connection.drop()
            except BaseException:
                connection.drop()
                raise
            else:
                return connection
        connection = Connection(self._config)
        try:
            await connection.open()
            await connection.begin(sender)
        except BaseException:
            connection.drop()
            raise
        return connection

    def _keep(self, connection: Connection) -> None:
        if len(self._kept) >= MOST_KEPT:
            connection.leave()
            return
        self._kept.append(connection)
        if self._tidying is not None:
            self._tidying.cancel()
        self._tidying = asyncio.get_running_loop().call_later(KEPT_SECONDS, self.close)

    def close(self) -> None:
        """Lets go of the connections that nobody uses."""
        if self._tidying is not None:
            self._tidying.cancel()
            self._tidying = None
        while self._kept:
            self._kept.pop().leave()
