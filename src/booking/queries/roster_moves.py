"""Where guests of a session may be moved to, and what stands against it for each of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from src.billing.domain.credits import Scope
from src.booking.commands.exchange import MoveSeats, why_not_move
from src.booking.commands.swap import why_not_swap_for
from src.booking.domain.kinds import SessionState
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.models import Session
from src.booking.queries.credit_offers import list_credit_offers
from src.booking.queries.guest_leaving import list_own
from src.booking.queries.offers import SessionOffer, get_session_offer
from src.booking.queries.refund_policy_page import takes_swaps
from src.booking.queries.swap_facts import find_swapped
from src.booking.views.roster_actions import Chosen, MoveTarget
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot

MOST_TARGETS = 300


async def list_move_targets(
    uow: UnitOfWork, service_id: UUID, other_than: UUID
) -> list[MoveTarget]:
    """The service's dates to come that have room, but for one of them; the soonest first."""
    found = await uow.session.scalars(
        select(Session)
        .where(
            Session.tenant_id == uow.tenant,
            Session.service_id == service_id,
            Session.id != other_than,
            Session.state == str(SessionState.SCHEDULED),
            Session.starts_at > uow.clock.now(),
            Session.seats_taken < Session.capacity,
        )
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_TARGETS)
    )
    return [
        MoveTarget(
            session_id=one.id,
            sequence=one.sequence,
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            title=one.title,
            left=one.capacity - one.seats_taken,
        )
        for one in found
    ]


async def list_swap_targets(
    uow: UnitOfWork, tenant: TenantSnapshot, chosen: Sequence[Chosen], other_than: Sequence[UUID]
) -> list[MoveTarget]:
    """The dates of other courses that the credits of the chosen places could pay; the soonest
    first.
    """
    found: dict[UUID, MoveTarget] = {}
    looked: set[Scope] = set()
    for one in chosen:
        booked = await list_own(uow, one.order_id)
        own = [item.seat for item in booked if item.seat.seat.id in one.seat_ids][:1]
        for swapped in await find_swapped(uow, tenant, own):
            if swapped.lot is None or swapped.lot.scope in looked:
                continue
            looked.add(swapped.lot.scope)
            offers = await list_credit_offers(uow, swapped.lot.scope, uow.clock.now())
            found |= {
                offer.session.id: _swap_target(offer)
                for offer, *_rest in offers
                if offer.session.id not in other_than and takes_swaps(offer)
            }
    return sorted(found.values(), key=lambda target: (target.starts_at, target.session_id))


def _swap_target(offer: SessionOffer) -> MoveTarget:
    session, series = offer.session, offer.series
    title = "" if series is None else series.title
    return MoveTarget(
        session_id=session.id,
        sequence=session.sequence,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        left=session.capacity - session.seats_taken,
        name=" · ".join(filter(None, (offer.service.name, title))),
    )


async def list_against(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    chosen: Sequence[Chosen],
    target_id: UUID,
    *,
    is_swap: bool = False,
) -> dict[UUID, list[Reason]]:
    """What stands against moving each order's chosen seats there, of those that cannot be moved.

    When the room is not enough for all, the first ones have it. Raises: NotFound.
    """
    offer = await get_session_offer(uow, target_id)
    left = offer.session.capacity - offer.session.seats_taken
    against: dict[UUID, list[Reason]] = {}
    for one in chosen:
        booked = await list_own(uow, one.order_id)
        own = [item.seat for item in booked if item.seat.seat.id in one.seat_ids]
        if is_swap:
            cmd = MoveSeats(
                order_id=one.order_id, seat_ids=one.seat_ids, session_id=target_id, by="staff"
            )
            swapped = await find_swapped(uow, tenant, own)
            reasons = await why_not_swap_for(uow, tenant, swapped, offer, cmd)
        else:
            reasons = await why_not_move(uow, tenant, own, offer, by="staff")
        if not reasons and len(own) > left:
            reasons = [_others_have_it()]
        if reasons:
            against[one.order_id] = reasons
        else:
            left -= len(own)
    return against


def _others_have_it() -> Reason:
    said = _("Those before them in this list take the places that are left.")
    return Reason(ReasonCode.FULL, said, said, "")
