"""The log names what was done to which thing, as it was then, and leads there."""

import re
from datetime import timedelta

import pytest
from httpx import AsyncClient

from src.billing.commands.by_staff import mark_paid_on_site
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.commands.session_deleting import delete_session
from src.platform.services import Services
from tests.booking.jobs.test_changes import change
from tests.booking.web.pages import as_owner
from tests.booking.web.test_roster_bulk import a_guest, ids_of
from tests.support.builders import a_business, a_service, a_session
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


def lines_of(html: str) -> list[str]:
    """What was done, with its link behind it."""
    found = re.findall(r"<tr[^>]*>.*?</td>", html.partition("<tbody")[2], re.DOTALL)
    shown = []
    for cell in found:
        link = re.search(r'href="/app/lotus/([^"]+)"', cell)
        words = (
            " ".join(re.sub(r"<[^>]+>", " ", cell).split()).replace(" :", ":").replace(" ,", ",")
        )
        shown.append(f"{words} -> {link[1] if link else None}")
    return shown


async def test_each_act_says_which_and_leads_there(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    factory = services.uow_factory
    lotus = await a_business(factory)
    service = await a_service(factory, lotus.id, price_type="on_site", price_minor=1500)
    first = await a_session(factory, service, in_days=2)
    second = await a_session(factory, service, in_days=3)
    third = await a_session(factory, service, in_days=4)
    hedy = await a_guest(services, lotus, first, "Hedy", "Ida")
    await change(services, lotus, first.id, by=timedelta(hours=2), capacity=9)
    clock.advance(timedelta(minutes=1))
    seat, other = sorted(await ids_of(services, lotus, hedy))
    move = MoveSeats(
        order_id=hedy.order_id, seat_ids=[seat], session_id=second.id, by="staff", why=""
    )
    async with factory(lotus.id) as uow:
        await move_by_staff(uow, lotus.ctx, move)
    async with factory(lotus.id) as uow:
        await mark_paid_on_site(uow, lotus.ctx, hedy.order_id)
    await seats_taken_back(factory, lotus, [other], why="Ill")
    await change(services, lotus, third.id, capacity=7)
    async with factory(lotus.id) as uow:
        await delete_session(uow, lotus.ctx, third.id)
    clock.advance(timedelta(minutes=1))
    await change(services, lotus, first.id, by=timedelta(hours=2))
    await as_owner(client, services, lotus)
    lines = lines_of((await client.get("/app/lotus/settings/log")).text)
    ten, noon, two = (
        f"Yoga · Wed, Mar 3, 2027, {at}" for at in ("10:00 AM", "12:00 PM", "2:00 PM")
    )
    thursday, friday = (
        "Yoga · Thu, Mar 4, 2027, 10:00 AM",
        "“Yoga” · Fri, Mar 5, 2027, 10:00 AM",
    )
    who = f"{hedy.order.reference} · Hedy"
    to_first, to_order = f"sessions/{first.id}", f"orders/{hedy.order_id}"
    to_booking = f"bookings/{hedy.booking_id}"
    expected = {
        f"Changed a session: {ten}, Seats, Ends, Starts, → {noon[7:]} -> {to_first}",
        f"Changed a session: {noon}, Ends, Starts, → {two[7:]} -> {to_first}",
        f"Moved a place to another session: {who}, → {thursday}, 1 place -> {to_booking}",
        f"Marked an order as paid: {who}, €30.00 -> {to_order}",
        f"Cancelled places: {noon}, 1 place, Ill -> {to_first}",
        f"Changed a session: {friday}, Seats -> None",
        f"Deleted a session: {friday} -> None",
    }
    assert expected <= set(lines), "\n".join(lines)
