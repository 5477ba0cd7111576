"""Sending queued mails: claim, send, mark."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import formatdate
from typing import Any, Protocol
from uuid import UUID

import structlog
from litestar_email import EmailMultiAlternatives
from sqlalchemy import Row, text
from sqlalchemy.dialects.postgresql import JSONB

from src.platform.jobs.context import GivenUp, JobContext, JobsTogether
from src.platform.mail.mime import address
from src.platform.mail.queue import Attachment, Mail, MailQueued, QueuedMail
from src.platform.mail.smtp import DIALOGUE_SECONDS, MailInDoubt, MailRefused

IN_DOUBT = "in doubt"
HANDED_OVER_TWICE = "handed over twice"
CARRIED = timedelta(seconds=5)
"""With the dialogue it is less than a lease, so a claim of that age is still nobody else's."""

log = structlog.get_logger(__name__)

# The old values come from a row that is locked before, for RETURNING shows the new ones. Whoever
# takes over a claim does not know whether the server has the mail: that is the second time.
_CLAIM = text(
    "WITH waiting AS (SELECT id, claimed_at, refused FROM mails WHERE tenant_id = :tenant_id"
    " AND id = :mail_id AND sent_at IS NULL FOR NO KEY UPDATE)"
    " UPDATE mails SET claimed_at = :now, refused = CASE WHEN waiting.claimed_at IS NULL"
    " OR waiting.claimed_at = cast(:own AS timestamptz) THEN waiting.refused"
    " ELSE 'handed over twice' END FROM waiting"
    " WHERE mails.tenant_id = :tenant_id AND mails.id = waiting.id"
    " RETURNING waiting.claimed_at AS claimed_before, waiting.refused AS refused_before,"
    " mails.refused AS refused, kind, to_address, to_name,"
    " from_name, reply_to, unsubscribe_url, subject, text, html, attachments, message_id,"
    " dedupe_key, queued_at"
).columns(attachments=JSONB())
_UNCLAIM = text(
    "UPDATE mails SET claimed_at = NULL"
    " WHERE tenant_id = :tenant_id AND id = :mail_id AND claimed_at = :claimed_at"
)
_MARK_DOUBT = text(
    "UPDATE mails SET refused = :why WHERE tenant_id = :tenant_id AND id = :mail_id"
    " AND sent_at IS NULL"
)
_MARK_SENT = text(
    "UPDATE mails SET sent_at = CASE WHEN refused IS NULL"
    " OR refused IN ('in doubt', 'handed over twice') THEN cast(:now AS timestamptz) END,"
    " refused = CASE WHEN refused IN ('in doubt', 'handed over twice') THEN NULL ELSE refused END,"
    " text = CASE WHEN is_secret THEN '' ELSE text END,"
    " html = CASE WHEN is_secret THEN '' ELSE html END"
    " WHERE tenant_id = :tenant_id AND id = ANY(:mail_ids) AND sent_at IS NULL"
)


_Sent = tuple[JobContext, MailQueued]


class BeingSent(Exception):
    """Another run is talking to the server about this mail, or was a moment ago."""


class NoAnswer(GivenUp):
    """Twice the mail was handed over and nobody knows what became of it: a person decides about a
    third.
    """


class Mailer(Protocol):
    """Hands one message to a mail server; raises when the server did not take it."""

    mail_from: str

    async def send(self, message: EmailMultiAlternatives) -> None: ...


async def send_queued_mails(jobs: JobsTogether, events: Sequence[MailQueued]) -> None:
    """Sends each mail once, side by side, and marks those that have left while others are still on
    their way; a mail already marked as sent is left alone.

    What the server refused, and a mail that is being sent elsewhere, failed: the outbox tries it
    again later. Never raises, for then mails would be sent a second time.
    """
    sending = {
        asyncio.ensure_future(_send(job, event)): (job, event)
        for job, event in zip(jobs.jobs, events, strict=True)
    }
    try:
        while sending:
            ended, _rest = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
            sent: list[_Sent] = []
            for task in ended:
                job, event = sending.pop(task)
                error = task.exception()
                if isinstance(error, Exception):
                    jobs.failed.append((job, error))
                else:
                    sent.append((job, event))
            if sent:
                await _mark(jobs, sent)
    finally:
        for task in sending:
            task.cancel()


async def _mark(jobs: JobsTogether, sent: Sequence[_Sent]) -> None:
    """If the marks cannot be set together each is by itself, for another run may have been first
    with one of them.
    """
    values = {
        "tenant_id": sent[0][0].tenant_id,
        "mail_ids": [event.mail_id for _job, event in sent],
        "now": jobs.clock.now(),
    }
    try:
        async with jobs.unit_of_work(done=[job for job, _event in sent]) as uow:
            await uow.session.execute(_MARK_SENT, values)
    except Exception as error:  # noqa: BLE001  # told by the delivery
        if len(sent) == 1:
            jobs.failed.append((sent[0][0], error))
            return
        for one in sent:
            await _mark(jobs, [one])


async def _send(job: JobContext, event: MailQueued) -> None:
    """Raises: BeingSent, NoAnswer, or whatever kept the server from taking the mail.

    One that the server refuses for good has ended, and says why. One that may have been taken keeps
    its claim and is tried once more under the same Message-ID.
    """
    mail = _carried(job) or await _claim(job, event)
    if mail is None:
        return
    try:
        await job.services.mailer.send(_message(mail, job.services.mailer.mail_from))
    except MailRefused as refusal:
        log.warning("mail_refused_for_good", message_id=mail.message_id, answer=str(refusal))
        await _note(job, event, str(refusal))
    except MailInDoubt as doubt:
        if mail.was_in_doubt:
            raise NoAnswer(str(doubt)) from doubt
        await _note(job, event, IN_DOUBT)
        raise
    except Exception:
        await _unclaim(job, event, mail)
        raise


async def _note(job: JobContext, event: MailQueued, why: str) -> None:
    async with job.unit_of_work() as uow:
        await uow.session.execute(_MARK_DOUBT, {**_key_of(job, event), "why": why[:500]})


def _carried(job: JobContext) -> QueuedMail | None:
    """The mail that the job before this one has stored as claimed, as long as it is sure to be
    told to the server before anybody else may look at it.
    """
    mail: QueuedMail | None = job.carried
    if mail is None or mail.claimed_at is None:
        return None
    return mail if job.clock.now() - mail.claimed_at < CARRIED else None


async def _claim(job: JobContext, event: MailQueued) -> QueuedMail | None:
    """The mail, marked as being sent; None when it has been sent or is gone.

    Raises: BeingSent while the claim of another run may be in use; that claim stays. NoAnswer
    when two runs have had it.
    """
    now, own = job.clock.now(), job.carried.claimed_at if job.carried is not None else None
    async with job.unit_of_work() as uow:
        claimed = await uow.session.execute(_CLAIM, {**_key_of(job, event), "now": now, "own": own})
        row = claimed.first()
        if row is None:
            return None
        is_free = row.claimed_before in (None, own)
        if not is_free and now - row.claimed_before < timedelta(seconds=DIALOGUE_SECONDS):
            raise BeingSent(str(event.mail_id))
        if not is_free and row.refused_before == HANDED_OVER_TWICE:
            raise NoAnswer(row.message_id)
    if not is_free:
        log.warning("mail_sent_again_after_crash", message_id=row.message_id)
    return _queued(row, now)


def _queued(row: Row[Any], claimed_at: datetime) -> QueuedMail:
    files = [
        Attachment(
            filename=item["filename"],
            content_type=item["content_type"],
            content=base64.b64decode(item["content"]),
        )
        for item in row.attachments
    ]
    mail = Mail(
        kind=row.kind,
        to_address=row.to_address,
        to_name=row.to_name,
        from_name=row.from_name,
        reply_to=row.reply_to,
        subject=row.subject,
        text=row.text,
        html=row.html,
        dedupe_key=row.dedupe_key,
        unsubscribe_url=row.unsubscribe_url,
        attachments=tuple(files),
    )
    return QueuedMail(
        mail=mail,
        message_id=row.message_id,
        queued_at=row.queued_at,
        claimed_at=claimed_at,
        was_in_doubt=row.refused in (IN_DOUBT, HANDED_OVER_TWICE),
    )


async def _unclaim(job: JobContext, event: MailQueued, mail: QueuedMail) -> None:
    """After a refusal the next try need not wait for the claim to grow old."""
    async with job.unit_of_work() as uow:
        await uow.session.execute(_UNCLAIM, {**_key_of(job, event), "claimed_at": mail.claimed_at})


def _key_of(job: JobContext, event: MailQueued) -> dict[str, UUID]:
    return {"tenant_id": job.tenant_id, "mail_id": event.mail_id}


def _message(queued: QueuedMail, mail_from: str) -> EmailMultiAlternatives:
    mail = queued.mail
    headers = {
        "Message-ID": queued.message_id,
        "Date": formatdate(queued.queued_at.timestamp()),
        "Auto-Submitted": "auto-generated",
    }
    if mail.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(
        subject=mail.one_line,
        body=mail.text,
        html_body=mail.html,
        from_email=address(mail.from_name, mail_from),
        to=[address(mail.to_name, mail.to_address)],
        reply_to=[mail.reply_to] if mail.reply_to else [],
        headers=headers,
    )
    for item in mail.attachments:
        message.attach(item.filename, item.content, item.content_type)
    return message
