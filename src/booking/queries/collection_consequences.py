"""What losing collections means, or getting them back."""

from datetime import datetime

from sqlalchemy import func, select

from src.booking.models import Collection
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change


async def collection_consequences(
    uow: UnitOfWork, change: Change, now: datetime
) -> list[Consequence]:
    """A downgrade probe: pages that are hidden, and what stays kept for known customers."""
    if Feature.COLLECTIONS not in {*change.lost, *change.gained}:
        return []
    found = await uow.session.execute(
        select(func.count(), func.count().filter(Collection.established_only)).where(
            Collection.tenant_id == uow.tenant, Collection.active
        )
    )
    count, kept = found.one()
    if not count:
        return []
    if Feature.COLLECTIONS in change.gained:
        text = ngettext("%(num)s collection is shown.", "%(num)s collections are shown.", count)
        return [Consequence(weight=Weight.NOTE, text=text)]
    text = ngettext("%(num)s collection hidden.", "%(num)s collections hidden.", count)
    told = [Consequence(weight=Weight.LOSS, text=text)]
    if kept:
        text = _("What is kept for known customers stays kept for them.")
        told.append(Consequence(weight=Weight.KEEPS, text=text))
    return told
