"""Signed addresses of the page from which a guest's calendar follows all that they book.

A link in a booking's mail opens that booking only. This one goes by mail to the customer's own
address, which is what proves that all of their dates are the reader's to see.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

import msgspec
from sqlalchemy import select

from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Gone, NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.tenants.context import TenantSnapshot
from src.tenants.models import Customer

PURPOSE = "customer-calendar"
LIFETIME = timedelta(days=30)


class LinkedCustomer(msgspec.Struct, frozen=True):
    """What a link says: the customer, and a mark of the address that it was sent to."""

    customer_id: UUID
    mark: str


def calendar_url(
    settings: Settings, tenant: TenantSnapshot, customer_id: UUID, address: str, now: datetime
) -> str:
    """The whole address, for a mail to just that address."""
    says = {"customer": str(customer_id), "to": _mark(address)}
    token = LinkSigner(settings.secret_keys).sign(PURPOSE, says, now, tenant_id=tenant.id)
    return f"{settings.base_url}/b/{tenant.slug}/calendar/{token}"


def customer_behind(
    settings: Settings, token: str, tenant_id: UUID, now: datetime
) -> LinkedCustomer:
    """What a token says.

    Raises: LinkInvalid, LinkExpired; NotFound for a token of another tenant.
    """
    link = LinkSigner(settings.secret_keys).read(PURPOSE, token, LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise _no_such_calendar()
    return LinkedCustomer(UUID(link.payload["customer"]), link.payload["to"])


def linked_to(customer_id: UUID, address: str) -> LinkedCustomer:
    """What a link would say that was mailed to the customer's own address."""
    return LinkedCustomer(customer_id, _mark(address))


async def hold_customer(uow: UnitOfWork, linked: LinkedCustomer) -> UUID:
    """The customer whose link it is, neither merged nor given another address until COMMIT.

    Raises: NotFound; Gone for one who was merged, or whose address is another by now: the one that
    had the link may be a stranger's.
    """
    row = (
        await uow.session.execute(
            select(Customer.email, Customer.merged_into)
            .where(Customer.tenant_id == uow.tenant, Customer.id == linked.customer_id)
            .with_for_update(read=True)
        )
    ).first()
    if row is None:
        raise _no_such_calendar()
    if row.merged_into is not None or _mark(row.email or "") != linked.mark:
        raise Gone(
            _("This link is not valid any more. Ask for a new one on the page of a booking."),
            code="link_replaced",
        )
    return linked.customer_id


def _mark(address: str) -> str:
    return sha256(address.encode()).hexdigest()[:16]


def _no_such_calendar() -> NotFound:
    return NotFound(_("There is no such calendar."))
