"""A guest buys a course without its full date, waits for that, and gets it."""

from collections.abc import Callable

import pytest

from src.platform.services import Services
from tests.browser.guest import fills_in, is_booked
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, Term, a_series, a_service
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def a_course(program: Program, business: Business) -> Term:
    """Three dates with one place each at EUR 60, paid on site; single dates are free."""

    async def stage(services: Services) -> Term:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        rules = {"drop_in_allowed": True, "gap_policy": "sell_with_gaps", "price_type": "on_site"}
        return await a_series(services.uow_factory, service, capacity=1, **rules)

    found: Term = program.run(stage)
    return found


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_a_date_left_out_to_the_whole_course(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    slug = "sandpiper" if scripts else "turnstone"
    business = staged(program, slug, paid=False)
    term = a_course(program, business)
    missing = term.sessions[1].id
    dora = person(PHONE, java_script_enabled=scripts)
    dora.go(f"/b/{slug}/yoga/book?session={missing}")
    fills_in(dora, "Dora", f"dora@{slug}.example")
    dora.press("Book now")
    is_booked(dora)
    ann = person(PHONE, java_script_enabled=scripts)
    ann.go(f"/b/{slug}/yoga?how=series")
    ann.sees("Not included and not paid for. After booking you can ask to be told")
    ann.looks()
    ann.follow("Book this series")
    ann.sees("Not included and not paid for.")
    fills_in(ann, "Ann", f"ann@{slug}.example")
    ann.press("Book now")
    own = is_booked(ann)
    mail = the_mail(program, f"ann@{slug}.example", "You are booked")
    assert link_in(mail, f"{own}#missing")
    ann.go(f"{own}#missing")
    ann.sees("It was full: not included and not paid for. Price, if you get it: €20.00")
    ann.looks()
    ann.press("Join the waiting list for")
    ann.sees("You are waiting for it.")
    ann.looks()
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/sessions/{missing}/waitlist")
    owner.sees("Completes Spring term · €20.00")
    owner.looks()
    dora.follow("Can't make it on")
    dora.press("Cancel this date")
    dora.sees("It is cancelled.")
    told = the_mail(program, f"ann@{slug}.example", "There is a place for you")
    ann.go(link_in(told, f"/b/{slug}/waitlist/"))
    ann.sees("It is a date that your booking was made without.")
    ann.looks()
    ann.press("Book now")
    is_booked(ann)
    ann.sees("It is a date that an earlier booking of yours was made without.")
    ann.looks()
    ann.follow("See that booking")
    ann.sees("You have got a place since, by a booking of its own")
    ann.looks()
    owner.go(f"/app/{slug}/series/{term.series.id}/buyers")
    owner.sees("A date that was missing")
    owner.looks()
