"""The calendar of all that a customer books: its link is mailed, and nothing else proves them."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.booking.calendar_links import LIFETIME
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session
from src.booking.guest_links import booking_path
from src.booking.models import Seat
from src.booking.web.customer_feeds import ASKED_BY_CUSTOMER
from src.platform.services import Services
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.models import AuditEntry, Customer
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_feeds import events, path_in, sent_twice
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Visitor
from tests.support.work import work

pytestmark = pytest.mark.anyio

CARL, KIM = "carl@example.com", "kim@example.com"


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def sold(
    services: Services, lotus: Business, *, in_days: float = 7, address: str = CARL
) -> Booked:
    """A booking of its own session."""
    slug = f"yoga-{in_days:.0f}"
    service = await a_service(services.uow_factory, lotus.id, price_type="free", slug=slug)
    session = await a_session(services.uow_factory, service, in_days=in_days)
    wish = a_wish("session", session.id, guest_email=address)
    made = await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    return made


async def ask(client: AsyncClient, services: Services, made: Booked) -> Visitor:
    """As a guest does who has the booking's link."""
    guest = Visitor(client)
    own = booking_path(services.settings, "lotus", made.order)
    await guest.open(own)
    assert f'{own}/feed#all"' in guest.text
    await guest.open(f"{own}/feed")
    await guest.submit(to="/feed/all")
    await work(services, made.order.tenant_id)
    return guest


async def link_to(
    client: AsyncClient, services: Services, mailer: RememberingMailer, made: Booked
) -> str:
    """The path in the mail that came when it was asked for."""
    await ask(client, services, made)
    found = re.search(r"testserver\.local(/b/lotus/calendar/\S+)", mailer.sent[-1].body)
    assert found is not None, mailer.sent[-1].body
    return found[1]


async def made_at(client: AsyncClient, link: str) -> str:
    """The path of the feed that the customer makes there."""
    return path_in(await send(client, link, {}))


async def uids_of(services: Services, *made: Booked) -> set[str]:
    ids = [one.order_id for one in made]
    async with services.uow_factory(made[0].order.tenant_id) as uow:
        seats = await uow.session.scalars(select(Seat.id).where(Seat.order_id.in_(ids)))
        return {f"seat-{seat}@testserver.local" for seat in seats}


@pytest.mark.slow
async def test_it_grows_with_each_booking_and_shows_nobody_elses(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    first = await sold(services, lotus, in_days=7)
    second = await sold(services, lotus, in_days=9)
    await sold(services, lotus, in_days=11, address=KIM)
    guest = await ask(client, services, first)
    assert "a link to all your dates is on its way" in guest.text
    assert "/b/lotus/calendar/" not in guest.text
    assert CARL not in guest.text
    mail = mailer.sent[-1]
    assert (mail.to, mail.subject) == ([f"Carl <{CARL}>"], "Your dates at Lotus in your calendar")
    feed = await made_at(client, await link_to(client, services, mailer, first))
    shown = await client.get(feed)
    assert set(events(shown)) == await uids_of(services, first, second)
    unchanged = await client.get(feed, headers={"if-none-match": shown.headers["etag"]})
    assert unchanged.status_code == 304
    third = await sold(services, lotus, in_days=3)
    later = await client.get(feed, headers={"if-none-match": shown.headers["etag"]})
    assert set(events(later)) == await uids_of(services, first, second, third)
    assert "/bookings/" not in later.text, "whoever sees the calendar could cancel"


@pytest.mark.slow
async def test_a_cancelled_date_says_so(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    clock: FrozenClock,
) -> None:
    made, stays = await sold(services, lotus, in_days=7), await sold(services, lotus, in_days=9)
    feed = await made_at(client, await link_to(client, services, mailer, made))
    [uid] = await uids_of(services, made)
    before = events(await client.get(feed))[uid]
    async with services.uow_factory(lotus.id) as uow:
        session_id = await uow.session.scalar(
            select(Seat.session_id).where(Seat.order_id == made.order_id)
        )
        assert session_id is not None
        await cancel_session(uow, lotus.ctx, session_id, reason="", undo_seconds=0)
    clock.advance(timedelta(minutes=2))
    await work(services, lotus.id)
    after = events(await client.get(feed))
    assert (after[uid]["STATUS"], before["STATUS"]) == ("CANCELLED", "CONFIRMED")
    assert after[uid]["SEQUENCE"] > before["SEQUENCE"]
    [other] = await uids_of(services, stays)
    assert after[other]["STATUS"] == "CONFIRMED"


async def test_the_customer_renews_and_ends_it_where_the_mail_leads(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    mailer: RememberingMailer,
    clock: FrozenClock,
) -> None:
    link = await link_to(client, services, mailer, await sold(services, lotus))
    await sent_twice(client, link, link)
    old, new = await made_at(client, link), await made_at(client, link)
    assert (await client.get(old)).status_code == 410, "there is one at a time"
    assert (await client.get(new)).status_code == 200
    guest = Visitor(client)
    await guest.open(link)
    assert "Last read on" in guest.text
    assert new.split("/")[4] not in guest.text, "an address is shown once"
    await guest.submit(to="/revoke")
    assert "The address has ended." in guest.text
    assert (await client.get(new)).status_code == 410
    assert (await client.get(link.replace("/lotus/", "/rose/"))).status_code == 404
    clock.advance(LIFETIME + timedelta(seconds=1))
    assert (await client.get(link)).status_code == 410


async def test_who_has_no_address_is_answered_alike_and_nobody_is_mailed(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(update(Customer).values(email=None))
    mailer.sent.clear()
    guest = await ask(client, services, made)
    assert "a link to all your dates is on its way" in guest.text
    assert mailer.sent == []


async def test_nobody_fills_a_mailbox_by_asking(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, other = await sold(services, lotus), await sold(services, lotus, in_days=9)
    mailer.sent.clear()
    for _time in range(ASKED_BY_CUSTOMER.times):
        await ask(client, services, made)
    guest = Visitor(client)
    await guest.open(f"{booking_path(services.settings, 'lotus', other.order)}/feed")
    await guest.submit(to="/feed/all", status=429)
    await work(services, lotus.id)
    assert len(mailer.sent) == ASKED_BY_CUSTOMER.times, "the customer is counted, not the booking"


@pytest.mark.slow
async def test_with_another_address_the_link_and_the_feed_of_the_former_are_over(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    link = await link_to(client, services, mailer, made)
    feed = await made_at(client, link)
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/customers/{made.order.customer_id}/edit"
    await owner.open(path)
    await owner.submit({"name": "Carlo", "readdress": []}, to=path)
    assert (await client.get(feed)).status_code == 200, "a name is not an address"
    await owner.open(path)
    await owner.submit({"email": "carlo@example.com", "readdress": []}, to=path)
    assert (await client.get(feed)).status_code == 410
    assert (await client.get(link)).status_code == 410


async def merged(services: Services, lotus: Business, gone: Booked, kept: Booked) -> UUID:
    """Returns who is left."""
    kept_id = kept.order.customer_id
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, gone.order.customer_id, kept_id)
    return kept_id


@pytest.mark.slow
async def test_a_merge_shows_neither_the_dates_of_the_other(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    carls, kims = await sold(services, lotus), await sold(services, lotus, in_days=9, address=KIM)
    links = [await link_to(client, services, mailer, made) for made in (carls, kims)]
    feeds = [await made_at(client, link) for link in links]
    await as_owner(client, services, lotus)
    home = "/app/lotus/customers"
    asked = f"{home}/{carls.order.customer_id}/merge/{kims.order.customer_id}"
    assert "2 addresses of all their dates end" in (await client.get(asked)).text
    await merged(services, lotus, gone=kims, kept=carls)
    assert [(await client.get(feed)).status_code for feed in feeds] == [410, 410]
    assert (await client.get(links[1])).status_code == 410, "the link of who is gone"
    mailer.sent.clear()
    await ask(client, services, kims)
    assert [mail.to for mail in mailer.sent] == [[f"Carl <{CARL}>"]], "who is left is asked"
    found = events(await client.get(await made_at(client, links[0])))
    assert set(found) == await uids_of(services, carls, kims)


@pytest.mark.slow
async def test_staff_see_and_end_it_on_the_customers_page(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made = await sold(services, lotus)
    feed = await made_at(client, await link_to(client, services, mailer, made))
    await as_owner(client, services, lotus)
    owner, path = Visitor(client), f"/app/lotus/customers/{made.order.customer_id}"
    await owner.open(path)
    assert "No program has read it yet." in owner.text
    assert "/feeds/" not in owner.text, "not even staff read the address"
    await owner.submit(to="/calendar/revoke")
    assert "In their own calendar" not in owner.text
    assert (await client.get(feed)).status_code == 410
    async with services.uow_factory(lotus.id) as uow:
        actions = set(await uow.session.scalars(select(AuditEntry.action)))
    assert "calendar_feed.revoked" in actions


async def test_a_hold_leads_to_no_calendar(
    client: AsyncClient, services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service)
    held = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    guest = Visitor(client)
    await guest.open(f"{booking_path(services.settings, 'lotus', held.order)}/feed")
    await guest.submit(to="/feed/all", status=404)
    await work(services, lotus.id)
    assert mailer.sent == []
