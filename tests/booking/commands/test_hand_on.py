"""A place goes to somebody else: who sits in it changes, and nothing of the money does."""

from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import select

from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session
from src.booking.commands.hand_on import HandOn, NotHandedOn, hand_on
from src.booking.commands.leave import leave_dates
from src.booking.domain.kinds import By
from src.booking.domain.leaving import LeavingTerms
from src.booking.models import HandingOn, Seat, Session
from src.booking.queries.handing_on import list_holders_of
from src.booking.queries.people import get_people_of_order
from src.platform.errors import InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.wordings import word_mail
from src.tenants.domain.wording import Wording
from src.tenants.models import AuditEntry, Participant
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(hand_on_before=12)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


async def a_booking(
    services: Services, lotus: Business, terms: LeavingTerms = TERMS, **more: object
) -> tuple[Booked, Session]:
    """On site at EUR 15 a person, a week from now."""
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", leaving=terms.document()
    )
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id, **more))
    await work(services, lotus.id)
    return made, session


async def give(
    services: Services,
    lotus: Business,
    made: Booked,
    name: str = "Ben",
    address: str = "ben@example.com",
    *,
    number: int = 0,
    by: By = "guest",
) -> bool:
    seats = sorted(await seats_of(services.uow_factory, lotus.id), key=lambda seat: seat.id)
    async with services.uow_factory(lotus.id) as uow:
        cmd = HandOn(
            order_id=made.order_id, seat_id=seats[number].id, name=name, address=address, by=by
        )
        return await hand_on(uow, lotus.ctx, cmd)


def calendar_of(mailer: RememberingMailer, to: str) -> tuple[str, str, int]:
    """Of the newest mail to them: what it does, with which entry."""
    mail = [mail for mail in mailer.sent if to in mail.to[0]][-1]
    calendar = Calendar.from_ical(mail.attachments[0][1])
    [event] = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), str(event["UID"]), int(event["SEQUENCE"])


async def test_the_new_person_has_the_place_and_the_buyer_everything_else(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, _session = await a_booking(services, lotus)
    [before] = await seats_of(services.uow_factory, lotus.id)
    _method, first_uid, first_sequence = calendar_of(mailer, "carl")
    mailer.sent.clear()
    assert await give(services, lotus, made)
    await work(services, lotus.id)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    assert seat.participant_id != before.participant_id
    assert (seat.share_minor, seat.state, seat.order_id) == (1500, "confirmed", made.order_id)
    assert await taken(services.uow_factory, lotus.id) == [1]
    method, uid, _sequence = calendar_of(mailer, "ben@")
    assert method == "PUBLISH"
    assert uid != first_uid, "an entry of their own"
    method, uid, sequence = calendar_of(mailer, "carl@")
    assert (method, uid) == ("CANCEL", first_uid)
    assert sequence > first_sequence
    [to_ben] = [mail for mail in mailer.sent if "ben@" in mail.to[0]]
    assert "/bookings/" not in to_ben.body, "the link would open all of the booking"
    assert "carl@example.com" not in to_ben.body
    async with services.uow_factory(lotus.id) as uow:
        ben = await uow.session.get_one(Participant, (lotus.id, seat.participant_id))
        old = await uow.session.get_one(Participant, (lotus.id, before.participant_id))
        assert (ben.name, ben.customer_id) == ("Ben", old.customer_id)
        logged = await uow.session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "booking.seat_handed_on")
        )
        assert [one["to"] for one in logged] == ["Ben"]


async def test_pressed_again_it_changes_nothing(services: Services, lotus: Business) -> None:
    made, _session = await a_booking(services, lotus)
    assert await give(services, lotus, made)
    assert not await give(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        assert len((await uow.session.scalars(select(HandingOn))).all()) == 1


async def test_handed_on_twice_before_anybody_heard_only_the_last_is_told(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, _session = await a_booking(services, lotus)
    _method, first_uid, _sequence = calendar_of(mailer, "carl")
    mailer.sent.clear()
    await give(services, lotus, made)
    await give(services, lotus, made, "Cleo", "cleo@example.com")
    await work(services, lotus.id)
    assert sorted(mail.to[0] for mail in mailer.sent) == [
        "Carl <carl@example.com>",
        "Cleo <cleo@example.com>",
    ]
    assert calendar_of(mailer, "carl@")[:2] == ("CANCEL", first_uid)


async def test_who_was_told_before_hears_that_they_need_not_come(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, _session = await a_booking(services, lotus)
    await give(services, lotus, made)
    await work(services, lotus.id)
    _method, bens_uid, _sequence = calendar_of(mailer, "ben@")
    mailer.sent.clear()
    await give(services, lotus, made, "Cleo", "cleo@example.com")
    await work(services, lotus.id)
    assert calendar_of(mailer, "ben@")[:2] == ("CANCEL", bens_uid)
    assert not [mail for mail in mailer.sent if "carl@" in mail.to[0]]
    mailer.sent.clear()
    await give(services, lotus, made, "Carl", "carl@example.com")
    await work(services, lotus.id)
    assert calendar_of(mailer, "cleo@")[0] == "CANCEL"
    assert calendar_of(mailer, "carl@")[0] == "PUBLISH", "taken back"
    [seat] = await seats_of(services.uow_factory, lotus.id)
    assert not seat.is_handed_on


async def test_all_who_are_told_read_the_business_s_own_words(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    own = {
        "place_given": "{giver} invites {customer_name} to {service}.\n\n{dates}",
        "place_passed_on": "{taker} comes. {what_follows}\n\n{dates}\n\n{booking_link}",
        "place_off": "Not on: {reason}\n\n{dates}",
    }
    async with services.uow_factory(lotus.id) as uow:
        for key, body in own.items():
            words = Wording(subject=f"{key}: {{service}}", body=body)
            await word_mail(uow, lotus.ctx, key, "en", words)
    made, session = await a_booking(services, lotus)
    mailer.sent.clear()
    await give(services, lotus, made)
    await work(services, lotus.id)
    told = {mail.to[0].split(" ")[0]: mail for mail in mailer.sent}
    assert told["Ben"].subject == "place_given: Yoga"
    assert "Carl invites Ben to Yoga." in told["Ben"].body
    assert told["Carl"].subject == "place_passed_on: Yoga"
    assert "Ben comes. What you paid stays as it is" in told["Carl"].body
    assert "/bookings/" in told["Carl"].body
    mailer.sent.clear()
    await give(services, lotus, made, "Cleo", "cleo@example.com")
    await work(services, lotus.id)
    [to_ben] = [mail for mail in mailer.sent if "ben@" in mail.to[0]]
    assert "Cleo comes. You need not come." in to_ben.body
    assert "See your booking" not in to_ben.body, "it is not theirs"
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(
            uow, lotus.ctx, session.id, reason="The hall is closed", undo_seconds=0
        )
    await work(services, lotus.id)
    [to_cleo] = [mail for mail in mailer.sent if "cleo@" in mail.to[0]]
    assert "Not on: The hall is closed" in to_cleo.body


@pytest.mark.parametrize(
    ("terms", "hours_before", "code"),
    [
        (LeavingTerms(), 48, "handing_on_not_allowed"),
        (TERMS, 11, "too_late_to_hand_on"),
        (LeavingTerms(hand_on_before=0), -1, "started"),
    ],
)
async def test_it_is_refused_with_a_sentence_and_staff_are_not_bound_by_terms(
    services: Services,
    lotus: Business,
    clock: FrozenClock,
    terms: LeavingTerms,
    hours_before: int,
    code: str,
) -> None:
    made, session = await a_booking(services, lotus, terms)
    clock.at = session.starts_at - timedelta(hours=hours_before)
    with pytest.raises(NotHandedOn) as refused:
        await give(services, lotus, made)
    assert refused.value.code == code
    if code != "started":
        assert await give(services, lotus, made, by="staff")


async def test_at_the_very_second_the_guest_wins(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, session = await a_booking(services, lotus)
    clock.at = session.starts_at - timedelta(hours=12)
    assert await give(services, lotus, made)


async def test_while_it_is_being_cancelled_nothing_is_handed_on(
    services: Services, lotus: Business
) -> None:
    made, session = await a_booking(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=600)
    with pytest.raises(NotHandedOn, match="not possible just now"):
        await give(services, lotus, made)


async def test_nobody_of_the_booking_has_two_places_on_a_date(
    services: Services, lotus: Business
) -> None:
    made, _session = await a_booking(services, lotus, party=("Ann", ""))
    with pytest.raises(NotHandedOn, match="ann has a place on that date already"):
        await give(services, lotus, made, "ann", "ann@example.com", number=1)
    await give(services, lotus, made, number=1)
    with pytest.raises(NotHandedOn, match="already"):
        await give(services, lotus, made, "Benjamin", "BEN@example.com", number=0)
    with pytest.raises(InvalidInput):
        await give(services, lotus, made, "Someone", "carl@example.com", number=0)


async def test_a_guest_is_not_told_whether_another_address_has_booked_and_staff_are(
    services: Services, lotus: Business
) -> None:
    made, session = await a_booking(services, lotus)
    await booked(
        services.uow_factory,
        lotus,
        a_wish("session", session.id, guest_email="dora@example.com"),
    )
    [own] = [
        seat
        for seat in await seats_of(services.uow_factory, lotus.id)
        if seat.order_id == made.order_id
    ]

    async def to_dora(by: By) -> bool:
        async with services.uow_factory(lotus.id) as uow:
            cmd = HandOn(
                order_id=made.order_id,
                seat_id=own.id,
                name="Dora",
                address="dora@example.com",
                by=by,
            )
            return await hand_on(uow, lotus.ctx, cmd)

    with pytest.raises(NotHandedOn, match="already"):
        await to_dora("staff")
    assert await to_dora("guest")


async def test_staff_take_a_place_back_for_who_has_another_booking_on_the_date(
    services: Services, lotus: Business
) -> None:
    made, session = await a_booking(services, lotus)
    assert await give(services, lotus, made)
    await booked(services.uow_factory, lotus, a_wish("session", session.id))
    seats = await seats_of(services.uow_factory, lotus.id)
    assert len({seat.order_id for seat in seats}) == len(seats) == 2, "both are Carl's"
    assert await give(services, lotus, made, "Carl", "carl@example.com", by="staff")


async def test_the_numbers_of_the_others_in_the_party_stay(
    services: Services, lotus: Business
) -> None:
    made, _session = await a_booking(services, lotus, party=("", "", ""))
    await give(services, lotus, made, number=1)
    async with services.uow_factory(lotus.id) as uow:
        people = (await get_people_of_order(uow, made.order_id)).people
    assert [(one.number, one.name) for one in people] == [(1, ""), (2, "Ben"), (3, "")]


async def test_its_new_holder_is_told_when_the_place_ends_or_its_session_is_cancelled(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, session = await a_booking(services, lotus, party=("", ""))
    await give(services, lotus, made, number=0)
    await give(services, lotus, made, "Cleo", "cleo@example.com", number=1)
    await work(services, lotus.id)
    seats = sorted(await seats_of(services.uow_factory, lotus.id), key=lambda seat: seat.id)
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.ctx.here, made.order_id, [seats[0].id])
    await work(services, lotus.id)
    assert calendar_of(mailer, "ben@")[0] == "CANCEL"
    assert not [mail for mail in mailer.sent if "cleo@" in mail.to[0]]
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, session.id, reason="Flood", undo_seconds=0)
    await work(services, lotus.id)
    assert calendar_of(mailer, "cleo@")[0] == "CANCEL"
    assert [mail for mail in mailer.sent if "cleo@" in mail.to[0] and "Why: Flood" in mail.body]
    assert not [mail for mail in mailer.sent if "ben@" in mail.to[0]]


async def test_a_seat_of_another_order_is_not_there(services: Services, lotus: Business) -> None:
    made, session = await a_booking(services, lotus)
    await booked(
        services.uow_factory,
        lotus,
        a_wish("session", session.id, guest_email="dora@example.com"),
    )
    async with services.uow_factory(lotus.id) as uow:
        other = await uow.session.scalar(select(Seat.id).where(Seat.order_id != made.order_id))
        assert isinstance(other, UUID)
        cmd = HandOn(order_id=made.order_id, seat_id=other, name="Ben", address="ben@example.com")
        with pytest.raises(NotFound):
            await hand_on(uow, lotus.ctx, cmd)


async def test_more_seats_than_a_statement_has_parameters_are_asked_about(
    services: Services, lotus: Business
) -> None:
    made, _session = await a_booking(services, lotus)
    assert await give(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        found = await list_holders_of(uow, [seat.id, *(new_id() for _ in range(40_000))])
    assert [one.address for one in found.values()] == ["ben@example.com"]
