"""Money that comes while its seats are being cancelled goes back, and the guest is told."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.checkout import ensure_payment_page
from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.domain.kinds import OrderState
from src.billing.models import Order, PaymentPage, Refund
from src.billing.settlement import settle_page
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session
from src.booking.models import Cancellation, Seat, Session
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.web.conftest import ROOT, Shop, shop
from tests.support.builders import Term, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through

__all__ = ["shop"]
pytestmark = pytest.mark.anyio
UNDO = 10


@pytest.fixture
async def term(shop: Shop) -> AsyncIterator[Term]:
    factory = shop.services.uow_factory
    yield await a_series(factory, await a_service(factory, shop.business.id))


async def at_the_payment_page(shop: Shop, term: Term) -> Booked:
    made = await booked(shop.services.uow_factory, shop.business, a_wish("series", term.series.id))
    await ensure_payment_page(
        shop.services,
        shop.business.id,
        made.order_id,
        success_url=f"{ROOT}/",
        cancel_url=f"{ROOT}/",
    )
    return made


async def pays(shop: Shop, order_id: UUID) -> None:
    """The guest pays, and we hear of it at once."""
    async with shop.services.uow_factory(shop.business.id) as uow:
        page = (
            await uow.session.scalars(select(PaymentPage).where(PaymentPage.order_id == order_id))
        ).one()
    await shop.stripe.turn("pay", session=page.processor_id)
    await settle_page(shop.services, shop.business.id, page.id)


async def refunds(shop: Shop) -> list[tuple[str, int, str]]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(Refund).order_by(Refund.id))
        return [(one.cause, one.amount_minor, one.state) for one in found]


async def the_session_is_cancelled(shop: Shop, term: Term) -> UUID:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await cancel_session(
            uow, shop.business.ctx, term.sessions[1].id, reason="Flood", undo_seconds=UNDO
        )


async def the_purchase_is_cancelled(shop: Shop, made: Booked) -> UUID:
    async with shop.services.uow_factory(shop.business.id) as uow:
        return await cancel_purchase(
            uow, shop.business.ctx, made.booking_id, reason="A mistake", undo_seconds=UNDO
        )


async def test_a_session_paid_for_within_the_undo_window_gives_its_share_back(
    shop: Shop, term: Term, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    made = await at_the_payment_page(shop, term)
    await the_session_is_cancelled(shop, term)
    clock.advance(timedelta(seconds=UNDO / 2))
    await pays(shop, made.order_id)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    states = [seat.state for seat in await seats_of(shop.services.uow_factory, shop.business.id)]
    assert states == ["confirmed", "cancelled", "confirmed"]
    assert await refunds(shop) == [("not_delivered", 2000, "succeeded")]
    subjects = [mail.subject.split(":")[0] for mail in mailer.sent]
    assert subjects == ["You are booked", "Cancelled"]
    assert "€20.00 is on its way back to you" in mailer.sent[-1].body


async def test_who_paid_before_the_cancellation_is_left_to_the_choice_about_money(
    shop: Shop, term: Term, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    made = await at_the_payment_page(shop, term)
    await pays(shop, made.order_id)
    clock.advance(timedelta(seconds=1))
    await the_session_is_cancelled(shop, term)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    assert await refunds(shop) == []
    assert "No money comes back for it." in mailer.sent[-1].body


async def test_a_purchase_paid_for_within_the_undo_window_gives_all_of_it_back(
    shop: Shop, term: Term, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    made = await at_the_payment_page(shop, term)
    await the_purchase_is_cancelled(shop, made)
    clock.advance(timedelta(seconds=UNDO / 2))
    await pays(shop, made.order_id)
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    states = {seat.state for seat in await seats_of(shop.services.uow_factory, shop.business.id)}
    assert states == {"cancelled"}
    assert await taken(shop.services.uow_factory, shop.business.id) == [0, 0, 0]
    assert await refunds(shop) == [("not_delivered", 6000, "succeeded")]
    assert "€60.00 is on its way back to you" in mailer.sent[-1].body


async def test_a_purchase_paid_for_while_it_is_being_freed_is_not_delivered(
    shop: Shop, term: Term, clock: FrozenClock
) -> None:
    """Only what has started by then stays the guest's."""
    made = await at_the_payment_page(shop, term)
    cancellation_id = await the_purchase_is_cancelled(shop, made)
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.get_one(Cancellation, (shop.business.id, cancellation_id))
        found.state = "running"
        first = await uow.session.get_one(Session, (shop.business.id, term.sessions[0].id))
        first.starts_at = clock.now() - timedelta(minutes=5)
    await pays(shop, made.order_id)
    states = [seat.state for seat in await seats_of(shop.services.uow_factory, shop.business.id)]
    assert states == ["confirmed", "cancelled", "cancelled"]
    await work(shop.services, shop.business.id)
    assert await refunds(shop) == [("not_delivered", 4000, "succeeded")]
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await uow.session.get_one(Order, (shop.business.id, made.order_id))
        assert (order.paid_minor, order.refunded_minor) == (6000, 4000)
        live = await uow.session.scalars(select(Seat.id).where(Seat.state == "confirmed"))
        assert len(live.all()) == 1


async def test_late_money_does_not_bring_back_what_staff_have_cancelled(
    shop: Shop, term: Term, clock: FrozenClock
) -> None:
    """The hold ended by time, its purchase by staff; then comes the payment nobody had heard of."""
    made = await at_the_payment_page(shop, term)
    async with shop.services.uow_factory(shop.business.id) as uow:
        page = (await uow.session.scalars(select(PaymentPage))).one()
    await shop.stripe.turn("pay", session=page.processor_id)
    await the_purchase_is_cancelled(shop, made)
    async with shop.services.uow_factory(shop.business.id) as uow:
        order = await lock_order(uow, made.order_id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", clock.now())
    await work_through(shop.services, clock, shop.business.id, timedelta(seconds=60))
    await settle_page(shop.services, shop.business.id, page.id)
    await work(shop.services, shop.business.id)
    assert await taken(shop.services.uow_factory, shop.business.id) == [0, 0, 0]
    assert await refunds(shop) == [("too_late", 6000, "succeeded")]
