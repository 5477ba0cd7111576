"""A mistyped address is corrected: mails go to the right one, and the wrong one opens nothing."""

import re
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.domain.kinds import OrderState
from src.billing.models import Order
from src.booking.commands.book import Booked
from src.booking.commands.exchange import MoveSeats, move_by_staff
from src.booking.commands.feeds import make_booking_feed
from src.booking.models import Seat, Service, Session
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio

TYPO, RIGHT = "carl@exmaple.com", "carl@example.com"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def sold(services: Services, lotus: Business, *, in_days: float = 7, **more: Any) -> Booked:
    """A booking with the typo whose confirmation has left."""
    slug = f"yoga-{in_days:.0f}"
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug=slug)
    session = await a_session(services.uow_factory, service, in_days=in_days)
    wish = a_wish("session", session.id, **{"guest_email": TYPO, **more})
    made = await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    return made


def link_in(body: str) -> str:
    found = re.search(r"http://testserver\.local(/b/lotus/bookings/\S+)", body)
    assert found is not None
    return found[1]


async def correct(client: AsyncClient, services: Services, lotus: Business, made: Booked) -> str:
    """As an owner does on the customer's page; returns what it says."""
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/customers/{made.order.customer_id}/edit"
    await owner.open(path)
    await owner.submit({"email": RIGHT}, to=path)
    return owner.text


async def addresses(services: Services, lotus: Business) -> list[str]:
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(Order.guest_email).order_by(Order.id)))


@pytest.mark.slow
async def test_the_confirmation_goes_to_the_right_address_with_another_link(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    said = await correct(client, services, lotus, made)
    assert "1 confirmation goes to the new address." in said
    for _twice in range(2):
        await work(services, lotus.id)
    wrong, right = mailer.sent
    assert (wrong.to, right.to) == ([f"Carl <{TYPO}>"], [f"Carl <{RIGHT}>"])
    assert right.subject == wrong.subject
    before, after = link_in(wrong.body), link_in(right.body)
    guest = Visitor(client)
    await guest.open(after)
    await guest.open(before, status=410)
    assert "not valid any more" in guest.text
    for path in ("/move", "/leave", "/feed", "/calendar.ics", "/code.png"):
        answer = await client.get(f"{before}{path}")
        assert answer.status_code == 410, path
    async with services.uow_factory(lotus.id) as uow:
        actions = await uow.session.scalars(select(AuditEntry.action))
        assert "customer.readdressed" in set(actions)


async def test_the_feed_that_the_wrong_one_made_ends(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    made = await sold(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        key = await make_booking_feed(uow, made.order_id)
    feed = f"/b/lotus/feeds/{key}/calendar.ics"
    assert (await client.get(feed)).status_code == 200
    await correct(client, services, lotus, made)
    assert (await client.get(feed)).status_code == 410


@pytest.mark.slow
async def test_what_is_over_or_was_booked_with_another_address_stays(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    clock: FrozenClock,
) -> None:
    over = await sold(services, lotus, in_days=1)
    made = await sold(services, lotus, in_days=9)
    async with services.uow_factory(lotus.id) as uow:
        aunt = await uow.session.get_one(Order, (lotus.id, (await sold(services, lotus)).order_id))
        aunt.guest_email = "aunt@example.com"
    clock.advance((await ends_of(services, lotus, over)) - clock.now())
    await work(services, lotus.id)
    mailer.sent.clear()
    await correct(client, services, lotus, made)
    await work(services, lotus.id)
    assert await addresses(services, lotus) == [TYPO, RIGHT, "aunt@example.com"]
    assert [mail.to for mail in mailer.sent] == [[f"Carl <{RIGHT}>"]]


async def ends_of(services: Services, lotus: Business, made: Booked) -> Any:
    async with services.uow_factory(lotus.id) as uow:
        return await uow.session.scalar(
            select(Session.ends_at)
            .join(Seat, Seat.session_id == Session.id)
            .where(Seat.order_id == made.order_id)
        )


async def test_without_the_tick_orders_stay_as_the_guest_wrote_them(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/customers/{made.order.customer_id}/edit"
    await owner.open(path)
    await owner.submit({"email": RIGHT, "readdress": []}, to=path)
    assert await addresses(services, lotus) == [TYPO]
    assert await waiting(services, lotus.id) == []
    await Visitor(client).open(link_in(mailer.sent[0].body))


async def a_double(services: Services, lotus: Business) -> tuple[Booked, Booked]:
    """Carl as he booked with his right address, and then with the typo."""
    good = await sold(services, lotus, in_days=7, guest_email=RIGHT)
    return good, await sold(services, lotus, in_days=9)


@pytest.mark.slow
async def test_where_the_right_address_is_known_the_two_are_merged_and_it_is_corrected(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    good, typo = await a_double(services, lotus)
    await as_owner(client, services, lotus)
    owner, home = Visitor(client), "/app/lotus/customers"
    path = f"{home}/{typo.order.customer_id}/edit"
    await owner.open(path)
    await owner.submit({"email": RIGHT}, to=path, status=422)
    ask = f"{home}/{good.order.customer_id}/merge/{typo.order.customer_id}"
    assert f"{ask}?readdress=1" in owner.text
    assert "has to be entered again after a merge" in owner.text
    await owner.open(f"{ask}?readdress=1")
    other_way = f"{home}/{typo.order.customer_id}/merge/{good.order.customer_id}"
    # The other way round it would be the right address that is called mistyped.
    assert f'href="{other_way}"' in owner.text
    assert f"{TYPO} is mistyped: 1 booking to come writes to {RIGHT} from now on" in owner.text
    before = [link_in(mail.body) for mail in mailer.sent]
    mailer.sent.clear()
    await owner.submit(to=ask)
    assert "1 confirmation goes to the new address." in owner.text
    await work(services, lotus.id)
    assert await addresses(services, lotus) == [RIGHT, RIGHT]
    [mail] = mailer.sent
    assert mail.to == [f"Carl <{RIGHT}>"]
    guest = Visitor(client)
    await guest.open(link_in(mail.body))
    await guest.open(before[0])
    await guest.open(before[1], status=410)
    stranger = await sold(services, lotus, in_days=11)
    assert stranger.order.customer_id not in (good.order.customer_id, typo.order.customer_id)
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(AuditEntry.detail).where(AuditEntry.action == "customer.merged")
        )
        assert [detail["gone"]["email"] for detail in found] == [TYPO]


async def test_a_mistyped_address_without_a_booking_to_come_leads_to_nobody_either(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    good, typo = await a_double(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Order).values(state=OrderState.CANCELLED))
    await as_owner(client, services, lotus)
    owner, home = Visitor(client), "/app/lotus/customers"
    ask = f"{home}/{good.order.customer_id}/merge/{typo.order.customer_id}"
    await owner.open(ask)
    assert f"{TYPO} is mistyped" in owner.text
    await owner.submit({"readdress": "on"}, to=ask)
    stranger = await sold(services, lotus, in_days=11)
    assert stranger.order.customer_id not in (good.order.customer_id, typo.order.customer_id)


@pytest.mark.slow
async def test_a_merge_of_two_good_addresses_writes_to_both(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    good, other = await a_double(services, lotus)
    await as_owner(client, services, lotus)
    owner = Visitor(client)
    ask = f"/app/lotus/customers/{good.order.customer_id}/merge/{other.order.customer_id}"
    await owner.open(ask)
    await owner.submit(to=ask)
    assert "confirmation" not in owner.text
    assert await addresses(services, lotus) == [RIGHT, TYPO]
    again = await sold(services, lotus, in_days=11)
    assert again.order.customer_id == good.order.customer_id
    assert await waiting(services, lotus.id) == []
    for mail in mailer.sent:
        await Visitor(client).open(link_in(mail.body))


async def test_who_was_moved_reads_at_the_right_address_too_that_they_may_leave_free(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        service = (await uow.session.scalars(select(Service))).one()
        seat = (await uow.session.scalars(select(Seat))).one()
    other = await a_session(services.uow_factory, service, in_days=9)
    move = MoveSeats(order_id=made.order_id, seat_ids=[seat.id], session_id=other.id, by="staff")
    async with services.uow_factory(lotus.id) as uow:
        await move_by_staff(uow, lotus.ctx, move)
    await work(services, lotus.id)
    mailer.sent.clear()
    await correct(client, services, lotus, made)
    await work(services, lotus.id)
    [mail] = [one for one in mailer.sent if RIGHT in one.to[0]]
    said = " ".join(mail.body.split())
    assert "you may give your place back without any charge" in said
