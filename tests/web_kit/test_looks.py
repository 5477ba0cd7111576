"""The gallery in a browser: accessible, no sideways scroll, nothing blocked, menus by keyboard."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from src.platform.web.theme import accent_css
from tests.support.accessibility import violations
from tests.support.browser import open_browser
from tests.support.gallery import server, write_all

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SAMPLES = ("parts", "form", "orders", "hub", "booking", "signin", "admin", "home", "error-404")
ACCENTS = (("#ffe600", "light"), ("#0b2545", "dark"), ("#ff3366", "light"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("gallery")
    write_all(out)
    (out / "theme.css").write_text(accent_css("#12a150"), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def gallery(folder: Path) -> Iterator[str]:
    serving = server(folder)
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{serving.server_address[1]}"
    serving.shutdown()
    thread.join()
    serving.server_close()


@pytest.fixture
def narrow(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 360, "height": 740}, reduced_motion="reduce")
    yield page
    page.close()


@pytest.fixture
def wide(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    yield page
    page.close()


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1440, "dark")])
def test_axe_finds_nothing(
    browser: Browser, gallery: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    for name in SAMPLES:
        page.goto(f"{gallery}/{name}.html")
        assert violations(page) == [], name
    page.close()


def test_nothing_is_wider_than_a_small_phone(narrow: Page, gallery: str) -> None:
    for name in SAMPLES:
        narrow.goto(f"{gallery}/{name}.html")
        surplus = narrow.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert surplus <= 0, name


def test_targets_are_large_enough_for_a_thumb(narrow: Page, gallery: str) -> None:
    """Links within a sentence are exempt, and so are boxes whose label is the target."""
    small = """[...document.querySelectorAll("a, button, summary, select, textarea, label.choice")]
      .filter((node) => node.checkVisibility() && !node.matches(".skip"))
      .filter((node) => getComputedStyle(node).display !== "inline")
      .map((node) => [node.outerHTML.slice(0, 100), node.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0 && (box.height < 43.5 || box.width < 43.5))
      .map(([html]) => html)"""
    for name in SAMPLES:
        narrow.goto(f"{gallery}/{name}.html")
        assert narrow.evaluate(small) == [], name


def test_the_content_security_policy_blocks_nothing(wide: Page, gallery: str) -> None:
    said: list[str] = []
    wide.on("console", lambda message: said.append(message.text))
    wide.on("pageerror", lambda error: said.append(str(error)))
    for name in SAMPLES:
        wide.goto(f"{gallery}/{name}.html")
    assert [text for text in said if "[DOM]" not in text] == []


def test_menus_open_and_close_by_keyboard(wide: Page, gallery: str) -> None:
    wide.goto(f"{gallery}/orders.html")
    menu = wide.locator(".shell-side summary").first
    menu.focus()
    wide.keyboard.press("Enter")
    assert wide.get_by_role("link", name="Your public page").is_visible()
    wide.keyboard.press("Escape")
    assert not wide.get_by_role("link", name="Your public page").is_visible()
    assert menu.evaluate("node => node === document.activeElement")


def test_every_place_is_reached_without_scripts(browser: Browser, gallery: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{gallery}/orders.html")
    page.get_by_text("More", exact=True).click()
    assert page.get_by_role("link", name="Settings").is_visible()
    assert page.get_by_role("button", name="Sign out").is_visible()
    context.close()


def test_the_first_stop_is_the_skip_link(wide: Page, gallery: str) -> None:
    wide.goto(f"{gallery}/orders.html")
    wide.keyboard.press("Tab")
    skip = wide.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("node => node === document.activeElement")
    wide.keyboard.press("Enter")
    assert wide.evaluate("document.activeElement.id") == "main"


def test_a_refused_form_takes_the_focus(wide: Page, gallery: str) -> None:
    wide.goto(f"{gallery}/form.html")
    assert wide.evaluate("document.activeElement.getAttribute('role')") == "alert"


@pytest.mark.parametrize(("accent", "scheme"), ACCENTS)
def test_any_accent_keeps_the_contrast(
    browser: Browser,
    gallery: str,
    folder: Path,
    accent: str,
    scheme: Literal["light", "dark"],
) -> None:
    (folder / "theme.css").write_text(accent_css(accent), encoding="utf-8")
    page = browser.new_page(
        viewport={"width": 390, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    page.goto(f"{gallery}/booking.html")
    page.get_by_text("By card").click()
    assert violations(page) == []
    background = page.get_by_role("button", name="Pay").evaluate(
        "node => getComputedStyle(node).backgroundColor"
    )
    assert background != "oklch(0.46 0.085 222)"
    page.close()
