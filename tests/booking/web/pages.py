"""Going through the dashboard's pages as a browser without scripts does."""

from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

from httpx import AsyncClient, Response

from src.platform.services import Services
from src.platform.web.cookies import Cookies
from src.platform.web.sessions import SessionStore
from tests.support.builders import Business


class FirstForm(HTMLParser):
    """The fields of the first form on the page that has a way to be refused or saved."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, list[str]] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self._inside_main = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name")
        if tag == "main":
            self._inside_main = True
        if not self._inside_main or (tag != "option" and not name):
            return
        if tag == "input" and "disabled" not in given:
            if given.get("type") not in ("checkbox", "radio") or "checked" in given:
                self._add(name or "", given.get("value") or "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given.get("value") or "")
        elif tag == "textarea":
            self._textarea = name
            self._add(name or "", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] = [self.fields[self._textarea][0] + data]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None
        elif tag == "select":
            self._select = None

    def _add(self, name: str, value: str) -> None:
        self.fields.setdefault(name, []).append(value)


def fields_of(html: str) -> dict[str, list[str]]:
    parser = FirstForm()
    parser.feed(html)
    return parser.fields


async def sign_in(client: AsyncClient, services: Services, user_id: Any) -> None:
    """From now on the browser is this user's."""
    store = SessionStore(services.redis, services.clock)
    session = await store.load(None, "")
    session.sign_in(user_id, services.clock.now())
    await store.commit(session)
    assert session.session_id is not None
    client.cookies.set(Cookies(services.settings.cookie_secure).session, session.session_id)


async def as_owner(client: AsyncClient, services: Services, business: Business) -> None:
    await sign_in(client, services, business.owner.id)


async def send(
    client: AsyncClient, path: str, changes: Mapping[str, Any], *, to: str | None = None
) -> Response:
    """Opens the page, changes some of its fields and sends it; None takes a field out."""
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    return await send_again(client, to or path, shown.text, changes)


async def send_again(
    client: AsyncClient, path: str, html: str, changes: Mapping[str, Any]
) -> Response:
    """Sends the form of a page that is open already."""
    fields: dict[str, Any] = {**fields_of(html), **changes}
    return await client.post(path, data={k: v for k, v in fields.items() if v is not None})
