"""How waiting ends: by staff, with the date itself, or with a hold that nobody paid."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select, update

from src.billing.commands.ending import cancel_open_order, expire_order
from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.leave import leave_dates
from src.booking.commands.pruning import prune_waitlists
from src.booking.commands.series import get_series_command, update_series
from src.booking.commands.waitlist import (
    change_waitlist,
    leave_waitlist,
    remove_entry,
    wait_again,
)
from src.booking.commands.waitlist_leaving import close_lists
from src.booking.commands.waitlist_serve import WAITLIST_DUE, offer_by_hand
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.waiting import WaitlistTerms
from src.booking.jobs.waitlist import serve, serve_due
from src.booking.models import Service, Session
from src.booking.queries.lists_toll import waiters_of
from src.booking.queries.waitlist_consequences import waitlist_consequences
from src.platform.errors import Conflict, InvalidInput
from src.platform.services import Services
from src.platform.web.formats import date_range
from src.tenants.domain.entitlements import Feature
from src.tenants.domain.plans import Change
from src.tenants.models import Due
from tests.booking.commands.test_book import seats_of
from tests.booking.commands.test_waitlist import Town, a_town
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
)
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import entries, joined, offers
from tests.support.work import work

pytestmark = pytest.mark.anyio


async def a_full_term(services: Services) -> tuple[Business, Term]:
    """A series on sale whose dates have no place left, sold to nobody."""
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    term = await a_series(
        services.uow_factory, service, price_type="free", price_minor=0, drop_in_allowed=True
    )
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).values(seats_taken=Session.capacity))
    return lotus, term


@pytest.fixture
async def town(services: Services) -> Town:
    return await a_town(services)


async def test_a_session_that_is_called_off_closes_its_list_and_withdraws_offers(
    town: Town, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await cancel_session(uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=0)
    await town.work()
    assert await town.states() == {"Ann": "closed", "Bob": "closed"}
    assert await town.check() == [0]
    told = sorted(mail.to[0] for mail in mailer.sent if mail.subject == "Does not take place: Yoga")
    assert told == ["Ann <ann@example.com>", "Bob <bob@example.com>"]
    [offer] = await offers(town.factory, town.lotus)
    assert offer.state == "withdrawn"


async def test_a_series_that_is_called_off_closes_its_list_too(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus, term = await a_full_term(services)
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await work(services, lotus.id)
    mailer.sent.clear()
    first = term.sessions[0].id
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, first, reason="", undo_seconds=0)
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "waiting"}, "two dates are left"
    async with services.uow_factory(lotus.id) as uow:
        await cancel_series(uow, lotus.ctx, term.series.id, reason="", undo_seconds=0)
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "closed"}
    [told] = [mail for mail in mailer.sent if mail.subject.startswith("Does not take place")]
    assert told.to[0] == "Ann <ann@example.com>"
    whens = [date_range(run.starts_at, run.ends_at, lotus.tenant.zone) for run in term.sessions]
    assert all(when in told.body for when in whens), "which dates they were"


async def test_a_series_is_offered_at_once_when_its_one_full_date_is_called_off(
    services: Services,
) -> None:
    lotus, term = await a_full_term(services)
    full = term.sessions[0].id
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Session).where(Session.id != full).values(seats_taken=0))
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "waiting"}
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, full, reason="", undo_seconds=0)
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "offered"}
    [offer] = await offers(services.uow_factory, lotus)
    assert set(offer.session_ids) == {one.id for one in term.sessions[1:]}


async def test_an_offer_on_a_date_that_leaves_its_series_ends_by_the_clock(
    services: Services, clock: FrozenClock
) -> None:
    lotus, term = await a_full_term(services)
    date = term.sessions[1].id
    await joined(services.uow_factory, lotus, "session", date, "Ann")
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == date).values(capacity=term.sessions[1].capacity + 1)
        )
        await wake_waitlists(uow, [date])
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "offered"}
    async with services.uow_factory(lotus.id) as uow:
        command = await get_series_command(uow, term.series.id)
        kept = tuple(one for one in command.session_ids if one != date)
        await update_series(
            uow, lotus.ctx, term.series.id, msgspec.structs.replace(command, session_ids=kept)
        )
    await work(services, lotus.id)
    clock.advance(timedelta(days=2))
    await serve_due(services)
    assert await entries(services.uow_factory, lotus) == {"Ann": "expired"}


async def test_calling_off_another_date_leaves_offers_alone(
    town: Town, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    service = await a_service(town.factory, town.lotus.id, price_type="free", slug="other")
    other = await a_session(town.factory, service, in_days=9)
    async with town.factory(town.lotus.id) as uow:
        loose = await uow.session.get_one(Session, (town.lotus.id, other.id))
        assert not (await waiters_of(uow, town.lotus.tenant, moved=[loose], grown=[])).told
        await cancel_session(uow, town.lotus.ctx, other.id, reason="", undo_seconds=0)
    mailer.sent.clear()
    await town.work()
    assert [(one.id, one.state) for one in await offers(town.factory, town.lotus)] == [
        (offer.id, "live")
    ]
    assert mailer.sent == []


async def test_an_offer_of_a_cancelled_date_is_closed_with_its_mail_not_by_the_clock(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await cancel_session(uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=0)
        # Committed by the job a moment before whoever closes the list looks.
        await uow.session.execute(update(Session).values(state="cancelled"))
    clock.advance(timedelta(days=1))
    await serve_due(town.services)
    assert await town.states() == {"Ann": "offered"}
    async with town.factory(town.lotus.id) as uow:
        await close_lists(uow, town.session.id)
    await town.work()
    assert await town.states() == {"Ann": "closed"}
    told = [mail.to[0] for mail in mailer.sent if mail.subject.startswith("Does not take place")]
    assert told == ["Ann <ann@example.com>"]


async def test_an_offer_does_not_pass_while_its_date_is_being_cancelled(
    town: Town, clock: FrozenClock
) -> None:
    """Nobody can take it then, and in the undo window nothing happens to anybody."""
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    ends_at = offer.expires_at
    clock.advance(ends_at - clock.now() - timedelta(minutes=1))
    async with town.factory(town.lotus.id) as uow:
        stopped = await cancel_session(
            uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=600
        )
    clock.advance(timedelta(minutes=5))
    await serve_due(town.services)
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}
    async with town.factory(town.lotus.id) as uow:
        await undo_cancellation(uow, town.lotus.ctx, stopped)
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.expires_at) == ("live", ends_at + timedelta(minutes=5))
    await town.take(offer.id)
    assert await town.states() == {"Ann": "accepted", "Bob": "waiting"}
    assert await town.check() == [1]


async def test_an_offer_that_ran_out_of_a_date_that_is_called_off_is_closed_with_it(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.free()
    await town.work()
    clock.advance(timedelta(hours=3, minutes=59))
    async with town.factory(town.lotus.id) as uow:
        await cancel_session(uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=600)
    for _twice in range(2):
        clock.advance(timedelta(minutes=5))
        await serve_due(town.services)
    await town.work()
    assert await town.states() == {"Ann": "closed"}
    assert mailer.sent[-1].subject == "Does not take place: Yoga"
    assert await town.check() == [0]


async def test_an_offer_by_hand_does_not_put_off_the_end_of_another(
    services: Services, clock: FrozenClock
) -> None:
    town = await a_town(services, size=2)
    await town.join("Ann")
    bob = await town.join("Bob")
    seat = (await seats_of(town.factory, town.lotus.id))[0]
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
    await town.work()
    clock.advance(timedelta(hours=3, minutes=50))
    await serve_due(services)
    seat = (await seats_of(town.factory, town.lotus.id))[1]
    async with town.factory(town.lotus.id) as uow:
        await leave_dates(uow, town.lotus.tenant, town.made.order_id, [seat.id])
    async with town.factory(town.lotus.id) as uow:
        await offer_by_hand(uow, town.lotus.ctx, town.lotus.tenant, bob)
    async with town.factory(town.lotus.id) as uow:
        planned = select(Due.at).where(Due.kind == WAITLIST_DUE)
        next_look = (await uow.session.scalars(planned)).one()
    assert next_look <= clock.now() + timedelta(minutes=10), "Ann's offer ends then"


async def test_who_is_taken_off_is_told_once_with_or_without_an_offer(
    town: Town, mailer: RememberingMailer
) -> None:
    ann, bob = await town.join("Ann"), await town.join("Bob")
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}
    for entry_id in (bob, ann, ann):
        async with town.factory(town.lotus.id) as uow:
            await remove_entry(uow, town.lotus.ctx, entry_id)
        await town.work()
    told = [one for one in mailer.sent if one.subject == "No longer on the waiting list: Yoga"]
    assert [mail.to[0] for mail in told] == ["Bob <bob@example.com>", "Ann <ann@example.com>"]
    lost = ["The place that was offered to you is no longer yours to take" in m.body for m in told]
    assert lost == [False, True]


async def test_who_is_taken_off_before_they_heard_of_an_offer_reads_nothing_of_it(
    town: Town, mailer: RememberingMailer
) -> None:
    ann = await town.join("Ann")
    await town.free()
    assert await serve(town.services, town.lotus.id, town.session.id) == 1
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, ann)
    await town.work()
    told = [mail for mail in mailer.sent if mail.to[0].startswith("Ann ")]
    assert [mail.subject for mail in told] == [
        "On the waiting list: Yoga",
        "No longer on the waiting list: Yoga",
    ]
    assert "offered to you" not in told[-1].body


async def test_who_is_taken_off_twice_reads_of_the_offer_that_they_knew(
    town: Town, mailer: RememberingMailer
) -> None:
    """The second offer ends before its mail has left, and before the first removal is told."""
    ann = await town.join("Ann")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, ann)
    async with town.factory(town.lotus.id) as uow:
        await offer_by_hand(uow, town.lotus.ctx, town.lotus.tenant, ann)
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, ann)
    await town.work()
    told = [one for one in mailer.sent if one.subject == "No longer on the waiting list: Yoga"]
    assert sorted("was offered to you" in mail.body for mail in told) == [False, True]


async def test_who_is_taken_off_after_everybody_was_told_loses_nothing(
    town: Town, mailer: RememberingMailer, clock: FrozenClock
) -> None:
    ann = await town.join("Ann")
    clock.advance(town.session.starts_at - clock.now() - timedelta(hours=2, minutes=30))
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.holds) == ("live", False)
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, ann)
    await town.work()
    assert mailer.sent[-1].subject == "No longer on the waiting list: Yoga"
    assert "was offered to you" not in mailer.sent[-1].body


async def test_who_was_removed_is_not_offered_anything_but_by_hand(town: Town) -> None:
    """Row 2-35."""
    entry_id = await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, entry_id)
    with pytest.raises(Conflict) as full:
        async with town.factory(town.lotus.id) as uow:
            await offer_by_hand(uow, town.lotus.ctx, town.lotus.tenant, entry_id)
    assert full.value.code == "waitlist_no_place"
    with pytest.raises(Conflict):
        async with town.factory(town.lotus.id) as uow:
            await wait_again(uow, town.lotus.tenant, entry_id)
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "removed"}
    async with town.factory(town.lotus.id) as uow:
        await offer_by_hand(uow, town.lotus.ctx, town.lotus.tenant, entry_id)
    assert await town.states() == {"Ann": "offered"}
    assert await town.check() == [1]
    with pytest.raises(Conflict) as twice:
        async with town.factory(town.lotus.id) as uow:
            await offer_by_hand(uow, town.lotus.ctx, town.lotus.tenant, entry_id)
    assert twice.value.code == "not_waiting"


async def test_pressed_twice_leaving_frees_once(town: Town) -> None:
    entry_id = await town.join("Ann")
    await town.free()
    await town.work()
    for _press in range(2):
        async with town.factory(town.lotus.id) as uow:
            await leave_waitlist(uow, entry_id)
    assert await town.check() == [0]
    async with town.factory(town.lotus.id) as uow:
        assert await uow.session.scalar(select(Due.id).where(Due.kind == WAITLIST_DUE))
    await serve_due(town.services)


async def test_what_starts_closes_its_list(town: Town, clock: FrozenClock) -> None:
    await town.join("Ann")
    await town.work()
    clock.advance(timedelta(days=7))
    await serve_due(town.services)
    assert await town.states() == {"Ann": "closed"}
    async with town.factory(town.lotus.id) as uow:
        assert await uow.session.scalar(select(Due.id).where(Due.kind == WAITLIST_DUE)) is None


async def test_terms_are_checked_before_they_are_kept(town: Town) -> None:
    with pytest.raises(InvalidInput):
        async with town.factory(town.lotus.id) as uow:
            await change_waitlist(
                uow, town.lotus.ctx, town.service.id, WaitlistTerms(offer_minutes=1)
            )


async def test_an_unpaid_hold_frees_the_place_for_the_next(town: Town) -> None:
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online", price_minor=1500))
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    made = await town.take(offer.id)
    assert made.needs_payment
    assert await town.check() == [1]
    async with town.factory(town.lotus.id) as uow:
        await expire_order(uow, made.order_id, "time", uow.clock.now())
    await town.work()
    assert await town.states() == {"Ann": "accepted", "Bob": "offered"}
    assert await town.check() == [1]
    assert {seat.state for seat in await seats_of(town.factory, town.lotus.id)} == {
        "cancelled",
        "expired",
    }


async def test_who_waited_long_ago_is_forgotten(town: Town, clock: FrozenClock) -> None:
    entry_id = await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    async with town.factory(town.lotus.id) as uow:
        await leave_waitlist(uow, entry_id)
    clock.advance(timedelta(days=1))
    async with town.factory(town.lotus.id) as uow:
        assert await prune_waitlists(uow, uow.clock.now(), 500) == 1
    assert list(await town.states()) == ["Bob"]
    await town.check()


async def test_losing_waiting_lists_says_first_who_waits_in_vain(town: Town) -> None:
    lost = Change(gained=(), lost=(Feature.WAITLIST,), limits=())
    async with town.factory(town.lotus.id) as uow:
        assert await waitlist_consequences(uow, lost, uow.clock.now()) == []
    await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        [said] = await waitlist_consequences(uow, lost, uow.clock.now())
    assert said.text.startswith("1 person who waits is offered no place any more")


async def test_who_changes_a_held_booking_does_not_lose_it_to_the_list(
    town: Town, clock: FrozenClock
) -> None:
    """Giving up and holding again come one after the other, and the list is not let in between."""
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Service).values(price_type="online", price_minor=1500))
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    made = await town.take(offer.id)
    async with town.factory(town.lotus.id) as uow:
        await cancel_open_order(uow, made.order_id, "changed", uow.clock.now())
    await town.work()
    assert (await town.states())["Bob"] == "waiting"
    await town.take(offer.id, party=("Annie",))
    clock.advance(timedelta(seconds=5))
    await town.work()
    assert (await town.states())["Bob"] == "waiting"
    assert await town.check() == [1]
