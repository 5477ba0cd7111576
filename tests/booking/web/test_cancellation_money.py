"""The choice of what goes back, and what became of it, as the pages show them."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.checkout import ensure_payment_page
from src.billing.commands.by_staff import close_item_by_hand, mark_paid_on_site
from src.billing.models import OpenItem, Payment, PaymentPage, Refund
from src.billing.refund_news import take_refunds_of
from src.billing.settlement import settle_page
from src.booking.models import Cancellation
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import TERMS
from tests.booking.web.conftest import ROOT, Shop, shop
from tests.support.builders import Term, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.policies import a_refund_package
from tests.support.visitor import Visitor, forms_of
from tests.support.work import work_through
from tests.tenants.web.signed_in import sign_in

__all__ = ["shop"]
pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)


@pytest.fixture
async def term(shop: Shop) -> Term:
    """Three weekly dates at EUR 60; Carl and Dora have paid online, two days ahead all comes
    back.
    """
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id)
    return await a_series(factory, service, leaving=TERMS)


@pytest.fixture
async def owner(shop: Shop) -> Visitor:
    await sign_in(shop.guest.client, shop.services, shop.business.owner.id)
    return shop.guest


async def buys(shop: Shop, term: Term, guest: str, *party: str) -> UUID:
    """A purchase that is paid on the processor's page. Returns its order."""
    services, business = shop.services, shop.business
    wish = a_wish(
        "series",
        term.series.id,
        guest_name=guest,
        guest_email=f"{guest}@example.com",
        party=party or (guest,),
    )
    made = await booked(services.uow_factory, business, wish)
    await ensure_payment_page(
        services, business.id, made.order_id, success_url=f"{ROOT}/", cancel_url=f"{ROOT}/"
    )
    async with services.uow_factory(business.id) as uow:
        of_order = PaymentPage.order_id == made.order_id
        page = (await uow.session.scalars(select(PaymentPage).where(of_order))).one()
    await shop.stripe.turn("pay", session=page.processor_id)
    await settle_page(services, business.id, page.id)
    return made.order_id


def path_to(term: Term, date: int = 1) -> str:
    return f"/app/lotus/sessions/{term.sessions[date].id}/cancel"


async def refunds(shop: Shop) -> list[tuple[int, str]]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(Refund).order_by(Refund.amount_minor, Refund.id))
        return [(one.amount_minor, one.state) for one in found]


async def test_who_has_two_orders_is_one_guest(shop: Shop, term: Term, owner: Visitor) -> None:
    await buys(shop, term, "Carl")
    await buys(shop, term, "Carl", "Cleo")
    await owner.open(path_to(term))
    assert "2 seats of 1 guest" in owner.text
    await owner.submit({"money": "full"}, to="/cancel")
    assert "€40.00 to 1 guest" in owner.text


async def test_money_and_credits_are_counted_apart(shop: Shop, term: Term, owner: Visitor) -> None:
    package = await a_refund_package(shop.services.uow_factory, shop.business.id)
    carl = await buys(shop, term, "Carl")
    for guest in ("Dora", "Emil"):
        await buys(shop, term, guest)
    chosen = {"money": "credit", "package": str(package.id)}
    await owner.open(path_to(term))
    await owner.submit({**chosen, f"back.{carl}": "10"}, to="/cancel")
    assert "€10.00 to 1 guest" in owner.text
    assert "2 credits to 2 guests" in owner.text
    await owner.open(path_to(term, 2))
    await owner.submit(chosen, to="/cancel")
    assert "3 credits to 3 guests" in owner.text
    assert "€0.00" not in owner.text


@pytest.mark.slow
async def test_the_page_asks_what_goes_back_and_shows_it_on_its_way(
    shop: Shop, term: Term, owner: Visitor, clock: FrozenClock
) -> None:
    carl = await buys(shop, term, "Carl")
    await buys(shop, term, "Dora")
    await owner.open(path_to(term))
    for words in ("You choose below what of it goes back.", "€40.00", "Back to Carl"):
        assert words in owner.text, words
    await owner.submit({"reason": "Flood"}, to="/cancel", status=422)
    assert "Please choose what goes back." in owner.text
    assert "Flood" in owner.text
    await owner.submit({"money": "full", f"back.{carl}": "20.01"}, to="/cancel", status=422)
    assert f'id="f-back-{carl}-error"' in owner.text
    assert "At most €20.00 can go back here." in owner.text
    assert 'value="20.01"' in owner.text
    await owner.submit({f"back.{carl}": "12,50"}, to="/cancel")
    assert "€32.50 to 2 guests" in owner.text
    await owner.submit(to="/undo")
    assert "€32.50" not in owner.text
    await owner.open(path_to(term))
    await owner.submit({"money": "full", f"back.{carl}": "12.50"}, to="/cancel")
    progress = owner.path
    await work_through(shop.services, clock, shop.business.id, UNDO)
    assert await refunds(shop) == [(1250, "succeeded"), (2000, "succeeded")]
    await owner.open(progress)
    assert "Given back" in owner.text
    assert "2 seats freed," in owner.text


async def test_what_changed_since_it_was_looked_at_is_shown_again(
    shop: Shop, term: Term, owner: Visitor
) -> None:
    await buys(shop, term, "Carl")
    await owner.open(path_to(term))
    await buys(shop, term, "Dora")
    await owner.submit({"money": "full"}, to="/cancel", status=422)
    assert "What can go back has just changed." in owner.text
    assert "Dora" in owner.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        assert (await uow.session.scalars(select(Cancellation))).all() == []
    await owner.submit({"money": "nothing"}, to="/cancel")
    assert "Nothing is freed and nobody is told yet." in owner.text


@pytest.mark.slow
async def test_refunds_that_fail_are_listed_and_tried_again(
    shop: Shop, term: Term, owner: Visitor, clock: FrozenClock
) -> None:
    for guest in ("Carl", "Dora", "Eva", "Finn"):
        await buys(shop, term, guest)
    await shop.stripe.turn("refund_status", status="failed", times=3)
    await owner.open(path_to(term))
    await owner.submit({"money": "terms"}, to="/cancel")
    progress = owner.path
    await work_through(shop.services, clock, shop.business.id, UNDO)
    await owner.open(progress)
    assert "3 refunds did not go through." in owner.text
    failed = [state for _amount, state in await refunds(shop)].count("failed")
    assert failed == 3
    retry = f"{progress}/refunds/retry"
    async with shop.services.uow_factory(shop.business.id) as uow:
        item = (await uow.session.scalars(select(OpenItem).limit(1))).one()
        await close_item_by_hand(uow, shop.business.ctx, item.order_id, item.id)
    await owner.open(progress)
    assert "2 refunds did not go through." in owner.text, "one was settled otherwise"
    assert "Settled otherwise" in owner.text
    await owner.submit(to=retry)
    assert "2 refunds are tried again." in owner.text
    await work_through(shop.services, clock, shop.business.id, UNDO)
    assert sorted(await refunds(shop)) == [(2000, "failed"), *[(2000, "succeeded")] * 3]
    await owner.open(progress)
    assert "did not go through" not in owner.text


async def test_what_went_back_in_the_processors_dashboard_meanwhile_is_shown(
    shop: Shop, term: Term, owner: Visitor, clock: FrozenClock
) -> None:
    await buys(shop, term, "Carl")
    await owner.open(path_to(term))
    await owner.submit({"money": "full"}, to="/cancel")
    progress = owner.path
    async with shop.services.uow_factory(shop.business.id) as uow:
        intent = await uow.session.scalar(select(Payment.payment_intent_id))
    assert intent is not None
    await shop.stripe.turn("refund_from_dashboard", payment=intent, amount=5000)
    await take_refunds_of(shop.services, shop.business.id, intent)
    await work_through(shop.services, clock, shop.business.id, UNDO)
    assert await refunds(shop) == [(1000, "succeeded"), (5000, "succeeded")]
    await owner.open(progress)
    assert "€50.00 given back there since" in owner.text


async def test_what_was_paid_on_site_is_a_list_to_give_back_by_hand(
    shop: Shop, owner: Visitor, clock: FrozenClock
) -> None:
    services, business = shop.services, shop.business
    service = await a_service(services.uow_factory, business.id, price_type="on_site")
    session = await a_session(services.uow_factory, service)
    made = await booked(services.uow_factory, business, a_wish("session", session.id))
    async with services.uow_factory(business.id) as uow:
        await mark_paid_on_site(uow, business.ctx, made.order_id)
    await owner.open(f"/app/lotus/sessions/{session.id}/cancel")
    assert "€15.00 of it was paid on site" in owner.text
    assert "€15.00 paid on site. You choose below" in owner.text
    assert "falls away" not in owner.text
    await owner.submit({"money": "full"}, to="/cancel")
    progress = owner.path
    await work_through(services, clock, business.id, UNDO)
    await owner.open(progress)
    assert "To give back by hand" in owner.text
    await owner.open("/app/lotus/today")
    assert "1 guest gets money back by hand." in owner.text
    for page in (f"/app/lotus/sessions/{session.id}", f"/app/lotus/orders/{made.order_id}"):
        await owner.open(page)
        assert f'href="{progress}"' in owner.text
    await owner.open(progress)
    await owner.submit(to=f"/handed/{made.order_id}")
    assert "Noted: €15.00 given back." in owner.text
    assert f"/handed/{made.order_id}" not in owner.text
    await owner.open(f"/app/lotus/orders/{made.order_id}")
    assert "€15.00 went back" in owner.text


async def test_another_business_finds_none_of_it(
    shop: Shop, term: Term, owner: Visitor, clock: FrozenClock
) -> None:
    order_id = await buys(shop, term, "Carl")
    await owner.open(path_to(term))
    await owner.submit({"money": "full"}, to="/cancel")
    progress = owner.path
    await work_through(shop.services, clock, shop.business.id, UNDO)
    eves = await a_business(shop.services.uow_factory, "rival", owner="Eve")
    await sign_in(owner.client, shop.services, eves.owner.id)
    theirs = progress.replace("/lotus/", "/rival/")
    await owner.open(theirs, status=404)
    await owner.open("/app/rival/today")
    assert owner.page is not None
    fields = next(one.fields for one in forms_of(owner.page) if "_csrf_token" in one.fields)
    for path in ("/refunds/retry", f"/refunds/{order_id}/retry", f"/handed/{order_id}"):
        answer = await owner.client.post(theirs + path, data=fields)
        assert answer.status_code == 404, path


@pytest.mark.slow
async def test_a_whole_series_is_cancelled_with_its_consequences_first(
    shop: Shop, term: Term, owner: Visitor, clock: FrozenClock
) -> None:
    await buys(shop, term, "Carl")
    await owner.open(f"/app/lotus/series/{term.series.id}")
    assert f"/app/lotus/series/{term.series.id}/cancel" in owner.text
    await owner.open(f"/app/lotus/series/{term.series.id}/cancel")
    assert owner.text.count("<time datetime") == 3
    for words in ("3 seats of 1 guest", "€60.00 paid online", "It goes off sale"):
        assert words in owner.text, words
    await owner.submit({"money": "full", "reason": "We close"}, to="/cancel")
    progress = owner.path
    await owner.open(f"/app/lotus/series/{term.series.id}/cancel")
    assert owner.path == progress
    await owner.open(path_to(term))
    assert owner.path == progress, "a date of it leads there, too"
    await work_through(shop.services, clock, shop.business.id, UNDO)
    await owner.open(progress)
    assert "3 seats freed," in owner.text
    assert await refunds(shop) == [(6000, "succeeded")]
    await owner.open(f"/app/lotus/series/{term.series.id}/cancel")
    assert "No date of this series is left to cancel." in owner.text
