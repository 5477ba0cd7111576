"""What the mails about a team say."""

import msgspec


class TeamMail(msgspec.Struct, frozen=True, kw_only=True):
    """`role` is in words, "" where there is none any more; `by` is who did it."""

    locale: str
    from_name: str
    name: str
    business: str
    role: str
    by: str
    url: str
