"""The parts of an order's price, for its guest and for staff."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from src.billing.commands.cards import list_usable_cards
from src.billing.commands.instalments import list_parts
from src.billing.domain.kinds import OrderState
from src.billing.domain.parts import PLAN, PartState, to_pay
from src.billing.models import Instalment, Order
from src.billing.queries.cards import today_at
from src.billing.queries.disputes import list_dispute_states
from src.billing.views.parts import PartsView, PartView
from src.platform.db.uow import UnitOfWork
from src.platform.localtime import to_local

KEEPING_TAKES = timedelta(minutes=15)
"""At most, until the card that paid the first part is known."""


async def get_parts_view(uow: UnitOfWork, order: Order, zone: ZoneInfo) -> PartsView | None:
    """None for what is paid at once."""
    if not order.later_minor:
        return None
    found = await list_parts(uow, order.id)
    left = to_pay(found)
    today_on = today_at(zone, uow.clock.now())
    usable = {card.id for card in await list_usable_cards(uow, order.customer_id, today_on)}
    is_refused = "lost" in await list_dispute_states(uow, order.id)
    return PartsView(
        parts=[_view(part, zone) for part in found],
        left_minor=sum(part.minor for part in left),
        next_minor=left[0].minor if left else 0,
        open=len(left),
        has_card=_is_being_kept(uow, order, found)
        or (not is_refused and any(one.card_id in usable for one in found)),
        is_overdue=any(part.state == PartState.OVERDUE for part in found),
        words=order.consents[PLAN]["text"],
    )


def _is_being_kept(uow: UnitOfWork, order: Order, parts: Sequence[Instalment]) -> bool:
    """The first part has just been paid, and a job asks which card it was."""
    if order.confirmed_at is None:
        return order.state == OrderState.OPEN
    is_new = uow.clock.now() - order.confirmed_at < KEEPING_TAKES
    return is_new and all(part.card_id is None for part in parts)


async def list_part_views(uow: UnitOfWork, order_id: UUID, zone: ZoneInfo) -> list[PartView]:
    """All of the order's, by number."""
    return [_view(part, zone) for part in await list_parts(uow, order_id)]


def _view(part: Instalment, zone: ZoneInfo) -> PartView:
    is_tried = part.state == PartState.DUE and part.attempts > 0 and part.page_id is None
    again_at = part.next_try_at if is_tried else None
    return PartView(
        id=part.id,
        number=part.number,
        due_on=part.due_on,
        minor=part.minor,
        state=part.state,
        again_on=to_local(again_at, zone).date() if again_at is not None else None,
        is_charged=part.page_id is not None,
        why=part.why,
    )
