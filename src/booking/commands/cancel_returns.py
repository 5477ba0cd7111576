"""What goes back to whom with a cancellation: chosen when it is asked for, and kept with it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

import msgspec
from sqlalchemy import Table, select

from src.billing.domain.kinds import BY_HAND_MODES, OrderState
from src.billing.models import Order
from src.booking.domain.cancelling import (
    MoneyChoice,
    Returnable,
    chosen_credits,
    chosen_minor,
    mark_of,
)
from src.booking.models import CancellationReturn, Seat, Session
from src.booking.queries.cancellation_money import Which, list_returnable
from src.booking.queries.sold_terms import find_given_back
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.i18n import _, current_locale
from src.platform.ids import new_id
from src.tenants.context import RequestContext

RETURNS = cast(Table, CancellationReturn.__table__)


class MoneyWanted(msgspec.Struct, frozen=True, kw_only=True):
    """What goes back: to everybody as `choice` says, but for the orders in `own`, in minor units.

    With `as_voucher` each guest gets theirs as a voucher, also for what was paid on site.
    `choice` is None where nobody chose, which will do only where nothing could go back to anybody
    but them. `seen` is the mark of what was looked at before. `package_id` is the refund package
    that credits are given of, where that is chosen. With `revokes_credits` the unspent credits that
    a purchase has brought are taken back where their worth goes back as money; otherwise they stay.
    """

    choice: MoneyChoice | None = None
    own: Mapping[UUID, int] = {}
    seen: str | None = None
    as_voucher: bool = False
    package_id: UUID | None = None
    revokes_credits: bool = False


NOTHING = MoneyWanted(choice=MoneyChoice.NOTHING)
_NOTHING_BUT_CREDITS = msgspec.structs.replace(NOTHING, revokes_credits=True)


async def wait_for_payments(uow: UnitOfWork, which: Which) -> None:
    """Locks, by id, the orders with seats among `which` for which money may come at any moment.

    A payment that has begun commits first, so that the choice is about it too; one that comes later
    is later than the cancellation by the clock as well, which is how its money is told apart.
    """
    of_seats = (
        select(Seat.order_id)
        .join(Session, (Session.tenant_id == Seat.tenant_id) & (Session.id == Seat.session_id))
        .where(Seat.tenant_id == uow.tenant, *which)
    )
    is_unpaid = Order.state.in_((str(OrderState.OPEN), str(OrderState.EXPIRED)))
    await uow.session.execute(
        select(Order.id)
        .where(
            Order.tenant_id == uow.tenant,
            Order.id.in_(of_seats),
            is_unpaid | Order.payment_mode.in_(BY_HAND_MODES),
        )
        .order_by(Order.id)
        .with_for_update(key_share=True)
    )


async def keep_returns(
    uow: UnitOfWork,
    ctx: RequestContext,
    cancellation_id: UUID,
    which: Which,
    wanted: MoneyWanted,
    with_credits: Mapping[UUID, Mapping[UUID, int]] | None = None,
) -> int:
    """Keeps what goes back for the taken seats among `which`, and `with_credits` that can be taken
    back, by order and lot what is in each: they are where so much goes back that it is for them
    too. Returns how much it is in all.

    Raises: InvalidInput for no choice, at `money`; for more than can go back, at `back.<order>`;
    for vouchers where no money goes back, at `as_voucher`; and when somebody could get another
    amount by now than was seen.
    """
    if wanted in (NOTHING, _NOTHING_BUT_CREDITS):
        return 0
    people = await list_returnable(uow, ctx.here, which, with_credits)
    chosen = decided_minor(people, wanted, ctx.here.currency)
    if wanted.as_voucher and people and not chosen:
        sentence = _(
            "No money goes back, so there is nothing to give as a voucher. Untick this, or choose"
            " above what goes back."
        )
        raise InvalidInput(sentence, fields={"as_voucher": sentence})
    credited = chosen_credits(people, wanted.choice or MoneyChoice.NOTHING, wanted.own)
    package = await _package(uow, wanted)
    by_order = {one.order_id: one for one in people}
    uow.insert(
        RETURNS,
        [
            {
                "tenant_id": uow.tenant,
                "id": new_id(),
                "cancellation_id": cancellation_id,
                "order_id": order_id,
                "chosen_minor": chosen.get(order_id, 0),
                "asked_minor": 0,
                "by_hand_minor": 0,
                "credited_ids": list(credited.get(order_id, ())),
                "package": package if order_id in credited else {},
                "takes_credits": by_order[order_id].takes_credits(chosen.get(order_id, 0)),
            }
            for order_id in sorted({*chosen, *credited})
        ],
    )
    return sum(chosen.values())


async def _package(uow: UnitOfWork, wanted: MoneyWanted) -> dict[str, Any]:
    """The package whose credit is chosen for everybody, as it is now; empty for another choice.

    Raises: InvalidInput at `package` without one.
    """
    if wanted.choice is not MoneyChoice.CREDIT:
        return {}
    found = await find_given_back(uow, [wanted.package_id] if wanted.package_id else [])
    if not found:
        sentence = _("Please choose which credit is given.")
        raise InvalidInput(sentence, fields={"package": sentence})
    [package] = found.values()
    kept: dict[str, Any] = msgspec.to_builtins(package)
    return kept


def decided_minor(
    people: Sequence[Returnable], wanted: MoneyWanted, currency: str
) -> dict[UUID, int]:
    """What goes back by order, in minor units; an order that gets nothing is left out.

    Raises: InvalidInput for no choice, at `money`; for more than can go back, at `back.<order>`;
    and when somebody could get another amount by now than was seen.
    """
    if wanted.seen is not None and wanted.seen != mark_of(people):
        raise InvalidInput(_("What can go back has just changed. Please look at it again."))
    if wanted.choice is None and any(one.order_id not in wanted.own for one in people):
        sentence = _("Please choose what goes back.")
        raise InvalidInput(sentence, fields={"money": sentence})
    choice = wanted.choice or MoneyChoice.NOTHING
    return chosen_minor(people, choice, wanted.own, currency, current_locale())
