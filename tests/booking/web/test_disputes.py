"""A payment that a guest's bank disputes is seen wherever it matters, and stays counted."""

from datetime import timedelta
from typing import Literal

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.commands.dispute_news import take_dispute_news
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import (
    get_payment,
    record_foreign_refund,
)
from src.billing.models import DisputeRow, Order, Payment
from src.billing.processor import Dispute, ProcessorRefund, RefundStatus
from src.billing.queries.refundable import list_refundable_minor
from src.billing.queries.weeks import weekly_totals
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Seat, Session
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.digests import what_happened
from src.platform.errors import Conflict, InvalidInput
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.booking.web.money_back import guests_page, pays_back, words_of
from tests.booking.web.test_roster_bulk import press
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_service,
    a_session,
)
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work_through
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def visitor(client: AsyncClient, services: Services, lotus: Business) -> Visitor:
    await sign_in(client, services, lotus.owner.id)
    return Visitor(client)


@pytest.fixture
async def sold(services: Services, lotus: Business) -> Booked:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    await paid_by_card(services, lotus, made)
    return made


Outcome = Literal["won", "lost"] | None


async def hears(
    services: Services, lotus: Business, made: Booked, outcome: Outcome, *, which: str = "du_1"
) -> bool:
    """The processor tells of the dispute, as the job about its events takes it."""
    dispute = Dispute(
        id=which, payment_intent_id="", amount_minor=1500, currency="EUR", outcome=outcome
    )
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        return await take_dispute_news(uow, payment_id, made.order_id, "R", dispute)


@pytest.mark.slow
async def test_it_is_seen_on_today_among_the_orders_on_its_order_and_its_customer(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await hears(services, lotus, sold, None)
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, sold.order_id))
    await visitor.open("/app/lotus/today")
    assert "disputes 1 payment" in visitor.text
    assert "needs a decision" not in visitor.text, "it is said once"
    await visitor.open("/app/lotus/orders?state=disputed")
    assert order.reference in visitor.text
    assert "1 payment, €15.00" in visitor.text
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert "Disputes" in visitor.text
    await visitor.open(f"/app/lotus/customers/{order.customer_id}")
    assert "Their bank has disputed payments" in visitor.text
    await visitor.open(f"/app/lotus/bookings/{sold.booking_id}")
    assert "Their bank has the payment because of a dispute." in visitor.text


@pytest.mark.slow
async def test_one_that_was_lost_is_called_lost_everywhere(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await hears(services, lotus, sold, None)
    await hears(services, lotus, sold, "lost")
    await visitor.open("/app/lotus/today")
    assert "The dispute over 1 payment was lost." in visitor.text
    assert "disputes 1 payment" not in visitor.text
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, sold.order_id))
    for page in ("orders?state=disputed", f"customers/{order.customer_id}"):
        await visitor.open(f"/app/lotus/{page}")
        assert "Dispute lost" in visitor.text
        assert "Disputed" not in visitor.text
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    begun = visitor.text.index("The guest&#39;s bank disputes €15.00")
    assert begun < visitor.text.index("The dispute over €15.00 was lost")


async def test_the_roster_leads_those_who_see_orders_to_the_disputed_one(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    async with services.uow_factory(lotus.id) as uow:
        [seat] = await uow.session.scalars(select(Seat))
        session = await uow.session.get_one(Session, (lotus.id, seat.session_id))
        session.performer_id = performer.id
    roster, order = f"/app/lotus/sessions/{seat.session_id}", f"/app/lotus/orders/{sold.order_id}"
    await visitor.open(roster)
    assert order not in visitor.text
    for outcome, word in ((None, "Disputed"), ("lost", "Dispute lost")):
        await hears(services, lotus, sold, outcome)
        await visitor.open(roster)
        assert word in visitor.text[visitor.text.index(order) :]
    await sign_in(visitor.client, services, ivan.user_id)
    await visitor.open(roster)
    assert order not in visitor.text
    assert "Dispute" not in visitor.text


@pytest.mark.slow
async def test_what_a_lost_dispute_took_is_told_wherever_money_is(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, clock: FrozenClock
) -> None:
    begun_at = clock.now()
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, sold.order_id))
        order.created_at = begun_at
    pages = {
        f"orders/{sold.order_id}": "Taken back by the guest's bank €15.00",
        "orders": "€15.00 taken back by the guest's bank",
        f"customers/{order.customer_id}": "€15.00 taken back by the guest's bank",
        f"bookings/{sold.booking_id}": "Taken back by the guest's bank €15.00",
        "today": "€15.00 taken back by banks",
    }
    for outcome in (None, "lost"):
        await hears(services, lotus, sold, outcome)
        for page, said in pages.items():
            await visitor.open(f"/app/lotus/{page}")
            assert (said in words_of(visitor)) is (outcome == "lost"), page
        own = await guests_page(services, lotus, sold, visitor)
        assert ("Taken back by your bank €15.00" in own) is (outcome == "lost")
        async with services.uow_factory(lotus.id) as uow:
            weeks = await weekly_totals(uow, lotus.tenant, clock.now(), weeks=1)
            day = timedelta(days=1)
            told = await what_happened(uow, begun_at - day, begun_at + day)
        assert weeks[0].kept_minor == (0 if outcome == "lost" else 1500)
        assert told.taken_back_minor == (1500 if outcome == "lost" else 0)


async def test_no_more_counts_as_taken_back_than_is_left_of_what_was_paid(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, clock: FrozenClock
) -> None:
    begun_at, day = clock.now(), timedelta(days=1)

    async def digests(days: int) -> list[int]:
        async with services.uow_factory(lotus.id) as uow:
            each = [begun_at + n * day for n in range(days)]
            return [(await what_happened(uow, at, at + day)).taken_back_minor for at in each]

    await pays_back(services, lotus, sold, 400)
    await hears(services, lotus, sold, "lost")
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert "Taken back by the guest's bank €11.00" in words_of(visitor)
    assert await digests(1) == [1100]
    clock.advance(day)
    async with services.uow_factory(lotus.id) as uow:
        [dispute] = await uow.session.scalars(select(DisputeRow))
        dispute.amount_minor = 900
    await hears(services, lotus, sold, "lost", which="du_2")
    assert await digests(2) == [900, 200], "only what the first had left"
    async with services.uow_factory(lotus.id) as uow:
        for dispute in await uow.session.scalars(select(DisputeRow)):
            dispute.currency = "USD"
    await visitor.open(f"/app/lotus/orders/{sold.order_id}")
    assert "Taken back by the guest's bank €" not in words_of(visitor)
    assert await digests(2) == [0, 0]


async def test_what_is_decided_stays_counted_and_is_not_opened_again_by_old_news(
    services: Services, lotus: Business, sold: Booked, clock: FrozenClock, visitor: Visitor
) -> None:
    assert await hears(services, lotus, sold, None)
    clock.advance(timedelta(days=3))
    assert await hears(services, lotus, sold, "won")
    assert not await hears(services, lotus, sold, None)
    async with services.uow_factory(lotus.id) as uow:
        [row] = await uow.session.scalars(select(DisputeRow))
    assert (row.state, row.decided_at) == ("won", clock.now())
    assert row.opened_at == clock.now() - timedelta(days=3)
    await visitor.open("/app/lotus/today")
    assert "disputes" not in visitor.text
    await visitor.open("/app/lotus/orders?state=disputed")
    assert "Dispute won: 1 payment, €15.00" in visitor.text


async def test_a_decision_that_is_told_again_has_its_effect_once(
    services: Services, lotus: Business, sold: Booked, clock: FrozenClock
) -> None:
    begun_at, day = clock.now(), timedelta(days=1)
    assert await hears(services, lotus, sold, "lost")
    clock.advance(day)
    assert not await hears(services, lotus, sold, "lost")
    async with services.uow_factory(lotus.id) as uow:
        [row] = await uow.session.scalars(select(DisputeRow))
        assert row.decided_at == begun_at
        told = [
            (await what_happened(uow, since, since + day)).taken_back_minor
            for since in (begun_at, begun_at + day)
        ]
    assert told == [1500, 0]
    assert await hears(services, lotus, sold, "won"), "another decision is news"


async def test_what_the_bank_has_cannot_go_back_to_the_guest_as_well(
    services: Services, lotus: Business, sold: Booked
) -> None:
    which = [Seat.order_id == sold.order_id]
    news: list[tuple[Outcome, int]] = [(None, 0), ("lost", 0), ("won", 1)]
    for outcome, able in news:
        await hears(services, lotus, sold, outcome)
        async with services.uow_factory(lotus.id) as uow:
            assert len(await list_returnable(uow, lotus.tenant, which)) == able


async def test_it_comes_back_neither_by_leaving_nor_by_hand(
    services: Services, lotus: Business, sold: Booked
) -> None:
    await hears(services, lotus, sold, None)
    async with services.uow_factory(lotus.id) as uow:
        payment = await uow.session.scalar(select(Payment))
        assert payment is not None
        assert await list_refundable_minor(uow, [sold.order_id]) == {}
        cmd = RefundByHand(
            order_id=sold.order_id, payment_id=payment.id, amount_minor=100, token="t"
        )
    with pytest.raises(Conflict, match="bank has this payment because of a dispute"):
        async with services.uow_factory(lotus.id) as uow:
            await refund_by_hand(uow, lotus.ctx, cmd)
    async with services.uow_factory(lotus.id) as uow:
        seat_ids = list(await uow.session.scalars(select(Seat.id)))
    with pytest.raises(InvalidInput):
        await seats_taken_back(services.uow_factory, lotus, seat_ids, own={sold.order_id: 1})
    await seats_taken_back(services.uow_factory, lotus, seat_ids, why="Agreed")
    assert await refunds(services, lotus.id) == []
    await hears(services, lotus, sold, "won")
    async with services.uow_factory(lotus.id) as uow:
        await refund_by_hand(uow, lotus.ctx, cmd)
    assert await refunds(services, lotus.id) == [100]


async def test_what_a_bank_takes_back_in_the_undo_window_is_not_asked_for(
    services: Services, lotus: Business, sold: Booked, clock: FrozenClock
) -> None:
    full = MoneyWanted(choice=MoneyChoice.FULL)
    async with services.uow_factory(lotus.id) as uow:
        await cancel_purchase(
            uow, lotus.ctx, sold.booking_id, reason="", undo_seconds=10, money=full
        )
    await hears(services, lotus, sold, None)
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert await refunds(services, lotus.id) == []
    async with services.uow_factory(lotus.id) as uow:
        [seat] = await uow.session.scalars(select(Seat))
    assert (seat.state, seat.returned_minor) == ("cancelled", 0)


async def test_every_page_says_that_the_bank_has_it_instead_of_offering_it(
    services: Services,
    lotus: Business,
    sold: Booked,
    visitor: Visitor,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await hears(services, lotus, sold, None)
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        order = await uow.session.get_one(Order, (lotus.id, sold.order_id))
        [seat] = await uow.session.scalars(select(Seat))
    page = f"/app/lotus/orders/{sold.order_id}"
    await visitor.open(page)
    assert "The guest's bank has it" in visitor.text
    assert "/refund?payment=" not in visitor.text
    await visitor.open(f"{page}/refund?payment={payment_id}")
    assert "The guest's bank has this money because of a dispute" in visitor.text
    assert "Give back" not in visitor.text
    for subject in (f"bookings/{sold.booking_id}", f"sessions/{seat.session_id}"):
        await visitor.open(f"/app/lotus/{subject}/cancel")
        assert "s bank has because of a dispute cannot go back from here." in visitor.text
        assert "€15.00 of it" not in visitor.text, "that is the price, not what the bank took"
        assert "There is nothing to give back" not in visitor.text
    assert "s bank has it" in visitor.text, "said beside whom it is about"
    await visitor.open(f"{booking_path(services.settings, 'lotus', order)}/leave")
    assert "Your bank has this payment because of a dispute" in visitor.text
    assert "€15.00 back" not in visitor.text
    assert "Leave the whole course" not in visitor.text
    mailer.sent.clear()
    await seats_taken_back(services.uow_factory, lotus, [seat.id], why="Agreed")
    await work_through(services, clock, lotus.id, timedelta(seconds=30))
    assert "Your bank has this payment because of a dispute" in mailer.sent[-1].body
    await visitor.open(booking_path(services.settings, "lotus", order))
    assert "Your bank has this payment because of a dispute" in visitor.text
    assert "Nothing of it came back" not in visitor.text


async def test_a_booking_whose_money_is_all_back_promises_no_more_of_it(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor, clock: FrozenClock
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, sold.order_id))
        order.payment_mode = "online"
        booking = await uow.session.get_one(Booking, (lotus.id, sold.booking_id))
        booking.leaving = LeavingTerms(tiers=(Tier(before=48, percent=100),)).document()
        payment = await uow.session.scalar(select(Payment))
        assert payment is not None
        [seat] = await uow.session.scalars(select(Seat))
        session = await uow.session.get_one(Session, (lotus.id, seat.session_id))
    path = booking_path(services.settings, "lotus", order)
    await visitor.open(path)
    assert "comes back" in visitor.text
    async with services.uow_factory(lotus.id) as uow:
        dashboard = ProcessorRefund(
            id="re_1",
            payment_intent_id=payment.payment_intent_id,
            amount_minor=payment.amount_minor,
            status=RefundStatus.SUCCEEDED,
            failure="",
            metadata={},
        )
        locked = await lock_order(uow, order.id)
        await record_foreign_refund(uow, locked, await get_payment(uow, payment.id), dashboard)
    await visitor.open(path)
    assert "comes back" not in visitor.text
    await visitor.open(f"{path}/leave")
    assert "All that you paid has gone back" in visitor.text
    assert "€15.00 back" not in visitor.text
    await visitor.open(f"/app/lotus/orders/{order.id}")
    stays = "All that was paid has gone back or is on its way, but 1 place stays"
    assert stays in visitor.text
    asked = await press(visitor.client, session, "cancel", [seat.id], {})
    assert "All that was paid has gone back or is on its way." in asked.text
    assert "paid on site" not in asked.text
    clock.advance(timedelta(days=30))
    await visitor.open(f"/app/lotus/orders/{order.id}")
    assert "1 place stays" not in visitor.text, "it is over, so there is nothing to free"


async def test_nobody_else_reads_of_it(
    services: Services, lotus: Business, sold: Booked, visitor: Visitor
) -> None:
    await hears(services, lotus, sold, None)
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    await sign_in(visitor.client, services, eves.owner.id)
    await visitor.open("/app/rival/orders?state=disputed")
    assert "€15.00" not in visitor.text
