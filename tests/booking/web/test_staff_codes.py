"""Staff book for a guest who holds a voucher: it pays all or a part, and is seen before it does."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.billing.domain.coupons import no_use, unknown_code
from src.billing.models import Order, Payment
from src.platform.services import Services
from tests.booking.commands.test_book import taken
from tests.booking.commands.test_transfers import takes_transfers
from tests.booking.web.pages import send, send_again
from tests.booking.web.test_customer_booking import HOME, orders
from tests.support.appointments import a_practice
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.lots import lot_of
from tests.support.vouchers import CODE, a_voucher, change_voucher, ledger, on_it
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio
OTHER = "K7QF-2M9X-3456-ZZZZ"


@pytest.fixture
async def anna(services: Services, lotus: Business) -> UUID:
    return await a_customer(services.uow_factory, lotus)


@pytest.fixture
async def path(services: Services, lotus: Business, anna: UUID) -> str:
    """The form for a date at EUR 15."""
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    return f"{HOME}/{anna}/book?what=session:{session.id}"


def words(page: Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


async def paid(services: Services, business: Business) -> dict[str, int]:
    async with services.uow_factory(business.id) as uow:
        return {one.method: one.amount_minor for one in await uow.session.scalars(select(Payment))}


async def booked(client: AsyncClient, path: str, page: Response) -> str:
    """What is said once the form that is open is sent as it is."""
    answer = await send_again(client, path, page, {"step": None})
    assert answer.status_code == 303, answer.text
    return words(await client.get(answer.headers["location"]))


async def test_it_pays_a_part_and_the_rest_is_paid_on_site(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=2000)
    typed = {"party": "Anna\nKim", "coupon": CODE.lower(), "note": "Rang up.", "step": "update"}
    shown = await send(client, path, typed)
    assert shown.status_code == 200
    said = words(shown)
    assert "Price €30.00 Voucher •••• BCDF −€20.00 · nothing stays on it" in said
    assert "To pay on site €10.00" in said
    assert "Rang up." in shown.text
    assert await orders(services, lotus) == [], "it was only looked at"
    said = await booked(client, path, shown)
    assert "The voucher pays €20.00; €10.00 are to pay on site." in said
    [order] = await orders(services, lotus)
    assert (order.state, order.payment_mode) == ("confirmed", "on_site")
    assert (order.total_minor, order.paid_minor, order.to_pay_minor) == (3000, 2000, 1000)
    assert await paid(services, lotus) == {"voucher": 2000}
    assert await on_it(services.uow_factory, lotus.id) == 0


async def test_it_pays_all_of_it_and_keeps_the_rest(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=5000)
    shown = await send(client, path, {"coupon": CODE, "step": "update"})
    assert "−€15.00 · €35.00 stay on it To pay on site nothing" in words(shown)
    assert "The voucher pays all of it, €15.00." in await booked(client, path, shown)
    [order] = await orders(services, lotus)
    assert (order.state, order.paid_minor, order.to_pay_minor) == ("confirmed", 1500, 0)
    entries = await ledger(services.uow_factory, lotus.id)
    assert entries == [("grant", 5000), ("spend", -1500)]


async def test_what_a_code_pays_is_seen_before_anything_is_booked(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=1000)
    shown = await send(client, path, {"coupon": CODE})
    assert "To pay on site €5.00" in words(shown)
    assert await orders(services, lotus) == []
    changed = await send_again(client, path, shown, {"party": "Anna\nKim", "step": None})
    assert changed.status_code == 409
    assert "The price has changed to €20.00." in words(changed)
    assert "To pay on site €20.00" in words(changed)
    assert await orders(services, lotus) == []
    await booked(client, path, changed)
    assert await taken(services.uow_factory, lotus.id) == [2]


async def test_a_voucher_that_pays_all_hides_no_other_price(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=5000)
    shown = await send(client, path, {"coupon": CODE, "step": "update"})
    changed = await send_again(client, path, shown, {"party": "Anna\nKim\nLea", "step": None})
    assert changed.status_code == 409
    assert "The code takes €45.00 off now. Please look again" in words(changed)
    assert await on_it(services.uow_factory, lotus.id) == 5000
    await booked(client, path, changed)
    assert await on_it(services.uow_factory, lotus.id) == 500


async def test_staff_may_hold_places_until_a_transfer_comes(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    await takes_transfers(services, lotus)
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    path = f"{HOME}/{anna}/book?what=session:{session.id}"
    sent = await send(client, path, {"pays": "transfer"})
    assert sent.status_code == 303, sent.text
    [order] = await orders(services, lotus)
    assert (order.state, order.payment_mode) == ("open", "transfer")


async def test_a_link_asks_for_the_rest_and_is_not_sent_where_nothing_is_left(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=2500)
    shown = await send(client, path, {"party": "Anna\nKim", "pays": "link", "coupon": CODE})
    assert "To pay by the link €5.00" in words(shown)
    said = await booked(client, path, shown)
    assert "A link to pay is on its way to anna@example.com." in said
    assert "The voucher pays €25.00; €5.00 are to pay." in said
    await a_voucher(services.uow_factory, lotus.id, code=OTHER)
    shown = await send(client, path, {"pays": "link", "coupon": OTHER})
    said = await booked(client, path, shown)
    assert "Booked. A confirmation is on its way to anna@example.com." in said
    assert [one.state for one in await orders(services, lotus)] == ["open", "confirmed"]


@pytest.mark.parametrize("why", ["unknown", "empty", "ended", "blocked", "another's"])
async def test_a_code_that_is_refused_keeps_what_was_typed(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    path: str,
    clock: FrozenClock,
    why: str,
) -> None:
    factory = services.uow_factory
    ended = {"expires_at": clock.now() - timedelta(days=1)} if why == "ended" else {}
    if why == "another's":
        rival = await a_business(factory, "rival", owner="Eve")
        await a_voucher(factory, rival.id)
    elif why != "unknown":
        await a_voucher(factory, lotus.id, minor=1500, **ended)
    if why == "empty":
        await booked(client, path, await send(client, path, {"coupon": CODE}))
    if why == "blocked":
        await change_voucher(factory, lotus.id, state="blocked")
    before = len(await orders(services, lotus))
    known = why in ("empty", "ended", "blocked")
    for step in ("update", None):
        typed = {"party": "Anna\nKim", "coupon": CODE, "note": "Rang up.", "step": step}
        refused = await send(client, path, typed)
        assert refused.status_code == 422
        assert (no_use() if known else unknown_code()) in refused.text
        assert 'id="f-coupon-error"' in refused.text
        assert f'value="{CODE}"' in refused.text
        assert "Rang up." in refused.text
        assert "Kim" in refused.text
    assert len(await orders(services, lotus)) == before


async def test_where_nothing_is_to_pay_the_field_says_that_no_code_is_of_use(
    client: AsyncClient, services: Services, lotus: Business, path: str
) -> None:
    await a_voucher(services.uow_factory, lotus.id)
    refused = await send(client, path, {"pays": "free", "coupon": CODE})
    assert refused.status_code == 422
    assert "it cannot be used where it is free." in words(refused)
    assert await on_it(services.uow_factory, lotus.id) == 5000


async def test_nor_is_one_beside_credits(
    client: AsyncClient, services: Services, lotus: Business, path: str, anna: UUID
) -> None:
    await a_voucher(services.uow_factory, lotus.id)
    lot = await lot_of(services.uow_factory, lotus.id, anna)
    refused = await send(client, path, {"pays": f"credit:{lot.id}", "coupon": CODE})
    assert refused.status_code == 422
    assert "A coupon or a voucher is for money, so it cannot be used with credits." in words(
        refused
    )
    assert await orders(services, lotus) == []


async def test_no_code_is_asked_for_where_none_could_pay(
    client: AsyncClient, services: Services, lotus: Business, path: str, anna: UUID
) -> None:
    assert 'name="coupon"' not in (await client.get(path)).text
    await a_voucher(services.uow_factory, lotus.id)
    assert 'name="coupon"' in (await client.get(path)).text
    free = await a_service(services.uow_factory, lotus.id, slug="talk", price_type="free")
    session = await a_session(services.uow_factory, free)
    gratis = (await client.get(f"{HOME}/{anna}/book?what=session:{session.id}")).text
    assert 'name="coupon"' not in gratis


async def test_it_pays_for_an_appointment_too(
    client: AsyncClient, services: Services, lotus: Business, anna: UUID
) -> None:
    lengths = [{"minutes": 30, "price_minor": 3500}]
    practice = await a_practice(
        services.uow_factory, lotus, "Nora", appointment={"lengths": lengths}
    )
    await a_voucher(services.uow_factory, lotus.id, minor=2000)
    at = f"on=2027-03-06&clock=21:15&minutes=30&with={practice.performer_ids[0]}"
    path = f"{HOME}/{anna}/appointment/{practice.service.id}?{at}"
    shown = await send(client, path, {"coupon": CODE})
    assert "To pay on site €15.00" in words(shown)
    said = await booked(client, path, shown)
    assert "The voucher pays €20.00; €15.00 are to pay on site." in said
    [order] = await orders(services, lotus)
    assert isinstance(order, Order)
    assert order.paid_minor == 2000
