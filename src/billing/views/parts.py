"""The parts of a price, as pages show them."""

from datetime import date
from uuid import UUID

import msgspec

from src.billing.domain.parts import STILL_TO_PAY, PartState
from src.billing.views.badges import Badge
from src.platform.i18n import _


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """One part; `again_on` is when the card is charged once more that has not paid it, `is_charged`
    that it is being charged just now. `why` the business let its guest off it is for staff alone.
    """

    id: UUID
    number: int
    due_on: date
    minor: int
    state: str
    again_on: date | None = None
    is_charged: bool = False
    why: str = ""

    @property
    def is_open(self) -> bool:
        return self.state in STILL_TO_PAY

    @property
    def badge(self) -> Badge:
        words = {
            PartState.DUE: (_("Tried again") if self.again_on else _("To come"), "muted"),
            PartState.PAID: (_("Paid"), "success"),
            PartState.OVERDUE: (_("Overdue"), "error"),
            PartState.WAIVED: (_("Need not be paid"), "muted"),
            PartState.VOID: (_("Not asked any more"), "muted"),
        }
        return Badge(*words[PartState(self.state)])


class PartsView(msgspec.Struct, frozen=True, kw_only=True):
    """All parts of an order. `next_minor` is what the next is, and `left_minor` all that are still
    to be paid; `has_card`: they are charged by themselves. `words` is what its guest agreed to.
    """

    parts: list[PartView]
    left_minor: int
    next_minor: int
    open: int
    has_card: bool
    is_overdue: bool
    words: str
