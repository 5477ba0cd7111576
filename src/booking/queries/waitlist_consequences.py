"""What losing or gaining waiting lists means for those who wait."""

from datetime import datetime

from sqlalchemy import func, select

from src.booking.models import WaitlistEntry
from src.booking.queries.waiting import STANDS
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change


async def waitlist_consequences(
    uow: UnitOfWork, change: Change, now: datetime
) -> list[Consequence]:
    """A downgrade probe: people who wait for nothing, or for something again."""
    if Feature.WAITLIST not in {*change.lost, *change.gained}:
        return []
    waits = select(func.count(WaitlistEntry.id)).where(
        WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.state.in_(STANDS)
    )
    count = await uow.session.scalar(waits) or 0
    if not count:
        return []
    if Feature.WAITLIST in change.gained:
        text = ngettext(
            "%(num)s person who waits is offered places again.",
            "%(num)s people who wait are offered places again.",
            count,
        )
        return [Consequence(weight=Weight.NOTE, text=text)]
    text = ngettext(
        "%(num)s person who waits is offered no place any more; what was offered stands.",
        "%(num)s people who wait are offered no place any more; what was offered stands.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]
