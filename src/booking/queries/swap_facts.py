"""What a swap is decided on: the credits that places would bring, and the date they would pay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from src.billing.domain.credits import LotFacts, LotSource, LotState
from src.billing.models import CreditLot
from src.billing.queries.lots import lot_facts
from src.booking.commands.leave import OwnSeat, facts_of_leaving
from src.booking.commands.seat_credits import (
    SeatCredit,
    place_of,
    plan_credits,
    scope_given,
)
from src.booking.domain.bookable import BusinessFacts, why_not_bookable_session
from src.booking.domain.by_credit import CreditFacts, why_not_by_credit
from src.booking.domain.kinds import By
from src.booking.domain.reasons import Reason, ReasonCode
from src.booking.domain.staff_rules import session_for_staff
from src.booking.domain.states import LIVE_SEATS
from src.booking.domain.swapping import SwapFacts, why_not_swap
from src.booking.models import Booking, Seat
from src.booking.queries.by_credit import credit_facts_of_session
from src.booking.queries.handing_on import who_sits_after
from src.booking.queries.offer_facts import quote_of_session, session_facts
from src.booking.queries.offers import SessionOffer
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.ids import new_id
from src.tenants.context import TenantSnapshot
from src.tenants.models import Participant


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """A place with the credit that would pay the new one: a `new` one, or the one that paid it.
    `lot` is None where there is none.
    """

    own: OwnSeat
    lot: LotFacts | None
    new: SeatCredit | None


async def find_swapped(
    uow: UnitOfWork, tenant: TenantSnapshot, own: Sequence[OwnSeat]
) -> list[Swapped]:
    """The places with their credits; what the terms give late is among them."""
    now = uow.clock.now()
    places = [
        place_of(one.seat, one.booking, package)
        for one in own
        if (package := facts_of_leaving(one, tenant).terms.package) is not None
        and one.seat.credit_lot_id is None
    ]
    new = {credit.place.seat_id: credit for credit in await plan_credits(uow, tenant, places)}
    lots = await _lots_of(uow, own)
    found = []
    for one in own:
        credit = new.get(one.seat.id)
        lot = lots.get(one.seat.credit_lot_id) if one.seat.credit_lot_id else None
        if lot is not None:
            # With the credit that this place gives back to it.
            lot = replace(lot, balance=lot.balance + 1)
        elif credit is not None:
            lot = _to_be(credit, now)
        found.append(Swapped(own=one, lot=lot, new=credit))
    return found


def against_giving_up(
    tenant: TenantSnapshot, swapped: Sequence[Swapped], now: datetime, by: By = "guest"
) -> list[Reason]:
    """Every reason against swapping these places at all."""
    return [
        reason
        for one in swapped
        for reason in why_not_swap(
            SwapFacts(
                leaving=facts_of_leaving(one.own, tenant),
                is_by_credit=one.own.seat.credit_lot_id is not None,
                is_paid=one.new is not None,
                by_staff=by == "staff",
            ),
            now,
        )
    ]


def against_coming(
    tenant: TenantSnapshot,
    swapped: Sequence[Swapped],
    offer: SessionOffer,
    now: datetime,
    *,
    is_there: bool,
    by: By = "guest",
) -> list[Reason]:
    """Every reason against the offered date, for whoever comes with these credits. Neither a plan
    nor a payment account is asked for: what was sold may be swapped.
    """
    if any(one.own.session.id == offer.session.id for one in swapped):
        same = _("That is the date you have. Please choose another one.")
        return [Reason(ReasonCode.SAME_DATE, same, same, "")]
    quote = quote_of_session(offer, len(swapped))
    business = BusinessFacts(
        zone=tenant.zone, status=str(tenant.status), seats_told_up_to=tenant.seats_told_up_to
    )
    # Who has a confirmed place to give up is an established customer by it.
    facts = session_facts(offer, business, quote, admits=True)
    facts = replace(facts, credit_only=False, pays_online=False)
    if by == "staff":
        facts = session_for_staff(facts)
    found = why_not_bookable_session(facts, now)
    if is_there:
        there = _("This person has a place on that date already.")
        found.append(Reason(ReasonCode.HAS_SEAT_THERE, there, there, ""))
    for one in swapped:
        if one.lot is not None:
            paying: CreditFacts = credit_facts_of_session(offer, quote, one.lot)
            found += why_not_by_credit(replace(paying, needed=1), now)
    return found


async def find_who_is_there(
    uow: UnitOfWork, own: Sequence[OwnSeat], session_ids: Sequence[UUID], *, named: bool = False
) -> set[UUID]:
    """The sessions in which one of the people sits already, by whichever booking of the customer:
    the very row, or somebody of that name. Who has none is taken for the customer, unless only
    `named` people count.
    """
    people = list((await who_sits_after(uow, [one.seat for one in own])).values())
    names = select(func.lower(Participant.name)).where(
        Participant.tenant_id == uow.tenant, Participant.id.in_(people), *_named(named)
    )
    found = await uow.session.scalars(
        select(Seat.session_id)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(
            Participant,
            (Participant.tenant_id == Seat.tenant_id) & (Participant.id == Seat.participant_id),
        )
        .where(
            Seat.tenant_id == uow.tenant,
            Seat.session_id.in_(session_ids),
            Seat.state.in_([str(state) for state in LIVE_SEATS]),
            Booking.customer_id.in_({one.booking.customer_id for one in own}),
            Seat.participant_id.in_(people) | func.lower(Participant.name).in_(names),
        )
    )
    return set(found)


def _named(named: bool) -> list[ColumnElement[bool]]:
    return [Participant.name != ""] if named else []


async def _lots_of(uow: UnitOfWork, own: Sequence[OwnSeat]) -> Mapping[UUID, LotFacts]:
    wanted = {one.seat.credit_lot_id for one in own if one.seat.credit_lot_id is not None}
    if not wanted:
        return {}
    found = await uow.session.scalars(
        select(CreditLot).where(CreditLot.tenant_id == uow.tenant, CreditLot.id.in_(wanted))
    )
    return {lot.id: lot_facts(lot) for lot in found}


def _to_be(credit: SeatCredit, now: datetime) -> LotFacts:
    """The credit as it would be."""
    return LotFacts(
        id=new_id(),
        stored=LotState.ACTIVE,
        name=credit.place.package.name,
        balance=1,
        granted=1,
        expires_at=credit.expires_at,
        created_at=now,
        scope=scope_given(credit.place.package),
        source=LotSource.SEAT,
    )
