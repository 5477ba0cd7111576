"""The hub: what a business offers, to everybody alike."""

from datetime import date, timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import text, update

from src.billing.models import VoucherSettings
from src.booking.models import Series, Service, Session
from src.booking.queries.hub_search import MANY_SERVICES
from src.platform.db.uow import UowFactory
from src.platform.services import Services
from src.platform.web.formats import date_short
from src.tenants.models import Performer, Tenant
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.vouchers import sells_vouchers
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def change(uow_factory: UowFactory, business: Business, model: Any, **values: Any) -> None:
    async with uow_factory(business.id) as uow:
        await uow.session.execute(update(model).values(**values))


async def test_it_shows_services_series_and_dates(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service)
    session = await a_session(uow_factory, service, in_days=3, title="Open hour")
    page = (await client.get("/b/lotus")).text
    assert "€15.00 · series €60.00" in page
    assert "Spring term" in page
    assert "3 dates" in page
    assert "Yoga · Open hour" in page
    assert f"/b/lotus/yoga/book?session={session.id}" in page
    assert f"/b/lotus/yoga/book?series={term.series.id}" in page
    assert "Part of Spring term" in page


async def test_nothing_published_is_said_kindly(client: AsyncClient, lotus: Business) -> None:
    page = await client.get("/b/lotus")
    assert page.status_code == 200
    assert "Nothing to book here yet" in page.text


async def test_a_service_names_its_next_date_with_places(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    dates = [
        await a_session(uow_factory, service, in_days=days, seats_taken=taken)
        for days, taken in ((1, 10), (2, 3))
    ]
    first, second = (date_short(one.starts_at, lotus.tenant.zone) for one in dates)

    async def told() -> str:
        clock.advance(timedelta(seconds=2))
        page = " ".join((await client.get("/b/lotus")).text.split())
        return page.split('id="services"')[1].split("</li>")[0]

    assert f"Next with places: {second}, " in await told()
    await change(uow_factory, lotus, Session, seats_taken=4)
    assert f"Next: {first}, " in await told()
    assert "sold out" not in await told()
    await change(uow_factory, lotus, Session, seats_taken=10)
    assert f"Next: {first}, " in await told()
    assert "· sold out" in await told()
    await change(uow_factory, lotus, Service, sales_mode="series")
    assert "sold out" not in await told(), "a course is sold as a whole"


async def test_the_next_date_with_places_is_one_that_can_be_had(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    """A course has seats left in a week, then in a month; a date alone is full, then there is one
    in two weeks.
    """
    service = await a_service(uow_factory, lotus.id)
    full = await a_session(uow_factory, service, in_days=2, seats_taken=10)
    term = await a_series(uow_factory, service, drop_in_allowed=False)
    zone = lotus.tenant.zone

    async def told() -> str:
        clock.advance(timedelta(seconds=2))
        page = " ".join((await client.get("/b/lotus")).text.split())
        return page.split('id="services"')[1].split("</li>")[0]

    in_course = date_short(term.sessions[0].starts_at, zone)
    assert f"Next with places: {in_course}, " in await told()
    await change(uow_factory, lotus, Series, join_policy="until", join_until_on=date(2020, 1, 1))
    shown = await told()
    assert "with places" not in shown, "nobody joins it any more"
    assert f"Next: {date_short(full.starts_at, zone)}, " in shown
    assert "sold out" not in shown.split("Next: ")[1], "the course has seats"
    alone = await a_session(uow_factory, service, in_days=16)
    assert f"Next with places: {date_short(alone.starts_at, zone)}, " in await told()
    await change(uow_factory, lotus, Series, drop_in_allowed=True)
    assert f"Next with places: {in_course}, " in await told()


async def test_few_and_none_left(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_session(uow_factory, service, in_days=1, seats_taken=9)
    await a_session(uow_factory, service, in_days=2, seats_taken=10)
    await a_session(uow_factory, service, in_days=3, seats_taken=5)
    page = (await client.get("/b/lotus")).text
    assert 'tone-warning pill-dot">1 seat left' in page
    assert "Sold out" in page
    assert 'text-muted">5 seats left' in page
    assert page.count("book?session=") == 2


async def test_only_online_dates_are_made_ready_for_the_readers_own_clock(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service)
    await a_session(uow_factory, service, in_days=3)
    paths = ("/b/lotus", "/b/lotus/yoga?how=single", "/b/lotus/yoga?how=series")
    for path in paths:
        page = (await client.get(path)).text
        assert "yourtime" not in page
        assert "data-from" not in page
    online = term.sessions[1]
    async with uow_factory(lotus.id) as uow:
        only = update(Session).where(Session.id == online.id)
        await uow.session.execute(only.values(mode="online"))
    clock.advance(timedelta(seconds=2))
    for path in (*paths, f"/b/lotus/yoga/book?series={term.series.id}"):
        page = (await client.get(path)).text
        head, body = page.split("<body")
        assert 'data-zone="Europe/Amsterdam"' in head
        assert body.count("data-from=") == 1
        assert f'data-from="{online.starts_at.isoformat()}"' in body


async def test_it_leads_to_gift_vouchers_while_they_can_be_bought(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    shop = "/b/lotus/vouchers"
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service)
    assert shop not in (await client.get("/b/lotus", params={"weekday": "1"})).text
    await sells_vouchers(services.uow_factory, lotus.id)
    assert shop in (await client.get("/b/lotus", params={"weekday": "2"})).text
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(VoucherSettings).values(is_on=False))
    assert shop not in (await client.get("/b/lotus", params={"weekday": "3"})).text
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(VoucherSettings).values(is_on=True))
        await uow.session.execute(update(Tenant).values(payments_ready=False))
    assert shop not in (await client.get("/b/lotus")).text, "nobody could pay for one"


async def test_single_places_that_open_later_lead_to_the_series_until_then(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    rules: dict[str, Any] = {
        "drop_in_allowed": True,
        "drop_in_opens_before": 1,
        "drop_in_opens_unit": "hours",
    }
    term = await a_series(uow_factory, service, **rules)
    for path in ("/b/lotus", "/b/lotus/yoga", "/b/lotus/yoga?how=single"):
        page = await client.get(path)
        assert page.status_code == 200, path
        assert "book?session=" not in page.text
        if "how=single" in path or path == "/b/lotus":
            assert "Single places from" in page.text
            assert f"/b/lotus/yoga?how=series#series-{term.series.id}" in page.text


@pytest.mark.parametrize("visibility", ["unlisted", "hidden"])
async def test_what_is_not_public_is_not_listed(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, visibility: str
) -> None:
    shown = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, shown, title="Secret term", visibility=visibility)
    other = await a_service(
        uow_factory, lotus.id, slug="other", name="Secret craft", visibility=visibility
    )
    await a_session(uow_factory, other)
    page = (await client.get(f"/b/lotus?service={other.id}")).text
    assert "Secret" not in page
    assert "Yoga" in page


async def test_a_plan_without_groups_freezes_them(
    client: AsyncClient, uow_factory: UowFactory
) -> None:
    basic = await a_business(uow_factory, "basic", plan="starter")
    await a_session(uow_factory, await a_service(uow_factory, basic.id))
    page = await client.get("/b/basic")
    assert page.status_code == 200
    assert "Yoga" not in page.text


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"status": "paused"}, "This cannot be booked at present."),
        ({"payments_ready": False}, "Online payment is not possible at present."),
    ],
)
async def test_a_business_that_cannot_sell_says_so_and_offers_no_button(
    client: AsyncClient,
    uow_factory: UowFactory,
    lotus: Business,
    values: dict[str, Any],
    sentence: str,
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service)
    await a_session(uow_factory, service, in_days=2)
    await change(uow_factory, lotus, Tenant, contact_email="hello@lotus.example", **values)
    page = (await client.get("/b/lotus")).text
    assert sentence in page
    assert "hello@lotus.example" in page
    assert "Yoga" in page
    assert "/book?" not in page
    assert '<span class="pill">Not bookable at present</span>' in page, "beside its price"


async def test_without_payments_free_dates_can_still_be_booked(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, price_type="free")
    await a_session(uow_factory, service)
    await change(uow_factory, lotus, Tenant, payments_ready=False)
    page = (await client.get("/b/lotus")).text
    assert "Online payment" not in page
    assert "/book?session=" in page
    assert "Not bookable at present" not in page


async def test_a_month_that_is_used_up_is_neutral(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    small = {
        "plan": {
            "version_id": "x",
            "key": "small",
            "name": "Small",
            "features": ["group_services", "series"],
            "limits": {"bookings_per_month": 1},
        }
    }
    await change(uow_factory, lotus, Tenant, entitlements=small)
    async with uow_factory(lotus.id) as uow:
        counted = "INSERT INTO booking_counters VALUES (:tenant, '2027-03', 1, 0)"
        await uow.session.execute(text(counted), {"tenant": lotus.id})
    page = (await client.get("/b/lotus")).text
    assert "This cannot be booked at present." in page
    assert "limit" not in page
    assert "/book?" not in page


async def test_months_are_one_tap_away(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_session(uow_factory, service, in_days=70, title="In May")
    first = (await client.get("/b/lotus")).text
    assert "In May" in first
    assert "month=2027-04" in first
    assert "month=2027-06" in first
    april = (await client.get("/b/lotus?month=2027-04")).text
    assert "No dates in this month." in april
    assert "Go to May 2027" in april
    assert "In May" in (await client.get("/b/lotus?month=2027-05")).text


@pytest.mark.parametrize(
    "query", ["month=2027-13", "month=1999-01", "weekday=9", "after=x", "service=1"]
)
async def test_a_wish_that_makes_no_sense_is_none(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, query: str
) -> None:
    await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    page = await client.get(f"/b/lotus?{query}")
    assert page.status_code == 200
    assert "March 2027" in page.text


async def test_dates_are_narrowed_by_service_performer_and_weekday(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    async with uow_factory(lotus.id) as uow:
        mia, ivan = (
            Performer(tenant_id=lotus.id, name=name, created_at=uow.clock.now())
            for name in ("Mia", "Ivan")
        )
        uow.session.add_all([mia, ivan])
    yoga = await a_service(uow_factory, lotus.id)
    clay = await a_service(uow_factory, lotus.id, slug="clay", name="Clay")
    for day in range(1, 8):
        await a_session(uow_factory, yoga, in_days=day, performer_id=mia.id, title=f"Y{day}")
    await a_session(uow_factory, clay, in_days=2, performer_id=ivan.id, title="C2")
    assert "All services" not in (await client.get("/b/lotus")).text
    await a_session(uow_factory, clay, in_days=3, performer_id=ivan.id, title="C3")
    await a_session(uow_factory, clay, in_days=4, performer_id=ivan.id)
    narrowed = {
        f"service={clay.id}": ({"C2", "C3"}, {"Y1", "Y7"}),
        f"performer={mia.id}": ({"Y1", "Y7"}, {"C2", "C3"}),
        "weekday=3": ({"Y2", "C2"}, {"Y1", "C3"}),
    }
    for query, (there, gone) in narrowed.items():
        page = (await client.get(f"/b/lotus?{query}")).text
        assert "All services" in page
        assert all(f"· {title}<" in page for title in there), query
        assert not any(f"· {title}<" in page for title in gone), query


async def test_a_long_month_goes_on_where_it_left_off(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    for hour in range(60):
        await a_session(uow_factory, service, in_days=1 + hour / 24, title=f"H{hour:02}")
    first = (await client.get("/b/lotus")).text
    assert "H49" in first
    assert "H50" not in first
    more = first.split("More dates in", 1)[0].rsplit('href="', 1)[1].split('"', 1)[0]
    rest = (await client.get(more.replace("&amp;", "&"))).text
    assert "· H49<" not in rest
    assert "H50" in rest
    assert "H59" in rest


async def test_a_page_is_fresh_after_a_second_and_a_pause_shows_at_once(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_session(uow_factory, service)
    assert "10 seats left" in (await client.get("/b/lotus")).text
    await change(uow_factory, lotus, Session, seats_taken=2)
    clock.advance(timedelta(seconds=1))
    assert "8 seats left" in (await client.get("/b/lotus")).text
    await change(uow_factory, lotus, Tenant, status="paused")
    assert "cannot be booked at present" in (await client.get("/b/lotus")).text


async def test_it_is_light_and_asks_for_no_cookie(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    for hour in range(60):
        await a_session(uow_factory, service, in_days=1 + hour / 24)
    page = await client.get("/b/lotus", headers={"accept-encoding": "gzip"})
    assert int(page.headers["content-length"]) < 15_000
    assert "set-cookie" not in page.headers


async def test_one_business_never_sees_another(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    await a_session(uow_factory, await a_service(uow_factory, lotus.id, name="Lotus yoga"))
    eve = await a_business(uow_factory, "eve", owner="Eve")
    await a_session(uow_factory, await a_service(uow_factory, eve.id, name="Eve yoga"))
    for own, other in (("lotus", "Eve yoga"), ("eve", "Lotus yoga")):
        assert other not in (await client.get(f"/b/{own}")).text
    assert (await client.get("/b/nobody")).status_code == 404


async def test_what_is_switched_off_is_not_listed(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service)
    await change(uow_factory, lotus, Series, active=False)
    assert "Spring term" not in (await client.get("/b/lotus")).text
    await change(uow_factory, lotus, Service, active=False)
    clock.advance(timedelta(seconds=1))
    assert "Yoga" not in (await client.get("/b/lotus")).text


async def test_the_next_date_is_none_of_a_draft(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(
        uow_factory, service, first_in_days=2, active=False, published_at=None, base_sessions=None
    )
    open_one = await a_session(uow_factory, service, in_days=40)
    page = (await client.get("/b/lotus")).text
    assert open_one.starts_at.strftime("%b %-d") in page
    drafted = open_one.starts_at - timedelta(days=38)
    assert drafted.strftime("%b %-d,") not in page


async def test_who_published_something_sees_it_at_once(
    client: AsyncClient, services: Services
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id)
    await a_session(services.uow_factory, service, title="First")
    assert "First" in (await client.get("/b/lotus")).text
    await a_session(services.uow_factory, service, title="Second")
    assert "Second" not in (await client.get("/b/lotus")).text
    await sign_in(client, services, lotus.owner.id)
    assert "Second" in (await client.get("/b/lotus")).text


async def test_tags_and_words_narrow_services_series_and_dates(
    client: AsyncClient, uow_factory: UowFactory, lotus: Business
) -> None:
    yoga = await a_service(uow_factory, lotus.id, tags=["calm", "outdoors"])
    await a_series(uow_factory, yoga, title="Summer in Zürich")
    clay = await a_service(uow_factory, lotus.id, slug="clay", name="Clay", tags=["calm"])
    await a_session(uow_factory, clay, title="Open studio")
    page = (await client.get("/b/lotus")).text
    assert 'href="/b/lotus?tag=outdoors#services"' in page
    assert 'name="q"' not in page, "two services need no search"
    outdoors = (await client.get("/b/lotus?tag=outdoors")).text
    assert "Summer in Zürich" in outdoors
    assert "Open studio" not in outdoors
    assert 'href="/b/lotus#services"' in outdoors, "the chosen tag leads back"
    for number in range(MANY_SERVICES - 2):
        await a_service(uow_factory, lotus.id, slug=f"s{number}", name=f"Other {number}")
    assert 'name="q"' in (await client.get("/b/lotus?month=2027-05")).text
    found = (await client.get("/b/lotus?q=%20zurich%20SUMMER")).text
    assert "Summer in Zürich" in found
    assert "Other 1" not in found
    none = (await client.get("/b/lotus?q=zurich&tag=nosuch")).text
    assert "Nothing fits this" in none
    assert "Summer in Zürich" not in none
    typed = (await client.get("/b/lotus?q=%3Cb%3E")).text
    assert "<b>" not in typed
