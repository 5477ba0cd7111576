"""The dates that a guest may come to instead of one they have booked, and what that would mean."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select

from src.billing.models import Order
from src.booking.commands.exchange import target_facts, why_not_give_up
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.domain.exchange import why_not_take
from src.booking.domain.kinds import SeatState, SessionMode, SessionState
from src.booking.domain.leaving import capped, most_percent_after, terms_from
from src.booking.domain.moves import place_line
from src.booking.domain.reasons import Reason, guest_sentence
from src.booking.domain.seats_told import seats_told
from src.booking.domain.states import LIVE_SEATS
from src.booking.guest_links import booking_path
from src.booking.leaving_words import dates_in_words, price_type_of
from src.booking.models import Series, Service, Session
from src.booking.queries.guest_leaving import Own, list_own, name_of
from src.booking.queries.offers import SessionOffer
from src.booking.views.leaving import MoveChoice, MovePage, MovePerson
from src.platform.config import Settings
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.i18n import _
from src.tenants.context import TenantSnapshot
from src.tenants.models import Location, Performer

MOST_CHOICES = 60
MOST_LOOKED_AT = 300


FoundOffer = tuple[SessionOffer, str, str]
"""A date with its place and performer."""


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
    reasons = why_not_give_up(tenant, [one.seat for one in own or ours], now)
    judged = Judged([], None)
    if not reasons:
        offers = await list_offers(uow, first.booking.service_id, [asked.session_id], now)
        judged = judge_choices(tenant, found, own, offers, action, now)
    choices, against = judged
    chosen = next((one for one in choices if one.session_id == str(asked.to)), None)
    there = _people_of(found).get(asked.to, set())
    return MovePage(
        name=await name_of(uow, first.booking),
        reference=order.reference,
        guest_email=order.guest_email,
        starts_at=first.session.starts_at,
        ends_at=first.session.ends_at,
        is_online=first.session.mode == SessionMode.ONLINE,
        people=[
            MovePerson(seat_id=str(one.seat.seat.id), who=one.who)
            for one in own
            if one.seat.seat.participant_id not in there
        ],
        there=[one.who for one in own if one.seat.seat.participant_id in there],
        is_party=first.booking.party_size > 1,
        choices=choices[:MOST_CHOICES],
        chosen=chosen,
        terms=[] if chosen is None else _terms(first, order, chosen, tenant, now),
        why_not=guest_sentence(reasons) if reasons else "",
        why_no_choice="" if choices or against is None else against.guest_sentence,
        action=action if chosen is None else chosen.href,
        leave_href=f"{path}/leave?date={asked.session_id}",
        path=path,
        zone=tenant.zone,
        contact_email=tenant.contact_email,
        contact_phone=tenant.contact_phone,
    )


def _terms(
    first: OwnSeat, order: Order, chosen: MoveChoice, tenant: TenantSnapshot, now: datetime
) -> list[str]:
    most = most_percent_after(facts_of_leaving(first, tenant), now)
    terms = capped(terms_from(first.booking.leaving), most)
    return dates_in_words(terms, price_type_of(order), chosen.starts_at, tenant.zone, now)


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
) -> Judged:
    """Of the `offers`, the dates with room for at least one of those who are on one date, where not
    all of them are already; `booked` is all that they have.
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
        if reasons:
            against[reasons[0]] += 1
        else:
            choices.append(_choice(tenant, offer, place, performer, action))
    return Judged(choices, against.most_common(1)[0][0] if against else None)


def _has_room(session: Session) -> bool:
    is_on = session.state == SessionState.SCHEDULED
    return is_on and session.seats_taken < session.capacity


async def list_offers(
    uow: UnitOfWork, service_id: UUID, own_ids: Sequence[UUID], now: datetime
) -> list[FoundOffer]:
    """The service's dates to come that have room, and among them those of the booking's own."""
    return await read_offers(
        uow,
        Session.service_id == service_id,
        Session.starts_at >= now,
        (Session.state == str(SessionState.SCHEDULED)) | Session.id.in_(own_ids),
        (Session.seats_taken < Session.capacity) | Session.id.in_(own_ids),
    )


async def read_offers(uow: UnitOfWork, *which: ColumnElement[bool]) -> list[FoundOffer]:
    """Sessions with their service, series, place and performer, the soonest first."""
    found = await uow.session.execute(
        select(Session, Service, Series, Location, Performer.name)
        .join(
            Service, (Service.tenant_id == Session.tenant_id) & (Service.id == Session.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Session.tenant_id) & (Series.id == Session.series_id)
        )
        .outerjoin(
            Location,
            (Location.tenant_id == Session.tenant_id) & (Location.id == Session.location_id),
        )
        .outerjoin(
            Performer,
            (Performer.tenant_id == Session.tenant_id) & (Performer.id == Session.performer_id),
        )
        .where(Session.tenant_id == uow.tenant, *which)
        .order_by(Session.starts_at, Session.id)
        .limit(MOST_LOOKED_AT)
    )
    return [
        (SessionOffer(row[0], row[1], row[2]), _place(row[0], row[3]), row[4] or "")
        for row in found
    ]


def _place(session: Session, location: Location | None) -> str:
    if session.mode == SessionMode.ONLINE:
        return _("Online")
    return "" if location is None else place_line(location.name, location.address)


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
