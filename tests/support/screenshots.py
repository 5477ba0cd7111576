"""Pictures of the main pages with the demo's data, for the README and for looking at.

python -m tests.support.screenshots [OUT [NAME ...]]    writes PNGs, all or those with these names,
                                                        into docs/screenshots unless told
"""

import re
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import UUID

import msgspec
from playwright.sync_api import Browser, Page

from src.sandbox.demo_data import LOTUS, load_demo_data
from src.sandbox.demo_people import PASSWORD
from tests.support.browser import open_browser
from tests.support.program import Program, eventually, running_program
from tests.support.servers import CHECKOUT, end_run, own_run

SIZES = {390: 844, 1440: 900}
GUESTS = {390: ("Sanne Visser", "sanne@example.org"), 1440: ("Noor de Wit", "noor@example.org")}
DARK = ("hub", "today")
CREDITS_OF = "carl@guests.example"
"""Whose own pages are shown: he owns credits, and has used some."""
CODE_MAIL = "Your bookings at"
Scheme = Literal["light", "dark"]
# The fullest session to come, and the series whose it is.
FULLEST = """SELECT s.id, s.series_id, v.slug FROM sessions s
JOIN tenants t ON t.id = s.tenant_id
JOIN services v ON v.tenant_id = s.tenant_id AND v.id = s.service_id
WHERE t.slug = $1 AND s.series_id IS NOT NULL AND s.starts_at > now()
ORDER BY s.seats_taken DESC, s.starts_at LIMIT 1"""


class Subject(msgspec.Struct, frozen=True):
    """What the pictures show."""

    service: str
    session_id: UUID
    series_id: UUID

    @property
    def form(self) -> str:
        return f"/b/{LOTUS.slug}/{self.service}/book?series={self.series_id}"


def fill_in(page: Page, name: str, email: str) -> None:
    page.fill("[name=name]", name)
    page.fill("[name=email]", email)
    page.locator("h1").click()


def book_and_pay(page: Page) -> None:
    """From a form that is filled in to the confirmation."""
    if page.locator("[name=terms]").count():
        page.check("[name=terms]")
    page.locator("#summary button[value=book]").click()
    page.get_by_label("Card number").fill("4242 4242 4242 4242")
    page.get_by_label("Expiry month and year").fill("12/34")
    page.get_by_label("Security code").fill("123")
    page.locator("button.go").click()
    page.get_by_role("heading", name="You are booked").wait_for()


class Studio:
    """A browser before the running program."""

    def __init__(
        self, program: Program, browser: Browser, out: Path, only: Collection[str]
    ) -> None:
        self._program = program
        self._browser = browser
        self._out = out
        self._only = only

    @contextmanager
    def window(self, width: int, scheme: Scheme) -> Iterator[Page]:
        context = self._browser.new_context(
            viewport={"width": width, "height": SIZES[width]},
            base_url=self._program.base_url,
            color_scheme=scheme,
            locale="en-GB",
            reduced_motion="reduce",
        )
        yield context.new_page()
        context.close()

    def shoot(self, page: Page, name: str, width: int, scheme: Scheme) -> None:
        if self._only and name not in self._only:
            return
        page.wait_for_load_state("networkidle")
        ending = "-dark" if scheme == "dark" else ""
        page.screenshot(path=self._out / f"{name}-{width}{ending}.png", animations="disabled")

    def guest(self, page: Page, subject: Subject, width: int) -> None:
        page.goto(f"/b/{LOTUS.slug}")
        self.shoot(page, "hub", width, "light")
        page.goto(f"/b/{LOTUS.slug}/packages")
        self.shoot(page, "packages", width, "light")
        page.goto(f"/b/{LOTUS.slug}/private-lesson")
        self.shoot(page, "appointment", width, "light")
        page.goto(subject.form)
        fill_in(page, *GUESTS[width])
        self.shoot(page, "booking", width, "light")
        book_and_pay(page)
        self.shoot(page, "confirmation", width, "light")

    def portal(self, page: Page, width: int) -> None:
        """A guest's own pages, entered by the code that the last of their mails has."""
        before = len(self._codes())
        page.goto(f"/b/{LOTUS.slug}/me/sign-in")
        page.fill("[name=email]", CREDITS_OF)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/me/code")
        mailed = eventually(lambda: self._codes()[before:], "the mail with the code")
        code = re.search(r"\b\d{3} \d{3}\b", mailed[-1])
        assert code is not None
        page.fill("[name=code]", code[0])
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url("**/me")
        page.locator("#credits").evaluate("heading => heading.scrollIntoView()")
        self.shoot(page, "portal-credits", width, "light")

    def _codes(self) -> list[str]:
        mails = self._program.mails(to=CREDITS_OF)
        return [mail["text"] for mail in mails if mail["subject"].startswith(CODE_MAIL)]

    def owner(self, page: Page, subject: Subject, width: int, scheme: Scheme) -> None:
        page.goto("/sign-in")
        page.fill("[name=email]", LOTUS.owner_email)
        page.fill("[name=password]", PASSWORD)
        page.locator("main button[type=submit]").click()
        page.wait_for_url("**/app/**")
        base = f"/app/{LOTUS.slug}"
        places = {
            "today": f"{base}/today",
            "roster": f"{base}/sessions/{subject.session_id}",
            "series": f"{base}/series/{subject.series_id}/buyers",
            "credits": f"{base}/credits",
        }
        for name, path in places.items():
            if scheme == "light" or name in DARK:
                page.goto(path)
                self.shoot(page, name, width, scheme)


def take(program: Program, browser: Browser, out: Path, only: Collection[str]) -> None:
    program.run(lambda services: load_demo_data(services.settings))
    row = program.rows(FULLEST, LOTUS.slug)[0]
    subject = Subject(row["slug"], row["id"], row["series_id"])
    studio = Studio(program, browser, out, only)
    for width in SIZES:
        with studio.window(width, "light") as page:
            studio.guest(page, subject, width)
        with studio.window(width, "light") as page:
            studio.portal(page, width)
        with studio.window(width, "light") as page:
            studio.owner(page, subject, width, "light")
        with studio.window(width, "dark") as page:
            page.goto(f"/b/{LOTUS.slug}")
            studio.shoot(page, "hub", width, "dark")
            studio.owner(page, subject, width, "dark")


def main(arguments: list[str]) -> None:
    out = Path(arguments[0]) if arguments else CHECKOUT / "docs" / "screenshots"
    out.mkdir(parents=True, exist_ok=True)
    own_run()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            running_program(Path(folder)) as program,
            open_browser() as browser,
        ):
            take(program, browser, out, arguments[1:])
    finally:
        end_run()


if __name__ == "__main__":
    main(sys.argv[1:])
