"""What losing or gaining a plan's feature means for what is offered and what is booked."""

from datetime import datetime

from sqlalchemy import distinct, func, select

from src.booking.domain.kinds import SeatState
from src.booking.models import Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change

SHOWN = ("public", "unlisted")


async def plan_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: services and series hidden or shown again, bookings that still run."""
    if Feature.GROUP_SERVICES in change.lost:
        return [
            *_hidden_services(await _count_services(uow)),
            await _still_running(uow, now),
        ]
    if Feature.SERIES in change.lost:
        return [*_unsold_series(await _count_series(uow)), await _still_running(uow, now)]
    if Feature.GROUP_SERVICES in change.gained:
        return _shown_again(await _count_services(uow))
    return []


def _hidden_services(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext(
        "%(num)s group service is hidden from guests: no new sales, no new sessions.",
        "%(num)s group services are hidden from guests: no new sales, no new sessions.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]


def _unsold_series(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext(
        "%(num)s series is no longer sold.",
        "%(num)s series are no longer sold.",
        count,
    )
    return [Consequence(weight=Weight.LOSS, text=text)]


def _shown_again(count: int) -> list[Consequence]:
    if not count:
        return []
    text = ngettext(
        "%(num)s group service is shown to guests again, as it was.",
        "%(num)s group services are shown to guests again, as they were.",
        count,
    )
    return [Consequence(weight=Weight.NOTE, text=text)]


async def _still_running(uow: UnitOfWork, now: datetime) -> Consequence:
    """Nobody who has booked loses anything; counted are bookings with a seat still to come."""
    ahead = (
        select(func.count(distinct(Seat.booking_id)))
        .join_from(Seat, Session, Session.id == Seat.session_id)
        .where(
            Seat.tenant_id == uow.tenant,
            Session.tenant_id == uow.tenant,
            Seat.state == SeatState.CONFIRMED.value,
            Session.ends_at > now,
        )
    )
    count = await uow.session.scalar(ahead) or 0
    text = ngettext(
        "No guest loses anything: %(num)s booking still runs to its end.",
        "No guest loses anything: %(num)s bookings still run to their end.",
        count,
    )
    none = _("No guest loses anything: nothing that is booked lies ahead.")
    return Consequence(weight=Weight.KEEPS, text=text if count else none)


async def _count_services(uow: UnitOfWork) -> int:
    offered = select(func.count(Service.id)).where(
        Service.tenant_id == uow.tenant,
        Service.kind == "group",
        Service.active,
        Service.visibility.in_(SHOWN),
    )
    return await uow.session.scalar(offered) or 0


async def _count_series(uow: UnitOfWork) -> int:
    offered = select(func.count(Series.id)).where(
        Series.tenant_id == uow.tenant, Series.active, Series.visibility.in_(SHOWN)
    )
    return await uow.session.scalar(offered) or 0
