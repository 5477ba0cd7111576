"""What the model has of the bank transfers that were noted for an order."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(eq=False)
class Transfer:
    """By the form it was noted with, which makes two of it where more came than the price: what is
    `beside` that. No price waits for what `is_extra`; so much of it `went_back`. Of a part a mail
    `is_due` to its guest, until that has left.
    """

    token: UUID
    amount: int
    is_extra: bool = False
    beside: bool = False
    went_back: int = 0
    is_due: bool = False

    @property
    def name(self) -> str:
        """As its payment is called, whatever became of it."""
        return f"transfer:{self.token}" + (":extra" if self.beside else "")

    @property
    def left(self) -> int:
        return self.amount - self.went_back


class Noted(list[Transfer]):
    """All of an order's, in the order in which they were noted."""

    @property
    def received(self) -> int:
        """What is there of the price."""
        return sum(one.left for one in self if not one.is_extra)

    @property
    def extra(self) -> int:
        """What is there beside it."""
        return sum(one.left for one in self if one.is_extra)

    @property
    def went_back(self) -> int:
        return sum(one.went_back for one in self)
