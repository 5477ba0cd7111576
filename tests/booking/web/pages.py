"""Going through the dashboard's pages as a browser without scripts does."""

from collections.abc import Mapping
from typing import Any

from httpx import AsyncClient, Response

from src.platform.services import Services
from tests.support.builders import Business
from tests.support.visitor import forms_of
from tests.tenants.web.signed_in import sign_in


def fields_of(page: Response, action: str = "") -> dict[str, list[str]]:
    """What the page's form would send untouched: the one to `action`, or else the last one."""
    posting = [form for form in forms_of(page) if form.method == "post"]
    own = [form for form in posting if form.action != "/sign-out"]
    chosen = [form for form in own if form.action == action] or own
    assert chosen, page.text
    return chosen[-1].fields


async def as_owner(client: AsyncClient, services: Services, business: Business) -> None:
    """From now on the browser is the owner's."""
    await sign_in(client, services, business.owner.id)


async def send(
    client: AsyncClient, path: str, changes: Mapping[str, Any], *, to: str | None = None
) -> Response:
    """Opens the page, changes some of its fields and sends it; None takes a field out."""
    shown = await client.get(path)
    assert shown.status_code == 200, shown.text
    return await send_again(client, to or path, shown, changes)


async def send_again(
    client: AsyncClient, path: str, page: Response, changes: Mapping[str, Any]
) -> Response:
    """Sends the form of a page that is open already."""
    fields: dict[str, Any] = {**fields_of(page, path), **changes}
    return await client.post(path, data={k: v for k, v in fields.items() if v is not None})
