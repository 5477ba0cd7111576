"""What stands against erasing a person."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, or_, select

from src.billing.customer_rows import orders_of
from src.billing.domain.kinds import OpenItemKind, OrderState
from src.billing.models import DisputeRow, OpenItem, Order, PaymentPage, Refund
from src.booking.customer_rows import bookings_of, mails_to
from src.booking.domain.states import LIVE_SEATS
from src.booking.models import (
    CancellationReturn,
    Seat,
    Session,
    WaitlistEntry,
)
from src.booking.queries.person import events_about, list_things, mails_telling_of, waits
from src.platform.db.uow import UnitOfWork
from src.platform.i18n import _, ngettext
from src.platform.mail.models import MailRow
from src.platform.mail.queue import MailQueued
from src.platform.outbox.models import OutboxRow
from src.tenants.person_rows import Person

SENDING = timedelta(hours=1)
"""A mail that has waited longer is not on its way any more, and is erased like the others."""


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
        .where(Seat.tenant_id == tenant, is_ahead(person))
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
    sending = and_(
        mails_to(person),
        MailRow.sent_at.is_(None),
        MailRow.refused.is_(None),
        MailRow.queued_at > person.at - SENDING,
    )
    is_overdue = OpenItem.kind == str(OpenItemKind.PART_OVERDUE)
    stands = WaitlistEntry.state.in_(["waiting", "offered"])
    return [
        seats.scalar_subquery().label("seats"),
        _count(tenant, Order, Order.id.in_(ordered), paying).label("orders"),
        _money_to_give_back(tenant, ordered).label("money"),
        _open_items(tenant, ordered, is_overdue).label("parts"),
        _count(
            tenant, DisputeRow, DisputeRow.order_id.in_(ordered), DisputeRow.state == "open"
        ).label("disputes"),
        _count(tenant, WaitlistEntry, waits(uow, person), stands).label("waiting"),
        _count(tenant, MailRow, sending).label("mails"),
    ]


def _money_to_give_back(tenant: Any, ordered: Select[tuple[UUID]]) -> Any:
    """How many things say that money is still to go back to them, or may be."""
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
    return (
        _count(tenant, Refund, Refund.order_id.in_(ordered), Refund.state == "pending")
        + _open_items(tenant, ordered, OpenItem.kind != str(OpenItemKind.PART_OVERDUE), is_more)
        + _count(tenant, CancellationReturn, CancellationReturn.order_id.in_(ordered), by_hand)
    )


def _open_items(tenant: Any, ordered: Select[tuple[UUID]], *conditions: ColumnElement[bool]) -> Any:
    is_of_them = OpenItem.order_id.in_(ordered)
    return _count(tenant, OpenItem, is_of_them, OpenItem.closed_at.is_(None), *conditions)


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


def is_ahead(person: Person) -> ColumnElement[bool]:
    """Of a seat and its session: it is a place of theirs that is still to come."""
    return and_(
        Seat.booking_id.in_(bookings_of(person)),
        Seat.state.in_([str(state) for state in LIVE_SEATS]),
        Session.ends_at > person.at,
    )
