"""What a smaller plan means for the files that guests have sent."""

from datetime import datetime

from sqlalchemy import func, select

from src.booking.models import WorksheetFile
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Limit
from src.tenants.domain.plans import Change


async def worksheet_consequences(
    uow: UnitOfWork, change: Change, now: datetime
) -> list[Consequence]:
    """A downgrade probe: more files than there is room for, all of which stay."""
    lower = {one.limit: one.after for one in change.limits if one.is_lower}
    after = lower.get(Limit.BOOKINGS_PER_MONTH)
    if after is None:
        return []
    files = await uow.session.scalar(
        select(func.count()).select_from(WorksheetFile).where(WorksheetFile.tenant_id == uow.tenant)
    )
    if not files or files < after:
        return []
    text = ngettext(
        "%(files)s files are kept from guests and the plan has room for %(num)s. All of them stay; "
        "guests cannot add any.",
        "%(files)s files are kept from guests and the plan has room for %(num)s. All of them stay; "
        "guests cannot add any.",
        after,
        files=files,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]
