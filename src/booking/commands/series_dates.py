"""The dates of a series: how they are looked at, locked, and join and leave it.

Guests claim seats of them, so they are locked last and by id.
"""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select, update

from src.booking.domain.drop_in import DropInRules
from src.booking.domain.kinds import SessionState
from src.booking.domain.states import LIVE_SEATS, sources_of
from src.booking.models import Booking, Seat, Session
from src.booking.queries.being_cancelled import has_no_marked_seat
from src.booking.queries.drop_in import drop_in_columns
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _


async def dates_in_term(uow: UnitOfWork, series_id: UUID) -> dict[UUID, bool]:
    """The series' sessions, each with whether it belongs to the published term."""
    found = await uow.session.execute(
        select(Session.id, Session.in_term).where(
            Session.tenant_id == uow.tenant, Session.series_id == series_id
        )
    )
    return {row.id: row.in_term for row in found}


async def lock_dates(uow: UnitOfWork, session_ids: Collection[UUID]) -> None:
    """Waits for everybody who is claiming seats of these sessions, in the order all claims take.

    A statement of its own: what comes after sees the seats of those it has waited for.
    """
    if session_ids:
        await uow.session.execute(
            select(Session.id)
            .where(
                Session.tenant_id == uow.tenant,
                Session.id == any_(bindparam(None, list(session_ids), type_=ARRAY(Uuid()))),
            )
            .order_by(Session.id)
            .with_for_update(key_share=True)
        )


async def stop_sale(uow: UnitOfWork, session_ids: Collection[UUID]) -> bool:
    """Has all these dates being cancelled from now on, locked by id as whoever claims seats of them
    does; False when one of them was not on sale any more, or places of it are being cancelled, and
    nothing may be committed.
    """
    await lock_dates(uow, session_ids)
    stopped = await uow.session.scalars(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(session_ids),
            Session.state.in_(sources_of(SessionState.CANCELLING)),
            has_no_marked_seat(),
        )
        .values(state=str(SessionState.CANCELLING))
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    return set(stopped) == set(session_ids)


async def attach(
    uow: UnitOfWork, series_id: UUID, service_id: UUID, session_ids: set[UUID], *, in_term: bool
) -> None:
    """Only upcoming sessions of the same service that are in no other series.

    One guarded update, so that a session which another series took meanwhile is noticed.
    """
    if not session_ids:
        return
    attached = await uow.session.scalars(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id.in_(sorted(session_ids)),
            Session.service_id == service_id,
            Session.series_id.is_(None),
            ~Session.is_slot,
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
        )
        .values(series_id=series_id, in_term=in_term)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    if set(attached) != session_ids:
        sentence = _("Some of these sessions have started, are cancelled or in another series.")
        raise InvalidInput(sentence, fields={"session_ids": sentence})


async def detach(uow: UnitOfWork, series_id: UUID, session_ids: set[UUID]) -> None:
    """A locked session with buyers of the series stays: they have paid for it. What goes loses its
    own rules for being sold alone, which were about this series.
    """
    if not session_ids:
        return
    sold = await uow.session.scalar(
        select(func.count())
        .select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id.in_(session_ids),
            Booking.series_id == series_id,
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
        )
    )
    if sold:
        sentence = _("A date that was sold with the series cannot be taken out; cancel it instead.")
        raise InvalidInput(sentence, fields={"session_ids": sentence})
    await uow.session.execute(
        update(Session)
        .where(Session.tenant_id == uow.tenant, Session.id.in_(sorted(session_ids)))
        .values(series_id=None, in_term=True, **drop_in_columns(DropInRules()))
        .execution_options(synchronize_session=False)
    )


async def leave_out_of_term(uow: UnitOfWork, series_id: UUID, base: int) -> None:
    """Dates cancelled before the term began never counted, so taking one out moves no price.

    Raises: Conflict when by now the term has not the `base` dates that were counted.
    """
    await lock_dates(uow, set(await dates_in_term(uow, series_id)))
    await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id == series_id,
            Session.state == str(SessionState.CANCELLED),
        )
        .values(in_term=False)
        .execution_options(synchronize_session=False)
    )
    if await sessions_that_take_place(uow, series_id) != base:
        raise Conflict(
            _("A date of the series has just changed. Please publish it again."),
            code="series_changed",
        )


async def sessions_that_take_place(uow: UnitOfWork, series_id: UUID) -> int:
    count = await uow.session.scalar(
        select(func.count())
        .select_from(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.series_id == series_id,
            Session.state == str(SessionState.SCHEDULED),
        )
    )
    return count or 0
