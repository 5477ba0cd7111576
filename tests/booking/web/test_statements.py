"""No page, list of the API or calendar asks the database once for each row that it shows.

Which these are, `Busy` says: the guests' and the members' pages. Left out are the operators' pages,
the imports, and pages of a single thing that are as long for many: a cancellation's progress, a
request to leave, the API's counts of who waits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from src.platform.services import Services
from tests.booking.web.pages import as_owner
from tests.support.busy import Busy
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio
FEW, MORE = 2, 6
FRAMING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "SET LOCAL")


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent inside, those that frame a transaction left out."""
    sent: list[str] = []

    def remember(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(FRAMING):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", remember)


@pytest.mark.slow
async def test_a_page_asks_as_often_for_many_rows_as_for_few(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    """Each of these pages is longer for more rows, and as many statements.

    Row 2-56: with 13,000 dates a list asked for each, and then its neighbour did.
    """
    busy = Busy(services)
    await busy.open()
    await as_owner(client, services, busy.business)
    program = {"Authorization": f"Bearer {busy.api_key}"}
    # Some things are asked once only, or noted, like a key's first use.
    await client.get("/b/lotus")
    await client.get("/api/v1/me", headers=program)
    seen: list[list[tuple[str, int, int]]] = []
    for by in (FEW, MORE):
        await busy.grow(by)
        clock.advance(timedelta(seconds=30))
        seen.append([])
        for page in [*await busy.pages(), *busy.answers()]:
            headers = program if page.startswith("/api/") else {}
            with counted() as sent:
                shown = await client.get(page, headers=headers)
            assert shown.status_code == 200, page
            seen[-1].append((page, len(sent), len(shown.text)))
    pairs = list(zip(*seen, strict=True))
    assert [one[0] for one, more in pairs if more[2] < one[2] + 200] == []
    assert [(one, more[1]) for one, more in pairs if more[1] != one[1]] == []
