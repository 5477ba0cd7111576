"""A whole series is cancelled: every date to come, everybody once, and a way back before that."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import select

from src.billing.checkout import ensure_payment_page
from src.billing.models import PaymentPage
from src.billing.settlement import settle_page
from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.cancel_series import cancel_series
from src.booking.domain.cancelling import MoneyChoice
from src.booking.jobs.cancel import _finish, _free_chunk
from src.booking.models import Cancellation, Seat, Series, Session
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, NotFound
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_claims_last import listened
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.booking.web.conftest import ROOT, Shop, shop
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work, work_through

__all__ = ["shop"]
pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> AsyncIterator[Term]:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    yield await a_series(services.uow_factory, service, price_type="on_site", drop_in_allowed=True)


async def buys(services: Services, lotus: Business, kind: str, what: UUID, guest: str) -> None:
    wish = a_wish(kind, what, guest_email=f"{guest}@example.com")
    await paid_by_card(services, lotus, await booked(services.uow_factory, lotus, wish))


async def cancel(
    services: Services, lotus: Business, term: Term, money: MoneyWanted = NOTHING
) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_series(
            uow, lotus.ctx, term.series.id, reason="The studio closes", undo_seconds=10, money=money
        )


async def states(services: Services, lotus: Business) -> list[str]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(select(Session.state).order_by(Session.starts_at))
        return list(found)


async def is_on_sale(services: Services, lotus: Business, term: Term) -> bool:
    async with services.uow_factory(lotus.id) as uow:
        return (await uow.session.get_one(Series, (lotus.id, term.series.id))).active


@pytest.mark.slow
async def test_every_date_to_come_ends_for_everybody_with_one_mail_each(
    services: Services, lotus: Business, term: Term, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    for guest in ("carl", "dora"):
        await buys(services, lotus, "series", term.series.id, guest)
    await buys(services, lotus, "session", term.sessions[2].id, "eva")
    await work(services, lotus.id)
    clock.advance(timedelta(days=8))
    mailer.sent.clear()
    full = MoneyWanted(choice=MoneyChoice.FULL)
    cancellation_id = await cancel(services, lotus, term, full)
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["scheduled", "cancelled", "cancelled"]
    assert await taken(services.uow_factory, lotus.id) == [2, 0, 0]
    assert not await is_on_sale(services, lotus, term)
    assert sorted(await refunds(services, lotus.id)) == [1500, 4000, 4000]
    told = {mail.to[0]: mail for mail in mailer.sent}
    assert len(mailer.sent) == len(told) == 3
    carls = next(mail for to, mail in told.items() if "carl@" in to)
    assert "€40.00 is on its way back to you" in carls.body
    assert len(Calendar.from_ical(carls.attachments[0][1]).walk("VEVENT")) == 2
    async with services.uow_factory(lotus.id) as uow:
        done = await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))
    assert (done.state, done.total, done.done, done.seats_freed) == ("done", 3, 3, 5)
    left = set(await waiting(services, lotus.id))
    assert left == {"billing.send_refund"}, "nobody answers for the processor here"


async def test_while_it_can_be_undone_nothing_has_happened_and_undo_puts_it_on_sale_again(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await buys(services, lotus, "series", term.series.id, "carl")
    cancellation_id = await cancel(services, lotus, term)
    assert not await is_on_sale(services, lotus, term)
    with pytest.raises(Conflict):
        await buys(services, lotus, "session", term.sessions[0].id, "dora")
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["scheduled"] * 3
    assert await is_on_sale(services, lotus, term)
    await buys(services, lotus, "series", term.series.id, "dora")
    assert await taken(services.uow_factory, lotus.id) == [2, 2, 2]


async def test_undoing_puts_nothing_on_sale_that_was_not(
    services: Services, lotus: Business, term: Term
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Series, (lotus.id, term.series.id))).active = False
    cancellation_id = await cancel(services, lotus, term)
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    assert not await is_on_sale(services, lotus, term)


async def test_a_date_that_is_being_cancelled_by_itself_is_left_to_that(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await buys(services, lotus, "series", term.series.id, "carl")
    async with services.uow_factory(lotus.id) as uow:
        alone = await cancel_session(
            uow, lotus.ctx, term.sessions[0].id, reason="Ill", undo_seconds=10
        )
    cancellation_id = await cancel(services, lotus, term)
    async with services.uow_factory(lotus.id) as uow:
        rest = await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))
        assert set(rest.session_ids) == {one.id for one in term.sessions[1:]}
        await undo_cancellation(uow, lotus.ctx, alone)
    await work_through(services, clock, lotus.id, UNDO)
    assert await states(services, lotus) == ["scheduled", "cancelled", "cancelled"]
    found = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert found == ["confirmed", "cancelled", "cancelled"]


async def test_nothing_left_a_second_request_and_a_strangers_series_are_refused(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await cancel(services, lotus, term)
    with pytest.raises(Conflict) as refused:
        await cancel(services, lotus, term)
    assert refused.value.code == "nothing_to_cancel"
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    with pytest.raises(NotFound):
        await cancel(services, eves, term)


async def test_a_payment_that_lands_while_it_is_carried_out_goes_back_in_full(
    shop: Shop, clock: FrozenClock
) -> None:
    services, lotus = shop.services, shop.business
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await ensure_payment_page(
        services, lotus.id, made.order_id, success_url=f"{ROOT}/", cancel_url=f"{ROOT}/"
    )
    async with services.uow_factory(lotus.id) as uow:
        page = (await uow.session.scalars(select(PaymentPage))).one()
    cancellation_id = await cancel(services, lotus, term)
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))).state = "running"
    await shop.stripe.turn("pay", session=page.processor_id)
    await settle_page(services, lotus.id, page.id)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [6000]
    async with services.uow_factory(lotus.id) as uow:
        seats = (await uow.session.scalars(select(Seat))).all()
    assert [(seat.state, seat.returned_minor) for seat in seats] == [("cancelled", 2000)] * 3
    assert await states(services, lotus) == ["cancelled"] * 3


async def test_the_dates_are_locked_and_written_last_in_every_step(
    services: Services, lotus: Business, term: Term
) -> None:
    """Whoever books a date waits for this transaction, which therefore has nothing left to do."""
    await buys(services, lotus, "series", term.series.id, "carl")

    def last_of(sent: list[str]) -> set[str]:
        """The statements from the lock of the dates on, by what they do."""
        locks = [
            at for at, one in enumerate(sent) if "FROM sessions" in one and "FOR NO KEY" in one
        ]
        return {one.split("(")[0].split(" SET")[0] for one in sent[locks[0] + 1 :]}

    full = MoneyWanted(choice=MoneyChoice.FULL)
    with listened() as sent:
        first = await cancel(services, lotus, term, full)
    assert last_of(sent) == {"UPDATE sessions"}
    with listened() as sent:
        async with services.uow_factory(lotus.id) as uow:
            await undo_cancellation(uow, lotus.ctx, first)
    assert last_of(sent) == {"UPDATE sessions"}
    async with services.uow_factory(lotus.id) as uow:
        second = await uow.session.get_one(
            Cancellation, (lotus.id, await cancel(services, lotus, term, full))
        )
    for step in (_free_chunk, _finish):
        with listened() as sent:
            async with services.uow_factory(lotus.id) as uow:
                assert await step(uow, second)
        said = last_of(sent)
        assert {one for one in said if not one.startswith("WITH freed")} <= {"UPDATE sessions"}
    assert await states(services, lotus) == ["cancelled"] * 3
    assert await refunds(services, lotus.id) == [6000]
