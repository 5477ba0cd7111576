"""Which of a lot's credits were paid for, and which staff have added; its ledger tells.

Source: docs/algorithms/credits.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from src.billing.domain.credits import unused_bought


class Move(StrEnum):
    """What a line of a ledger did to the credits of its lot. Those that were lost at its end, or
    are there again with a later one, are still the lot's, so that no line about them is wanted.
    """

    CAME = "came"
    STAFF = "staff"
    LEFT = "left"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """`credits` is signed. `came` is what the lot began with and what seats took or gave back,
    `left` what went into a new lot, or what nothing pays for any more. `refund` is one refund's
    share of one lot, None where nothing can bring it back.
    """

    move: Move
    credits: int
    refund: tuple[UUID, UUID] | None = None


class Apart(NamedTuple):
    """Of the credits of a lot: those that staff have `added`, less those they have removed, and
    that have not left since, in use or not; and the paid ones that are `refunded`.
    """

    added: int = 0
    refunded: int = 0


def tell_apart(lines: Iterable[Line], bought: int) -> Apart:
    """From the oldest line to the newest. Seats use the added ones last. What staff remove is of
    the added ones first; whatever leaves otherwise is of the paid ones first, and takes added ones
    along only with the rest of them: those are gone, and make no credit worth less that comes back
    later. A refund that fails brings back what it took, and takes the same with its next try.
    """
    held = added = refunded = 0
    along: dict[tuple[UUID, UUID], int] = {}
    for line in lines:
        if line.move is Move.STAFF:
            added += line.credits
        elif line.move is Move.REFUND_FAILED:
            back = along.get(line.refund, 0) if line.refund else 0
            added += back
            refunded -= line.credits - back
        elif line.move is not Move.CAME:
            leaving = -line.credits
            beyond = max(0, leaving - unused_bought(held, bought, added))
            before = along.get(line.refund, 0) if line.refund else 0
            taken = min(max(beyond, before), max(0, added))
            added -= taken
            if line.move is Move.REFUNDED:
                refunded += leaving - taken
                if line.refund:
                    along[line.refund] = taken
        held += line.credits
    return Apart(added, refunded)
