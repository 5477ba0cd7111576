"""A cancellation as the API shows it."""

from src.booking.models import Cancellation
from src.booking.views.api import CancellationOut


def cancellation_out(row: Cancellation) -> CancellationOut:
    return CancellationOut(
        id=row.id,
        scope=row.scope,
        subject_id=row.subject_id,
        state=row.state,
        customers=row.total,
        customers_told=row.done,
        seats_freed=row.seats_freed,
        starts_at=row.starts_at,
    )
