"""The dates that a guest may come to instead of one they have booked, and what that would mean."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from src.billing.domain.credits import LotFacts
from src.billing.models import Order
from src.booking.commands.exchange import target_facts, why_not_give_up
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.domain.drop_in import PayWay
from src.booking.domain.exchange import may_bring_a_credit, why_not_take
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.leaving import (
    LeavingTerms,
    capped,
    most_percent_after,
    terms_from,
)
from src.booking.domain.reasons import Reason, ReasonCode, guest_sentence
from src.booking.domain.refund_policy import Gives
from src.booking.domain.seats_told import seats_told
from src.booking.domain.states import LIVE_SEATS
from src.booking.guest_links import booking_path
from src.booking.leaving_words import dates_in_words
from src.booking.models import Session
from src.booking.paying import paying_of
from src.booking.queries.by_credit import find_lot_that_paid, why_credits_stay
from src.booking.queries.found_offers import FoundOffer, list_offers
from src.booking.queries.guest_leaving import Own, list_own, name_of
from src.booking.queries.guest_swaps import Swaps, find_swaps, split_best
from src.booking.queries.movers import list_movers
from src.booking.queries.offers import SessionOffer
from src.booking.queries.sold_terms import find_sold_terms
from src.booking.views.leaving import MoveChoice, MovePage
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.platform.web.formats import date_long
from src.tenants.context import TenantSnapshot

MOST_CHOICES = 60


class Judged(NamedTuple):
    """The dates that can be come to, and what stands against most of the other ones with room,
    None where there is none.
    """

    choices: list[MoveChoice]
    against: Reason | None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which date is to be exchanged, and for which, None while the guest is choosing."""

    order_id: UUID
    session_id: UUID
    to: UUID | None = None


async def get_move_page(
    uow: UnitOfWork, tenant: TenantSnapshot, settings: Settings, asked: Asked
) -> MovePage:
    """Raises: NotFound for a date that the booking does not have."""
    now = uow.clock.now()
    order = await uow.session.get(Order, (uow.tenant, asked.order_id))
    found = await list_own(uow, asked.order_id)
    ours = [one for one in found if one.seat.session.id == asked.session_id]
    if order is None or not ours:
        raise NotFound(_("There is no such date in this booking."))
    own = [one for one in ours if one.seat.seat.state == SeatState.CONFIRMED]
    first = (own or ours)[0].seat
    path = booking_path(settings, tenant.slug, order)
    action = f"{path}/move?date={asked.session_id}"
    held = [one.seat for one in own or ours]
    reasons = why_not_give_up(tenant, held, now)
    offers = await list_offers(uow, first.booking.service_id, [asked.session_id], now)
    judged = Judged([], None)
    if not reasons:
        lot = await find_lot_that_paid(uow, [one.seat.seat for one in own])
        judged = judge_choices(tenant, found, own, offers, action, now, lot)
    swaps = await find_swaps(uow, tenant, held, now)
    every = _with_swaps(tenant, judged.choices, swaps, action)
    chosen = next((one for one in every if one.session_id == str(asked.to)), None)
    known = {offer.session.id: offer for offer, *_rest in [*offers, *swaps.offers]}
    best, choices = split_best(tenant, known.get(asked.session_id), every, known)
    there = _people_of(found).get(asked.to, set())
    moving = [one for one in own if one.seat.seat.participant_id not in there]
    return MovePage(
        name=await name_of(uow, first.booking),
        reference=order.reference,
        guest_email=order.guest_email,
        starts_at=first.session.starts_at,
        ends_at=first.session.ends_at,
        is_online=first.session.mode == SessionMode.ONLINE,
        people=await list_movers(uow, moving),
        there=[one.who for one in own if one.seat.seat.participant_id in there],
        is_party=first.booking.party_size > 1,
        best=best,
        choices=choices[:MOST_CHOICES],
        chosen=chosen,
        credit="" if chosen is None else await _credit(uow, tenant, swaps, chosen, known, now),
        terms=[]
        if chosen is None
        else await _terms(uow, first, order, chosen, known, tenant, now, len(moving)),
        why_not=_why_not(reasons, swaps.against, first),
        why_no_choice="" if every else _why_no_choice(judged.against),
        action=action if chosen is None else chosen.href,
        leave_href=f"{path}/leave?date={asked.session_id}",
        path=path,
        zone=tenant.zone,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


def _why_no_choice(against: Reason | None) -> str:
    """Of the others together: the reason was found for each of them alone."""
    if against is None:
        return ""
    if against.code is ReasonCode.COSTS_MORE:
        return _("The other dates cost more than yours, and an exchange moves no money.")
    return against.guest_sentence


def _with_swaps(
    tenant: TenantSnapshot, moves: Sequence[MoveChoice], swaps: Swaps, action: str
) -> list[MoveChoice]:
    """In order of time; a date that can be had without a credit is had so."""
    known = {choice.session_id for choice in moves}
    more = [
        msgspec.structs.replace(
            _choice(tenant, offer, place, performer, action), name=_name(offer), is_swap=True
        )
        for offer, place, performer in swaps.offers
        if str(offer.session.id) not in known
    ]
    return sorted([*moves, *more], key=lambda choice: (choice.starts_at, choice.session_id))


def _name(offer: SessionOffer) -> str:
    title = "" if offer.series is None else offer.series.title
    return " · ".join(filter(None, (offer.service.name, title)))


def _why_not(moving: Sequence[Reason], swapping: Sequence[Reason], first: OwnSeat) -> str:
    """Against both; where the terms know of credits, it is swapping that is spoken of."""
    if not moving or not swapping:
        return ""
    knows_credits = terms_from(first.booking.leaving).gives in (Gives.PACKAGE, Gives.CREDIT)
    return guest_sentence(swapping if knows_credits else moving)


async def _credit(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    swaps: Swaps,
    chosen: MoveChoice,
    offers: Mapping[UUID, SessionOffer],
    now: datetime,
) -> str:
    """What pays a swap, and when it ends where the new date's terms may still give it back."""
    lot = swaps.lot
    if not chosen.is_swap or lot is None or lot.expires_at is None:
        return ""
    terms = await _terms_of_swap(uow, tenant, chosen, offers)
    if not may_bring_a_credit(terms, chosen.starts_at, tenant.zone, now):
        return _("A credit for “%(name)s” pays it.", name=lot.name)
    until = date_long(lot.expires_at, tenant.zone)
    return _(
        "A credit for “%(name)s” pays it. If you give the new place back in time, that credit is"
        " yours, valid until %(until)s.",
        name=lot.name,
        until=until,
    )


async def _terms(
    uow: UnitOfWork,
    first: OwnSeat,
    order: Order,
    chosen: MoveChoice,
    offers: Mapping[UUID, SessionOffer],
    tenant: TenantSnapshot,
    now: datetime,
    seats: int,
) -> list[str]:
    terms, paying = terms_from(first.booking.leaving), paying_of(order)
    if chosen.is_swap:
        terms, paying = await _terms_of_swap(uow, tenant, chosen, offers), PayWay.CREDIT
    else:
        terms = capped(terms, most_percent_after(facts_of_leaving(first, tenant), now))
    return dates_in_words(terms, paying, chosen.starts_at, tenant.zone, now, seats=seats)


async def _terms_of_swap(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    chosen: MoveChoice,
    offers: Mapping[UUID, SessionOffer],
) -> LeavingTerms:
    offer = offers[UUID(chosen.session_id)]
    sold = await find_sold_terms(uow, tenant, offer.service, offer.series)
    return sold.for_way(PayWay.CREDIT)


def _people_of(booked: Sequence[Own]) -> dict[UUID | None, set[UUID]]:
    """Who has a place of this booking on which date."""
    people: dict[UUID | None, set[UUID]] = {}
    for item in booked:
        if SeatState(item.seat.seat.state) in LIVE_SEATS:
            people.setdefault(item.seat.session.id, set()).add(item.seat.seat.participant_id)
    return people


def judge_choices(
    tenant: TenantSnapshot,
    booked: Sequence[Own],
    own: Sequence[Own],
    offers: Sequence[FoundOffer],
    action: str,
    now: datetime,
    lot: LotFacts | None,
) -> Judged:
    """Of the `offers`, the dates with room for at least one of those who are on one date, where not
    all of them are already; `booked` is all that they have, and `lot` what paid it.
    """
    one, own_id = [own[0].seat], own[0].seat.session.id
    people, there = {item.seat.seat.participant_id for item in own}, _people_of(booked)
    sources = [offer for offer, *_rest in offers if offer.session.id == own_id]
    choices: list[MoveChoice] = []
    against: Counter[Reason] = Counter()
    for offer, place, performer in offers:
        if offer.session.id != own_id and not _has_room(offer.session):
            continue
        if people <= there.get(offer.session.id, set()):
            continue
        reasons = why_not_take(target_facts(tenant, one, offer, sources, now), now)
        reasons += why_credits_stay(offer, lot, 1, now)
        if reasons:
            against[reasons[0]] += 1
        else:
            choices.append(_choice(tenant, offer, place, performer, action))
    return Judged(choices, against.most_common(1)[0][0] if against else None)


def _has_room(session: Session) -> bool:
    is_on = session.state == SessionState.SCHEDULED
    return is_on and session.seats_taken < session.capacity


def _choice(
    tenant: TenantSnapshot, offer: SessionOffer, place: str, performer: str, action: str
) -> MoveChoice:
    session = offer.session
    left = session.capacity - session.seats_taken
    return MoveChoice(
        session_id=str(session.id),
        sequence=session.sequence,
        href=f"{action}&to={session.id}",
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        is_online=session.mode == SessionMode.ONLINE,
        place=place,
        performer=performer,
        left=left,
        seats=seats_told(left, session.capacity, tenant.seats_told_up_to),
    )
