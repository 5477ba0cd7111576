"""An order's page tells what became of its places, and leads to them."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.commands.buy_package import BuyCommand, buy_package
from src.billing.commands.voucher_sales import SellVoucher, sell_voucher_by_staff
from src.billing.domain.kinds import PaymentMode
from src.billing.models import CreditLot, Voucher
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.models import Session
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_changes import change
from tests.booking.web.test_roster_bulk import a_guest, ids_of
from tests.support.builders import Business, a_service, a_session, as_guest
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio


async def two_dates(services: Services, lotus: Business) -> tuple[Session, Session]:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    first = await a_session(services.uow_factory, service, in_days=2)
    return first, await a_session(services.uow_factory, service, in_days=3)


async def words_at(client: AsyncClient, path: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", (await client.get(path)).text).split())


async def test_it_tells_who_moved_and_whose_place_was_cancelled(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    first, second = await two_dates(services, lotus)
    hedy = await a_guest(services, lotus, first, "Hedy", "Ida", "Jo")
    seats = sorted(await ids_of(services, lotus, hedy))
    move = MoveSeats(
        order_id=hedy.order_id, seat_ids=seats, session_id=second.id, by="staff", why="The hall"
    )
    async with services.uow_factory(lotus.id) as uow:
        moved = await move_by_staff(uow, lotus.ctx, move)
    path = f"/app/lotus/orders/{hedy.order_id}"
    story = await words_at(client, path)
    from_to = "from Wed, Mar 3, 2027, 10:00 AM to Thu, Mar 4, 2027, 10:00 AM"
    assert f"Moved: The hall Hedy, Ida, Jo, {from_to}" in story
    await seats_taken_back(services.uow_factory, lotus, sorted(moved)[1:2])
    story = await words_at(client, path)
    assert "1 place cancelled" in story
    assert "Ida, Thu, Mar 4, 2027, 10:00 AM" in story, "whose, and which"


async def test_it_leads_to_booking_date_and_customer_and_claims_no_payment(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    first, _second = await two_dates(services, lotus)
    hedy = await a_guest(services, lotus, first, "Hedy")
    page = (await client.get(f"/app/lotus/orders/{hedy.order_id}")).text
    for leads_to in (
        f"bookings/{hedy.booking_id}",
        f"sessions/{first.id}",
        f"customers/{hedy.order.customer_id}",
    ):
        assert f'href="/app/lotus/{leads_to}"' in page, leads_to
    assert "<dt>How it is paid</dt>" in "".join(line.strip() for line in page.splitlines())
    booking = await words_at(client, f"/app/lotus/bookings/{hedy.booking_id}")
    assert "How On site" in booking, "it is not paid yet"


async def test_it_leads_to_the_voucher_or_the_credits_that_were_bought(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    wish = SellVoucher(
        amount_minor=5000,
        buyer_name="Bea",
        buyer_email="bea@example.com",
        form_token="once",
        is_paid=True,
    )
    async with services.uow_factory(lotus.id) as uow:
        voucher_order = (await sell_voucher_by_staff(uow, lotus.ctx, wish)).id
    package = await a_package(services.uow_factory, lotus.id, pays=["on_site"])
    cmd = BuyCommand(
        package_id=package.id,
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token="again",
        way=PaymentMode.ON_SITE,
    )
    async with services.uow_factory(lotus.id) as uow:
        package_order = (await buy_package(uow, as_guest(lotus), cmd)).id
    async with services.uow_factory(lotus.id) as uow:
        voucher = (await uow.session.scalars(select(Voucher))).one()
        lot = (await uow.session.scalars(select(CreditLot))).one()
    for order_id, path, words in (
        (voucher_order, f"vouchers/{voucher.id}", f"Voucher •••• {voucher.code[-4:]}"),
        (package_order, f"credits/{lot.id}", "See the credits"),
    ):
        page = (await client.get(f"/app/lotus/orders/{order_id}")).text
        button = re.search(rf'<a [^>]*href="/app/lotus/{path}"[^>]*>(.*?)</a>', page, re.DOTALL)
        assert button is not None, page
        assert words in " ".join(button[1].split())
        assert (await client.get(f"/app/lotus/{path}")).status_code == 200


@pytest.mark.slow
async def test_lists_and_order_name_the_dates_that_its_places_are_for_now(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    first, second = await two_dates(services, lotus)
    hedy = await a_guest(services, lotus, first, "Hedy", "Ida")
    clock.advance(timedelta(minutes=1))
    await change(services, lotus, first.id, by=timedelta(hours=2))
    clock.advance(timedelta(minutes=1))
    move = MoveSeats(
        order_id=hedy.order_id,
        seat_ids=sorted(await ids_of(services, lotus, hedy))[1:],
        session_id=second.id,
        by="staff",
    )
    async with services.uow_factory(lotus.id) as uow:
        [ida] = await move_by_staff(uow, lotus.ctx, move)
    path = f"/app/lotus/orders/{hedy.order_id}"
    at_ten, at_noon = "Wed, Mar 3, 2027, 10:00 AM", "Wed, Mar 3, 2027, 12:00 PM"
    next_day = "Thu, Mar 4, 2027, 10:00 AM"
    story = await words_at(client, path)
    assert f"Yoga · {at_ten} By now: Yoga · {at_noon}; Yoga · {next_day}" in story
    assert f"The date was moved From {at_ten} to {at_noon}" in story
    assert f"Moved Ida, from {at_noon} to {next_day}" in story
    listed = await words_at(client, "/app/lotus/orders")
    assert f"Yoga · {at_noon} and 1 more" in listed
    customer = f"/app/lotus/customers/{hedy.order.customer_id}"
    told = await words_at(client, customer)
    assert f"Yoga · {at_noon}; Yoga · {next_day}" in told
    assert "Place moved away: Yoga" in told
    assert "Moved a place" not in told, "once is enough"

    [left] = set(await ids_of(services, lotus, hedy)) - {ida, *move.seat_ids}
    clock.advance(timedelta(minutes=1))
    await seats_taken_back(services.uow_factory, lotus, [left, ida])
    clock.advance(timedelta(minutes=1))
    await change(services, lotus, first.id, by=timedelta(hours=2))
    assert f"Yoga · {at_noon} and 1 more" in await words_at(client, "/app/lotus/orders"), (
        "as they were last held"
    )
    story = await words_at(client, path)
    assert story.count("The date was moved") == 1, "it moved again when nobody of theirs came"


async def test_each_kind_of_price_says_which_date_its_places_are_for_now(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    """Also where only those of one kind moved, or have ended since."""
    tiers = [{"key": "student", "name": "Student", "price_minor": 900}]
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", price_tiers=tiers
    )
    first, second = [
        await a_session(services.uow_factory, service, in_days=days) for days in (2, 3)
    ]
    wish = a_wish("session", first.id, party=("Hedy", "Ida"), tiers=("full", "student"))
    hedy = await booked(services.uow_factory, lotus, wish)
    full, student = sorted(await ids_of(services, lotus, hedy))
    path = f"/app/lotus/orders/{hedy.order_id}"
    bought, moved = "Yoga · Wed, Mar 3, 2027, 10:00 AM", "Yoga · Thu, Mar 4, 2027, 10:00 AM"

    async def move(seat_id: UUID) -> UUID:
        cmd = MoveSeats(
            order_id=hedy.order_id, seat_ids=[seat_id], session_id=second.id, by="staff"
        )
        async with services.uow_factory(lotus.id) as uow:
            [new] = await move_by_staff(uow, lotus.ctx, cmd)
        return new

    ida = await move(student)
    story = await words_at(client, path)
    assert f"{bought} By now: {moved} Student" in story
    assert story.count("By now") == 1
    await move(full)
    story = await words_at(client, path)
    assert f"{bought} By now: {moved} Student" in story
    assert story.count(f"{bought} By now: {moved}") == 2
    await seats_taken_back(services.uow_factory, lotus, [ida])
    story = await words_at(client, path)
    assert f"{bought} By now: {moved} · 0 of 1 place Student" in story
    assert story.count(f"{bought} By now: {moved}") == 2
