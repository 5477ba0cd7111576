"""Cancelling several chosen dates in one act, of one series, of several or of none.

What was bought of other dates stays, and so does the sale of a series. Each guest is told once of
all their dates among these, and gets what goes back for them together.
Source: docs/algorithms/cancelling-and-money.md.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from src.booking.commands.cancel import NewCancellation, log_dates, request
from src.booking.commands.cancel_marks import refuse_going
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.series_dates import stop_sale
from src.booking.models import Seat, Session
from src.booking.queries.cancellations import is_cancellable
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.context import RequestContext


async def cancel_dates(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_ids: Collection[UUID],
    *,
    reason: str,
    undo_seconds: int,
    money: MoneyWanted = NOTHING,
) -> UUID:
    """Stops the sale of all these dates now, or of none, and lets one job free every live seat in
    them after the undo window.

    `money` says what goes back to whom. Returns the cancellation's id.
    Raises: Conflict for no date, and when one of them is not there, over, cancelled or being
    cancelled, or places of it are; InvalidInput for `money`.
    """
    if not session_ids:
        raise Conflict(_("Choose at least one date."), code="nothing_to_cancel")
    ordered = await _in_order(uow, session_ids)
    if set(ordered) != set(session_ids):
        raise _one_has_gone()
    which = [Seat.session_id.in_(ordered)]
    await refuse_going(uow, which)
    new = NewCancellation(
        scope="dates",
        subject_id=ordered[0],
        reason=reason,
        undo_seconds=undo_seconds,
        session_ids=sorted(ordered),
    )
    cancellation_id = await request(uow, ctx, new, which, money)
    said = {"reason": reason, "cancellation": str(cancellation_id)}
    await log_dates(uow, ctx, "session.cancelled", ordered[1:], **said)
    await uow.settle()
    if not await stop_sale(uow, ordered):
        raise _one_has_gone()
    return cancellation_id


async def _in_order(uow: UnitOfWork, session_ids: Collection[UUID]) -> list[UUID]:
    """Those of them that can be cancelled now, the earliest first."""
    found = await uow.session.scalars(
        select(Session.id)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            *is_cancellable(uow.clock.now()),
        )
        .order_by(Session.starts_at, Session.id)
    )
    return list(found)


def _one_has_gone() -> Conflict:
    return Conflict(
        _("One of these dates has just changed. Please look at them again."), code="dates_changed"
    )
