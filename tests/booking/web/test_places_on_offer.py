"""A place that is on offer is nobody's yet: wherever people are counted it stands apart."""

import pytest
from httpx import AsyncClient
from sqlalchemy import update

from src.booking.commands.leave import leave_dates
from src.booking.domain.digests import DigestKind
from src.booking.models import Session
from src.booking.queries.on_offer import count_on_offer
from src.platform.services import Services
from src.tenants.models import Tenant
from tests.booking.api.conftest import a_program
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_waitlist import LEAVING
from tests.booking.jobs.test_digest import DAY, ask, tick
from tests.booking.web.pages import as_owner
from tests.booking.web.test_feeds import events, made
from tests.booking.web.test_today import flat
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.waiting import check_places, joined
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    """In three days, of three places: one is Kid's, two are on offer to Ann."""
    factory = services.uow_factory
    waitlist = {"offer_minutes": 7 * 24 * 60, "quiet_from": 0, "quiet_until": 0}
    service = await a_service(
        factory, lotus.id, price_type="free", leaving=LEAVING, waitlist=waitlist
    )
    session = await a_session(factory, service, capacity=3, in_days=3)
    wish = a_wish("session", session.id, party=("Carl", "Cora", "Kid"))
    one = await booked(factory, lotus, wish)
    await joined(factory, lotus, "session", session.id, "Ann", size=2)
    await work(services, lotus.id)
    seats = await seats_of(factory, lotus.id)
    async with factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, one.order_id, [seat.id for seat in seats[:2]])
    await work(services, lotus.id)
    assert await check_places(factory, lotus) == [3]
    return session


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("today", ("33%: 1 of 3 places are taken.", "1 of 3", ">Full<", "2 on offer")),
        ("services", ("1 of 3 seats taken",)),
        ("sessions", ("1 of 3", ">Full<", "2 on offer")),
        ("sessions/{id}", ("1 of 3", "2 places are on offer to people on the waiting list.")),
        ("sessions/{id}/print", ("1 of 3 seats taken · 2 on offer",)),
        ("sessions/{id}/edit", ("1 seat is taken.", "2 places are on offer")),
    ],
)
async def test_the_pages_count_people_and_say_offers_apart(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    path: str,
    words: tuple[str, ...],
) -> None:
    await as_owner(client, services, lotus)
    shown = flat((await client.get(f"/app/lotus/{path}".format(id=session.id))).text)
    for said in words:
        assert said in shown


async def test_feeds_and_digests_too(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await as_owner(client, services, lotus)
    [event] = events(await client.get(await made(client, "business"))).values()
    assert str(event["SUMMARY"]) == "Yoga (1/3)"
    assert "2 places are on offer to people on the waiting list." in str(event["DESCRIPTION"])
    await ask(services, lotus, DigestKind.DAILY)
    mailer.sent.clear()
    await tick(services, clock, lotus, DAY)
    [mail] = [one for one in mailer.sent if one.subject == "Your day at Lotus"]
    assert "1 of 3 seat taken, 2 on offer" in mail.body


async def test_the_api_tells_places_that_nobody_else_can_have_from_people(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    program = await a_program(client, services, lotus)
    one = (await program.get(f"/sessions/{session.id}")).json()
    [listed] = (await program.get("/sessions")).json()["items"]
    for shown in (one, listed):
        counts = (shown["seats_taken"], shown["places_offered"], shown["seats_left"])
        assert counts == (3, 2, 0)
        assert shown["seats_left_told"] == 0
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=5))
    for up_to, told in ((None, 2), (2, 2), (1, None)):
        async with services.uow_factory(lotus.id) as uow:
            await uow.session.execute(update(Tenant).values(seats_told_up_to=up_to))
        one = (await program.get(f"/sessions/{session.id}")).json()
        assert (one["seats_left"], one["seats_left_told"]) == (2, told)


async def test_an_offer_since_the_session_was_read_is_none_of_its_places(
    services: Services, lotus: Business, session: Session
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        for taken, on_offer in ((3, 2), (1, 1), (0, 0)):
            read_before = Session(id=session.id, seats_taken=taken)
            assert await count_on_offer(uow, read_before) == on_offer


async def test_nobody_is_said_to_be_told_of_a_session_that_only_offers_are_in(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/sessions/{session.id}/edit"
    await owner.open(path)
    await owner.submit({"title": "Basics"}, to=path)
    assert "The session is saved. Its guests are told by mail." in owner.text
    seats = await seats_of(services.uow_factory, lotus.id)
    [kid] = [seat for seat in seats if seat.state == "confirmed"]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, kid.order_id, [kid.id])
    await owner.open(path)
    await owner.submit({"title": "Advanced"}, to=path)
    assert "The session is saved." in owner.text
    assert "Its guests are told by mail." not in owner.text
