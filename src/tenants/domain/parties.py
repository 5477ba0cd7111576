"""Who stands twice in one party, by name."""

from collections.abc import Sequence

from src.platform.i18n import _


def named_twice(names: Sequence[str]) -> dict[int, str]:
    """A sentence for everyone whose name another one before them has, by their number from 1.
    Blanks and capitals do not tell two names apart, and who has no name is nobody's double.
    """
    seen: set[str] = set()
    wrong: dict[int, str] = {}
    for number, name in enumerate(names, start=1):
        known = " ".join(name.split()).casefold()
        if known in seen:
            wrong[number] = same_name()
        elif known:
            seen.add(known)
    return wrong


def same_name() -> str:
    return _(
        "This name stands here twice. If they are two people, please write it so that they can be"
        " told apart."
    )
