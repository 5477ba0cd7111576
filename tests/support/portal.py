"""A guest at the own pages that a business has for them."""

import re
from uuid import UUID

from httpx import AsyncClient
from litestar_email import EmailMultiAlternatives

from src.platform.services import Services
from src.platform.web.cookies import Cookies
from src.platform.web.sessions import SessionStore
from src.tenants.domain.portal import mark_of
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work

CARL = "carl@example.com"


async def sign_in_portal(
    client: AsyncClient, services: Services, tenant_id: UUID, customer_id: UUID, address: str = CARL
) -> None:
    """The browser is signed in as that customer, without going through the pages."""
    store = SessionStore(services.redis, services.clock, namespace="guest-")
    session = await store.load(None, "")
    session.sign_in(customer_id, services.clock.now())
    session.set("business", tenant_id.hex)
    session.set("proved", mark_of(address))
    await store.commit(session)
    assert session.session_id is not None
    name = Cookies(services.settings.cookie_secure).guest(tenant_id)
    client.cookies.set(name, session.session_id, domain="testserver.local")


async def ask(
    guest: Visitor, services: Services, tenant_id: UUID, slug: str = "lotus", email: str = CARL
) -> None:
    """Types the address in and lets the mail leave; the page with the code's form is open."""
    await guest.open(f"/b/{slug}/me/sign-in")
    await guest.submit({"email": email}, to="/me/sign-in")
    assert guest.path == f"/b/{slug}/me/code"
    await work(services, tenant_id)


def code_in(mail: EmailMultiAlternatives) -> str:
    found = re.search(r"\b(\d{3} \d{3})\b", mail.body)
    assert found is not None, mail.body
    return found[1]


def link_in(mail: EmailMultiAlternatives, part: str = "link") -> str:
    """The path of the link in the mail."""
    found = re.search(rf"://[^/\s]+(/b/[\w-]+/me/{part}/\S+)", mail.body)
    assert found is not None, mail.body
    return found[1]


async def enter(
    guest: Visitor,
    services: Services,
    mailer: RememberingMailer,
    tenant_id: UUID,
    slug: str = "lotus",
    email: str = CARL,
) -> None:
    """All the way in, by the code."""
    await ask(guest, services, tenant_id, slug, email)
    await guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")
