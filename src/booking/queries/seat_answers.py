"""Whether the guest of a booking may leave or exchange each of its places, and what it means.

By the functions that the guest's own pages and the commands behind them ask.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from src.billing.domain.credits import LotFacts
from src.billing.domain.kinds import BY_HAND_MODES, PaymentMode
from src.billing.models import Order
from src.billing.queries.disputes import is_with_the_bank
from src.billing.queries.refundable import list_refundable_minor
from src.billing.queries.unreturned import list_unreturned_minor
from src.booking.commands.exchange import why_not_give_up
from src.booking.commands.leave import facts_of_leaving, is_still_coming
from src.booking.domain.fees import fee_minor
from src.booking.domain.kinds import SeatState
from src.booking.domain.leaving import (
    LeavingFacts,
    amount_back_minor,
    capped,
    deadlines,
    gives_credit,
    hand_on_until,
    is_late,
    late_fee_minor,
    percent_back,
    why_not_hand_on,
    why_not_leave,
)
from src.booking.domain.refund_policy import Gives
from src.booking.mend_links import Subject, why_lines
from src.booking.queries.by_credit import find_lot_that_paid
from src.booking.queries.credits_back import find_credits_to_come
from src.booking.queries.found_offers import FoundOffer, list_offers
from src.booking.queries.guest_leaving import Own, list_own
from src.booking.queries.guest_moving import judge_choices
from src.booking.queries.guest_swaps import Swaps, find_swaps
from src.booking.views.customers import WhyLine
from src.booking.views.seat_answers import GuestMay, SeatAnswer
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _
from src.platform.web.formats import datetime_local, money
from src.tenants.context import TenantSnapshot

MOST_SEATS = 12
MOST_DATES = 6


class _WaysOut(NamedTuple):
    """The dates that may be come to instead of one; `lot` paid it, None where no credit did;
    `swaps` is None where the terms know of no credits. `brings_credit`: one comes by leaving now.
    """

    offers: Sequence[FoundOffer]
    lot: LotFacts | None
    swaps: Swaps | None
    brings_credit: bool


class _Money(NamedTuple):
    """The order, and what of it can still come back, in minor units. `is_with_the_bank`: a dispute
    is why nothing can.
    """

    order: Order
    most_minor: int
    is_with_the_bank: bool


async def get_guest_may(uow: UnitOfWork, tenant: TenantSnapshot, order_id: UUID) -> GuestMay:
    """Of the confirmed places that lie ahead; one of a date that is being cancelled among them."""
    now = uow.clock.now()
    found = await list_own(uow, order_id)
    ahead = [
        one
        for one in sorted(found, key=lambda own: own.seat.session.starts_at)
        if one.seat.seat.state == SeatState.CONFIRMED and now <= one.seat.session.starts_at
    ]
    if not ahead:
        return GuestMay(seats=[], unsaid=0, course="", why_not_course=[])
    paid = await _money(uow, order_id)
    shown = ahead[:MOST_SEATS]
    booking = shown[0].seat.booking
    own_ids = [one.seat.session.id for one in shown]
    offers = await list_offers(uow, booking.service_id, own_ids, now)
    against_course = _against_course(tenant, ahead, now)
    is_course = booking.series_id is not None
    return GuestMay(
        seats=[
            _answer(tenant, one, found, await _ways_out(uow, tenant, one, offers, now), paid, now)
            for one in shown
        ],
        unsaid=len(ahead) - len(shown),
        course=_("May leave the whole course, each date by its terms.")
        if is_course and not against_course
        else "",
        why_not_course=against_course if is_course else [],
    )


async def _money(uow: UnitOfWork, order_id: UUID) -> _Money:
    """By card what can be refunded, by hand what was taken on site and not given back."""
    order = await uow.session.get_one(Order, (uow.tenant, order_id))
    most_minor = (await list_refundable_minor(uow, [order_id])).get(order_id, 0)
    with_the_bank = not most_minor and await is_with_the_bank(uow, order_id)
    if not most_minor and not with_the_bank and order.payment_mode in BY_HAND_MODES:
        most_minor = (await list_unreturned_minor(uow, [order_id])).get(order_id, 0)
    return _Money(order, most_minor, with_the_bank)


async def _ways_out(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    one: Own,
    offers: Sequence[FoundOffer],
    now: datetime,
) -> _WaysOut:
    """With the credits that paid the place, which guests are held to when they exchange it."""
    paid_by_credit = one.seat.seat.credit_lot_id is not None
    lot = await find_lot_that_paid(uow, [one.seat.seat]) if paid_by_credit else None
    knows_credits = facts_of_leaving(one.seat, tenant).terms.gives in (Gives.PACKAGE, Gives.CREDIT)
    swaps = await find_swaps(uow, tenant, [one.seat], now) if knows_credits else None
    coming = await find_credits_to_come(uow, tenant, [one.seat]) if paid_by_credit else {}
    return _WaysOut(offers, lot, swaps, bool(coming))


def _answer(
    tenant: TenantSnapshot,
    one: Own,
    booked: Sequence[Own],
    ways: _WaysOut,
    paid: _Money,
    now: datetime,
) -> SeatAnswer:
    session, subject, swaps = one.seat.session, _subject(tenant, one), ways.swaps
    facts = facts_of_leaving(one.seat, tenant)
    against_leaving = why_lines(why_not_leave(facts, now), subject)
    against = why_lines(why_not_give_up(tenant, [one.seat], now), subject)
    dates: list[tuple[datetime, datetime]] = []
    if not against:
        judged = judge_choices(tenant, booked, [one], ways.offers, "", now, ways.lot)
        dates = [(choice.starts_at, choice.ends_at) for choice in judged.choices]
        if not dates:
            no_room = WhyLine(sentence=_("No other date of the service has room."), mend="")
            against = why_lines([judged.against], subject) if judged.against else [no_room]
    if swaps is not None and swaps.against and against:
        against = why_lines(swaps.against, subject)
    elif swaps is not None:
        more = [(offer.session.starts_at, offer.session.ends_at) for offer, *_r in swaps.offers]
        dates = sorted({*dates, *more})
        against = [] if dates else against
    return SeatAnswer(
        session_id=session.id,
        who=one.who,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        title=session.title,
        leaving="" if against_leaving else _leaving(one, facts, ways, paid, now),
        fee="" if against_leaving else _fee(one, facts, paid.order.currency, now),
        handing_on=_handing_on(facts, now),
        why_not_leave=against_leaving,
        dates=dates[:MOST_DATES],
        more=max(len(dates) - MOST_DATES, 0),
        why_not_exchange=against,
    )


def _leaving(one: Own, facts: LeavingFacts, ways: _WaysOut, paid: _Money, now: datetime) -> str:
    """Until when they may leave on the terms that hold now, and what those mean for their money."""
    order, share_minor = paid.order, one.seat.seat.share_minor
    if one.seat.seat.credit_lot_id is not None:
        return _with_own_credit(facts, brings_credit=ways.brings_credit)
    if order.total_minor and facts.terms.gives is Gives.PACKAGE and not facts.is_penalty_free:
        return _with_credit(order, facts, now)
    if not order.total_minor:
        return _("May leave until it starts.")
    if order.payment_mode == PaymentMode.ON_SITE and not order.paid_minor:
        if is_late(facts, now):
            owed = money(share_minor, order.currency)
            return _("May leave until it starts, but still owes %(amount)s.", amount=owed)
        until = datetime_local(_in_time_until(facts), facts.zone)
        return _("May leave until %(until)s and owes nothing.", until=until)
    back_minor = min(amount_back_minor(share_minor, percent_back(facts, now)), paid.most_minor)
    if paid.is_with_the_bank:
        return _("May leave until it starts. Their bank has the payment because of a dispute.")
    if not back_minor:
        return _("May leave until it starts, but gets nothing back.")
    amount = money(back_minor, order.currency)
    until = datetime_local(_until(facts, now), facts.zone)
    return _("May leave until %(until)s and gets back %(amount)s.", until=until, amount=amount)


def _fee(one: Own, facts: LeavingFacts, currency: str, now: datetime) -> str:
    """What leaving late costs them, now or once it is."""
    share_minor, is_by_credit = one.seat.seat.share_minor, one.seat.seat.credit_lot_id is not None
    if minor := late_fee_minor(facts, share_minor, now, is_by_credit=is_by_credit):
        return _("It is late: a fee of %(fee)s is asked of them.", fee=money(minor, currency))
    if facts.is_penalty_free or not facts.terms.tiers:
        return ""
    minor = fee_minor(facts.terms.late_fee, share_minor, is_by_credit=is_by_credit)
    if not minor:
        return ""
    until, fee = datetime_local(_in_time_until(facts), facts.zone), money(minor, currency)
    return _("After %(until)s a fee of %(fee)s is asked.", until=until, fee=fee)


def _handing_on(facts: LeavingFacts, now: datetime) -> str:
    """Also where they may not leave: their own page offers it by the same rule."""
    until_at = hand_on_until(facts.terms, facts.starts_at, facts.zone)
    if until_at is None or why_not_hand_on(facts, now):
        return ""
    until = datetime_local(until_at, facts.zone)
    return _("May give the place to somebody else until %(until)s.", until=until)


def _with_own_credit(facts: LeavingFacts, *, brings_credit: bool) -> str:
    if not brings_credit:
        return _("May leave until it starts, but gets no credit back.")
    until = datetime_local(_in_time_until(facts), facts.zone)
    return _("May leave until %(until)s and gets the credit back.", until=until)


def _with_credit(order: Order, facts: LeavingFacts, now: datetime) -> str:
    if not gives_credit(facts, now):
        return _("May leave until it starts, but gets no credit.")
    until = datetime_local(_in_time_until(facts), facts.zone)
    if not order.paid_minor:
        return _("May leave until %(until)s and owes nothing.", until=until)
    return _("May leave until %(until)s and gets a credit for another date.", until=until)


def _until(facts: LeavingFacts, now: datetime) -> datetime:
    """The last moment at which as much comes back as now; the start where nothing does, or where
    leaving is no one's fault.
    """
    if facts.is_penalty_free:
        return facts.starts_at
    percent = percent_back(facts, now)
    due = deadlines(capped(facts.terms, facts.most_percent), facts.starts_at, facts.zone)
    return max((one.until_at for one in due if one.percent == percent), default=facts.starts_at)


def _in_time_until(facts: LeavingFacts) -> datetime:
    """The last moment at which leaving is not late."""
    due = deadlines(facts.terms, facts.starts_at, facts.zone)
    return facts.starts_at if facts.is_penalty_free or not due else due[-1].until_at


def _against_course(tenant: TenantSnapshot, ahead: Sequence[Own], now: datetime) -> list[WhyLine]:
    """What stands against leaving all of it, each reason once."""
    coming = [one for one in ahead if is_still_coming(one.seat, now)] or ahead[:1]
    found: dict[WhyLine, None] = {}
    for one in coming:
        facts = facts_of_leaving(one.seat, tenant, is_whole_course=True)
        found |= dict.fromkeys(why_lines(why_not_leave(facts, now), _subject(tenant, one)))
    return list(found)


def _subject(tenant: TenantSnapshot, one: Own) -> Subject:
    booking = one.seat.booking
    return Subject(
        base=f"/app/{tenant.slug}",
        service_id=booking.service_id,
        session_id=one.seat.session.id,
        series_id=booking.series_id,
        booking_id=booking.id,
    )
