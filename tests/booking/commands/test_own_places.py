"""Nobody books themselves twice: what counts as a place, and what is judged before a hold goes."""

from uuid import UUID

import pytest

from src.booking.commands.book import BookCommand, ask_quote, book
from src.booking.models import Session
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.tenants.commands.customers import find_or_add_customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_lot_users import date, lotus
from tests.support.builders import Business, a_service, a_session, as_guest

pytestmark = pytest.mark.anyio
__all__ = ["date", "lotus"]


@pytest.fixture
async def carl(services: Services, lotus: Business) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await find_or_add_customer(uow, "carl@example.com", "Carl", "", uow.clock.now())


async def refused(services: Services, lotus: Business, wish: BookCommand) -> bool:
    try:
        async with services.uow_factory(lotus.id) as uow:
            await book(uow, as_guest(lotus), wish)
    except InvalidInput as refusal:
        assert "first" in refusal.fields
        return True
    return False


@pytest.mark.parametrize(("paid_by", "counts"), [("transfer", True), ("online", False)])
async def test_a_place_that_waits_for_a_transfer_counts_and_one_at_the_payment_page_does_not(
    services: Services, lotus: Business, date: Session, carl: UUID, paid_by: str, counts: bool
) -> None:
    made = await booked(services.uow_factory, lotus, a_wish("session", date.id, customer_id=carl))
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(type(made.order), (uow.tenant, made.order_id))
        order.payment_mode = paid_by
    wish = a_wish("session", date.id, customer_id=carl)
    assert await refused(services, lotus, wish) is counts


async def test_a_hold_is_not_given_up_for_a_wish_that_would_be_refused(
    services: Services, lotus: Business, date: Session, carl: UUID
) -> None:
    """Carl has a place, and holds one for Ann: changed to himself, Ann's stays hers."""
    free = await a_service(services.uow_factory, lotus.id, slug="free", price_type="free")
    talk = await a_session(services.uow_factory, free, capacity=10)
    await booked(services.uow_factory, lotus, a_wish("session", talk.id, customer_id=carl))
    held = await booked(
        services.uow_factory, lotus, a_wish("session", date.id, customer_id=carl, party=("Ann",))
    )
    to_himself = a_wish("session", talk.id, customer_id=carl)
    with pytest.raises(InvalidInput):
        async with services.uow_factory(lotus.id) as uow:
            await ask_quote(uow, as_guest(lotus), to_himself, instead_of=held.order_id)


async def test_what_the_replaced_order_holds_does_not_stand_in_its_own_way(
    services: Services, lotus: Business, date: Session, carl: UUID
) -> None:
    made = await booked(services.uow_factory, lotus, a_wish("session", date.id, customer_id=carl))
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(type(made.order), (uow.tenant, made.order_id))
        order.payment_mode = "transfer"
    again = a_wish("session", date.id, customer_id=carl, party=("Carl", "Ann"))
    async with services.uow_factory(lotus.id) as uow:
        await ask_quote(uow, as_guest(lotus), again, instead_of=made.order_id)
