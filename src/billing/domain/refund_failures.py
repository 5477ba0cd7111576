"""Which refunds that failed need nobody any more, once money of their payment goes back anew."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec


class FailedRefund(msgspec.Struct, frozen=True):
    """One that stands open: a person is asked to try it again; or `is_dealt_with`: a person has
    said that they dealt with it elsewhere.
    """

    refund_id: UUID
    amount_minor: int
    is_dealt_with: bool = False


class Instead(StrEnum):
    """Of which failures money that goes back anew takes the place."""

    NONE = "none"
    """It has a cause of its own, such as another place that was cancelled."""

    THE_SAME = "the_same"
    """Nobody can be asked, as of a refund in the dashboard: the very amount tells."""

    COVERED = "covered"
    """A person said so: the very amount first, then the oldest that it is enough for. What was
    dealt with elsewhere is among these only where nothing that waits is left over.
    """


def replaced_failures(
    failed: Sequence[FailedRefund], amount_minor: int, instead: Instead
) -> Iterator[FailedRefund]:
    """Those of `failed` that `amount_minor` takes the place of. Those that wait stand first in it,
    the oldest of each first.
    """
    same = next((one for one in failed if one.amount_minor == amount_minor), None)
    if instead is Instead.NONE:
        return
    if same is not None:
        yield same
        return
    if instead is Instead.THE_SAME:
        return
    leaves_some = False
    for one in failed:
        if one.is_dealt_with and leaves_some:
            return
        if one.amount_minor <= amount_minor:
            amount_minor -= one.amount_minor
            yield one
        elif not one.is_dealt_with:
            leaves_some = True
