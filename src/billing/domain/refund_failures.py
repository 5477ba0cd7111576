"""Which refunds that failed need nobody any more, once money of their payment goes back anew."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from uuid import UUID

import msgspec


class FailedRefund(msgspec.Struct, frozen=True):
    """One that stands open: a person is asked to try it again."""

    refund_id: UUID
    amount_minor: int


class Instead(StrEnum):
    """Of which failures money that goes back anew takes the place."""

    NONE = "none"
    """It has a cause of its own, such as another place that was cancelled."""

    THE_SAME = "the_same"
    """Nobody can be asked, as of a refund in the dashboard: the very amount tells."""

    COVERED = "covered"
    """A person said so: the very amount first, then the oldest that it is enough for."""


def replaced_failures(
    failed: Sequence[FailedRefund], amount_minor: int, instead: Instead
) -> Iterator[FailedRefund]:
    """Those of `failed`, oldest first, that `amount_minor` takes the place of."""
    same = next((one for one in failed if one.amount_minor == amount_minor), None)
    if instead is Instead.NONE:
        return
    if same is not None:
        yield same
        return
    if instead is Instead.THE_SAME:
        return
    for one in failed:
        if one.amount_minor <= amount_minor:
            amount_minor -= one.amount_minor
            yield one
