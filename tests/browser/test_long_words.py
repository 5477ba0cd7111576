"""Names of one very long word, as German has them: no page of theirs goes sideways on a phone."""

from collections.abc import Callable

import pytest

from src.booking.models import Session
from src.platform.services import Services
from tests.browser.person import Person
from tests.support.builders import PASSWORD, Business, a_series, a_service, a_session
from tests.support.program import Program
from tests.support.stage import books, staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SMALL_PHONE = 360
WORD = "Donaudampfschifffahrtsgesellschaftskapitänskurswiederholung"
SURPLUS = "document.documentElement.scrollWidth - innerWidth"


def test_a_very_long_word_scrolls_no_page_sideways(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "dipper", paid=False)
    service, series, session = offered(program, business)
    books(program, business, "session", session.id, WORD)
    owner = person(SMALL_PHONE)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    app, hub = f"/app/{business.slug}", f"/b/{business.slug}"
    of_service = f"{app}/services/{service}"
    pages = [
        *(hub, f"{hub}/kurs", f"{hub}/kurs/book?session={session.id}"),
        *(f"{app}/{name}" for name in ("today", "services", "sessions", "orders", "customers")),
        *(f"{of_service}/{name}" for name in ("sessions", "series", "edit", "waitlist", "import")),
        *(f"{app}/sessions/{session.id}{act}" for act in ("", "/edit", "/cancel")),
        f"{app}/series/{series}",
        f"{app}/calendar",
    ]
    surplus = {}
    for path in pages:
        owner.go(path)
        surplus[path] = owner.page.evaluate(SURPLUS)
    assert {path: by for path, by in surplus.items() if by > 0} == {}


def test_a_button_with_such_a_name_in_it_scrolls_no_roster_sideways(
    program: Program, person: Callable[..., Person]
) -> None:
    business = staged(program, "wagtail", paid=False)
    _service, _series, session = offered(program, business, in_days=0.2)
    books(program, business, "session", session.id, WORD)
    owner = person(SMALL_PHONE)
    owner.sign_in(f"olive@{business.slug}.example", PASSWORD)
    owner.go(f"/app/{business.slug}/sessions/{session.id}?show=expected")
    owner.press(f"Here: {WORD}")
    owner.sees(f"Undo: {WORD}")
    assert owner.page.evaluate(SURPLUS) <= 0


def offered(
    program: Program, business: Business, in_days: float = 1
) -> tuple[object, object, Session]:
    async def stage(services: Services) -> tuple[object, object, Session]:
        uow_factory = services.uow_factory
        service = await a_service(
            uow_factory, business.id, slug="kurs", name=WORD, price_type="on_site"
        )
        term = await a_series(uow_factory, service, title=WORD)
        session = await a_session(uow_factory, service, in_days=in_days, title=WORD)
        return service.id, term.series.id, session

    found: tuple[object, object, Session] = program.run(stage)
    return found
