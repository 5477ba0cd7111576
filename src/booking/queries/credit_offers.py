"""The dates that credits could be spent on as single dates."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, true
from sqlalchemy.dialects.postgresql import array

from src.billing.domain.credits import Scope
from src.booking.domain.kinds import SessionState, Visibility
from src.booking.models import Series, Service, Session
from src.booking.queries.found_offers import FoundOffer, read_offers
from src.platform.db.uow import UnitOfWork


async def list_credit_offers(
    uow: UnitOfWork, scope: Scope, now: datetime, *, besides: Collection[UUID] = ()
) -> list[FoundOffer]:
    """Dates to come with room that the scope is good for, of services that guests can find, with
    the sessions `besides`. Whether each takes credits, and from when on, its rules say.
    """
    on_offer = (
        (Session.starts_at >= now)
        & (Session.state == str(SessionState.SCHEDULED))
        & (Session.seats_taken < Session.capacity)
        & ~Session.is_slot
        & Service.active
        & (Service.visibility != str(Visibility.HIDDEN))
        & is_good_for(scope)
    )
    return await read_offers(uow, on_offer | Session.id.in_(besides))


def is_good_for(scope: Scope) -> ColumnElement[bool]:
    """`Scope.fits` of a statement's session, service and series."""
    if scope.any_service:
        return true()
    ways: list[ColumnElement[bool]] = [false()]
    if scope.service_ids:
        ways.append(Session.service_id.in_(scope.service_ids))
    if scope.tags:
        words = array(sorted(scope.tags))
        ways += [thing.tags.op("?|")(words) for thing in (Session, Service)]
        ways.append(Series.tags.op("?|")(words))
    return or_(*ways)
