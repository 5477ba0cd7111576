"""Several guests moved to another date: seen first, then each order as a whole or not at all."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.models import Order
from src.booking.models import Session
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import seats_of
from tests.booking.web.pages import as_owner, fields_of
from tests.booking.web.test_roster_bulk import a_guest, ids_of, press, words_in
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


class Dates:
    """A business with a service that has two dates, of which the first is given up."""

    def __init__(self, services: Services, business: Business, full: Session, other: Session):
        self.services = services
        self.business = business
        self.full = full
        self.other = other

    async def live(self, session: Session) -> list[UUID]:
        """The orders of those who come there, one for each seat."""
        seats = await seats_of(self.services.uow_factory, self.business.id)
        found = [one for one in seats if one.session_id == session.id]
        return sorted(one.order_id for one in found if one.state == "confirmed")

    async def counted(self) -> tuple[int, int]:
        """`seats_taken` of both."""
        async with self.services.uow_factory(self.business.id) as uow:
            found = await uow.session.execute(select(Session.id, Session.seats_taken))
            taken = {row.id: row.seats_taken for row in found}
        return taken[self.full.id], taken[self.other.id]

    async def change(self, **values: Any) -> None:
        async with self.services.uow_factory(self.business.id) as uow:
            await uow.session.execute(
                update(Session).where(Session.id == self.other.id).values(**values)
            )


@pytest.fixture
async def dates(services: Services) -> Dates:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    return Dates(
        services,
        lotus,
        await a_session(services.uow_factory, service, in_days=2),
        await a_session(services.uow_factory, service, in_days=9),
    )


@pytest.mark.slow
async def test_guests_see_the_new_date_in_one_mail_and_owe_what_they_owed(
    client: AsyncClient, services: Services, dates: Dates, mailer: RememberingMailer
) -> None:
    carl = await a_guest(services, dates.business, dates.full, "Carl", "Kid")
    dora = await a_guest(services, dates.business, dates.full, "Dora")
    await work(services, dates.business.id)
    mailer.sent.clear()
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    asked = await press(client, dates.full, "move", chosen, {})
    assert "3 guests are chosen: Carl, Kid; Dora" in " ".join(asked.text.split())
    assert str(dates.other.id) in asked.text
    assert str(dates.full.id) not in fields_of(asked).get("to_session_id", [])
    to = {"to_session_id": str(dates.other.id), "reason": "The hall is closed"}
    seen = await press(client, dates.full, "move", chosen, to)
    fields = fields_of(seen)
    assert (fields["to_session_id"], fields["seen"]) == ([str(dates.other.id)], ["0"])
    assert await dates.counted() == (3, 0), "looking does nothing"
    sure = {**to, "seen": "0", "sure": "on"}
    assert (await press(client, dates.full, "move", chosen, sure)).status_code == 303
    assert await dates.counted() == (0, 3)
    assert await dates.live(dates.other) == sorted([carl.order_id] * 2 + [dora.order_id])
    await work(services, dates.business.id)
    assert sorted(mail.to[0] for mail in mailer.sent) == [
        "Carl <carl@example.com>",
        "Dora <dora@example.com>",
    ]
    assert all("The hall is closed" in mail.body for mail in mailer.sent)
    async with services.uow_factory(dates.business.id) as uow:
        totals = set(await uow.session.scalars(select(Order.total_minor)))
        acts = select(AuditEntry.subject_id).where(AuditEntry.action == "booking.seat_moved")
        logged = sorted(await uow.session.scalars(acts))
    assert totals == {3000, 1500}
    assert logged == sorted([carl.booking_id, dora.booking_id])
    again = await press(client, dates.full, "move", chosen, sure)
    assert again.status_code == 303, "they sit there no more: it says so on the roster"
    assert "Choose at least one guest" in (await client.get(again.headers["location"])).text
    assert await dates.counted() == (0, 3)


async def test_a_party_that_does_not_fit_stays_together_where_it_is(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    bert = await a_guest(services, dates.business, dates.full, "Bert", "Kid")
    await dates.change(capacity=2)
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    to = {"to_session_id": str(dates.other.id), "seen": "0", "sure": "on"}
    answer = await press(client, dates.full, "move", chosen, to)
    assert answer.status_code == 200
    assert "1 place is on" in answer.text
    assert "Bert" in answer.text
    assert "The session has too few free seats." in answer.text, "in the owner's words"
    assert await dates.counted() == (2, 1)
    assert await dates.live(dates.full) == [bert.order_id] * 2


async def test_who_cannot_come_there_is_said_to_stay_and_is_not_counted(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    await a_guest(services, dates.business, dates.full, "Gus", "Kid")
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    to = {"to_session_id": str(dates.other.id)}
    fits = await press(client, dates.full, "move", chosen, to)
    assert "Move them" in fits.text
    assert "Stays on the date" not in fits.text
    await dates.change(capacity=1)
    seen = await press(client, dates.full, "move", chosen, to)
    assert seen.text.count("Stays on the date as it is.") == 1
    assert "Move 1 guest" in seen.text
    assert "Move them" not in seen.text
    guses = (await ids_of(services, dates.business))[1:]
    nobody = await press(client, dates.full, "move", guses, to)
    assert "Nobody can be moved there" in nobody.text
    assert "Move 0" not in nobody.text
    assert "all that it cost comes back" in seen.text
    assert "all that it cost comes back" not in nobody.text


async def test_where_not_all_have_room_the_first_of_the_list_do_and_the_mails_are_counted_so(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    for name in ("Anna", "Bert", "Cleo"):
        await a_guest(services, dates.business, dates.full, name)
    await dates.change(capacity=2)
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    seen = await press(client, dates.full, "move", chosen, {"to_session_id": str(dates.other.id)})
    words = words_in(seen)
    assert "Move 2 guests?" in words
    assert "Mails2, with the calendar entry moved" in words.replace("Mails 2", "Mails2")
    [left] = re.findall(r"(\w+) · 1 seat Those before them in this list", words)
    assert left == "Cleo"


async def test_no_date_chosen_is_said_at_the_field(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    asked = await press(client, dates.full, "move", chosen, {})
    assert "Choose a date." not in asked.text, "nobody was asked before"
    refused = await press(
        client, dates.full, "move", chosen, {"to_session_id": "", "reason": "Ill"}
    )
    assert refused.status_code == 422
    assert "Choose a date." in refused.text
    assert "Ill" in refused.text


async def test_whose_place_was_gone_by_then_is_told_to_who_moved_the_others(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    for name in ("Anna", "Bert"):
        await a_guest(services, dates.business, dates.full, name)
    anna, bert = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    sure = {"to_session_id": str(dates.other.id), "seen": "0", "sure": "on"}
    assert (await press(client, dates.full, "move", [bert], sure)).status_code == 303
    answer = await press(client, dates.full, "move", [anna, bert], sure)
    words = words_in(answer)
    assert "1 place is on" in words
    assert "Bert: This place is gone by now." in words


async def test_what_is_still_owed_is_said_before_and_in_the_mail(
    client: AsyncClient, services: Services, dates: Dates, mailer: RememberingMailer
) -> None:
    await a_guest(services, dates.business, dates.full, "Una")
    await work(services, dates.business.id)
    mailer.sent.clear()
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    to = {"to_session_id": str(dates.other.id)}
    seen = await press(client, dates.full, "move", chosen, to)
    assert "€15.00 is still to be paid, as before." in words_in(seen)
    await press(client, dates.full, "move", chosen, {**to, "seen": "0", "sure": "on"})
    await work(services, dates.business.id)
    [mail] = mailer.sent
    assert "The price stays as it was, and €15.00 of it is still to be paid." in mail.body
    assert "You pay nothing more" not in mail.body


async def test_who_comes_there_by_another_booking_stays(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    """Nobody stands on a roster twice, and two unnamed people are not one."""
    await a_guest(services, dates.business, dates.full, "Rosa", "")
    await a_guest(services, dates.business, dates.full, "Bert", "")
    await a_guest(services, dates.business, dates.other, "Rosa", "")
    chosen = (await ids_of(services, dates.business))[:4]
    await as_owner(client, services, dates.business)
    to = {"to_session_id": str(dates.other.id)}
    words = words_in(await press(client, dates.full, "move", chosen, to))
    assert "Rosa, Person 2 · 2 seats This person has a place on that date already." in words
    assert "Move 2 guests?" in words
    await press(client, dates.full, "move", chosen, {**to, "seen": "0", "sure": "on"})
    assert await dates.counted() == (2, 4)


async def test_where_nobody_is_chosen_the_roster_says_so(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    await as_owner(client, services, dates.business)
    sent = await press(client, dates.full, "move", [], {})
    assert sent.headers["location"] == f"/app/lotus/sessions/{dates.full.id}"
    roster = await client.get(sent.headers["location"])
    assert "Choose at least one guest who has a place." in roster.text


@pytest.mark.slow
async def test_those_who_move_are_named_beside_who_booked_for_them(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    ines = await a_guest(services, dates.business, dates.full, "Ines", "Ida")
    [_buyer, child] = await ids_of(services, dates.business, ines)
    await as_owner(client, services, dates.business)
    asked = await press(client, dates.full, "move", [child], {})
    assert "1 guest is chosen: Ida, booked by Ines" in " ".join(asked.text.split())
    to = {"to_session_id": str(dates.other.id)}
    seen = await press(client, dates.full, "move", [child], to)
    assert "Ida, booked by Ines</span>" in seen.text
    await dates.change(state="cancelled")
    await dates.change(state="scheduled", sequence=1)
    refused = await press(client, dates.full, "move", [child], {**to, "seen": "0", "sure": "on"})
    assert "Ida, booked by Ines</span>: That date has just changed." in refused.text


async def test_a_date_that_changed_since_it_was_shown_takes_nobody(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    later = dates.other.starts_at + timedelta(hours=1)
    await dates.change(starts_at=later, ends_at=later + timedelta(hours=1), sequence=1)
    to = {"to_session_id": str(dates.other.id), "seen": "0", "sure": "on"}
    answer = await press(client, dates.full, "move", chosen, to)
    assert "That date has just changed." in answer.text
    assert await dates.counted() == (1, 0)


@pytest.mark.parametrize(
    "change",
    [{"state": "cancelled"}, {"capacity": 1, "seats_taken": 1}],
    ids=["cancelled", "without room"],
)
async def test_where_nobody_can_go_it_says_so(
    client: AsyncClient, services: Services, dates: Dates, change: dict[str, Any]
) -> None:
    await a_guest(services, dates.business, dates.full, "Anna")
    await dates.change(**change)
    before = await dates.counted()
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    to = {"to_session_id": str(dates.other.id), "seen": "0", "sure": "on"}
    answer = await press(client, dates.full, "move", chosen, to)
    assert "No other date of this service has room." in answer.text
    assert await dates.counted() == before


@pytest.mark.slow
async def test_nobody_goes_to_another_service_or_where_they_are_already(
    client: AsyncClient, services: Services, dates: Dates
) -> None:
    service = await a_service(services.uow_factory, dates.business.id, slug="other")
    elsewhere = await a_session(services.uow_factory, service, in_days=5)
    await a_guest(services, dates.business, dates.full, "Anna")
    chosen = await ids_of(services, dates.business)
    await as_owner(client, services, dates.business)
    for target in (elsewhere.id, dates.full.id):
        to = {"to_session_id": str(target), "seen": "0", "sure": "on"}
        answer = await press(client, dates.full, "move", chosen, to)
        assert answer.status_code == 422
        assert "That date cannot be chosen." in answer.text
    unknown = {"to_session_id": str(new_id()), "sure": "on"}
    assert (await press(client, dates.full, "move", chosen, unknown)).status_code == 404
    assert await dates.counted() == (1, 0)
