"""A guest waits for a full date; somebody cannot come, and the place goes to who waited."""

from collections.abc import Callable

import pytest

from src.booking.models import Session
from src.platform.services import Services
from tests.browser.guest import fills_in, is_booked
from tests.browser.person import DESK, PHONE, Person
from tests.support.builders import PASSWORD, Business, a_service, a_session
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def a_small_date(program: Program, business: Business) -> Session:
    """One place, free of charge."""

    async def stage(services: Services) -> Session:
        service = await a_service(services.uow_factory, business.id, price_type="free")
        return await a_session(services.uow_factory, service, capacity=1)

    found: Session = program.run(stage)
    return found


@pytest.mark.parametrize(
    "scripts",
    [
        pytest.param(True, id="scripts"),
        pytest.param(False, id="no scripts", marks=pytest.mark.slow),
    ],
)
def test_from_sold_out_to_a_place(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    """Row 2-44: nobody could wait for a place."""
    slug = "egret" if scripts else "bittern"
    business = staged(program, slug, paid=False)
    session = a_small_date(program, business)
    dora = person(PHONE, java_script_enabled=scripts)
    dora.go(f"/b/{slug}/yoga/book?session={session.id}")
    fills_in(dora, "Dora", f"dora@{slug}.example")
    dora.press("Book now")
    is_booked(dora)
    carl = person(PHONE, java_script_enabled=scripts)
    carl.go(f"/b/{slug}/yoga/book?session={session.id}")
    carl.sees("This date is sold out.")
    look(carl, scripts)
    carl.follow("Join the waiting list")
    carl.type(name="Carl", email=f"carl@{slug}.example")
    look(carl, scripts)
    carl.press("Join the waiting list")
    carl.sees("Look into your mailbox")
    look(carl, scripts)
    mail = the_mail(program, f"carl@{slug}.example", "On the waiting list")
    mine = link_in(mail, f"/b/{slug}/waitlist/")
    carl.go(mine)
    carl.sees("You are at position 1 of 1.")
    look(carl, scripts)
    owner = person(DESK, java_script_enabled=scripts)
    owner.sign_in(f"olive@{slug}.example", PASSWORD)
    owner.go(f"/app/{slug}/sessions/{session.id}/waitlist")
    owner.sees("No place is free.")
    look(owner, scripts)
    leaves(dora)
    the_mail(program, f"carl@{slug}.example", "There is a place for you")
    carl.go(mine)
    carl.sees("It is held for you until")
    look(carl, scripts)
    owner.go(f"/app/{slug}/sessions/{session.id}/waitlist")
    owner.sees("A place was offered and held")
    look(owner, scripts)
    owner.go(f"/app/{slug}/sessions/{session.id}")
    owner.sees("1 place is on offer to people on the waiting list.")
    look(owner, scripts)
    owner.go(f"/app/{slug}/sessions")
    owner.sees("1 on offer")
    look(owner, scripts)
    owner.go(f"/app/{slug}/sessions/{session.id}/cancel")
    owner.sees("1 person who waits is told by mail that the list is closed; 1 offer ends")
    look(owner, scripts)
    carl.follow("Go on to book")
    carl.press("Book now")
    is_booked(carl)
    carl.go(mine)
    carl.sees("You have taken the place.")
    owner.go(f"/app/{slug}/sessions/{session.id}/waitlist")
    owner.sees("Took the place")
    look(owner, scripts)
    owner.follow("Terms")
    owner.sees("Guests can wait when it is full")
    look(owner, scripts)
    owner.type(offer_minutes="90")
    owner.press("Save")
    owner.sees("is saved.")


def leaves(guest: Person) -> None:
    """From the booking's own page, where they still are."""
    guest.follow("Can't make it on")
    guest.press("Cancel this date")
    guest.sees("It is cancelled.")


def look(somebody: Person, scripts: bool) -> None:
    """axe is a script itself."""
    if scripts:
        somebody.finds_it_accessible(PHONE, DESK)
