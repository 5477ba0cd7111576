"""An appointment's time before anybody has taken it."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from src.booking.domain.appointment_terms import (
    SlotWish,
    appointment_terms_from,
    price_of_length,
)
from src.booking.domain.kinds import (
    SeriesPriceType,
    ServiceKind,
    SessionMode,
    SessionState,
    Visibility,
)
from src.booking.models import Service, Session
from src.booking.queries.free_times import Wanted, who_is_free
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.tenants.context import TenantSnapshot
from src.tenants.domain.entitlements import Feature


async def find_appointment_service(uow: UnitOfWork, slug: str) -> Service | None:
    """The service of that address if it is given by appointment."""
    found = await uow.session.scalars(
        select(Service).where(
            Service.tenant_id == uow.tenant,
            Service.slug == slug,
            Service.kind == str(ServiceKind.APPOINTMENT),
        )
    )
    return found.one_or_none()


def is_shown(tenant: TenantSnapshot, service: Service) -> bool:
    """Whether guests see the page of this service, which is given by appointment."""
    has_them = tenant.entitlements.has(Feature.APPOINTMENTS)
    return has_them and service.visibility != Visibility.HIDDEN


def price_of(service: Service, minutes: int) -> int | None:
    """What an appointment of that length costs; None for a length that is not offered."""
    price_minor = price_of_length(
        appointment_terms_from(service.appointment),
        service.duration_minutes,
        service.price_minor,
        minutes,
    )
    is_free = service.price_type == SeriesPriceType.FREE
    return 0 if is_free and price_minor is not None else price_minor


async def who_has_time(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    service: Service,
    wish: SlotWish,
    *,
    by_staff: bool = False,
    except_session: UUID | None = None,
) -> list[UUID]:
    """`who_is_free` for the wished time."""
    on = to_local(wish.starts_at, tenant.zone).date()
    wanted = Wanted(wish.minutes, on, on, wish.performer_id, except_session)
    now = uow.clock.now()
    return await who_is_free(uow, tenant, service, wish.starts_at, wanted, now, by_staff=by_staff)


def slot_session(
    service: Service, wish: SlotWish, capacity: int, price_minor: int, now: datetime
) -> Session:
    """The session that the wished time would become, not stored yet, and nobody's."""
    terms = appointment_terms_from(service.appointment)
    return Session(
        tenant_id=service.tenant_id,
        id=new_id(),
        service_id=service.id,
        starts_at=wish.starts_at,
        ends_at=wish.starts_at + timedelta(minutes=wish.minutes),
        title="",
        capacity=capacity,
        seats_taken=0,
        mode=service.mode,
        location_id=service.default_location_id,
        meeting_url=terms.meeting_url if service.mode == SessionMode.ONLINE else "",
        state=str(SessionState.SCHEDULED),
        sequence=0,
        moved_sequence=0,
        drop_in_price_minor=price_minor,
        tags=[],
        is_slot=True,
        before_minutes=terms.before_minutes,
        after_minutes=terms.after_minutes,
        created_at=now,
    )
