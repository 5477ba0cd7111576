"""Who may use a lot of credits: everyone its customer books for, unless some of them are named."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Comer:
    """Somebody who is to come: the customer, one of the people whom they keep, or neither.

    Two customers who were merged may both have kept the same one: then they have several ids.
    """

    is_owner: bool = False
    person_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class LotUsers:
    """Without anybody named it is everyone."""

    owner: bool = False
    people: frozenset[UUID] = frozenset()

    @property
    def is_everyone(self) -> bool:
        return not self.owner and not self.people

    def lets(self, party: Iterable[Comer]) -> bool:
        """Whether all of these may use the credits."""
        return self.is_everyone or all(
            (self.owner and one.is_owner) or bool(one.person_ids & self.people) for one in party
        )

    def stored(self) -> list[str]:
        """As the row keeps it, which is read in any order."""
        return [*([OWNER] if self.owner else ()), *sorted(str(one) for one in self.people)]


def read_users(stored: Sequence[str]) -> LotUsers:
    people = frozenset(UUID(one) for one in stored if one != OWNER)
    return LotUsers(OWNER in stored, people)


EVERYONE = LotUsers()
