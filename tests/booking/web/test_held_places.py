"""Places held for a guest with a link to pay: sent again, paid on site, released, told alike."""

import re
from uuid import UUID

import pytest
from httpx import AsyncClient, Response
from sqlalchemy import select

from src.billing.commands.orders import get_order, lock_order
from src.billing.commands.refunds import MoneyBack, payments_of, request_refund
from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState, RefundCause
from src.billing.models import Order, Payment, PaymentPage
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session, undo_cancellation
from src.booking.held_places import release_held, send_link_again, take_held
from src.booking.models import Session
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked, seats_of, taken
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import fields_of
from tests.booking.web.test_readdress import link_in
from tests.booking.web.test_roster_bulk import a_guest, ids_of, press
from tests.support.builders import Business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.visitor import Form, forms_of
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def session(services: Services, lotus: Business) -> Session:
    service = await a_service(services.uow_factory, lotus.id)
    return await a_session(services.uow_factory, service, in_days=2)


async def held(services: Services, business: Business, session: Session) -> Booked:
    """Anna and Kim, who are to pay by a link."""
    anna = await a_customer(services.uow_factory, business)
    wish = for_anna("session", session.id, anna, pays="link", party=("Anna", "Kim"))
    return await by_staff(services.uow_factory, business, wish)


def words_of(answer: Response) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


async def order_of(services: Services, business: Business, order_id: UUID) -> Order:
    async with services.uow_factory(business.id) as uow:
        return await get_order(uow, order_id)


async def test_one_moment_is_told_everywhere_and_by_its_own_word(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    mailer: RememberingMailer,
) -> None:
    made = await held(services, lotus, session)
    await work(services, lotus.id)
    until = payable_until(made.order.hold_expires_at)
    assert until is not None
    told = " ".join(datetime_local(until, lotus.ctx.here.zone).split())
    roster = await client.get(f"/app/lotus/sessions/{session.id}")
    assert f"until {told}" in words_of(roster), "tomorrow, so with its date"
    assert "In checkout" not in roster.text, "who was only mailed a link is at no checkout"
    for part in ("Everybody 2", "Not here yet 0", "Held 2"):
        assert part in words_of(roster), part
    booking = await client.get(f"/app/lotus/bookings/{made.booking_id}")
    order = await client.get(f"/app/lotus/orders/{made.order_id}")
    for shown in (words_of(booking), words_of(order), " ".join(mailer.sent[0].body.split())):
        assert told in shown, told


async def sending_again(client: AsyncClient, here: str) -> Form:
    """The form on the booking's page `here` that mails the link to pay once more."""
    (form,) = [form for form in forms_of(await client.get(here)) if form.action == f"{here}/link"]
    return form


async def test_the_link_goes_out_again_once_a_press(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    mailer: RememberingMailer,
) -> None:
    made = await held(services, lotus, session)
    await work(services, lotus.id)
    here = f"/app/lotus/bookings/{made.booking_id}"
    form = await sending_again(client, here)
    for _press in range(2):
        assert (await client.post(form.action, data=form.fields)).status_code == 303
    await work(services, lotus.id)
    first, again = (link_in(mail.body) for mail in mailer.sent)
    assert first == again, "the link in the first mail goes on to hold"


async def test_no_link_goes_out_once_the_time_to_pay_is_over(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    made = await held(services, lotus, session)
    await work(services, lotus.id)
    here = f"/app/lotus/bookings/{made.booking_id}"
    form = await sending_again(client, here)
    until = payable_until(made.order.hold_expires_at)
    assert until is not None
    clock.advance(until - clock.now())
    await client.post(form.action, data=form.fields)
    assert "The time to pay is over" in words_of(await client.get(here))
    await work(services, lotus.id)
    assert len(mailer.sent) == 1


async def test_what_was_paid_on_site_is_booked(
    client: AsyncClient,
    services: Services,
    lotus: Business,
    session: Session,
    mailer: RememberingMailer,
) -> None:
    made = await held(services, lotus, session)
    here = f"/app/lotus/bookings/{made.booking_id}"
    await work(services, lotus.id)
    page = await client.get(here)
    (form,) = [form for form in forms_of(page) if form.action == f"{here}/paid"]
    for said in ("Marked €30.00 as paid.", "It is marked as paid already"):
        assert (await client.post(form.action, data=form.fields)).status_code == 303
        told = words_of(await client.get(here))
        assert said in told, said
        assert "The guest has paid" not in told
    order = await order_of(services, lotus, made.order_id)
    assert (order.state, order.payment_mode, order.paid_minor) == ("confirmed", "on_site", 3000)
    assert {seat.state for seat in await seats_of(services.uow_factory, lotus.id)} == {"confirmed"}
    async with services.uow_factory(lotus.id) as uow:
        [payment] = await uow.session.scalars(select(Payment))
    assert (payment.amount_minor, payment.method) == (3000, "on_site")
    await work(services, lotus.id)
    assert mailer.sent[-1].subject == "You are booked: Yoga"
    assert "Paid on site" in (await client.get(f"/app/lotus/sessions/{session.id}")).text


async def test_what_is_being_cancelled_is_marked_as_paid_once_that_is_undone(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    """Although it still can be undone: nobody pays for what may not take place."""
    made = await held(services, lotus, session)
    here = f"/app/lotus/bookings/{made.booking_id}"
    (form,) = [one for one in forms_of(await client.get(here)) if one.action == f"{here}/paid"]
    async with services.uow_factory(lotus.id) as uow:
        cancelling = await cancel_session(uow, lotus.ctx, session.id, reason="", undo_seconds=10)
    await client.post(form.action, data=form.fields)
    assert "A part of this is being cancelled" in words_of(await client.get(here))
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancelling)
    await client.post(form.action, data=form.fields)
    assert "Marked €30.00 as paid." in words_of(await client.get(here))


async def test_what_was_paid_on_site_never_goes_back_through_the_processor(
    services: Services, lotus: Business, session: Session
) -> None:
    made = await held(services, lotus, session)
    async with services.uow_factory(lotus.id) as uow:
        await take_held(uow, lotus.ctx, made.order_id)
    with pytest.raises(Conflict) as refused:
        async with services.uow_factory(lotus.id) as uow:
            order = await lock_order(uow, made.order_id)
            [payment] = await payments_of(uow, order.id)
            wanted = MoneyBack(amount_minor=100, cause=RefundCause.NOT_DELIVERED, cause_key="x")
            await request_refund(uow, order, payment, wanted)
    assert refused.value.code == "paid_on_site"


async def test_what_a_guest_books_without_staff_is_not_marked_as_paid(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    here = f"/app/lotus/bookings/{made.booking_id}"
    mark = fields_of(await client.get("/app/lotus/sessions"))["_csrf_token"]
    await client.post(f"{here}/paid", data={"_csrf_token": mark})
    assert "Nothing waits to be paid by a link" in words_of(await client.get(here))
    order = await order_of(services, lotus, made.order_id)
    assert (order.state, order.payment_mode, order.paid_minor) == ("open", "online", 0)


@pytest.mark.slow
async def test_acts_on_several_name_who_is_held_and_offer_no_box_for_them(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=2)
    await a_session(services.uow_factory, service, in_days=3)
    made = await held(services, lotus, session)
    carl = await a_guest(services, lotus, session, "Carl")
    roster = await client.get(f"/app/lotus/sessions/{session.id}")
    mine = await ids_of(services, lotus, made)
    for seat_id in mine:
        assert f'value="{seat_id}" form="ticked"' not in " ".join(roster.text.split())
    assert f'href="/app/lotus/bookings/{made.booking_id}#held"' in roster.text
    both = [*mine, *await ids_of(services, lotus, carl)]
    for act in ("cancel", "message", "move"):
        asked = words_of(await press(client, session, act, both, {}))
        assert "Anna, Kim : Held, and not paid yet." in asked, act
    alone = await press(client, session, "move", mine, {})
    said = words_of(await client.get(alone.headers["location"]))
    assert "Anna, Kim: Held, and not paid yet." in said


async def to_the_payment_page(shop: Shop, mailer: RememberingMailer) -> tuple[Booked, str]:
    """Anna has opened the link of her mail and gone on to pay: the booking, and the page of it."""
    factory, business = shop.services.uow_factory, shop.business
    session = await a_session(factory, await a_service(factory, business.id), in_days=2)
    made = await held(shop.services, business, session)
    await shop.work()
    page = await shop.guest.open(link_in(mailer.sent[-1].body))
    (form,) = [form for form in forms_of(page) if form.action.endswith("/pay")]
    payment = await shop.guest.client.post(form.action, data=form.fields)
    return made, payment.headers["location"]


async def test_a_guest_at_the_payment_page_is_not_marked_as_paid_but_can_be_released(
    shop: Shop, mailer: RememberingMailer
) -> None:
    factory, business = shop.services.uow_factory, shop.business
    made, _payment = await to_the_payment_page(shop, mailer)
    with pytest.raises(Conflict) as refused:
        async with factory(business.id) as uow:
            await take_held(uow, business.ctx, made.order_id)
    assert refused.value.code == "page_still_open"
    became = await release_held(shop.services, business.ctx, made.order_id)
    assert became.state == OrderState.CANCELLED
    assert await taken(factory, business.id) == [0]
    assert await releases(shop.services, business) == [business.owner.name]
    async with factory(business.id) as uow:
        assert await uow.session.scalar(select(PaymentPage.state)) == "expired"
    page = await shop.guest.open(link_in(mailer.sent[-1].body))
    assert "This booking is cancelled" in page.text


async def test_the_half_hour_is_said_before_it_is_taken_and_the_day_with_the_time(
    shop: Shop, mailer: RememberingMailer
) -> None:
    half_an_hour = "Once you go on to pay, you have half an hour."
    business = shop.business
    made, _payment = await to_the_payment_page(shop, mailer)
    before = shop.guest.page
    assert before is not None
    until = payable_until(made.order.hold_expires_at)
    assert until is not None
    told = " ".join(datetime_local(until, business.ctx.here.zone).split())
    assert f"Held for you until {told}." in words_of(before), "tomorrow, so with its date"
    assert half_an_hour in words_of(before)
    async with shop.services.uow_factory(business.id) as uow:
        await send_link_again(uow, business.ctx, made.order_id, new_id())
    await shop.work()
    first, again = (mail.body for mail in mailer.sent)
    assert half_an_hour in first
    assert half_an_hour not in again, "nothing is added to the time of the page that is open"
    assert half_an_hour not in words_of(await shop.guest.open(link_in(again)))


async def releases(services: Services, business: Business) -> list[str]:
    """Who released places, as the log has it."""
    async with services.uow_factory(business.id) as uow:
        who = select(AuditEntry.actor_name).where(AuditEntry.action == "order.released")
        return list(await uow.session.scalars(who))
