"""The money that comes back to guests who leave seats of their own."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from src.billing.commands.open_items import raise_open_item
from src.billing.commands.refunds import request_refunds
from src.billing.domain.kinds import OpenItemKind, RefundCause
from src.billing.models import Order
from src.billing.queries.given_back import get_ways_back
from src.billing.queries.to_hand_back import get_left_by_hand_minor
from src.platform.db.uow import UnitOfWork


class CameBack(NamedTuple):
    """What the leaving itself gives back, in minor units: by voucher and through the processor, of
    that on the voucher that had paid, and by the business's own hand.
    """

    back_minor: int = 0
    on_voucher_minor: int = 0
    by_hand_minor: int = 0


async def give_back(
    uow: UnitOfWork, order: Order, seat_ids: Sequence[UUID], wanted_minor: int
) -> CameBack:
    """Asks for so much of the locked order's money, once: the key names one of the seats, which can
    end only once. Less comes back than was wanted where less is left.
    """
    if not wanted_minor:
        return CameBack()
    key = f"{RefundCause.CANCELLED}:{min(map(str, seat_ids))}"
    asked = await request_refunds(
        uow, order, wanted_minor, cause=RefundCause.CANCELLED, cause_key=key
    )
    on_voucher = (await get_ways_back(uow, order.id, key)).on_voucher_minor
    by_hand = await _promise_by_hand(uow, order, seat_ids, wanted_minor - asked)
    return CameBack(asked, on_voucher, by_hand)


async def _promise_by_hand(
    uow: UnitOfWork, order: Order, seat_ids: Sequence[UUID], rest: int
) -> int:
    """What is wanted beyond what went to a card, of what was taken on site: the business is asked
    to hand it back. Returns how much, in minor units.
    """
    minor = min(rest, await get_left_by_hand_minor(uow, order.id)) if rest > 0 else 0
    if minor:
        facts = {
            "reference": order.reference,
            "guest": order.guest_name or order.guest_email,
            "amount_minor": minor,
            "currency": order.currency,
            "method": order.payment_mode,
        }
        await raise_open_item(uow, OpenItemKind.HAND_BACK, min(seat_ids), order.id, facts)
    return minor
