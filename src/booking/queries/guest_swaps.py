"""The dates of other courses that a guest may come to instead, for the credit theirs would bring,
and which of all dates suit best.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import aliased

from src.billing.domain.credits import LotFacts
from src.billing.models import Order
from src.booking.commands.leave import OwnSeat
from src.booking.domain.make_up import BEST, DateFacts, best_first, what_suits
from src.booking.domain.reasons import Reason
from src.booking.guest_links import booking_path
from src.booking.make_up_words import why_proposed
from src.booking.models import Seat, Series, Service, Session
from src.booking.queries.by_credit import tags_of
from src.booking.queries.credit_offers import list_credit_offers
from src.booking.queries.found_offers import FoundOffer
from src.booking.queries.offers import SessionOffer
from src.booking.queries.swap_facts import (
    against_coming,
    against_giving_up,
    find_swapped,
    find_who_is_there,
)
from src.booking.views.guest import SwappedTo
from src.booking.views.leaving import MoveChoice
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot


class Swaps(NamedTuple):
    """What stands against swapping at all, the credit that would pay, and the dates it could be
    spent on.
    """

    against: list[Reason]
    lot: LotFacts | None
    offers: list[FoundOffer]


async def find_swaps(
    uow: UnitOfWork, tenant: TenantSnapshot, own: Sequence[OwnSeat], now: datetime
) -> Swaps:
    """For the places that somebody has on one date; a date where one of them sits is none."""
    swapped = (await find_swapped(uow, tenant, own))[:1]
    against = against_giving_up(tenant, swapped, now)
    lot = swapped[0].lot if swapped else None
    if against or lot is None:
        return Swaps(against, lot, [])
    offers = await list_credit_offers(uow, lot.scope, now)
    there = await find_who_is_there(uow, own, [offer.session.id for offer, *_rest in offers])
    fitting = [
        found
        for found in offers
        if found[0].session.id not in there
        and not against_coming(tenant, swapped, found[0], now, is_there=False)
    ]
    return Swaps([], lot, fitting)


def date_facts(offer: SessionOffer) -> DateFacts:
    session = offer.session
    return DateFacts(
        session_id=session.id,
        starts_at=session.starts_at,
        service_id=offer.service.id,
        performer_id=session.performer_id,
        tags=tags_of(offer.service, offer.series, session),
        left=session.capacity - session.seats_taken,
    )


def split_best(
    tenant: TenantSnapshot,
    old: SessionOffer | None,
    choices: Sequence[MoveChoice],
    offers: Mapping[UUID, SessionOffer],
) -> tuple[list[MoveChoice], list[MoveChoice]]:
    """The dates that suit best, each with why, and all the others in order of time. None is best
    where there are hardly more than a handful to look through.
    """
    if old is None or len(choices) <= BEST:
        return [], list(choices)
    was = date_facts(old)
    facts = {choice.session_id: date_facts(offers[UUID(choice.session_id)]) for choice in choices}
    ranked = best_first(was, list(facts.values()), tenant.zone)[:BEST]
    by_id = {choice.session_id: choice for choice in choices}
    best = []
    for one in ranked:
        suits = what_suits(was, one, tenant.zone)
        why = why_proposed(suits, one.starts_at, tenant.zone)
        best.append(msgspec.structs.replace(by_id[str(one.session_id)], why=why))
    names = {choice.session_id for choice in best}
    return best, [choice for choice in choices if choice.session_id not in names]


async def list_swapped_to(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, order_id: UUID
) -> list[SwappedTo]:
    """The places that took those of this order in other courses, each with its booking."""
    old, new = aliased(Seat), aliased(Seat)
    found = await uow.session.execute(
        select(Session.starts_at, Service.name, Series.title, Order)
        .select_from(old)
        .join(new, (new.tenant_id == old.tenant_id) & (new.replaces_id == old.id))
        .join(Session, (Session.tenant_id == new.tenant_id) & (Session.id == new.session_id))
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
        )
        .join(Order, (Order.tenant_id == new.tenant_id) & (Order.id == new.order_id))
        .where(old.tenant_id == uow.tenant, old.order_id == order_id, new.order_id != old.order_id)
        .order_by(Session.starts_at, Order.id)
    )
    by_order = {row[3].id: row for row in found}
    return [
        SwappedTo(
            starts_at=row[0],
            name=" · ".join(filter(None, (row[1], row[2]))),
            href=booking_path(settings, tenant.slug, row[3]),
        )
        for row in by_order.values()
    ]
