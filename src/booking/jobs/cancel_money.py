"""What goes back for seats that are being freed, asked for in the transaction that frees them."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, case, func, null, select
from sqlalchemy.dialects.postgresql import insert

from src.billing.commands.open_items import NewItem, keep_open_items
from src.billing.commands.refunds_together import Given, Wanted, request_refunds_together
from src.billing.commands.vouchers_together import give_as_vouchers
from src.billing.domain.cause_keys import cancelled_key, paid_meanwhile_key
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.models import Order, Payment
from src.billing.queries.to_hand_back import list_open_by_hand_minor
from src.booking.commands.seat_returns import mark_returned, spread
from src.booking.models import Cancellation, CancellationReturn
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id

_IDS = ARRAY(Uuid())


class Taken(NamedTuple):
    """A live seat that is being cancelled."""

    id: UUID
    session_id: UUID
    order_id: UUID
    share_minor: int
    customer_id: UUID
    credit_lot_id: UUID | None = None


async def give_money_back(
    uow: UnitOfWork, cancellation: Cancellation, seats: Sequence[Taken]
) -> None:
    """Asks for what was chosen to go back, never more than these seats' shares.

    The shares of those who paid after the cancellation was asked for go back in full: nobody could
    choose about their money then, and no guest pays for what has been called off. So do everybody's
    where the cancellation gives back. Orders and seats are locked.
    """
    shares: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for seat in seats:
        shares[seat.order_id][seat.id] = seat.share_minor
    paid = await _paid_orders(uow, list(shares))
    chosen = await _find_choices(uow, cancellation, [order.id for order in paid])
    later = await _paid_later(uow, cancellation, [order.id for order in paid])
    wanted = [
        one
        for order in paid
        if (
            one := _wanted(
                cancellation,
                order,
                shares[order.id],
                chosen.get(order.id, _Choice()).left_minor,
                is_later=order.id in later,
            )
        )
    ]
    give = give_as_vouchers if cancellation.as_voucher else request_refunds_together
    given = await give(uow, wanted)
    returned: dict[UUID, int] = {}
    for one in wanted:
        credited = chosen.get(one.order.id, _Choice()).credited
        own = _credited_last(shares[one.order.id], credited)
        returned |= spread(given[one.order.id].asked_minor, own)
    await mark_returned(uow, returned)
    await keep_given(uow, cancellation, wanted, given)


def _credited_last(shares: Mapping[UUID, int], credited: Collection[UUID]) -> dict[UUID, int]:
    """A seat that money is noted on gets no credit, so that of the others comes first."""
    return dict(sorted(shares.items(), key=lambda one: one[0] in credited))


async def _paid_orders(uow: UnitOfWork, order_ids: Sequence[UUID]) -> Sequence[Order]:
    found = await uow.session.scalars(
        select(Order)
        .where(
            Order.tenant_id == uow.tenant,
            Order.id == any_(bindparam(None, order_ids, type_=_IDS)),
            Order.paid_minor > 0,
        )
        .order_by(Order.id)
        .execution_options(populate_existing=True)
    )
    return found.all()


async def find_left_of_choice(
    uow: UnitOfWork, cancellation: Cancellation, order_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """What of the choice has not gone back yet, by order."""
    found = await _find_choices(uow, cancellation, order_ids)
    return {order_id: one.left_minor for order_id, one in found.items()}


class _Choice(NamedTuple):
    """What of it has not gone back yet, and the seats that bring a credit instead of money."""

    left_minor: int = 0
    credited: frozenset[UUID] = frozenset()


async def _find_choices(
    uow: UnitOfWork, cancellation: Cancellation, order_ids: Sequence[UUID]
) -> dict[UUID, _Choice]:
    kept = CancellationReturn
    found = await uow.session.execute(
        select(
            kept.order_id,
            kept.chosen_minor - kept.asked_minor - kept.by_hand_minor,
            kept.credited_ids,
        ).where(
            kept.tenant_id == uow.tenant,
            kept.cancellation_id == cancellation.id,
            kept.order_id == any_(bindparam(None, order_ids, type_=_IDS)),
        )
    )
    return {row[0]: _Choice(row[1], frozenset(row[2])) for row in found}


async def _paid_later(
    uow: UnitOfWork, cancellation: Cancellation, order_ids: Sequence[UUID]
) -> set[UUID]:
    """The orders for which nothing had been paid when the cancellation was asked for: confirmed by
    a payment since, or noted as paid on site since.
    """
    found = await uow.session.scalars(
        select(Payment.order_id)
        .where(
            Payment.tenant_id == uow.tenant,
            Payment.order_id == any_(bindparam(None, order_ids, type_=_IDS)),
            Payment.is_extra.is_(False),
        )
        .group_by(Payment.order_id)
        .having(func.min(Payment.received_at) > cancellation.requested_at)
    )
    return {order_id for order_id in found if order_id is not None}


def _wanted(
    cancellation: Cancellation,
    order: Order,
    shares: Mapping[UUID, int],
    chosen_minor: int,
    *,
    is_later: bool,
) -> Wanted | None:
    first, share = min(shares), sum(shares.values())
    if order.confirmed_at is not None and order.confirmed_at > cancellation.requested_at:
        is_later = True
    if cancellation.gives_back or is_later:
        amount, cause = share, RefundCause.NOT_DELIVERED
        key = paid_meanwhile_key(cancellation.id, first)
    else:
        amount, cause = min(chosen_minor, share), RefundCause.CANCELLED
        key = cancelled_key(cancellation.id, first)
    if amount <= 0:
        return None
    return Wanted(order=order, amount_minor=amount, cause=cause, cause_key=key)


async def keep_given(
    uow: UnitOfWork,
    cancellation: Cancellation,
    wanted: Sequence[Wanted],
    given: Mapping[UUID, Given],
) -> None:
    """Notes what became of the choice; what nobody chose is noted as if somebody had. What is to be
    handed back is an open item until somebody says that it was, and one again, over what came
    since, where more follows.
    """
    if not wanted:
        return
    rows = [
        {
            "tenant_id": uow.tenant,
            "id": new_id(),
            "cancellation_id": cancellation.id,
            "order_id": one.order.id,
            "chosen_minor": one.amount_minor,
            "asked_minor": given[one.order.id].asked_minor,
            "by_hand_minor": given[one.order.id].by_hand_minor,
            "credited_ids": [],
            "package": {},
        }
        for one in wanted
    ]
    statement = insert(CancellationReturn).values(rows)
    kept, new = CancellationReturn, statement.excluded
    asked, by_hand = kept.asked_minor + new.asked_minor, kept.by_hand_minor + new.by_hand_minor
    written = await uow.session.execute(
        statement.on_conflict_do_update(
            constraint="uq_cancellation_returns_order",
            set_={
                "asked_minor": asked,
                "by_hand_minor": by_hand,
                "chosen_minor": func.greatest(kept.chosen_minor, asked + by_hand),
                "handed_at": case((new.by_hand_minor > 0, null()), else_=kept.handed_at),
            },
        ).returning(kept.id, kept.order_id)
    )
    by_order = {row.order_id: row.id for row in written}
    waiting = await list_open_by_hand_minor(uow, by_order.values())
    orders = {one.order.id: one.order for one in wanted}
    await keep_open_items(
        uow,
        OpenItemKind.HAND_BACK,
        [
            NewItem(return_id, order_id, _asked_of(cancellation, orders[order_id], minor))
            for order_id, return_id in by_order.items()
            if (minor := waiting.get(return_id, 0) + given[order_id].by_hand_minor)
        ],
    )


def _asked_of(cancellation: Cancellation, order: Order, by_hand_minor: int) -> dict[str, Any]:
    return {
        "cancelled": True,
        "page": f"cancellations/{cancellation.id}",
        "reference": order.reference,
        "guest": order.guest_name or order.guest_email,
        "amount_minor": by_hand_minor,
        "currency": order.currency,
        "method": order.payment_mode,
    }
