"""Who of a group still is to be written to about a post."""

from uuid import UUID

import msgspec
from sqlalchemy import text

from src.booking.models import GroupPost
from src.platform.db.uow import UnitOfWork
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.queries.mail_choices import declined

_READERS = text(
    # Only names of our own columns and topics are written out.
    "SELECT m.id AS member_id, m.customer_id, k.email AS address, k.name,"  # noqa: S608  our own names
    " coalesce(k.locale, '') AS locale FROM group_members m"
    " JOIN customers k ON k.tenant_id = :tenant_id AND k.id = m.customer_id"
    " WHERE m.tenant_id = :tenant_id AND m.group_id = :group_id AND m.ended_at IS NULL"
    " AND m.joined_at <= :published_at AND k.email IS NOT NULL"
    f" AND NOT {declined('m.customer_id', MailTopic.GROUPS)}"
    " AND NOT EXISTS (SELECT FROM group_post_mails w WHERE w.tenant_id = :tenant_id"
    " AND w.post_id = :post_id AND w.member_id = m.id) ORDER BY m.id LIMIT :most"
)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """A member with an address; `locale` is empty where none is known."""

    member_id: UUID
    customer_id: UUID
    address: str
    name: str
    locale: str


async def list_readers(uow: UnitOfWork, post: GroupPost, most: int) -> list[Reader]:
    """Members since before it was published who want such mails and have none about it."""
    values = {
        "tenant_id": uow.tenant,
        "group_id": post.group_id,
        "post_id": post.id,
        "published_at": post.published_at,
        "most": most,
    }
    found = await uow.session.execute(_READERS, values)
    return [Reader(**row._mapping) for row in found]


async def count_readers(uow: UnitOfWork, group_id: UUID) -> int:
    """How many a post would reach by mail now."""
    found = await uow.session.scalar(
        text(
            "SELECT count(*) FROM group_members m"  # noqa: S608  our own names
            " JOIN customers k ON k.tenant_id = :tenant_id AND k.id = m.customer_id"
            " WHERE m.tenant_id = :tenant_id AND m.group_id = :group_id AND m.ended_at IS NULL"
            f" AND k.email IS NOT NULL AND NOT {declined('m.customer_id', MailTopic.GROUPS)}"
        ),
        {"tenant_id": uow.tenant, "group_id": group_id},
    )
    return int(found or 0)
