"""A cancellation as the API shows it."""

import msgspec

from src.booking.models import Cancellation
from src.booking.views.api import CancellationOut, CancellationState


def cancellation_out(row: Cancellation) -> CancellationOut:
    return CancellationOut(
        id=row.id,
        scope="session" if row.scope == "session" else "purchase",
        subject_id=row.subject_id,
        state=msgspec.convert(row.state, CancellationState),
        customers=row.total,
        customers_told=row.done,
        seats_freed=row.seats_freed,
        starts_at=row.starts_at,
    )
