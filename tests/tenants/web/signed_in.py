"""A browser that is signed in without going through the sign-in page."""

import re
from uuid import UUID

from httpx import AsyncClient, Response

from src.platform.services import Services
from src.platform.web.cookies import Cookies
from src.platform.web.sessions import SessionStore

TOKEN = re.compile(r'name="_csrf_token"\s+value="([^"]+)"')


async def sign_in(client: AsyncClient, services: Services, user_id: UUID) -> None:
    store = SessionStore(services.redis, services.clock)
    session = await store.load(None, "")
    session.sign_in(user_id, services.clock.now())
    await store.commit(session)
    assert session.session_id is not None
    client.cookies.set(Cookies(services.settings.cookie_secure).session, session.session_id)


async def submit(
    client: AsyncClient, path: str, page: str | None = None, **fields: object
) -> Response:
    """Posts a form to `path` with the token of the page it is on."""
    shown = await client.get(page or path)
    assert shown.status_code == 200, shown.text
    found = TOKEN.search(shown.text)
    assert found is not None, shown.text
    return await client.post(path, data={"_csrf_token": found[1], **fields})
