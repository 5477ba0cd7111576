"""Waiting for a place: every way in which one gets free leads to an offer, and to one only."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update

from src.billing.commands.ending import expire_order
from src.booking.commands.book import BookCommand, Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.claims import SeatsGone
from src.booking.commands.edit_plan import EditSeveral
from src.booking.commands.edit_several import edit_several
from src.booking.commands.exchange import MoveSeats, move_seats
from src.booking.commands.leave import leave_dates
from src.booking.commands.series import get_series_command, update_series
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.commands.waitlist import (
    PlacesAreFree,
    change_waitlist,
    leave_waitlist,
    remove_entry,
)
from src.booking.domain.kinds import DateScope
from src.booking.domain.leaving import LeavingTerms
from src.booking.domain.waiting import WaitlistTerms
from src.booking.errors import NotBookable
from src.booking.jobs.waitlist import serve_due
from src.booking.models import Booking, Service, Session, WaitlistEntry
from src.platform.errors import Conflict, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.entitlements import rebuild_entitlements
from src.tenants.commands.wordings import word_mail
from src.tenants.domain.wording import Wording
from src.tenants.models import Tenant
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    plan_version_id,
)
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import check_places, entries, joined, offers
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


class Town:
    """One full session of one place, which somebody has booked for free."""

    def __init__(
        self, services: Services, lotus: Business, service: Service, session: Session, made: Booked
    ) -> None:
        self.services, self.lotus, self.service = services, lotus, service
        self.session, self.made = session, made
        self.factory = services.uow_factory

    async def join(self, name: str, **more: object) -> UUID:
        """What joining leads to is done by then: what wakes the list afterwards is another."""
        entry_id = await joined(self.factory, self.lotus, "session", self.session.id, name, **more)
        await self.work()
        return entry_id

    async def work(self) -> None:
        await work(self.services, self.lotus.id)

    async def states(self) -> dict[str, str]:
        return await entries(self.factory, self.lotus)

    async def free(self) -> None:
        """Whoever has the place cannot come."""
        seats = await seats_of(self.factory, self.lotus.id)
        mine = [seat.id for seat in seats if seat.order_id == self.made.order_id]
        async with self.factory(self.lotus.id) as uow:
            await leave_dates(uow, self.lotus.tenant, self.made.order_id, mine)

    async def take(self, offer_id: UUID | None, **more: object) -> Booked:
        wish = {"guest_email": "ann@example.com", "offer_id": offer_id, **more}
        return await booked(self.factory, self.lotus, a_wish("session", self.session.id, **wish))

    async def check(self) -> list[int]:
        return await check_places(self.factory, self.lotus)


@pytest.fixture
async def town(services: Services) -> Town:
    return await a_town(services)


async def a_town(services: Services, *, size: int = 1, **more: object) -> Town:
    lotus = await a_business(services.uow_factory)
    service = await a_service(
        services.uow_factory, lotus.id, **{"price_type": "free", "leaving": LEAVING, **more}
    )
    session = await a_session(services.uow_factory, service, capacity=size)
    wish = a_wish("session", session.id, party=("Carl",) * size)
    made = await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    return Town(services, lotus, service, session, made)


LEAVING = LeavingTerms(moves_before=0).document()


async def test_who_waits_longest_is_offered_the_place_and_it_is_held(
    town: Town, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    await town.join("Ann")
    clock.advance(HOUR)
    await town.join("Bob")
    await town.work()
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}
    assert await town.check() == [1]
    [offer] = await offers(town.factory, town.lotus)
    assert offer.expires_at == clock.now() + 4 * HOUR
    assert mailer.sent[-1].to == ["Ann <ann@example.com>"]
    assert mailer.sent[-1].subject == "There is a place for you: Yoga"
    with pytest.raises(NotBookable):
        await town.take(None, guest_email="walk-in@example.com")


async def test_the_offer_becomes_the_booking_and_never_both(town: Town) -> None:
    await town.join("Ann")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    made = await town.take(offer.id)
    assert await town.check() == [1]
    assert await town.states() == {"Ann": "accepted"}
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.order_id) == ("taken", made.order_id)
    with pytest.raises(NotBookable) as twice:
        await town.take(offer.id)
    assert twice.value.code == "full"
    assert await town.check() == [1]


async def test_an_offer_that_is_over_gives_nothing_and_goes_to_the_next(
    town: Town, clock: FrozenClock
) -> None:
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    [first] = await offers(town.factory, town.lotus)
    clock.advance(4 * HOUR)
    assert await serve_due(town.services) == 1
    assert (await town.states())["Bob"] == "waiting", "at the exact second it still holds"
    clock.advance(timedelta(seconds=1))
    with pytest.raises(NotBookable):
        await town.take(first.id)
    assert await town.check() == [1]
    await serve_due(town.services)
    assert await town.states() == {"Ann": "expired", "Bob": "offered"}
    assert await town.check() == [1]
    with pytest.raises(NotBookable):
        await town.take(first.id)


async def hold_runs_out(town: Town) -> None:
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online"))
        await uow.session.execute(update(Session).values(capacity=2))
    made = await town.take(None, guest_email="dora@example.com")
    await town.join("Ann")
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await expire_order(uow, made.order_id, "time", uow.clock.now())


async def guest_leaves(town: Town) -> None:
    await town.join("Ann")
    await town.free()


async def guest_moves(town: Town) -> None:
    other = await a_session(town.factory, town.service, in_days=9)
    await town.join("Ann")
    [seat] = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        cmd = MoveSeats(order_id=town.made.order_id, seat_ids=[seat.id], session_id=other.id)
        await move_seats(uow, town.lotus.tenant, cmd)


async def purchase_is_cancelled(town: Town) -> None:
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        booking_id = await uow.session.scalar(select(Booking.id))
        assert booking_id is not None
        await cancel_purchase(uow, town.lotus.ctx, booking_id, reason="", undo_seconds=0)


async def capacity_is_raised(town: Town) -> None:
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        session = await uow.session.get_one(Session, (town.lotus.id, town.session.id))
        fields = msgspec.structs.asdict(details_of_session(session))
        fields["capacity"] = 2
        await update_session(uow, town.lotus.ctx, UpdateSession(session_id=session.id, **fields))


async def capacities_are_raised(town: Town) -> None:
    await town.join("Ann")
    cmd = EditSeveral(session_id=town.session.id, scope=DateScope.ALL, capacity=2)
    async with town.factory(town.lotus.id) as uow:
        assert await edit_several(uow, town.lotus.ctx, cmd) == 1


async def date_joins_a_series(town: Town) -> None:
    """Which is sold by the date, so that its place is free for who waits for the date alone."""
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(active=False))
    await town.free()
    await town.work()
    term = await a_series(
        town.factory, town.service, price_type="free", price_minor=0, drop_in_allowed=True
    )
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(active=True))
        cmd = await get_series_command(uow, term.series.id)
        ids = (*cmd.session_ids, town.session.id)
        changed = msgspec.structs.replace(cmd, session_ids=ids)
        await update_series(uow, town.lotus.ctx, term.series.id, changed)


async def cancelling_is_undone(town: Town) -> None:
    await town.join("Ann")
    await town.free()
    async with town.factory(town.lotus.id) as uow:
        cancellation_id = await cancel_session(
            uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=60
        )
    await town.work()
    assert await town.states() == {"Ann": "waiting"}, "nothing is offered of what may be called off"
    async with town.factory(town.lotus.id) as uow:
        await undo_cancellation(uow, town.lotus.ctx, cancellation_id)


async def offer_is_declined(town: Town) -> None:
    first = await town.join("Bob")
    await town.join("Ann")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await leave_waitlist(uow, first)


async def somebody_is_removed(town: Town) -> None:
    first = await town.join("Bob")
    await town.join("Ann")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, first)


@pytest.mark.parametrize(
    "event",
    [
        hold_runs_out,
        guest_leaves,
        guest_moves,
        purchase_is_cancelled,
        capacity_is_raised,
        capacities_are_raised,
        date_joins_a_series,
        cancelling_is_undone,
        offer_is_declined,
        somebody_is_removed,
    ],
)
async def test_every_way_a_place_gets_free_wakes_the_list(
    town: Town, event: Callable[[Town], Awaitable[None]]
) -> None:
    """Row 2-34: nobody wrote when a seat got free."""
    await event(town)
    await town.work()
    assert (await town.states())["Ann"] == "offered"
    await town.check()


async def test_without_anybody_who_waits_nothing_is_recorded(town: Town) -> None:
    await town.free()
    assert "booking.serve_waitlists" not in await waiting(town.services, town.lotus.id)


async def test_an_address_waits_once_and_hears_again(
    services: Services, mailer: RememberingMailer
) -> None:
    town = await a_town(services, size=3)
    first = await town.join("Ann")
    await town.work()
    assert await town.join("Ann", size=1) == first
    assert await town.join("Ann", size=3) == first
    told = [mail for mail in mailer.sent if mail.subject == "On the waiting list: Yoga"]
    asked = "You asked for places for 3 just now, but you are on the list for 1 already"
    assert [asked in mail.body for mail in told] == [False, False, True]
    words = Wording(subject="Our list", body="Hello {customer_name}\n\n{booking_link}")
    async with town.factory(town.lotus.id) as uow:
        await word_mail(uow, town.lotus.ctx, "waitlist_joined", "en", words)
    for size in (1, 3):
        assert await town.join("Ann", size=size) == first
    worded = [mail for mail in mailer.sent if mail.subject == "Our list"]
    assert [asked in mail.body for mail in worded] == [False, True], "saved before there was that"


async def test_nobody_waits_for_what_is_free_or_cannot_be_had(town: Town) -> None:
    other = await a_session(town.factory, town.service, in_days=9)
    with pytest.raises(PlacesAreFree):
        await joined(town.factory, town.lotus, "session", other.id, "Ann")
    with pytest.raises(Conflict) as too_many:
        await town.join("Ann", size=11)
    assert too_many.value.code == "waitlist_party_too_big"
    with pytest.raises(NotFound):
        await joined(town.factory, town.lotus, "session", new_id(), "Ann")
    async with town.factory(town.lotus.id) as uow:
        await change_waitlist(uow, town.lotus.ctx, town.service.id, WaitlistTerms(is_on=False))
    with pytest.raises(Conflict) as off:
        await town.join("Ann")
    assert off.value.code == "waitlist_switched_off"


async def test_a_plan_without_waiting_lists_offers_nothing_and_keeps_everybody(
    town: Town,
) -> None:
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        starter = await plan_version_id(uow, "starter")
        await uow.session.execute(update(Tenant).values(plan_version_id=starter))
        await rebuild_entitlements(uow, town.lotus.id)
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "waiting"}
    assert await town.check() == [0]


async def test_a_reopened_sale_is_found_by_the_clock(town: Town, clock: FrozenClock) -> None:
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(active=False))
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(active=True))
    clock.advance(timedelta(minutes=30))
    assert await serve_due(town.services) == 1
    assert await town.states() == {"Ann": "offered"}


async def test_in_the_last_hours_everybody_is_told_and_the_first_has_it(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.join("Bob")
    await town.work()
    clock.advance(timedelta(days=7) - 3 * HOUR)
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "offered"}
    assert await town.check() == [0], "nothing is held"
    first, second = await offers(town.factory, town.lotus)
    await town.take(second.id)
    with pytest.raises((NotBookable, SeatsGone)):
        await town.take(first.id)
    assert await town.check() == [1]
    clock.advance(2 * HOUR + timedelta(seconds=1))
    await serve_due(town.services)
    assert "offered" not in (await town.states()).values()


async def test_a_series_is_offered_with_a_place_in_every_date_left(services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory, service, price_type="free", capacity=1, drop_in_allowed=True
    )
    made = await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await joined(services.uow_factory, lotus, "session", term.sessions[0].id, "Bob")
    seats = await seats_of(services.uow_factory, lotus.id)
    for number, seat in enumerate(reversed(seats)):
        async with services.uow_factory(lotus.id) as uow:
            await leave_dates(uow, lotus.tenant, made.order_id, [seat.id])
        await work(services, lotus.id)
        expected = "offered" if number == 2 else "waiting"
        assert await entries(services.uow_factory, lotus) == {"Ann": expected, "Bob": "waiting"}
    assert await check_places(services.uow_factory, lotus) == [1, 1, 1]
    [offer] = await offers(services.uow_factory, lotus)
    wish: BookCommand = a_wish("series", term.series.id, offer_id=offer.id)
    await booked(services.uow_factory, lotus, wish)
    assert await check_places(services.uow_factory, lotus) == [1, 1, 1]


@pytest.mark.slow
async def test_after_success_one_waits_no_more_for_the_same_time(
    town: Town, services: Services
) -> None:
    same_time = await a_session(town.factory, town.service, capacity=1)
    later = await a_session(town.factory, town.service, in_days=9, capacity=1)
    others = []
    for number, run in enumerate((same_time, later)):
        wish = a_wish("session", run.id, guest_email=f"g{number}@example.com")
        others.append(await booked(town.factory, town.lotus, wish))
    for run in (same_time, later):
        await joined(town.factory, town.lotus, "session", run.id, "Ann")
    await joined(town.factory, town.lotus, "session", same_time.id, "Bob")
    await town.join("Ann")
    # The place in the other session at the same time is offered as well.
    for made in (others[0], town.made):
        seats = await seats_of(town.factory, town.lotus.id)
        mine = [seat.id for seat in seats if seat.order_id == made.order_id]
        async with town.factory(town.lotus.id) as uow:
            await leave_dates(uow, town.lotus.tenant, made.order_id, mine)
    await town.work()
    made_offers = await offers(town.factory, town.lotus)
    assert len(made_offers) == 2
    [mine_now] = [offer for offer in made_offers if offer.session_ids == [town.session.id]]
    await town.take(mine_now.id)
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        found = await uow.session.scalars(select(WaitlistEntry))
        states = {(one.name, one.session_id): one.state for one in found}
    assert states == {
        ("Ann", town.session.id): "accepted",
        ("Ann", same_time.id): "left",
        ("Ann", later.id): "waiting",
        ("Bob", same_time.id): "offered",
    }
    await town.check()
