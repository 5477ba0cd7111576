"""What a tenant has used of its plan."""

from sqlalchemy import select

from src.platform.db.uow import UnitOfWork
from src.platform.localtime import month_key
from src.tenants.context import TenantSnapshot
from src.tenants.models import BookingCounter


async def bookings_this_month(uow: UnitOfWork, tenant: TenantSnapshot) -> int:
    """Bookings that count in the tenant's current calendar month, on its own clock."""
    taken = await uow.session.scalar(
        select(BookingCounter.taken).where(
            BookingCounter.tenant_id == tenant.id,
            BookingCounter.month == month_key(uow.clock.now(), tenant.zone),
        )
    )
    return taken or 0
