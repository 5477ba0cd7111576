"""Dates that move while somebody waits for them, or has been offered a place."""

from datetime import datetime, timedelta

import msgspec
import pytest
from litestar_email import EmailMultiAlternatives
from sqlalchemy import select, update

from src.booking.commands.edit_plan import EditSeveral
from src.booking.commands.edit_several import edit_several
from src.booking.commands.sessions import UpdateSession, details_of_session, update_session
from src.booking.commands.waitlist import change_waitlist
from src.booking.commands.waking import wake_waitlists
from src.booking.domain.kinds import DateScope
from src.booking.domain.waiting import WaitlistTerms
from src.booking.errors import MovesGuests
from src.booking.jobs.waitlist import serve, serve_due
from src.booking.models import Series, Session
from src.platform.db.uow import UnitOfWork
from src.platform.errors import InvalidInput
from src.platform.services import Services
from src.platform.web.formats import date_range
from src.tenants.commands.wordings import word_mail
from src.tenants.domain.wording import Wording
from tests.booking.commands.test_waitlist import Town, a_town
from tests.booking.commands.test_waitlist_ends import a_full_term
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.waiting import entries, joined, offers
from tests.support.work import work

pytestmark = pytest.mark.anyio
HOUR = timedelta(hours=1)


@pytest.fixture
async def town(services: Services) -> Town:
    return await a_town(services)


async def move(
    town: Town, starts_at: datetime, *, move_guests: bool = True, **more: object
) -> None:
    async with town.factory(town.lotus.id) as uow:
        now = await uow.session.get_one(Session, (town.lotus.id, town.session.id))
        fields = msgspec.structs.asdict(details_of_session(now))
        fields |= {"starts_at": starts_at, "ends_at": starts_at + HOUR, **more}
        cmd = UpdateSession(session_id=now.id, move_guests=move_guests, **fields)
        await update_session(uow, town.lotus.ctx, cmd)


def moved(mailer: RememberingMailer) -> list[EmailMultiAlternatives]:
    return [mail for mail in mailer.sent if mail.subject.startswith("Another time")]


async def an_offer(town: Town) -> None:
    """Ann has the place for four hours, Bob waits behind her."""
    await town.join("Ann")
    await town.join("Bob")
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}


async def test_who_joins_after_a_move_is_not_told_of_it_as_of_news(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Although the work that tells of it comes first; another place may even get free meanwhile."""
    await town.join("Ann")
    await move(town, clock.now() + timedelta(days=8))
    await joined(town.factory, town.lotus, "session", town.session.id, "Bob")
    await town.work()
    assert [mail.to[0] for mail in moved(mailer)] == ["Ann <ann@example.com>"]
    told = [mail.subject for mail in mailer.sent if mail.to[0].startswith("Bob ")]
    assert told == ["On the waiting list: Yoga"]


async def test_an_offer_ends_an_hour_before_the_new_start_and_all_who_wait_are_told(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await an_offer(town)
    starts_at = clock.now() + 4 * HOUR
    await move(town, starts_at)
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.expires_at) == ("live", starts_at - HOUR)
    assert await town.check() == [1]
    ann, bob = sorted(moved(mailer), key=lambda mail: mail.to[0])
    assert (ann.to, bob.to) == (["Ann <ann@example.com>"], ["Bob <bob@example.com>"])
    assert "What you were offered stands until" in ann.body
    assert "offered" not in bob.body
    clock.advance(3 * HOUR + timedelta(seconds=1))
    assert await serve_due(town.services) == 1
    assert await town.states() == {"Ann": "expired", "Bob": "waiting"}


async def test_a_later_date_leaves_an_offer_the_end_that_was_promised(
    town: Town, clock: FrozenClock
) -> None:
    await an_offer(town)
    await move(town, town.session.starts_at + timedelta(days=7))
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.expires_at) == ("live", clock.now() + 4 * HOUR)


async def test_an_offer_that_the_move_makes_impossible_is_withdrawn_and_keeps_its_turn(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await an_offer(town)
    await move(town, clock.now() + HOUR / 2)
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert offer.state == "withdrawn"
    assert await town.states() == {"Ann": "waiting", "Bob": "waiting"}
    assert await town.check() == [0]
    [told] = [mail for mail in moved(mailer) if mail.to == ["Ann <ann@example.com>"]]
    assert "You keep your turn on the list." in told.body
    await move(town, clock.now() + timedelta(days=3))
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}


@pytest.mark.parametrize(("minutes", "state"), [(50, "withdrawn"), (90, "live")])
async def test_terms_that_close_sooner_leave_an_offer_until_the_last_hour(
    services: Services, clock: FrozenClock, minutes: int, state: str
) -> None:
    until_the_start = WaitlistTerms(
        closing_minutes=0, last_offer_minutes=15, rush_hours=0, quiet_from=0, quiet_until=0
    )
    town = await a_town(services, waitlist=until_the_start.document())
    await town.join("Ann")
    starts_at = town.session.starts_at
    clock.advance(starts_at - clock.now() - timedelta(minutes=minutes))
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert (offer.state, offer.expires_at) == ("live", starts_at)
    sooner = msgspec.structs.replace(until_the_start, closing_minutes=10 * 60)
    async with town.factory(town.lotus.id) as uow:
        await change_waitlist(uow, town.lotus.ctx, town.service.id, sooner)
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    assert offer.state == state
    assert offer.expires_at == starts_at - HOUR
    assert await town.states() == {"Ann": "offered" if state == "live" else "waiting"}


async def test_a_rush_is_none_any_more_once_the_date_is_far_off(
    town: Town, clock: FrozenClock
) -> None:
    await town.join("Ann")
    await town.join("Bob")
    clock.advance(town.session.starts_at - clock.now() - timedelta(hours=2, minutes=30))
    await town.free()
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "offered"}
    assert await town.check() == [0]
    await move(town, town.session.starts_at + timedelta(days=7))
    await town.work()
    assert await town.states() == {"Ann": "offered", "Bob": "waiting"}
    assert await town.check() == [1]


async def test_two_moves_before_anybody_heard_are_one_mail_with_the_last_time(
    town: Town, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    for days in (1, 2):
        await move(town, town.session.starts_at + timedelta(days=days))
    for _twice in range(2):
        await town.work()
    [told] = moved(mailer)
    assert f"{(town.session.starts_at + timedelta(days=2)).day}" in told.body


def was(town: Town, days: int) -> str:
    since = timedelta(days=days)
    at = town.session.starts_at + since, town.session.ends_at + since
    return f"Before: {date_range(*at, town.lotus.tenant.zone)}"


async def test_the_mail_says_what_was_said_before_and_why_it_is_not_so(
    town: Town, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    start = town.session.starts_at
    await move(town, start + timedelta(days=1), reason="The hall is closed.")
    await move(town, start + timedelta(days=2), reason="Kim is ill.")
    await town.work()
    await move(town, start + timedelta(days=3), reason="It is cold.")
    await town.work()
    first, second = moved(mailer)
    assert was(town, 0) in first.body
    assert "Why: Kim is ill. The hall is closed." in first.body
    assert was(town, 2) in second.body
    assert "Why: It is cold.\n" in second.body
    assert was(town, 1) not in first.body + second.body


async def test_an_offer_by_the_act_that_moves_the_date_says_both_times_and_is_the_only_mail(
    town: Town, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    later = town.session.starts_at + timedelta(days=1)
    await move(town, later, capacity=2, reason="A bigger hall.")
    mailer.sent.clear()
    await town.work()
    [told] = [mail for mail in mailer.sent if mail.to == ["Ann <ann@example.com>"]]
    assert told.subject == "There is a place for you: Yoga"
    assert date_range(later, later + HOUR, town.lotus.tenant.zone) in told.body
    assert was(town, 0) in told.body
    assert "Why: A bigger hall." in told.body


async def test_own_words_that_name_no_dates_say_with_the_offer_that_they_moved(
    town: Town, mailer: RememberingMailer
) -> None:
    words = Wording(subject="A place", body="It is yours until {until}.\n\n{booking_link}")
    async with town.factory(town.lotus.id) as uow:
        await word_mail(uow, town.lotus.ctx, "places_offered", "en", words)
    await town.join("Ann")
    later = town.session.starts_at + timedelta(days=1)
    await move(town, later, capacity=2, reason="A bigger hall.")
    mailer.sent.clear()
    await town.work()
    [told] = [mail for mail in mailer.sent if mail.to == ["Ann <ann@example.com>"]]
    zone, start = town.lotus.tenant.zone, town.session.starts_at
    now, before = [date_range(at, at + HOUR, zone) for at in (later, start)]
    said = f"it is {now}, and no longer {before}. Why: A bigger hall."
    assert " ".join(said.split()) in told.body


async def test_own_words_for_joining_that_name_no_dates_leave_a_move_to_be_told(
    town: Town, mailer: RememberingMailer
) -> None:
    words = Wording(subject="You wait", body="You are on the list.\n\n{booking_link}")
    async with town.factory(town.lotus.id) as uow:
        await word_mail(uow, town.lotus.ctx, "waitlist_joined", "en", words)
    await joined(town.factory, town.lotus, "session", town.session.id, "Bob")
    await move(town, town.session.starts_at + timedelta(days=1))
    await town.work()
    assert len(moved(mailer)) == 1


async def test_who_joins_or_is_offered_a_place_after_the_move_has_read_it(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await town.join("Ann")
    await town.free()
    await move(town, town.session.starts_at + timedelta(days=1))
    clock.advance(timedelta(seconds=1))
    await town.work()
    assert await town.states() == {"Ann": "offered"}
    assert moved(mailer) == []
    assert mailer.sent[-1].subject == "There is a place for you: Yoga"


async def test_who_joined_while_the_move_was_being_written_is_told(
    town: Town, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """The move was begun before they joined, and committed after they were told the old time."""
    await town.join("Ann")
    later = town.session.starts_at + timedelta(days=1)
    clock.advance(timedelta(seconds=2))
    await town.join("Bob")
    clock.advance(timedelta(seconds=-2))
    await move(town, later)
    clock.advance(timedelta(seconds=3))
    await town.work()
    assert sorted(mail.to[0].split()[0] for mail in moved(mailer)) == ["Ann", "Bob"]


async def test_fewer_seats_than_are_on_offer_are_refused_and_it_says_why(
    services: Services,
) -> None:
    town = await a_town(services, size=3)
    await town.join("Ann", size=2)
    await town.free()
    await town.work()
    assert await town.check() == [2]
    for several in (False, True):
        with pytest.raises(InvalidInput) as refused:
            async with town.factory(town.lotus.id) as uow:
                await shrink(uow, town, several=several)
        assert (
            "2 places are on offer to people on the waiting list"
            in refused.value.fields["capacity"]
        )
    with pytest.raises(MovesGuests, match="2 places are on offer to people") as moves:
        await move(town, town.session.starts_at + HOUR, move_guests=False)
    assert (moves.value.seats, moves.value.on_offer) == (0, 2)


async def shrink(uow: UnitOfWork, town: Town, *, several: bool) -> None:
    now = await uow.session.get_one(Session, (town.lotus.id, town.session.id))
    if several:
        cmd = EditSeveral(session_id=now.id, scope=DateScope.ALL, capacity=1)
        await edit_several(uow, town.lotus.ctx, cmd)
        return
    fields = msgspec.structs.asdict(details_of_session(now)) | {"capacity": 1}
    await update_session(uow, town.lotus.ctx, UpdateSession(session_id=now.id, **fields))


async def test_who_waits_for_a_series_is_told_of_its_dates_in_one_mail(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus, term = await a_full_term(services)
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await joined(services.uow_factory, lotus, "session", term.sessions[0].id, "Bob")
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        first = (await uow.session.scalars(select(Session).order_by(Session.starts_at))).first()
        assert first is not None
        lasts = int((first.ends_at - first.starts_at).total_seconds() // 60) + 15
        cmd = EditSeveral(session_id=first.id, scope=DateScope.ALL, duration_minutes=lasts)
        assert await edit_several(uow, lotus.ctx, cmd) == len(term.sessions)
    await work(services, lotus.id)
    assert await entries(services.uow_factory, lotus) == {"Ann": "waiting", "Bob": "waiting"}
    told = sorted(mail.to[0] for mail in moved(mailer))
    assert told == ["Ann <ann@example.com>", "Bob <bob@example.com>"]


async def test_the_mail_lists_the_date_that_moved_beside_those_that_are_offered(
    services: Services, mailer: RememberingMailer
) -> None:
    lotus, term = await a_full_term(services)
    first, last = term.sessions[0], term.sessions[-1]
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Series).values(gap_policy="sell_with_gaps", join_policy="any_time")
        )
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == last.id).values(seats_taken=0)
        )
        await wake_waitlists(uow, [last.id])
    await work(services, lotus.id)
    [offer] = await offers(services.uow_factory, lotus)
    assert offer.session_ids == [last.id]
    async with services.uow_factory(lotus.id) as uow:
        now = await uow.session.get_one(Session, (lotus.id, first.id))
        fields = msgspec.structs.asdict(details_of_session(now))
        fields |= {"starts_at": first.starts_at + HOUR, "ends_at": first.ends_at + HOUR}
        cmd = UpdateSession(session_id=now.id, move_guests=True, **fields)
        await update_session(uow, lotus.ctx, cmd)
    await work(services, lotus.id)
    [told] = moved(mailer)
    assert date_range(first.starts_at + HOUR, first.ends_at + HOUR, lotus.tenant.zone) in told.body
    assert date_range(last.starts_at, last.ends_at, lotus.tenant.zone) in told.body


async def test_a_rush_for_a_series_with_gaps_is_told_once(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Its first date is full and near, the others are far off and have room."""
    lotus, term = await a_full_term(services)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Series).values(gap_policy="sell_with_gaps", join_policy="any_time")
        )
    await joined(services.uow_factory, lotus, "series", term.series.id, "Ann")
    await work(services, lotus.id)
    clock.advance(term.sessions[0].starts_at - clock.now() - timedelta(hours=2, minutes=30))
    async with services.uow_factory(lotus.id) as uow:
        later = [session.id for session in term.sessions[1:]]
        await uow.session.execute(
            update(Session).where(Session.id.in_(later)).values(seats_taken=0)
        )
        await wake_waitlists(uow, later)
    await work(services, lotus.id)
    for _twice in range(2):
        await serve(services, lotus.id, term.series.id)
    await work(services, lotus.id)
    [offer] = await offers(services.uow_factory, lotus)
    assert (offer.state, offer.holds) == ("live", False)
    told = [mail for mail in mailer.sent if mail.subject.startswith("There is a place")]
    assert len(told) == 1
