"""Sending queued mails: claim, send, mark. The only place that speaks SMTP."""

import base64
from email.utils import formataddr, formatdate
from typing import Protocol
from urllib.parse import unquote, urlsplit

import structlog
from litestar_email import EmailConfig, EmailMultiAlternatives, SMTPConfig
from sqlalchemy import Select, select

from src.platform.config import Settings
from src.platform.jobs.context import JobContext
from src.platform.mail.models import MailRow
from src.platform.mail.queue import MailQueued

log = structlog.get_logger(__name__)
SEND_SECONDS = 10


class Mailer(Protocol):
    """Hands one message to a mail server; raises when the server did not take it."""

    mail_from: str

    async def send(self, message: EmailMultiAlternatives) -> None: ...


class SmtpMailer:
    """Mail over SMTP, as `smtp://user:password@host:port` or `smtps://`; `?starttls=1` upgrades."""

    def __init__(self, smtp_url: str, mail_from: str) -> None:
        address = urlsplit(smtp_url)
        self.mail_from = mail_from
        self._config = EmailConfig(
            backend=SMTPConfig(
                host=address.hostname or "localhost",
                port=address.port or (465 if address.scheme == "smtps" else 25),
                username=unquote(address.username) if address.username else None,
                password=unquote(address.password) if address.password else None,
                use_tls="starttls=1" in address.query,
                use_ssl=address.scheme == "smtps",
                timeout=SEND_SECONDS,
            ),
            from_email=mail_from,
        )

    @classmethod
    def from_settings(cls, settings: Settings) -> "SmtpMailer":
        return cls(settings.smtp_url, settings.mail_from)

    async def send(self, message: EmailMultiAlternatives) -> None:
        backend = self._config.get_backend()
        async with backend:
            await backend.send_messages([message])


async def send_queued_mail(job: JobContext, event: MailQueued) -> None:
    """Sends the mail once; a mail already marked as sent is left alone.

    Raises: whatever the server's refusal was, so that the outbox tries again later.
    """
    mail = await _claim(job, event)
    if mail is not None and mail.sent_at is None:
        await job.services.mailer.send(_message(mail, job.services.mailer.mail_from))
    await _mark_sent(job, event)


async def _claim(job: JobContext, event: MailQueued) -> MailRow | None:
    async with job.unit_of_work() as uow:
        mail = await uow.session.scalar(_mail_of(job, event))
        if mail is not None and mail.sent_at is None:
            if mail.claimed_at is not None:
                log.warning("mail_sent_again_after_crash", message_id=mail.message_id)
            mail.claimed_at = job.clock.now()
        return mail


async def _mark_sent(job: JobContext, event: MailQueued) -> None:
    async with job.unit_of_work(done=True) as uow:
        mail = await uow.session.scalar(_mail_of(job, event))
        if mail is not None and mail.sent_at is None:
            mail.sent_at = job.clock.now()


def _mail_of(job: JobContext, event: MailQueued) -> Select[tuple[MailRow]]:
    return select(MailRow).where(MailRow.tenant_id == job.tenant_id, MailRow.id == event.mail_id)


def _message(mail: MailRow, mail_from: str) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": mail.message_id,
        "Date": formatdate(mail.queued_at.timestamp()),
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        html_body=mail.html,
        from_email=formataddr((mail.from_name, mail_from)) if mail.from_name else mail_from,
        to=[formataddr((mail.to_name, mail.to_address)) if mail.to_name else mail.to_address],
        reply_to=[mail.reply_to] if mail.reply_to else [],
        headers=headers,
    )
    for item in mail.attachments:
        message.attach(item["filename"], base64.b64decode(item["content"]), item["content_type"])
    return message
