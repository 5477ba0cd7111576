"""A date of a course swapped for one of another: all in one transaction, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from icalendar import Calendar
from sqlalchemy import func, select, update

from src.billing.models import CreditLot, Order
from src.booking.commands.book import Booked, book
from src.booking.commands.exchange import MoveSeats
from src.booking.commands.leave import leave_dates
from src.booking.commands.swap import NotSwappable, SwapDone, swap_by_staff, swap_seats
from src.booking.domain.reasons import ReasonCode
from src.booking.errors import DatesChanged
from src.booking.models import Booking, Seat, Session
from src.platform.errors import NotFound
from src.platform.services import Services
from src.tenants.models import AuditEntry
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, month_count
from tests.booking.commands.test_leave import paid_by_card, refunds
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.credits import ledger_of
from tests.support.mail import RememberingMailer
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.work import work

pytestmark = pytest.mark.anyio


@dataclass
class School:
    """A course that Carl has bought, and another one that takes credits for single dates."""

    business: Business
    services: Services
    made: Booked
    own: Term
    other: Term

    async def seats(self) -> list[Seat]:
        """In order of the courses and of time."""
        async with self.services.uow_factory(self.business.id) as uow:
            found = await uow.session.scalars(
                select(Seat)
                .join(Session, Session.id == Seat.session_id)
                .order_by(Seat.order_id, Session.starts_at, Seat.id)
            )
            return list(found)

    async def taken(self, term: Term) -> list[int]:
        async with self.services.uow_factory(self.business.id) as uow:
            found = await uow.session.scalars(
                select(Session.seats_taken)
                .where(Session.series_id == term.series.id)
                .order_by(Session.starts_at)
            )
            return list(found)

    async def lots(self) -> list[CreditLot]:
        async with self.services.uow_factory(self.business.id) as uow:
            return list(await uow.session.scalars(select(CreditLot).order_by(CreditLot.id)))

    async def swap(
        self,
        seats: Sequence[Seat],
        to: Session,
        *,
        order_id: UUID | None = None,
        by: str = "guest",
        seen: int | None = None,
    ) -> SwapDone:
        cmd = MoveSeats(
            order_id=order_id or self.made.order_id,
            seat_ids=[seat.id for seat in seats],
            session_id=to.id,
            seen_sequence=seen,
            by=by,
        )
        async with self.services.uow_factory(self.business.id) as uow:
            if by == "staff":
                return await swap_by_staff(uow, self.business.ctx, cmd)
            tenant = await tenant_snapshot(uow, self.business.id, uow.clock.now())
            return await swap_seats(uow, tenant, cmd)

    async def refused(self, seats: Sequence[Seat], to: Session) -> list[ReasonCode]:
        """What stands against it; nothing has changed."""
        before = [(seat.id, seat.state) for seat in await self.seats()]
        with pytest.raises(NotSwappable) as refusal:
            await self.swap(seats, to)
        assert [(seat.id, seat.state) for seat in await self.seats()] == before
        assert await self.lots() == []
        assert await self.taken(self.own) == [1, 1, 1]
        return [reason.code for reason in refusal.value.reasons]


async def a_school(
    services: Services,
    *,
    party: tuple[str, ...] = ("Carl",),
    is_paid: bool = True,
    **other: object,
) -> School:
    factory = services.uow_factory
    business = await a_business(factory)
    given = await a_refund_package(factory, business.id)
    yoga = await a_service(factory, business.id)
    own = await a_series(
        factory, yoga, price_type="on_site", leaving=leaving(course=gives_package(given))
    )
    pilates = await a_service(factory, business.id, slug="pilates", name="Pilates")
    rules: dict[str, object] = {
        "drop_in_allowed": True,
        "drop_in_pays": ["credit"],
        "tags": ["beginners"],
        "first_in_days": 8,
        **other,
    }
    second = await a_series(factory, pilates, **rules)
    made = await booked(factory, business, a_wish("series", own.series.id, party=party))
    if is_paid:
        await paid_by_card(services, business, made)
    return School(business, services, made, own, second)


async def test_the_new_place_is_taken_and_the_old_one_freed_with_one_credit_spent(
    services: Services,
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    assert await school.taken(school.own) == [0, 1, 1]
    assert await school.taken(school.other) == [1, 0, 0]
    [old, *_rest, new] = await school.seats()
    assert (old.state, old.returned_as, old.share_minor) == ("swapped", "credit", 2000)
    assert (new.id, new.replaces_id, new.state, new.share_minor) == (
        done.seat_ids[0],
        old.id,
        "confirmed",
        0,
    )
    [lot] = await school.lots()
    assert (lot.source_seat_id, lot.balance, lot.value_minor) == (old.id, 0, 2000)
    assert new.credit_lot_id == lot.id
    assert await ledger_of(services.uow_factory, school.business.id) == [
        ("grant", 1),
        ("redeem", -1),
    ]
    assert await refunds(services, school.business.id) == []
    assert await month_count(services.uow_factory, school.business.id) == 1


async def test_sent_again_it_swaps_nothing_more(services: Services) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    once = await school.swap([first], school.other.sessions[0])
    assert await school.swap([first], school.other.sessions[0]) == once
    assert await school.taken(school.other) == [1, 0, 0]
    assert len(await school.lots()) == 1


async def test_the_new_place_left_in_time_gives_the_same_credit_with_its_old_end(
    services: Services, clock: FrozenClock
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    [before] = await school.lots()
    clock.advance(timedelta(days=2))
    async with services.uow_factory(school.business.id) as uow:
        tenant = await tenant_snapshot(uow, school.business.id, uow.clock.now())
        await leave_dates(uow, tenant, done.order_id, done.seat_ids)
    [lot] = await school.lots()
    assert (lot.id, lot.balance, lot.expires_at) == (before.id, 1, before.expires_at)
    assert await school.taken(school.other) == [0, 0, 0]


async def test_a_swapped_place_is_swapped_on_with_the_same_credit(services: Services) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    done = await school.swap([first], school.other.sessions[0])
    new = next(seat for seat in await school.seats() if seat.id in done.seat_ids)
    again = await school.swap([new], school.other.sessions[1], order_id=done.order_id)
    assert await school.taken(school.other) == [0, 1, 0]
    [lot] = await school.lots()
    assert lot.balance == 0
    last = next(seat for seat in await school.seats() if seat.id in again.seat_ids)
    assert last.credit_lot_id == lot.id
    kinds = [kind for kind, _number in await ledger_of(services.uow_factory, school.business.id)]
    assert kinds == ["grant", "redeem", "restore", "redeem"]


async def test_a_party_swaps_together_with_a_credit_each(services: Services) -> None:
    school = await a_school(services, party=("Carl", "Kid"))
    seats = await school.seats()
    first = [seat for seat in seats if seat.session_id == school.own.sessions[0].id]
    await school.swap(first, school.other.sessions[0])
    assert await school.taken(school.other) == [2, 0, 0]
    assert [(lot.value_minor, lot.balance) for lot in await school.lots()] == [(2000, 0)] * 2


async def test_a_full_date_changes_nothing(services: Services) -> None:
    school = await a_school(services, capacity=1)
    stranger = a_wish(
        "session", school.other.sessions[0].id, guest_email="eve@example.com", pays="free"
    )
    async with services.uow_factory(school.business.id) as uow:
        await book(uow, school.business.ctx, stranger)
    seats = [seat for seat in await school.seats() if seat.order_id == school.made.order_id]
    codes = await school.refused([seats[0]], school.other.sessions[0])
    assert codes == [ReasonCode.FULL]


async def test_who_is_there_already_is_not_there_twice(services: Services) -> None:
    """By another booking of theirs, with another row for the same name."""
    school = await a_school(services)
    wish = a_wish("session", school.other.sessions[0].id, pays="free")
    async with services.uow_factory(school.business.id) as uow:
        await book(uow, school.business.ctx, wish)
    seats = [seat for seat in await school.seats() if seat.order_id == school.made.order_id]
    codes = await school.refused([seats[0]], school.other.sessions[0])
    assert codes == [ReasonCode.HAS_SEAT_THERE]


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        ({"tags": ["advanced"]}, ReasonCode.CREDITS_OUT_OF_SCOPE),
        ({"drop_in_pays": ["online"]}, ReasonCode.CREDITS_NOT_TAKEN),
        ({"drop_in_allowed": False}, ReasonCode.DROP_IN_NOT_ALLOWED),
        ({"drop_in_opens_before": 2}, ReasonCode.DROP_IN_NOT_OPEN),
        ({"active": False}, ReasonCode.SERIES_NOT_ON_SALE),
        ({"first_in_days": 70}, ReasonCode.CREDITS_STARTS_AFTER_EXPIRY),
    ],
)
async def test_a_date_that_the_credit_could_not_be_spent_on_is_refused(
    services: Services, rules: dict[str, object], code: ReasonCode
) -> None:
    school = await a_school(services, **rules)
    [first, *_others] = await school.seats()
    assert await school.refused([first], school.other.sessions[0]) == [code]


async def test_late_it_is_refused_and_at_the_very_second_not(
    services: Services, clock: FrozenClock
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    clock.advance(timedelta(days=6, seconds=1))
    assert await school.refused([first], school.other.sessions[1]) == [ReasonCode.TOO_LATE_TO_SWAP]
    clock.advance(timedelta(seconds=-1))
    await school.swap([first], school.other.sessions[1])


async def test_what_is_not_paid_is_not_swapped(services: Services) -> None:
    school = await a_school(services, is_paid=False)
    [first, *_others] = await school.seats()
    assert await school.refused([first], school.other.sessions[0]) == [ReasonCode.NOT_PAID]


async def test_without_a_policy_there_is_no_swap(services: Services) -> None:
    school = await a_school(services)
    async with services.uow_factory(school.business.id) as uow:
        await uow.session.execute(update(Booking).values(leaving={}))
    [first, *_others] = await school.seats()
    assert await school.refused([first], school.other.sessions[0]) == [ReasonCode.SWAPS_NOT_ALLOWED]


async def test_a_date_that_was_moved_since_it_was_shown_is_shown_again(
    services: Services,
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    with pytest.raises(DatesChanged):
        await school.swap([first], school.other.sessions[0], seen=7)
    assert await school.lots() == []


async def test_a_place_of_another_order_is_not_found(services: Services) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    wish = a_wish("series", school.own.series.id, guest_email="eve@example.com")
    eve = await booked(services.uow_factory, school.business, wish)
    with pytest.raises(NotFound):
        await school.swap([first], school.other.sessions[0], order_id=eve.order_id)


async def test_staff_swap_late_too_and_it_is_in_the_log_once(
    services: Services, clock: FrozenClock
) -> None:
    school = await a_school(services)
    [first, *_others] = await school.seats()
    clock.advance(timedelta(days=6, hours=20))
    await school.swap([first], school.other.sessions[0], by="staff")
    await school.swap([first], school.other.sessions[0], by="staff")
    assert await school.taken(school.other) == [1, 0, 0]
    async with services.uow_factory(school.business.id) as uow:
        count = await uow.session.scalar(
            select(func.count()).where(AuditEntry.action == "booking.seat_swapped")
        )
    assert count == 1


async def test_one_mail_moves_the_entry_in_the_calendar(
    services: Services, mailer: RememberingMailer
) -> None:
    school = await a_school(services)
    await work(services, school.business.id)
    [first, *_others] = await school.seats()
    mailer.sent.clear()
    await school.swap([first], school.other.sessions[0])
    await work(services, school.business.id)
    [mail] = mailer.sent
    assert "Pilates" in mail.subject
    assert "your credit comes back" in mail.body
    [entry] = Calendar.from_ical(mail.attachments[0][1]).walk("VEVENT")
    assert str(first.id) in str(entry["UID"])
    async with services.uow_factory(school.business.id) as uow:
        [source] = await uow.session.scalars(select(Order.source).where(Order.source == "swap"))
    assert source == "swap"
