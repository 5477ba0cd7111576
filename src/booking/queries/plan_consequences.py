"""What losing or gaining a plan's feature means for what is offered and what is booked."""

from datetime import datetime

from sqlalchemy import ColumnElement, distinct, func, select

from src.booking.domain.kinds import SeatState, ServiceKind
from src.booking.models import Seat, Series, Service, Session
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.tenants.domain.downgrade import Consequence, Weight
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change

SHOWN = ("public", "unlisted")
_OFFERS = {Feature.GROUP_SERVICES, Feature.SERIES, Feature.APPOINTMENTS}


async def plan_consequences(uow: UnitOfWork, change: Change, now: datetime) -> list[Consequence]:
    """A downgrade probe: services and series hidden or shown again, bookings that still run."""
    lost, gained = set(change.lost), set(change.gained)
    found: list[Consequence] = []
    if Feature.GROUP_SERVICES in lost:
        found += _hidden_services(await _count_services(uow, ServiceKind.GROUP))
    elif Feature.SERIES in lost:
        found += _unsold_series(await _count_series(uow))
    if Feature.APPOINTMENTS in lost:
        found += _resting_appointments(await _offered_appointments(uow))
    if lost & _OFFERS:
        found.append(await _still_running(uow, now))
    if Feature.GROUP_SERVICES in gained:
        found += _shown_again(await _count_services(uow, ServiceKind.GROUP))
    if Feature.APPOINTMENTS in gained:
        found += _appointments_again(await _offered_appointments(uow))
    return found


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


def _resting_appointments(names: list[str]) -> list[Consequence]:
    if not names:
        return []
    text = ngettext(
        "Nothing new can be booked by appointment: %(names)s is hidden from guests.",
        "Nothing new can be booked by appointment: %(names)s are hidden from guests.",
        len(names),
        names=_listed(names),
    )
    return [Consequence(weight=Weight.LOSS, text=text)]


def _appointments_again(names: list[str]) -> list[Consequence]:
    if not names:
        return []
    text = _("Guests can book by appointment again: %(names)s.", names=_listed(names))
    return [Consequence(weight=Weight.NOTE, text=text)]


def _listed(names: list[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)


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


async def _count_services(uow: UnitOfWork, kind: ServiceKind) -> int:
    offered = select(func.count(Service.id)).where(*_is_offered(uow, kind))
    return await uow.session.scalar(offered) or 0


async def _offered_appointments(uow: UnitOfWork) -> list[str]:
    offered = select(Service.name).where(*_is_offered(uow, ServiceKind.APPOINTMENT))
    return list(await uow.session.scalars(offered.order_by(Service.name)))


def _is_offered(uow: UnitOfWork, kind: ServiceKind) -> list[ColumnElement[bool]]:
    return [
        Service.tenant_id == uow.tenant,
        Service.kind == str(kind),
        Service.active.is_(True),
        Service.visibility.in_(SHOWN),
    ]


async def _count_series(uow: UnitOfWork) -> int:
    offered = select(func.count(Series.id)).where(
        Series.tenant_id == uow.tenant, Series.active, Series.visibility.in_(SHOWN)
    )
    return await uow.session.scalar(offered) or 0
