"""Notes and names after booking: by staff at any time, by the guest until the first date begins."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select

from src.booking.commands.book import Booked
from src.booking.commands.leave import leave_dates
from src.booking.domain.naming import LONGEST_NOTE
from src.booking.guest_links import booking_path
from src.booking.models import Booking, Seat, Session
from src.platform.services import Services
from src.tenants.commands.customer_care import add_note, set_tags
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry, Participant
from tests.booking.commands.places import a_performer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.gaps import a_course
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio

CONSENTS = {"terms": {"accepted_at": "2027-03-01T10:00:00+00:00"}}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def two_of_them(
    services: Services, lotus: Business, **more: object
) -> tuple[Session, Booked]:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service, **more)
    wish = a_wish("session", session.id, party=("Carl", ""), consents=CONSENTS)
    return session, await booked(services.uow_factory, lotus, wish)


async def names_of(services: Services, lotus: Business) -> list[str]:
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(Participant.name).order_by(Participant.id)))


async def second_seat(services: Services, lotus: Business) -> Seat:
    async with services.uow_factory(lotus.id) as uow:
        found = select(Seat).order_by(Seat.participant_id.desc()).limit(1)
        return (await uow.session.scalars(found)).one()


async def entries(services: Services, lotus: Business) -> list[AuditEntry]:
    async with services.uow_factory(lotus.id) as uow:
        return list(
            await uow.session.scalars(
                select(AuditEntry)
                .where(AuditEntry.action == "booking.people_changed")
                .order_by(AuditEntry.at, AuditEntry.id)
            )
        )


async def test_staff_write_the_note_and_names_of_a_booking_and_the_log_says_what_was(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    _session, made = await two_of_them(services, lotus)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/bookings/{made.booking_id}/people"
    seat = await second_seat(services, lotus)
    changes = {"note": "Pays cash <b>", f"names.{seat.participant_id}": "  Kim \n Guest "}
    assert (await send(client, path, changes)).status_code == 303
    assert await names_of(services, lotus) == ["Carl", "Kim Guest"]
    shown = (await client.get(f"/app/lotus/bookings/{made.booking_id}")).text
    assert "Pays cash &lt;b&gt;" in shown
    assert "Kim Guest" in shown
    (entry,) = await entries(services, lotus)
    assert entry.detail["was"] == {"note": "", "names": {str(seat.participant_id): ""}}
    assert (await send(client, path, {})).status_code == 303
    assert len(await entries(services, lotus)) == 1, "nothing was changed by the second press"


async def test_a_stale_form_takes_back_nothing_that_another_has_written(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    _session, made = await two_of_them(services, lotus)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/bookings/{made.booking_id}/people"
    stale = await client.get(path)
    seat = await second_seat(services, lotus)
    await send(client, path, {f"names.{seat.participant_id}": "Kim"})
    await send_again(client, path, stale, {"note": "Left knee"})
    assert await names_of(services, lotus) == ["Carl", "Kim"]
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(Booking.note)) == "Left knee"


async def test_a_guest_never_reads_what_staff_note_with_a_booking(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    _session, made = await two_of_them(services, lotus)
    await as_owner(client, services, lotus)
    path = f"/app/lotus/bookings/{made.booking_id}/people"
    assert (await send(client, path, {"note": "Argues about money"})).status_code == 303
    assert "Argues about money" in (await client.get(path)).text
    client.cookies.clear()
    own = booking_path(services.settings, "lotus", made.order)
    for page in (own, f"{own}/people"):
        shown = await client.get(page)
        assert shown.status_code == 200
        assert "Argues about money" not in shown.text, page


async def test_names_are_corrected_whatever_the_length_of_the_note_that_came_with_the_booking(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    long_note = "First\r\nsecond " + "n" * LONGEST_NOTE
    made = await booked(
        services.uow_factory, lotus, a_wish("session", session.id, party=("Car",), note=long_note)
    )
    await as_owner(client, services, lotus)
    path = f"/app/lotus/bookings/{made.booking_id}/people"
    seat = await second_seat(services, lotus)
    name = f"names.{seat.participant_id}"
    assert (await send(client, path, {name: "Carl"})).status_code == 303
    assert await names_of(services, lotus) == ["Carl"]
    refused = await send(client, path, {name: "Kim", "note": "n" * (LONGEST_NOTE + 1)})
    assert refused.status_code == 422
    assert "a note of at most" in refused.text
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(Booking.note)) == long_note


async def test_the_door_knows_note_name_consents_tags_and_that_there_are_notes(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    session, made = await two_of_them(services, lotus, performer_id=performer.id)
    clock.advance(session.starts_at - clock.now())
    async with services.uow_factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, made.order.customer_id, "Owes us a towel.")
        await set_tags(uow, lotus.ctx, made.order.customer_id, "vip")
    await as_owner(client, services, lotus)
    seat = await second_seat(services, lotus)
    path = f"/app/lotus/sessions/{session.id}"
    changes = {"note": "Wheelchair", f"names.{seat.participant_id}": "Kim"}
    await send(client, f"{path}/seats/{seat.id}", changes)
    found = (await client.get(f"/app/lotus/check-in?code={made.reference}")).headers["location"]
    for page in (path, f"{path}/print", found):
        shown = (await client.get(page)).text
        for words in ("Wheelchair", "Kim", "Booking terms", "vip", "1 staff note"):
            assert words in shown, (page, words)
        assert "Owes us a towel." not in shown, "on paper and at the door only that there is one"
    assert f'href="{path}/print?notes=on&amp;show=all"' in (await client.get(f"{path}/print")).text
    with_notes = f"{path}/print?notes=on&show=all"
    assert "Owes us a towel." in (await client.get(with_notes)).text
    await sign_in(client, services, ivan.user_id)
    led = await client.get(with_notes)
    assert led.status_code == 200
    assert "Owes us a towel." not in led.text, "who leads the class does not see what is noted"


async def test_an_instructor_writes_in_their_own_sessions_only(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    performer = await a_performer(services.uow_factory, lotus, user_id=ivan.user_id)
    session, made = await two_of_them(services, lotus, performer_id=performer.id)
    other = await a_session(
        services.uow_factory, await a_service(services.uow_factory, lotus.id, slug="box")
    )
    seat = await second_seat(services, lotus)
    await sign_in(client, services, ivan.user_id)
    path = f"/app/lotus/sessions/{session.id}/seats/{seat.id}"
    shown = await client.get(path)
    fields = fields_of(shown, path)
    assert len([name for name in fields if name.startswith("names.")]) == 1
    await send_again(client, path, shown, {"note": "Came late"})
    assert len(await entries(services, lotus)) == 1
    async with services.uow_factory(lotus.id) as uow:
        first = select(Seat.participant_id).order_by(Seat.participant_id).limit(1)
        carl = await uow.session.scalar(first)
    smuggled = {f"names.{carl}": "Not Carl", "note": "Came late", "note_was": "Came late"}
    await send_again(client, path, shown, smuggled)
    assert (await names_of(services, lotus))[0] == "Carl", "only who sits in the seat is named"
    wrong = f"/app/lotus/sessions/{other.id}/seats/{seat.id}"
    assert (await client.get(wrong)).status_code == 404
    assert (await client.get(f"/app/lotus/bookings/{made.booking_id}/people")).status_code == 403


async def test_a_guest_gives_names_until_the_very_second_that_the_first_date_begins(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    session, made = await two_of_them(services, lotus)
    own = booking_path(services.settings, "lotus", made.order)
    seat = await second_seat(services, lotus)
    name = f"names.{seat.participant_id}"
    assert f'href="{own}/people"' in (await client.get(own)).text
    clock.advance(session.starts_at - clock.now())
    opened = await client.get(f"{own}/people")
    assert (await send_again(client, f"{own}/people", opened, {name: "Kim"})).status_code == 303
    assert await names_of(services, lotus) == ["Carl", "Kim"]
    (entry,) = await entries(services, lotus)
    assert entry.actor_kind == "guest"
    opened = await client.get(f"{own}/people")
    unseen = await send_again(client, f"{own}/people", opened, {name: "\u200b"})
    assert unseen.status_code == 303
    assert await names_of(services, lotus) == ["Carl", ""], "as if none had been typed"
    opened = await client.get(f"{own}/people")
    assert (await send_again(client, f"{own}/people", opened, {name: "Kim"})).status_code == 303
    clock.advance(timedelta(seconds=1))
    late = await send_again(client, f"{own}/people", opened, {name: "Late"})
    assert late.status_code == 409
    assert "The first date has begun." in late.text
    assert await names_of(services, lotus) == ["Carl", "Kim"]
    assert f'href="{own}/people"' not in (await client.get(own)).text


@pytest.mark.slow
async def test_by_a_date_that_completes_a_course_nobody_is_named_once_the_course_has_begun(
    client: AsyncClient, services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """Whom it is for keeps their number in the party, too."""
    course = await a_course(services, lotus, party=("Ann", ""))
    seats = await course.seats(course.bought)
    ann, ben = sorted({seat.participant_id for seat in seats})
    hers = [seat.id for seat in seats if seat.participant_id == ann]
    async with services.uow_factory(lotus.id) as uow:
        await leave_dates(uow, lotus.tenant, course.bought.order_id, hers)
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    own = booking_path(services.settings, "lotus", made.order)
    clock.advance(course.term.sessions[0].starts_at - clock.now())
    opened = await client.get(f"{own}/people")
    assert "Name of person 2" in opened.text
    assert f'href="{own}/people"' in (await client.get(own)).text
    clock.advance(timedelta(seconds=1))
    late = await send_again(client, f"{own}/people", opened, {f"names.{ben}": "Late"})
    assert late.status_code == 409
    assert "The first date has begun." in late.text
    assert f'href="{own}/people"' not in (await client.get(own)).text


@pytest.mark.slow
async def test_what_is_noted_of_a_course_is_known_where_it_was_completed_and_back(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    course = await a_course(services, lotus, wish={"note": "Vegan"})
    entry_id = await course.wait()
    await course.free()
    made = await course.take(entry_id)
    await as_owner(client, services, lotus)
    for written_at, note in ((course.bought, "Left knee"), (made, "Right knee"), (made, "")):
        path = f"/app/lotus/bookings/{written_at.booking_id}/people"
        assert (await send(client, path, {"note": note})).status_code == 303
        async with services.uow_factory(lotus.id) as uow:
            ours = Booking.id.in_([course.bought.booking_id, made.booking_id])
            notes = await uow.session.scalars(select(Booking.note).where(ours))
            assert list(notes) == [note, note]
            others = await uow.session.get_one(Booking, (lotus.id, course.other.booking_id))
            assert others.note == ""


async def test_a_name_of_another_booking_is_not_the_guests_to_give(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    session, made = await two_of_them(services, lotus)
    dora = a_wish("session", session.id, guest_email="dora@example.com", party=("Dora",))
    await booked(services.uow_factory, lotus, dora)
    theirs = await second_seat(services, lotus)
    path = f"{booking_path(services.settings, 'lotus', made.order)}/people"
    opened = await client.get(path)
    sent = await send_again(client, path, opened, {f"names.{theirs.participant_id}": "Mine"})
    assert sent.status_code == 404
    too_long = {f"names.{seat}": "x" * 121 for seat in [theirs.participant_id]}
    assert (await send_again(client, path, opened, too_long)).status_code == 422
    assert "Mine" not in await names_of(services, lotus)
