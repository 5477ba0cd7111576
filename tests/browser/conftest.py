"""One program and one browser for all journeys of a worker; a person has a window of their own."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.person import PHONE, Person
from tests.support.browser import open_browser
from tests.support.program import Program, running_program


@pytest.fixture(scope="package")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Each journey has a business of its own in it, under a slug that no other journey uses."""
    with running_program(tmp_path_factory.mktemp("program")) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def _strangers(program: Program) -> None:
    """All come from one address: what one module's people tried is not held against the next's."""
    program.forget_limits()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.fixture
def person(program: Program, browser: Browser) -> Iterator[Callable[..., Person]]:
    """Makes people, each with cookies of their own. Afterwards no page of theirs had complained."""
    people: list[Person] = []

    def come(width: int = PHONE, **more: Any) -> Person:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            base_url=program.base_url,
            locale="en-GB",
            reduced_motion="reduce",
            **more,
        )
        scripts = more.get("java_script_enabled", True)
        somebody = Person(context.new_page(), program, scripts=scripts)
        people.append(somebody)
        return somebody

    yield come
    for somebody in people:
        somebody.page.context.close()
    assert [said for somebody in people for said in somebody.complaints] == []
