"""Guests read before they book, and after, on how many people it hangs that a date takes place."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from src.booking.models import Session
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.test_guest_page import own_page
from tests.support.builders import a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer

pytestmark = pytest.mark.anyio
SAID = "Takes place if at least 3 people have booked by "


async def a_date(shop: Shop, **more: object) -> Session:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, price_type="free")
    session = await a_session(factory, service)
    async with factory(shop.business.id) as uow:
        await uow.session.execute(
            update(Session)
            .where(Session.id == session.id)
            .values(min_seats=3, decide_hours=24, **more)
        )
    return session


async def test_it_is_said_until_it_is_decided(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    session = await a_date(shop)
    sent = await shop.book(subject("session", session.id))
    assert SAID in shop.guest.text
    assert SAID in (await shop.guest.open(sent.headers["location"])).text
    await shop.work()
    [mail] = mailer.sent
    [(html, _kind)] = mail.alternatives
    assert SAID in mail.body
    assert SAID in html
    clock.at = session.starts_at - timedelta(hours=23)
    assert SAID not in (await shop.guest.open(subject("session", session.id))).text
    assert SAID not in (await shop.guest.open(await own_page(shop))).text


async def test_who_has_let_it_take_place_is_believed(shop: Shop, clock: FrozenClock) -> None:
    session = await a_date(shop, decided_at=clock.now())
    assert SAID not in (await shop.guest.open(subject("session", session.id))).text


async def test_it_is_said_of_each_date_of_a_course(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    term = await a_series(factory, service)
    async with factory(shop.business.id) as uow:
        await uow.session.execute(
            update(Session)
            .where(Session.id == term.sessions[0].id)
            .values(min_seats=3, decide_hours=24)
        )
    assert (await shop.guest.open(subject("series", term.series.id))).text.count(SAID) == 1
