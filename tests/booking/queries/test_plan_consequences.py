"""What a business is told before its plan changes."""

import pytest

from src.booking.commands.book import BookCommand, book
from src.booking.queries.plan_consequences import plan_consequences
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change
from tests.support.appointments import a_practice, next_day_at
from tests.support.builders import Business, a_business, a_series, a_service, as_guest

pytestmark = pytest.mark.anyio

GROUPS_AND_SERIES = (Feature.GROUP_SERVICES, Feature.SERIES)


async def told(uow_factory: UowFactory, business: Business, change: Change) -> list[str]:
    async with uow_factory(business.id) as uow:
        return [one.text for one in await plan_consequences(uow, change, uow.clock.now())]


def losing(*features: Feature) -> Change:
    return Change(gained=(), lost=features, limits=())


async def a_busy_business(uow_factory: UowFactory) -> Business:
    """Two services, one of them hidden; one series bought once for three dates."""
    business = await a_business(uow_factory)
    yoga = await a_service(uow_factory, business.id)
    await a_service(uow_factory, business.id, slug="old", name="Old", visibility="hidden")
    term = await a_series(uow_factory, yoga, price_type="free", price_minor=0)
    wish = BookCommand(
        kind="series",
        subject_id=term.series.id,
        party=("Carl",),
        guest_name="Carl",
        guest_email="carl@example.com",
        form_token=str(new_id()),
    )
    async with uow_factory(business.id) as uow:
        await book(uow, as_guest(business), wish)
    return business


async def test_losing_groups_hides_services_and_harms_nobody(uow_factory: UowFactory) -> None:
    business = await a_busy_business(uow_factory)
    assert await told(uow_factory, business, losing(*GROUPS_AND_SERIES)) == [
        "1 group service is hidden from guests: no new sales, no new sessions.",
        "No guest loses anything: 1 booking still runs to its end.",
    ]


async def test_losing_series_alone(uow_factory: UowFactory) -> None:
    business = await a_busy_business(uow_factory)
    assert await told(uow_factory, business, losing(Feature.SERIES)) == [
        "1 series is no longer sold.",
        "No guest loses anything: 1 booking still runs to its end.",
    ]


async def test_gaining_groups_shows_them_again(uow_factory: UowFactory) -> None:
    business = await a_busy_business(uow_factory)
    gaining = Change(gained=GROUPS_AND_SERIES, lost=(), limits=())
    assert await told(uow_factory, business, gaining) == [
        "1 group service is shown to guests again, as it was."
    ]


async def test_a_business_without_anything_is_told_so(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    assert await told(uow_factory, business, losing(*GROUPS_AND_SERIES)) == [
        "No guest loses anything: nothing that is booked lies ahead."
    ]
    assert await told(uow_factory, business, losing(Feature.COUPONS)) == []


async def test_losing_appointments_says_which_rest_and_what_stays(uow_factory: UowFactory) -> None:
    business = await a_business(uow_factory)
    practice = await a_practice(uow_factory, business)
    async with uow_factory(business.id) as uow:
        at = next_day_at(uow.clock.now(), 10, days=(2 - uow.clock.now().weekday()) % 7 or 7)
        await book(uow, as_guest(business), practice.wish(at))
    assert await told(uow_factory, business, losing(Feature.APPOINTMENTS)) == [
        "Nothing new can be booked by appointment: “Coaching” is hidden from guests.",
        "No guest loses anything: 1 booking still runs to its end.",
    ]
    gaining = Change(gained=(Feature.APPOINTMENTS,), lost=(), limits=())
    assert await told(uow_factory, business, gaining) == [
        "Guests can book by appointment again: “Coaching”."
    ]
