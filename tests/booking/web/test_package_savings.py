"""A package is compared with what its credits' own dates cost whoever pays for them singly."""

from datetime import date, timedelta
from typing import Any

import pytest

from src.billing.domain.credits import Scope
from src.billing.models import Package
from src.booking.models import Session
from src.booking.queries.date_prices import list_date_prices
from src.booking.queries.guest_packages import lowest_single_minor
from src.booking.queries.packages import get_package_row
from tests.booking.web.conftest import Shop
from tests.booking.web.test_guest_appointments import open_first_time
from tests.booking.web.test_guest_credits import carl_with, left
from tests.booking.web.test_guest_packages import PAGE
from tests.support.appointments import a_practice
from tests.support.builders import a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_package

pytestmark = pytest.mark.anyio

CHILD = {"key": "child", "name": "Child", "price_minor": 1300}
STAFF = {"key": "friend", "name": "Friend", "price_minor": 100, "audience": "staff"}
EARLY = {"key": "early", "name": "Early", "price_minor": 200, "until_on": "2027-02-28"}


class Said:
    """What guests read of the one package on sale, and its owner."""

    def __init__(self, shop: Shop, clock: FrozenClock, package: Package) -> None:
        self.shop, self.clock, self.package = shop, clock, package

    async def by_guest(self) -> str:
        self.clock.advance(timedelta(seconds=2))
        return (await self.shop.guest.open(PAGE)).text

    async def by_owner(self) -> tuple[int, bool]:
        async with self.shop.services.uow_factory(self.shop.business.id) as uow:
            row = await get_package_row(uow, self.shop.business.tenant, self.package)
        return row.worth.saves_minor, row.worth.is_up_to

    async def charged_minor(self) -> int:
        async with self.shop.services.uow_factory(self.shop.business.id) as uow:
            return await lowest_single_minor(uow, self.package)


async def test_only_dates_that_the_credits_are_for_count(shop: Shop, clock: FrozenClock) -> None:
    """By a tag of their own, or of their series; what the others cost is no matter."""
    factory, alone = shop.services.uow_factory, {"drop_in_allowed": True}
    yoga = await a_service(factory, shop.business.id, sales_mode="both")
    scope: dict[str, Any] = {"any_service": False, "tags": ["late"]}
    said = Said(shop, clock, await a_package(factory, shop.business.id, **scope))
    late = await a_series(factory, yoga, drop_in_price_minor=1900, tags=["late"], **alone)
    await a_series(factory, yoga, drop_in_price_minor=4000, **alone)
    assert "Saves €70.00" in await said.by_guest()
    assert await said.by_owner() == (7000, False)
    async with factory(shop.business.id) as uow:
        date = await uow.session.get_one(Session, (shop.business.id, late.sessions[0].id))
        date.drop_in_price_minor = 2500
    assert "Saves up to €130.00" in await said.by_guest()
    assert await said.by_owner() == (13_000, True)
    await a_session(factory, yoga, tags=["late"])
    assert await said.by_owner() == (13_000, True)
    assert await said.charged_minor() == 0, "the service itself has no such tag"


async def test_who_pays_less_saves_less(shop: Shop, clock: FrozenClock) -> None:
    """One of the prices that guests can choose beside the full one."""
    factory = shop.services.uow_factory
    yoga = await a_service(factory, shop.business.id, price_tiers=[CHILD, STAFF, EARLY])
    said = Said(shop, clock, await a_package(factory, shop.business.id))
    await a_session(factory, yoga)
    assert "Saves up to €30.00" in await said.by_guest()
    assert await said.by_owner() == (3000, True)
    assert await said.charged_minor() == 1500, "the full price, as ever"


async def test_a_date_with_a_price_of_its_own_has_that_one_only(
    shop: Shop, clock: FrozenClock
) -> None:
    factory = shop.services.uow_factory
    yoga = await a_service(factory, shop.business.id, sales_mode="both", price_tiers=[CHILD])
    said = Said(shop, clock, await a_package(factory, shop.business.id))
    await a_series(factory, yoga, drop_in_price_minor=1600, drop_in_allowed=True)
    assert "Saves €40.00" in await said.by_guest()
    assert await said.by_owner() == (4000, False)


async def test_what_nobody_can_choose_makes_no_difference(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    yoga = await a_service(factory, shop.business.id, price_tiers=[STAFF, EARLY])
    said = Said(shop, clock, await a_package(factory, shop.business.id))
    await a_session(factory, yoga)
    assert "Saves €30.00" in await said.by_guest()
    assert await said.by_owner() == (3000, False)


async def test_the_day_says_which_tiers_are_open_and_what_opens_later_counts(shop: Shop) -> None:
    """A date that is not sold alone yet, or lies beyond the horizon, will cost the same then."""
    factory = shop.services.uow_factory
    yoga = await a_service(
        factory, shop.business.id, sales_mode="both", horizon_days=7, price_tiers=[EARLY]
    )
    await a_session(factory, yoga, in_days=90)
    later = {"drop_in_opens_before": 1, "drop_in_opens_unit": "hours"}
    await a_series(factory, yoga, drop_in_allowed=True, drop_in_price_minor=1900, **later)
    async with factory(shop.business.id) as uow:
        early = await list_date_prices(uow, date(2027, 2, 28))
        late = await list_date_prices(uow, date(2027, 3, 1))
    assert {minor for one in early[yoga.id] for minor in one.prices_minor} == {200, 1500, 1900}
    assert {minor for one in late[yoga.id] for minor in one.prices_minor} == {1500, 1900}


async def test_what_is_given_by_appointment_counts_for_its_owner_as_for_guests(
    shop: Shop, clock: FrozenClock
) -> None:
    factory = shop.services.uow_factory
    await a_service(factory, shop.business.id, price_minor=1500)
    practice = await a_practice(factory, shop.business)
    said = Said(shop, clock, await a_package(factory, shop.business.id, any_service=True))
    assert "Saves up to €480.00" in await said.by_guest()
    assert await said.by_owner() == (48_000, True)
    only: dict[str, Any] = {"any_service": False, "service_ids": [str(practice.service.id)]}
    said = Said(shop, clock, await a_package(factory, shop.business.id, **only))
    assert await said.by_owner() == (48_000, False)


async def test_an_appointment_is_paid_with_a_credit_for_its_service(shop: Shop) -> None:
    practice = await a_practice(shop.services.uow_factory, shop.business)
    scope = Scope(service_ids=frozenset({practice.service.id}))
    customer_id, _lot = await carl_with(shop, scope=scope)
    assert "Book with 1 credit" in await open_first_time(shop)
    sent = await shop.send()
    assert "You are booked" in (await shop.guest.open(sent.headers["location"])).text
    assert await left(shop, customer_id) == 6
