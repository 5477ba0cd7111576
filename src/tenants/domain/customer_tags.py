"""The words by which staff find customers again."""

from collections.abc import Iterable

from src.platform.errors import InvalidInput
from src.platform.i18n import _

LONGEST, MOST = 30, 20


def read_tags(typed: str) -> list[str]:
    """The words between the commas, in small letters, each once, in order of the alphabet.

    Raises: InvalidInput at `tags`.
    """
    parts = (" ".join(part.split()).lower() for part in typed.split(","))
    words = sorted({part for part in parts if part})
    too_long = next((word for word in words if len(word) > LONGEST), None)
    if too_long is not None:
        raise _refusal(_("“%(tag)s” is too long for a tag.", tag=too_long[:LONGEST] + "…"))
    if len(words) > MOST:
        raise _refusal(_("Please use at most %(most)s tags.", most=MOST))
    return words


def tag_errors(typed: Iterable[str]) -> dict[str, str]:
    """What is wrong with such words, at `tags`; empty where nothing is."""
    try:
        read_tags(",".join(typed))
    except InvalidInput as refused:
        return dict(refused.fields)
    return {}


def _refusal(sentence: str) -> InvalidInput:
    return InvalidInput(sentence, fields={"tags": sentence})
