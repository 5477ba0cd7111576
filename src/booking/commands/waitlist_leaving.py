"""Lists that are left without anybody's asking: after a success elsewhere, or with their date."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import aliased

from src.booking.commands.claims import give_back_seats
from src.booking.commands.waitlist import lock_entry
from src.booking.commands.waking import dates_behind, wake_waitlists
from src.booking.domain.kinds import SessionState
from src.booking.domain.waiting import EntryState, OfferState
from src.booking.events import WaitlistClosed
from src.booking.models import Seat, Session, WaitlistEntry, WaitlistOffer
from src.booking.queries.waiting import STANDS, list_live_offers
from src.platform.db.uow import UnitOfWork


async def leave_overlapping(uow: UnitOfWork, order_id: UUID) -> None:
    """Who has a place by an offer leaves the other lists for dates at the same time.

    Their other offers end, and who waits behind them there is woken.
    """
    entries = [await lock_entry(uow, entry_id) for entry_id in await _overlapping(uow, order_id)]
    standing = [entry for entry in entries if entry.state in STANDS]
    freed = await _withdraw(uow, standing)
    for entry in standing:
        entry.state, entry.ended_at = str(EntryState.LEFT), uow.clock.now()
        entry.ended_by = "system"
    await _free(uow, freed, *await dates_behind(uow, standing))


async def close_lists(uow: UnitOfWork, session_id: UUID) -> None:
    """The session is called off: nobody waits for it any more, and they are told. So it is with the
    list of its series when no date of that is left.

    An offer of a series that goes on is withdrawn when it has the session among its dates, and its
    guest waits on. Who waits for such a series is looked at anew, for the date may have been the
    one that was full.
    """
    over = await _series_that_is_over(uow, session_id)
    closed = WaitlistEntry.session_id == session_id
    if over is not None:
        # Compared with nothing it would be the list of every other single date.
        closed |= WaitlistEntry.series_id == over
    touched = await uow.session.scalars(
        select(WaitlistEntry.id)
        .outerjoin(
            WaitlistOffer,
            (WaitlistOffer.tenant_id == WaitlistEntry.tenant_id)
            & (WaitlistOffer.entry_id == WaitlistEntry.id)
            & (WaitlistOffer.state == str(OfferState.LIVE)),
        )
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state.in_(STANDS),
            closed | WaitlistOffer.session_ids.contains([session_id]),
        )
        .order_by(WaitlistEntry.id)
    )
    entries = [await lock_entry(uow, entry_id) for entry_id in touched.all()]
    standing = [entry for entry in entries if entry.state in STANDS]
    freed = await _withdraw(uow, standing)
    for entry in standing:
        if entry.session_id == session_id or (over is not None and entry.series_id == over):
            entry.state, entry.ended_at = str(EntryState.CLOSED), uow.clock.now()
            entry.ended_by = "system"
            uow.record(WaitlistClosed(entry_id=entry.id))
        else:
            entry.state = str(EntryState.WAITING)
    await _free(uow, freed, session_id)


async def prolong_offers(uow: UnitOfWork, session_ids: Collection[UUID], by: timedelta) -> None:
    """The sessions were stopped for so long and are on sale again: nobody could take an offer then,
    so each lasts that much longer.
    """
    if session_ids:
        await _prolong(uow, WaitlistOffer.session_ids.overlap(sorted(session_ids)), by)


async def resume_waiting(uow: UnitOfWork, booking_id: UUID, by: timedelta) -> None:
    """As `prolong_offers`, for what the purchase was sold without: it was being cancelled for so
    long, and no more. Where it waits, it can be offered places again.
    """
    entries = WaitlistEntry.tenant_id == uow.tenant, WaitlistEntry.for_booking_id == booking_id
    theirs = select(WaitlistEntry.id).where(*entries)
    await _prolong(uow, WaitlistOffer.entry_id.in_(theirs), by)
    waited = await uow.session.scalars(
        select(WaitlistEntry.session_id).where(*entries, WaitlistEntry.state.in_(STANDS))
    )
    await wake_waitlists(uow, {one for one in waited if one is not None})


async def _prolong(uow: UnitOfWork, which: ColumnElement[bool], by: timedelta) -> None:
    live = (
        WaitlistOffer.tenant_id == uow.tenant,
        WaitlistOffer.state == str(OfferState.LIVE),
        which,
    )
    await uow.session.execute(
        select(WaitlistEntry.id)
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.id.in_(select(WaitlistOffer.entry_id).where(*live)),
        )
        .order_by(WaitlistEntry.id)
        .with_for_update(key_share=True)
    )
    await uow.session.execute(
        update(WaitlistOffer)
        .where(*live)
        .values(expires_at=WaitlistOffer.expires_at + by)
        .execution_options(synchronize_session=False)
    )


async def _series_that_is_over(uow: UnitOfWork, session_id: UUID) -> UUID | None:
    """The session's series when none of its dates is still to come, one that is being cancelled and
    may be brought back counted as to come.
    """
    other = aliased(Session)
    comes = exists().where(
        other.tenant_id == Session.tenant_id,
        other.series_id == Session.series_id,
        other.state.in_([str(SessionState.SCHEDULED), str(SessionState.CANCELLING)]),
        other.starts_at > uow.clock.now(),
    )
    found: UUID | None = await uow.session.scalar(
        select(Session.series_id).where(
            Session.tenant_id == uow.tenant, Session.id == session_id, ~comes
        )
    )
    return found


async def _withdraw(uow: UnitOfWork, entries: Sequence[WaitlistEntry]) -> Counter[UUID]:
    """Ends the locked entries' live offers; the places that this frees, by session."""
    freed = Counter[UUID]()
    for offer in await list_live_offers(uow, entries):
        freed.update(offer.held())
        offer.state, offer.ended_at = str(OfferState.WITHDRAWN), uow.clock.now()
    return freed


async def _free(uow: UnitOfWork, freed: Counter[UUID], *others: UUID) -> None:
    """Gives the places back, and wakes who waits for them or for one of the other sessions."""
    await uow.session.flush()
    await wake_waitlists(uow, {*freed, *others})
    await uow.settle()
    await give_back_seats(uow, freed)


async def _overlapping(uow: UnitOfWork, order_id: UUID) -> Sequence[UUID]:
    """By id, the other entries of who was offered what the order took, for sessions or series with
    a date during one of the order's.
    """
    taken, had, mine, other = (
        aliased(WaitlistOffer),
        aliased(WaitlistEntry),
        aliased(Session),
        aliased(Session),
    )
    found = await uow.session.scalars(
        select(WaitlistEntry.id)
        .join(
            had, (had.tenant_id == WaitlistEntry.tenant_id) & (had.address == WaitlistEntry.address)
        )
        .join(taken, (taken.tenant_id == had.tenant_id) & (taken.entry_id == had.id))
        .join(Seat, (Seat.tenant_id == taken.tenant_id) & (Seat.order_id == taken.order_id))
        .join(mine, (mine.tenant_id == Seat.tenant_id) & (mine.id == Seat.session_id))
        .join(
            other,
            (other.tenant_id == WaitlistEntry.tenant_id)
            & (
                (other.id == WaitlistEntry.session_id)
                | (other.series_id == WaitlistEntry.series_id)
            ),
        )
        .where(
            WaitlistEntry.tenant_id == uow.tenant,
            WaitlistEntry.state.in_(STANDS),
            WaitlistEntry.id != had.id,
            # Each is for a party of its own, whose booking it ends with.
            WaitlistEntry.for_booking_id.is_(None),
            taken.order_id == order_id,
            other.starts_at < mine.ends_at,
            other.ends_at > mine.starts_at,
        )
        .distinct()
        .order_by(WaitlistEntry.id)
    )
    return found.all()
