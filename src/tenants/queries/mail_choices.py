"""Which mails guests want: all, until they say otherwise."""

from uuid import UUID

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import Customer, MailChoice


def declined(customer: str, topic: MailTopic) -> str:
    """SQL that is true for the customer of that column if they do without the topic."""
    return (
        # Only names of our own columns and topics are written out.
        "coalesce((SELECT NOT c.wants FROM mail_choices c WHERE c.tenant_id = :tenant_id"  # noqa: S608  our own names
        f" AND c.customer_id = {customer} AND c.topic = '{topic}'"
        " ORDER BY c.chosen_at DESC, c.id DESC LIMIT 1), false)"
    )


def asked_for(customer: str, topic: MailTopic) -> str:
    """SQL that is true for the customer of that column if their last word is that they want it."""
    return (
        "coalesce((SELECT c.wants FROM mail_choices c WHERE c.tenant_id = :tenant_id"  # noqa: S608  our own names
        f" AND c.customer_id = {customer} AND c.topic = '{topic}'"
        " ORDER BY c.chosen_at DESC, c.id DESC LIMIT 1), false)"
    )


async def wants_mails(uow: UnitOfWork, customer_id: UUID, topic: MailTopic) -> bool:
    """What the customer said last, or who they were merged into. Marketing needs consent too."""
    kept_id = await uow.session.scalar(
        select(Customer.merged_into).where(
            Customer.tenant_id == uow.tenant, Customer.id == customer_id
        )
    )
    wants = await uow.session.scalar(
        select(MailChoice.wants)
        .where(
            MailChoice.tenant_id == uow.tenant,
            MailChoice.customer_id == (kept_id or customer_id),
            MailChoice.topic == str(topic),
        )
        .order_by(MailChoice.chosen_at.desc(), MailChoice.id.desc())
        .limit(1)
    )
    return wants is not False


async def list_declined(uow: UnitOfWork, customer_id: UUID) -> list[MailTopic]:
    """The topics that the customer does without."""
    return [topic for topic in MailTopic if not await wants_mails(uow, customer_id, topic)]
