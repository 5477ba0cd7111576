"""Signed addresses of one booking: whoever has the link sees that booking and nothing else."""

from datetime import datetime, timedelta
from uuid import UUID

from src.billing.models import Order
from src.platform.config import Settings
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner

PURPOSE = "booking"
LIFETIME = timedelta(days=800)


def booking_path(settings: Settings, slug: str, order: Order) -> str:
    """The path of the order's guest page: the same whenever it is asked for."""
    signer = LinkSigner(settings.secret_keys)
    token = signer.sign(
        PURPOSE, {"order": str(order.id)}, order.created_at, tenant_id=order.tenant_id
    )
    return f"/b/{slug}/bookings/{token}"


def order_behind(settings: Settings, token: str, tenant_id: UUID, now: datetime) -> UUID:
    """The order that a token opens.

    Raises: LinkInvalid, LinkExpired; NotFound for a token of another tenant.
    """
    link = LinkSigner(settings.secret_keys).read(PURPOSE, token, LIFETIME, now)
    if link.tenant_id != tenant_id:
        raise NotFound(_("There is no such booking."))
    return UUID(link.payload["order"])
