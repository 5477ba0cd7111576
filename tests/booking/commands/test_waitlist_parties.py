"""Parties of several who wait: for all of them or none, and who comes before whom meanwhile."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import update

from src.booking.commands.leave import leave_dates
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.commands.waitlist import (
    change_waitlist,
    leave_waitlist,
    remove_entry,
)
from src.booking.domain.waiting import WaitlistTerms
from src.booking.errors import NotBookable
from src.booking.models import Session
from src.platform.errors import Conflict
from src.platform.services import Services
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_waitlist import a_town
from tests.support.builders import a_series, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import joined, offers
from tests.support.work import waiting

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


async def test_a_family_is_offered_places_for_all_of_it_or_none(
    services: Services, mailer: RememberingMailer
) -> None:
    """Row 2-30: where the business has smaller ones wait behind it."""
    town = await a_town(services, size=2, waitlist={"pass_hours": None})
    await town.join("Ann", size=2)
    await town.join("Bob")
    [first, second] = await seats_of(town.factory, town.lotus.id)
    for seat in (first, second):
        async with town.factory(town.lotus.id) as uow:
            await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
        await town.work()
        expected = "waiting" if seat is first else "offered"
        assert await town.states() == {"Ann": expected, "Bob": "waiting"}
    [offer] = await offers(town.factory, town.lotus)
    assert mailer.sent[-1].subject == "There are 2 places for you: Yoga"
    assert "there are 2 places for you now. They are held until" in mailer.sent[-1].body
    await town.take(offer.id, party=("Ann",))
    assert await town.check() == [1]
    await town.work()
    assert (await town.states())["Bob"] == "offered", "what she did not want goes on"
    assert await town.check() == [2]


@pytest.mark.parametrize("by", ["herself", "staff"])
async def test_when_a_party_that_held_others_up_goes_they_are_offered_what_is_free(
    services: Services, by: str
) -> None:
    town = await a_town(services, size=2, waitlist={"pass_hours": None})
    ann = await town.join("Ann", size=2)
    await town.join("Bob")
    [seat, _other] = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
    await town.work()
    assert await town.states() == {"Ann": "waiting", "Bob": "waiting"}
    async with town.factory(town.lotus.id) as uow:
        if by == "staff":
            await remove_entry(uow, town.lotus.ctx, ann)
        else:
            await leave_waitlist(uow, ann)
    await town.work()
    assert (await town.states())["Bob"] == "offered"
    assert await town.check() == [2]


async def test_terms_by_which_smaller_parties_pass_hold_for_who_waits_already(
    services: Services,
) -> None:
    town = await a_town(services, size=2, waitlist={"pass_hours": None})
    await town.join("Ann", size=2)
    await town.join("Bob")
    [seat, _other] = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await change_waitlist(uow, town.lotus.ctx, town.service.id, WaitlistTerms(pass_hours=0))
    await town.work()
    assert await town.states() == {"Ann": "waiting", "Bob": "offered"}


@pytest.mark.slow
async def test_changed_terms_wake_each_list_to_come_by_an_event_of_its_own(
    services: Services, clock: FrozenClock
) -> None:
    town = await a_town(services)
    term = await a_series(town.factory, town.service, price_type="free", price_minor=0)
    later = await a_session(town.factory, town.service, in_days=40)
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=Session.capacity))
    await town.join("Ann")
    await joined(town.factory, town.lotus, "session", later.id, "Bob")
    await joined(town.factory, town.lotus, "series", term.series.id, "Cleo")
    await town.work()
    clock.advance(town.session.ends_at - clock.now())
    async with town.factory(town.lotus.id) as uow:
        await change_waitlist(uow, town.lotus.ctx, town.service.id, WaitlistTerms(pass_hours=6))
    woken = await waiting(services, town.lotus.id)
    assert woken.count("booking.serve_waitlists") == 2, "Ann's is over, and Cleo's three are one"


async def test_who_waits_and_fits_comes_before_strangers_while_a_bigger_party_waits(
    services: Services,
) -> None:
    town = await a_town(services, size=2)
    await town.join("Ann", size=2)
    await town.join("Bob")
    [seat, _other] = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
    await town.work()
    assert await town.states() == {"Ann": "waiting", "Bob": "offered"}
    assert await town.check() == [2]
    with pytest.raises(NotBookable):
        await town.take(None, guest_email="walk-in@example.com")


async def test_a_party_that_can_never_fit_neither_joins_nor_holds_anybody_up(
    services: Services,
) -> None:
    town = await a_town(services, size=3, waitlist={"pass_hours": None})
    with pytest.raises(Conflict) as never:
        await town.join("Ann", size=4)
    assert never.value.code == "waitlist_never_fits"
    await town.join("Ann", size=3)
    await town.join("Bob")
    seats = await seats_of(town.factory, town.lotus.id)
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(
            uow, town.lotus.tenant, town.made.order_id, [seat.id for seat in seats[:2]]
        )
    await town.work()
    assert await town.states() == {"Ann": "waiting", "Bob": "waiting"}
    async with town.factory(town.lotus.id) as uow:
        session = await uow.session.get_one(Session, (town.lotus.id, town.session.id))
        fields = msgspec.structs.asdict(details_of_session(session)) | {"capacity": 2}
        await update_session(uow, town.lotus.ctx, UpdateSession(session_id=session.id, **fields))
    await town.work()
    assert await town.states() == {"Ann": "waiting", "Bob": "offered"}


async def test_a_price_that_runs_out_costs_nobody_their_turn(
    services: Services, clock: FrozenClock
) -> None:
    """Row 2-31: entries hung on a price, and the last of the list had the seat when it ended."""
    early = {"key": "early", "name": "Early bird", "price_minor": 900, "until_on": "2027-03-01"}
    town = await a_town(services, price_type="on_site", price_tiers=[early])
    await town.join("Ann")
    clock.advance(timedelta(days=2))
    await town.join("Bob")
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}
    [offer] = await offers(town.factory, town.lotus)
    assert (await town.take(offer.id)).total_minor == 1500, "at the price of today"
