"""Credits that a cancelled purchase has brought, taken back once its seats are free.

A transaction of its own: lots come after sessions in the order of locks, and what goes back for
them is known only with their rows locked.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select

from src.billing.commands.credit_acts import tell
from src.billing.commands.credits import Author, write_entry
from src.billing.commands.refunds_together import Wanted, request_refunds_together
from src.billing.commands.vouchers_together import give_as_vouchers
from src.billing.domain.cause_keys import cancelled_key
from src.billing.domain.credit_acts import CreditAct, split_amount
from src.billing.domain.credits import EntryKind
from src.billing.domain.kinds import RefundCause
from src.billing.models import CreditEntry, CreditLot, Order
from src.billing.queries.given_back import get_ways_back
from src.billing.queries.in_credits import list_in_credits_minor
from src.billing.queries.unreturned import list_paid_minor
from src.booking.domain.unspent import Going, Unspent
from src.booking.jobs.cancel_money import find_left_of_choice, keep_given
from src.booking.models import Cancellation, CancellationReturn
from src.booking.queries.born_credits import unspent_of_purchase
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id

_IDS = ARRAY(Uuid())


async def revoke_credits(uow: UnitOfWork, cancellation: Cancellation) -> None:
    """Takes back what is unspent of the orders that get the worth of it as money, and asks for what
    of the choice no seat has brought; their owner is told. Which lots go with that is decided as
    when it was asked for, by what is left now. Run again it finds none.
    """
    if not cancellation.revokes_credits:
        return
    lots = await _lock(uow, cancellation)
    going = await _find_going(uow, cancellation, lots)
    ids = {lot_id for one in going.values() for lot_id in one.lot_ids}
    taken = [_Taken(lot, lot.balance, _worth(lot)) for lot in lots if lot.id in ids]
    author = Author("staff", cancellation.requested_by, reason=cancellation.reason)
    for lot, number, _minor in taken:
        await write_entry(uow, lot, EntryKind.ADJUST, -number, author)
        # Nothing of what was paid is in it any more.
        lot.value_minor = lot.refunded_minor
    given = await _ask(uow, cancellation, going)
    _tell_owners(uow, cancellation, taken, given)


class _Taken(NamedTuple):
    """So many credits left the lot, in which so much was."""

    lot: CreditLot
    credits: int
    worth_minor: int


def _worth(lot: CreditLot) -> int:
    return lot.value_minor - lot.refunded_minor


def _what_ends_first(lot: CreditLot) -> tuple[bool, float, UUID]:
    """Of what is worth the same the guest keeps what is good for longer."""
    ends_at = 0.0 if lot.expires_at is None else lot.expires_at.timestamp()
    return lot.expires_at is None, ends_at, lot.source_seat_id or lot.id


async def _find_going(
    uow: UnitOfWork, cancellation: Cancellation, lots: Sequence[CreditLot]
) -> dict[UUID, Going]:
    """Which of them go, by order. Money may have gone back in other ways since it was asked for."""
    worths: dict[UUID, dict[UUID, int]] = defaultdict(dict)
    for lot in sorted(lots, key=_what_ends_first):
        assert lot.order_id is not None
        worths[lot.order_id][lot.id] = _worth(lot)
    order_ids = sorted(worths)
    chosen = await find_left_of_choice(uow, cancellation, order_ids)
    kept = await list_in_credits_minor(uow, order_ids)
    paid = await list_paid_minor(uow, order_ids)
    going = {}
    for order_id, own in worths.items():
        others_minor = kept.get(order_id, 0) - sum(own.values())
        unspent = Unspent(own, paid.get(order_id, 0) - others_minor)
        found = unspent.going(chosen.get(order_id, 0))
        if found.lot_ids:
            going[order_id] = found
    return going


def _tell_owners(
    uow: UnitOfWork,
    cancellation: Cancellation,
    taken: Sequence[_Taken],
    given: Mapping[UUID, Sequence[int]],
) -> None:
    """One mail for all credits of a name, and no second one for those of a run that comes again:
    what is told is recorded with what is taken. Of what was `given` by order each lot has so much
    as it was worth, in the order in which money goes back, while there is some.
    """
    left = {order_id: list(parts) for order_id, parts in given.items()}
    counts: Counter[tuple[UUID, str]] = Counter()
    first: dict[tuple[UUID, str], UUID] = {}
    sums: dict[tuple[UUID, str], list[int]] = {}
    for lot, number, worth_minor in taken:
        assert lot.order_id is not None
        called, of_order = (lot.customer_id, lot.name), left[lot.order_id]
        counts[called] += number
        first.setdefault(called, lot.id)
        parts = split_amount(worth_minor, of_order)
        left[lot.order_id] = [had - part for had, part in zip(of_order, parts, strict=True)]
        so_far = sums.setdefault(called, [0] * len(parts))
        sums[called] = [had + part for had, part in zip(so_far, parts, strict=True)]
    for called, lot_id in first.items():
        on_voucher, _as_paid, new_voucher, by_hand = sums[called]
        tell(
            uow,
            lot_id,
            CreditAct.REMOVED,
            new_id(),
            cancellation.reason,
            number=counts[called],
            with_purchase=True,
            amount_minor=sum(sums[called]),
            to_voucher_minor=on_voucher,
            new_voucher_minor=new_voucher,
            by_hand_minor=by_hand,
        )


async def _lock(uow: UnitOfWork, cancellation: Cancellation) -> list[CreditLot]:
    """Orders by id, then the lots as they are now. Those that this very cancelling gave stay, and
    so do those that were spent when it was asked for: the choice was about neither.
    """
    paid_out = select(CancellationReturn.order_id).where(
        CancellationReturn.tenant_id == uow.tenant,
        CancellationReturn.cancellation_id == cancellation.id,
        CancellationReturn.takes_credits,
    )
    held_then = (
        select(CreditEntry.lot_id)
        .where(CreditEntry.tenant_id == uow.tenant, CreditEntry.at <= cancellation.requested_at)
        .where(CreditEntry.lot_id == CreditLot.id)
        .group_by(CreditEntry.lot_id)
        .having(func.sum(CreditEntry.credits) > 0)
    )
    statement = unspent_of_purchase(uow, cancellation.subject_id).where(
        held_then.exists(), CreditLot.order_id.in_(paid_out)
    )
    seen = (await uow.session.scalars(statement)).all()
    order_ids = sorted({lot.order_id for lot in seen if lot.order_id is not None})
    await uow.session.execute(
        select(Order.id)
        .where(
            Order.tenant_id == uow.tenant, Order.id == any_(bindparam(None, order_ids, type_=_IDS))
        )
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )
    locked = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return [lot for lot in await uow.session.scalars(locked) if lot.order_id in order_ids]


async def _ask(
    uow: UnitOfWork, cancellation: Cancellation, going: Mapping[UUID, Going]
) -> dict[UUID, list[int]]:
    """Returns by order what was given: as `WaysBack` has it, and by hand."""
    found = await uow.session.scalars(
        select(Order)
        .where(
            Order.tenant_id == uow.tenant,
            Order.id == any_(bindparam(None, list(going), type_=_IDS)),
        )
        .order_by(Order.id)
        .execution_options(populate_existing=True)
    )
    wanted = [
        Wanted(
            order=order,
            amount_minor=going[order.id].minor,
            cause=RefundCause.CANCELLED,
            cause_key=cancelled_key(cancellation.id, going[order.id].lot_ids[0]),
        )
        for order in found
    ]
    give = give_as_vouchers if cancellation.as_voucher else request_refunds_together
    given = await give(uow, wanted)
    await keep_given(uow, cancellation, wanted, given)
    return {
        one.order.id: [
            *await get_ways_back(uow, one.order.id, one.cause_key),
            given[one.order.id].by_hand_minor,
        ]
        for one in wanted
    }
