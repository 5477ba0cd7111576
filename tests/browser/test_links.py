"""An owner takes a link and a frame along: it stands on their own site, and leads out of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Frame, expect

from src.booking.web.offering_links import snippet_of
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import DESK, PATIENCE_MS, PHONE, Person
from tests.browser.test_guest_packages import shoots
from tests.support.accessibility import violations
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEIGHT = "Math.ceil(document.getElementById('main').getBoundingClientRect().height)"


@contextmanager
def a_site_with(snippet: str, style: str = "") -> Iterator[str]:
    """The owner's own site, on a host that is not the program's. Yields its address."""
    head = f"<!doctype html><html lang=en><title>Studio</title><style>{style}</style>"
    body = f"{head}<main><h1>Studio</h1>{snippet}</main>".encode()

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def framed(guest: Person, path: str) -> Frame:
    """The frame at that path, once it is there."""
    element = guest.page.wait_for_selector("iframe[data-seatline]")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_url(lambda url: path in url)
    return frame


def a_free_term(program: Program, business: Business) -> Term:
    """A service sold both ways and its series, for nothing."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        return await a_series(
            services.uow_factory, service, price_type="free", drop_in_allowed=True
        )

    found: Term = program.run(stage)
    return found


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_frame_on_another_site_leads_to_a_booking_on_ours(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "smew" if scripts else "goosander"
    business = staged(program, slug, paid=False)
    term = a_free_term(program, business)
    owner = person(DESK if scripts else PHONE, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/services")
    owner.follow("Link and embed")
    owner.looks()
    owner.follow("Yoga · Spring term")
    owner.sees(f"/b/{slug}/yoga?how=series&series={term.series.id}")
    expect(owner.page.locator("main img")).not_to_have_js_property("naturalWidth", 0)
    owner.looks()
    shoots(owner, "link")
    if scripts:
        expect(owner.page.get_by_role("button", name="Copy the code")).to_be_visible()
    snippet = owner.page.locator("#snippet").inner_text()
    guest = person(DESK, java_script_enabled=scripts)
    with a_site_with(snippet) as site:
        guest.page.goto(site)
        frame = framed(guest, f"/embed/{slug}/yoga")
        expect(frame.locator("main")).to_contain_text("Spring term", timeout=PATIENCE_MS)
        if scripts:
            element = guest.page.locator("iframe")
            inside = frame.evaluate(
                "document.getElementById('main').getBoundingClientRect().height"
            )
            expect(element).to_have_js_property("clientHeight", int(-(-inside // 1)) + 16)
        assert guest.page.context.cookies() == []
        frame.get_by_role("link", name="Book this series").click()
        guest.is_at(f"/b/{slug}/yoga/book")
        assert guest.page.url.startswith(program.base_url), "the whole window"
    g.fills_in(guest, "Carl", f"carl@{slug}.example")
    guest.press("Book now")
    g.is_booked(guest)


@pytest.mark.parametrize(
    ("style", "likes", "shown"),
    [
        ("", "dark", "light"),
        ("body { background: #123; color: oklch(0.95 0 0) }", "light", "dark"),
        ("body { background: #123; color: #eee }", "light", "dark"),
    ],
    ids=["light", "dark", "dark in rgb"],
)
def test_a_frame_is_as_dark_as_the_site_around_it(
    program: Program, person: Callable[..., Person], style: str, likes: str, shown: str
) -> None:
    slug = f"{shown}-{'rgb' if '#eee' in style else 'site'}"
    business = staged(program, slug, paid=False)
    a_free_term(program, business)
    guest = person(DESK, color_scheme=likes)
    frame_url = f"{program.base_url}/embed/{slug}/yoga"
    with a_site_with(snippet_of(program.base_url, frame_url, "Yoga"), style) as site:
        guest.page.goto(site)
        frame = framed(guest, f"/embed/{slug}/yoga")
        expect(frame.locator("html")).to_have_css("color-scheme", shown, timeout=PATIENCE_MS)
        frame.get_by_role("link", name="Single dates").click()
        frame.wait_for_url("**?how=single*")
        expect(frame.locator("html")).to_have_css("color-scheme", shown, timeout=PATIENCE_MS)
        assert violations(guest.page) == []


def test_frames_are_accessible_and_as_wide_as_their_window(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "shoveler", paid=False)
    term = a_free_term(program, business)
    guest = person(PHONE)
    for path in ("", "/yoga", f"/yoga?series={term.series.id}", "/yoga?how=single", "/packages"):
        guest.go(f"/embed/shoveler{path}")
        guest.looks()
        shoots(guest, f"frame{path.partition('=')[0].replace('/', '-').replace('?', '-')}")


def test_a_link_is_put_in_where_the_cursor_is(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "scoter", paid=False)
    a_free_term(program, business)
    owner = person(DESK)
    owner.sign_in("olive@scoter.example", PASSWORD)
    owner.go("/app/scoter/broadcasts/new")
    owner.looks()
    owner.type(body="Look: ! See you.")
    body = owner.page.locator("[name=body]")
    body.evaluate("(it) => it.setSelectionRange(6, 6)")
    owner.page.locator("[name=link]").select_option(label="Yoga")
    owner.press("Insert")
    expect(body).to_have_value(f"Look: Yoga: {program.base_url}/b/scoter/yoga! See you.")
    expect(body).to_be_focused()
    shoots(owner, "broadcast")
