"""Queueing a mail beside the fact it tells."""

import base64
from typing import ClassVar
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.outbox.events import Event

# Constant, for the statement that the model makes is put together anew for each mail.
_STORE = text(
    "INSERT INTO mails (tenant_id, id, kind, to_address, to_name, from_name, reply_to, subject,"
    " text, html, attachments, message_id, dedupe_key, queued_at) VALUES (:tenant_id, :id, :kind,"
    " :to_address, :to_name, :from_name, :reply_to, :subject, :text, :html, :attachments,"
    " :message_id, :dedupe_key, :queued_at)"
    " ON CONFLICT ON CONSTRAINT uq_mails_dedupe_key DO NOTHING RETURNING id"
).bindparams(bindparam("attachments", type_=JSONB()))


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a mail."""

    filename: str
    content_type: str
    content: bytes


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A finished message: one person, text and HTML both.

    `dedupe_key` names the occasion, e.g. `booked:<order>`; the same key never makes a second mail.
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


class MailQueued(Event, frozen=True, kw_only=True):
    """A mail waits to be sent."""

    topic: ClassVar[str] = "platform.mail_queued"
    follows: ClassVar[bool] = True
    mail_id: UUID


async def queue_mail(uow: UnitOfWork, mail: Mail, *, host: str) -> UUID | None:
    """Stores the mail and its sending with the running transaction.

    Returns the mail's id, or None when this occasion has had its mail already. `host` is the
    right-hand side of the Message-ID.
    """
    mail_id = new_id()
    stored = await uow.session.execute(_STORE, _row(uow, mail_id, mail, host))
    if stored.first() is None:
        return None
    uow.record(MailQueued(mail_id=mail_id))
    return mail_id


def _row(uow: UnitOfWork, mail_id: UUID, mail: Mail, host: str) -> dict[str, object]:
    attachments = [
        {
            "filename": item.filename,
            "content_type": item.content_type,
            "content": base64.b64encode(item.content).decode(),
        }
        for item in mail.attachments
    ]
    return {
        "tenant_id": uow.tenant,
        "id": mail_id,
        "kind": mail.kind,
        "to_address": mail.to_address,
        "to_name": mail.to_name,
        "from_name": mail.from_name,
        "reply_to": mail.reply_to,
        "subject": " ".join(mail.subject.split()),
        "text": mail.text,
        "html": mail.html,
        "attachments": attachments,
        "message_id": f"<{mail_id}@{host}>",
        "dedupe_key": mail.dedupe_key,
        "queued_at": uow.clock.now(),
    }
