"""May this business take money? One that is disconnected or may not charge sells nothing for it."""

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature
from src.tenants.models import Tenant


def require_payments_ready(tenant: TenantSnapshot) -> None:
    """Before a form is shown or bound. Raises: Conflict, in a sentence fit for guests."""
    if not tenant.payments_ready:
        raise payments_not_ready()


async def require_payments_ready_now(uow: UnitOfWork) -> None:
    """Like `require_payments_ready`, by the tenant's row as this transaction sees it."""
    ready = await uow.session.scalar(select(Tenant.payments_ready).where(Tenant.id == uow.tenant))
    if not ready:
        raise payments_not_ready()


def may_sell_vouchers(tenant: TenantSnapshot) -> bool:
    """Whether guests could buy vouchers, were they switched on."""
    is_open = tenant.status.sells and tenant.is_confirmed and tenant.payments_ready
    return is_open and tenant.entitlements.has(Feature.COUPONS)


def payments_not_ready() -> Conflict:
    return Conflict(
        _("Online payment is not possible here at present. Please contact the business."),
        code="payments_not_ready",
    )
