"""What is free behind those who wait: as if all of them were looked at, and looking at few."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from src.booking.domain.waiting import left_behind_queue, wanted_places, weigh
from src.booking.models import Series, Session, WaitlistEntry
from src.booking.queries.waiting import load_pool
from src.booking.queries.waitlist_room import find_list
from src.platform.services import Services
from tests.booking.commands.test_claims_last import listened
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.gaps import a_course

pytestmark = pytest.mark.anyio

QUEUES = (
    (),
    (("series", 1),),
    (("series", 1), ("series", 1), ("series", 1)),
    (("first", 3), ("first", 1)),
    (("series", 2), ("first", 2), ("last", 1), ("series", 1)),
    (("last", 3), ("series", 1), ("first", 1)),
    (("last", 4), ("last", 1), ("first", 4)),
)
"""Who waits for what with how many, in their order."""
TAKEN = ((0, 0), (1, 3), (2, 1), (3, 3), (3, 0))
"""How many of three places of the first and of the last date are taken."""


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", max_party=4)
    return await a_series(
        services.uow_factory, service, sessions=2, capacity=3, drop_in_allowed=True
    )


async def wait_in_line(
    services: Services, lotus: Business, term: Term, queue: tuple[tuple[str, int], ...]
) -> None:
    first, last = [run.id for run in term.sessions]
    subjects = {"first": first, "last": last, "series": None}
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        for number, (what, size) in enumerate(queue):
            entry = WaitlistEntry(
                tenant_id=lotus.id,
                session_id=subjects[what],
                series_id=term.series.id if what == "series" else None,
                address=f"{number}@example.com",
                name=f"Number {number}",
                locale="en",
                party_size=size,
                joined_at=now,
                queued_at=now + timedelta(seconds=number),
                said={},
            )
            uow.session.add(entry)


async def take(services: Services, lotus: Business, taken: dict[UUID, int]) -> None:
    async with services.uow_factory(lotus.id) as uow:
        for session_id, places in taken.items():
            await uow.session.execute(
                update(Session).where(Session.id == session_id).values(seats_taken=places)
            )


@pytest.mark.slow
@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("gaps", ["block", "sell_with_gaps"])
async def test_it_is_what_weighing_the_whole_queue_leaves(
    services: Services,
    lotus: Business,
    term: Term,
    queue: tuple[tuple[str, int], ...],
    gaps: str,
) -> None:
    await wait_in_line(services, lotus, term, queue)
    runs, zone = [run.id for run in term.sessions], lotus.tenant.zone
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(gap_policy=gaps))
    for taken in TAKEN:
        await take(services, lotus, dict(zip(runs, taken, strict=True)))
        async with services.uow_factory(lotus.id) as uow:
            now = uow.clock.now()
            found = {
                one: await find_list(uow, lotus.tenant, one, now) for one in (*runs, term.series.id)
            }
            pool = await load_pool(uow, lotus.tenant, term.series.id, now)
            assert len(pool.queue) == len(queue)
        weighed = weigh(pool.queue, pool.lists, pool.free, pool.terms, now, zone)
        whole = left_behind_queue(pool.free, weighed)
        for subject_id, (_service, facts, left) in found.items():
            assert facts == pool.lists[subject_id]
            for size in (1, 2):
                room = [max(wanted_places(facts, size, free)[1], 0) for free in (left, whole)]
                assert room[0] == room[1], (taken, size)


async def test_nobody_is_looked_at_where_nothing_is_free_and_few_where_they_take_it(
    services: Services, lotus: Business, term: Term
) -> None:
    await wait_in_line(services, lotus, term, (("first", 1),) * 9)
    first = term.sessions[0].id
    await take(services, lotus, {first: 3})
    async with services.uow_factory(lotus.id) as uow:
        with listened() as sent:
            await find_list(uow, lotus.tenant, first, uow.clock.now())
        assert not [one for one in sent if "waitlist_entries" in one]
    await take(services, lotus, {first: 1})
    async with services.uow_factory(lotus.id) as uow:
        with listened() as sent:
            _service, _facts, left = await find_list(uow, lotus.tenant, first, uow.clock.now())
        assert left[first] == 0
        [looked] = [one for one in sent if "waitlist_entries" in one]
        assert "LIMIT" in looked
        assert not [one for one in uow.session if isinstance(one, WaitlistEntry)]


async def test_a_place_that_completes_a_course_is_not_free(
    services: Services, lotus: Business
) -> None:
    """The date is not sold by itself any more; who lacks it waits in its list all the same."""
    course = await a_course(services, lotus)
    await course.wait()
    await take(services, lotus, {course.missing: 0})
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Series).values(drop_in_allowed=False))
    async with services.uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        _service, _facts, left = await find_list(uow, lotus.tenant, course.missing, now)
    assert left[course.missing] == 0
