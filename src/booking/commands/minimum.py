"""A minimum group size: setting it, answering for it, and acting on it when its time comes."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update

from src.billing.commands.due import drop_due, move_due
from src.booking.commands.cancel import cancel_session
from src.booking.commands.changes import changed_meanwhile
from src.booking.commands.decision_due import count_waiting_for_link, plan_decision
from src.booking.commands.sessions import get_session
from src.booking.domain.kinds import SessionState
from src.booking.domain.minimum import (
    ASK_AHEAD,
    HOLDS_WAIT,
    Step,
    decide_at,
    minimum_errors,
    next_step,
)
from src.booking.events import MinimumMissed
from src.booking.models import Seat, Session
from src.booking.queries.being_cancelled import is_any_going
from src.booking.queries.on_offer import people_in, people_in_one, places_on_offer, with_offers
from src.booking.queries.standing import count_standing, unpaid_in
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, InvalidInput
from src.platform.i18n import _
from src.tenants.commands.audit import audit
from src.tenants.context import SYSTEM, RequestContext, TenantSnapshot


async def set_minimum(
    uow: UnitOfWork,
    ctx: RequestContext,
    session_id: UUID,
    *,
    min_seats: int | None,
    decide_hours: int,
) -> None:
    """Sets the number without which the session is called off, or, with None, takes it away.

    An earlier answer for it is forgotten. Raises: NotFound; Conflict for one that is cancelled or
    changed meanwhile; InvalidInput.
    """
    session = await get_session(uow, session_id)
    if session.state != SessionState.SCHEDULED:
        raise Conflict(_("This session is cancelled and stays as it was."), code="not_scheduled")
    if min_seats is not None:
        fields = minimum_errors(
            min_seats, decide_hours, session.capacity, session.starts_at, uow.clock.now()
        )
        if fields:
            raise InvalidInput(_("The minimum cannot be saved like this."), fields=fields)
    if min_seats is None:
        await drop_due(uow, session_id)
    else:
        await plan_decision(uow, session_id, session.starts_at, decide_hours)
    said = {"min_seats": min_seats, "title": session.title}
    await audit(uow, ctx, "session.minimum_set", "session", session_id, **said)
    await uow.settle()
    hours = None if min_seats is None else decide_hours
    await _write(
        uow,
        session,
        [Session.capacity >= (min_seats or 0)],
        min_seats=min_seats,
        decide_hours=hours,
        decided_at=None,
        decision_asked_at=None,
    )


async def let_it_take_place(uow: UnitOfWork, ctx: RequestContext, session_id: UUID) -> None:
    """Somebody says go: the session takes place, however few come. Twice changes nothing.

    Raises: NotFound; Conflict when it is being cancelled.
    """
    session = await get_session(uow, session_id)
    if session.min_seats is None or session.decided_at is not None:
        return
    await drop_due(uow, session_id)
    await audit(uow, ctx, "session.let_take_place", "session", session_id, title=session.title)
    await uow.settle()
    await _write(uow, session, decided_at=uow.clock.now())


async def weigh_session(
    uow: UnitOfWork, tenant: TenantSnapshot, session_id: UUID, *, undo_seconds: int
) -> Step:
    """Does what the session's minimum asks for now; running twice does it once.

    Raises: Conflict when somebody booked or answered in this very moment, to be tried again.
    """
    session = await uow.session.get(Session, (uow.tenant, session_id))
    if session is None or not _is_open(session, uow.clock.now()):
        await drop_due(uow, session_id)
        return Step.GO
    min_seats, hours = session.min_seats or 0, session.decide_hours or 0
    at, now = decide_at(session.starts_at, hours), uow.clock.now()
    people, on_offer, unpaid = await _people(uow, session_id)
    taken = await count_standing(uow, session_id)
    step = next_step(
        at=at,
        starts_at=session.starts_at,
        now=now,
        min_seats=min_seats,
        taken=taken,
        live=people - await count_waiting_for_link(uow, session_id),
        was_asked=session.decision_asked_at is not None,
    )
    if step is Step.CALL_OFF and await is_any_going(uow, [Seat.session_id == session_id]):
        step = Step.LOOK_AGAIN
    if step is Step.CALL_OFF:
        await drop_due(uow, session_id)
        ctx = RequestContext(actor=SYSTEM, tenant=tenant)
        await cancel_session(
            uow,
            ctx,
            session_id,
            reason=_("Too few people have booked this date."),
            undo_seconds=undo_seconds,
            gives_back=True,
            as_seen=[people_in_one() <= people, *_unanswered(session)],
        )
        return step
    if step is Step.GO:
        await drop_due(uow, session_id)
    elif step is Step.LOOK_AGAIN:
        await move_due(uow, session_id, now + HOLDS_WAIT)
    else:
        await move_due(uow, session_id, at if now >= at - ASK_AHEAD else at - ASK_AHEAD)
    await _check_unanswered(uow, session)
    if step is Step.ASK:
        uow.record(
            MinimumMissed(
                session_id=session_id, at=at, taken=taken, on_offer=on_offer, unpaid=unpaid
            )
        )
        await uow.settle()
        await _write(uow, session, decision_asked_at=now)
    return step


def _is_open(session: Session, now: datetime) -> bool:
    """Whether anything is still to be decided about it."""
    return (
        session.min_seats is not None
        and session.decided_at is None
        and session.state == SessionState.SCHEDULED
        and session.starts_at > now
    )


def _unanswered(session: Session) -> list[ColumnElement[bool]]:
    """What was weighed is still what is asked: nobody said go, or set another minimum."""
    return [
        Session.decided_at.is_(None),
        Session.min_seats == session.min_seats,
        Session.decide_hours == session.decide_hours,
    ]


async def _check_unanswered(uow: UnitOfWork, session: Session) -> None:
    """Asked once the clock's row is ours: whoever answers writes that row too, and is through.

    Raises: Conflict.
    """
    unanswered = await uow.session.scalar(
        select(Session.id).where(
            Session.tenant_id == uow.tenant, Session.id == session.id, *_unanswered(session)
        )
    )
    if unanswered is None:
        raise changed_meanwhile()


async def _people(uow: UnitOfWork, session_id: UUID) -> tuple[int, int, int]:
    """The session's live seats, held ones too, the places that are on offer besides, and how many
    of the former are held until they are paid.
    """
    found = await uow.session.execute(
        with_offers(select(people_in(), places_on_offer(), unpaid_in())).where(
            Session.tenant_id == uow.tenant, Session.id == session_id
        )
    )
    people, on_offer, unpaid = found.one()
    return people, on_offer, unpaid


async def _write(
    uow: UnitOfWork,
    session: Session,
    only_if: Sequence[ColumnElement[bool]] = (),
    **values: object,
) -> None:
    """The last statement, guarded: what is being cancelled stays as it is. Raises: Conflict."""
    written = await uow.session.execute(
        update(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.id == session.id,
            Session.state == str(SessionState.SCHEDULED),
            *only_if,
        )
        .values(**values)
        .returning(Session.id)
        .execution_options(synchronize_session=False)
    )
    if written.first() is None:
        raise changed_meanwhile()
