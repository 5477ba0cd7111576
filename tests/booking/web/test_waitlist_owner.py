"""A waiting list from its owner's side: who waits, why they have no offer, and the terms."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.commands.cancel import cancel_session
from src.booking.commands.waitlist import change_waitlist, remove_entry
from src.booking.domain.waiting import WaitlistTerms
from src.booking.models import Service, Session, WaitlistEntry
from src.platform.services import Services
from tests.booking.commands.test_waitlist import Town, a_town
from tests.booking.web.pages import as_owner, fields_of, send, send_again
from tests.support.builders import a_series
from tests.support.clock import FrozenClock
from tests.support.waiting import joined, offers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def town(services: Services, client: AsyncClient) -> Town:
    town = await a_town(services)
    await as_owner(client, services, town.lotus)
    return town


def path_of(town: Town) -> str:
    return f"/app/lotus/sessions/{town.session.id}/waitlist"


@pytest.mark.slow
async def test_the_list_says_who_waits_in_which_order_and_why(
    town: Town, client: AsyncClient, clock: FrozenClock
) -> None:
    """Row 2-32: nobody could tell why no offer went out."""
    empty = await client.get(path_of(town))
    assert "Nobody waits" in empty.text
    assert path_of(town) in (await client.get(f"/app/lotus/sessions/{town.session.id}")).text
    await town.join("Ann")
    await town.join("Bob")
    await town.work()
    about = await client.get(f"/app/lotus/sessions/{town.session.id}")
    assert "2 on the waiting list" in about.text
    shown = (await client.get(path_of(town))).text
    assert shown.index("Ann") < shown.index("Bob")
    assert "No place is free." in shown
    raised = f'href="/app/lotus/sessions/{town.session.id}/edit">Raise the session&#39;s capacity.'
    assert shown.count(raised) == 2
    await town.free()
    await town.work()
    shown = (await client.get(path_of(town))).text
    assert "Offered" in shown
    assert "A place was offered and held" in shown


async def test_the_list_says_that_a_party_can_never_fit(
    services: Services, town: Town, client: AsyncClient
) -> None:
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=2, seats_taken=2))
    await town.join("Ann", size=2)
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=1, seats_taken=1))
    shown = (await client.get(path_of(town))).text
    assert "The party is bigger than the session, even when it is empty." in shown


@pytest.mark.slow
async def test_an_owner_offers_out_of_turn_and_takes_off(town: Town, client: AsyncClient) -> None:
    await town.join("Ann")
    bob = await town.join("Bob")
    await town.work()
    asks = await client.get(f"/app/lotus/waitlist/{bob}/remove")
    refused = await send_again(client, f"/app/lotus/waitlist/{bob}/offer", asks, {})
    shown = await client.get(refused.headers["location"])
    assert "No place is free. Raise the session&#39;s capacity." in shown.text
    await town.free()
    await town.work()
    [offer] = await offers(town.factory, town.lotus)
    ann = offer.entry_id
    path = f"/app/lotus/waitlist/{ann}/remove"
    assert path in (await client.get(path_of(town))).text
    asked = await client.get(path)
    assert "it goes to the next" in asked.text
    unaware = await send_again(client, path, asked, {"has_offer": None})
    assert unaware.headers["location"] == path
    assert "A place has been offered to them meanwhile." in (await client.get(path)).text
    for said in ("and a mail says so.", "They are on the list no more."):
        sent = await send_again(client, path, asked, {})
        shown = await client.get(sent.headers["location"])
        assert said in shown.text
    assert (await client.get(path)).headers["location"] == path_of(town)
    await send_again(client, f"/app/lotus/waitlist/{bob}/offer", asks, {})
    assert await town.states() == {"Ann": "removed", "Bob": "offered"}
    assert await town.check() == [1]
    shown = await client.get(path_of(town))
    assert "A place was offered by hand" in shown.text
    assert "Taken off the list" in shown.text
    log = await client.get("/app/lotus/settings/log")
    assert "Took somebody off a waiting list" in log.text


@pytest.mark.slow
async def test_the_list_of_a_cancelled_session_offers_nothing(
    town: Town, client: AsyncClient, clock: FrozenClock
) -> None:
    ann = await town.join("Ann")
    async with town.factory(town.lotus.id) as uow:
        await remove_entry(uow, town.lotus.ctx, ann)
    assert "Offer a place" not in (await client.get(path_of(town))).text, "it is full"
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(update(Session).values(capacity=Session.capacity + 1))
    open_list = (await client.get(path_of(town))).text
    assert f"/app/lotus/waitlist/{ann}/offer" in open_list
    for label in ("What happened", "Actions"):
        assert f'data-label="{label}"' not in open_list
    async with town.factory(town.lotus.id) as uow:
        off = WaitlistTerms(is_on=False)
        await change_waitlist(uow, town.lotus.ctx, town.service.id, off)
    assert f"/waitlist/{ann}/offer" not in (await client.get(path_of(town))).text, "switched off"
    async with town.factory(town.lotus.id) as uow:
        await cancel_session(uow, town.lotus.ctx, town.session.id, reason="", undo_seconds=60)
    shown = (await client.get(path_of(town))).text
    assert "It is being cancelled, so nobody can wait for it unless that is undone." in shown
    clock.advance(timedelta(seconds=61))
    await town.work()
    shown = (await client.get(path_of(town))).text
    assert "It is cancelled, so nobody can wait for it." in shown
    assert "guests can join the list" not in shown
    assert f"/app/lotus/waitlist/{ann}/offer" not in shown


async def test_a_series_has_a_list_of_its_own(town: Town, client: AsyncClient) -> None:
    term = await a_series(town.factory, town.service, capacity=1)
    async with town.factory(town.lotus.id) as uow:
        await uow.session.execute(
            update(Session)
            .where(Session.series_id == term.series.id)
            .values(capacity=2, seats_taken=2)
        )
    await joined(town.factory, town.lotus, "series", term.series.id, "Ann", size=2)
    path = f"/app/lotus/series/{term.series.id}/waitlist"
    assert path in (await client.get(f"/app/lotus/series/{term.series.id}")).text
    shown = await client.get(path)
    assert "Ann" in shown.text
    assert "2 people" in shown.text


async def test_the_terms_are_kept_and_nonsense_is_refused_at_its_field(
    town: Town, client: AsyncClient
) -> None:
    path = f"/app/lotus/services/{town.service.id}/waitlist"
    assert path in (await client.get("/app/lotus/services")).text
    wrong = await send(client, path, {"offer_minutes": "3", "rush_hours": "200"})
    assert wrong.status_code == 422
    assert 'id="f-offer_minutes-error"' in wrong.text
    assert 'id="f-rush_hours-error"' in wrong.text
    assert "1440 are a day" in wrong.text
    sent = await send(
        client, path, {"offer_minutes": "60", "quiet_from": "21", "pass_hours": "", "is_on": None}
    )
    assert sent.status_code == 303
    async with town.factory(town.lotus.id) as uow:
        kept = await uow.session.scalar(select(Service.waitlist))
    assert kept == {"is_on": False, "offer_minutes": 60, "quiet_from": 21, "pass_hours": None}
    again = fields_of(await client.get(path), path)
    assert again["offer_minutes"] == ["60"]
    assert again["pass_hours"] == [""]
    assert [again[one] for one in ("closing_minutes", "last_offer_minutes", "rush_hours")] == [
        ["60"],
        ["60"],
        ["2"],
    ]
    assert "is_on" not in again
    shown = await client.get(path_of(town))
    assert "Nobody can join, and nothing is offered" in shown.text


async def test_a_name_is_only_a_name(town: Town, client: AsyncClient) -> None:
    async with town.factory(town.lotus.id) as uow:
        uow.session.add(
            WaitlistEntry(
                tenant_id=town.lotus.id,
                session_id=town.session.id,
                address="x@example.com",
                name="<b>Ann</b>",
                locale="en",
                party_size=1,
                joined_at=uow.clock.now(),
                queued_at=uow.clock.now(),
            )
        )
    assert "<b>Ann</b>" not in (await client.get(path_of(town))).text
