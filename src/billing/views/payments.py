"""What the page about getting paid shows."""

from datetime import datetime
from enum import StrEnum

import msgspec


class PayoutState(StrEnum):
    """How far a business is with its account at the processor."""

    NOT_CONNECTED = "not_connected"
    UNFINISHED = "unfinished"
    UNDER_REVIEW = "under_review"
    READY = "ready"
    DISCONNECTED = "disconnected"


class PaymentsPage(msgspec.Struct, frozen=True, kw_only=True):
    slug: str
    zone: str
    state: PayoutState
    account_id: str | None
    currency: str
    fee_percent: float
    updated_at: datetime | None
