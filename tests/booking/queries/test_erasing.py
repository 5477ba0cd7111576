"""What stands against erasing somebody is said as it is."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from src.billing.models import DisputeRow, OpenItem, Payment
from src.booking.queries.erasing_bars import find_bars, list_bars, own_bars
from src.booking.queries.person import find_person
from src.platform.services import Services
from tests.support.builders import a_business
from tests.support.clock import FrozenClock
from tests.support.somebody import zora_books

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("state", ["open", "lost"])
async def test_of_a_disputed_payment_no_money_is_said_to_go_back(
    services: Services, clock: FrozenClock, state: str
) -> None:
    lotus = await a_business(services.uow_factory)
    made = await zora_books(services, lotus)
    clock.advance(timedelta(days=30))
    async with services.uow_factory(lotus.id) as uow:
        payment_id = (await uow.session.scalars(select(Payment.id))).one()
        of = {"tenant_id": lotus.id, "order_id": made.order_id}
        uow.session.add(
            DisputeRow(
                payment_id=payment_id,
                processor_id="dp_1",
                amount_minor=1,
                currency="EUR",
                state=state,
                opened_at=uow.clock.now(),
                decided_at=None if state == "open" else uow.clock.now(),
                **of,
            )
        )
        uow.session.add(
            OpenItem(kind="dispute", subject_id=payment_id, created_at=uow.clock.now(), **of)
        )
    async with services.uow_factory(lotus.id) as uow:
        person = await find_person(uow, made.order.customer_id)
        own, staffs = own_bars(await find_bars(uow, person)), await list_bars(uow, person)
    if state == "open":
        assert own == ["Your bank disputes a payment. Wait until that is decided."]
        assert staffs == ["Their bank disputes a payment. Wait until that is decided."]
    else:
        assert staffs == ["Money is still to go back to them. See to it first."], "to be looked at"
