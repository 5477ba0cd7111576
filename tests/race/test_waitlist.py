"""The last place between an offer, its guest's tabs, the clock and a walk-in."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, text

from src.billing.models import Order
from src.booking.commands import waitlist_take
from src.booking.commands.book import book
from src.booking.commands.leave import leave_dates
from src.booking.commands.waitlist import leave_waitlist, remove_entry
from src.booking.commands.waitlist_serve import serve_pool
from src.booking.commands.waitlist_take import held_by_offer
from src.booking.models import Seat
from src.platform.db.engine import make_sessions
from src.platform.db.uow import UnitOfWork, unit_of_work_factory
from src.platform.jobs.delivery import Delivery
from src.platform.mail.models import MailRow
from src.platform.outbox.events import registry
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, seats_of
from tests.booking.commands.test_waitlist import Town, a_town
from tests.conftest import Committing
from tests.race.test_sessions import Act, at_once
from tests.support.builders import as_guest
from tests.support.clock import FrozenClock
from tests.support.locks import until_somebody_waits
from tests.support.waiting import check_places, entries, offers

pytestmark = [pytest.mark.anyio, pytest.mark.race, pytest.mark.slow]


async def an_offer(committing: Committing) -> tuple[Town, UUID]:
    """Ann is offered the only place, and Bob waits behind her."""
    town = await a_town(committing.services)
    for name in ("Ann", "Bob"):
        await town.join(name)
    await town.work()
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    return town, offer.id


def booking(town: Town, offer_id: UUID | None, guest: str = "ann") -> Act:
    wish = a_wish("session", town.session.id, guest_email=f"{guest}@example.com", offer_id=offer_id)

    async def act(uow: UnitOfWork) -> None:
        await book(uow, as_guest(town.lotus), wish)

    return act


def serving(town: Town) -> Act:
    async def act(uow: UnitOfWork) -> None:
        tenant = await tenant_snapshot(uow, town.lotus.id, uow.clock.now())
        await serve_pool(uow, tenant, town.session.id)

    return act


async def standing(town: Town) -> int:
    """How many people have the place."""
    async with town.factory(town.lotus.id) as uow:
        found = await uow.session.scalar(
            select(func.count()).select_from(Seat).where(Seat.state == "confirmed")
        )
    return found or 0


@pytest.mark.parametrize("turn", range(4))
async def test_a_place_that_gets_free_goes_to_the_list_or_to_a_walk_in_and_never_to_both(
    committing: Committing, turn: int
) -> None:
    town = await a_town(committing.services)
    await town.join("Ann")
    await town.work()
    seats = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seats[0].id])
    acts = [serving(town), booking(town, None, "walk-in")]
    await at_once(committing, town.lotus.id, acts[:: -1 if turn % 2 else 1])
    states = await entries(town.factory, town.lotus)
    assert (await standing(town), states["Ann"]) in {(1, "waiting"), (0, "offered")}
    assert await check_places(town.factory, town.lotus) == [1]


async def test_an_offer_in_six_tabs_is_taken_once(committing: Committing) -> None:
    town, offer_id = await an_offer(committing)
    acts = [booking(town, offer_id) for _tab in range(6)]
    outcome = await at_once(committing, town.lotus.id, acts)
    assert outcome["done"] == 1, outcome
    assert set(outcome) <= {"done", "full", "sold_out"}
    assert await standing(town) == 1
    async with town.factory(town.lotus.id) as uow:
        assert await uow.session.scalar(select(func.count()).select_from(Order)) == 2
    assert await check_places(town.factory, town.lotus) == [1]


async def test_without_the_guard_it_would_be_taken_several_times(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: each tab believes that the offer is its own."""

    async def trusting(uow: UnitOfWork, offer_id: UUID, _order_id: UUID) -> dict[UUID, int]:
        return await held_by_offer(uow, offer_id)

    town, offer_id = await an_offer(committing)
    monkeypatch.setattr(waitlist_take, "_take", trusting)
    acts: list[Any] = [booking(town, offer_id) for _tab in range(6)]
    await at_once(committing, town.lotus.id, acts)
    assert await standing(town) == len(acts)


@pytest.mark.parametrize("turn", range(4))
async def test_an_offer_is_taken_or_it_ends_and_never_both(
    committing: Committing, clock: FrozenClock, turn: int
) -> None:
    """Two machines whose clocks differ: on one the offer's time is over, on the other not yet."""
    town, offer_id = await an_offer(committing)
    later = FrozenClock(clock.now() + timedelta(hours=5))
    ahead = unit_of_work_factory(make_sessions(committing.engine), later)

    async def ending(_uow: UnitOfWork) -> None:
        async with ahead(town.lotus.id) as uow:
            await serving(town)(uow)

    acts = [ending, booking(town, offer_id)]
    outcome = await at_once(committing, town.lotus.id, acts[:: -1 if turn % 2 else 1])
    assert set(outcome) <= {"done", "full", "sold_out"}, outcome
    states = await entries(town.factory, town.lotus)
    assert (await standing(town), states["Ann"], states["Bob"]) in {
        (1, "accepted", "waiting"),
        (0, "expired", "offered"),
    }
    assert await check_places(town.factory, town.lotus) == [1]


@pytest.mark.parametrize("turn", range(3))
async def test_who_declines_in_one_tab_and_books_in_another_does_one_of_them(
    committing: Committing, turn: int
) -> None:
    town, offer_id = await an_offer(committing)
    [offer] = await offers(town.factory, town.lotus)

    async def declining(uow: UnitOfWork) -> None:
        await leave_waitlist(uow, offer.entry_id)

    acts = [declining, booking(town, offer_id), serving(town)]
    outcome = await at_once(committing, town.lotus.id, [*acts[turn:], *acts[:turn]])
    assert set(outcome) <= {"done", "full", "sold_out"}, outcome
    await check_places(town.factory, town.lotus)
    await town.work()
    states = await entries(town.factory, town.lotus)
    assert states["Ann"] in {"left", "accepted"}
    assert await check_places(town.factory, town.lotus) == [1]
    assert (await standing(town) == 1) != (states["Bob"] == "offered")


async def test_the_list_served_six_times_at_once_offers_once(committing: Committing) -> None:
    town = await a_town(committing.services)
    for name in ("Ann", "Bob", "Cleo"):
        await town.join(name)
    await town.work()
    seats = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seats[0].id])
    outcome = await at_once(committing, town.lotus.id, [serving(town) for _run in range(6)])
    assert outcome == {"done": 6}
    states = await entries(town.factory, town.lotus)
    assert states == {"Ann": "offered", "Bob": "waiting", "Cleo": "waiting"}
    assert await check_places(town.factory, town.lotus) == [1]


@pytest.mark.parametrize("ends", ["removed", "left", "accepted"])
async def test_no_mail_tells_of_an_offer_that_ends_while_it_is_written(
    committing: Committing, ends: str
) -> None:
    town = await a_town(committing.services)
    await town.join("Ann")
    await town.work()
    seats = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seats[0].id])
        await serving(town)(uow)
    [offer] = await offers(town.factory, town.lotus)
    async with town.factory(town.lotus.id) as uow:
        if ends == "accepted":
            await booking(town, offer.id)(uow)
        elif ends == "left":
            await leave_waitlist(uow, offer.entry_id)
        else:
            await remove_entry(uow, town.lotus.ctx, offer.entry_id)
        await uow.settle()
        telling = asyncio.create_task(tell(town))
        await until_somebody_waits(town.factory)
    await telling
    assert (await entries(town.factory, town.lotus))["Ann"] == ends
    async with town.factory(town.lotus.id) as uow:
        kinds = set(await uow.session.scalars(select(MailRow.kind)))
    assert kinds == {"confirmed", "waitlist_joined"}


async def tell(town: Town) -> None:
    """The work that tells of the offer, by itself: the rest of the outbox would wait as well."""
    claim = text(
        "UPDATE outbox SET attempts = attempts + 1 WHERE consumer = 'booking.tell_offered'"
        " RETURNING id, attempts"
    )
    async with town.factory(town.lotus.id) as uow:
        [row] = (await uow.session.execute(claim)).all()
    services = town.services
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    await delivery.deliver(town.lotus.id, row.id, row.attempts)
