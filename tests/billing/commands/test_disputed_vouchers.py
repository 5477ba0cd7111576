"""A voucher that was bought with money which its bank wants back."""

from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.models import Payment, Voucher
from src.billing.settlement import settle_page
from tests.billing.commands.test_credit_refunds import Outcome, dispute, paid_twice
from tests.billing.till import Till
from tests.support.vouchers import a_voucher

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sold(till: Till) -> UUID:
    """An order of 20.00 that is paid by card, and has bought a voucher."""
    order_id, session_id = await till.order_with_page()
    await till.pay(session_id)
    await settle_page(till.services, till.business.id, await till.page_id(order_id))
    await a_voucher(till.services.uow_factory, till.business.id, order_id=order_id)
    return order_id


async def state(till: Till) -> str:
    async with till.services.uow_factory(till.business.id) as uow:
        return (await uow.session.scalars(select(Voucher.state))).one()


async def the_payment(till: Till) -> UUID:
    async with till.services.uow_factory(till.business.id) as uow:
        return (await uow.session.scalars(select(Payment.id))).one()


async def test_nobody_spends_it_while_the_bank_decides(till: Till, sold: UUID) -> None:
    await dispute(till, sold, await the_payment(till), 2000, None)
    assert await state(till) == "blocked"


async def test_a_dispute_that_is_won_at_once_lets_it_be(till: Till, sold: UUID) -> None:
    await dispute(till, sold, await the_payment(till), 2000, "won")
    assert await state(till) == "active"


@pytest.mark.parametrize("outcome", [None, "lost"])
async def test_what_was_paid_twice_bought_no_voucher(
    till: Till, sold: UUID, outcome: Outcome
) -> None:
    await dispute(till, sold, await paid_twice(till, sold), 2000, outcome)
    assert await state(till) == "active"
