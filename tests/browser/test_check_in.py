"""Guests' codes are read by the camera of the check-in's page, one after another."""

import re
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
import segno
from playwright.sync_api import Browser, Route, expect

from src.billing.models import Order
from src.booking.check_in_codes import check_in_code
from src.booking.models import Session
from src.platform.services import Services
from tests.browser.person import PHONE, Person
from tests.support.browser import ARGUMENTS, installed_browser
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DOORS = count(1)
WIDE, HIGH, PIXELS = 320, 240, 4
FRAMES_EACH = 4
"""Two frames a second: each code is before the camera for two seconds, and is back after six."""
TONES = """
  window.tones = [];
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    const made = make.call(this), start = made.start;
    made.start = function (at) {
      window.tones.push(made.frequency.value < 200 ? "low" : "high");
      start.call(this, at);
    };
    return made;
  };
"""
"""Keeps which tones the page has sounded."""
STATES = (
    "SELECT p.name, s.state FROM seats s JOIN participants p ON p.id = s.participant_id"
    " WHERE s.tenant_id = $1"
)


def film(path: Path, texts: list[str]) -> None:
    """What the camera sees, again and again: uncompressed pictures of these codes in turn."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDE} H{HIGH} F2:1 Ip A1:1 C420jpeg\n".encode())
        for text in texts:
            matrix = list(segno.make(text, error="m", micro=False).matrix_iter(PIXELS, border=4))
            assert len(matrix) <= HIGH
            rows = [
                bytes(0 if dark else 255 for dark in row).ljust(WIDE, b"\xff") for row in matrix
            ]
            luma = b"".join(rows).ljust(WIDE * HIGH, b"\xff")
            picture = b"FRAME\n" + luma + b"\x80" * (WIDE * HIGH // 2)
            file.write(picture * FRAMES_EACH)


def code_of(program: Program, business: Business, email: str) -> str:
    """The address in the picture of whoever booked with this e-mail address."""

    async def stage(services: Services) -> str:
        from sqlalchemy import select

        async with services.uow_factory(business.id) as uow:
            order = await uow.session.scalar(select(Order).where(Order.guest_email == email))
            assert order is not None
            return f"{program.base_url}/c/{business.slug}/{check_in_code(services.settings, order)}"

    found: str = program.run(stage)
    return found


@pytest.fixture
def door(program: Program, tmp_path: Path) -> tuple[Business, Path]:
    business = staged(program, f"knot-{next(DOORS)}", paid=False)

    async def stage(services: Services) -> Session:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        return await a_session(services.uow_factory, service, in_days=1 / 24)

    session: Session = program.run(stage)
    guests = [books(program, business, "session", session.id, name) for name in ("Anna", "Carl")]
    codes = [code_of(program, business, email) for email in guests]
    path = tmp_path / "door.y4m"
    film(path, [*codes, "https://elsewhere.example/menu"])
    return business, path


@pytest.fixture
def owner(program: Program, browser: Browser, door: tuple[Business, Path]) -> Iterator[Person]:
    """The owner at a phone whose camera shows the film and may be used."""
    camera = [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={door[1]}",
    ]
    phone = browser.browser_type.launch(
        executable_path=installed_browser(), headless=True, args=[*ARGUMENTS, *camera]
    )
    context = phone.new_context(
        viewport={"width": PHONE, "height": 900}, base_url=program.base_url, locale="en-GB"
    )
    somebody = Person(context.new_page(), program)
    yield somebody
    phone.close()
    assert somebody.complaints == []


def test_guests_come_in_one_after_another(
    program: Program, owner: Person, door: tuple[Business, Path]
) -> None:
    business = door[0]
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/check-in")
    owner.press("Start the camera")
    owner.sees("Hold the guest's code before the camera.")
    owner.sees("Checked in already.")
    owner.sees("There is no booking with this code.")
    owner.is_at("/check-in$")
    owner.press("Stop the camera")
    expect(owner.page.locator("video")).to_be_hidden()
    owner.looks()
    found = {row["name"]: row["state"] for row in program.rows(STATES, business.id)}
    assert found == {"Anna": "attended", "Carl": "attended"}


def cut_off(route: Route) -> None:
    route.abort()


def too_busy(route: Route) -> None:
    route.fulfill(status=503, content_type="text/html", body="<p>Very busy just now.</p>")


@pytest.mark.parametrize("fails", [cut_off, too_busy])
def test_a_code_that_is_not_answered_leaves_no_earlier_guest_on_the_page(
    owner: Person, door: tuple[Business, Path], fails: Callable[[Route], None]
) -> None:
    business = door[0]
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.page.add_init_script(TONES)
    owner.go(f"/app/{business.slug}/check-in")
    answer = owner.page.locator("#scanned")
    scanned = re.compile(r"/check-in$")
    owner.press("Start the camera")
    expect(answer).to_contain_text("Anna", timeout=15_000)
    owner.page.route(scanned, fails)
    expect(answer).to_contain_text("There was no answer", timeout=15_000)
    expect(answer).not_to_contain_text(re.compile("Anna|Carl"))
    assert "low" in owner.page.evaluate("window.tones"), "nobody who looks at the guest hears it"
    owner.page.unroute(scanned)
    expect(answer).to_contain_text("Checked in already.", timeout=15_000)
    owner.complaints.clear()


def test_without_a_camera_the_page_says_so_and_the_field_is_there(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "dotterel", paid=False)
    somebody = person(PHONE)
    somebody.sign_in(f"olive@{business.slug}.example", PASSWORD)
    somebody.go(f"/app/{business.slug}/check-in")
    somebody.press("Start the camera")
    somebody.sees("Type the code below.")
    somebody.type(code="NOT-A-CODE")
    somebody.press("Find the booking")
    somebody.sees("There is no booking with this code.")
