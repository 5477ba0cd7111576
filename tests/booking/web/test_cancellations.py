"""Consequences first, then the cancelling with a way back, and one booking in full."""

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.models import Order
from src.booking.commands.cancel import cancel_session
from src.booking.models import Booking, Cancellation, Seat, Series
from src.booking.queries.fate import fate_of_seats
from src.platform.services import Services
from src.tenants.domain.roles import Role
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_leave import paid_by_card
from tests.support.builders import Business, a_business, a_member, a_series, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.visitor import Visitor
from tests.support.work import work_through
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def owner(client: AsyncClient, services: Services, lotus: Business) -> Visitor:
    await sign_in(client, services, lotus.owner.id)
    return Visitor(client)


async def send(visitor: Visitor, typed: dict[str, Any] | None = None, status: int = 200) -> None:
    """Sends the form of the page, not the one in its menu that signs out."""
    await visitor.submit(typed, to=visitor.path, status=status)


async def a_full_house(services: Services, business: Business) -> tuple[str, str]:
    """A series of three with two buyers on site and, in its first date, one hold online.

    Returns the paths of the first date and of Carl's booking.
    """
    service = await a_service(services.uow_factory, business.id)
    term = await a_series(services.uow_factory, service, price_type="on_site", drop_in_allowed=True)
    made = [
        await booked(
            services.uow_factory,
            business,
            a_wish(
                "series",
                term.series.id,
                guest_name=guest,
                guest_email=f"{guest.lower()}@example.com",
            ),
        )
        for guest in ("Carl", "Dora")
    ]
    hold = a_wish("session", term.sessions[0].id, guest_email="hanna@example.com")
    assert (await booked(services.uow_factory, business, hold)).needs_payment
    session_path = f"/app/{business.slug}/sessions/{term.sessions[0].id}"
    return session_path, f"/app/{business.slug}/bookings/{made[0].booking_id}"


async def test_a_sessions_consequences_name_seats_people_mails_money_and_checkouts(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    session, _booking = await a_full_house(services, lotus)
    await owner.open(f"{session}/cancel")
    for words in (
        "2 seats of 2 guests",
        "2, one to each guest",
        "1 seat is held and not paid yet, €15.00",
        "is closed when the cancelling begins",
        "goes back by itself",
        "€40.00 payable on site",
        "There is nothing to give back",
        "Carl",
        "Dora",
    ):
        assert words in owner.text, words
    assert "Hanna" not in owner.text


async def test_a_session_is_cancelled_with_progress_to_the_end(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="free")
    session = await a_session(services.uow_factory, service)
    for guest in ("carl", "dora"):
        wish = a_wish("session", session.id, guest_email=f"{guest}@example.com")
        await booked(services.uow_factory, lotus, wish)
    await owner.open(f"/app/lotus/sessions/{session.id}/cancel")
    await send(owner, {"reason": "The hall is flooded"})
    assert "Nothing is freed and nobody is told yet." in owner.text
    progress = owner.path
    await owner.open(f"/app/lotus/sessions/{session.id}/cancel")
    assert owner.path == progress
    await work_through(services, clock, lotus.id, UNDO)
    await owner.open(progress)
    assert "2 seats freed," in owner.text
    assert "2 customers told." in owner.text
    assert "/undo" not in owner.text
    fragment = await owner.client.get(progress, headers={"HX-Request": "true"})
    assert fragment.text.lstrip().startswith('<div id="cancellation"')
    assert 'id="live"' in fragment.text
    assert "hx-trigger" not in fragment.text


async def test_undo_takes_it_back_and_comes_too_late_after(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    _session, booking = await a_full_house(services, lotus)
    await owner.open(f"{booking}/cancel")
    await send(owner)
    await owner.submit(to="/undo")
    assert "Taken back." in owner.text
    assert await taken(services.uow_factory, lotus.id) == [3, 2, 2]
    await owner.open(f"{booking}/cancel")
    await send(owner)
    waiting = owner.page
    await work_through(services, clock, lotus.id, UNDO)
    owner.page = waiting
    await owner.submit(to="/undo")
    assert "It is too late to undo this" in owner.text
    assert await taken(services.uow_factory, lotus.id) == [2, 1, 1]


@pytest.mark.slow
async def test_a_purchase_shows_the_dates_it_frees_and_only_those_to_come(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    _session, booking = await a_full_house(services, lotus)
    clock.advance(timedelta(days=8))
    await owner.open(f"{booking}/cancel")
    assert "2 seats of 1 guest" in owner.text
    assert owner.text.count("<time datetime") == 2
    assert "€40.00 payable on site" in owner.text
    await send(owner, {"reason": "Moved away"})
    await work_through(services, clock, lotus.id, UNDO)
    await owner.open(booking)
    assert owner.text.count("Cancelled") == 2
    await owner.open(f"{booking}/cancel")
    assert "nothing to cancel" in owner.text


@pytest.mark.parametrize("which", [0, 1])
async def test_the_second_press_leads_to_the_first_ones_progress(
    services: Services, lotus: Business, owner: Visitor, which: int
) -> None:
    path = (await a_full_house(services, lotus))[which]
    form = await owner.open(f"{path}/cancel")
    await send(owner)
    first = owner.path
    owner.page = form
    await send(owner)
    assert owner.path == first
    async with services.uow_factory(lotus.id) as uow:
        assert len((await uow.session.scalars(select(Cancellation))).all()) == 1


@pytest.mark.parametrize("which", [0, 1])
async def test_while_places_are_being_cancelled_the_page_leads_there_and_asks_nothing(
    services: Services, lotus: Business, owner: Visitor, which: int
) -> None:
    """A purchase over one of its dates, and a date or its series over one of its purchases."""
    paths = await a_full_house(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        series_id = (await uow.session.scalars(select(Series.id))).one()
    series = f"/app/{lotus.slug}/series/{series_id}"
    first, second = paths[which], paths[1 - which]
    form = await owner.open(f"{second}/cancel")
    await owner.open(f"{first}/cancel")
    await send(owner)
    progress = owner.path
    owner.page = form
    await send(owner)
    assert owner.path == f"{second}/cancel"
    for path in (second, series)[: 2 if which else 1]:
        await owner.open(f"{path}/cancel")
        num = 3 if path == series else 1
        assert f"{num} place" in owner.text
        assert "with what was chosen there" in owner.text
        assert progress in owner.text
        assert 'name="reason"' not in owner.text


async def test_what_is_over_or_cancelled_stays(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    session, _booking = await a_full_house(services, lotus)
    form = await owner.open(f"{session}/cancel")
    clock.advance(timedelta(days=9))
    await owner.open(f"{session}/cancel")
    assert "This session is over" in owner.text
    owner.page = form
    await send(owner)
    assert "This session is over" in owner.text


async def test_a_reason_that_is_too_long_is_refused_and_kept(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    for path in await a_full_house(services, lotus):
        await owner.open(f"{path}/cancel")
        await send(owner, {"reason": "x" * 501}, status=422)
        assert "x" * 501 in owner.text
    assert await taken(services.uow_factory, lotus.id) == [3, 2, 2]


async def test_a_booking_shows_its_guest_order_seats_and_shares(
    services: Services, lotus: Business, owner: Visitor
) -> None:
    _session, booking = await a_full_house(services, lotus)
    await owner.open(booking)
    async with services.uow_factory(lotus.id) as uow:
        order_id = await uow.session.scalar(
            select(Booking.order_id).where(Booking.id == booking.rsplit("/", 1)[-1])
        )
    for words in ("carl@example.com", "€20.00", "On site", f"/orders/{order_id}", "Carl"):
        assert words in owner.text, words


async def test_nobody_else_may_look_or_cancel(
    services: Services, lotus: Business, client: AsyncClient
) -> None:
    session, booking = await a_full_house(services, lotus)
    paths = [booking, f"{booking}/cancel", f"{session}/cancel"]
    visitor = Visitor(client)
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    await sign_in(client, services, ivan.user_id)
    for path in paths:
        await visitor.open(path, status=403)
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    await sign_in(client, services, eves.owner.id)
    for path in paths:
        await visitor.open(path, status=404)
        await visitor.open(path.replace("/lotus/", "/rival/"), status=404)


async def test_the_orders_history_and_refund_page_know_of_the_cancellation(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    _session, booking = await a_full_house(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        made = await uow.session.get_one(Booking, (lotus.id, UUID(booking.rsplit("/", 1)[1])))
        assert (await fate_of_seats(uow, made.order_id, lotus.ctx.here.zone)).standing == 3
    await owner.open(f"{booking}/cancel")
    await send(owner, {"reason": "Moved away"})
    await work_through(services, clock, lotus.id, UNDO)
    await owner.open(f"/app/lotus/orders/{made.order_id}")
    assert "3 places cancelled: Moved away" in owner.text
    async with services.uow_factory(lotus.id) as uow:
        assert (await fate_of_seats(uow, made.order_id, lotus.ctx.here.zone)).standing == 0


@pytest.mark.slow
async def test_an_order_of_which_nothing_stands_is_called_cancelled(
    services: Services, lotus: Business, owner: Visitor, clock: FrozenClock
) -> None:
    _session, booking = await a_full_house(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        made = await uow.session.get_one(Booking, (lotus.id, UUID(booking.rsplit("/", 1)[1])))
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
    pages = (f"orders/{order.id}", f"orders?q={order.reference}", f"customers/{order.customer_id}")
    for is_over in (False, True):
        for page in pages:
            await owner.open(f"/app/lotus/{page}")
            assert [has_badge(owner.text, word) for word in ("Confirmed", "Cancelled")] == (
                [False, True] if is_over else [True, False]
            ), page
        for state, is_listed in (("confirmed", not is_over), ("ended", is_over)):
            await owner.open(f"/app/lotus/orders?state={state}")
            assert (order.reference in owner.text) is is_listed, state
        if not is_over:
            await owner.open(f"{booking}/cancel")
            await send(owner)
            await work_through(services, clock, lotus.id, UNDO)


def has_badge(html: str, word: str) -> bool:
    return any(word in pill for pill in re.findall(r'<span class="pill[^>]*>[^<]*</span>', html))


class TickingClock(FrozenClock):
    """Goes on by a moment whenever somebody looks at it, as the real one does."""

    def now(self) -> datetime:
        self.advance(timedelta(milliseconds=1))
        return self.at


async def test_places_that_went_in_one_act_are_one_line_of_the_history(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, party=("Ann", "Bob", "Cleo", "Dan"))
    made = await booked(services.uow_factory, lotus, wish)
    await paid_by_card(services, lotus, made)
    seats = await seats_of(services.uow_factory, lotus.id)
    for chosen in (seats[:2], seats[2:3], seats[3:]):
        await seats_taken_back(
            services.uow_factory,
            lotus,
            [seat.id for seat in chosen],
            own={made.order_id: 100},
            clock=TickingClock(clock.now()),
        )
        clock.advance(timedelta(seconds=6))
    async with services.uow_factory(lotus.id) as uow:
        ended = (await fate_of_seats(uow, made.order_id, lotus.ctx.here.zone)).ended
    assert [end.parts for end in ended] == [2, 1, 1], "each act once, however fast they follow"


async def test_each_line_of_the_history_leads_to_what_ended_its_places(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """A place that ended before places named their cancellation leads nowhere, and not to one of
    its session that came later.
    """
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    wish = a_wish("session", session.id, party=("Ann", "Bob"))
    made = await booked(services.uow_factory, lotus, wish)
    first, second = await seats_of(services.uow_factory, lotus.id)
    await seats_taken_back(services.uow_factory, lotus, [first.id], clock=clock)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            update(Seat).where(Seat.id == first.id).values(cancellation_id=None)
        )
    clock.advance(timedelta(minutes=1))
    async with services.uow_factory(lotus.id) as uow:
        off = await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=0)
    await work_through(services, clock, lotus.id, UNDO)
    async with services.uow_factory(lotus.id) as uow:
        ended = (await fate_of_seats(uow, made.order_id, lotus.ctx.here.zone)).ended
        named = await uow.session.scalar(select(Seat.cancellation_id).where(Seat.id == second.id))
    assert [end.page for end in ended] == [None, f"cancellations/{off}"]
    assert named == off
