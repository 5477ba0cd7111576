"""The owner's pages about the credits that customers own."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.domain.credits import LotSource, Scope, end_of_day
from src.billing.models import CreditLot, Order, Payment
from src.billing.queries.credit_lists import MOST_NAMED, get_credit_totals
from src.booking.domain.drop_in import PayWay
from src.booking.models import Seat
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from src.tenants.models import AuditEntry, Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import fields_of, send, send_again
from tests.support.builders import Business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_package
from tests.support.lots import a_customer, lot_of, the_lot

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/credits"
WHY = {"reason": "The hall was closed"}


@pytest.fixture
async def carl(services: Services, lotus: Business) -> Customer:
    return await a_customer(services.uow_factory, lotus.id)


async def lot(services: Services, lotus: Business, owner: Customer, **more: Any) -> CreditLot:
    return await lot_of(services.uow_factory, lotus.id, owner.id, **more)


async def used_once(services: Services, lotus: Business, mine: CreditLot) -> None:
    """Carl books a date with one of them."""
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    wish = a_wish(
        "session",
        session.id,
        way=PayWay.CREDIT,
        customer_id=mine.customer_id,
        credit_lot_id=mine.id,
    )
    await booked(services.uow_factory, lotus, wish)


async def paid_by_card(services: Services, lotus: Business, owner: Customer) -> Order:
    """An order of EUR 120 that is paid."""
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        order = Order(
            tenant_id=lotus.id,
            id=new_id(),
            reference="ABC123",
            customer_id=owner.id,
            state="confirmed",
            payment_mode="online",
            currency="EUR",
            total_minor=12_000,
            paid_minor=12_000,
            form_token=str(new_id()),
            fingerprint="f",
            guest_name="Carl",
            guest_email="carl@example.com",
            source="hub",
            consents={},
            created_at=now,
            confirmed_at=now,
        )
        uow.session.add(order)
        await uow.session.flush()
        uow.session.add(
            Payment(
                tenant_id=lotus.id,
                id=new_id(),
                order_id=order.id,
                account_id="acct_1",
                payment_intent_id="pi_1",
                amount_minor=12_000,
                currency="EUR",
                received_at=now,
            )
        )
    return order


async def test_without_credits_the_page_says_where_they_come_from(
    client: AsyncClient, lotus: Business
) -> None:
    assert "No credits yet" in (await client.get(HOME)).text


async def test_every_state_has_its_list_and_no_other_rows(
    client: AsyncClient, services: Services, clock: FrozenClock, lotus: Business, carl: Customer
) -> None:
    now = clock.now()
    await lot(services, lotus, carl, name="Fresh")
    await lot(services, lotus, carl, name="Over", expires_at=now - timedelta(days=1))
    await lot(services, lotus, carl, name="Waits", pending=True, validity_days=90)
    empty = await lot(services, lotus, carl, name="Empty", credits=1)
    await used_once(services, lotus, empty)
    for state, name in (
        ("active", "Fresh"),
        ("expired", "Over"),
        ("used_up", "Empty"),
        ("pending", "Waits"),
        ("refunded", None),
    ):
        shown = (await client.get(f"{HOME}?state={state}")).text
        for other in ("Fresh", "Over", "Empty", "Waits"):
            assert (f"<span>{other}</span>" in shown) == (other == name), (state, other)
        assert ("counts from payment" in shown) == (state == "pending")
    shown = (await client.get(HOME)).text
    assert all(f"<span>{name}</span>" in shown for name in ("Fresh", "Over", "Empty", "Waits"))


async def test_credits_are_found_by_customer_and_by_package(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    dora = await a_customer(services.uow_factory, lotus.id, "Dora")
    package = await a_package(services.uow_factory, lotus.id, name="Summer")
    await lot(services, lotus, carl, name="Winter")
    await lot(services, lotus, dora, name="Summer", package_id=package.id)
    for query in ("q=dora", "q=SUMMER", f"package={package.id}", "q=example.com+summer"):
        shown = (await client.get(f"{HOME}?{query}")).text
        assert "<span>Summer</span>" in shown, query
        assert "<span>Winter</span>" not in shown, query
    assert "Nothing found" in (await client.get(f"{HOME}?q=nobody")).text


async def test_a_word_that_many_customers_share_finds_credits_too(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    dora = await a_customer(services.uow_factory, lotus.id, "Dora")
    await lot(services, lotus, carl, name="Winter")
    await lot(services, lotus, dora, name="Summer")
    async with services.uow_factory(lotus.id) as uow:
        uow.session.add_all(
            Customer(
                tenant_id=lotus.id,
                id=new_id(),
                name=f"Dora {number}",
                email=None,
                created_at=uow.clock.now(),
            )
            for number in range(MOST_NAMED)
        )
    for query in ("dora", "dora example", "dora summer"):
        shown = (await client.get(HOME, params={"q": query})).text
        assert "<span>Summer</span>" in shown, query
        assert "<span>Winter</span>" not in shown, query
    assert "Nothing found" in (await client.get(HOME, params={"q": "dora winter"})).text


async def test_credits_that_have_ended_are_not_out_before_they_are_written_off(
    services: Services, clock: FrozenClock, lotus: Business, carl: Customer
) -> None:
    await lot(services, lotus, carl, expires_at=clock.now() + timedelta(days=2))
    await lot(services, lotus, carl)
    async with services.uow_factory(lotus.id) as uow:
        before = await get_credit_totals(uow, lotus.tenant)
    clock.advance(timedelta(days=3))
    async with services.uow_factory(lotus.id) as uow:
        after = await get_credit_totals(uow, lotus.tenant)
    assert (before.outstanding, before.outstanding_minor, before.expiring) == (20, 24_000, 10)
    assert (after.outstanding, after.outstanding_minor, after.expiring) == (10, 12_000, 0)


async def test_what_is_bought_today_for_thirty_days_ends_within_them(
    client: AsyncClient, services: Services, clock: FrozenClock, lotus: Business, carl: Customer
) -> None:
    zone = lotus.tenant.zone
    for days, name in ((30, "Thirty"), (31, "Thirty-one")):
        ends_at = end_of_day(days, clock.now(), zone)
        await lot(services, lotus, carl, name=name, expires_at=ends_at)
    shown = (await client.get(HOME, params={"state": "ending"})).text
    assert "<span>Thirty</span>" in shown
    assert "<span>Thirty-one</span>" not in shown
    async with services.uow_factory(lotus.id) as uow:
        assert (await get_credit_totals(uow, lotus.tenant)).expiring == 10


@pytest.mark.parametrize("sort", ["bought", "ends"])
async def test_pages_follow_each_other_without_a_gap_or_a_double(
    client: AsyncClient,
    services: Services,
    clock: FrozenClock,
    lotus: Business,
    carl: Customer,
    sort: str,
) -> None:
    for number in range(60):
        ends = None if number % 3 == 0 else clock.now() + timedelta(days=number % 7 + 1)
        await lot(services, lotus, carl, name=f"L{number:02}", expires_at=ends)
    first = await client.get(f"{HOME}?sort={sort}")
    found = re.search(r'rel="next"\s+href="([^"]+)"', first.text)
    assert found is not None
    second = await client.get(found[1].replace("&amp;", "&"))
    every = [f"L{n:02}" for n in range(60)]
    names = [[one for one in every if f"<span>{one}</span>" in p.text] for p in (first, second)]
    assert len(names[0]) == 50
    assert sorted(names[0] + names[1]) == every
    assert 'rel="prev"' in second.text


async def test_the_figures_on_top(
    client: AsyncClient, services: Services, clock: FrozenClock, lotus: Business, carl: Customer
) -> None:
    soon = await lot(services, lotus, carl, expires_at=clock.now() + timedelta(days=10))
    await lot(services, lotus, carl, source=LotSource.GOODWILL, bought=0, paid_minor=0, credits=5)
    await used_once(services, lotus, soon)
    shown = " ".join((await client.get(HOME)).text.split())
    assert "€120.00" in shown
    assert "€108.00 of what was paid" in shown
    figures = [part.split("</dd>")[0].strip() for part in shown.split('tracking-tight">')[1:5]]
    assert figures == ["1", "14", "1", "9"]


async def test_the_history_says_what_each_credit_was_used_for(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot(services, lotus, carl)
    await used_once(services, lotus, mine)
    await send(client, f"{HOME}/{mine.id}/add", {"number": "2", **WHY})
    shown = (await client.get(f"{HOME}/{mine.id}")).text
    assert "Yoga" in shown
    assert "/app/lotus/bookings/" in shown
    assert "The hall was closed" in shown
    assert "11 of 12" in shown
    assert "Olive" in shown


async def test_acts_by_their_forms_change_once_and_refuse_at_the_field(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot(services, lotus, carl)
    here = f"{HOME}/{mine.id}"
    form = await client.get(f"{here}/remove")
    for _press in range(2):
        await send_again(client, f"{here}/remove", form, {"number": "3", **WHY})
    assert (await the_lot(services.uow_factory, lotus.id, mine.id)).balance == 7
    refused = await send(client, f"{here}/remove", {"number": "8", **WHY})
    assert refused.status_code == 422
    assert 'id="f-number-error"' in refused.text
    refused = await send(client, f"{here}/end", {"ends_on": "2020-01-01", **WHY})
    assert 'id="f-ends_on-error"' in refused.text
    refused = await send(client, f"{here}/add", {"number": "1", "reason": ""})
    assert 'id="f-reason-error"' in refused.text
    assert (await client.get(f"{here}/burn")).status_code == 404


async def test_a_refund_is_worked_out_editable_downwards_and_safe_to_press_twice(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    order = await paid_by_card(services, lotus, carl)
    mine = await lot(services, lotus, carl, order_id=order.id)
    await used_once(services, lotus, mine)
    here = f"{HOME}/{mine.id}"
    form = await client.get(f"{here}/refund")
    assert "the rest is worth €108.00" in form.text
    assert fields_of(form, f"{here}/refund")["amount"] == ["108.00"]
    refused = await send_again(client, f"{here}/refund", form, {"amount": "108.01", **WHY})
    assert refused.status_code == 422
    assert 'id="f-amount-error"' in refused.text
    for _press in range(2):
        await send_again(client, f"{here}/refund", form, {"amount": "100", **WHY})
    after = await the_lot(services.uow_factory, lotus.id, mine.id)
    assert (after.balance, after.refunded_minor) == (0, 10_000)
    shown = (await client.get(here)).text
    assert "Refunded" in shown
    assert f'href="{here}/refund"' not in shown


async def test_files_tell_of_sales_and_of_use_and_the_log_who_took_them(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot(services, lotus, carl)
    await used_once(services, lotus, mine)
    page = await client.get(HOME)
    sales = await send_again(client, f"{HOME}/sales", page, {})
    assert "Carl,carl@example.com,Ten sessions,Bought,Active,," in sales.text
    assert ",10,1,9,0,0,0,0,120.00,0.00,EUR" in sales.text
    usage = await send_again(client, f"{HOME}/usage", page, {})
    assert ",Carl,carl@example.com,Ten sessions,Used,-1,Yoga," in usage.text
    async with services.uow_factory(lotus.id) as uow:
        acts = set(await uow.session.scalars(select(AuditEntry.action)))
    assert {"credits.sales_exported", "credits.usage_exported"} <= acts


async def test_credits_are_given_from_the_customers_page(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    package = await a_package(services.uow_factory, lotus.id, any_service=False, tags=["calm"])
    here = f"/app/lotus/customers/{carl.id}"
    assert "Carl has no credits." in (await client.get(here)).text
    give = f"{here}/credits/new"
    refused = await send(client, give, {"number": "0", "name": "Sorry", **WHY})
    assert 'id="f-number-error"' in refused.text
    refused = await send(client, give, {"package": str(carl.id), **WHY})
    assert 'id="f-package-error"' in refused.text
    form = await client.get(give)
    typed = {"package": str(package.id), "number": "2", "days": "0", **WHY}
    first = await send_again(client, give, form, typed)
    again = await send_again(client, give, form, typed)
    assert first.headers["location"] == again.headers["location"]
    async with services.uow_factory(lotus.id) as uow:
        [given] = (await uow.session.scalars(select(CreditLot))).all()
    assert (given.name, given.balance, given.tags) == (package.name, 2, ["calm"])
    assert (given.expires_at, given.paid_minor) == (None, 0)
    shown = (await client.get(here)).text
    assert "2 of 2" in shown
    assert f"/app/lotus/credits/{given.id}" in shown


@pytest.mark.slow
async def test_rosters_and_orders_say_what_was_paid_with_credits(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot(services, lotus, carl, name="Summer pass")
    await used_once(services, lotus, mine)
    async with services.uow_factory(lotus.id) as uow:
        session_id = await uow.session.scalar(select(Seat.session_id))
        reference = await uow.session.scalar(select(Order.reference))
    for query in ("", "?show=credit"):
        roster = (await client.get(f"/app/lotus/sessions/{session_id}{query}")).text
        assert "Summer pass" in roster
        assert "With credits" in roster
    shown = (await client.get("/app/lotus/orders?paid=credit")).text
    assert str(reference) in shown
    assert ">Package</span>" in shown
    assert str(reference) not in (await client.get("/app/lotus/orders?paid=online")).text
    theirs = (await client.get(f"/app/lotus/customers/{carl.id}")).text
    of_order = theirs[theirs.index(str(reference)) :]
    assert "With credits" in of_order[: of_order.index("</tr>")]


async def test_staff_book_with_a_customers_credits_and_read_what_they_would_do(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer
) -> None:
    mine = await lot(services, lotus, carl, name="Summer pass", credits=1)
    other = await lot(services, lotus, carl, name="Dance", scope=Scope(tags=frozenset({"dance"})))
    dora = await a_customer(services.uow_factory, lotus.id, "Dora")
    hers = await lot(services, lotus, dora)
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    what = f"what=session:{session.id}"
    asked = (await client.get(f"/app/lotus/customers/{carl.id}?{what}")).text
    assert "“Summer pass” can pay for this; 1 credit is left." in asked
    assert "“Dance” is for other services" in asked
    book = f"/app/lotus/customers/{carl.id}/book?{what}"
    assert "With credits: Summer pass" in (await client.get(book)).text
    for wrong in (other, hers):
        refused = await send(client, book, {"pays": f"credit:{wrong.id}"})
        assert refused.status_code in (404, 409)
    assert (await send(client, book, {"pays": "credit:"})).status_code == 422
    done = await send(client, book, {"pays": f"credit:{mine.id}"})
    assert done.status_code == 303, done.text
    after = await the_lot(services.uow_factory, lotus.id, mine.id)
    assert after.balance == 0
    async with services.uow_factory(lotus.id) as uow:
        seat = (await uow.session.scalars(select(Seat))).one()
    assert (seat.credit_lot_id, seat.state) == (mine.id, "confirmed")


async def test_what_lapsed_is_said_and_rolled_over_for_as_long_again(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, clock: FrozenClock
) -> None:
    ends_at = clock.now() + timedelta(days=3)
    mine = await lot(services, lotus, carl, expires_at=ends_at, validity_days=60)
    clock.advance(timedelta(days=4))
    listed = await client.get(f"{HOME}?state=expired")
    assert "10 lapsed" in listed.text
    sales = await send_again(client, f"{HOME}/sales", listed, {})
    assert ",10,0,0,10,0,0,0,120.00" in sales.text
    asked = await client.get(f"{HOME}/{mine.id}/roll-over")
    assert "The customer gets 10 credits" in asked.text
    today = to_local(clock.now(), lotus.tenant.zone).date()
    [ends_on] = fields_of(asked)["ends_on"]
    assert ends_on == (today + timedelta(days=60)).isoformat()
    await send_again(client, f"{HOME}/{mine.id}/roll-over", asked, WHY)
    assert "10 lapsed" not in (await client.get(f"{HOME}?state=expired")).text


async def test_what_ends_soon_is_a_list_of_its_own(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, clock: FrozenClock
) -> None:
    await lot(services, lotus, carl, name="Soon", expires_at=clock.now() + timedelta(days=9))
    await lot(services, lotus, carl, name="Later", expires_at=clock.now() + timedelta(days=90))
    shown = await client.get(HOME)
    assert f'href="{HOME}?state=ending&amp;sort=ends"' in shown.text
    listed = await client.get(f"{HOME}?state=ending&sort=ends")
    assert "Soon" in listed.text
    assert "Later" not in listed.text


@pytest.mark.parametrize("number", ["99999999999", "-3", "few"])
async def test_a_number_that_cannot_be_is_refused_with_the_range(
    client: AsyncClient, services: Services, lotus: Business, carl: Customer, number: str
) -> None:
    mine = await lot(services, lotus, carl)
    refused = await send(client, f"{HOME}/{mine.id}/add", {"number": number, **WHY})
    assert refused.status_code == 422
    assert "Choose a number from 1 to 1000." in refused.text.replace("1,000", "1000")
