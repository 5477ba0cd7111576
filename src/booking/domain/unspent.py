"""Which unspent credits of a purchase go with which amount of money, decided once for the page that
asks, the request that is checked and the job that carries it out.

A credit goes as a whole, for all that is in it. Only where less is left of what was paid than is
in all of them, they go together, for what is left: no money is promised that is not there.

Of very many that are all worth something else there are more sums than anybody could choose from,
or wait for. Those go one after another, the smallest first: which amounts that gives hangs on what
is in them alone, not on the order in which the page or the job has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

MOST_SUMS = 2000


class Going(NamedTuple):
    """The lots that go, and what goes back for them together, in minor units."""

    lot_ids: tuple[UUID, ...] = ()
    minor: int = 0


@dataclass(frozen=True)
class Unspent:
    """Lots of one order by what is in each, in minor units, and what is left of what was paid that
    could go back for them.
    """

    worths: Mapping[UUID, int] = field(default_factory=dict)
    left_minor: int = 0

    @property
    def full_minor(self) -> int:
        """What goes back for all of them."""
        return max(0, min(sum(self.worths.values()), self.left_minor))

    def going(self, minor: int) -> Going:
        """Those that go where so much may go back for them: as much as it covers whole, of equal
        choices the first lots. One that nothing is in goes only with all the others.
        """
        if 0 < self.full_minor <= minor:
            return Going(tuple(self.worths), self.full_minor)
        sums = self._sums
        total = most = max(one for one in sums if one <= max(minor, 0))
        found = []
        while total:
            found.append(sums[total])
            total -= self.worths[sums[total]]
        return Going(tuple(sorted(found)), most)

    @cached_property
    def amounts(self) -> list[int]:
        """All that can go back for them, the least first, in minor units; never nothing."""
        return sorted({*self._sums, self.full_minor} - {0})

    @cached_property
    def _sums(self) -> dict[int, UUID]:
        """What whole lots come to, each with the last lot in it; 0 is for none."""
        sums: dict[int, UUID] = {0: UUID(int=0)}
        if self.left_minor < sum(self.worths.values()):
            return sums
        for lot_id, worth in self.worths.items():
            if worth:
                sums |= {one + worth: lot_id for one in list(sums) if one + worth not in sums}
            if len(sums) > MOST_SUMS:
                return self._one_after_another()
        return sums

    def _one_after_another(self) -> dict[int, UUID]:
        sums, total = {0: UUID(int=0)}, 0
        for lot_id, worth in sorted(self.worths.items(), key=lambda one: one[1]):
            if worth:
                total += worth
                sums[total] = lot_id
        return sums
