"""The dates of a booking for which there is no other one to choose."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from src.booking.commands.exchange import why_not_give_up
from src.booking.commands.leave import OwnSeat, facts_of_leaving, is_still_coming
from src.booking.queries.by_credit import find_lot_that_paid
from src.booking.queries.credit_offers import list_credit_offers
from src.booking.queries.found_offers import FoundOffer, list_offers
from src.booking.queries.guest_leaving import Own, list_own
from src.booking.queries.guest_moving import judge_choices
from src.booking.queries.swap_facts import (
    Swapped,
    against_coming,
    against_giving_up,
    find_swapped,
    find_who_is_there,
)
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


async def find_dead_ends(
    uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID
) -> frozenset[UUID]:
    """The dates to come, no appointments, that neither an exchange nor a swap has another one for,
    as `get_move_page` would find. A date that may not be given up at all is none: its page says
    why. The number of statements does not grow with the dates of people who come together.
    """
    found, dates = await list_own(uow, order_id), dict[UUID, list[Own]]()
    for one in found:
        if not one.seat.session.is_slot and is_still_coming(one.seat, uow.clock.now()):
            dates.setdefault(one.seat.session.id, []).append(one)
    moved = await _to_move_to(uow, tenant, found, dates)
    rest = {key: own for key, own in dates.items() if key not in moved}
    return frozenset(rest) - await _to_swap(uow, tenant, rest)


async def _to_move_to(
    uow: UnitOfWork, tenant: TenantSnapshot, found: Sequence[Own], dates: Mapping[UUID, list[Own]]
) -> set[UUID]:
    """The dates that can be exchanged within the service, or not be given up."""
    if not dates:
        return set()
    now, seats = uow.clock.now(), [one.seat.seat for own in dates.values() for one in own]
    offers = await list_offers(uow, found[0].seat.booking.service_id, list(dates), now)
    lot = await find_lot_that_paid(uow, seats)
    return {
        key
        for key, own in dates.items()
        if why_not_give_up(tenant, [one.seat for one in own], now)
        or judge_choices(tenant, found, own, offers, "", now, lot).choices
    }


async def _to_swap(
    uow: UnitOfWork, tenant: TenantSnapshot, dates: Mapping[UUID, list[Own]]
) -> set[UUID]:
    """The dates whose credit another date can be had for, or may be: of money that has gone back in
    part nobody can say for all dates at once whose credits it still pays.
    """
    now, able, unsure = uow.clock.now(), dict[UUID, Swapped](), set[UUID]()
    firsts = [own[0].seat for own in dates.values() if _brings_a_credit(own[0].seat, tenant)]
    for one in await find_swapped(uow, tenant, firsts):
        if one.lot is None:
            unsure.add(one.own.session.id)
        elif not against_giving_up(tenant, [one], now):
            able[one.own.session.id] = one
    if not able:
        return unsure
    offers: list[FoundOffer] = []
    for scope in dict.fromkeys(one.lot.scope for one in able.values() if one.lot is not None):
        offers += await list_credit_offers(uow, scope, now)
    ids = [offer.session.id for offer, *_rest in offers]
    there: dict[frozenset[UUID], set[UUID]] = {}
    for key in able:
        people = _people(dates[key])
        if people not in there:
            own = [one.seat for one in dates[key]]
            there[people] = await find_who_is_there(uow, own, ids)
    return unsure | {
        key
        for key, one in able.items()
        if any(
            offer.session.id not in there[_people(dates[key])]
            and not against_coming(tenant, [one], offer, now, is_there=False)
            for offer, *_rest in offers
        )
    }


def _brings_a_credit(own: OwnSeat, tenant: TenantSnapshot) -> bool:
    package = facts_of_leaving(own, tenant).terms.package
    return own.seat.credit_lot_id is not None or package is not None


def _people(own: Sequence[Own]) -> frozenset[UUID]:
    return frozenset(one.seat.seat.participant_id for one in own)
