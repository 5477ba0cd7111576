"""A course that was sold with a gap is completed: at the price that was kept, for those who lack
the date, and for nobody once the purchase has ended.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from src.billing.models import Order
from src.booking.commands.cancel import cancel_purchase, undo_cancellation
from src.booking.commands.completing import wait_for_missing
from src.booking.commands.leave import leave_dates
from src.booking.commands.readdress import correct_customer
from src.booking.commands.series_dates import detach
from src.booking.commands.waitlist import leave_waitlist, remove_entry, wait_again
from src.booking.commands.waitlist_serve import offer_by_hand
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.gaps import gaps_from
from src.booking.errors import NotBookable
from src.booking.models import Booking, Cancellation, Series, Service
from src.booking.queries.buyers import get_booking_detail, list_buyers
from src.booking.queries.series import list_series
from src.booking.queries.waitlists import get_waitlist
from src.platform.errors import Conflict, NotFound
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.models import Tenant
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import month_count
from tests.support.builders import Business, a_business, plan_version_id
from tests.support.clock import FrozenClock
from tests.support.gaps import Course, a_course
from tests.support.mail import RememberingMailer
from tests.support.waiting import joined
from tests.support.work import work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def gaps_of_booking(course: Course) -> dict[str, int]:
    async with course.services.uow_factory(course.lotus.id) as uow:
        kept = await uow.session.get_one(Booking, (course.lotus.id, course.bought.booking_id))
        return gaps_from(kept.gaps).shares.get(course.missing, {})


@pytest.mark.slow
async def test_who_completes_a_course_pays_what_was_left_out_when_it_was_sold(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    course = await a_course(services, lotus)
    assert course.bought.total_minor == 4000
    assert await gaps_of_booking(course) == {"": 2000}
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(price_minor=90_000))
    entry_id = await course.wait()
    await course.free()
    assert await course.states() == [("live", 1)]
    assert "€20.00" in str(mailer.sent[-1].body)
    made = await course.take(entry_id)
    await course.work()
    assert (made.total_minor, made.order.payment_mode) == (2000, "on_site")
    [seat] = await course.seats(made)
    assert (seat.session_id, seat.state, seat.share_minor) == (course.missing, "confirmed", 2000)
    assert await course.check() == [1, 1, 1]
    async with services.uow_factory(lotus.id) as uow:
        booking = await uow.session.get_one(Booking, (lotus.id, made.booking_id))
        first = await uow.session.get_one(Booking, (lotus.id, course.bought.booking_id))
    assert (booking.completes_id, booking.series_id) == (first.id, course.term.series.id)
    assert (booking.customer_id, booking.leaving) == (first.customer_id, first.leaving)
    mine = await course.seats(course.bought)
    assert {one.participant_id for one in mine} == {seat.participant_id}


async def test_what_completes_a_course_is_no_other_booking_of_the_month(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    before = await month_count(services.uow_factory, lotus.id)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    assert await month_count(services.uow_factory, lotus.id) == before
    async with services.uow_factory(lotus.id) as uow:
        assert (await uow.session.get_one(Order, (lotus.id, made.order_id))).month is None


async def test_a_party_pays_by_its_kinds_of_price_and_a_percentage_holds(
    services: Services, lotus: Business
) -> None:
    child = [{"key": "child", "name": "Child", "price_minor": 3000}]
    course = await a_course(
        services,
        lotus,
        party=("Ann", "Ben"),
        wish={"tiers": ("full", "child")},
        price_tiers=child,
    )
    assert await gaps_of_booking(course) == {"": 2000, "Child": 1000}
    entry_id = await course.wait()
    assert await course.states() == []
    await course.free()
    assert await course.states() == [("live", 2)]
    made = await course.take(entry_id)
    seats = await course.seats(made)
    assert sorted((seat.tier, seat.share_minor) for seat in seats) == [("", 2000), ("Child", 1000)]
    assert made.total_minor == 3000
    assert await course.check() == [2, 2, 2]


async def test_somebody_who_has_left_the_course_is_not_waited_for(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, party=("Ann", "Ben"))
    entry_id = await course.wait()
    ben = (await course.seats(course.bought))[1].participant_id
    his = [one.id for one in await course.seats(course.bought) if one.participant_id == ben]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, course.bought.order_id, his)
    await course.work()
    assert (await course.entry(entry_id)).party_size == 1
    # The free place of two is enough for one.
    assert await course.states() == [("live", 1)]
    made = await course.take(entry_id)
    assert (len(await course.seats(made)), made.total_minor) == (1, 2000)
    assert await course.check() == [1, 2, 1]


async def test_what_was_said_with_the_course_is_said_of_the_date(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, party=("Ann", "Ben"), wish={"note": "By wheelchair"})
    seats = await course.seats(course.bought)
    ann, ben = sorted({str(seat.participant_id) for seat in seats})
    diet = [{"key": "diet", "label": "Diet", "kind": "text", "answer": "Vegan"}]
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Booking)
            .where(Booking.id == course.bought.booking_id)
            .values(answers=diet, person_answers={ann: diet, ben: diet})
        )
        hers = [one.id for one in seats if str(one.participant_id) == ann]
        await leave_dates(uow, lotus.tenant, course.bought.order_id, hers)
    entry_id = await course.wait()
    made = await course.take(entry_id)
    async with services.uow_factory(lotus.id) as uow:
        kept = await uow.session.get_one(Booking, (lotus.id, made.booking_id))
    assert (kept.answers, kept.person_answers) == (diet, {ben: diet})
    assert kept.note == "By wheelchair"


async def test_who_has_no_name_keeps_their_number_in_the_party(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, party=("Ann", ""))
    entry_id = await course.wait()
    seats = await course.seats(course.bought)
    hers = [one.id for one in seats if one.participant_id == seats[0].participant_id]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, course.bought.order_id, hers)
    await course.work()
    made = await course.take(entry_id)
    async with services.uow_factory(lotus.id) as uow:
        detail = await get_booking_detail(uow, made.booking_id, uow.clock.now())
    assert [seat.participant for seat in detail.seats] == ["Ann, person 2"]


@pytest.mark.parametrize("what", ["sold with it", "a single date", "sold before", "elsewhere"])
async def test_only_a_date_that_the_course_was_sold_without_can_be_waited_for(
    services: Services, lotus: Business, what: str
) -> None:
    course = await a_course(services, lotus)
    session_id, business = course.missing, lotus
    if what == "sold with it":
        session_id = course.term.sessions[0].id
    elif what == "a single date":
        course.bought = course.other
    elif what == "sold before":
        async with services.uow_factory(lotus.id) as uow:
            await uow.session.execute(update(Booking).values(gaps={}))
    else:
        business = await a_business(services.uow_factory, "rival", owner="Eve")
    with pytest.raises(NotFound):
        async with services.uow_factory(business.id) as uow:
            await wait_for_missing(uow, business.tenant, course.bought.booking_id, session_id)


async def test_asked_twice_it_waits_once_and_writes_once(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    course = await a_course(services, lotus)
    before = len(mailer.sent)
    assert await course.wait() == await course.wait()
    assert len(mailer.sent) == before + 1


async def test_the_same_address_waits_for_the_date_alone_as_well(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    alone = await joined(services.uow_factory, lotus, "session", course.missing, "Ann")
    entry_id = await course.wait()
    await course.free()
    assert await course.states() == [("live", 1)]
    assert (await course.entry(alone)).state == "offered"
    async with services.uow_factory(lotus.id) as uow:
        await leave_waitlist(uow, alone)
    await course.work()
    assert (await course.entry(entry_id)).state == "offered"
    await course.take(entry_id)
    assert await course.check() == [1, 1, 1]


async def switch_off(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        await uow.session.execute(update(Service).values(waitlist={"is_on": False}))


async def take_the_plan(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        starter = await plan_version_id(uow, "starter")
        await uow.session.execute(update(Tenant).values(plan_version_id=starter))
        await uow.session.flush()
        await rebuild_entitlements(uow, course.lotus.id)


async def cancel_the_course(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        await cancel_purchase(
            uow, course.lotus.ctx, course.bought.booking_id, reason="", undo_seconds=60
        )


@pytest.mark.parametrize(
    ("stops", "code"),
    [
        (switch_off, "waitlist_switched_off"),
        (take_the_plan, "waitlist_switched_off"),
        (cancel_the_course, "waitlist_not_on_sale"),
    ],
)
async def test_nobody_can_ask_for_what_cannot_be_offered(
    services: Services, lotus: Business, stops: Any, code: str
) -> None:
    course = await a_course(services, lotus)
    await stops(course)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        with pytest.raises(Conflict) as refused:
            await wait_for_missing(uow, tenant, course.bought.booking_id, course.missing)
    assert refused.value.code == code


async def test_how_dates_are_sold_to_others_is_not_asked(
    services: Services, lotus: Business
) -> None:
    """Off sale, hidden, joining closed, no single dates: the course is bought already."""
    course = await a_course(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Series).values(active=False, visibility="hidden", drop_in_allowed=False)
        )
        await uow.session.execute(update(Service).values(sales_mode="series", horizon_days=1))
    entry_id = await course.wait()
    await course.free()
    assert await course.states() == [("live", 1)]
    await course.take(entry_id)


async def leaves_the_course(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        ids = [seat.id for seat in await course.seats(course.bought)]
        await leave_dates(uow, course.lotus.tenant, course.bought.order_id, ids)


async def loses_the_date(course: Course) -> None:
    async with course.services.uow_factory(course.lotus.id) as uow:
        await detach(uow, course.term.series.id, {course.missing})
        await wake_waitlists(uow, {course.missing})


@pytest.mark.parametrize("ends", [leaves_the_course, cancel_the_course, loses_the_date])
async def test_with_the_purchase_its_offer_ends_and_the_place_goes_to_the_next(
    services: Services, lotus: Business, clock: FrozenClock, ends: Any
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    clock.advance(timedelta(minutes=1))
    await joined(services.uow_factory, lotus, "session", course.missing, "Bob")
    await course.free()
    assert await course.states() == [("live", 1)]
    await ends(course)
    await work_through(services, clock, lotus.id, timedelta(minutes=4))
    assert await course.states() == [("withdrawn", 1), ("live", 1)]
    assert (await course.entry(entry_id)).state == "left"
    with pytest.raises(NotFound):
        await course.take(entry_id)
    assert (await course.check())[1] == 1


async def test_an_address_that_was_mistyped_loses_the_offer(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    right = CustomerDetails(name="Ann", email="ann@example.org", phone="")
    async with services.uow_factory(lotus.id) as uow:
        booking = await uow.session.get_one(Booking, (lotus.id, course.bought.booking_id))
        await correct_customer(uow, lotus.ctx, booking.customer_id, right, readdress=True)
    with pytest.raises(NotFound):
        await course.take(entry_id)
    await course.work()
    assert await course.states() == [("withdrawn", 1)]
    with pytest.raises(Conflict):
        async with services.uow_factory(lotus.id) as uow:
            await wait_again(uow, lotus.tenant, entry_id)
    # At the right address they wait anew.
    assert await course.wait() != entry_id


async def test_a_completed_course_is_sold_once(services: Services, lotus: Business) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    async with services.uow_factory(lotus.id) as uow:
        [row] = await list_series(uow, uow.clock.now())
        buyers = await list_buyers(uow, course.term.series.id, uow.clock.now())
        detail = await get_booking_detail(uow, course.bought.booking_id, uow.clock.now())
    assert row.sold == 1
    completing = {buyer.booking_id: buyer.completes for buyer in buyers.rows}
    assert completing == {course.bought.booking_id: False, made.booking_id: True}
    assert detail.completed_by == [(made.booking_id, made.order.reference)]


async def test_who_is_there_already_gets_nothing_more(services: Services, lotus: Business) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    await course.take(entry_id)
    with pytest.raises(Conflict) as refused:
        async with services.uow_factory(lotus.id) as uow:
            await wait_for_missing(uow, lotus.tenant, course.bought.booking_id, course.missing)
    assert refused.value.code == "not_missing"


async def test_an_offer_is_not_taken_while_the_purchase_is_being_cancelled(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    await cancel_the_course(course)
    with pytest.raises(NotBookable) as refused:
        await course.take(entry_id)
    assert refused.value.code == "not_just_now"
    async with services.uow_factory(lotus.id) as uow:
        [cancellation] = await uow.session.scalars(select(Cancellation))
        await undo_cancellation(uow, lotus.ctx, cancellation.id)
    await course.take(entry_id)


async def test_cancelling_the_purchase_takes_what_completes_it_along(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await course.work()
    before = len(mailer.sent)
    await cancel_the_course(course)
    await work_through(services, clock, lotus.id, timedelta(minutes=4))
    assert [seat.state for seat in await course.seats(made)] == ["cancelled"]
    assert await course.check() == [0, 0, 0]
    # One mail for all three dates.
    assert len(mailer.sent) == before + 1


async def test_leaving_the_date_is_by_the_courses_terms(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    [seat] = await course.seats(made)
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, made.order_id, [seat.id])
    await course.work()
    assert [one.state for one in await course.seats(course.bought)] == ["confirmed"] * 2
    assert await course.check() == [1, 0, 1]


async def test_staff_see_what_it_is_for_and_can_offer_it_again(
    services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus)
    entry_id = await course.wait()
    async with services.uow_factory(lotus.id) as uow:
        [row] = (await get_waitlist(uow, lotus.tenant, "session", course.missing)).standing
    assert (row.completes, row.price) == ("Spring term", "€20.00")
    assert row.why[0][0] == "No place is free."
    async with services.uow_factory(lotus.id) as uow:
        await remove_entry(uow, lotus.ctx, entry_id)
    await course.free()
    assert await course.states() == []
    async with services.uow_factory(lotus.id) as uow:
        [row] = (await get_waitlist(uow, lotus.tenant, "session", course.missing)).ended
        assert row.may_offer
        await offer_by_hand(uow, lotus.ctx, lotus.tenant, entry_id)
    await course.take(entry_id)
    assert await course.check() == [1, 1, 1]
