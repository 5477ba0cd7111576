"""What erasing a person would do, and what stands against it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select

from src.billing.customer_rows import orders_of
from src.billing.domain.credits import LotState
from src.billing.domain.kinds import OpenItemKind, OrderState, PaymentMode
from src.billing.models import CreditLot, DisputeRow, OpenItem, Order, PaymentPage, Refund
from src.billing.owed import owed_minor
from src.billing.queries.parts import list_left_of
from src.billing.queries.vouchers import list_worth_of
from src.booking.customer_rows import bookings_of, mails_to
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import (
    Booking,
    CancellationReturn,
    Seat,
    Series,
    Service,
    Session,
    WaitlistEntry,
)
from src.booking.queries.person import events_about, list_things, mails_telling_of, waits
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.mail.models import MailRow
from src.platform.mail.queue import MailQueued
from src.platform.money import Money
from src.platform.outbox.models import OutboxRow
from src.tenants.person_rows import Person, person_rows

MOST_AHEAD = 20
SENDING = timedelta(hours=1)
"""A mail that has waited longer is not on its way any more, and is erased like the others."""


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
        .where(Seat.tenant_id == uow.tenant, _is_ahead(person))
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


def _is_ahead(person: Person) -> ColumnElement[bool]:
    """Of a seat and its session: it is a place of theirs that is still to come."""
    return and_(
        Seat.booking_id.in_(bookings_of(person)),
        Seat.state.in_([str(state) for state in LIVE_SEATS]),
        Session.ends_at > person.at,
    )


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


class Bars(NamedTuple):
    """What stands against erasing somebody, each 0 or False where it does not."""

    seats: int
    orders: int
    money: int
    parts: int
    disputes: int
    waiting: int
    is_under_way: bool


async def list_bars(uow: UnitOfWork, person: Person) -> list[str]:
    """Each as a sentence that says to staff what to do first; none when nothing is in the way."""
    bars = await find_bars(uow, person)
    words = [
        (
            bars.seats,
            ngettext(
                "%(num)s place of theirs lies ahead. Cancel it first.",
                "%(num)s places of theirs lie ahead. Cancel them first.",
                bars.seats,
            ),
        ),
        (bars.orders, _("An order is being paid for. Wait until it is paid or has ended.")),
        (bars.money, _("Money is still to go back to them. See to it first.")),
        (
            bars.parts,
            _("A part of a price is overdue. Let them off it on the order, or take it on site."),
        ),
        (bars.disputes, _("Their bank disputes a payment. Wait until that is decided.")),
        (bars.waiting, _("They are on a waiting list. Take them off it first.")),
        (bars.is_under_way, under_way()),
    ]
    return [sentence for count, sentence in words if count]


def own_bars(bars: Bars) -> list[str]:
    """The same for the person themselves."""
    words = [
        (
            bars.seats,
            ngettext(
                "You have %(num)s place on a date to come. Cancel it first, or let it pass.",
                "You have %(num)s places on dates to come. Cancel them first, or let them pass.",
                bars.seats,
            ),
        ),
        (
            bars.orders,
            _("You have yet to pay for an order. Pay it, or wait until it has ended."),
        ),
        (bars.money, _("Money is still to go back to you. Wait until it has.")),
        (
            bars.parts,
            _("A part of a price is overdue. Pay it by the link in our mail, or ask us about it."),
        ),
        (bars.disputes, _("Your bank disputes a payment. Wait until that is decided.")),
        (bars.waiting, _("You are on a waiting list. Leave it first, by the link in its mail.")),
        (
            bars.is_under_way,
            _("Something of yours is just being done or sent. Try again in a few minutes."),
        ),
    ]
    return [sentence for count, sentence in words if count]


async def find_bars(uow: UnitOfWork, person: Person) -> Bars:
    # A job's work is asked for before its mail: it commits both at once.
    doing = await _is_being_done(uow, person)
    row = (await uow.session.execute(select(*_counts(uow, person)))).one()
    sending = row.mails or await _is_being_told(uow, person)
    return Bars(
        seats=row.seats,
        orders=row.orders,
        money=row.money,
        parts=row.parts,
        disputes=row.disputes,
        waiting=row.waiting,
        is_under_way=bool(doing or sending),
    )


def under_way() -> str:
    return _("Something about them is just being done or sent. Try again in a few minutes.")


def _counts(uow: UnitOfWork, person: Person) -> list[Any]:
    ordered, tenant = orders_of(person), uow.tenant
    seats = (
        select(func.count())
        .select_from(Seat)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == tenant, _is_ahead(person))
    )
    paying = or_(
        Order.state == str(OrderState.OPEN),
        select(PaymentPage.id)
        .where(
            PaymentPage.tenant_id == tenant,
            PaymentPage.order_id == Order.id,
            PaymentPage.state.in_(["pending", "open"]),
        )
        .exists(),
    )
    by_hand = and_(CancellationReturn.by_hand_minor > 0, CancellationReturn.handed_at.is_(None))
    # A dispute that is open is told as such, and its item says nothing more.
    with_the_bank = (
        select(DisputeRow.id)
        .where(
            DisputeRow.tenant_id == tenant,
            DisputeRow.order_id == OpenItem.order_id,
            DisputeRow.state == "open",
        )
        .correlate(OpenItem)
        .exists()
    )
    is_more = or_(OpenItem.kind != str(OpenItemKind.DISPUTE), ~with_the_bank)
    money = (
        _count(tenant, Refund, Refund.order_id.in_(ordered), Refund.state == "pending")
        + _count(
            tenant,
            OpenItem,
            OpenItem.order_id.in_(ordered),
            OpenItem.closed_at.is_(None),
            OpenItem.kind != str(OpenItemKind.PART_OVERDUE),
            is_more,
        )
        + _count(tenant, CancellationReturn, CancellationReturn.order_id.in_(ordered), by_hand)
    )
    sending = and_(
        mails_to(person),
        MailRow.sent_at.is_(None),
        MailRow.refused.is_(None),
        MailRow.queued_at > person.at - SENDING,
    )
    stands = WaitlistEntry.state.in_(["waiting", "offered"])
    return [
        seats.scalar_subquery().label("seats"),
        _count(tenant, Order, Order.id.in_(ordered), paying).label("orders"),
        money.label("money"),
        _count(
            tenant,
            OpenItem,
            OpenItem.order_id.in_(ordered),
            OpenItem.closed_at.is_(None),
            OpenItem.kind == str(OpenItemKind.PART_OVERDUE),
        ).label("parts"),
        _count(
            tenant, DisputeRow, DisputeRow.order_id.in_(ordered), DisputeRow.state == "open"
        ).label("disputes"),
        _count(tenant, WaitlistEntry, waits(uow, person), stands).label("waiting"),
        _count(tenant, MailRow, sending).label("mails"),
    ]


def _count(tenant: Any, model: Any, *conditions: ColumnElement[bool]) -> Any:
    return (
        select(func.count())
        .select_from(model)
        .where(model.tenant_id == tenant, *conditions)
        .scalar_subquery()
    )


async def _is_being_done(uow: UnitOfWork, person: Person) -> bool:
    """What was given up does not count: it is erased."""
    found = await uow.session.scalar(
        select(OutboxRow.id)
        .where(
            OutboxRow.tenant_id == uow.tenant,
            OutboxRow.parked_at.is_(None),
            events_about(await list_things(uow, person)),
        )
        .limit(1)
    )
    return found is not None


async def _is_being_told(uow: UnitOfWork, person: Person) -> bool:
    """Whether a mail to somebody else that tells of them is still to leave."""
    found = await uow.session.scalar(
        select(MailRow.id)
        .where(
            waits_to_be_sent(OutboxRow.parked_at.is_(None)),
            MailRow.sent_at.is_(None),
            await mails_telling_of(uow, person),
        )
        .limit(1)
    )
    return found is not None


def waits_to_be_sent(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a mail's sending is still on the list, in a row like this."""
    return (
        select(OutboxRow.id)
        .where(
            OutboxRow.tenant_id == MailRow.tenant_id,
            OutboxRow.topic == MailQueued.topic,
            OutboxRow.payload["mail_id"].astext == cast(MailRow.id, String),
            condition,
        )
        .exists()
    )
