"""What the web kit keeps about one request and the answer to it.

Everything here is worked out when first asked for: a public page that needs neither a token, nor a
flash, nor a session pays for none of them.
"""

from typing import TYPE_CHECKING, Any, cast

from litestar.types import Scope

from src.platform.web.cookies import Header, cookie_of, header_of
from src.platform.web.flash import LIFETIME_SECONDS, Flash, Level

if TYPE_CHECKING:
    from src.platform.web.kit import WebKit
    from src.platform.web.sessions import Session

SCOPE_KEY = "seatline.exchange"
NOT_KEPT = "no-store"


class Exchange:
    """One request and its answer; made by the edge, found again by `exchange_of`."""

    __slots__ = (
        "_csrf_is_forgotten",
        "_csrf_token",
        "_incoming_flashes",
        "_outgoing_flashes",
        "_scope",
        "cookies_to_write",
        "guest_session",
        "is_htmx",
        "kit",
        "request_id",
        "session",
    )

    def __init__(self, scope: Scope, kit: "WebKit", request_id: str) -> None:
        self._scope = scope
        self.kit = kit
        self.request_id = request_id
        self.is_htmx = header_of(scope, b"hx-request") == "true"
        self.session: Session | None = None
        self.guest_session: tuple[str, Session] | None = None
        """Of a business's guest, with the name of the cookie that brings it."""
        self.cookies_to_write: list[Header] = []
        self._csrf_is_forgotten = False
        self._csrf_token: str | None = None
        self._incoming_flashes: list[Flash] | None = None
        self._outgoing_flashes: list[Flash] = []

    def cookie(self, purpose: str) -> str | None:
        """The value of one of our cookies, by purpose: "session", "csrf", "flash", "holds"."""
        return self.cookie_named(getattr(self.kit.cookies, purpose))

    def cookie_named(self, name: str) -> str | None:
        """The value of one of those of our cookies that each business has for itself."""
        return cookie_of(self._scope, name)

    @property
    def wants_fragment(self) -> bool:
        """Whether only a part of the page is asked for: by HTMX, neither boosted nor going back."""
        if not self.is_htmx:
            return False
        whole_page_headers = (b"hx-boosted", b"hx-history-restore-request")
        return all(header_of(self._scope, name) != "true" for name in whole_page_headers)

    @property
    def csrf_token(self) -> str:
        """A token for this page; a browser without a good secret is given a new one."""
        if self._csrf_token is None:
            self._csrf_token = self.kit.csrf_tokens.token_for(self._good_csrf_cookie())
        return self._csrf_token

    def _good_csrf_cookie(self) -> str:
        found = None if self._csrf_is_forgotten else self.cookie("csrf")
        if found is not None and self.kit.csrf_tokens.is_ours(found):
            return found
        made = self.kit.csrf_tokens.new_cookie_value()
        self.cookies_to_write.append(self.kit.cookies.written(self.kit.cookies.csrf, made))
        return made

    def forget_csrf(self) -> None:
        """Expires the secret; a page that wants a token, this or the next, brings a new one."""
        self._csrf_is_forgotten, self._csrf_token = True, None
        self.cookies_to_write.append(self.kit.cookies.expired(self.kit.cookies.csrf))

    @property
    def cache_policy(self) -> str:
        """Of an answer without one of its own: what somebody signed in is shown is not kept."""
        is_personal = self.session is not None or self.guest_session is not None
        return f"private, {NOT_KEPT}" if is_personal else "private, no-cache"

    def flash(self, level: Level, text: str) -> None:
        """Shows the text on the page that this answer is, or else on the next one."""
        self._outgoing_flashes.append(Flash(level, text))

    def take_flashes(self) -> list[Flash]:
        """The messages to show now; each is given out once."""
        taken = self._waiting_flashes() + self._outgoing_flashes
        self._incoming_flashes, self._outgoing_flashes = [], []
        return taken

    def _waiting_flashes(self) -> list[Flash]:
        if self._incoming_flashes is None:
            value = self.cookie("flash")
            self._incoming_flashes = self.kit.flash_codec.decode(value) if value else []
            if value:
                cookies = self.kit.cookies
                self.cookies_to_write.append(cookies.expired(cookies.flash))
        return self._incoming_flashes

    def answer_cookies(self) -> list[Header]:
        """All cookies that the answer has to carry, flashes for the next page among them."""
        if self._outgoing_flashes:
            cookies = self.kit.cookies
            value = self.kit.flash_codec.encode(self._waiting_flashes() + self._outgoing_flashes)
            self.cookies_to_write.append(cookies.written(cookies.flash, value, LIFETIME_SECONDS))
        return self.cookies_to_write


def exchange_of(scope: Scope) -> Exchange:
    """The exchange of a request that came in through the edge."""
    return cast("Exchange", cast("dict[str, Any]", scope)[SCOPE_KEY])
