"""What a visitor's browser holds by now, by the links that it was given when it began to hold."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.domain.kinds import SeatState
from src.booking.guest_links import LinkedOrder, booking_path
from src.booking.models import Booking, Seat, Service, Session
from src.booking.views.hub import OwnHold
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def list_own_holds(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    settings: Settings,
    linked: Sequence[LinkedOrder],
    service_slug: str,
    subject_id: UUID | None,
) -> list[OwnHold]:
    """Those of the orders that can still be paid and hold places of the service, or of just one of
    its sessions or series; nothing of another tenant's, nor by a link that was replaced.
    """
    versions = {one.order_id: one.version for one in linked}
    statement = (
        select(
            Order,
            func.count(Seat.participant_id.distinct()),
            func.array_agg(Seat.session_id.distinct()),
            func.array_agg(Booking.series_id.distinct()),
        )
        .join(Seat, (Seat.tenant_id == Order.tenant_id) & (Seat.order_id == Order.id))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Service, (Service.tenant_id == Seat.tenant_id) & (Service.id == Booking.service_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(
            Order.tenant_id == uow.tenant,
            Order.id.in_(versions),
            Order.state == str(OrderState.OPEN),
            Seat.state == str(SeatState.HELD),
            Service.slug == service_slug,
        )
        .group_by(Order.tenant_id, Order.id)
        .order_by(Order.created_at.desc(), Order.id)
    )
    if subject_id is not None:
        of_subject = (Session.id == subject_id) | (Session.series_id == subject_id)
        statement = statement.where(of_subject)
    found, now = await uow.session.execute(statement), uow.clock.now()
    held = []
    for order, places, sessions, series in found:
        until_at = payable_until(order.hold_expires_at)
        if until_at is not None and now < until_at and order.link_version == versions[order.id]:
            path = booking_path(settings, tenant.slug, order)
            what = frozenset(one for one in (*sessions, *series) if one is not None)
            held.append(OwnHold(places=places, what=what, until_at=until_at, href=path))
    return held
