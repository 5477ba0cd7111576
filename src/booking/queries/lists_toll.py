"""Who waits for dates that would be called off, or given another time."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from src.booking.domain.kinds import SessionState
from src.booking.domain.waiting import OfferState
from src.booking.models import Service, Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.waiting import STANDS, terms_of
from src.booking.views.cancellations import ListsToll, Waiters
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def lists_toll(uow: UnitOfWork, session_ids: Collection[UUID]) -> ListsToll:
    """What calling these sessions off would do; the list of their series ends when no other date of
    it is still to come.
    """
    if not session_ids:
        return ListsToll()
    over = await _series_without(uow, session_ids)
    closed = await uow.session.scalar(
        select(func.count()).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state.in_(STANDS),
            WaitlistEntry.session_id.in_(session_ids) | WaitlistEntry.series_id.in_(over),
        )
    )
    found = await uow.session.execute(
        select(WaitlistOffer.session_ids, WaitlistOffer.places, WaitlistOffer.holds).where(
            WaitlistOffer.tenant_id == uow.tenant,
            WaitlistOffer.state == str(OfferState.LIVE),
            WaitlistOffer.session_ids.overlap(list(session_ids)),
        )
    )
    offers, gone = found.all(), set(session_ids)
    return ListsToll(
        closed=closed or 0,
        offers=len(offers),
        places=sum(one.places * len(gone & set(one.session_ids)) for one in offers if one.holds),
    )


async def list_offerable(uow: UnitOfWork, session_ids: Collection[UUID]) -> Sequence[Session]:
    """Those of the sessions whose free places somebody who waits could still be offered."""
    found = await uow.session.scalars(
        select(Session).where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
        )
    )
    return found.all()


async def waiters_of(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    *,
    moved: Collection[Session],
    grown: Collection[Session],
) -> Waiters:
    """Who would be told that sessions have another time, or be offered places of those that have
    more, where their service's list is open.
    """
    services = await uow.session.scalars(
        select(Service).where(
            Service.tenant_id == uow.tenant, Service.id.in_({one.service_id for one in grown})
        )
    )
    served = {service.id for service in services if terms_of(tenant, service).is_on}
    return Waiters(
        told=await _count_waiting(uow, moved),
        served=await _count_waiting(uow, [one for one in grown if one.service_id in served]),
    )


async def _count_waiting(uow: UnitOfWork, sessions: Collection[Session]) -> int:
    if not sessions:
        return 0
    of_series = {one.series_id for one in sessions} - {None}
    told: ColumnElement[bool] = WaitlistEntry.session_id.in_({one.id for one in sessions})
    if of_series:
        told |= WaitlistEntry.series_id.in_(of_series)
    found = await uow.session.scalar(
        select(func.count()).where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state.in_(STANDS),
            told,
        )
    )
    return found or 0


async def _series_without(uow: UnitOfWork, session_ids: Collection[UUID]) -> list[UUID]:
    """The sessions' series of which no other date is to come; one that is being cancelled and may
    be brought back is counted as to come.
    """
    of_series = select(Session.series_id).where(
        Session.tenant_id == uow.tenant,
        Session.id.in_(session_ids),
        Session.series_id.is_not(None),
    )
    comes = (
        Session.state.in_([str(SessionState.SCHEDULED), str(SessionState.CANCELLING)])
        & (Session.starts_at > uow.clock.now())
        & Session.id.not_in(session_ids)
    )
    found = await uow.session.scalars(
        select(Session.series_id)
        .where(Session.tenant_id == uow.tenant, Session.series_id.in_(of_series))
        .group_by(Session.series_id)
        .having(func.count().filter(comes) == 0)
    )
    return [series_id for series_id in found if series_id is not None]
