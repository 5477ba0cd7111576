"""Sending queued mails: claim, send, mark."""

import base64
from datetime import datetime, timedelta
from email.utils import formatdate
from typing import Any, Protocol
from uuid import UUID

import structlog
from litestar_email import EmailMultiAlternatives
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB

from src.platform.jobs.context import JobContext
from src.platform.mail.mime import address
from src.platform.mail.queue import MailQueued
from src.platform.mail.smtp import DIALOGUE_SECONDS

log = structlog.get_logger(__name__)

# The old value comes from a row that is locked before, for RETURNING shows the new one.
_CLAIM = text(
    "WITH waiting AS (SELECT id, claimed_at FROM mails WHERE tenant_id = :tenant_id"
    " AND id = :mail_id AND sent_at IS NULL FOR NO KEY UPDATE)"
    " UPDATE mails SET claimed_at = :now FROM waiting"
    " WHERE mails.tenant_id = :tenant_id AND mails.id = waiting.id"
    " RETURNING waiting.claimed_at AS claimed_before, to_address, to_name, from_name, reply_to,"
    " subject, text, html, attachments, message_id, queued_at"
).columns(attachments=JSONB())
_UNCLAIM = text(
    "UPDATE mails SET claimed_at = NULL"
    " WHERE tenant_id = :tenant_id AND id = :mail_id AND claimed_at = :claimed_at"
)
_MARK_SENT = text(
    "UPDATE mails SET sent_at = :now"
    " WHERE tenant_id = :tenant_id AND id = :mail_id AND sent_at IS NULL"
)


class BeingSent(Exception):
    """Another run is talking to the server about this mail, or was a moment ago."""


class Mailer(Protocol):
    """Hands one message to a mail server; raises when the server did not take it."""

    mail_from: str

    async def send(self, message: EmailMultiAlternatives) -> None: ...


async def send_queued_mail(job: JobContext, event: MailQueued) -> None:
    """Sends the mail once; a mail already marked as sent is left alone.

    Raises: BeingSent, or whatever the server's refusal was, so that the outbox tries again later.
    """
    claimed_at = job.clock.now()
    mail = await _claim(job, event, claimed_at)
    if mail is not None:
        try:
            await job.services.mailer.send(_message(mail, job.services.mailer.mail_from))
        except Exception:
            await _unclaim(job, event, claimed_at)
            raise
    async with job.unit_of_work(done=True) as uow:
        now = job.clock.now()
        await uow.session.execute(_MARK_SENT, {**_key_of(job, event), "now": now})


async def _claim(job: JobContext, event: MailQueued, now: datetime) -> Row[Any] | None:
    """The mail, marked as being sent; None when it has been sent or is gone.

    Raises: BeingSent while the claim of another run may be in use; that claim stays.
    """
    async with job.unit_of_work() as uow:
        claimed = await uow.session.execute(_CLAIM, {**_key_of(job, event), "now": now})
        mail = claimed.first()
        if mail is None or mail.claimed_before is None:
            return mail
        if now - mail.claimed_before < timedelta(seconds=DIALOGUE_SECONDS):
            raise BeingSent(str(event.mail_id))
    log.warning("mail_sent_again_after_crash", message_id=mail.message_id)
    return mail


async def _unclaim(job: JobContext, event: MailQueued, claimed_at: datetime) -> None:
    """After a refusal the next try need not wait for the claim to grow old."""
    async with job.unit_of_work() as uow:
        await uow.session.execute(_UNCLAIM, {**_key_of(job, event), "claimed_at": claimed_at})


def _key_of(job: JobContext, event: MailQueued) -> dict[str, UUID]:
    return {"tenant_id": job.tenant_id, "mail_id": event.mail_id}


def _message(mail: Row[Any], mail_from: str) -> EmailMultiAlternatives:
    headers = {
        "Message-ID": mail.message_id,
        "Date": formatdate(mail.queued_at.timestamp()),
        "Auto-Submitted": "auto-generated",
    }
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        html_body=mail.html,
        from_email=address(mail.from_name, mail_from),
        to=[address(mail.to_name, mail.to_address)],
        reply_to=[mail.reply_to] if mail.reply_to else [],
        headers=headers,
    )
    for item in mail.attachments:
        message.attach(item["filename"], base64.b64decode(item["content"]), item["content_type"])
    return message
