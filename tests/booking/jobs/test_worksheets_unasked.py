"""What was cancelled asks for no worksheet any more, unless its guest has begun it."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.lapse_package import lapse_package
from src.billing.domain.kinds import PaymentMode
from src.billing.events import OrderConfirmed
from src.booking.commands.book import Booked
from src.booking.commands.worksheet_copies import give_worksheet
from src.booking.domain.worksheets import AskedRule
from src.booking.models import Service
from src.booking.worksheet_links import worksheet_path
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import leave
from tests.booking.commands.test_swap import a_school
from tests.booking.commands.test_worksheets import fill
from tests.support.builders import Business, a_business, a_service, a_session, as_guest
from tests.support.credits import a_package
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work
from tests.support.worksheets import a_worksheet, copies_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def a_free_service(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


async def book_in(
    services: Services, lotus: Business, service: Service, days: Sequence[int] = (7,)
) -> list[Booked]:
    """A date on each of the days, each with an order of its own."""
    factory, made = services.uow_factory, []
    for one in days:
        session = await a_session(factory, service, in_days=one)
        made.append(await booked(factory, lotus, a_wish("session", session.id)))
    return made


async def cancel(services: Services, lotus: Business, made: Booked) -> None:
    seats = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [one for one in seats if one.order_id == made.order_id])


async def states(services: Services, lotus: Business) -> list[tuple[UUID | None, str]]:
    found = await copies_of(services.uow_factory, lotus)
    return [(one.order_id, one.state) for one in found]


async def test_what_was_cancelled_before_it_asked_asks_for_nothing(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    service = await a_free_service(services, lotus)
    await a_worksheet(services.uow_factory, lotus, service_ids=[service.id])
    (made,) = await book_in(services, lotus, service)
    await cancel(services, lotus, made)
    await work(services, lotus.id)
    assert await copies_of(services.uow_factory, lotus) == []
    assert not any("To fill in" in mail.subject for mail in mailer.sent)


async def test_what_is_cancelled_later_asks_no_more_and_its_link_says_so(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_free_service(services, lotus)
    await a_worksheet(services.uow_factory, lotus, service_ids=[service.id])
    (made,) = await book_in(services, lotus, service)
    await work(services, lotus.id)
    (copy,) = await copies_of(services.uow_factory, lotus)
    at = services.clock.now()
    path = worksheet_path(services.settings, lotus.slug, copy, "carl@example.com", at)
    assert (await client.get(path)).status_code == 200
    await cancel(services, lotus, made)
    await work(services, lotus.id)
    assert await states(services, lotus) == []
    gone = await client.get(path)
    assert gone.status_code == 410
    assert "This worksheet was taken back" in gone.text


async def test_what_was_begun_or_given_by_staff_stays(services: Services, lotus: Business) -> None:
    factory = services.uow_factory
    service = await a_free_service(services, lotus)
    asked = await a_worksheet(factory, lotus, service_ids=[service.id])
    other = await a_worksheet(factory, lotus, title="Goals")
    (made,) = await book_in(services, lotus, service)
    await work(services, lotus.id)
    (copy,) = await copies_of(factory, lotus)
    await fill(factory, lotus, copy.id, is_sending=False)
    async with factory(lotus.id) as uow:
        await give_worksheet(uow, lotus.ctx, new_id(), other, copy.customer_id)
    await cancel(services, lotus, made)
    await work(services, lotus.id)
    found = {one.worksheet_id: one.state for one in await copies_of(factory, lotus)}
    assert found == {asked: "begun", other: "asked"}


async def test_one_for_several_purchases_stays_until_the_last_of_them_is_cancelled(
    services: Services, lotus: Business
) -> None:
    service = await a_free_service(services, lotus)
    await a_worksheet(services.uow_factory, lotus, service_ids=[service.id])
    first, second = await book_in(services, lotus, service, (7, 14))
    await work(services, lotus.id)
    [(asked_by, _state)] = await states(services, lotus)
    made = [first, second] if asked_by == first.order_id else [second, first]
    await cancel(services, lotus, made[0])
    await work(services, lotus.id)
    assert await states(services, lotus) == [(asked_by, "asked")]
    await cancel(services, lotus, made[1])
    await work(services, lotus.id)
    assert await states(services, lotus) == []


async def test_with_each_purchase_only_that_of_the_cancelled_one_ends(
    services: Services, lotus: Business
) -> None:
    service = await a_free_service(services, lotus)
    rule = AskedRule.EACH
    await a_worksheet(services.uow_factory, lotus, rule=rule, service_ids=[service.id])
    first, second = await book_in(services, lotus, service, (7, 14))
    await work(services, lotus.id)
    await cancel(services, lotus, first)
    await work(services, lotus.id)
    assert await states(services, lotus) == [(second.order_id, "asked")]


async def test_a_course_of_which_a_date_is_left_goes_on_asking(services: Services) -> None:
    school = await a_school(services)
    business = school.business
    await a_worksheet(services.uow_factory, business, series_ids=[school.own.series.id])
    await work(services, business.id)
    first, *others = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    await leave(services, business, school.made, others)
    await work(services, business.id)
    assert len(await states(services, business)) == 1, "they come to the date swapped into"
    new = [one for one in await school.seats() if one.id in done.seat_ids]
    made = school.made
    assert {one.order_id for one in new} == {done.order_id} != {made.order_id}


async def test_a_package_that_lapses_asks_no_more(services: Services, lotus: Business) -> None:
    ten = await a_package(services.uow_factory, lotus.id)
    await a_worksheet(services.uow_factory, lotus, package_ids=[ten.id])
    wish = BuyCommand(
        package_id=ten.id,
        guest_name="Carl Guest",
        guest_email="carl@example.com",
        form_token="ten",
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(lotus.id) as uow:
        order = await buy_package(uow, as_guest(lotus), wish)
    await work(services, lotus.id)
    assert await states(services, lotus) == [(order.id, "asked")]
    async with services.uow_factory(lotus.id) as uow:
        assert await lapse_package(uow, order.id)
    await work(services, lotus.id)
    assert await states(services, lotus) == []


async def test_an_order_told_of_again_after_it_was_cancelled_asks_for_nothing(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    service = await a_free_service(services, lotus)
    await a_worksheet(services.uow_factory, lotus, service_ids=[service.id])
    (made,) = await book_in(services, lotus, service)
    await work(services, lotus.id)
    await cancel(services, lotus, made)
    await work(services, lotus.id)
    count = sum("To fill in" in mail.subject for mail in mailer.sent)
    async with services.uow_factory(lotus.id) as uow:
        uow.record(OrderConfirmed(order_id=made.order_id))
    await work(services, lotus.id)
    assert await states(services, lotus) == []
    assert sum("To fill in" in mail.subject for mail in mailer.sent) == count


async def test_cancelling_where_nothing_is_asked_for_causes_no_work(
    services: Services, lotus: Business
) -> None:
    service = await a_free_service(services, lotus)
    await a_worksheet(services.uow_factory, lotus)
    (made,) = await book_in(services, lotus, service)
    await work(services, lotus.id)
    await cancel(services, lotus, made)
    assert await waiting(services, lotus.id) == ["booking.tell_left"]
    await work(services, lotus.id, rounds=2)
