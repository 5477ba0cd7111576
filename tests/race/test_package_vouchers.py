"""Two tabs that pay two packages with the last of one voucher, and a package whose transfer is
matched in the moment in which it ends: money is spent once, and credits are never without it.
"""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.commands import voucher_claims
from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.ending import expire_order
from src.billing.commands.transfers import TransferReceived, mark_transfer_received
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditLot, Order, Voucher
from src.platform.errors import DomainError
from src.platform.ids import new_id
from src.platform.localtime import to_local
from tests.booking.commands.test_transfers import takes_transfers
from tests.conftest import Committing
from tests.race.test_vouchers import UNGUARDED, wrong
from tests.support.builders import Business, a_business, as_guest
from tests.support.credits import a_package
from tests.support.locks import held_until_all_wait
from tests.support.servers import test_servers
from tests.support.vouchers import CODE, a_voucher, on_it

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

TABS = 10
ROUNDS = 8
PRICE_MINOR = 12_000


async def two_packages(committing: Committing) -> tuple[Business, list[UUID]]:
    business = await a_business(committing.uow_factory)
    made = [
        await a_package(committing.uow_factory, business.id, name=name) for name in ("Ten", "Five")
    ]
    return business, [one.id for one in made]


async def tab(committing: Committing, business: Business, package_id: UUID) -> str:
    """One window that buys one of them with the voucher's code."""
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
        coupon=CODE,
    )
    try:
        async with committing.uow_factory(business.id) as uow:
            await buy_package(uow, as_guest(business), wish)
    except DomainError as refused:
        return str(refused.code)
    return "bought"


async def tabs(committing: Committing, business: Business, packages: list[UUID]) -> Counter[str]:
    wanted = [packages[number % 2] for number in range(TABS)]
    return Counter(await asyncio.gather(*(tab(committing, business, one) for one in wanted)))


async def credits_of(committing: Committing, business: Business) -> list[tuple[str, int]]:
    async with committing.uow_factory(business.id) as uow:
        found = await uow.session.execute(select(CreditLot.state, CreditLot.balance))
        return [(row[0], row[1]) for row in found]


async def test_the_last_of_a_voucher_pays_one_of_two_packages(committing: Committing) -> None:
    business, packages = await two_packages(committing)
    await a_voucher(committing.uow_factory, business.id, minor=PRICE_MINOR)
    outcomes = await tabs(committing, business, packages)
    assert outcomes == {"bought": 1, "invalid_input": TABS - 1}
    assert await on_it(committing.uow_factory, business.id) == 0
    assert await credits_of(committing, business) == [("active", 10)]
    assert await wrong(committing, business) == []


async def test_control_without_the_guard_many_packages_are_paid_with_the_same_money(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, packages = await two_packages(committing)
    await a_voucher(committing.uow_factory, business.id, minor=PRICE_MINOR)
    monkeypatch.setattr(voucher_claims, "_TAKE", UNGUARDED)
    outcomes = await held_until_all_wait(
        committing.uow_factory,
        business.id,
        select(Voucher.id),
        many=TABS,
        acts=tabs(committing, business, packages),
    )
    assert outcomes == {"bought": TABS}
    assert await wrong(committing, business) != []
    # What was spent twice is no other test's: after each of them all ledgers add up.
    for sql in ("DELETE FROM voucher_entries", "UPDATE vouchers SET balance_minor = 0"):
        test_servers().postgres.execute(committing.name, sql)


async def a_waiting_one(committing: Committing, business: Business, package_id: UUID) -> UUID:
    wish = BuyCommand(
        package_id=package_id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
        way=PaymentMode.TRANSFER,
    )
    async with committing.uow_factory(business.id) as uow:
        return (await buy_package(uow, as_guest(business), wish)).id


async def match(committing: Committing, business: Business, order_id: UUID) -> None:
    cmd = TransferReceived(
        order_id=order_id,
        amount_minor=PRICE_MINOR,
        arrived_on=to_local(committing.services.clock.now(), business.tenant.zone).date(),
        token=new_id(),
    )
    async with committing.uow_factory(business.id) as uow:
        await mark_transfer_received(uow, business.ctx, cmd)


async def end(committing: Committing, business: Business, order_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        await expire_order(uow, order_id, "not_paid", uow.clock.now())


async def test_matched_and_ending_at_once_the_money_has_its_credits(
    committing: Committing,
) -> None:
    """Whoever is first: what ended before is brought back by the money."""
    business, (package_id, _other) = await two_packages(committing)
    await takes_transfers(committing.services, business)
    for number in range(ROUNDS):
        order_id = await a_waiting_one(committing, business, package_id)
        acts = [match(committing, business, order_id), end(committing, business, order_id)]
        await asyncio.gather(*(acts if number % 2 else reversed(acts)))
        async with committing.uow_factory(business.id) as uow:
            found = await uow.session.execute(
                select(CreditLot.state, CreditLot.balance, Order.state, Order.paid_minor)
                .join(Order, Order.id == CreditLot.order_id)
                .where(CreditLot.order_id == order_id)
            )
            assert tuple(found.one()) == ("active", 10, "confirmed", PRICE_MINOR)
            items = await uow.session.scalar(text("SELECT count(*) FROM open_items"))
            assert items == 0
