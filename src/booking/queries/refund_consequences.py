"""What losing auto-refund means: new bookings have the plain terms, and nothing else changes."""

from datetime import datetime

from sqlalchemy import func, select

from src.booking.models import Series, Service
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change


async def refund_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: policies that rest, or hold again."""
    if Feature.AUTO_REFUND not in {*change.lost, *change.gained}:
        return []
    count = 0
    for model in (Service, Series):
        has_policy = model.leaving.has_key("policy")
        count += (
            await uow.session.scalar(
                select(func.count()).where(model.tenant_id == uow.tenant, has_policy)
            )
            or 0
        )
    if not count:
        return []
    if Feature.AUTO_REFUND in change.gained:
        text = ngettext(
            "%(num)s refund policy holds again for new bookings.",
            "%(num)s refund policies hold again for new bookings.",
            count,
        )
        return [Consequence(weight=Weight.NOTE, text=text)]
    text = ngettext(
        "%(num)s refund policy no longer holds for new bookings; who has booked keeps it, and"
        " credits stay good.",
        "%(num)s refund policies no longer hold for new bookings; who has booked keeps them, and"
        " credits stay good.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]
