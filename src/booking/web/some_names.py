"""A list of names in a sentence that has to stay short."""

from collections.abc import Sequence

from src.platform.i18n import ngettext


def some_names(names: Sequence[str], most: int) -> str:
    """The first of them, at most so many, and how many others there are."""
    named, others = list(names[:most]), len(names) - most
    if others > 0:
        named.append(ngettext("%(num)s other", "%(num)s others", others))
    return ", ".join(named)
