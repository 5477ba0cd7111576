"""The business's own words for its mails."""

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.tenants.domain.wording import Wording
from src.tenants.models import MailWording
from src.tenants.worded_mails import Wordings

_ALL = select(MailWording.kind, MailWording.locale, MailWording.subject, MailWording.body)


async def find_wordings(uow: UnitOfWork) -> Wordings:
    """All of the tenant's, for there are few."""
    found = await uow.session.execute(_ALL.where(MailWording.tenant_id == uow.tenant))
    return Wordings(
        {(row.kind, row.locale): Wording(subject=row.subject, body=row.body) for row in found}
    )
