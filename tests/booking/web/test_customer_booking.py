"""Booking for a guest, and "why can't Anna book this?"."""

import re
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.billing.models import Order
from src.platform.services import Services
from tests.booking.commands.test_book import month_count, taken
from tests.booking.web.pages import as_owner, send
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer
from tests.tenants.web.signed_in import submit

pytestmark = pytest.mark.anyio

HOME = "/app/lotus/customers"


@pytest.fixture
async def anna(services: Services, lotus: Business) -> UUID:
    return await a_customer(services.uow_factory, lotus)


async def orders(services: Services, business: Business) -> list[Order]:
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(Order).order_by(Order.id)))


async def test_from_the_customer_to_the_booking(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    choice = (await client.get(f"{HOME}/{anna}/book")).text
    assert f'value="session:{session.id}"' in choice
    path = f"{HOME}/{anna}/book?what=session:{session.id}"
    typed = {"party": "Anna\nKim\n\n", "pays": "on_site", "note": "Rang up."}
    answer = await send(client, path, typed)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{HOME}/{anna}")
    [order] = await orders(services, lotus)
    assert (order.source, order.total_minor, order.payment_mode) == ("staff", 3000, "on_site")
    assert await taken(services.uow_factory, lotus.id) == [2]
    assert await month_count(services.uow_factory, lotus.id) == 1
    shown = (await client.get(f"{HOME}/{anna}")).text
    assert "Kim" in shown
    assert "by staff" in shown


async def test_from_the_session_to_the_guest(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    page = (await client.get(f"/app/lotus/sessions/{session.id}")).text
    choose = f"{HOME}?what=session:{session.id}"
    assert choose in page
    listed = (await client.get(choose)).text
    assert f"{HOME}/{anna}/book?what=session:{session.id}" in listed
    new = f"{HOME}/new?what=session:{session.id}"
    assert new in listed
    answer = await send(client, new, {"name": "Bea", "phone": "020 555 0134"})
    onward = answer.headers["location"]
    assert onward.endswith(f"/book?what=session:{session.id}")
    answer = await send(client, onward, {"pays": "free"})
    assert answer.status_code == 303
    [order] = await orders(services, lotus)
    assert (order.guest_name, order.guest_email, order.guest_phone) == ("Bea", "", "+31205550134")
    await work(services, lotus.id)


async def test_from_the_series_to_the_guest(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    term = await a_series(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    choose = f"{HOME}?what=series:{term.series.id}"
    assert choose in (await client.get(f"/app/lotus/series/{term.series.id}")).text
    listed = (await client.get(choose)).text
    onward = f"{HOME}/{anna}/book?what=series:{term.series.id}"
    assert onward in listed
    assert (await send(client, onward, {"pays": "on_site"})).status_code == 303
    assert await taken(services.uow_factory, lotus.id) == [1, 1, 1]


async def test_a_plan_without_groups_says_so_and_books_nothing(
    client: AsyncClient, services: Services
) -> None:
    small = await a_business(services.uow_factory, "small", plan="starter")
    await as_owner(client, services, small)
    anna = await a_customer(services.uow_factory, small)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, small.id))
    path = f"/app/small/customers/{anna}/book?what=session:{session.id}"
    shown = await client.get(path)
    assert shown.status_code == 200
    assert "The plan does not include group services." in shown.text
    refused = await submit(client, path, "/account", party="Anna", pays="on_site")
    assert refused.status_code == 402
    assert await orders(services, small) == []


async def test_a_link_is_promised_only_to_an_address(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    bea = await a_customer(services.uow_factory, lotus, email="", phone="+31205550134")
    path = f"{HOME}/{{}}/book?what=session:{session.id}"
    assert 'value="link"' in (await client.get(path.format(anna))).text
    assert 'value="link"' not in (await client.get(path.format(bea))).text
    answer = await send(client, path.format(anna), {"pays": "link"})
    assert answer.status_code == 303
    shown = (await client.get(answer.headers["location"])).text
    assert "A link to pay is on its way to anna@example.com." in shown
    refused = await send(client, path.format(bea), {"pays": "link"})
    assert refused.status_code == 422
    assert "no e-mail address" in refused.text


async def test_the_mail_with_the_link_tells_every_time_as_the_business_does(
    client: AsyncClient, services: Services, mailer: RememberingMailer
) -> None:
    kiln = await a_business(services.uow_factory, "kiln", locale="en-GB")
    await as_owner(client, services, kiln)
    anna = await a_customer(services.uow_factory, kiln)
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, kiln.id))
    path = f"/app/kiln/customers/{anna}/book?what=session:{session.id}"
    assert (await send(client, path, {"pays": "link"})).status_code == 303
    await work(services, kiln.id)
    [mail] = mailer.sent
    times = re.findall(r"\d\d?:\d\d.?(?:AM|PM)?", mail.body)
    assert len(times) >= 2
    assert [one for one in times if one.endswith("M")] == [], mail.body


async def test_a_full_session_shows_why_and_how_to_mend_it(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, capacity=1)
    path = f"{HOME}/{anna}/book?what=session:{session.id}"
    answer = await send(client, path, {"party": "Anna\nKim", "pays": "free"})
    assert answer.status_code == 409
    assert "Raise the session&#39;s capacity." in answer.text
    assert "Kim" in answer.text
    assert (await send(client, path, {"pays": "free"})).status_code == 303
    shown = (await client.get(path)).text
    assert "This date is sold out." in shown
    assert "Raise the session&#39;s capacity." in shown
    assert 'name="party"' not in shown
    assert await taken(services.uow_factory, lotus.id) == [1]


@pytest.mark.parametrize("typed", [{"party": "\n \n"}, {"pays": "gold"}, {"party": "x" * 130}])
async def test_a_form_that_will_not_do_books_nothing(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID, typed: dict[str, str]
) -> None:
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    answer = await send(client, f"{HOME}/{anna}/book?what=session:{session.id}", typed)
    assert answer.status_code == 422
    assert await orders(services, lotus) == []


async def test_why_anna_cannot_book_this_and_that_staff_can(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    strict = await a_service(
        services.uow_factory, lotus.id, sales_mode="both", horizon_days=1, min_notice_minutes=60
    )
    far = await a_session(services.uow_factory, strict, in_days=30)
    shown = (await client.get(f"{HOME}/{anna}?what=session:{far.id}")).text
    assert "Guests can book at most 1 days ahead." in shown
    assert "Let guests book further ahead, or add the guest yourself." in shown
    assert f"{HOME}/{anna}/book?what=session:{far.id}" in shown
    term = await a_series(services.uow_factory, strict, visibility="hidden", active=False)
    shown = (await client.get(f"{HOME}/{anna}?what=series:{term.series.id}")).text
    assert "The series is switched off." in shown
    assert "The series is hidden from guests." in shown
    assert f"book?what=series:{term.series.id}" not in shown


async def test_nothing_against_it_is_said_too(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    path = f"{HOME}/{anna}?what=session:{session.id}"
    assert "Anna can book this now." in (await client.get(path)).text
    await send(client, f"{HOME}/{anna}/book?what=session:{session.id}", {"pays": "free"})
    assert "They have 1 seat in it already." in (await client.get(path)).text


async def test_another_businesss_session_is_as_absent_as_none(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    rival = await a_business(services.uow_factory, "rival", owner="Eve")
    theirs = await a_session(services.uow_factory, await a_service(services.uow_factory, rival.id))
    for path in (f"{HOME}/{anna}", f"{HOME}/{anna}/book", HOME):
        assert (await client.get(f"{path}?what=session:{theirs.id}")).status_code == 404
    assert (await client.get(f"{HOME}/{anna}?what=nonsense")).status_code == 200
