"""What losing the pages of groups means, or getting them back."""

from datetime import datetime

from sqlalchemy import func, select

from src.booking.models import Group
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change


async def group_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: pages that are hidden, whose members stay what they are."""
    if Feature.COLLECTIONS not in {*change.lost, *change.gained}:
        return []
    count = await uow.session.scalar(
        select(func.count()).select_from(Group).where(Group.tenant_id == uow.tenant, Group.active)
    )
    if not count:
        return []
    if Feature.COLLECTIONS in change.gained:
        text = ngettext("%(num)s group is shown.", "%(num)s groups are shown.", count)
        return [Consequence(weight=Weight.NOTE, text=text)]
    text = ngettext("%(num)s group hidden.", "%(num)s groups hidden.", count)
    return [
        Consequence(weight=Weight.LOSS, text=text),
        Consequence(weight=Weight.KEEPS, text=_("Who is a member of a group stays one.")),
    ]
