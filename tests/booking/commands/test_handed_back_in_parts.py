"""What goes back by hand in two parts, of which the first is given before the second is known."""

from typing import Any

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.models import OpenItem, Order, Package, Refund
from src.billing.queries.orders import list_open_items
from src.billing.queries.to_hand_back import get_to_hand_back_minor
from src.booking.domain.cancelling import MoneyChoice
from src.booking.jobs import cancel as cancelling
from src.platform.services import Services
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_cancel_credits import cancels_purchase, given, lots, lotus
from tests.booking.commands.test_cancel_money import UNDO, buys
from tests.booking.commands.test_cancel_takes_credits import returns
from tests.booking.commands.test_leave import leave
from tests.support.builders import Business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.policies import gives_package, leaving
from tests.support.work import work_through

pytestmark = pytest.mark.anyio

__all__ = ["given", "lotus"]


async def test_what_follows_on_what_was_handed_back_is_asked_for_and_noted_alone(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three dates for 30 paid on site, one of them a credit by now. The worker stops between the
    seats and the credit, and staff hand the seats' 20 back meanwhile.
    """
    term = await a_series(
        services.uow_factory,
        await a_service(services.uow_factory, lotus.id),
        price_type="on_site",
        price_minor=3000,
        leaving=leaving(course=gives_package(given)),
    )
    made = await buys(services, lotus, term, "carl", by_card=False)
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    cancellation_id = await cancels_purchase(
        services, lotus, made.booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )

    async def stops(*_args: Any) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as broken:
        broken.setattr(cancelling, "revoke_credits", stops)
        await work_through(services, clock, lotus.id, UNDO)
    for minor in (2000, 1000):
        async with services.uow_factory(lotus.id) as uow:
            (item,) = await list_open_items(uow)
            kept = await uow.session.get_one(OpenItem, (lotus.id, item.id))
            told = await get_to_hand_back_minor(uow, made.order_id)
        assert (kept.facts["amount_minor"], told) == (minor, minor)
        back = await returns(services, lotus, cancellation_id)
        assert back.still_by_hand_minor == minor
        async with services.uow_factory(lotus.id) as uow:
            assert await close_item_by_hand(uow, lotus.ctx, made.order_id, item.id) == minor
        await work_through(services, clock, lotus.id, 20 * UNDO)

    assert [lot.balance for lot in await lots(services, lotus)] == [0]
    async with services.uow_factory(lotus.id) as uow:
        assert await list_open_items(uow) == []
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        written = await uow.session.scalars(select(Refund.amount_minor).order_by(Refund.id))
        assert (order.refunded_minor, list(written)) == (3000, [2000, 1000])
    back = await returns(services, lotus, cancellation_id)
    assert (back.goes_back_minor, back.still_by_hand_minor) == (3000, 0)
    assert [(one.amount_minor, one.handed_at is not None) for one in back.by_hand] == [(3000, True)]
