"""An owner asks somebody to join, who does, leads sessions, and leaves again."""

from collections.abc import Callable
from uuid import UUID

import pytest

from src.platform.services import Services
from tests.booking.commands.places import a_performer
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

SECRET = "a lotus opens every morning"


def two_sessions(program: Program, business: Business) -> UUID:
    """One that Ivan will lead, and one that nobody leads, whose id is returned."""

    async def make(services: Services) -> UUID:
        service = await a_service(services.uow_factory, business.id)
        ivan = await a_performer(services.uow_factory, business)
        await a_session(services.uow_factory, service, title="Ivan's own", performer_id=ivan.id)
        other = await a_session(services.uow_factory, service, title="Nobody's", in_days=8)
        return other.id

    found: UUID = program.run(make)
    return found


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(True, id="scripts"),
        pytest.param(False, id="no scripts", marks=pytest.mark.slow),
    ],
)
def test_somebody_joins_sees_their_sessions_and_leaves(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "heron" if scripts else "stork"
    business = staged(program, slug, paid=False)
    nobodys = two_sessions(program, business)
    email = f"ivan@{slug}.example"
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/settings/team")
    owner.type(email=email)
    owner.choose(role="instructor")
    owner.page.locator("main select[name='performer_id']").select_option(label="Ivan")
    owner.press("Send invitation")
    owner.sees(f"Invited by {business.owner.name}")
    owner.looks()
    ivan = person(PHONE, java_script_enabled=scripts)
    ivan.go(link_in(the_mail(program, email, "Join"), "/join/"))
    ivan.sees("asks ivan@")
    ivan.looks()
    ivan.type(name="Ivan Iris", password=SECRET)
    ivan.press("Join the team")
    ivan.is_at(f"/app/{slug}/today")
    ivan.sees("Ivan's own")
    assert "Nobody's" not in ivan.page.locator("main").inner_text()
    ivan.looks()
    ivan.go(f"/app/{slug}/sessions")
    ivan.sees("Ivan's own")
    assert "Nobody's" not in ivan.page.locator("main").inner_text()
    ivan.looks()
    ivan.go(f"/app/{slug}/sessions/{nobodys}")
    ivan.sees("There is no such session.")
    owner.go(f"/app/{slug}/settings/team")
    owner.follow("Edit Ivan Iris")
    owner.looks()
    owner.follow("Remove")
    owner.sees("Open sign-ins reach nothing here")
    owner.looks()
    owner.press("Remove from the team")
    owner.is_at(f"/app/{slug}/settings/team")
    ivan.go(f"/app/{slug}/today")
    ivan.sees("There is nothing here")
    the_mail(program, email, "You are not in the team")
