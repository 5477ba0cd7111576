"""Which dates an act on one date reaches when it is said to be more than that one."""

from collections.abc import Collection, Sequence
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Time, and_, cast, extract, func, or_, select

from src.booking.domain.kinds import DateScope, SessionState
from src.booking.models import Session
from src.booking.queries.cancellations import is_cancellable
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput, NotFound
from src.platform.i18n import _
from src.platform.localtime import to_local

MOST_REACHED = 500
"""So many dates are changed or chosen in one act, and no more."""


async def list_reached(
    uow: UnitOfWork,
    first: Session,
    scope: DateScope,
    zone: ZoneInfo,
    chosen: Collection[UUID] = (),
) -> Sequence[Session]:
    """Those in order of time that are scheduled and have not begun: what has been is history.

    Following and all are those of the first one's series or, outside of any, those of its service
    on the same weekday and time of the zone's clock. `chosen` are the ids that the last scope says,
    of which those deleted meanwhile are passed over.
    Raises: NotFound when none of the chosen is there; InvalidInput for more than `MOST_REACHED`.
    """
    if chosen:
        await _check_any_there(uow, chosen)
    found = await uow.session.scalars(
        select(Session)
        .where(*_reached(uow, first, scope, zone, chosen))
        .order_by(*_IN_ORDER)
        .limit(MOST_REACHED + 1)
    )
    reached = found.all()
    if len(reached) > MOST_REACHED:
        sentence = _(
            "These are more than %(most)s dates, which is the most for one change. Tick those that"
            " are meant in the list of sessions.",
            most=MOST_REACHED,
        )
        raise InvalidInput(sentence, fields={"scope": sentence})
    return reached


async def list_following(uow: UnitOfWork, first: Session, zone: ZoneInfo) -> list[UUID]:
    """The first one while it can be cancelled, begun or not, and those after it, in order, at most
    `MOST_REACHED` of them.
    """
    itself = and_(
        Session.tenant_id == uow.tenant,
        Session.id == first.id,
        *is_cancellable(uow.clock.now()),
    )
    found = await uow.session.scalars(
        select(Session.id)
        .where(or_(itself, and_(*_reached(uow, first, DateScope.FOLLOWING, zone))))
        .order_by(*_IN_ORDER)
        .limit(MOST_REACHED)
    )
    return list(found)


async def count_others(uow: UnitOfWork, first: Session, scope: DateScope, zone: ZoneInfo) -> int:
    """How many an act on the first one reaches beside it."""
    found = await uow.session.scalar(
        select(func.count()).where(*_reached(uow, first, scope, zone), Session.id != first.id)
    )
    return found or 0


_IN_ORDER = (Session.starts_at, Session.id)


def _reached(
    uow: UnitOfWork,
    first: Session,
    scope: DateScope,
    zone: ZoneInfo,
    chosen: Collection[UUID] = (),
) -> list[ColumnElement[bool]]:
    which = [
        Session.tenant_id == uow.tenant,
        Session.state == str(SessionState.SCHEDULED),
        Session.starts_at > uow.clock.now(),
    ]
    if scope is DateScope.THIS:
        return [*which, Session.id == first.id]
    which.append(~Session.is_slot)
    if scope is DateScope.CHOSEN:
        return [*which, Session.id.in_(chosen)]
    which.append(Session.service_id == first.service_id)
    if scope is DateScope.FOLLOWING:
        which.append(Session.starts_at >= first.starts_at)
    if first.series_id is not None:
        return [*which, Session.series_id == first.series_id]
    return [*which, Session.series_id.is_(None), *_same_rhythm(first, zone)]


async def _check_any_there(uow: UnitOfWork, chosen: Collection[UUID]) -> None:
    there = await uow.session.scalar(
        select(Session.id).where(Session.tenant_id == uow.tenant, Session.id.in_(chosen)).limit(1)
    )
    if there is None:
        raise NotFound(_("There is no such session."))


def _same_rhythm(first: Session, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    """The same weekday and time of day on the zone's clock."""
    local, theirs = to_local(first.starts_at, zone), func.timezone(zone.key, Session.starts_at)
    return [
        extract("isodow", theirs) == local.isoweekday(),
        cast(theirs, Time) == local.time(),
    ]
