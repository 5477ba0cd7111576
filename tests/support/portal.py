"""Signing in to a business's own pages for guests, as guests do it."""

import re
from typing import Any, Protocol

from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor

_CODE = re.compile(r"\b(\d{3})[ \u00a0]?(\d{3})\b")


class HasGuest(Protocol):
    """A stage with a guest's browser on it."""

    services: Any
    guest: Visitor

    async def work(self) -> int: ...


async def signed_in(shop: HasGuest, email: str, slug: str = "lotus") -> None:
    """Asks for a code, reads it in the mail and types it."""
    mailer: RememberingMailer = shop.services.mailer
    before = len(mailer.sent)
    await shop.guest.open(f"/b/{slug}/me/sign-in?next=/b/{slug}")
    await shop.guest.submit({"email": email})
    await shop.work()
    (mail,) = [one for one in mailer.sent[before:] if email in one.to[0]]
    found = _CODE.search(mail.subject) or _CODE.search(mail.body)
    assert found is not None, mail.body
    await shop.guest.submit({"code": "".join(found.groups())}, to="/code")
