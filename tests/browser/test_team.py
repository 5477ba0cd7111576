"""An owner asks somebody to join, who does, leads sessions, and leaves again."""

from collections.abc import Callable

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


def two_sessions(program: Program, business: Business) -> None:
    """One that Ivan will lead, and one that nobody leads."""

    async def make(services: Services) -> None:
        service = await a_service(services.uow_factory, business.id)
        ivan = await a_performer(services.uow_factory, business)
        await a_session(services.uow_factory, service, title="Ivan's own", performer_id=ivan.id)
        await a_session(services.uow_factory, service, title="Nobody's", in_days=8)

    program.run(make)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_somebody_joins_sees_their_sessions_and_leaves(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "heron" if scripts else "stork"
    business = staged(program, slug, paid=False)
    two_sessions(program, business)
    email = f"ivan@{slug}.example"
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/settings/team")
    owner.type(email=email)
    owner.choose(role="instructor")
    owner.page.locator("main select[name='performer_id']").select_option(label="Ivan")
    owner.press("Send invitation")
    owner.sees(f"Invited by {business.owner.name}")
    look(owner, scripts)
    ivan = person(PHONE, java_script_enabled=scripts)
    ivan.go(link_in(the_mail(program, email, "Join"), "/join/"))
    ivan.sees("asks ivan@")
    look(ivan, scripts)
    ivan.type(name="Ivan Iris", password=SECRET)
    ivan.press("Join the team")
    ivan.is_at(f"/app/{slug}/today")
    ivan.sees("Ivan's own")
    assert "Nobody's" not in ivan.page.locator("main").inner_text()
    look(ivan, scripts)
    owner.go(f"/app/{slug}/settings/team")
    owner.follow("Edit Ivan Iris")
    look(owner, scripts)
    owner.follow("Remove")
    owner.sees("Open sign-ins reach nothing here")
    look(owner, scripts)
    owner.press("Remove from the team")
    owner.is_at(f"/app/{slug}/settings/team")
    ivan.go(f"/app/{slug}/today")
    ivan.sees("There is nothing here")
    the_mail(program, email, "You are not in the team")


def look(somebody: Person, scripts: bool) -> None:
    """What looks for flaws is itself a script."""
    if scripts:
        somebody.finds_it_accessible(PHONE, DESK)
