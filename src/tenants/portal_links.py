"""Signed links into a guest's own pages, and what a browser remembers that has asked for one.

Both live as long as the code they were mailed with, and lead to one business only. What a link says
is worth nothing once its row was used: see `commands/portal.py`.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from src.platform.config import Settings
from src.platform.errors import DomainError, NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.tenants.context import TenantSnapshot
from src.tenants.domain.portal import CODE_LIFETIME
from src.tenants.queries.portal import Proved

LINK_PURPOSE, ASKED_PURPOSE = "portal", "portal-asked"
ADDRESS_PURPOSE, ADDRESS_LIFETIME = "portal-address", timedelta(hours=24)


class PortalLink(msgspec.Struct, frozen=True, kw_only=True):
    """What a mailed link says: its row, and whose address it was mailed to."""

    code_id: UUID
    proved: Proved


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser has asked: its row, the address that was typed, and where to go afterwards."""

    code_id: UUID
    email: str
    next: str = ""


def portal_link_url(
    settings: Settings, tenant: TenantSnapshot, link: PortalLink, asked_at: datetime
) -> str:
    """The whole address, for a mail to the address that it proves."""
    says = {
        "code": link.code_id.hex,
        "customer": link.proved.customer_id.hex,
        "to": link.proved.mark,
    }
    token = LinkSigner(settings.secret_keys).sign(LINK_PURPOSE, says, asked_at, tenant_id=tenant.id)
    return f"{settings.base_url}/b/{tenant.slug}/me/link/{token}"


def portal_link_behind(
    settings: Settings, token: str, tenant_id: UUID, now: datetime
) -> PortalLink:
    """Raises: LinkInvalid, LinkExpired; NotFound for a link of another business."""
    link = LinkSigner(settings.secret_keys).read(LINK_PURPOSE, token, CODE_LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise NotFound(_("There is nothing here."))
    says = link.payload
    proved = Proved(customer_id=UUID(says["customer"]), mark=says["to"])
    return PortalLink(code_id=UUID(says["code"]), proved=proved)


class NewAddress(msgspec.Struct, frozen=True, kw_only=True):
    """What a link to a new address says: that it is to be the one of `proved`. It works once, for
    the former address, which it names, is not theirs afterwards.
    """

    proved: Proved
    email: str


def new_address_url(
    settings: Settings, tenant: TenantSnapshot, wanted: NewAddress, now: datetime
) -> str:
    """The whole address, for a mail to `wanted.email` and nowhere else."""
    says = {
        "customer": wanted.proved.customer_id.hex,
        "from": wanted.proved.mark,
        "to": wanted.email,
    }
    token = LinkSigner(settings.secret_keys).sign(ADDRESS_PURPOSE, says, now, tenant_id=tenant.id)
    return f"{settings.base_url}/b/{tenant.slug}/me/address/{token}"


def new_address_behind(
    settings: Settings, token: str, tenant_id: UUID, now: datetime
) -> NewAddress:
    """Raises: LinkInvalid, LinkExpired; NotFound for a link of another business."""
    link = LinkSigner(settings.secret_keys).read(ADDRESS_PURPOSE, token, ADDRESS_LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise NotFound(_("There is nothing here."))
    says = link.payload
    proved = Proved(customer_id=UUID(says["customer"]), mark=says["from"])
    return NewAddress(proved=proved, email=says["to"])


def sign_asked(settings: Settings, tenant_id: UUID, asked: Asked, now: datetime) -> str:
    """For a cookie of the browser that asked."""
    says = {"code": asked.code_id.hex, "to": asked.email, "next": asked.next}
    return LinkSigner(settings.secret_keys).sign(ASKED_PURPOSE, says, now, tenant_id=tenant_id)


def read_asked(
    settings: Settings, token: str | None, tenant_id: UUID, now: datetime
) -> Asked | None:
    """None for a browser that has asked this business nothing, or too long ago."""
    if token is None:
        return None
    try:
        link = LinkSigner(settings.secret_keys).read(ASKED_PURPOSE, token, CODE_LIFETIME, now)
    except DomainError:
        return None
    if link.tenant_id != tenant_id:
        return None
    says = link.payload
    return Asked(code_id=UUID(says["code"]), email=says["to"], next=says["next"])
