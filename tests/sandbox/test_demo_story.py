"""The demo's story goes on where a worker was quicker, and stops at what should not be."""

import pytest

from src.platform.errors import Conflict
from src.platform.services import Services
from src.sandbox.demo_people import LOTUS
from src.sandbox.demo_shop import Opened
from src.sandbox.demo_story import offer_unless_offered
from tests.booking.commands.test_waitlist import a_town

pytestmark = pytest.mark.anyio


async def test_an_offer_that_is_made_already_is_passed_over_and_nothing_else(
    services: Services,
) -> None:
    town = await a_town(services)
    shop = Opened(services=services, ctx=town.lotus.ctx, offers={})
    entry_id = await town.join("Ann")
    with pytest.raises(Conflict) as full:
        await offer_unless_offered(shop, entry_id)
    assert full.value.code == "waitlist_no_place"
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered"}
    await offer_unless_offered(shop, entry_id)
    assert await town.check() == [1]


async def test_a_date_of_the_course_can_be_swapped_for_one_outside_it() -> None:
    """The credit that its refund policy gives is for what has the course's tag."""
    course = next(one.series for one in LOTUS.services if one.series is not None)
    others = [one for one in LOTUS.services if one.series is None and one.price_minor]
    assert any(set(one.tags) & set(course.tags) for one in others)
