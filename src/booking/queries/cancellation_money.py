"""What could go back to whom if seats were cancelled now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Uuid,
    any_,
    bindparam,
    func,
    select,
)

from src.billing.domain.kinds import BY_HAND_METHODS
from src.billing.models import Order, Payment
from src.billing.queries.disputes import is_payment_with_the_bank
from src.billing.queries.in_credits import list_in_credits_minor
from src.billing.queries.to_hand_back import to_hand_back_minor
from src.booking.domain.cancelling import Returnable
from src.booking.domain.kinds import SeatState, SessionState
from src.booking.domain.leaving import (
    LeavingFacts,
    amount_back_minor,
    gives_credit,
    percent_back,
    terms_from,
)
from src.booking.domain.moves import may_leave_free_because_moved
from src.booking.domain.states import TAKEN_SEATS
from src.booking.domain.unspent import Unspent
from src.booking.models import Booking, Cancellation, CancellationReturn, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.tenants.context import TenantSnapshot

TAKEN = [str(state) for state in TAKEN_SEATS]
Which = Sequence[ColumnElement[bool]]


async def list_returnable(
    uow: UnitOfWork,
    tenant: TenantSnapshot,
    which: Which,
    with_credits: Mapping[UUID, Mapping[UUID, int]] | None = None,
) -> list[Returnable]:
    """Everybody who could get something back for their taken seats among `which`, by name; and for
    `with_credits` that are taken back, by order and lot what is in each.

    The seats are joined with their booking, session and order.
    """
    left, more = await _left_of_orders(uow, which), with_credits or {}
    in_credits = await list_in_credits_minor(uow, list(left))
    by_order: dict[UUID, list[Row[Any]]] = defaultdict(list)
    for row in await uow.session.execute(_paid_seats(uow.tenant, which)):
        if row.order_id in left:
            by_order[row.order_id].append(row)
    percents = _Percents(uow, tenant)
    people = [
        _person(
            rows,
            left[order_id],
            in_credits.get(order_id, 0),
            percents,
            more.get(order_id, {}),
        )
        for order_id, rows in by_order.items()
    ]
    able = [one for one in people if one.full_minor]
    return sorted(able, key=lambda one: (one.name.casefold(), one.order_id))


class _Left(msgspec.Struct, frozen=True):
    """What is left of an order's payments: through the processor, and taken on site."""

    card_minor: int
    on_site_minor: int

    @property
    def all_minor(self) -> int:
        return self.card_minor + self.on_site_minor

    def without(self, promised_minor: int) -> "_Left":
        """Less so much, by card first, as it is given."""
        by_card = min(promised_minor, self.card_minor)
        on_site = min(promised_minor - by_card, self.on_site_minor)
        return _Left(self.card_minor - by_card, self.on_site_minor - on_site)

    def without_told(self, told_minor: int) -> "_Left":
        """Less what a guest was told that they get by hand, which nobody has noted as given yet."""
        on_site = min(told_minor, self.on_site_minor)
        by_card = min(told_minor - on_site, self.card_minor)
        return _Left(self.card_minor - by_card, self.on_site_minor - on_site)


async def _left_of_orders(uow: UnitOfWork, which: Which) -> dict[UUID, _Left]:
    on_site = Payment.method.in_(BY_HAND_METHODS)
    rest = func.sum(Payment.amount_minor - Payment.refunded_minor)
    found = await uow.session.execute(
        select(
            Payment.order_id,
            func.coalesce(rest.filter(~on_site), 0),
            func.coalesce(rest.filter(on_site), 0),
            func.max(to_hand_back_minor(of_price=True)),
        )
        .join(Order, (Order.tenant_id == Payment.tenant_id) & (Order.id == Payment.order_id))
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id.in_(_joined(select(Seat.order_id), uow.tenant, which)),
            Payment.is_extra.is_(False),
            ~is_payment_with_the_bank(),
        )
        .group_by(Payment.order_id)
    )
    left = {row[0]: _Left(int(row[1]), int(row[2])).without_told(int(row[3])) for row in found}
    promised = await _promised_of_orders(uow, list(left))
    return {order_id: one.without(promised.get(order_id, 0)) for order_id, one in left.items()}


async def _promised_of_orders(uow: UnitOfWork, order_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What was chosen in cancellations that wait or run, and is not asked for yet."""
    kept = CancellationReturn
    found = await uow.session.execute(
        select(kept.order_id, func.sum(kept.chosen_minor - kept.asked_minor - kept.by_hand_minor))
        .join(
            Cancellation,
            (Cancellation.tenant_id == kept.tenant_id) & (Cancellation.id == kept.cancellation_id),
        )
        .where(
            kept.tenant_id == uow.tenant,
            kept.order_id == any_(bindparam(None, order_ids, type_=ARRAY(Uuid()))),
            Cancellation.state.in_(["waiting", "running"]),
        )
        .group_by(kept.order_id)
    )
    return {order_id: int(minor) for order_id, minor in found}


def _paid_seats(tenant_id: UUID, which: Which) -> Select[Any]:
    columns = select(
        Seat.id,
        Seat.order_id,
        Seat.share_minor,
        Seat.sold_sequence,
        Seat.most_percent,
        Seat.may_leave_free,
        Booking.leaving,
        Session.starts_at,
        Session.moved_sequence,
        Order.guest_name,
        Order.guest_email,
    )
    return _joined(columns, tenant_id, which).where(Order.paid_minor > 0)


def _joined(statement: Select[Any], tenant_id: UUID, which: Which) -> Select[Any]:
    return (
        statement.select_from(Seat)
        .join(Booking, (Booking.tenant_id == Seat.tenant_id) & (Booking.id == Seat.booking_id))
        .join(Order, (Order.tenant_id == Seat.tenant_id) & (Order.id == Seat.order_id))
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == tenant_id, Seat.state.in_(TAKEN), *which)
    )


class _Percents:
    """The part that each seat's terms give back now, and whether they give a credit; thousands of
    seats share a few of them.
    """

    def __init__(self, uow: UnitOfWork, tenant: TenantSnapshot) -> None:
        self._now = uow.clock.now()
        self._zone = tenant.zone
        self._known: dict[tuple[Any, ...], tuple[int, bool]] = {}

    def of(self, row: Row[Any]) -> int:
        return self._judged(row)[0]

    def gives_credit(self, row: Row[Any]) -> bool:
        return self._judged(row)[1]

    def _judged(self, row: Row[Any]) -> tuple[int, bool]:
        is_free = may_leave_free_because_moved(
            row.sold_sequence, row.moved_sequence, is_marked=row.may_leave_free
        )
        key = (repr(row.leaving), row.starts_at, is_free, row.most_percent)
        if key not in self._known:
            facts = LeavingFacts(
                terms=terms_from(row.leaving),
                seat=SeatState.CONFIRMED,
                session=SessionState.SCHEDULED,
                starts_at=row.starts_at,
                zone=self._zone,
                is_penalty_free=is_free,
                most_percent=row.most_percent,
            )
            self._known[key] = percent_back(facts, self._now), gives_credit(facts, self._now)
        return self._known[key]


def _person(
    rows: Sequence[Row[Any]],
    paid: _Left,
    in_credits_minor: int,
    percents: _Percents,
    worths: Mapping[UUID, int],
) -> Returnable:
    """By their terms guests keep their credits, so only what lies in none of them can go back."""
    share = sum(row.share_minor for row in rows)
    by_terms = sum(amount_back_minor(row.share_minor, percents.of(row)) for row in rows)
    more = sum(worths.values())
    seats = min(share, paid.without(in_credits_minor).all_minor)
    left = paid.without(in_credits_minor - more)
    unspent = Unspent(worths, left.all_minor - seats)
    return Returnable(
        order_id=rows[0].order_id,
        name=rows[0].guest_name or rows[0].guest_email,
        email=rows[0].guest_email,
        seats=len(rows),
        share_minor=share + more,
        seats_minor=seats,
        terms_minor=min(by_terms, seats),
        by_hand_minor=max(seats + unspent.full_minor - left.card_minor, 0),
        starts=tuple(sorted({row.starts_at for row in rows})),
        paid_ids=tuple(row.id for row in rows if row.share_minor),
        terms_ids=tuple(row.id for row in rows if row.share_minor and percents.gives_credit(row)),
        unspent=unspent,
    )
