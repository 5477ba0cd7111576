"""While places are being cancelled nobody does anything else with them, until that is undone."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.exchange import MoveSeats, move_by_staff, move_seats
from src.booking.commands.leave import leave_course, leave_dates
from src.booking.commands.leave_requests import ask_to_leave
from src.booking.models import Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import TERMS
from tests.support.builders import Business, Term, a_business, a_series, a_service, a_session

pytestmark = pytest.mark.anyio
Act = Callable[[UnitOfWork], Awaitable[object]]
LATER = "This is not possible just now. Please try again in a minute."


class Course:
    """Three dates bought by one guest, of which the first is to be cancelled."""

    def __init__(self, services: Services, lotus: Business, term: Term, made: Booked) -> None:
        self.services = services
        self.lotus = lotus
        self.term = term
        self.made = made
        self.seat_ids: list[UUID] = []
        self.elsewhere = new_id()

    async def refusal(self, act: Act) -> str:
        """Its code and sentence, "" where it is allowed, which is then taken back."""
        uow = self.services.uow_factory(self.lotus.id)
        try:
            async with uow:
                await act(uow)
                raise _AllowedError
        except _AllowedError:
            return ""
        except Conflict as refused:
            return f"{refused.code}: {refused.message}"

    async def cancel(self, seat_ids: list[UUID]) -> UUID:
        date = self.term.sessions[0].id
        async with self.services.uow_factory(self.lotus.id) as uow:
            ctx = self.lotus.ctx
            return await cancel_seats(uow, ctx, date, seat_ids, reason="", undo_seconds=10)

    async def cancel_all(self) -> UUID:
        async with self.services.uow_factory(self.lotus.id) as uow:
            return await cancel_purchase(
                uow, self.lotus.ctx, self.made.booking_id, reason="", undo_seconds=10
            )

    async def undo(self, cancellation_id: UUID) -> None:
        async with self.services.uow_factory(self.lotus.id) as uow:
            await undo_cancellation(uow, self.lotus.ctx, cancellation_id)

    def acts(self) -> dict[str, Act]:
        order_id, ctx, tenant = self.made.order_id, self.lotus.ctx, self.lotus.tenant
        first = self.seat_ids[0]
        move = MoveSeats(order_id=order_id, seat_ids=[first], session_id=self.elsewhere)
        staffs = msgspec.structs.replace(move, by="staff")
        return {
            "leave": lambda uow: leave_dates(uow, tenant, order_id, [first]),
            "leave two": lambda uow: leave_dates(uow, tenant, order_id, self.seat_ids[:2]),
            "leave all": lambda uow: leave_course(uow, tenant, order_id),
            "ask to leave": lambda uow: ask_to_leave(uow, order_id, "I am ill"),
            "exchange": lambda uow: move_seats(uow, tenant, move),
            "move": lambda uow: move_by_staff(uow, ctx, staffs),
        }

    async def refusals(self) -> dict[str, str]:
        return {name: await self.refusal(act) for name, act in self.acts().items()}


class _AllowedError(Exception):
    """Nothing stood against it."""


@pytest.fixture
async def course(services: Services) -> Course:
    factory = services.uow_factory
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="on_site")
    term = await a_series(factory, service, price_type="on_site", leaving=TERMS)
    made = await booked(factory, lotus, a_wish("series", term.series.id))
    course = Course(services, lotus, term, made)
    course.seat_ids = [seat.id for seat in await seats_of(factory, lotus.id)]
    course.elsewhere = (await a_session(factory, service, in_days=40)).id
    return course


@pytest.mark.parametrize("scope", ["seats", "purchase"])
async def test_what_is_refused_in_the_window_is_as_it_was_once_it_is_undone(
    course: Course, scope: str
) -> None:
    before = await course.refusals()
    assert (before["leave"], before["leave two"], before["move"]) == ("", "", "")
    going = await (
        course.cancel_all() if scope == "purchase" else course.cancel(course.seat_ids[:1])
    )
    meanwhile = await course.refusals()
    for name in ("leave", "leave two", "exchange", "ask to leave", "move"):
        assert meanwhile[name] == f"not_just_now: {LATER}", name
    assert meanwhile["leave all"]
    await course.undo(going)
    assert await course.refusals() == before


async def test_what_is_undone_is_swept_up_by_nothing_else(course: Course) -> None:
    """A purchase waits until none of its places is being cancelled by itself."""
    before = await course.refusals()
    own = await course.cancel(course.seat_ids[:1])
    with pytest.raises(Conflict) as refused:
        await course.cancel_all()
    assert refused.value.code == "places_being_cancelled"
    await course.undo(own)
    assert await course.refusals() == before
    everything = await course.cancel_all()
    await course.undo(everything)
    assert await course.refusals() == before


async def test_chosen_places_are_cancelled_together_or_not_at_all(course: Course) -> None:
    """Those of another session are not found, and each is in one cancellation at a time."""
    first, second, _third = course.seat_ids
    with pytest.raises(NotFound):
        await course.cancel([first, second])
    with pytest.raises(NotFound):
        await course.cancel([])
    going = await course.cancel([first])
    with pytest.raises(Conflict) as twice:
        await course.cancel([first])
    assert twice.value.code == "already_cancelling"
    await course.undo(going)
    await course.cancel([first])


async def test_what_has_started_or_is_being_called_off_keeps_its_places(course: Course) -> None:
    async def refused() -> str:
        with pytest.raises(Conflict) as conflict:
            await course.cancel(course.seat_ids[:1])
        return conflict.value.code

    factory, lotus, date = course.services.uow_factory, course.lotus, course.term.sessions[0].id
    async with factory(lotus.id) as uow:
        off = await cancel_session(uow, lotus.ctx, date, reason="", undo_seconds=10)
    assert await refused() == "already_cancelling"
    await course.undo(off)
    async with factory(lotus.id) as uow:
        session, now = await uow.session.get_one(Session, (lotus.id, date)), uow.clock.now()
        session.starts_at, session.ends_at = now, now + timedelta(hours=1)
    assert await refused() == "session_started"
