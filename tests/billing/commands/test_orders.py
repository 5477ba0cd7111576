import re
from datetime import timedelta

import pytest
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from src.billing.commands.orders import find_order_by_form_token, get_order, insert_order
from src.billing.domain.kinds import PaymentMode
from src.billing.models import OrderLine
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, NotFound
from src.platform.ids import new_id
from src.tenants.models import Due
from tests.billing.support import Business, a_line, make_business, new_order
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


async def test_an_order_to_be_paid_online_holds_until_its_page_has_ended(
    uow_factory: UowFactory, business: Business, clock: FrozenClock
) -> None:
    new = new_order(business, [a_line(quantity=2, unit_minor=1500, tax_rate_bp=2000)])
    async with uow_factory(business.id) as uow:
        order = await insert_order(uow, new, month="2027-03", now=clock.now())
    assert (order.state, order.total_minor) == ("open", 3000)
    async with uow_factory(business.id) as uow:
        stored = await get_order(uow, order.id)
        line = await uow.session.scalar(select(OrderLine).where(OrderLine.order_id == order.id))
        due = await uow.session.scalar(select(Due).where(Due.ref == order.id))
    assert stored.hold_expires_at == clock.now() + timedelta(minutes=36)
    assert re.fullmatch(r"[2-9B-Z]{4}-[2-9B-Z]{4}", stored.reference)
    assert line is not None
    assert (line.total_minor, line.tax_minor) == (3000, 500)
    assert due is not None
    assert (due.kind, due.at) == ("hold", stored.hold_expires_at)


@pytest.mark.parametrize("mode", [PaymentMode.FREE, PaymentMode.ON_SITE, PaymentMode.ONLINE])
async def test_what_needs_no_page_is_confirmed_at_once(
    uow_factory: UowFactory, business: Business, clock: FrozenClock, mode: PaymentMode
) -> None:
    new = new_order(business, [a_line(discount_minor=2000)], payment_mode=mode)
    async with uow_factory(business.id) as uow:
        order = await insert_order(uow, new, month=None, now=clock.now())
        due = await uow.session.scalar(select(Due).where(Due.ref == order.id))
    assert (order.state, order.confirmed_at, order.discount_minor) == (
        "confirmed",
        clock.now(),
        2000,
    )
    assert order.hold_expires_at is None
    assert due is None


async def test_an_order_costs_one_statement_and_no_read(
    uow_factory: UowFactory, business: Business, clock: FrozenClock
) -> None:
    statements: list[str] = []

    def remember(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        async with uow_factory(business.id) as uow:
            free = new_order(business, [a_line(), a_line()], payment_mode=PaymentMode.FREE)
            await insert_order(uow, free, month=None, now=clock.now())
    finally:
        event.remove(Engine, "before_cursor_execute", remember)
    (written,) = [one for one in statements if "INSERT INTO" in one or "SELECT" in one]
    assert all(f"INSERT INTO {name} " in written for name in ("orders", "order_lines", "outbox"))


async def test_a_form_makes_one_order_only(
    uow_factory: UowFactory, business: Business, clock: FrozenClock
) -> None:
    new = new_order(business)
    async with uow_factory(business.id) as uow:
        await insert_order(uow, new, month=None, now=clock.now())
    async with uow_factory(business.id) as uow:
        found = await find_order_by_form_token(uow, new.form_token)
    assert found is not None
    assert found.id == new.order_id
    again = new_order(business, form_token=new.form_token)
    with pytest.raises(Conflict) as refused:
        async with uow_factory(business.id) as uow:
            await insert_order(uow, again, month=None, now=clock.now())
    assert refused.value.code == "already_submitted"


async def test_another_tenants_order_is_not_there(
    uow_factory: UowFactory, business: Business, clock: FrozenClock
) -> None:
    other = await make_business(uow_factory, clock.now(), "quay")
    new = new_order(business)
    async with uow_factory(business.id) as uow:
        await insert_order(uow, new, month=None, now=clock.now())
    async with uow_factory(other.id) as uow:
        assert await find_order_by_form_token(uow, new.form_token) is None
        with pytest.raises(NotFound):
            await get_order(uow, new.order_id)
        with pytest.raises(NotFound):
            await get_order(uow, new_id())
