"""Sessions at the same time stand side by side in the week: each is seen, and can be clicked."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from playwright.sync_api import expect

from src.platform.services import Services
from tests.browser.person import DESK, PHONE, ZONE, Person, on_day
from tests.browser.test_calendar import at_the_calendar
from tests.support.builders import Business, a_service, a_session
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LONG, SHORT = timedelta(hours=1), timedelta(minutes=15)
# Two at once and one that begins while they last; then short ones, that follow each other.
TIMES = {
    "Basics": (time(12), LONG),
    "Advanced": (time(12), LONG),
    "Late": (time(12, 30), LONG),
    "First": (time(15), SHORT),
    "Second": (time(15, 15), SHORT),
}
COVERED = """() => {
  const links = [...document.querySelectorAll("#calendar .calendar-link")];
  const boxes = links.map(it => it.getBoundingClientRect());
  const said = it => it.querySelector(".calendar-title").textContent;
  const cross = (a, b, from, to) => a[from] < b[to] - 1 && b[from] < a[to] - 1;
  const meet = (a, b) => cross(a, b, "left", "right") && cross(a, b, "top", "bottom");
  return links.filter((it, one) => {
    const box = boxes[one];
    const hit = document.elementFromPoint((box.left + box.right) / 2, (box.top + box.bottom) / 2);
    return !it.contains(hit) || boxes.some((other, two) => two !== one && meet(box, other));
  }).map(said);
}"""


def many_at_once(program: Program, business: Business, times: dict[str, Any]) -> None:
    """On the Tuesday after this week."""
    tuesday = on_day(7 - on_day(0).weekday() + 1)

    async def stage(services: Services) -> None:
        service = await a_service(services.uow_factory, business.id)
        for title, (at, lasts) in times.items():
            starts_at = datetime.combine(tuesday, at, ZONE)
            ends_at = starts_at + lasts
            await a_session(
                services.uow_factory, service, starts_at=starts_at, ends_at=ends_at, title=title
            )

    program.run(stage)


def test_no_session_of_a_week_covers_another(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "sorrel")
    many_at_once(program, business, TIMES)
    owner = person(DESK)
    at_the_calendar(owner, business, "week")
    links = owner.page.locator("#calendar .calendar-link")
    expect(links).to_have_count(len(TIMES))
    links.first.scroll_into_view_if_needed()
    assert owner.page.evaluate(COVERED) == []
    owner.finds_it_accessible(DESK)
    links.filter(has_text="Late").click()
    owner.is_at("/sessions/[0-9a-f-]{36}$")
    owner.sees("Late")


def test_of_more_than_can_stand_side_by_side_a_count_leads_to_the_rest(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "yarrow")
    names = [f"Room {number}" for number in range(1, 8)]
    many_at_once(program, business, dict.fromkeys(names, (time(12), LONG)))
    owner = person(DESK)
    at_the_calendar(owner, business, "week")
    more = owner.page.locator("#calendar").get_by_text("+4", exact=False)
    more.scroll_into_view_if_needed()
    assert owner.page.evaluate(COVERED) == []
    more.click()
    owner.page.locator(".calendar-link").filter(has_text="Room 7").last.click()
    owner.is_at("/sessions/[0-9a-f-]{36}$")
    owner.sees("Room 7")


def test_on_a_phone_all_of_them_are_in_the_list_of_the_week(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "tansy")
    many_at_once(program, business, TIMES)
    owner = person(PHONE)
    at_the_calendar(owner, business, "week")
    links = owner.page.locator("#calendar .calendar-link")
    expect(links).to_have_count(len(TIMES))
    assert owner.page.evaluate(COVERED) == []
