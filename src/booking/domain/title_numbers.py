"""Titles that count: which of a term's do, and how the numbers run when dates are left out."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from src.booking.domain.session_rules import LONGEST_TITLE

_NUMBER = re.compile(r"\d{1,4}")
_WORD = re.compile(r"[^\W\d_]+")


def number_anew(titles: Sequence[str], kept: Sequence[bool]) -> list[str] | None:
    """The titles in order of time with those kept counted on from the first number, without a hole;
    None where the titles do not count.

    They count where at least two have the same words before a number, the numbers rise, and fewer
    are missing than are there: days such as "3 May" and "10 May" are no count. Where they begin
    with the number and the same word follows, as in "3 May" and "5 May", none may be missing.
    """
    at = _counted(titles)
    if not at:
        return None
    renewed = list(titles)
    first = _number(titles[at[0]])
    following, digits = int(first), len(first) if first.startswith("0") else 1
    for position in at:
        if kept[position]:
            renewed[position] = _with_number(titles[position], following, digits)
            following += 1
    return renewed


def _counted(titles: Sequence[str]) -> list[int]:
    """The positions of the titles that count, in order; empty where they do not."""
    heads = {
        at: title[: found.start()]
        for at, title in enumerate(titles)
        if (found := _NUMBER.search(title))
    }
    if not heads:
        return []
    [(head, times)] = Counter(heads.values()).most_common(1)
    at = [position for position, own in heads.items() if own == head]
    numbers = [int(_number(titles[position])) for position in at]
    rises = all(one < after for one, after in pairwise(numbers))
    missing = numbers[-1] - numbers[0] + 1 - times
    most = 0 if _may_be_days(head, [titles[position] for position in at]) else times - 1
    return at if times > 1 and rises and missing <= most else []


def _may_be_days(head: str, titles: Sequence[str]) -> bool:
    """Whether the numbers may be days of one month."""
    following = {word[0] if (word := _WORD.findall(title)) else "" for title in titles}
    return not _WORD.search(head) and following != {""} and len(following) == 1


def _number(title: str) -> str:
    found = _NUMBER.search(title)
    return found[0] if found else ""


def _with_number(title: str, number: int, digits: int) -> str:
    renewed = _NUMBER.sub(str(number).zfill(digits), title, count=1)
    return renewed if len(renewed) <= LONGEST_TITLE else title
