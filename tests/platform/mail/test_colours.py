"""Formatted mails are legible wherever they are opened, in dark mode and in quirks mode too."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from src.booking.views.mails import ConfirmedView, MissingView, RunView
from src.platform.mail.templates import TEMPLATES, render_mail
from tests.support.browser import open_browser

CELL = re.compile(r"<t[dh]\b[^>]*>")
OWN_COLOUR = re.compile(r"[;\"\s]color:")
LEAST_CONTRAST = 4.5
LOWEST_CONTRAST = """() => {
  const light = rgb => {
    const [r, g, b] = rgb.match(/[0-9.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let lowest = 21;
  while (texts.nextNode()) {
    if (!texts.currentNode.data.trim()) continue;
    const node = texts.currentNode.parentElement;
    const pair = [light(getComputedStyle(node).color), light(behind(node))].sort((a, b) => b - a);
    lowest = Math.min(lowest, (pair[0] + 0.05) / (pair[1] + 0.05));
  }
  return lowest;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def confirmed() -> str:
    view = ConfirmedView(
        locale="en",
        from_name="Sunrise Yoga",
        contact="hello@sunrise.example",
        guest_name="Ada",
        what="Vinyasa",
        runs=[
            RunView(
                when="Fri, 18 Dec 2026, 18:00",
                title="Lesson 4",
                where="Studio 1",
                join_url="https://meet.example/1",
                was="Thu, 17 Dec 2026, 18:00",
            )
        ],
        zone_name="Europe/Amsterdam",
        party_size=2,
        money_line="To pay on site: €12.50",
        reference="8FZM-GGBR",
        may_leave=True,
        leaving=["Until Thu, 17 Dec, 18:00 all of it comes back."],
        has_code=False,
        missing=[
            MissingView(
                when="Fri, 25 Dec 2026, 18:00",
                title="Class 6",
                day="25 December",
                join_url="https://x.example",
            )
        ],
        booking_url="https://seatline.example/b/sunrise/bookings/1",
    )
    return render_mail("booking/confirmed", view, "en").html


def test_the_terms_are_a_list() -> None:
    assert re.search(r"<li[^>]*>Until Thu, 17 Dec, 18:00 all of it comes back.</li>", confirmed())


def test_every_cell_of_every_mail_names_its_colour() -> None:
    bare = [
        f"{path.relative_to(TEMPLATES)}: {cell}"
        for path in sorted((TEMPLATES / "emails").rglob("*.html"))
        for cell in CELL.findall(path.read_text())
        if not OWN_COLOUR.search(cell)
    ]
    assert bare == []


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("before", ["", '<base target="_blank">'], ids=["standards", "quirks"])
def test_every_word_of_a_mail_stands_out_from_what_is_behind_it(
    browser: Browser, scheme: str, before: str
) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]  # a str here
    page.set_content(before + confirmed())
    assert page.evaluate(LOWEST_CONTRAST) >= LEAST_CONTRAST
    page.close()
