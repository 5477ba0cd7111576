"""What the digests of members say."""

import msgspec


class DigestLine(msgspec.Struct, frozen=True, kw_only=True):
    """One thing; `href` leads to it where it leads anywhere."""

    words: str
    href: str = ""


class DigestView(msgspec.Struct, frozen=True, kw_only=True):
    """The business since the last digest. `needs` wait for a person."""

    locale: str
    from_name: str
    name: str
    heading: str
    period: str
    counts: list[tuple[str, str]]
    full: list[DigestLine]
    needs: list[DigestLine]
    href: str
    settings_href: str


class MorningView(msgspec.Struct, frozen=True, kw_only=True):
    """A member's own sessions of a day, in order of time."""

    locale: str
    from_name: str
    name: str
    day: str
    sessions: list[DigestLine]
    href: str
    settings_href: str
