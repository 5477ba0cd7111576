"""Whoever may leave a date without any charge, as it was moved, reads that and no terms."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from src.booking.domain.leaving import LeavingTerms
from src.booking.models import Seat
from tests.booking.jobs.test_changes import change
from tests.booking.web.conftest import Shop
from tests.booking.web.test_guest_leaving import PARTY, TERMS, a_paid_course, leave_page
from tests.booking.web.test_guest_page import own_page
from tests.support.clock import FrozenClock
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio
UNTIL = (
    "Free of charge until it starts, on Tue, Mar 9, 2027, 11:00\u202fAM; after that it cannot be"
    " cancelled any more."
)
STEPS = "Cancel until"
MANY = timedelta(hours=25)


async def move(shop: Shop, session_id: UUID, by: timedelta = MANY) -> None:
    await change(shop.services, shop.business, session_id, by=by)


async def test_the_terms_are_not_named_beside_the_free_way_out(
    shop: Shop, clock: FrozenClock
) -> None:
    term = await a_paid_course(shop)
    assert STEPS in (await leave_page(shop, term)).text
    await move(shop, term.sessions[0].id)
    for _days in range(2):  # The second time, all steps of the terms are over.
        page = (await leave_page(shop, term)).text
        assert "It was moved after you booked it, so you may leave it without any charge." in page
        assert page.count(UNTIL) == 1
        assert "€20.00 goes back the way you paid" in page
        for words in (STEPS, "Later than that", "of what you paid for it comes back"):
            assert words not in page
        clock.advance(timedelta(days=7, hours=22))


async def test_a_date_beside_the_moved_one_keeps_its_terms(shop: Shop) -> None:
    term = await a_paid_course(shop)
    await move(shop, term.sessions[0].id)
    page = (await leave_page(shop, term, 1)).text
    assert STEPS in page
    assert "Free of charge" not in page


async def test_of_a_party_it_is_said_for_whom_it_is_free(shop: Shop, clock: FrozenClock) -> None:
    """One of them was moved to this date by staff; for the other nothing has changed."""
    term = await a_paid_course(shop, **PARTY)
    page = await leave_page(shop, term)
    [form] = [form for form in forms_of(page) if "/leave" in form.action]
    kid = UUID(form.fields["seat"][1].partition(":")[0])
    async with shop.services.uow_factory(shop.business.id) as uow:
        free = update(Seat).where(Seat.id == kid).values(may_leave_free=True)
        await uow.session.execute(free)
    page = await leave_page(shop, term)
    assert "Free of charge for Kid until it starts, on Mon, Mar 8, 2027, 10:00" in page.text
    assert page.text.count(STEPS) == 2
    clock.advance(timedelta(days=5, hours=1))
    page = await leave_page(shop, term)
    assert page.text.count(STEPS) == 1, "the step that is over counts for nobody"


@pytest.mark.parametrize("moved", [1, 3])
async def test_who_leaves_a_course_reads_which_dates_are_free(shop: Shop, moved: int) -> None:
    term = await a_paid_course(shop, LeavingTerms(tiers=TERMS.tiers, whole_course=True))
    for session in term.sessions[:moved]:
        await move(shop, session.id)
    page = (await shop.guest.open(f"{await own_page(shop)}/leave")).text
    assert ("Cancel up to 48 hours" in page) is (moved == 1)
    some = "Dates that were moved after you booked them are free of charge until they start."
    assert (some in page) is (moved == 1)
    every = (
        "All of these dates were moved after you booked them: each is free of charge until it"
        " starts; after that it cannot be cancelled any more."
    )
    assert (every in page) is (moved == 3)
