"""Queueing a mail beside the fact it tells."""

import base64
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select

from src.platform.db.batch import insert_unless_taken
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.outbox.events import Event

MAILS = cast(Table, MailRow.__table__)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a mail."""

    filename: str
    content_type: str
    content: bytes


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A finished message: one person, text and HTML both.

    `dedupe_key` names the occasion, e.g. `booked:<order>`; the same key never makes a second mail.
    `unsubscribe_url` takes a POST from the reader's mail program; for what is not service mail.
    `is_secret`: its words let their reader in, and are kept only until it has left.
    """

    kind: str
    to_address: str
    subject: str
    text: str
    html: str
    dedupe_key: str
    to_name: str = ""
    from_name: str = ""
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    unsubscribe_url: str = ""
    is_secret: bool = False

    @property
    def one_line(self) -> str:
        """The subject, whatever it was put together from."""
        return " ".join(self.subject.split())


class QueuedMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it is stored. `claimed_at` is set while somebody is about to send it; one that
    `was_in_doubt` may have been taken by a server that did not answer.
    """

    mail: Mail
    message_id: str
    queued_at: datetime
    claimed_at: datetime | None = None
    was_in_doubt: bool = False


class MailQueued(Event, frozen=True, kw_only=True):
    """A mail waits to be sent."""

    topic: ClassVar[str] = "platform.mail_queued"
    follows: ClassVar[bool] = True
    mail_id: UUID


async def queue_mail(uow: UnitOfWork, mail: Mail, *, host: str) -> UUID | None:
    """`queue_mails` for one."""
    (mail_id,) = await queue_mails(uow, [mail], host=host)
    return mail_id


async def has_mail(uow: UnitOfWork, dedupe_key: str) -> bool:
    """Whether the occasion has had its mail, sent or about to be."""
    found = select(MailRow.id).where(
        MailRow.tenant_id == uow.tenant, MailRow.dedupe_key == dedupe_key
    )
    return await uow.session.scalar(found) is not None


async def queue_mails(uow: UnitOfWork, mails: Sequence[Mail], *, host: str) -> list[UUID | None]:
    """Stores the mails and their sending with the running transaction.

    A job that queues some sends them right after, so the claim to do so is stored with them.
    Returns their ids, with None for an occasion that has had its mail already. `host` is the
    right-hand side of the Message-ID.
    """
    now = uow.clock.now()
    claimed_at = now if uow.followed is not None else None
    queued = {
        mail_id: QueuedMail(
            mail=mail, message_id=f"<{mail_id}@{host}>", queued_at=now, claimed_at=claimed_at
        )
        for mail_id, mail in ((new_id(), mail) for mail in mails)
    }
    rows = [_row(uow.tenant, mail_id, one) for mail_id, one in queued.items()]
    stored = await insert_unless_taken(uow.session, MAILS, rows, "uq_mails_dedupe_key")
    for mail_id in stored:
        uow.record(MailQueued(mail_id=mail_id), carried=queued[mail_id])
    return [mail_id if mail_id in stored else None for mail_id in queued]


def _row(tenant_id: UUID, mail_id: UUID, queued: QueuedMail) -> dict[str, object]:
    mail = queued.mail
    attachments = [
        {
            "filename": item.filename,
            "content_type": item.content_type,
            "content": base64.b64encode(item.content).decode(),
        }
        for item in mail.attachments
    ]
    return {
        "tenant_id": tenant_id,
        "id": mail_id,
        "kind": mail.kind,
        "to_address": mail.to_address,
        "to_name": mail.to_name,
        "from_name": mail.from_name,
        "reply_to": mail.reply_to,
        "unsubscribe_url": mail.unsubscribe_url,
        "subject": mail.one_line,
        "text": mail.text,
        "html": mail.html,
        "is_secret": mail.is_secret,
        "attachments": attachments,
        "message_id": queued.message_id,
        "dedupe_key": mail.dedupe_key,
        "queued_at": queued.queued_at,
        "claimed_at": queued.claimed_at,
    }


async def find_refusal(uow: UnitOfWork, to_address: str, since: datetime) -> str | None:
    """What a server said of the newest mail to the address that nobody took, None if all left."""
    refused: str | None = await uow.session.scalar(
        select(MailRow.refused)
        .where(
            MailRow.tenant_id == uow.tenant,
            MailRow.to_address == to_address,
            MailRow.queued_at >= since,
            MailRow.sent_at.is_(None),
            MailRow.refused.is_not(None),
        )
        .order_by(MailRow.queued_at.desc())
        .limit(1)
    )
    return refused
