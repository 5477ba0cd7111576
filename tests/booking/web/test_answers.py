"""Why this customer cannot book something: with their seats, waiting place, price and code."""

from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from httpx import AsyncClient

from src.billing.domain.lot_users import LotUsers
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_waitlist import Town, a_town
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon, lose_coupons
from tests.support.gaps import a_course
from tests.support.lots import lot_of
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/customers"
CHILD = {"key": "child", "name": "Child", "price_minor": 800}
MEMBER = {"key": "member", "name": "Member", "price_minor": 1000, "audience": "staff"}


@pytest.fixture
async def anna(services: Services, lotus: Business) -> UUID:
    return await a_customer(services.uow_factory, lotus)


async def test_so_many_are_judged_and_each_remedy_is_one_step_away(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id, max_party=3)
    session = await a_session(services.uow_factory, service, capacity=2)
    path = f"{HOME}/{anna}?what=session:{session.id}"
    two = (await client.get(f"{path}&size=2")).text
    assert "Anna can book this now." in two
    assert "€30.00" in two
    assert "To be paid by card while booking." in two
    many = (await client.get(f"{path}&size=4")).text
    assert "The party is bigger than the 3 people allowed." in many
    assert f'href="/app/lotus/services/{service.id}/edit"' in many
    assert "Only 2 seats are left." in many
    assert f'href="/app/lotus/sessions/{session.id}/edit"' in many
    assert "can book this now" not in many
    assert f"book?what=session:{session.id}" not in many
    nobody = await client.get(f"{path}&size=0")
    assert nobody.status_code == 422
    assert 'id="why-size-error"' in nobody.text


async def test_a_price_is_asked_about_and_one_for_staff_is_said_to_be(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_tiers=[CHILD, MEMBER])
    session = await a_session(services.uow_factory, service)
    path = f"{HOME}/{anna}?what=session:{session.id}&size=2"
    child = (await client.get(f"{path}&tier=child")).text
    assert "€16.00" in child
    assert "Staff can book them at “Member”: €10.00." in child
    member = (await client.get(f"{path}&tier=member")).text
    assert "Only staff can choose the price “Member”." in member
    assert "can book this now" not in member
    assert f"book?what=session:{session.id}" in member
    unknown = (await client.get(f"{path}&tier=nonsense")).text
    assert "€30.00" in unknown, "the price that a guest begins with"


async def test_a_code_is_judged_for_this_customer(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="on_site")
    session = await a_session(factory, service)
    coupon = await a_coupon(factory, lotus.id, "FIRST", first_order_only=True)
    path = f"?what=session:{session.id}&code=first"
    fresh = (await client.get(f"{HOME}/{anna}{path}")).text
    assert "Code FIRST" in fresh
    assert "€13.50" in fresh
    wish = a_wish("session", session.id, guest_email="anna@example.com")
    await booked(factory, lotus, wish)
    again = (await client.get(f"{HOME}/{anna}{path}")).text
    assert "They have 1 seat in it already." in again
    assert "It is for the first order only, and this customer has ordered before." in again
    assert f'href="/app/lotus/coupons/{coupon.id}/edit"' in again
    assert "€13.50" not in again
    bea = await a_customer(factory, lotus, name="Bea", email="bea@example.com")
    assert "€13.50" in (await client.get(f"{HOME}/{bea}{path}")).text
    await lose_coupons(factory, lotus.id)
    frozen = (await client.get(f"{HOME}/{bea}{path}")).text
    assert "Coupons are not part of your plan." in frozen


async def test_a_place_in_the_queue_and_an_offer_are_theirs(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    town: Town = await a_town(services)
    await as_owner(client, services, town.lotus)
    ann = await a_customer(town.factory, town.lotus, name="Ann", email="ann@example.com")
    bob = await a_customer(town.factory, town.lotus, name="Bob", email="bob@example.com")
    await town.join("Ann")
    await town.join("Bob")
    path = f"?what=session:{town.session.id}"
    waits = (await client.get(f"{HOME}/{bob}{path}")).text
    assert "They wait for this date as number 2 · 1 person. No place is free." in waits
    assert f'href="/app/lotus/sessions/{town.session.id}/waitlist"' in waits
    assert "This date is sold out." in waits
    await town.free()
    await town.work()
    offered = (await client.get(f"{HOME}/{ann}{path}")).text
    assert "1 place is offered to them until" in offered
    assert "Ann can book this now." in offered
    still = (await client.get(f"{HOME}/{bob}{path}")).text
    assert "This date is sold out." in still, "what is held for Ann is not free for Bob"
    clock.advance(timedelta(hours=4, seconds=1))
    await as_owner(client, services, town.lotus)
    late = (await client.get(f"{HOME}/{ann}{path}")).text
    assert "What was offered to them could be taken until" in late, "its job has not come by"
    assert "This date is sold out." in late


async def test_a_series_that_cannot_be_bought_has_no_price_to_take_off_from(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, active=False, visibility="hidden")
    await a_coupon(services.uow_factory, lotus.id, max_uses=1, used=1)
    path = f"{HOME}/{anna}?what=series:{term.series.id}&code=SPRING"
    shown = (await client.get(path)).text
    assert "The series is switched off." in shown
    assert f'href="/app/lotus/series/{term.series.id}"' in shown
    assert f'href="/app/lotus/series/{term.series.id}/edit"' in shown
    assert "It has been used as often as it may be." in shown
    assert "What it would cost them" not in shown


async def test_a_place_that_completes_a_course_is_not_had_by_booking_its_date(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    await course.wait()
    path = f"{HOME}/{course.bought.order.customer_id}?what=session:{course.missing}"
    waits = (await client.get(path)).text
    assert "They wait for this date as number 1 · 1 person · Completes Spring term." in waits
    await course.free()
    offered = (await client.get(path)).text
    assert "1 place is offered to them until" in offered
    assert "This date is sold out." in offered


@pytest.mark.parametrize(("size", "is_refused"), [(1, True), (2, False)])
async def test_credits_for_a_child_alone_are_not_said_to_pay_for_the_customer(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    anna: UUID,
    size: int,
    is_refused: bool,
) -> None:
    """For one it is the customer who comes; who the others are, nobody has said."""
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    kim = frozenset({new_id()})
    await lot_of(services.uow_factory, lotus.id, anna, users=LotUsers(people=kim))
    path = f"{HOME}/{anna}?what=session:{session.id}&size={size}"
    text = unescape((await client.get(path)).text)
    refused = "“Ten sessions” is for certain people, and not for these."
    assert (refused in text, "“Ten sessions” can pay for this" in text) == (
        is_refused,
        not is_refused,
    )


async def test_that_credits_do_not_pay_for_it_is_said_once_whatever_they_own(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    term = await a_series(
        services.uow_factory, await a_service(services.uow_factory, lotus.id), takes_credits=False
    )
    for _lot in range(2):
        await lot_of(services.uow_factory, lotus.id, anna)
    text = unescape((await client.get(f"{HOME}/{anna}?what=series:{term.series.id}")).text)
    assert text.count("Credits are not among the ways to pay for this.") == 1
