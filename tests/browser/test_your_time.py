"""Who is in another time zone reads when it is for them; nobody else reads a second time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.browser.guest import fills_in, is_booked
from tests.browser.person import PHONE, Person
from tests.support.builders import Business, a_service, a_session
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = pytest.mark.browser

TOKYO = ZoneInfo("Asia/Tokyo")
SHIFTS = """window.shifts = 0; new PerformanceObserver((list) => {
  for (const one of list.getEntries()) window.shifts += one.value;
}).observe({ type: "layout-shift", buffered: true });"""


def some_dates(program: Program, business: Business) -> tuple[datetime, datetime]:
    """A morning and an evening online, with a class in the studio between them."""
    day = datetime.now(UTC) + timedelta(days=7)
    morning, noon, evening = (
        day.replace(hour=hour, minute=0, second=0, microsecond=0) for hour in (9, 12, 20)
    )

    async def stage(services: Services) -> None:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        for starts_at, mode in ((morning, "online"), (noon, "in_person"), (evening, "online")):
            await a_session(services.uow_factory, service, starts_at=starts_at, mode=mode)

    program.run(stage)
    return morning, evening


@pytest.mark.slow
def test_online_dates_are_also_told_on_the_clock_of_the_reader(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "gadwall", paid=False, locale="en-GB")
    morning, evening = some_dates(program, business)
    starts, ends = (at.astimezone(TOKYO) for at in (morning, morning + timedelta(hours=1)))
    same = f"{starts:%H:%M}–{ends:%H:%M} your time"
    away = person(PHONE, timezone_id="Asia/Tokyo")
    away.page.add_init_script(SHIFTS)
    away.go("/b/gadwall")
    said = away.page.locator("#dates [data-from]")
    expect(said).to_have_count(2)
    expect(said.first).to_have_text(same)
    next_day = evening.astimezone(TOKYO)
    expect(said.last).to_contain_text(f"{next_day:%a}")
    expect(said.last).to_contain_text(f"{next_day.day} ")
    expect(said.last).to_contain_text("05:00")
    assert away.page.evaluate("window.shifts") == 0, "nothing moved on the screen"
    away.looks()
    away.page.locator("#dates").get_by_role("link", name="Book").first.click()
    away.sees(same)
    fills_in(away, "Aiko", "aiko@example.com")
    away.press("Book now")
    is_booked(away)
    away.sees(same)
    at_home = person(PHONE, timezone_id="Europe/Berlin")
    at_home.go("/b/gadwall")
    at_home.page.wait_for_load_state("networkidle")
    expect(at_home.page.locator("#dates [data-from]").first).to_be_empty()
    expect(at_home.page.locator("main")).not_to_contain_text("your time")
