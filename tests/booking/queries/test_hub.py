"""What the hub asks of the database, and what it makes of the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine

from src.booking.commands.drop_in import set_drop_in
from src.booking.domain.drop_in import DropInRules
from src.booking.domain.leaving import BeforeUnit
from src.booking.models import Session
from src.booking.queries.dates import Wanted, list_dates, month_bounds, month_of, within_reach
from src.booking.queries.drop_in import rules_of
from src.booking.queries.hub import get_hub, seats_in_words, shortened
from src.booking.queries.offers import get_session_offer
from src.booking.queries.on_sale import find_on_sale, list_on_sale
from src.booking.views.hub import HubView
from src.platform.db.uow import UowFactory
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements sent inside, without those that only set the tenant."""
    sent: list[str] = []

    def remember(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", remember)


async def hub_of(uow_factory: UowFactory, business: Business, **wanted: object) -> HubView:
    async with uow_factory(business.id) as uow:
        wish = Wanted(**wanted)  # type: ignore[arg-type]  # any of its fields
        return await get_hub(uow, business.tenant, wish, uow.clock.now(), "http://x")


async def test_two_statements_whatever_there_is(uow_factory: UowFactory, lotus: Business) -> None:
    """Row 2-56: with 13,000 dates a list asked for each."""
    with counted() as empty:
        await hub_of(uow_factory, lotus)
    assert len(empty) == 1
    for number in range(4):
        service = await a_service(uow_factory, lotus.id, slug=f"s{number}", name=f"S{number}")
        await a_series(uow_factory, service, sessions=2, title=f"T{number}")
        for day in range(1, 6):
            await a_session(uow_factory, service, in_days=day)
    with counted() as full:
        hub = await hub_of(uow_factory, lotus)
    assert len(full) == 2
    assert len(hub.services) == 4
    assert len(hub.series) == 4


async def test_an_older_course_that_runs_is_shown_however_many_newer_ones_have_ended(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="series")
    await a_series(uow_factory, service, title="Runs", join_policy="any_time")
    for number in range(61):
        await a_series(uow_factory, service, sessions=1, first_in_days=-9, title=f"Was {number}")
    async with uow_factory(lotus.id) as uow:
        listed = await list_on_sale(uow, lotus.tenant, clock.now())
        page = await find_on_sale(uow, lotus.tenant, clock.now(), service.slug)
    assert page is not None
    for found in (listed, page):
        assert [offer.row.title for offer in found.series] == ["Runs"]


async def test_a_course_that_can_be_joined_comes_before_forty_that_cannot(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="series")
    await a_series(uow_factory, service, title="Open", join_policy="any_time")
    for number in range(41):
        await a_series(uow_factory, service, first_in_days=-1, title=f"Shut {number}")
    async with uow_factory(lotus.id) as uow:
        page = await find_on_sale(uow, lotus.tenant, clock.now(), service.slug)
    assert page is not None
    assert "Open" in [offer.row.title for offer in page.series]


async def test_the_label_is_the_same_on_hub_and_page(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_series(uow_factory, service, drop_in_allowed=True, drop_in_price_minor=1800)
    await a_session(uow_factory, service)
    async with uow_factory(lotus.id) as uow:
        listed = await list_on_sale(uow, lotus.tenant, clock.now())
        alone = await find_on_sale(uow, lotus.tenant, clock.now(), "yoga")
    assert alone is not None
    label = listed.label(listed.services[0], "EUR")
    assert label == alone.label(alone.services[0], "EUR")
    assert (label.single_minor, label.single_from, label.series_minor) == (1500, True, 6000)


async def test_full_dates_only_count_where_nothing_else_is_left(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id, sales_mode="single")
    await a_session(uow_factory, service, capacity=2, seats_taken=2)
    async with uow_factory(lotus.id) as uow:
        on_sale = await list_on_sale(uow, lotus.tenant, clock.now())
    assert on_sale.label(on_sale.services[0], "EUR").sold_out
    await a_session(uow_factory, service, in_days=8)
    async with uow_factory(lotus.id) as uow:
        on_sale = await list_on_sale(uow, lotus.tenant, clock.now())
    assert not on_sale.label(on_sale.services[0], "EUR").sold_out


async def test_dates_inside_the_notice_or_beyond_the_horizon_cannot_be_booked(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id, min_notice_minutes=24 * 60, horizon_days=10)
    for days in (0.5, 5, 20):
        await a_session(uow_factory, service, in_days=days)
    hub = await hub_of(uow_factory, lotus)
    assert hub.month is not None
    states = [row.state for day in hub.month.days for row in day.rows]
    assert states == ["closed", "book", "closed"]


async def test_days_are_those_of_the_business(uow_factory: UowFactory, lotus: Business) -> None:
    service = await a_service(uow_factory, lotus.id)
    late = datetime(2027, 3, 9, 22, 30, tzinfo=UTC)
    for starts_at in (late, late + timedelta(hours=1)):
        await a_session(uow_factory, service, starts_at=starts_at)
    hub = await hub_of(uow_factory, lotus)
    assert hub.month is not None
    assert [len(day.rows) for day in hub.month.days] == [1, 1]


async def test_the_last_night_of_a_month_belongs_to_it(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    await a_session(uow_factory, service, starts_at=datetime(2027, 3, 31, 21, 30, tzinfo=UTC))
    await a_session(uow_factory, service, starts_at=datetime(2027, 3, 31, 22, 30, tzinfo=UTC))
    for month in (date(2027, 3, 1), date(2027, 4, 1)):
        hub = await hub_of(uow_factory, lotus, month=month)
        assert hub.month is not None
        assert [len(day.rows) for day in hub.month.days] == [1]


def test_a_month_reaches_from_midnight_to_midnight() -> None:
    starts_at, ends_at = month_bounds(date(2027, 3, 1), AMSTERDAM)
    assert (ends_at - starts_at) == timedelta(days=31, hours=-1)


def test_months_stay_within_reach() -> None:
    now = datetime(2027, 3, 15, tzinfo=UTC)
    assert within_reach(date(2020, 1, 1), now, AMSTERDAM) == date(2027, 3, 1)
    assert within_reach(date(2090, 1, 1), now, AMSTERDAM) == date(2029, 3, 1)


def test_words() -> None:
    assert seats_in_words(0, "en") == "Sold out"
    assert seats_in_words(1, "en") == "1 seat left"
    assert seats_in_words(None, "en") == ""
    assert shortened("one\n two") == "one two"
    assert shortened("word " * 40).endswith("word…")


async def test_the_statement_finds_the_rules_that_hold_for_each_date(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    """What the hub shows of a date is what booking it asks for."""
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(
        uow_factory,
        service,
        sessions=2,
        drop_in_allowed=True,
        drop_in_price_minor=2000,
        drop_in_opens_before=30,
        drop_in_pays=["on_site"],
    )
    own = DropInRules(price_minor=900, opens_before=12, opens_unit=BeforeUnit.HOURS)
    for session, rules in ((term.sessions[0], own), (term.sessions[1], DropInRules())):
        async with uow_factory(lotus.id) as uow:
            await set_drop_in(uow, lotus.ctx, session.id, rules)
    async with uow_factory(lotus.id) as uow:
        zone, now = lotus.tenant.zone, clock.now()
        window = await list_dates(uow, Wanted(), month_of(now, zone), zone, now)
        offers = [await get_session_offer(uow, session.id) for session in term.sessions]
    found = {row.id: row.rules() for row in window.rows}
    for offer in offers:
        assert found[offer.session.id] == rules_of(offer)


async def test_single_dates_count_on_the_label_once_they_are_open(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(
        uow_factory, service, drop_in_allowed=True, drop_in_price_minor=1800, drop_in_opens_before=3
    )

    async def label() -> str:
        hub = await hub_of(uow_factory, lotus)
        return hub.services[0].price

    assert await label() == "Series €60.00"
    opens_at = term.sessions[0].starts_at - timedelta(days=3)
    clock.advance(opens_at - clock.now() - timedelta(seconds=1))
    assert await label() == "Series €60.00"
    clock.advance(timedelta(seconds=1))
    assert await label() == "€18.00 · series €60.00"


async def test_a_date_that_is_not_open_yet_says_when_and_leads_to_its_series(
    uow_factory: UowFactory, lotus: Business
) -> None:
    service = await a_service(uow_factory, lotus.id)
    term = await a_series(uow_factory, service, drop_in_allowed=True, drop_in_opens_before=3)
    hub = await hub_of(uow_factory, lotus)
    assert hub.month is not None
    row = hub.month.days[0].rows[0]
    assert (row.state, row.price_minor, row.series_title) == ("soon", 1500, "Spring term")
    assert row.opens_at == term.sessions[0].starts_at - timedelta(days=3)
    assert row.href == f"/b/lotus/yoga?how=series#series-{term.series.id}"


async def test_a_full_date_promises_no_list_before_it_could_be_joined(
    uow_factory: UowFactory, lotus: Business
) -> None:
    """Before single places open it leads to the series, beyond the horizon nowhere."""
    service = await a_service(uow_factory, lotus.id, horizon_days=10)
    term = await a_series(uow_factory, service, drop_in_allowed=True, drop_in_opens_before=3)
    for days in (8, 12):
        await a_session(uow_factory, service, in_days=days)
    async with uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=Session.capacity))
    hub = await hub_of(uow_factory, lotus)
    assert hub.month is not None
    soon, full, far = [row for day in hub.month.days for row in day.rows][:3]
    assert (soon.state, soon.is_full) == ("soon", True)
    assert soon.href == f"/b/lotus/yoga?how=series#series-{term.series.id}"
    assert (full.state, full.href) == ("full", f"/b/lotus/yoga/waitlist?session={full.session_id}")
    assert (far.state, far.href) == ("full", None)


async def test_a_date_with_another_way_to_pay_is_sold_without_a_payment_account(
    uow_factory: UowFactory,
) -> None:
    bare = await a_business(uow_factory, "bare", payments_ready=False)
    service = await a_service(uow_factory, bare.id)
    await a_series(
        uow_factory,
        service,
        price_type="on_site",
        drop_in_allowed=True,
        drop_in_pays=["online", "on_site"],
    )
    hub = await hub_of(uow_factory, bare)
    assert hub.month is not None
    assert {row.state for day in hub.month.days for row in day.rows} == {"book"}
    assert hub.notice is None
