"""A guest's own word on which mails they want."""

from typing import cast
from uuid import UUID

from sqlalchemy import Table

from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.platform.ids import new_id
from src.tenants.commands.customers import keep_customer
from src.tenants.customer_rows import CustomerRows, register_customer_rows
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import MailChoice
from src.tenants.queries.mail_choices import wants_mails


def register_mail_choices() -> None:
    """Choices go with their customer; the latest one counts."""
    register_customer_rows(
        CustomerRows(
            table=cast(Table, MailChoice.__table__),
            words=lambda count: ngettext(
                "%(num)s choice about mails", "%(num)s choices about mails", count
            ),
            shown=("topic", "wants", "chosen_at"),
            erased=None,
        )
    )


async def choose_mails(
    uow: UnitOfWork, customer_id: UUID, topic: MailTopic, *, wants: bool, agrees: bool = False
) -> None:
    """From now on; what was chosen before is kept beside it. With `agrees` somebody whose address
    is proved says that they want the mails, which is their consent where nothing was said before.
    Raises: NotFound.
    """
    kept_id = await keep_customer(uow, customer_id)
    if not agrees and await wants_mails(uow, kept_id, topic) == wants:
        return
    uow.session.add(
        MailChoice(
            tenant_id=uow.tenant,
            id=new_id(),
            customer_id=kept_id,
            topic=str(topic),
            wants=wants,
            chosen_at=uow.clock.now(),
        )
    )
    await uow.session.flush()
