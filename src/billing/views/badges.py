"""States as pages show them."""

import msgspec


class Badge(msgspec.Struct, frozen=True):
    """A state in a word, and its tone."""

    label: str
    tone: str
