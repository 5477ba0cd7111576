"""A seat is exchanged: the new one taken, the old one freed, and its share comes along once."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from src.billing.owed import get_owed_minor
from src.booking.commands.book import Booked
from src.booking.commands.exchange import MoveSeats, NotMovable, move_seats
from src.booking.commands.leave import leave_dates
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.errors import DatesChanged
from src.booking.models import Booking, Seat, Service, Session
from src.booking.queries.guest_bookings import get_guest_booking
from src.platform.db.uow import UnitOfWork
from src.platform.errors import NotFound
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, month_count, seats_of, taken
from tests.booking.commands.test_claims_last import after_the_first_claim, listened
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio
TERMS = LeavingTerms(
    tiers=(Tier(before=48, percent=100), Tier(before=24, percent=50)), moves_before=2
)


RULES = {
    "far": {"horizon_days": 10},
    "hidden": {"visibility": "hidden"},
    "as_series": {"sales_mode": "series"},
}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def a_single(
    services: Services, lotus: Business, *, capacity: int = 10, **more: object
) -> tuple[Booked, Session, Session]:
    """One seat at EUR 15 on a day in a week, paid by card, and a date a week later."""
    factory = services.uow_factory
    service = await a_service(
        factory, lotus.id, price_type="on_site", leaving=TERMS.document(), **more
    )
    first = await a_session(factory, service)
    second = await a_session(factory, service, in_days=14, capacity=capacity)
    made = await booked(factory, lotus, a_wish("session", first.id))
    return made, first, second


async def move(
    services: Services,
    lotus: Business,
    made: Booked,
    seat_ids: Sequence[UUID],
    to: Session,
    by: str = "guest",
    seen: int | None = None,
) -> list[UUID]:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        cmd = MoveSeats(
            order_id=made.order_id,
            seat_ids=seat_ids,
            session_id=to.id,
            by=by,
            seen_sequence=seen,
        )
        return await move_seats(uow, tenant, cmd)


async def the_seats(services: Services, lotus: Business) -> list[Seat]:
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(Seat).order_by(Seat.id)))


async def test_the_share_moves_along_and_everything_else_stays(
    services: Services, lotus: Business
) -> None:
    made, _first, second = await a_single(services, lotus)
    await paid_by_card(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    [new_id] = await move(services, lotus, made, [seat.id], second)
    assert await taken(services.uow_factory, lotus.id) == [0, 1]
    [old, new] = await the_seats(services, lotus)
    assert (old.state, old.returned_as, old.share_minor) == ("swapped", "seat", 0)
    assert (new.id, new.replaces_id, new.state) == (new_id, old.id, "confirmed")
    assert (new.share_minor, new.order_id, new.booking_id) == (1500, old.order_id, old.booking_id)
    assert new.participant_id == old.participant_id
    assert await refunds(services, lotus.id) == []
    assert await month_count(services.uow_factory, lotus.id) == 1


async def test_sent_again_it_moves_nothing(services: Services, lotus: Business) -> None:
    made, first, second = await a_single(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    once = await move(services, lotus, made, [seat.id], second)
    assert await move(services, lotus, made, [seat.id], second) == once
    assert await taken(services.uow_factory, lotus.id) == [0, 1]
    back = await move(services, lotus, made, once, first)
    assert await taken(services.uow_factory, lotus.id) == [1, 0]
    assert await move(services, lotus, made, [seat.id], second) == once
    assert await taken(services.uow_factory, lotus.id) == [1, 0]
    assert len(back) == 1


async def test_its_share_comes_back_once_from_where_it_is_now(
    services: Services, lotus: Business
) -> None:
    made, _first, second = await a_single(services, lotus)
    await paid_by_card(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    [new_id] = await move(services, lotus, made, [seat.id], second)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        assert (await leave_dates(uow, tenant, made.order_id, [new_id])).back_minor == 1500
    assert await refunds(services, lotus.id) == [1500]
    assert await taken(services.uow_factory, lotus.id) == [0, 0]
    [old, new] = await the_seats(services, lotus)
    assert (old.returned_as, old.returned_minor) == ("seat", 0)
    assert (new.returned_as, new.returned_minor) == ("money", 1500)


async def test_a_late_exchange_is_no_way_to_get_everything_back(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, _first, second = await a_single(services, lotus)
    await paid_by_card(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=5, hours=12))
    [new_id] = await move(services, lotus, made, [seat.id], second)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        assert (await leave_dates(uow, tenant, made.order_id, [new_id])).back_minor == 750


async def test_what_was_late_stays_due_on_site_wherever_it_goes(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made, _first, second = await a_single(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    clock.advance(timedelta(days=6, hours=12))
    [new_id] = await move(services, lotus, made, [seat.id], second)
    async with services.uow_factory(lotus.id) as uow:
        assert await get_owed_minor(uow, made.order_id) == 1500
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [new_id])
    async with services.uow_factory(lotus.id) as uow:
        assert await get_owed_minor(uow, made.order_id) == 1500


@pytest.mark.parametrize("by", ["staff", "guest"])
async def test_who_exchanges_a_date_that_was_moved_keeps_the_free_way_out(
    services: Services, lotus: Business, by: str
) -> None:
    made, first, second = await a_single(services, lotus)
    await paid_by_card(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Booking).values(leaving={"moves_before": 2}))
        await _change(uow, first.id, sequence=1, moved_sequence=1)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    [once] = await move(services, lotus, made, [seat.id], second, by=by)
    [again] = await move(services, lotus, made, [once], first)
    assert await left(services, lotus, made, again) == 1500


async def test_staff_who_move_a_guest_to_a_sooner_date_cost_them_nothing(
    services: Services, lotus: Business, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    made, first, second = await a_single(services, lotus)
    await paid_by_card(services, lotus, made)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    [once] = await move(services, lotus, made, [seat.id], second)
    clock.advance(timedelta(days=6, hours=12))
    await work(services, lotus.id, rounds=5)
    mailer.sent.clear()
    [new_id] = await move(services, lotus, made, [once], first, by="staff")
    await work(services, lotus.id, rounds=5)
    assert "without any charge" in mailer.sent[0].body
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        page = await get_guest_booking(uow, tenant, services.settings, made.order_id)
    assert page.may_leave_free
    assert await left(services, lotus, made, new_id) == 1500


async def left(services: Services, lotus: Business, made: Booked, seat_id: UUID) -> int:
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        return (await leave_dates(uow, tenant, made.order_id, [seat_id])).back_minor


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("full", "full"),
        ("cancelling", "not_just_now"),
        ("cancelled", "cancelled"),
        ("past", "started"),
        ("dearer", "costs_more"),
        ("other", "other_service"),
        ("closed", "moves_not_allowed"),
        ("far", "not_offered"),
        ("hidden", "not_offered"),
        ("as_series", "not_offered"),
    ],
)
async def test_a_refusal_names_its_reason_and_leaves_nothing_half_done(
    services: Services, lotus: Business, why: str, code: str
) -> None:
    factory = services.uow_factory
    made, _first, second = await a_single(services, lotus, capacity=1)
    [seat] = await seats_of(factory, lotus.id)
    target = second
    if why == "full":
        await booked(factory, lotus, a_wish("session", second.id, guest_email="d@example.com"))
    elif why == "other":
        target = await a_session(factory, await a_service(factory, lotus.id, slug="other"))
    elif why == "dearer":
        async with factory(lotus.id) as uow:
            service = await uow.session.get_one(Service, (lotus.id, second.service_id))
        term = await a_series(factory, service, drop_in_allowed=True, drop_in_price_minor=2000)
        target = term.sessions[0]
    async with factory(lotus.id) as uow:
        if why in ("cancelling", "cancelled"):
            await _change(uow, second.id, state=why)
        elif why == "past":
            now = uow.clock.now()
            hour = timedelta(hours=1)
            await _change(uow, second.id, starts_at=now - hour, ends_at=now + hour)
        elif why in RULES:
            await uow.session.execute(update(Service).values(**RULES[why]))
        elif why == "closed":
            await uow.session.execute(update(Booking).values(leaving={}))
    before = sorted(await taken(factory, lotus.id))
    with pytest.raises(NotMovable) as refused:
        await move(services, lotus, made, [seat.id], target)
    assert code in [str(reason.code) for reason in refused.value.reasons]
    assert all(reason.guest_sentence for reason in refused.value.reasons)
    assert sorted(await taken(factory, lotus.id)) == before
    assert all(seat.state == "confirmed" for seat in await the_seats(services, lotus))


async def _change(uow: UnitOfWork, session_id: UUID, **values: object) -> None:
    await uow.session.execute(update(Session).where(Session.id == session_id).values(**values))


async def test_staff_move_where_guests_may_not_but_not_into_a_full_date(
    services: Services, lotus: Business
) -> None:
    made, first, second = await a_single(services, lotus, capacity=1)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Booking).values(leaving={"may_cancel": False}))
    [new_id] = await move(services, lotus, made, [seat.id], second, by="staff")
    other = await booked(
        services.uow_factory, lotus, a_wish("session", first.id, guest_email="d@example.com")
    )
    theirs = [seat for seat in await the_seats(services, lotus) if seat.order_id == other.order_id]
    with pytest.raises(NotMovable) as refused:
        await move(services, lotus, other, [theirs[0].id], second, by="staff")
    assert [reason.code for reason in refused.value.reasons] == ["full"]
    assert new_id


async def test_a_person_is_never_on_one_date_twice(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, price_type="on_site", leaving=TERMS.document()
    )
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    first, second, _third = await seats_of(services.uow_factory, lotus.id)
    for chosen in ([first.id], [first.id, second.id]):
        with pytest.raises(NotMovable) as refused:
            await move(services, lotus, made, chosen, term.sessions[2])
        assert "has_seat_there" in [str(reason.code) for reason in refused.value.reasons]
    assert await taken(services.uow_factory, lotus.id) == [1, 1, 1]


async def test_a_date_that_was_moved_while_it_was_looked_at_is_looked_at_again(
    services: Services, lotus: Business
) -> None:
    made, _first, second = await a_single(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await _change(uow, second.id, sequence=1)
    with pytest.raises(DatesChanged):
        await move(services, lotus, made, [seat.id], second, seen=0)
    assert await taken(services.uow_factory, lotus.id) == [1, 0]


async def test_another_orders_seats_and_sessions_are_not_there(
    services: Services, lotus: Business
) -> None:
    _made, first, second = await a_single(services, lotus)
    other = await booked(
        services.uow_factory, lotus, a_wish("session", first.id, guest_email="d@example.com")
    )
    seats = await the_seats(services, lotus)
    with pytest.raises(NotFound):
        await move(services, lotus, other, [seats[0].id], second)


async def test_what_others_wait_for_is_claimed_last_and_in_one_statement(
    services: Services, lotus: Business
) -> None:
    made, _first, second = await a_single(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    with listened() as sent:
        await move(services, lotus, made, [seat.id], second)
    assert after_the_first_claim(sent) == []
    assert sum("UPDATE sessions" in statement for statement in sent) == 1


async def test_2_40_one_mail_moves_the_entry_in_the_calendar(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    """Row 2-40, 2-41: one UID for the place, a higher SEQUENCE, nothing to cancel, no ghost."""
    made, _first, second = await a_single(services, lotus)
    await work(services, lotus.id)
    [confirmed] = mailer.sent
    mailer.sent.clear()
    [seat] = await seats_of(services.uow_factory, lotus.id)
    [new_id] = await move(services, lotus, made, [seat.id], second)
    await work(services, lotus.id, rounds=5)
    [mail] = mailer.sent
    assert mail.subject.startswith("New date: Yoga")
    assert "Mar 15, 2027" in mail.body.split("Instead of")[0]
    assert "Mar 8, 2027" in mail.body.split("Instead of")[1]
    [before] = Calendar.from_ical(confirmed.attachments[0][1]).walk("VEVENT")
    calendar = Calendar.from_ical(mail.attachments[0][1])
    [after] = calendar.walk("VEVENT")
    assert calendar["METHOD"] == "PUBLISH"
    assert after["UID"] == before["UID"]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    assert after["DTSTART"].dt - before["DTSTART"].dt == timedelta(days=7)
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [new_id])
    await work(services, lotus.id, rounds=5)
    [gone] = Calendar.from_ical(mailer.sent[0].attachments[0][1]).walk("VEVENT")
    assert gone["UID"] == before["UID"]
    assert int(gone["SEQUENCE"]) > int(after["SEQUENCE"])
