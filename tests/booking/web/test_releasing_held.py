"""Places held for a guest with a link to pay are released: by whom, for whom, and what is said."""

import pytest
from httpx import AsyncClient
from sqlalchemy import select, update

from src.billing.domain.holds import payable_until
from src.billing.domain.kinds import OrderState, PageOutcome
from src.billing.models import PaymentPage
from src.billing.processor import ProcessorPage
from src.billing.settlement import GIVEN_UP, give_up_order, released_by, settle_page
from src.billing.stripe_gateway import StripeGateway
from src.booking.held_places import release_held, take_held
from src.booking.models import Service, Session
from src.platform.services import Services
from src.platform.web.formats import datetime_local
from tests.booking.commands.test_book import taken
from tests.booking.commands.test_staff_book import by_staff, for_anna
from tests.booking.web.conftest import Shop
from tests.booking.web.pages import as_owner, send
from tests.booking.web.test_held_places import (
    held,
    order_of,
    releases,
    session,
    to_the_payment_page,
    words_of,
)
from tests.support.builders import Business, a_series, a_service
from tests.support.mail import RememberingMailer
from tests.support.waiting import joined
from tests.tenants.commands.test_customer_care import a_customer

__all__ = ["session"]
pytestmark = pytest.mark.anyio


async def test_released_places_are_free_and_their_link_is_over(
    client: AsyncClient, services: Services, lotus: Business, session: Session
) -> None:
    made = await held(services, lotus, session)
    here = f"/app/lotus/bookings/{made.booking_id}"
    asked = words_of(await client.get(f"{here}/release"))
    for said in (
        "2 seats are free again at once",
        "Anna",
        "Kim",
        "nothing was paid",
        "none to the",
    ):
        assert said in asked, said
    assert "Waiting list" not in asked
    assert (await send(client, f"{here}/release", {})).headers["location"] == here
    assert await taken(services.uow_factory, lotus.id) == [0]
    assert "The places are free again." in words_of(await client.get(here))
    assert "Released unpaid" in words_of(await client.get(here)), "no time to pay was over"
    order = words_of(await client.get(f"/app/lotus/orders/{made.order_id}"))
    assert f"Released; the places are free again · {lotus.owner.name}" in order
    again = await client.get(f"{here}/release")
    assert again.headers["location"] == here, "there is nothing to release any more"


@pytest.mark.parametrize("is_listed", [True, False])
async def test_before_places_are_released_it_says_that_who_waits_is_offered_them(
    client: AsyncClient, services: Services, lotus: Business, is_listed: bool
) -> None:
    """Whoever waits for a single date or for the course; nobody, where the lists are closed."""
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, capacity=1, drop_in_allowed=True)
    anna = await a_customer(services.uow_factory, lotus)
    wish = for_anna("series", term.series.id, anna, pays="link")
    made = await by_staff(services.uow_factory, lotus, wish)
    await joined(services.uow_factory, lotus, "session", term.sessions[1].id, "Bea")
    await joined(services.uow_factory, lotus, "series", term.series.id, "Cleo")
    if not is_listed:
        async with services.uow_factory(lotus.id) as uow:
            await uow.session.execute(update(Service).values(waitlist={"is_on": False}))
    asked = words_of(await client.get(f"/app/lotus/bookings/{made.booking_id}/release"))
    said = "2 people wait; places that get free are offered to them in turn, by mail"
    assert (said in asked) is is_listed


@pytest.mark.parametrize("why", ["released", "given_up"])
async def test_a_page_whose_end_is_heard_of_first_ends_the_order_as_was_wanted(
    shop: Shop,
    mailer: RememberingMailer,
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    """The processor's news is applied while who ends the page still waits for its answer."""
    factory, business = shop.services.uow_factory, shop.business
    made, _payment = await to_the_payment_page(shop, mailer)
    async with factory(business.id) as uow:
        page_id = (await uow.session.scalars(select(PaymentPage.id))).one()
    closing = StripeGateway.expire_checkout_page

    async def overtaken(gateway: StripeGateway, account_id: str, name: str) -> ProcessorPage:
        found = await closing(gateway, account_id, name)
        assert await settle_page(shop.services, business.id, page_id) == PageOutcome.ENDED
        return found

    monkeypatch.setattr(StripeGateway, "expire_checkout_page", overtaken)
    if why == "released":
        became = (await release_held(shop.services, business.ctx, made.order_id)).state
    else:
        became = await give_up_order(shop.services, business.id, made.order_id)
    order = await order_of(shop.services, business, made.order_id)
    assert (became, order.state, order.closed_why) == ("cancelled", "cancelled", why)
    who = [business.owner.name] if why == "released" else []
    assert await releases(shop.services, business) == who
    assert order.wanted_end is None


async def test_what_the_guest_gave_up_meanwhile_nobody_released(
    services: Services, lotus: Business, session: Session
) -> None:
    made = await held(services, lotus, session)
    for ending in (GIVEN_UP, released_by(lotus.ctx)):
        became = await give_up_order(services, lotus.id, made.order_id, ending)
        assert became == OrderState.CANCELLED
    assert await releases(services, lotus) == []


async def test_who_paid_meanwhile_is_not_released(shop: Shop, mailer: RememberingMailer) -> None:
    factory, business = shop.services.uow_factory, shop.business
    made, payment_url = await to_the_payment_page(shop, mailer)
    await shop.pay(payment_url)
    became = await release_held(shop.services, business.ctx, made.order_id)
    assert became.state == OrderState.CONFIRMED
    assert await taken(factory, business.id) == [2]
    async with factory(business.id) as uow:
        taken_on_site = await take_held(uow, business.ctx, made.order_id)
    assert (taken_on_site.amount.amount_minor, taken_on_site.by_guest) == (0, True)


async def pay_slowly(shop: Shop, account_id: str, payment_url: str) -> None:
    """By a method whose money comes days later."""
    store, session_id = shop.stripe.engine.store, payment_url.rsplit("/", 1)[-1]
    session = store.get(account_id, "checkout.session", session_id)
    assert session is not None
    session["payment_method_types"] = ["card", "sepa_debit"]
    with store.transaction():
        store.save(session)
    await shop.stripe.turn("pay", session=session_id, method="sepa_debit")


async def test_a_payment_page_that_cannot_be_closed_is_no_payment_on_its_way(
    shop: Shop, mailer: RememberingMailer
) -> None:
    made, payment_url = await to_the_payment_page(shop, mailer)
    staff, business = shop.guest.client, shop.business
    await as_owner(staff, shop.services, business)
    order = await order_of(shop.services, business, made.order_id)
    async with shop.services.uow_factory(business.id) as uow:
        account_id = (await uow.session.scalars(select(PaymentPage.account_id))).one()
    await shop.stripe.turn("deauthorize", account=account_id)
    here = f"/app/lotus/bookings/{made.booking_id}"
    await send(staff, f"{here}/release", {})
    told = words_of(await staff.get(here))
    until = payable_until(order.hold_expires_at)
    assert until is not None
    last = " ".join(datetime_local(until, business.ctx.here.zone).split())
    assert f"the guest can still pay until {last} and has the places then" in told
    assert "are free by" not in told, "which nobody knows before that"
    shop.stripe.engine.store.save_private(account_id, {"connected": True})
    await pay_slowly(shop, account_id, payment_url)
    await send(staff, f"{here}/release", {})
    assert "A payment is on its way" in words_of(await staff.get(here))
