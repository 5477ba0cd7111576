"""Cancelling a whole series: all its dates that are still to come, in one act.

Dates that have begun stay as history, and one that is being cancelled by itself is left to that.
Source: docs/algorithms/cancelling-and-money.md.
"""

from uuid import UUID

from sqlalchemy import select

from src.booking.commands.cancel import NewCancellation, request
from src.booking.commands.cancel_marks import refuse_going
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.series import lock_series
from src.booking.commands.series_dates import stop_sale
from src.booking.models import Seat, Session
from src.booking.queries.cancellations import dates_to_come
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.context import RequestContext


async def cancel_series(
    uow: UnitOfWork,
    ctx: RequestContext,
    series_id: UUID,
    *,
    reason: str,
    undo_seconds: int,
    money: MoneyWanted = NOTHING,
) -> UUID:
    """Takes the series off sale, stops the sale of its dates to come, and lets a job free every
    live seat in them after the undo window, however it was bought.

    `money` says what goes back to whom. Returns the cancellation's id.
    Raises: NotFound; Conflict when no date is left to cancel, when places of one are being
    cancelled, or when one has just changed; InvalidInput for `money`.
    """
    series = await lock_series(uow, series_id)
    session_ids = await _dates_to_come(uow, series_id)
    if not session_ids:
        raise Conflict(_("No date of this series is left to cancel."), code="nothing_to_cancel")
    which = [Seat.session_id.in_(session_ids)]
    await refuse_going(uow, which)
    new = NewCancellation(
        scope="series",
        subject_id=series_id,
        reason=reason,
        undo_seconds=undo_seconds,
        session_ids=sorted(session_ids),
        resumes_sale=series.active,
    )
    series.active = False
    series.updated_at = uow.clock.now()
    cancellation_id = await request(uow, ctx, new, which, money)
    await uow.settle()
    if not await stop_sale(uow, session_ids):
        raise Conflict(
            _("A date of this series has just changed. Please look at it again."),
            code="session_changed",
        )
    return cancellation_id


async def _dates_to_come(uow: UnitOfWork, series_id: UUID) -> set[UUID]:
    found = await uow.session.scalars(
        select(Session.id).where(
            Session.tenant_id == uow.tenant, *dates_to_come(series_id, uow.clock.now())
        )
    )
    return set(found)
