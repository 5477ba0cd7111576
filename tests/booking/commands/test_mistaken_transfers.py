"""A transfer that was noted and never came is taken off, and nothing of it is told or owed."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import close_item_by_hand
from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.commands.transfers import Outcome, Received
from src.billing.models import Payment, Refund
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import month_totals
from src.billing.queries.transfers import list_mistakable
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.domain.cancelling import MoneyChoice
from src.booking.models import Seat
from src.platform.errors import Conflict, InvalidInput
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.money import Money
from src.platform.services import Services
from tests.booking.commands.test_transfers import (
    by_transfer,
    items,
    receive,
    takes_transfers,
    the_order,
)
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await takes_transfers(services, business)
    return business


async def test_what_was_noted_by_mistake_is_taken_off_and_no_refund_written(
    services: Services, lotus: Business
) -> None:
    """One of two that a paid order does not wait for: the other is still to be sent back."""
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id, 2000)
    await receive(services, lotus, booked.order_id, 900)
    before = await transfers_of(services, lotus, booked.order_id)
    assert [one.amount_minor for one in before] == [900, 500]
    taken = await take_off(services, lotus, booked.order_id, before[0].id)
    assert taken == Money(900, "EUR")
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor, order.refunded_minor) == ("confirmed", 2000, 0)
    [item] = await items(services, lotus)
    assert item.facts["amount_minor"] == 500
    await take_off(services, lotus, booked.order_id, before[1].id)
    assert await items(services, lotus) == []
    async with services.uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(Refund))).all() == []
        page = await get_order_page(uow, lotus.tenant, booked.order_id)
    told = [one.text for one in page.timeline]
    assert "€9.00 was noted as a bank transfer by mistake, and taken off: Twice" in told
    assert "€9.00 came by bank transfer" not in told
    assert (page.paid_minor, page.to_hand_back_minor) == (1500, 0)


async def test_what_pays_for_a_place_or_has_gone_back_was_no_mistake(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id, 2000)
    [extra] = await transfers_of(services, lotus, booked.order_id)
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Payment).where(Payment.is_extra.is_(False)))
        price = found.one()
    with pytest.raises(Conflict):
        await take_off(services, lotus, booked.order_id, price.id)
    with pytest.raises(InvalidInput):
        await take_off(services, lotus, booked.order_id, extra.id, reason=" ")
    [item] = await items(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await close_item_by_hand(uow, lotus.ctx, booked.order_id, item.id)
    with pytest.raises(Conflict):
        await take_off(services, lotus, booked.order_id, extra.id)


async def test_a_part_that_never_came_is_waited_for_again(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id, 500)
    [part] = await transfers_of(services, lotus, booked.order_id)
    await take_off(services, lotus, booked.order_id, part.id)
    with pytest.raises(Conflict):
        await take_off(services, lotus, booked.order_id, part.id)
    assert await receive(services, lotus, booked.order_id, 500) == Received(Outcome.PARTIAL, 1000)


@pytest.mark.parametrize("wanted", [NOTHING, MoneyWanted(choice=MoneyChoice.FULL)])
async def test_one_noted_for_the_wrong_order_is_taken_off_once_all_of_that_is_cancelled(
    services: Services, lotus: Business, clock: FrozenClock, wanted: MoneyWanted
) -> None:
    """Unless it is promised to go back: then it did come."""
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id)
    assert await transfers_of(services, lotus, booked.order_id) == []
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        seat = (await uow.session.scalars(select(Seat))).one()
        await cancel_seats(
            uow, lotus.ctx, seat.session_id, [seat.id], reason="", undo_seconds=0, money=wanted
        )
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    async with services.uow_factory(lotus.id) as uow:
        page = await get_order_page(uow, lotus.tenant, booked.order_id)
    assert (page.is_all_cancelled, page.may_be_mistaken) == (True, wanted is NOTHING)
    if wanted is not NOTHING:
        with pytest.raises(Conflict):
            await take_off(services, lotus, booked.order_id, payment.id)
        return
    await take_off(services, lotus, booked.order_id, payment.id, reason="It was Bo's.")
    async with services.uow_factory(lotus.id) as uow:
        page = await get_order_page(uow, lotus.tenant, booked.order_id)
        month = await month_totals(uow, lotus.tenant, services.clock.now())
    assert (page.paid_minor, page.refunded_minor, page.to_hand_back_minor) == (0, 0, 0)
    assert (page.refunds, page.payments, page.open_items) == ([], [], [])
    assert (month.paid_minor, month.refunded_minor, month.to_hand_back_minor) == (0, 0, 0)
    told = "€15.00 was noted as a bank transfer by mistake, and taken off: It was Bo's."
    assert told in [one.text for one in page.timeline]


async def test_a_form_sent_again_after_its_transfer_was_taken_off_notes_nothing(
    services: Services, lotus: Business
) -> None:
    """Going back in the browser sends it anew; what it noted was a mistake, and stays one."""
    booked, part, extra = await by_transfer(services, lotus), new_id(), new_id()
    await receive(services, lotus, booked.order_id, 500, part)
    await _take_off_newest(services, lotus, booked.order_id)
    known = Received(Outcome.TAKEN_OFF)
    assert await receive(services, lotus, booked.order_id, 500, part) == known
    await receive(services, lotus, booked.order_id)
    await receive(services, lotus, booked.order_id, 900, extra)
    await _take_off_newest(services, lotus, booked.order_id)
    assert await receive(services, lotus, booked.order_id, 900, extra) == known
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor) == ("confirmed", 1500)
    assert await receive(services, lotus, booked.order_id, 900) == Received(
        Outcome.PAID_ALREADY, 900
    ), "another form is another transfer"


async def test_nobody_is_thanked_for_a_part_that_was_taken_off_before_the_mail_left(
    services: Services, lotus: Business
) -> None:
    """Neither with an empty amount nor a second time for another part; that one is told of once."""
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id, 500)
    await _take_off_newest(services, lotus, booked.order_id)
    await work(services, lotus.id)
    assert await subjects(services, lotus, "billing.transfer_part") == []
    await receive(services, lotus, booked.order_id, 300)
    await receive(services, lotus, booked.order_id, 400)
    await _take_off_newest(services, lotus, booked.order_id)
    await work(services, lotus.id)
    told = await subjects(services, lotus, "billing.transfer_part")
    assert told == ["We have received €3.00; €12.00 is still missing"]


async def subjects(services: Services, business: Business, kind: str) -> Sequence[str]:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(MailRow.subject).where(MailRow.kind == kind))
        return found.all()


async def _take_off_newest(services: Services, business: Business, order_id: UUID) -> None:
    newest = (await transfers_of(services, business, order_id))[0]
    await take_off(services, business, order_id, newest.id)


async def transfers_of(services: Services, business: Business, order_id: UUID) -> Sequence[Payment]:
    async with services.uow_factory(business.id) as uow:
        return await list_mistakable(uow, order_id)


async def take_off(
    services: Services,
    business: Business,
    order_id: UUID,
    payment_id: UUID,
    reason: str = "Twice",
) -> Money:
    cmd = TransferMistaken(order_id=order_id, payment_id=payment_id, reason=reason)
    async with services.uow_factory(business.id) as uow:
        return await take_off_transfer(uow, business.ctx, cmd)
