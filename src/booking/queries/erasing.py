"""What erasing a person would do."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Select, func, or_, select

from src.billing.customer_rows import orders_of
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import OrderState, PaymentMode
from src.billing.models import CreditLot, Order
from src.billing.owed import owed_minor
from src.billing.queries.part_sums import list_left_of
from src.billing.queries.vouchers import list_worth_of
from src.booking.models import (
    Booking,
    Seat,
    Series,
    Service,
    Session,
)
from src.booking.queries.erasing_bars import is_ahead, list_bars
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.money import Money
from src.tenants.person_rows import Person, person_rows

MOST_AHEAD = 20


class BookingAhead(msgspec.Struct, frozen=True, kw_only=True):
    """A booking with so many places on dates to come, of which the next starts at `starts_at`."""

    booking_id: UUID
    what: str
    starts_at: datetime
    places: int


class ErasePreview(msgspec.Struct, frozen=True, kw_only=True):
    """In words: what goes, what stays without a name, and the reasons against it now. What is
    `owed` on site, nobody will be known to owe. `ahead` are the next bookings with places to come,
    which stand against it; `credits` that are left nobody can spend any more, and `unpaid` ones
    that wait to be paid on site lapse, so that nothing is owed for them. `vouchers`: what is left
    on theirs, which stays good. `in_parts`: what they were to pay in later parts.
    """

    goes: list[str]
    stays: list[str]
    owed: list[Money]
    vouchers: list[Money]
    in_parts: list[Money]
    bars: list[str]
    ahead: list[BookingAhead]
    credits: int
    unpaid: int


async def preview_erasing(uow: UnitOfWork, person: Person) -> ErasePreview:
    counts = {rows.key: await rows.count_of(uow, person) for rows in person_rows()}
    return ErasePreview(
        goes=_goes(counts),
        stays=_stays(counts),
        owed=await _list_owed(uow, person),
        vouchers=await list_worth_of(uow, person),
        in_parts=await list_left_of(uow, person.customer_ids),
        bars=await list_bars(uow, person),
        ahead=await _list_ahead(uow, person),
        credits=await _count_credits(uow, person),
        unpaid=int(await uow.session.scalar(_unpaid(uow, person, func.sum(CreditLot.bought))) or 0),
    )


def _unpaid(uow: UnitOfWork, person: Person, what: Any) -> Select[Any]:
    """`what` of those that are to be paid for on site, and lapse (`lapse_packages_of`)."""
    return (
        select(what)
        .select_from(CreditLot)
        .join(Order, (Order.tenant_id == CreditLot.tenant_id) & (Order.id == CreditLot.order_id))
        .where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.customer_id.in_(person.customer_ids),
            CreditLot.state == str(LotState.PENDING),
            Order.payment_mode == str(PaymentMode.ON_SITE),
            Order.state == str(OrderState.CONFIRMED),
        )
    )


async def _count_credits(uow: UnitOfWork, person: Person) -> int:
    """Those that are left and could still be spent."""
    now = uow.clock.now()
    found = await uow.session.scalar(
        select(func.coalesce(func.sum(CreditLot.balance), 0)).where(
            CreditLot.tenant_id == uow.tenant,
            CreditLot.customer_id.in_(person.customer_ids),
            or_(CreditLot.expires_at.is_(None), CreditLot.expires_at > now),
        )
    )
    return int(found or 0)


async def _list_ahead(uow: UnitOfWork, person: Person) -> list[BookingAhead]:
    first_at = func.min(Session.starts_at)
    found = await uow.session.execute(
        select(Booking.id, Service.name, Series.title, first_at, func.count())
        .select_from(Seat)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(
            Service, (Service.tenant_id == Booking.tenant_id) & (Service.id == Booking.service_id)
        )
        .outerjoin(
            Series, (Series.tenant_id == Booking.tenant_id) & (Series.id == Booking.series_id)
        )
        .where(Seat.tenant_id == uow.tenant, is_ahead(person))
        .group_by(Booking.id, Service.name, Series.title)
        .order_by(first_at, Booking.id)
        .limit(MOST_AHEAD)
    )
    return [
        BookingAhead(
            booking_id=booking_id,
            what=" · ".join(filter(None, (service, series))),
            starts_at=starts_at,
            places=places,
        )
        for booking_id, service, series, starts_at, places in found
    ]


async def _list_owed(uow: UnitOfWork, person: Person) -> list[Money]:
    """By currency. What is bought and lapses with them is not among it."""
    owed = func.sum(owed_minor())
    lapses = _unpaid(uow, person, CreditLot.order_id)
    found = await uow.session.execute(
        select(owed, Order.currency)
        .where(
            Order.tenant_id == uow.tenant,
            Order.id.in_(orders_of(person)),
            Order.id.not_in(lapses),
        )
        .group_by(Order.currency)
        .having(owed > 0)
        .order_by(Order.currency)
    )
    return [Money(int(minor), currency) for minor, currency in found]


def _goes(counts: Mapping[str, int]) -> list[str]:
    notes, mails = counts["customer_notes"], counts["mails"]
    people, tags = counts["participants"], counts["customer_tags"]
    waiting = counts["waitlist_entries"]
    words = [
        (1, _("name, e-mail address and phone number")),
        (people, ngettext("the name of %(num)s guest", "the names of %(num)s guests", people)),
        (counts["bookings"], _("what was answered and noted in bookings")),
        (notes, ngettext("%(num)s note", "%(num)s notes", notes)),
        (tags, ngettext("%(num)s tag", "%(num)s tags", tags)),
        (mails, ngettext("%(num)s mail", "%(num)s mails", mails)),
        (waiting, ngettext("%(num)s name on a list", "%(num)s names on lists", waiting)),
        (1, _("every consent to news by mail")),
    ]
    return [sentence for count, sentence in words if count]


def _stays(counts: Mapping[str, int]) -> list[str]:
    orders, seats = counts["orders"], counts["seats"]
    payments, refunds = counts["payments"], counts["refunds"]
    words = [
        (orders, ngettext("%(num)s order", "%(num)s orders", orders)),
        (payments, ngettext("%(num)s payment", "%(num)s payments", payments)),
        (refunds, ngettext("%(num)s refund", "%(num)s refunds", refunds)),
        (seats, ngettext("%(num)s seat", "%(num)s seats", seats)),
    ]
    return [sentence for count, sentence in words if count]
