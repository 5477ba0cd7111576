"""A transfer is taken off a package in the moment in which a colleague adds credits to it.

Whoever comes first, nobody has credits of a package that was never paid, and whoever comes second
reads why not. The control takes it off without locking them, and only the database refuses it.
"""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from src.billing.commands import mistaken_transfers
from src.billing.commands.credit_acts import ChangeNumber, add_credits, remove_credits
from src.billing.commands.mistaken_transfers import TransferMistaken, take_off_transfer
from src.billing.models import CreditLot, Order, Payment
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.ids import new_id
from tests.booking.commands.test_transfers import takes_transfers
from tests.conftest import Committing
from tests.race.test_package_vouchers import PRICE_MINOR, a_waiting_one, match, two_packages
from tests.support.builders import Business
from tests.support.locks import until_somebody_waits

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def change(business: Business, uow: UnitOfWork, by: int) -> None:
    lot_id = (await uow.session.scalars(select(CreditLot.id))).one()
    cmd = ChangeNumber(lot_id=lot_id, number=abs(by), reason="Noted", token=new_id())
    await (add_credits if by > 0 else remove_credits)(uow, business.ctx, cmd)


async def take_off(business: Business, uow: UnitOfWork) -> None:
    payment = (await uow.session.scalars(select(Payment))).one()
    await take_off_transfer(
        uow,
        business.ctx,
        TransferMistaken(order_id=payment.order_id, payment_id=payment.id, reason="It was Bo's."),
    )


async def an_empty_one(committing: Committing) -> Business:
    """A package that somebody else's transfer has paid, and whose credits are taken off."""
    business, (package_id, _other) = await two_packages(committing)
    await takes_transfers(committing.services, business)
    await match(committing, business, await a_waiting_one(committing, business, package_id))
    async with committing.uow_factory(business.id) as uow:
        await change(business, uow, -10)
    return business


async def at_once(committing: Committing, *, adding_first: bool) -> tuple[object, str, int, int]:
    """How who comes second is refused, the lot's state and credits, and what the order counts as
    paid.
    """
    business = await an_empty_one(committing)

    async def act(uow: UnitOfWork, *, adding: bool) -> None:
        await (change(business, uow, 1) if adding else take_off(business, uow))

    async def follows() -> None:
        async with committing.uow_factory(business.id) as uow:
            await act(uow, adding=not adding_first)

    async with committing.uow_factory(business.id) as uow:
        await act(uow, adding=adding_first)
        await uow.settle()
        second = asyncio.create_task(follows())
        await until_somebody_waits(committing.uow_factory)
    [refusal] = await asyncio.gather(second, return_exceptions=True)
    async with committing.uow_factory(business.id) as uow:
        lot = (await uow.session.scalars(select(CreditLot))).one()
        paid = (await uow.session.scalars(select(Order.paid_minor))).one()
        return type(refusal), lot.state, lot.balance, paid


async def test_credits_that_were_added_first_keep_the_transfer(committing: Committing) -> None:
    became = await at_once(committing, adding_first=True)
    assert became == (Conflict, "active", 1, PRICE_MINOR)


async def test_none_are_added_to_what_was_never_paid(committing: Committing) -> None:
    assert await at_once(committing, adding_first=False) == (Conflict, "void", 0, 0)


async def test_control_without_the_lock_only_the_database_refuses_it(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looked_only(uow: UnitOfWork, order_id: UUID) -> bool:
        return True

    monkeypatch.setattr(mistaken_transfers, "_lock_credits", looked_only)
    became = await at_once(committing, adding_first=True)
    assert became == (IntegrityError, "active", 1, PRICE_MINOR)
