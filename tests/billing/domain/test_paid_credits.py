"""Which credits of a lot were paid for and which were added, whatever became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.billing.domain.credits import unused_bought
from src.billing.domain.paid_credits import Apart, Line, Move, tell_apart

LOT = UUID(int=1)


def ref(number: int) -> tuple[UUID, UUID]:
    return (UUID(int=number), LOT)


def came(number: int) -> Line:
    return Line(move=Move.CAME, credits=number)


def staff(number: int) -> Line:
    return Line(move=Move.STAFF, credits=number)


def left(number: int) -> Line:
    return Line(move=Move.LEFT, credits=-number)


def refunded(number: int, by: int | None = None) -> Line:
    return Line(move=Move.REFUNDED, credits=-number, refund=None if by is None else ref(by))


def failed(number: int, by: int) -> Line:
    return Line(move=Move.REFUND_FAILED, credits=number, refund=ref(by))


ADDED_AND_REFUNDED = [came(10), staff(1), came(-1), refunded(10, by=1)]
PLAIN = [came(10), came(-1), refunded(9, by=1)]


@pytest.mark.parametrize(
    ("lines", "unused", "apart"),
    [
        ([came(10), staff(1), came(-1)], 9, Apart(1, 0)),
        ([*ADDED_AND_REFUNDED, came(1)], 1, Apart(0, 9)),
        ([*PLAIN, came(1)], 1, Apart(0, 9)),
        ([*ADDED_AND_REFUNDED, failed(10, by=1)], 9, Apart(1, 0)),
        ([*ADDED_AND_REFUNDED, came(1), failed(10, by=1)], 10, Apart(1, 0)),
        ([*ADDED_AND_REFUNDED, failed(10, by=1), refunded(10, by=1), came(1)], 1, Apart(0, 9)),
        ([*ADDED_AND_REFUNDED, failed(10, by=1), came(1), refunded(10, by=1)], 1, Apart(0, 9)),
        # Both parts of one refund, of which the later one fails.
        (
            [came(10), staff(1), came(-1), refunded(3), refunded(7, by=2), failed(7, by=2)],
            6,
            Apart(1, 3),
        ),
        # Added anew once one was back: that one is paid for, those are not.
        ([*ADDED_AND_REFUNDED, came(1), staff(2)], 1, Apart(2, 9)),
        # The added ones were in use, so the refund took none of them.
        ([came(10), staff(2), came(-11), left(0), came(10)], 9, Apart(2, 0)),
        ([came(10), staff(5), left(5), refunded(2, by=1)], 3, Apart(5, 2)),
        ([came(10), staff(2), staff(-3), came(-1)], 8, Apart(-1, 0)),
        # Rolled over with an added one, and the used one comes back.
        ([came(10), staff(1), came(-1), left(10), came(1)], 1, Apart(0, 0)),
    ],
)
def test_added_credits_that_left_make_no_other_one_worth_less(
    lines: Sequence[Line], unused: int, apart: Apart
) -> None:
    found = tell_apart(lines, 10)
    assert found == apart
    assert unused_bought(sum(line.credits for line in lines), 10, found.added) == unused


@dataclass
class Purse:
    """The same by hand: every credit of the lot by what it is and where it is."""

    paid_in: int
    added_in: int = 0
    paid_used: int = 0
    added_used: int = 0
    paid_back: int = 0
    out: dict[int, tuple[int, int]] = field(default_factory=dict)
    failed: dict[int, tuple[int, int]] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)

    def use(self) -> None:
        if self.paid_in:
            self.paid_in, self.paid_used = self.paid_in - 1, self.paid_used + 1
        elif self.added_in:
            self.added_in, self.added_used = self.added_in - 1, self.added_used + 1
        else:
            return
        self.lines.append(came(-1))

    def give_back(self) -> None:
        """Those that are used last come back first."""
        if self.added_used:
            self.added_in, self.added_used = self.added_in + 1, self.added_used - 1
        elif self.paid_used:
            self.paid_in, self.paid_used = self.paid_in + 1, self.paid_used - 1
        else:
            return
        self.lines.append(came(1))
        self._settle()

    def add(self) -> None:
        self.added_in += 1
        self.lines.append(staff(1))
        self._settle()

    def remove(self) -> None:
        """One of the added ones; the one in use is then a paid one that is not."""
        if not self.added_in:
            return
        self.added_in -= 1
        self.lines.append(staff(-1))

    def refund(self, number: int) -> None:
        held = self.paid_in + self.added_in
        if not held:
            return
        self.out[number] = (self.paid_in, self.added_in)
        self.paid_back += self.paid_in
        self.paid_in = self.added_in = 0
        self.lines.append(refunded(held, by=number))

    def lose(self) -> None:
        """One leaves because nothing pays for it any more."""
        if self.paid_in:
            self.paid_in -= 1
            self.lines.append(left(1))

    def fail(self, number: int) -> None:
        if number not in self.out:
            return
        paid, added = self.failed[number] = self.out.pop(number)
        self.paid_in, self.added_in = self.paid_in + paid, self.added_in + added
        self.paid_back -= paid
        self.lines.append(failed(paid + added, by=number))
        self._settle()

    def retry(self) -> None:
        """It takes as many as before, and of the added ones as many, where those are there."""
        number = next(iter(self.failed), None)
        if number is None or sum(self.failed[number]) > self.paid_in + self.added_in:
            return
        paid, added = self.failed.pop(number)
        leaving, added = paid + added, min(max(paid + added - self.paid_in, added), self.added_in)
        self.out[number] = (leaving - added, added)
        self.paid_in, self.added_in = self.paid_in - (leaving - added), self.added_in - added
        self.paid_back += leaving - added
        self.lines.append(refunded(leaving, by=number))

    def roll_over(self) -> None:
        held = self.paid_in + self.added_in
        if held:
            self.paid_in = self.added_in = 0
            self.lines.append(left(held))

    def _settle(self) -> None:
        """Seats are to have the paid ones, as far as there are any."""
        moved = min(self.paid_in, self.added_used)
        self.paid_in, self.paid_used = self.paid_in - moved, self.paid_used + moved
        self.added_in, self.added_used = self.added_in + moved, self.added_used - moved


ACTS = ("give_back", "add", "remove", "refund", "lose", "fail", "retry", "roll_over")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["use", "use", "give_back", "add", "remove", "refund", "fail", "roll_over"]
        ),
        st.integers(1, 3),
    ),
    max_size=60,
)


@given(st.integers(1, 6), STEPS)
def test_whatever_becomes_of_them_the_paid_ones_are_told_from_the_added_ones(
    bought: int, steps: list[tuple[str, int]]
) -> None:
    purse = Purse(bought, lines=[came(bought)])
    for place, (step, number) in enumerate(steps):
        if step == "fail":
            purse.fail(number if number in purse.out else next(iter(purse.out), 0))
        elif step == "refund":
            purse.refund(place + 10)
        else:
            getattr(purse, step)()
        found = tell_apart(purse.lines, bought)
        held = purse.paid_in + purse.added_in
        assert sum(line.credits for line in purse.lines) == held
        assert unused_bought(held, bought, found.added) == purse.paid_in
        assert found.refunded == purse.paid_back
