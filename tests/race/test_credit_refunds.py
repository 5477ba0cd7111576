"""The rest of a lot is refunded in the moment in which a guest uses a credit of it: never both.

The control reads the lot without its lock, and shows the race.
"""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from src.billing.commands import credit_refunds
from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.models import CreditLot, Refund
from src.booking.domain.drop_in import PayWay
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import DomainError
from src.platform.ids import new_id
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.test_credits import paid_by_card
from tests.conftest import Committing
from tests.race.test_seats import without_check
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.lots import a_customer, lot_of

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]

ROUNDS = 8
WORTH = 12_000


async def a_shop(committing: Committing) -> tuple[Business, Session, CreditLot]:
    """A date, and ten credits that were paid by card."""
    factory = committing.uow_factory
    business = await a_business(factory)
    session = await a_session(factory, await a_service(factory, business.id), capacity=50)
    carl = await a_customer(factory, business.id)
    order = await paid_by_card(committing.services, business, carl)
    return business, session, await lot_of(factory, business.id, carl.id, order_id=order.id)


async def outcome(act: object) -> str:
    try:
        await act  # type: ignore[misc]  # a coroutine of either kind
    except DomainError as refused:
        return refused.code
    return "done"


async def refund(committing: Committing, business: Business, lot_id: UUID) -> None:
    async with committing.uow_factory(business.id) as uow:
        cmd = RefundCredits(
            lot_id=lot_id, amount_minor=WORTH, seen=10, reason="Moves away", token=new_id()
        )
        await refund_credits(uow, business.ctx, cmd)


async def redeem(
    committing: Committing, business: Business, session: Session, lot: CreditLot
) -> None:
    wish = a_wish(
        "session",
        session.id,
        way=PayWay.CREDIT,
        customer_id=lot.customer_id,
        credit_lot_id=lot.id,
    )
    await booked(committing.uow_factory, business, wish)


async def left_and_back(
    committing: Committing, business: Business, lot_id: UUID
) -> tuple[int, int, int]:
    """The balance, the sum of the ledger, and the money on its way back."""
    async with committing.uow_factory(business.id) as uow:
        lot = await uow.session.get_one(CreditLot, (business.id, lot_id))
        ledger = await uow.session.scalar(
            text("SELECT sum(credits) FROM credit_entries WHERE lot_id = :lot"), {"lot": lot_id}
        )
        back = await uow.session.scalar(select(func.coalesce(func.sum(Refund.amount_minor), 0)))
    return lot.balance, int(ledger or 0), int(back or 0)


async def test_a_refund_and_a_booking_never_both_have_the_same_credits(
    committing: Committing,
) -> None:
    business, session, lot = await a_shop(committing)
    seen: Counter[str] = Counter()
    acts = [redeem(committing, business, session, lot) for _window in range(ROUNDS)]
    acts += [refund(committing, business, lot.id) for _press in range(3)]
    seen.update(await asyncio.gather(*(outcome(act) for act in acts)))
    balance, ledger, back = await left_and_back(committing, business, lot.id)
    assert balance == ledger
    assert (balance, back) in [(0, WORTH), (10 - seen["done"], 0)]


async def test_control_without_the_lock_money_goes_back_for_credits_that_are_used(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    business, session, lot = await a_shop(committing)
    await without_check(committing, "credit_lots", "ck_credit_lots_balance")
    is_read, is_used = asyncio.Event(), asyncio.Event()

    async def unlocked(uow: UnitOfWork, lot_id: UUID) -> CreditLot:
        found = await uow.session.get_one(CreditLot, (uow.tenant, lot_id))
        is_read.set()
        await is_used.wait()
        return found

    monkeypatch.setattr(credit_refunds, "lock_lot", unlocked)

    async def use_meanwhile() -> None:
        await is_read.wait()
        await redeem(committing, business, session, lot)
        is_used.set()

    await asyncio.gather(refund(committing, business, lot.id), use_meanwhile())
    balance, ledger, back = await left_and_back(committing, business, lot.id)
    assert back == WORTH
    assert (balance, ledger) != (0, 0)
    async with committing.uow_factory(business.id) as uow:
        await uow.session.execute(text("UPDATE credit_lots SET balance = :left"), {"left": ledger})
