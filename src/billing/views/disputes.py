"""What pages show of disputes."""

from datetime import datetime

import msgspec

from src.billing.words import dispute_state


def dispute_badge(state: str | None) -> tuple[str, str] | None:
    """The word and the tone for an order about which there is a dispute, None without one."""
    return None if state is None else dispute_state(state)


class DisputeView(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute; `decided_at` is None while it is open."""

    amount_minor: int
    currency: str
    state: str
    opened_at: datetime
    decided_at: datetime | None

    @property
    def word(self) -> str:
        return dispute_state(self.state)[0]

    @property
    def tone(self) -> str:
        return dispute_state(self.state)[1]


class DisputeSum(msgspec.Struct, frozen=True, kw_only=True):
    """How many disputes of one state and currency, and what they are about."""

    state: str
    currency: str
    count: int
    amount_minor: int

    @property
    def word(self) -> str:
        return dispute_state(self.state)[0]
