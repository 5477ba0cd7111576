"""A second tab does not call sold out what its own browser holds: it leads on to paying."""

import pytest
from sqlalchemy import select, update

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import lock_order
from src.billing.models import Order
from src.billing.settlement import GIVEN_UP
from src.booking.models import Session
from tests.booking.web.conftest import Shop, subject
from tests.booking.web.pages import fields_of
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio

HELD = "You are holding 1 place until"
COOKIE = "seatline_holds"


async def a_last_place_held(shop: Shop, slug: str = "yoga") -> Session:
    price = {"price_type": "online", "price_minor": 1500}
    service = await a_service(shop.services.uow_factory, shop.business.id, slug=slug, **price)
    session = await a_session(shop.services.uow_factory, service, capacity=1)
    sent = await shop.book(subject("session", session.id, slug))
    assert sent.status_code == 303, sent.text
    return session


def pages_of(session: Session) -> list[str]:
    waiting = f"/b/lotus/yoga/waitlist?session={session.id}"
    return [subject("session", session.id), "/b/lotus/yoga?how=single", waiting]


async def test_every_page_of_it_leads_on_to_paying(shop: Shop) -> None:
    session = await a_last_place_held(shop)
    for path in pages_of(session):
        page = await shop.guest.open(path)
        assert HELD in page.text, path
        assert "/b/lotus/bookings/" in page.text, path
    for path in pages_of(session)[:2]:
        # What a shared link shows is for everybody else.
        _head, _end, shown = (await shop.guest.open(path)).text.partition("</head>")
        for said in (
            "sold out.",
            "· sold out",
            ">Sold out",
            "Join the waiting list",
            "waitlist?session=",
        ):
            assert said not in shown, (path, said)
    other = await a_session(
        shop.services.uow_factory,
        await a_service(shop.services.uow_factory, shop.business.id, slug="pilates"),
    )
    elsewhere = await shop.guest.open(subject("session", other.id, "pilates"))
    assert elsewhere.status_code == 200
    assert "You are holding" not in elsewhere.text


async def test_a_series_that_is_held_is_not_called_sold_out(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, slug="yoga", price_type="online")
    first, other = [
        await a_series(factory, service, capacity=1, price_type="online") for _n in range(2)
    ]
    assert (await shop.book(subject("series", first.series.id))).status_code == 303
    page = await shop.guest.open("/b/lotus/yoga?how=series")
    assert HELD in page.text
    assert f"waitlist?series={first.series.id}" not in page.text
    assert "old out" not in page.text
    assert f"book?series={other.series.id}" in page.text, "the other is as it was"
    shop.guest.client.cookies.clear()
    assert "old out" in (await shop.guest.open("/b/lotus/yoga?how=series")).text


async def test_who_holds_one_date_reads_why_the_whole_series_cannot_be_booked(shop: Shop) -> None:
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, slug="yoga", price_type="online")
    term = await a_series(
        factory, service, capacity=1, price_type="online", drop_in_allowed=True, sessions=2
    )
    assert (await shop.book(subject("session", term.sessions[0].id))).status_code == 303
    page = await shop.guest.open(subject("series", term.series.id))
    assert HELD in page.text
    assert "This series is sold out." in page.text
    assert f"waitlist?series={term.series.id}" in page.text
    date = await shop.guest.open(subject("session", term.sessions[0].id))
    assert HELD in date.text
    assert "sold out" not in date.text


async def test_another_form_of_it_that_is_sent_knows_it_too(shop: Shop) -> None:
    """What another price was asked for in, and what was refused."""
    session = await a_last_place_held(shop)
    path = subject("session", session.id)
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(capacity=2))
    fields = fields_of(await shop.guest.client.get(path))
    typed = {**fields, "name": "Carl", "email": "carl@example.com", "quoted_minor": "100"}
    refused = await shop.guest.client.post(f"{path}&send=1", data=typed)
    assert refused.status_code == 409, refused.text
    assert HELD in refused.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(capacity=1))
    updated = await shop.guest.client.post(f"{path}&send=1", data={**fields, "step": "update"})
    assert updated.status_code == 200
    assert HELD in updated.text
    assert "This date is sold out." not in updated.text


async def test_nobody_else_reads_of_it_and_a_forged_cookie_says_nothing(shop: Shop) -> None:
    session = await a_last_place_held(shop)
    kept = shop.guest.client.cookies[COOKIE]
    shop.guest.client.cookies.clear()
    for value in (None, f"{kept}x", "~~", "a" * 3000):
        if value is not None:
            shop.guest.client.cookies.set(COOKIE, value, domain="testserver.local")
        for path in pages_of(session):
            page = await shop.guest.open(path)
            assert page.status_code == 200, path
            assert "You are holding" not in page.text, (value, path)


async def test_another_business_never_reads_of_it(shop: Shop) -> None:
    await a_last_place_held(shop)
    rival = await a_business(shop.services.uow_factory, "rival", owner="Eve")
    await a_service(shop.services.uow_factory, rival.id)
    page = await shop.guest.open("/b/rival/yoga?how=single")
    assert page.status_code == 200
    assert "You are holding" not in page.text


@pytest.mark.parametrize("way", ["given_up", "over", "replaced"])
async def test_what_has_ended_is_held_no_more(shop: Shop, clock: FrozenClock, way: str) -> None:
    session = await a_last_place_held(shop)
    async with shop.services.uow_factory(shop.business.id) as uow:
        [order_id] = await uow.session.scalars(select(Order.id))
        order = await lock_order(uow, order_id)
        if way == "given_up":
            await end_locked_order(uow, order, GIVEN_UP.state, GIVEN_UP.why, uow.clock.now())
        elif way == "over":
            assert order.hold_expires_at is not None
            clock.advance(order.hold_expires_at - clock.now())
        else:
            order.link_version += 1
    for path in pages_of(session):
        assert "You are holding" not in (await shop.guest.open(path)).text, path


async def test_its_cookie_is_out_of_reach_and_only_made_with_a_hold(shop: Shop) -> None:
    service = await a_service(shop.services.uow_factory, shop.business.id, price_type="free")
    free = await a_session(shop.services.uow_factory, service)
    await shop.book(subject("session", free.id))
    assert COOKIE not in dict(shop.guest.client.cookies)
    await a_last_place_held(shop, "pilates")
    again = await shop.send()
    [made] = [one for one in again.headers.get_list("set-cookie") if one.startswith(COOKIE)]
    assert "; HttpOnly; SameSite=Lax" in made
    assert shop.guest.client.cookies[COOKIE].count("~") == 0, "the same hold once"
