"""A transfer that was taken off a package is noted anew by two colleagues at once, or in the moment
in which what its voucher had paid is spent elsewhere: it is back once, and never without its money.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.credit_acts import ChangeNumber, remove_credits
from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.commands.transfers import Outcome, TransferReceived, mark_transfer_received
from src.billing.domain.kinds import NotHad, PaymentMode
from src.billing.models import CreditLot, Order, Payment
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_transfers import takes_transfers
from tests.conftest import Committing
from tests.properties.invariants import WHAT_IS_BROKEN
from tests.race.test_package_vouchers import PRICE_MINOR, two_packages
from tests.support.builders import Business, as_guest
from tests.support.credits import a_package
from tests.support.locks import until_somebody_waits
from tests.support.vouchers import CODE, a_voucher, on_it
from tests.support.work import work_together

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

PART_MINOR = 5000
Act = Callable[[UnitOfWork], Awaitable[object]]


async def buy(business: Business, uow: UnitOfWork, package_id: UUID, way: PaymentMode) -> None:
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
        coupon=CODE,
        way=way,
    )
    await buy_package(uow, as_guest(business), wish)


async def note(committing: Committing, business: Business, uow: UnitOfWork) -> object:
    order_id = (await uow.session.scalars(select(Order.id).order_by(Order.id).limit(1))).one()
    today = to_local(committing.services.clock.now(), business.tenant.zone).date()
    came = TransferReceived(
        order_id=order_id,
        amount_minor=PRICE_MINOR - PART_MINOR,
        arrived_on=today,
        token=new_id(),
    )
    found = await mark_transfer_received(uow, business.ctx, came)
    return found.outcome, found.why


async def a_cancelled_one(committing: Committing) -> Business:
    """A package that a voucher and a transfer had paid, which was taken off."""
    business, (package_id, _other) = await two_packages(committing)
    await takes_transfers(committing.services, business)
    await a_voucher(committing.uow_factory, business.id, minor=PART_MINOR)
    async with committing.uow_factory(business.id) as uow:
        await buy(business, uow, package_id, PaymentMode.TRANSFER)
    async with committing.uow_factory(business.id) as uow:
        await note(committing, business, uow)
    async with committing.uow_factory(business.id) as uow:
        lot_id = (await uow.session.scalars(select(CreditLot.id))).one()
        cmd = ChangeNumber(lot_id=lot_id, number=10, reason="Not paid", token=new_id())
        await remove_credits(uow, business.ctx, cmd)
    async with committing.uow_factory(business.id) as uow:
        paid = (
            await uow.session.scalars(select(Payment).where(Payment.method == "transfer"))
        ).one()
        mistaken = TransferMistaken(
            order_id=paid.order_id, payment_id=paid.id, reason="It was Bo's."
        )
        await take_off_transfer(uow, business.ctx, mistaken)
    await work_together(committing.services, business.id)
    assert await on_it(committing.uow_factory, business.id) == PART_MINOR
    return business


async def one_by_one(
    committing: Committing, business: Business, first: Act, second: Act
) -> tuple[object, object]:
    """The first is held open until the second waits for it; a refusal is what one comes to."""

    async def follow() -> object:
        async with committing.uow_factory(business.id) as uow:
            return await second(uow)

    async with committing.uow_factory(business.id) as uow:
        done = await first(uow)
        await uow.settle()
        follower = asyncio.create_task(follow())
        await until_somebody_waits(committing.uow_factory)
    [followed] = await asyncio.gather(follower, return_exceptions=True)
    async with committing.uow_factory(business.id) as uow:
        connection = await uow.session.connection()
        assert (await connection.exec_driver_sql(WHAT_IS_BROKEN)).all() == []
    return done, followed


async def lots(committing: Committing, business: Business) -> list[tuple[str, int]]:
    async with committing.uow_factory(business.id) as uow:
        found = select(CreditLot.state, CreditLot.balance).order_by(CreditLot.id)
        return [(state, balance) for state, balance in await uow.session.execute(found)]


async def test_two_that_note_it_anew_bring_it_back_once(committing: Committing) -> None:
    business = await a_cancelled_one(committing)

    async def act(uow: UnitOfWork) -> object:
        return await note(committing, business, uow)

    done, followed = await one_by_one(committing, business, act, act)
    assert done == (Outcome.BROUGHT_BACK, None)
    assert followed == (Outcome.PAID_ALREADY, None)
    assert await lots(committing, business) == [("active", 10)]
    assert await on_it(committing.uow_factory, business.id) == 0


@pytest.mark.parametrize("spent_first", [True, False], ids=["spent first", "back first"])
async def test_the_voucher_pays_one_of_them(committing: Committing, spent_first: bool) -> None:
    business = await a_cancelled_one(committing)
    other = await a_package(
        committing.uow_factory, business.id, name="One", price_minor=PART_MINOR, credits=1
    )

    async def spend(uow: UnitOfWork) -> object:
        return await buy(business, uow, other.id, PaymentMode.ONLINE)

    async def act(uow: UnitOfWork) -> object:
        return await note(committing, business, uow)

    pair = (spend, act) if spent_first else (act, spend)
    done, followed = await one_by_one(committing, business, *pair)
    if spent_first:
        assert followed == (Outcome.TO_HAND_BACK, NotHad.VOUCHER)
        assert await lots(committing, business) == [("void", 0), ("active", 1)]
    else:
        assert done == (Outcome.BROUGHT_BACK, None)
        assert isinstance(followed, InvalidInput)
        assert await lots(committing, business) == [("active", 10)]
    assert await on_it(committing.uow_factory, business.id) == 0
