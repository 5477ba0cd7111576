"""Places cancelled from the roster: consequences first, a way back, each seat's money once."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient, Response

from src.booking.models import Seat, Service, Session
from src.platform.services import Services
from tests.booking.commands.test_book import taken
from tests.booking.commands.test_book_by_credit import by_credit
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.booking.web.pages import as_owner, fields_of
from tests.booking.web.test_roster_bulk import a_guest, ids_of, press, states_of
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)
SURE = {"sure": "on"}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    return await a_session(services.uow_factory, service, in_days=2)


def words_of(answer: Response) -> str:
    return " ".join(answer.text.split())


@pytest.mark.slow
async def test_places_are_cancelled_with_what_each_gets_back(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    carl = await a_guest(services, lotus, session, "Carl", "Kid")
    dora = await a_guest(services, lotus, session, "Dora")
    await a_guest(services, lotus, session, "Eva")
    await paid_by_card(services, lotus, carl)
    chosen = [*await ids_of(services, lotus, carl), *await ids_of(services, lotus, dora)]
    await as_owner(client, services, lotus)
    asked = await press(client, session, "cancel", chosen, {})
    assert asked.status_code == 200
    for words in ("Carl", "Kid", "30.00", "Dora", "Nothing was paid yet", "3 seats of 2 guests"):
        assert words in asked.text, words
    back = f"back.{carl.order_id}"
    unsaid = await press(client, session, "cancel", chosen, {**SURE, back: ""})
    assert unsaid.status_code == 422, "an empty field is no amount of 0"
    assert "Please choose what goes back." in unsaid.text
    more = {**SURE, back: "30.01", "reason": "The floor is wet"}
    refused = await press(client, session, "cancel", chosen, more)
    assert refused.status_code == 422
    assert "At most €30.00 can go back here." in refused.text
    await work(services, lotus.id)
    mailer.sent.clear()
    done = await press(client, session, "cancel", chosen, {**more, back: "20"})
    again = await press(client, session, "cancel", chosen, {**more, back: "20"})
    progress = done.headers["location"]
    assert again.headers["location"] == progress, "a second press shows the first's"
    waits = words_of(await client.get(progress))
    assert "Nothing is freed and nobody is told yet." in waits
    assert "Yoga · Chosen places" in waits, "not the session"
    assert "Carl, Kid, Dora<" in waits, "and not Eva"
    assert "Reason: The floor is wet" in waits
    assert await taken(services.uow_factory, lotus.id) == [4], "in the window nothing happens"
    await work_through(services, clock, lotus.id, UNDO)
    assert await taken(services.uow_factory, lotus.id) == [1]
    assert await refunds(services, lotus.id) == [2000]
    shown = words_of(await client.get(progress))
    assert "3 seats freed, 2 customers told." in shown
    assert "The floor is wet" in shown
    told = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled:")]
    assert sorted(mail.to[0] for mail in told) == [
        "Carl <carl@example.com>",
        "Dora <dora@example.com>",
    ]
    late = await press(client, session, "cancel", chosen, {**more, back: "20"})
    said = (await client.get(late.headers["location"])).text
    assert "None of those chosen has a place in this session any more." in said
    assert await refunds(services, lotus.id) == [2000]


async def test_undone_in_time_all_is_as_it_was(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    carl = await a_guest(services, lotus, session, "Carl", "Kid")
    await paid_by_card(services, lotus, carl)
    await work(services, lotus.id)
    mailer.sent.clear()
    mine = await ids_of(services, lotus, carl)
    before = await rows_of(services, lotus, mine)
    await as_owner(client, services, lotus)
    asked = await press(client, session, "cancel", mine[:1], {**SURE, "money": "full"})
    progress = asked.headers["location"]
    here = f"/app/lotus/sessions/{session.id}"
    roster = await client.get(here)
    assert words_of(roster).count("Being cancelled") == 1
    assert f'href="{progress}"' in roster.text, "the way to undo it"
    booking = await client.get(f"/app/lotus/bookings/{carl.booking_id}")
    assert f'href="{progress}"' in booking.text
    token = fields_of(await client.get(progress), f"{progress}/undo")["_csrf_token"]
    await client.post(f"{progress}/undo", data={"_csrf_token": token})
    assert "Taken back. Nothing was freed and nobody was told." in words_of(
        await client.get(progress)
    )
    await work_through(services, clock, lotus.id, UNDO)
    assert await rows_of(services, lotus, mine) == before
    assert (await refunds(services, lotus.id), mailer.sent) == ([], [])
    roster = await client.get(here)
    assert "Being cancelled" not in roster.text
    assert "Cancelling of places undone" in roster.text
    once_more = await press(client, session, "cancel", mine[:1], {**SURE, "money": "full"})
    assert once_more.headers["location"] != progress


async def rows_of(
    services: Services, lotus: Business, seat_ids: list[UUID]
) -> list[dict[str, object]]:
    async with services.uow_factory(lotus.id) as uow:
        seats = [await uow.session.get_one(Seat, (lotus.id, one)) for one in seat_ids]
        names = Seat.__table__.columns.keys()
        return [{name: getattr(seat, name) for name in names} for seat in seats]


@pytest.mark.slow
async def test_who_is_here_already_stays_and_the_page_says_so(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
) -> None:
    carl = await a_guest(services, lotus, session, "Carl", "Kid")
    await paid_by_card(services, lotus, carl)
    mine = sorted(await ids_of(services, lotus, carl))
    async with services.uow_factory(lotus.id) as uow:
        (await uow.session.get_one(Seat, (lotus.id, mine[1]))).state = "attended"
    await as_owner(client, services, lotus)
    asked = await press(client, session, "cancel", mine, {})
    stays = "Not cancelled, for they are here already or did not come: Kid, booked by Carl."
    assert stays in words_of(asked)
    assert "At most €15.00." in words_of(asked), "of Carl's place alone"
    refused = await press(client, session, "cancel", mine[1:], SURE)
    said = (await client.get(refused.headers["location"])).text
    assert "Nobody chosen is still to come. Take back who is here" in said
    done = await press(client, session, "cancel", mine, {**SURE, "money": "full"})
    assert done.status_code == 303
    await work_through(services, clock, lotus.id, UNDO)
    assert await states_of(services, lotus) == ["attended", "cancelled"]
    assert await refunds(services, lotus.id) == [1500]
    assert await taken(services.uow_factory, lotus.id) == [1]


@pytest.mark.slow
async def test_an_empty_amount_follows_the_choice_and_an_unnamed_person_is_told_by_number(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    mara = await a_guest(services, lotus, session, "Mara", "")
    await paid_by_card(services, lotus, mara)
    _first, second = sorted(await ids_of(services, lotus, mara))
    await as_owner(client, services, lotus)
    asked = await press(client, session, "cancel", [second], {})
    assert "1 seat · Person 2" in words_of(asked)
    more = {**SURE, "money": "full", f"back.{mara.order_id}": ""}
    done = await press(client, session, "cancel", [second], more)
    assert done.status_code == 303
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [1500]
    [told] = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled in part:")]
    assert "Lotus has cancelled part of your booking for this date:" in told.body
    assert "takes only the cancelled places out of your calendar" in told.body
    assert "This is about Person 2. Still coming: Mara." in told.body


@pytest.mark.slow
async def test_who_loses_two_bookings_gets_the_one_mail_that_was_announced(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await a_guest(services, lotus, session, "Carl", "Kid")
    await a_guest(services, lotus, session, "Carl")
    await work(services, lotus.id)
    mailer.sent.clear()
    ids = await ids_of(services, lotus)
    await as_owner(client, services, lotus)
    asked = await press(client, session, "cancel", ids, {})
    (said,) = re.findall(r"Mails</dt>\s*<dd[^>]*>\s*([^<]*?)\s*<", asked.text)
    assert said == "1, with your reason"
    assert (await press(client, session, "cancel", ids, SURE)).status_code == 303
    await work_through(services, clock, lotus.id, UNDO)
    [told] = [mail for mail in mailer.sent if "carl@example.com" in mail.to[0]]
    assert told.subject == "Cancelled: Yoga"
    assert await taken(services.uow_factory, lotus.id) == [0]


@pytest.mark.slow
async def test_while_it_can_be_undone_nobody_is_ticked_moved_or_cancelled_again(
    client: AsyncClient, services: Services, lotus: Business, session: Session, clock: FrozenClock
) -> None:
    carl = await a_guest(services, lotus, session, "Carl")
    dora = await a_guest(services, lotus, session, "Dora")
    carls, doras = await ids_of(services, lotus, carl), await ids_of(services, lotus, dora)
    async with services.uow_factory(lotus.id) as uow:
        there = await uow.session.get_one(Session, (lotus.id, session.id))
        there.starts_at = clock.now() + timedelta(hours=1)
        there.ends_at = clock.now() + timedelta(hours=2)
        service = await uow.session.get_one(Service, (lotus.id, session.service_id))
    other = await a_session(services.uow_factory, service, in_days=9)
    await as_owner(client, services, lotus)
    await press(client, session, "cancel", carls, SURE)
    asked = await press(client, session, "cancel", [*carls, *doras], {})
    assert "Being cancelled already: Carl." in words_of(asked)
    assert "1 seat of 1 guest" in words_of(asked)
    to = {"to_session_id": str(other.id)}
    assert "This place is being cancelled." in words_of(
        await press(client, session, "move", carls, to)
    )
    here = f"/app/lotus/sessions/{session.id}"
    token = fields_of(await client.get(here), f"{here}/attendance")["_csrf_token"]
    sent = {"_csrf_token": token, "wanted": "attended", "seat_ids": [*map(str, carls + doras)]}
    ticked = await client.post(f"{here}/attendance", data=sent)
    said = words_of(await client.get(ticked.headers["location"]))
    assert "1 is here. 1 is being cancelled and stays as it is." in said
    assert await states_of(services, lotus) == ["attended", "confirmed"]


async def test_places_that_credits_paid_are_not_said_to_cost_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    date = await a_session(services.uow_factory, service, in_days=2)
    lot = await a_lot(services.uow_factory, lotus.id)
    await by_credit(services, lotus, "session", date.id, lot, party=("Carl", "Kid"))
    await as_owner(client, services, lotus)
    asked = await press(client, date, "cancel", await ids_of(services, lotus), {})
    assert "2 seats were paid with credits, which come back" in words_of(asked)
    assert "Paid with 2 credits." in words_of(asked)
    assert "cost nothing" not in asked.text


async def test_places_that_are_free_are_said_to_cost_nothing(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free", price_minor=0)
    date = await a_session(services.uow_factory, service, in_days=2)
    await a_guest(services, lotus, date, "Dora")
    await as_owner(client, services, lotus)
    asked = await press(client, date, "cancel", await ids_of(services, lotus), {})
    assert "These places cost nothing." in words_of(asked)
    assert "credit" not in asked.text.split("<form", 1)[1].split("</ul>", 1)[0]
