"""The model's own arithmetic: what is shared, and how it is rounded."""

from fractions import Fraction
from math import floor


def half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def split(total: int, weights: list[int]) -> list[int]:
    """In proportion; units that are left over go to the largest remainders, earlier ones first.

    Equally where all weights are 0.
    """
    if not any(weights):
        weights = [1] * len(weights)
    exact = [Fraction(total * weight, sum(weights)) for weight in weights]
    whole_parts = [floor(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: whole_parts[at] - exact[at])
    for at in by_remainder[: total - sum(whole_parts)]:
        whole_parts[at] += 1
    return whole_parts


def shares(party: list[tuple[str, int]], runs: int, off: int) -> list[int]:
    """Of each seat, date by date and in the party's order: those who pay the same share a line."""
    lines = list(dict.fromkeys(party))
    full = [party.count(line) * line[1] for line in lines]
    of_line = {}
    for line, price, discount in zip(lines, full, split(off, full), strict=True):
        of_line[line] = iter(split(price - discount, [1] * (party.count(line) * runs)))
    return [next(of_line[person]) for _run in range(runs) for person in party]
