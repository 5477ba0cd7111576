"""A very long word widens no formatted mail beyond a phone, wherever in it the word stands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from src.booking.views.mails import MessageView, RunView
from src.platform.mail.templates import render_mail
from tests.support.browser import open_browser

pytestmark = pytest.mark.slow

PHONE = 390
WORD = "W" * 150


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def a_message(**long: str) -> str:
    short = dict.fromkeys(("from_name", "contact", "subject", "guest_name", "what"), "Short")
    told = {**short, "paragraph": "Bring socks.", "title": "Lesson 4", **long}
    paragraph, title = told.pop("paragraph"), told.pop("title")
    view = MessageView(
        locale="en",
        runs=[RunView(when="Fri, 18 Dec 2026, 18:00", title=title)],
        zone_name="Europe/Amsterdam",
        paragraphs=[paragraph],
        booking_url="https://seatline.example/b/sunrise/bookings/1",
        **told,
    )
    return render_mail("booking/message", view, "en").html


@pytest.mark.parametrize("before", ["", '<base target="_blank">'], ids=["standards", "quirks"])
def test_a_long_word_widens_no_mail(browser: Browser, before: str) -> None:
    page = browser.new_page(viewport={"width": PHONE, "height": 800})
    widths = {}
    for place in ("from_name", "subject", "guest_name", "paragraph", "what", "title", "contact"):
        page.set_content(before + a_message(**{place: WORD}))
        widths[place] = page.evaluate("document.documentElement.scrollWidth")
    page.close()
    assert {place: width for place, width in widths.items() if width > PHONE} == {}
