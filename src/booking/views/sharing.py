"""What a link shows where it is sent: in a chat, a post, a mail."""

from hashlib import sha256

import msgspec


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn on the picture; equal ones are the same picture. `facts` are lines below the
    title, `accent` is the business's colour.
    """

    title: str
    business: str
    facts: tuple[str, ...]
    accent: str

    @property
    def version(self) -> str:
        """Changes whenever the picture would."""
        return sha256(msgspec.json.encode(self)).hexdigest()[:16]


class ShareCard(msgspec.Struct, frozen=True, kw_only=True):
    """The words beside the picture. `url` is the page, `image` the picture's whole address."""

    title: str
    text: str
    url: str
    image: str
    poster: Poster
