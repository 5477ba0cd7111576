"""The calendar and the charts: a drag and a click lead to forms, and change nothing."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect

from src.platform.services import Services
from tests.browser.person import DESK, PHONE, ZONE, Person, on_day
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import the_calendar, the_mail
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]
STARTS = "SELECT starts_at FROM sessions WHERE id = $1"


def a_session_at_noon(
    program: Program, business: Business, capacity: int = 10, **more: Any
) -> UUID:
    """A session in the week after this one, on its Tuesday at noon."""
    tuesday = on_day(7 - on_day(0).weekday() + 1)

    async def stage(services: Services) -> UUID:
        service = await a_service(services.uow_factory, business.id, **more)
        starts_at = datetime(tuesday.year, tuesday.month, tuesday.day, 12, tzinfo=ZONE)
        made = await a_session(
            services.uow_factory, service, starts_at=starts_at, title="Basics", capacity=capacity
        )
        return made.id

    found: UUID = program.run(stage)
    return found


def at_the_calendar(owner: Person, business: Business, view: str) -> None:
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    monday = on_day(7 - on_day(0).weekday())
    owner.go(f"/app/{business.slug}/calendar?view={view}&on={monday}")


def drag(page: Page, by: tuple[int, int]) -> None:
    """The one entry, by so many pixels."""
    entry = page.locator(".calendar-link")
    entry.scroll_into_view_if_needed()
    box = entry.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for part in (0.5, 1.0):
        page.mouse.move(x + by[0] * part, y + by[1] * part, steps=5)
    page.mouse.up()


def test_a_drag_leads_to_the_form_with_the_new_time_and_moves_nothing(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "birch")
    session_id = a_session_at_noon(program, business)
    owner = person(DESK)
    at_the_calendar(owner, business, "week")
    owner.page.locator(".calendar-link").wait_for()
    owner.finds_it_accessible(DESK)
    before = program.rows(STARTS, session_id)
    column = owner.page.locator("[role=columnheader]").nth(2).bounding_box()
    assert column is not None
    drag(owner.page, (round(column["width"]), 0))
    owner.is_at(f"/sessions/{session_id}/edit")
    owner.sees("is not saved yet")
    wednesday = on_day(7 - on_day(0).weekday() + 2)
    assert owner.page.input_value("[name=starts_at]") == f"{wednesday}T12:00"
    assert owner.page.input_value("[name=ends_at]") == f"{wednesday}T13:00"
    assert program.rows(STARTS, session_id) == before
    owner.press("Save session")
    owner.sees("The session is saved.")
    [(after,)] = program.rows(STARTS, session_id)
    assert after - before[0][0] == timedelta(days=1)


@pytest.mark.parametrize("by_hand", [True, False], ids=["dragged", "by the keyboard"])
def test_with_guests_in_it_a_move_shows_whom_it_touches_first(
    program: Program, person: Callable[..., Person], by_hand: bool
) -> None:
    business = staged(program, "maple" if by_hand else "rowan")
    session_id = a_session_at_noon(program, business, price_type="free")
    guest = books(program, business, "session", session_id, "Carl Guest")
    confirmed = the_calendar(the_mail(program, guest, "You are booked"))[1]
    owner = person(DESK)
    at_the_calendar(owner, business, "week")
    owner.page.locator(".calendar-link").wait_for()
    if by_hand:
        column = owner.page.locator("[role=columnheader]").nth(2).bounding_box()
        assert column is not None
        drag(owner.page, (round(column["width"]), 0))
    else:
        wednesday = on_day(7 - on_day(0).weekday() + 2)
        owner.page.locator(".calendar-link").press("Enter")
        owner.is_at(f"/sessions/{session_id}$")
        owner.page.get_by_role("link", name="Edit", exact=True).focus()
        owner.page.keyboard.press("Enter")
        owner.type(starts_at=f"{wednesday}T12:00", ends_at=f"{wednesday}T13:00")
    owner.is_at(f"/sessions/{session_id}/edit")
    before = program.rows(STARTS, session_id)
    owner.looks()
    owner.press("Save session")
    owner.sees("Move this session and its guests?")
    owner.sees("Carl Guest")
    owner.sees("may leave without any charge")
    assert program.rows(STARTS, session_id) == before
    owner.looks()
    owner.type(reason="The hall is let.")
    owner.press("Move it and tell everyone")
    owner.is_at(f"/sessions/{session_id}$")
    [(after,)] = program.rows(STARTS, session_id)
    assert after - before[0][0] == timedelta(days=1)
    mail = the_mail(program, guest, "Changed: Yoga")
    assert "The hall is let." in mail["text"]
    [told] = the_calendar(mail)[1]
    assert told.uid == confirmed[0].uid
    assert told.sequence > confirmed[0].sequence
    assert told.starts_at == after


def test_a_click_leads_to_the_session_and_one_beside_it_to_a_new_one(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "cedar")
    session_id = a_session_at_noon(program, business)
    owner = person(DESK)
    at_the_calendar(owner, business, "month")
    entry = owner.page.locator(".calendar-link")
    entry.wait_for()
    owner.finds_it_accessible(DESK)
    hint = owner.page.locator("#calendar-hint")
    expect(hint).to_be_visible()
    views = owner.page.locator(".calendar-toolbar")
    views.get_by_text("List", exact=True).click()
    expect(hint).to_be_hidden()
    views.get_by_text("Month", exact=True).click()
    expect(hint).to_be_visible()
    # The library draws entries out of sight first, to measure them; none has the focus there.
    expect(entry).to_be_visible()
    entry.press("Enter")
    owner.is_at(f"/sessions/{session_id}$")
    owner.page.go_back()
    owner.is_at("view=month")
    entry.scroll_into_view_if_needed()
    box = entry.bounding_box()
    assert box is not None
    owner.page.mouse.click(box["x"] - 60, box["y"] + 20)
    owner.is_at("/sessions/new\\?starts_at=")
    monday = on_day(7 - on_day(0).weekday())
    assert owner.page.input_value("[name=starts_at]") == f"{monday}T18:00"
    lasts_until = owner.page.input_value("[name=ends_at]").removeprefix(f"{monday}T")
    later = on_day(14 - on_day(0).weekday())
    owner.page.fill("[name=starts_at]", f"{later}T18:00")
    owner.page.get_by_label("Title").focus()
    assert owner.page.input_value("[name=ends_at]") == f"{later}T{lasts_until}", "it moves along"


def test_a_phone_begins_with_a_list(program: Program, person: Callable[..., Person]) -> None:
    business = staged(program, "elm")
    session_id = a_session_at_noon(program, business)
    owner = person(PHONE)
    at_the_calendar(owner, business, "")
    owner.page.locator(".calendar-link").wait_for()
    owner.sees(re.compile("12:00.*Yoga · Basics", re.DOTALL))
    owner.finds_it_accessible(PHONE)
    owner.page.locator(".calendar-link").click()
    owner.is_at(f"/sessions/{session_id}$")


def test_a_week_on_a_phone_is_a_list_that_can_be_read(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "medlar")
    a_session_at_noon(program, business)
    owner = person(PHONE)
    at_the_calendar(owner, business, "week")
    link = owner.page.locator(".calendar-link")
    expect(link).to_contain_text("12:00")
    expect(link).to_contain_text("Yoga · Basics")
    expect(owner.page.locator("#calendar [role=columnheader]")).to_have_count(0)
    cut = link.evaluate(
        "it => [...it.children].some(line => line.scrollWidth > line.clientWidth + 1)"
    )
    assert not cut, "a part of a line is out of sight"
    week = owner.page.locator("#calendar button").filter(has_text="Week")
    expect(week).to_have_count(1)
    owner.page.locator("#calendar button").filter(has_text="Month").click()
    expect(owner.page.locator(".calendar-in-month")).to_have_count(1)
    week.click()
    expect(link).to_contain_text("Yoga · Basics")
    owner.finds_it_accessible(PHONE)


def test_a_month_on_a_phone_cuts_no_number_into_another(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "yew")
    a_session_at_noon(program, business, capacity=10_000)
    owner = person(PHONE)
    at_the_calendar(owner, business, "month")
    link = owner.page.locator(".calendar-link")
    link.wait_for()
    expect(link.locator(".calendar-time")).to_contain_text("12:00")
    expect(link.locator(".calendar-count")).to_be_visible()
    cut = link.evaluate(
        "it => [...it.children].some(line => line.scrollWidth > line.clientWidth + 1"
        " && line.clientWidth > 1)"
    )
    assert not cut, "a part of a line is out of sight"
    owner.finds_it_accessible(PHONE)


def test_without_scripts_there_is_a_list_of_the_week(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "fir")
    session_id = a_session_at_noon(program, business)
    owner = person(PHONE, java_script_enabled=False)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/calendar")
    owner.follow("Next week")
    owner.sees("Basics")
    owner.page.locator(f"main a[href$='/sessions/{session_id}']").filter(visible=True).click()
    owner.is_at(f"/sessions/{session_id}$")


def test_the_charts_of_the_day_are_bars_or_a_table(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "hazel")

    async def stage(services: Services) -> None:
        service = await a_service(services.uow_factory, business.id)
        await a_session(services.uow_factory, service, in_days=2, seats_taken=4)

    program.run(stage)
    for scripts in (True, False):
        owner = person(PHONE, java_script_enabled=scripts)
        owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
        owner.go(f"/app/{business.slug}/today")
        owner.sees("40%: 4 of 10 places are taken.")
        bars = owner.page.get_by_role("img", name=re.compile("How full are the next 14 days"))
        table = owner.page.get_by_text("4 of 10 (40%)")
        expect(bars).to_have_count(1 if scripts else 0)
        expect(table).to_be_visible(visible=not scripts)
        if scripts:
            owner.finds_it_accessible(PHONE, DESK)
            owner.page.get_by_text("As a table").first.click()
            expect(table).to_be_visible()


def test_an_empty_week_does_not_scroll_where_no_key_leads(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "elder")
    for size in (DESK, PHONE):
        owner = person(size)
        owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
        owner.go(f"/app/{business.slug}/calendar?view=week")
        # On a phone a week is a list.
        drawn = "[role=columnheader]" if size == DESK else ":text('Nothing in this time')"
        owner.page.locator(f"#calendar {drawn}").first.wait_for()
        owner.page.wait_for_load_state("networkidle")
        owner.finds_it_accessible(size)
