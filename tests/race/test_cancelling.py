"""Cancelling with money, in the moment in which others end, leave or refund the same seats."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.models import Order, Payment, Refund
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.series import lock_series
from src.booking.domain.cancelling import MoneyChoice
from src.booking.jobs.cancel import _free_chunk
from src.booking.models import Cancellation, CancellationReturn, Seat, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from tests.booking.commands.test_book import a_wish, booked, taken
from tests.booking.commands.test_leave import TERMS, paid_by_card, refunds
from tests.conftest import Committing
from tests.race.test_erasing import lock_seat
from tests.race.test_leaving import leaving
from tests.race.test_sessions import Act, at_once
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.locks import until_somebody_waits
from tests.support.work import work_together

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]
FULL = MoneyWanted(choice=MoneyChoice.FULL)
GUESTS = 8


class Course:
    """Three dates bought by eight guests at EUR 60, all paid by card."""

    def __init__(self, committing: Committing, business: Business, term: Term) -> None:
        self.committing = committing
        self.business = business
        self.term = term
        self.bought: list[Booked] = []

    def cancelling_date(self, position: int) -> Act:
        async def act(uow: UnitOfWork) -> None:
            session_id = self.term.sessions[position].id
            await cancel_session(
                uow, self.business.ctx, session_id, reason="", undo_seconds=0, money=FULL
            )

        return act

    def cancelling_series(self) -> Act:
        async def act(uow: UnitOfWork) -> None:
            series_id = self.term.series.id
            await cancel_series(
                uow, self.business.ctx, series_id, reason="", undo_seconds=0, money=FULL
            )

        return act

    def cancelling_purchase(self, made: Booked) -> Act:
        async def act(uow: UnitOfWork) -> None:
            await cancel_purchase(
                uow, self.business.ctx, made.booking_id, reason="", undo_seconds=0, money=FULL
            )

        return act

    def refunding(self, made: Booked, amount_minor: int) -> Act:
        async def act(uow: UnitOfWork) -> None:
            payment_id = await uow.session.scalar(
                select(Payment.id).where(Payment.order_id == made.order_id)
            )
            assert payment_id is not None
            cmd = RefundByHand(
                order_id=made.order_id,
                payment_id=payment_id,
                amount_minor=amount_minor,
                token=str(made.order_id),
            )
            await refund_by_hand(uow, self.business.ctx, cmd)

        return act

    async def leaving(self, made: Booked) -> Act:
        return leaving(self.business, made, await self.seat_ids(made))

    async def seat_ids(self, made: Booked) -> list[UUID]:
        async with self.committing.uow_factory(self.business.id) as uow:
            of_order = select(Seat.id).where(Seat.order_id == made.order_id)
            return list(await uow.session.scalars(of_order))

    async def together(self, *acts: Act) -> None:
        """The acts, and whatever the outbox has, all at once; then the rest."""
        await asyncio.gather(
            at_once(self.committing, self.business.id, list(acts)),
            work_together(self.committing.services, self.business.id),
        )
        for _round in range(12):
            await work_together(self.committing.services, self.business.id)

    async def check_money(self) -> None:
        """I4 and I11: no order gave back more than was paid, no seat more than its share, and the
        seats say what the refunds for them do.
        """
        async with self.committing.uow_factory(self.business.id) as uow:
            for order in await uow.session.scalars(select(Order)):
                assert order.refunded_minor <= order.paid_minor
            for seat in await uow.session.scalars(select(Seat)):
                assert seat.returned_minor <= seat.share_minor
            of_seats = await uow.session.scalar(select(func.sum(Seat.returned_minor)))
            for_seats = await uow.session.scalar(
                select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
                    Refund.cause != "staff"
                )
            )
            assert of_seats == for_seats
            kept = await uow.session.scalar(
                select(func.coalesce(func.sum(CancellationReturn.asked_minor), 0))
            )
            by_cancelling = await uow.session.scalar(
                select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
                    Refund.cause_key.op("~")(r"^cancelled:[^:]+:[^:]+:[^:]+$")
                )
            )
            assert kept == by_cancelling


@pytest.fixture
async def course(committing: Committing, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr("src.booking.jobs.cancel.CHUNK_CUSTOMERS", 3)
    business = await a_business(committing.uow_factory)
    service = await a_service(committing.uow_factory, business.id)
    term = await a_series(
        committing.uow_factory, service, price_type="on_site", leaving=TERMS, capacity=GUESTS
    )
    course = Course(committing, business, term)
    for number in range(GUESTS):
        wish = a_wish("series", term.series.id, guest_email=f"g{number}@example.com")
        made = await booked(committing.uow_factory, business, wish)
        await paid_by_card(committing.services, business, made)
        course.bought.append(made)
    return course


async def test_two_dates_a_series_and_purchases_cancelled_at_once_give_each_share_back_once(
    course: Course,
) -> None:
    await course.together(
        course.cancelling_date(0),
        course.cancelling_series(),
        course.cancelling_date(2),
        *(course.cancelling_purchase(made) for made in course.bought[:4]),
    )
    # Whoever was overtaken by one of the dates was told so, and looks again.
    await course.together(course.cancelling_series())
    await course.check_money()
    assert sum(await refunds(course.committing.services, course.business.id)) == GUESTS * 6000
    assert await taken(course.committing.uow_factory, course.business.id) == [0, 0, 0]
    async with course.committing.uow_factory(course.business.id) as uow:
        states = set(await uow.session.scalars(select(Cancellation.state)))
    assert states == {"done"}


async def test_several_runs_of_one_cancellation_ask_for_each_share_once(course: Course) -> None:
    factory, tenant_id = course.committing.uow_factory, course.business.id
    async with factory(tenant_id) as uow:
        await course.cancelling_series()(uow)
    async with factory(tenant_id) as uow:
        [cancellation] = await uow.session.scalars(select(Cancellation))

    async def run() -> None:
        has_more = True
        while has_more:
            async with factory(tenant_id) as uow:
                has_more = await _free_chunk(uow, cancellation)

    await asyncio.gather(*(run() for _worker in range(4)))
    await course.check_money()
    assert await refunds(course.committing.services, tenant_id) == [6000] * GUESTS
    async with factory(tenant_id) as uow:
        done = await uow.session.get_one(Cancellation, (tenant_id, cancellation.id))
    assert (done.done, done.seats_freed) == (GUESTS, GUESTS * 3)


async def test_cancelling_against_refunds_by_hand_never_gives_back_more_than_was_paid(
    course: Course,
) -> None:
    await course.together(
        course.cancelling_series(), *(course.refunding(made, 5000) for made in course.bought)
    )
    await course.check_money()
    async with course.committing.uow_factory(course.business.id) as uow:
        for order in await uow.session.scalars(select(Order)):
            assert order.refunded_minor == order.paid_minor == 6000


async def test_cancelling_against_guests_who_leave_gives_each_share_back_once(
    course: Course,
) -> None:
    await course.together(
        course.cancelling_date(1),
        *[await course.leaving(made) for made in course.bought],
        course.cancelling_date(2),
    )
    await course.check_money()
    async with course.committing.uow_factory(course.business.id) as uow:
        ended = list(await uow.session.scalars(select(Seat).where(Seat.state == "cancelled")))
    assert {seat.returned_minor for seat in ended} == {2000}


@pytest.mark.parametrize("first", ["undo", "cancel"])
async def test_undoing_a_series_cancellation_and_cancelling_again_do_not_deadlock(
    course: Course, first: str
) -> None:
    """A date has joined since, so there is something to cancel. Whoever comes first is through; the
    other waits for the series, not for the row of the cancellation with the series in its hands.
    """
    factory, business = course.committing.uow_factory, course.business
    async with factory(business.id) as uow:
        cancellation_id = await cancel_series(
            uow, business.ctx, course.term.series.id, reason="", undo_seconds=600
        )
        joined = update(Session).where(Session.id == course.term.sessions[2].id)
        await uow.session.execute(joined.values(state="scheduled"))

    async def undo(uow: UnitOfWork) -> None:
        await undo_cancellation(uow, business.ctx, cancellation_id)

    async def alone(act: Act) -> None:
        async with factory(business.id) as uow:
            await act(uow)

    again = course.cancelling_series()
    if first == "undo":
        async with factory(business.id) as uow:
            await undo(uow)
            other = asyncio.create_task(alone(again))
            await until_somebody_waits(factory)
        await other
    else:
        with pytest.raises(Conflict) as twice:
            async with factory(business.id) as uow:
                await lock_series(uow, course.term.series.id)
                other = asyncio.create_task(alone(undo))
                await until_somebody_waits(factory)
                await again(uow)
        assert twice.value.code == "already_cancelling"
        await other
    async with factory(business.id) as uow:
        states = set(await uow.session.scalars(select(Cancellation.state)))
        dates = set(await uow.session.scalars(select(Session.state)))
    assert states == ({"undone", "waiting"} if first == "undo" else {"undone"})
    assert dates == ({"cancelling"} if first == "undo" else {"scheduled"})


async def test_seats_are_marked_and_released_in_the_order_in_which_everybody_locks_them(
    committing: Committing,
) -> None:
    """By (session, id), though their ids alone and where they lie in the table say otherwise. Who
    cancels waits for the first one with none of the later ones in their hands.
    """
    factory, business = committing.uow_factory, await a_business(committing.uow_factory)
    service = await a_service(factory, business.id, price_type="free")
    term = await a_series(factory, service, sessions=2, price_type="on_site")
    made = await booked(factory, business, a_wish("series", term.series.id, party=("Ann", "Ben")))
    async with factory(business.id) as uow:
        seats = await uow.session.execute(select(Seat.id).order_by(Seat.session_id, Seat.id))
        anns, bens, anns_later, bens_later = seats.scalars()
        for seat_id, number in ((bens_later, 1), (bens, 2)):
            renamed = update(Seat).where(Seat.id == seat_id).values(id=UUID(int=number))
            await uow.session.execute(renamed)

    async def cancel(uow: UnitOfWork) -> None:
        await cancel_purchase(uow, business.ctx, made.booking_id, reason="", undo_seconds=60)

    async def undo(uow: UnitOfWork) -> None:
        cancellation_id = (await uow.session.scalars(select(Cancellation.id))).one()
        await undo_cancellation(uow, business.ctx, cancellation_id)

    for act in (cancel, undo):
        async with factory(business.id) as uow:
            await lock_seat(uow, UUID(int=2))
            other = asyncio.create_task(at_once(committing, business.id, [act]))
            await until_somebody_waits(factory)
            for later in (anns, UUID(int=1), anns_later):
                await lock_seat(uow, later)
        assert await other == {"done": 1}
