"""Lighthouse's scores of the main pages with the demo's data, written into docs/lighthouse.md.

python -m tests.support.lighthouse [NAME ...]   all pages take half an hour, those with these names
                                                are only printed; npx has to be there

The program runs as it is, over loopback, behind no proxy: what is compressed, cached or sent by
HTTP/2 in front of it is not counted.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from playwright.sync_api import Browser, BrowserContext, Page
from sqlalchemy import select

from src.billing.models import Voucher
from src.billing.voucher_links import voucher_path
from src.platform.services import Services
from src.sandbox.demo_data import LOTUS, load_demo_data
from src.sandbox.demo_people import PASSWORD
from src.tenants.models import Tenant
from tests.support.browser import installed_browser, open_browser
from tests.support.letters import link_in, the_mail
from tests.support.program import Program, running_program
from tests.support.screenshots import (
    CODE_MAIL,
    CREDITS_OF,
    FULLEST,
    Subject,
    book_and_pay,
    fill_in,
)
from tests.support.servers import CHECKOUT, end_run, own_run

VERSION = "12.8.2"
# The next full session that somebody waits for; the hub shows it first only on some days.
WAITED_FOR = """SELECT v.slug, s.id FROM sessions s
JOIN tenants t ON t.id = s.tenant_id
JOIN services v ON v.tenant_id = s.tenant_id AND v.id = s.service_id
WHERE t.slug = $1 AND s.starts_at > now() AND s.seats_taken >= s.capacity
AND EXISTS (SELECT FROM waitlist_entries e WHERE e.tenant_id = s.tenant_id AND e.session_id = s.id)
ORDER BY s.starts_at LIMIT 1"""
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
WEIGHED = ("total-byte-weight", "largest-contentful-paint", "cumulative-layout-shift")
PUBLIC = ("Hub", "Service", "Free times", "Packages", "Buying a voucher", "Start page", "Sign-up")
FORMS: dict[str, list[str]] = {"phone": [], "desktop": ["--preset=desktop"]}
OWNERS = {
    "Today": "today",
    "Calendar": "calendar",
    "Sessions": "sessions",
    "Roster": "sessions/{0.session_id}",
    "Cancelling a session": "sessions/{0.session_id}/cancel",
    "Series": "series/{0.series_id}",
    "Buyers of a series": "series/{0.series_id}/buyers",
    "Editing several dates": "sessions/{0.session_id}/several",
    "Waiting list": "series/{0.series_id}/waitlist",
    "Services": "services",
    "Customers": "customers",
    "Orders": "orders",
    "Coupons": "coupons",
    "Credits": "credits",
    "Team": "settings/team",
    "Guest mails": "settings/mails",
    "Check in": "check-in",
}
HEAD = """# Lighthouse

Scores of 100, as Lighthouse {version} gives them with its own throttling of network and processor,
over the demo's data; written by `make lighthouse` on {day}. The goal is 98 in all four on every
public page, and 60 KB at most over the wire. What is only for one guest or behind the sign-in asks
search engines to stay away, so SEO is not scored there. LCP is the largest contentful paint, in
seconds, and CLS the cumulative layout shift.

| Page | On | Performance | Accessibility | Best practices | SEO | KB | LCP | CLS |
|---|---|--:|--:|--:|--:|--:|--:|--:|
"""


class Score(msgspec.Struct):
    """Of 0 to 1, or nothing where it does not apply."""

    score: float | None = None


class Audit(msgspec.Struct):
    """One measured thing, in its own unit."""

    numeric: float = msgspec.field(name="numericValue", default=0.0)


class Scores(msgspec.Struct):
    """What is read of Lighthouse's report."""

    categories: dict[str, Score]
    audits: dict[str, Audit]


def pages(program: Program, browser: Browser) -> Iterator[tuple[str, str, str]]:
    """Name, path and cookies of each page that is looked at."""
    row = program.rows(FULLEST, LOTUS.slug)[0]
    subject = Subject(row["slug"], row["id"], row["series_id"])
    yield "Hub", f"/b/{LOTUS.slug}", ""
    yield "Service", f"/b/{LOTUS.slug}/{subject.service}", ""
    yield "Start page", "/", ""
    yield "Sign-up", "/sign-up", ""
    yield "Booking form", subject.form, ""
    yield "Free times", f"/b/{LOTUS.slug}/private-lesson", ""
    yield from guests_pages(program, browser, subject)
    yield from paid_ahead(program, browser)
    cookies = _signed_in(program, browser)
    for name, path in OWNERS.items():
        yield name, f"/app/{LOTUS.slug}/{path.format(subject)}", cookies


def guests_pages(
    program: Program, browser: Browser, subject: Subject
) -> Iterator[tuple[str, str, str]]:
    """Of a guest who waits for a place, and of one who booked."""
    context = browser.new_context(base_url=program.base_url)
    page = context.new_page()
    [(service, session_id)] = program.rows(WAITED_FOR, LOTUS.slug)
    yield "Joining a waiting list", f"/b/{LOTUS.slug}/{service}/waitlist?session={session_id}", ""
    page.goto(subject.form)
    fill_in(page, "Noor de Wit", "noor@example.org")
    book_and_pay(page)
    yield "Guest's booking", urlsplit(page.url).path, ""
    leave = _link(page, "/leave?date=")
    yield "Leaving a date", leave, ""
    yield "Another date", leave.replace("/leave?", "/move?"), ""
    yield "Who comes", f"{urlsplit(page.url).path}/people", ""
    context.close()


def paid_ahead(program: Program, browser: Browser) -> Iterator[tuple[str, str, str]]:
    """What guests buy before they come, and their own pages, where they see what is left of it."""
    base = f"/b/{LOTUS.slug}"
    context = browser.new_context(base_url=program.base_url)
    page = context.new_page()
    page.goto(f"{base}/packages")
    yield "Packages", f"{base}/packages", ""
    yield "Buying a package", _link(page, f"{base}/packages/"), ""
    yield "Buying a voucher", f"{base}/vouchers", ""
    yield "Voucher", _voucher(program), ""
    yield "Guest's sign-in", f"{base}/me/sign-in", ""
    _enter(program, page)
    yield "Guest's own pages", f"{base}/me", _cookies(context)
    context.close()


def _voucher(program: Program) -> str:
    """The own page of the demo's voucher, where its code stands."""

    async def find(services: Services) -> str:
        async with services.uow_factory(None) as uow:
            tenant_id = await uow.session.scalar(select(Tenant.id).where(Tenant.slug == LOTUS.slug))
        async with services.uow_factory(tenant_id) as uow:
            found = await uow.session.scalars(select(Voucher).order_by(Voucher.id).limit(1))
        return voucher_path(services.settings, LOTUS.slug, found.one())

    path: str = program.run(find)
    return path


def _enter(program: Program, page: Page) -> None:
    """To one's own pages, by the only link in the only mail that one got for it."""
    page.goto(f"/b/{LOTUS.slug}/me/sign-in")
    page.fill("[name=email]", CREDITS_OF)
    page.locator("main form button[type=submit]").click()
    page.wait_for_url("**/me/code")
    page.goto(link_in(the_mail(program, CREDITS_OF, CODE_MAIL), "/b/"))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/me")


def _link(page: Page, part: str) -> str:
    return str(page.locator(f"a[href*='{part}']").first.get_attribute("href"))


def _signed_in(program: Program, browser: Browser) -> str:
    context = browser.new_context(base_url=program.base_url)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("[name=email]", LOTUS.owner_email)
    page.fill("[name=password]", PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/app/**")
    cookies = _cookies(context)
    context.close()
    return cookies


def _cookies(context: BrowserContext) -> str:
    return "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())


def score(address: str, form: str, cookies: str) -> Scores:
    """Raises: RuntimeError when the page could not be looked at, with what Lighthouse said."""
    headers = msgspec.json.encode({"Cookie": cookies} if cookies else {}).decode()
    command = [
        *("npx", "--yes", f"lighthouse@{VERSION}", address, "--quiet", "--output=json"),
        *("--chrome-flags=--headless=new --no-sandbox", f"--extra-headers={headers}"),
        *(f"--only-categories={','.join(CATEGORIES)}", *FORMS[form]),
    ]
    chrome = {"CHROME_PATH": installed_browser() or os.environ.get("CHROME_PATH", "")}
    # A busy machine's browser gives up now and then.
    for _attempt in range(3):
        done = subprocess.run(
            command, check=False, capture_output=True, env={**os.environ, **chrome}
        )
        if done.returncode == 0:
            return msgspec.json.decode(done.stdout, type=Scores)
    raise RuntimeError(done.stderr.decode())


def line(name: str, form: str, found: Scores, *, is_found: bool) -> str:
    figures = [_of_hundred(found.categories[category]) for category in CATEGORIES]
    if not is_found:
        figures[-1] = ""
    weight, paint, shift = (found.audits[audit].numeric for audit in WEIGHED)
    measured = (f"{weight / 1024:.0f}", f"{paint / 1000:.1f}", f"{shift:.3f}")
    return f"| {' | '.join((name, form, *figures, *measured))} |"


def _of_hundred(one: Score) -> str:
    return "" if one.score is None else f"{one.score * 100:.0f}"


def look(program: Program, browser: Browser, only: Collection[str]) -> list[str]:
    program.run(lambda services: load_demo_data(services.settings))
    lines: list[str] = []
    for name, path, cookies in pages(program, browser):
        for form in FORMS if not only or name in only else ():
            found = score(f"{program.base_url}{path}", form, cookies)
            lines.append(line(name, form, found, is_found=name in PUBLIC))
    return lines


def main(only: Collection[str]) -> None:
    own_run()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            running_program(Path(folder)) as program,
            open_browser() as browser,
        ):
            lines = look(program, browser, only)
    finally:
        end_run()
    if only:
        sys.stdout.write("\n".join(lines) + "\n")
        return
    head = HEAD.format(version=VERSION, day=datetime.now(UTC).date())
    (CHECKOUT / "docs" / "lighthouse.md").write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
