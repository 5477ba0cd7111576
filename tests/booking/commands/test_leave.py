"""A seat that is left is freed once, and its share comes back once, as its terms say."""

from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from src.billing.commands.by_staff import RefundByHand, refund_by_hand
from src.billing.models import Order, Payment, Refund
from src.booking.commands.book import Booked
from src.booking.commands.leave import (
    LessComesBack,
    NotLeavable,
    Promised,
    leave_dates,
)
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.models import Seat, Series
from src.booking.queries.guest_leaving import get_leaving_page
from src.booking.views.leaving import LeavingPage
from src.platform.errors import InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Participant
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, month_count, seats_of, taken
from tests.support.builders import Business, a_business, a_series, a_service
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
TERMS = msgspec.to_builtins(
    LeavingTerms(tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)))
)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def a_course(services: Services, lotus: Business, **more: object) -> Booked:
    """Three weekly dates for two people at EUR 60, paid through the processor."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, price_type="on_site", leaving=TERMS, **more
    )
    wish = a_wish("series", term.series.id, party=("Carl", "Kid"))
    made = await booked(services.uow_factory, lotus, wish)
    await paid_by_card(services, lotus, made)
    return made


async def paid_by_card(services: Services, lotus: Business, made: Booked) -> None:
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        order.paid_minor = order.total_minor
        uow.session.add(
            Payment(
                tenant_id=lotus.id,
                id=new_id(),
                order_id=order.id,
                account_id="acct_1",
                payment_intent_id=f"pi_{order.id}",
                page_id=None,
                amount_minor=order.total_minor,
                fee_minor=0,
                refunded_minor=0,
                currency=order.currency,
                is_extra=False,
                method="card",
                received_at=uow.clock.now(),
            )
        )


async def leave(services: Services, lotus: Business, made: Booked, seats: list[Seat]) -> int:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        came = await leave_dates(uow, tenant, made.order_id, [seat.id for seat in seats])
        return came.back_minor


async def refunds(services: Services, tenant_id: UUID) -> list[int]:
    async with services.uow_factory(tenant_id) as uow:
        return list(await uow.session.scalars(select(Refund.amount_minor).order_by(Refund.id)))


async def test_one_persons_seat_is_left_and_the_others_stand(
    services: Services, lotus: Business
) -> None:
    made = await a_course(services, lotus)
    [first, *rest] = await seats_of(services.uow_factory, lotus.id)
    assert first.share_minor == 2000
    assert await leave(services, lotus, made, [first]) == 2000
    assert await taken(services.uow_factory, lotus.id) == [1, 2, 2]
    assert await refunds(services, lotus.id) == [2000]
    [left, *others] = await seats_of(services.uow_factory, lotus.id)
    assert (left.state, left.returned_as, left.returned_minor) == ("cancelled", "money", 2000)
    assert {seat.state for seat in others} == {"confirmed"}
    assert [seat.id for seat in rest] == [seat.id for seat in others]
    assert await month_count(services.uow_factory, lotus.id) == 1, "leaving gives no unit back"


async def test_a_second_press_changes_nothing(services: Services, lotus: Business) -> None:
    made = await a_course(services, lotus)
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    assert await leave(services, lotus, made, [first]) == 0
    assert await taken(services.uow_factory, lotus.id) == [1, 2, 2]
    assert await refunds(services, lotus.id) == [2000]


async def test_late_frees_the_seat_and_returns_nothing(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await a_course(services, lotus)
    seats = (await seats_of(services.uow_factory, lotus.id))[:2]
    clock.advance(timedelta(days=6, hours=12))
    assert await leave(services, lotus, made, seats) == 0
    assert await taken(services.uow_factory, lotus.id) == [0, 2, 2]
    assert await refunds(services, lotus.id) == []
    states = [seat.state for seat in await seats_of(services.uow_factory, lotus.id)]
    assert states == ["late_cancelled"] * 2 + ["confirmed"] * 4


async def test_terms_are_those_it_was_bought_under(services: Services, lotus: Business) -> None:
    made = await a_course(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        series = (await uow.session.scalars(select(Series))).one()
        series.leaving = {"may_cancel": False}
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    assert await leave(services, lotus, made, [first]) == 2000


async def test_a_date_that_has_begun_is_not_left_and_nothing_is_half_done(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await a_course(services, lotus)
    seats = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=7, seconds=1))
    with pytest.raises(NotLeavable) as refused:
        await leave(services, lotus, made, seats)
    assert [reason.code for reason in refused.value.reasons] == ["started"]
    assert await taken(services.uow_factory, lotus.id) == [2, 2, 2]


async def test_seats_of_somebody_elses_order_are_not_found(
    services: Services, lotus: Business
) -> None:
    made = await a_course(services, lotus)
    service = await a_service(services.uow_factory, lotus.id, slug="other")
    other = await a_series(services.uow_factory, service, price_type="free", price_minor=0)
    wish = a_wish("series", other.series.id, guest_email="dora@example.com")
    theirs = await booked(services.uow_factory, lotus, wish)
    seats = [
        s for s in await seats_of(services.uow_factory, lotus.id) if s.order_id != made.order_id
    ]
    assert {seat.order_id for seat in seats} == {theirs.order_id}
    with pytest.raises(NotFound):
        await leave(services, lotus, made, seats[:1])


async def test_one_mail_says_what_comes_back_and_takes_the_date_out_of_the_calendar(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await a_course(services, lotus)
    [first, second, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await work(services, lotus.id)
    mailer.sent.clear()
    await leave(services, lotus, made, [first, second])
    await work(services, lotus.id, rounds=5)
    [mail] = mailer.sent
    assert "You have cancelled this date" in mail.body
    assert "€40.00 is on its way back to you" in mail.body
    calendar = Calendar.from_ical(mail.attachments[0][1])
    assert calendar["METHOD"] == "CANCEL"
    assert {int(event["SEQUENCE"]) for event in calendar.walk("VEVENT")} == {1}


@pytest.mark.slow
async def test_the_mail_says_who_of_the_party_still_comes(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await a_course(services, lotus)
    [carls, kids, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await work(services, lotus.id)
    mailer.sent.clear()
    await leave(services, lotus, made, [kids])
    await work(services, lotus.id, rounds=5)
    assert "This is about Kid. Still coming: Carl." in mailer.sent[0].body
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Participant, (lotus.id, kids.participant_id))).name = ""
    other = next(
        one
        for one in await seats_of(services.uow_factory, lotus.id)
        if (one.participant_id, one.state) == (kids.participant_id, "confirmed")
    )
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Seat).where(Seat.id == other.id).values(tier="Child"))
    mailer.sent.clear()
    await leave(services, lotus, made, [other])
    await work(services, lotus.id, rounds=5)
    assert "This is about Person 2 (Child). Still coming: Carl." in mailer.sent[0].body
    await leave(services, lotus, made, [carls])
    await work(services, lotus.id, rounds=5)
    assert "Still coming" not in mailer.sent[1].body


async def test_staff_give_back_less_than_the_share_but_never_more(
    services: Services, lotus: Business
) -> None:
    made = await a_course(services, lotus)
    [first, second, third, *_rest] = await seats_of(services.uow_factory, lotus.id)
    factory, back = services.uow_factory, {made.order_id: 500}
    await seats_taken_back(factory, lotus, [first.id, second.id], own=back)
    with pytest.raises(InvalidInput):
        await seats_taken_back(factory, lotus, [third.id], own={made.order_id: 2001})
    assert await refunds(services, lotus.id) == [500]
    assert await taken(services.uow_factory, lotus.id) == [0, 2, 2]


async def test_what_the_business_gave_back_meanwhile_is_not_promised_again(
    services: Services, lotus: Business
) -> None:
    made = await a_course(services, lotus)
    seat, *_others = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        by_hand = RefundByHand(
            order_id=made.order_id, payment_id=payment.id, amount_minor=11_500, token="x"
        )
        await refund_by_hand(uow, lotus.ctx, by_hand)
    with pytest.raises(LessComesBack):
        await leave_promised(services, lotus, made, {seat.id: 2000})
    page = await leave_page(services, lotus, made, seat)
    promised = dict(one.value.split(":") for one in page.seats)
    assert page.back_minor == 500
    assert set(promised.values()) == {"500"}, "what each alone would bring"
    again = {UUID(seat_id): int(minor) for seat_id, minor in promised.items()}
    assert await leave_promised(services, lotus, made, again, most_minor=500) == 500


async def leave_promised(
    services: Services,
    lotus: Business,
    made: Booked,
    by_seat: dict[UUID, int],
    most_minor: int | None = None,
) -> int:
    most = sum(by_seat.values()) if most_minor is None else most_minor
    promised = Promised(by_seat, most)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        came = await leave_dates(uow, tenant, made.order_id, list(by_seat), promised)
        return came.back_minor


async def leave_page(services: Services, lotus: Business, made: Booked, seat: Seat) -> LeavingPage:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        return await get_leaving_page(
            uow, tenant, services.settings, made.order_id, seat.session_id
        )
