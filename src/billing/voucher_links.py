"""Signed addresses of vouchers: of one voucher for who has it, of the purchase for who made it."""

from datetime import timedelta
from uuid import UUID

from src.billing.models import Order, Voucher
from src.platform.config import Settings
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.links import LinkSigner
from src.platform.services import Services
from src.tenants.context import RequestContext

VOUCHER, PURCHASE = "voucher", "voucher-order"
VOUCHER_LIFETIME = timedelta(days=60 * 365)
"""As long as a voucher may be valid: it hangs on a wall as a picture."""
PURCHASE_LIFETIME = timedelta(days=800)


def voucher_path(settings: Settings, slug: str, voucher: Voucher) -> str:
    """Its own page: the same whenever it is asked for."""
    token = LinkSigner(settings.secret_keys).sign(
        VOUCHER, {"voucher": str(voucher.id)}, voucher.created_at, tenant_id=voucher.tenant_id
    )
    return f"/b/{slug}/vouchers/{token}"


def purchase_path(settings: Settings, slug: str, order: Order) -> str:
    """The page of who buys it: waits for the payment, and says what was bought."""
    token = LinkSigner(settings.secret_keys).sign(
        PURCHASE, {"order": str(order.id)}, order.created_at, tenant_id=order.tenant_id
    )
    return f"/b/{slug}/vouchers/bought/{token}"


def voucher_behind(services: Services, ctx: RequestContext, token: str) -> UUID:
    """Raises: LinkInvalid, LinkExpired; NotFound for another business's."""
    return _behind(services, ctx, token, VOUCHER, VOUCHER_LIFETIME)


def purchase_behind(services: Services, ctx: RequestContext, token: str) -> UUID:
    """Raises: LinkInvalid, LinkExpired; NotFound for another business's."""
    return _behind(services, ctx, token, PURCHASE, PURCHASE_LIFETIME)


def _behind(
    services: Services, ctx: RequestContext, token: str, purpose: str, lifetime: timedelta
) -> UUID:
    signer = LinkSigner(services.settings.secret_keys)
    link = signer.read(purpose, token, lifetime, services.clock.now())
    if link.tenant_id != ctx.here.id:
        raise no_such_voucher()
    (found,) = link.payload.values()
    return UUID(found)


def no_such_voucher() -> NotFound:
    return NotFound(_("There is no such voucher."))
