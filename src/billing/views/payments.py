"""What the page about getting paid shows."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from src.platform.web.forms import Bound


class PayoutState(StrEnum):
    """How far a business is with its account at the processor."""

    NOT_CONNECTED = "not_connected"
    UNFINISHED = "unfinished"
    UNDER_REVIEW = "under_review"
    READY = "ready"
    DISCONNECTED = "disconnected"


class PaymentsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`methods` are those that can be chosen, each with its word and what it is; `account` is where
    transfers go to, spaced.
    """

    slug: str
    zone: str
    state: PayoutState
    account_id: str | None
    currency: str
    fee_percent: float
    updated_at: datetime | None
    takes_transfers: bool
    account: str
    methods: list[tuple[str, str, str]]
    chosen: Bound[Any]


class TransferSettingsPage(msgspec.Struct, frozen=True, kw_only=True):
    """Whether and to where guests may transfer money. `awaited` are waited for just now."""

    slug: str
    currency: str
    is_on: bool
    awaited: int
    form: Bound[Any]
