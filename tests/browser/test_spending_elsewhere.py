"""What a cancelled date of a course brings is spent in another one, and only where it fits."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from src.booking.commands.book import BookCommand, book
from src.booking.domain.drop_in import PayWay
from src.booking.models import Session
from src.platform.ids import new_id
from src.platform.services import Services
from tests.browser import guest as g
from tests.browser.person import PHONE, Person
from tests.browser.test_swapping import taken, two_courses
from tests.support.builders import Business, Term, a_series, a_service, as_guest
from tests.support.credits import a_lot
from tests.support.letters import link_in, the_mail
from tests.support.program import Program
from tests.support.stage import staged

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WAYS = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
NAME = "Beginner classes"
OWNED = "SELECT balance FROM credit_lots WHERE tenant_id = $1 AND customer_id = $2 ORDER BY id"
LEDGER = (
    "SELECT e.kind, e.credits FROM credit_entries e"
    " JOIN credit_lots l ON l.tenant_id = e.tenant_id AND l.id = e.lot_id"
    " WHERE e.tenant_id = $1 AND l.customer_id = $2 ORDER BY e.at, e.id"
)
CUSTOMER = "SELECT id FROM customers WHERE tenant_id = $1 AND email = $2"
SEATS = (
    "SELECT s.session_id, s.state FROM seats s JOIN orders o"
    " ON o.tenant_id = s.tenant_id AND o.id = s.order_id"
    " WHERE s.tenant_id = $1 AND o.customer_id = $2 ORDER BY s.id"
)


def buys_the_course(carl: Person, business: Business, own: Term, email: str) -> str:
    """Returns the path of the booking, with its key."""
    carl.go(f"/b/{business.slug}/yoga/book?series={own.series.id}")
    g.fills_in(carl, "Carl Guest", email)
    carl.press("Pay €60.00")
    g.pays(carl, g.WORKS)
    g.is_booked(carl)
    return link_in(the_mail(carl.program, email, "You are booked"), "/b/")


def gives_up(carl: Person, page: str, date: Session) -> None:
    carl.go(f"{page}/leave?date={date.id}")
    carl.press("Cancel this date")
    carl.sees(f"You get 1 credit for “{NAME}”, valid until")


def a_course_for_all(program: Program, business: Business) -> Term:
    """Sold by single dates, too, and without the tag that the credit asks for."""

    async def stage(services: Services) -> Term:
        factory = services.uow_factory
        boxing = await a_service(factory, business.id, slug="boxing", name="Boxing")
        return await a_series(factory, boxing, title="All levels", drop_in_allowed=True)

    found: Term = program.run(stage)
    return found


def what_is_owned(program: Program, business: Business, email: str) -> list[Any]:
    """Balances, ledger and seats of somebody."""
    [(customer_id,)] = program.rows(CUSTOMER, business.id, email)
    return [
        [tuple(row) for row in program.rows(statement, business.id, customer_id)]
        for statement in (OWNED, LEDGER, SEATS)
    ]


@WAYS
def test_the_credit_of_a_date_is_spent_on_a_date_of_another_course(
    program: Program, person: Callable[..., Person], scripts: bool
) -> None:
    business = staged(program, "waxbill" if scripts else "firefinch")
    own, other = two_courses(program, business)
    untagged = a_course_for_all(program, business)
    email = f"carl@{business.slug}.example"
    carl = person(PHONE, java_script_enabled=scripts)
    page = buys_the_course(carl, business, own, email)
    gives_up(carl, page, own.sessions[0])
    date = other.sessions[1]
    form = f"/b/{business.slug}/pilates/book?session={date.id}"
    carl.go(form)
    carl.sees("Sign in to use your credits")
    carl.looks()
    g.enters(carl, business.slug, email)
    carl.sees("1 of 1 left")
    carl.sees(NAME)
    carl.looks()
    it_is_not_for_other_dates(carl, business, untagged)
    carl.go(form)
    carl.sees("Use 1 of 1 left")
    carl.sees(f"0 of “{NAME}” left afterwards")
    carl.looks()
    it_is_refused_once_the_tag_is_gone(carl, business, other)
    assert taken(program, business, other.series.id) == [0, 0, 0, 0, 0]
    carl.go(form)
    carl.press("Book with 1 credit")
    g.is_booked(carl)
    carl.sees(f"1 credit of “{NAME}”, 0 left")
    carl.looks()
    assert taken(program, business, own.series.id) == [0, 1, 1, 1]
    assert taken(program, business, other.series.id) == [0, 1, 0, 0, 0]
    balances, ledger, _seats = what_is_owned(program, business, email)
    assert balances == [(0,)]
    assert [number for _kind, number in ledger] == [1, -1]
    carl.go(f"/b/{business.slug}/me")
    carl.page.locator("main summary", has_text="1 that is over").click()
    carl.sees("Used up")
    carl.looks()


def it_is_not_for_other_dates(carl: Person, business: Business, untagged: Term) -> None:
    carl.go(f"/b/{business.slug}/boxing/book?session={untagged.sessions[0].id}")
    carl.sees(f"The credits of “{NAME}” are not for this.")
    assert carl.page.locator("main input[value^='credit:']").count() == 0
    carl.looks()


def it_is_refused_once_the_tag_is_gone(carl: Person, business: Business, other: Term) -> None:
    """The owner takes it away while the form is open, and gives it again afterwards."""
    tags = "UPDATE series SET tags = $1 WHERE tenant_id = $2 AND id = $3"
    carl.program.rows(tags, "[]", business.id, other.series.id)
    carl.press("Book with 1 credit")
    carl.sees(f"The credits of “{NAME}” are not for this.")
    carl.looks()
    carl.program.rows(tags, '["beginners"]', business.id, other.series.id)


def test_a_date_that_filled_up_meanwhile_takes_nothing(
    program: Program, person: Callable[..., Person]
) -> None:
    """The old place and the credit stay as they were, and another date can be chosen at once."""
    business = staged(program, "quailfinch")
    own, other = two_courses(program, business)
    email = f"carl@{business.slug}.example"
    carl = person(PHONE)
    page = buys_the_course(carl, business, own, email)
    gives_up(carl, page, own.sessions[0])
    target = other.sessions[2]
    program.rows("UPDATE sessions SET capacity = 1 WHERE id = $1", target.id)
    carl.go(f"{page}/move?date={own.sessions[1].id}&to={target.id}")
    carl.sees(f"A credit for “{NAME}” pays it.")
    before = what_is_owned(program, business, email)
    eve_comes(program, business, target.id)
    carl.press("Come on this date")
    carl.sees("This date is sold out.")
    carl.looks()
    assert what_is_owned(program, business, email) == before
    assert before[0] == [(1,)]
    assert taken(program, business, own.series.id) == [0, 1, 1, 1]
    assert taken(program, business, other.series.id) == [0, 0, 1, 0, 0]
    link = carl.page.locator(f"main a[href*='to={target.id}']")
    assert link.count() == 0
    carl.page.locator(f"main a[href*='to={other.sessions[3].id}']").first.click()
    carl.press("Come on this date")
    carl.sees("Done. Your new date is below")
    assert taken(program, business, own.series.id) == [0, 0, 1, 1]
    assert taken(program, business, other.series.id) == [0, 0, 1, 1, 0]


def eve_comes(program: Program, business: Business, session_id: UUID) -> None:
    """She takes the last place with a credit of her own."""

    async def stage(services: Services) -> None:
        email = f"eve@{business.slug}.example"
        customer_id, lot_id = await a_lot(
            services.uow_factory, business.id, email, 1, owner="Eve Guest"
        )
        wish = BookCommand(
            kind="session",
            subject_id=session_id,
            party=("Eve Guest",),
            guest_name="Eve Guest",
            guest_email=email,
            form_token=str(new_id()),
            way=PayWay.CREDIT,
            customer_id=customer_id,
            credit_lot_id=lot_id,
        )
        async with services.uow_factory(business.id) as uow:
            await book(uow, as_guest(business), wish)

    program.run(stage)
