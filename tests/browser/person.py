"""Somebody at a browser: presses what they see, types into what has a label."""

import re
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as TookTooLong

from tests.support.accessibility import violations
from tests.support.program import Program

PHONE, DESK = 390, 1440
ZONE = ZoneInfo("Europe/Amsterdam")
# Other processes share the machine's two cores with the browser.
PATIENCE_MS = 20_000
# What a guest's page may weigh over the wire; pictures do not count.
BUDGET_BYTES = 60_000
WEIGHT = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .filter(it => it.initiatorType !== "img").reduce((sum, it) => sum + it.encodedBodySize, 0)"""


class Person:
    """One window. `complaints` are errors that its console showed."""

    def __init__(self, page: Page, program: Program, *, scripts: bool = True) -> None:
        self.page = page
        self.program = program
        self.scripts = scripts
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self._heard(said.type, said.text))

    def _heard(self, kind: str, text: str) -> None:
        """A refused form answers 4xx on purpose, and the browser says so each time."""
        if kind == "error" and "Failed to load resource" not in text:
            self.complaints.append(text)

    def go(self, path: str) -> None:
        self.page.goto(path)

    def press(self, label: str, *, within: Locator | None = None) -> None:
        self._one("button", label, within).click()

    def follow(self, label: str, *, within: Locator | None = None) -> None:
        self._one("link", label, within).click()

    def opens(self, title: str) -> None:
        """A part of the page that is folded."""
        self.page.locator("main summary", has_text=title).click()

    def _one(self, role: str, label: str, within: Locator | None) -> Locator:
        """The main part of the page first: a menu may name the same place."""
        scope = within or self.page.locator("main")
        named = re.compile(f"^{re.escape(label)}")
        return scope.get_by_role(role, name=named).filter(visible=True).first  # type: ignore[arg-type]  # a str here

    def type(self, **values: str) -> None:
        """By the names of the fields; every one has a label, which axe looks after."""
        for name, value in values.items():
            self.page.locator(f"main [name='{name}']").filter(visible=True).first.fill(value)

    def choose(self, **values: str) -> None:
        """The choice with that value among radio buttons or in a list."""
        for name, value in values.items():
            radio = self.page.locator(f"main input[type=radio][name='{name}'][value='{value}']")
            if radio.count():
                radio.check()
            else:
                self.page.locator(f"main select[name='{name}']").select_option(value)

    def sees(self, text: str | re.Pattern[str]) -> None:
        """Waits for it."""
        expect(self.page.locator("main")).to_contain_text(text, timeout=PATIENCE_MS)

    def is_at(self, path: str) -> None:
        """Waits until the address fits; else says what the page shows instead."""
        try:
            self.page.wait_for_url(re.compile(path))
        except TookTooLong as late:
            shown = self.page.locator("main").inner_text()
            raise AssertionError(f"{self.page.url} is not {path}:\n{shown[:1500]}") from late

    def violations(self) -> list[str]:
        """What axe finds wrong with this page, and whether it is wider than the window."""
        said = violations(self.page)
        surplus = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if surplus > 0:
            said.append(f"{surplus} px too wide")
        return said

    def finds_it_accessible(self, *widths: int) -> None:
        """At each width; the window keeps the last."""
        for width in widths:
            self.page.set_viewport_size({"width": width, "height": 900})
            found = self.violations()
            assert found == [], f"{self.page.url} at {width} px: {found}"

    def looks(self) -> None:
        """Looks for flaws on a phone and at a desk, and weighs what guests load.

        What looks for flaws is a script itself; without any, the pages are the same.
        """
        if not self.scripts:
            return
        if urlsplit(self.page.url).path.startswith("/b/"):
            weight = self.page.evaluate(WEIGHT)
            assert 0 < weight <= BUDGET_BYTES, f"{self.page.url} weighs {weight} bytes"
        self.finds_it_accessible(PHONE, DESK)

    def sign_in(self, email: str, password: str) -> None:
        self.go("/sign-in")
        self.type(email=email, password=password)
        self.press("Sign in")
        self.page.wait_for_url(re.compile("/(app|admin)"))


def on_day(days: int) -> date:
    """So many days from now, on the business's calendar."""
    return datetime.now(ZONE).date() + timedelta(days=days)
