"""Paying with credits in the booking form: who is offered them, and what every refusal says."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, update

from src.billing.domain.credits import LotSource, Scope
from src.billing.models import CreditLot, Order
from src.billing.stripe_gateway import StripeGateway
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.refund_policy import BuyerRule, Gives, RefundPolicy
from src.booking.models import Seat, Series, Session
from src.booking.queries.wish_credits import key_of_lot
from src.platform.ids import new_id
from tests.booking.web.conftest import Shop, change, rows, subject
from tests.booking.web.pages import as_owner
from tests.support.builders import a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, balance_of
from tests.support.mail import RememberingMailer
from tests.support.portal import sign_in_portal
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio


async def a_date(shop: Shop, **more: Any) -> Session:
    """A single date at EUR 15, paid by card."""
    return await a_session(
        shop.services.uow_factory,
        await a_service(shop.services.uow_factory, shop.business.id),
        **more,
    )


async def carl_with(shop: Shop, number: int = 7, **more: Any) -> tuple[UUID, UUID]:
    """Carl is signed in and has so many credits."""
    customer_id, lot_id = await a_lot(
        shop.services.uow_factory, shop.business.id, number=number, **more
    )
    await sign_in_portal(shop.guest.client, shop.services, shop.business.id, customer_id)
    return customer_id, lot_id


async def left(shop: Shop, customer_id: UUID) -> int:
    return await balance_of(shop.services.uow_factory, shop.business.id, customer_id)


async def test_who_is_signed_in_books_with_a_credit(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, lot_id = await carl_with(shop)
    form = await shop.guest.open(subject("session", date.id))
    assert "Use 1 of 7 left" in form.text
    assert "Book with 1 credit" in form.text
    assert "€15.00" in form.text, "the other ways keep their price"
    sent = await shop.send()
    page = await shop.guest.open(sent.headers["location"])
    assert "You are booked" in page.text
    assert "1 credit of “10 sessions”" in page.text
    assert await left(shop, customer_id) == 6
    (seat,) = await rows(shop, Seat)
    assert (seat.credit_lot_id, seat.share_minor) == (lot_id, 0)
    shop.guest.page = form
    again = await shop.send()
    assert again.headers["location"] == sent.headers["location"], "the same form books once"
    assert await left(shop, customer_id) == 6


async def test_it_works_while_the_processor_is_out_of_reach(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, _lot = await carl_with(shop)
    calls = len(shop.stripe.engine.store.every(await account_of(shop), "checkout.session", {}))
    await shop.services.port(StripeGateway).close()
    sent = await shop.book(subject("session", date.id))
    assert "You are booked" in (await shop.guest.open(sent.headers["location"])).text
    assert await left(shop, customer_id) == 6
    found = shop.stripe.engine.store.every(await account_of(shop), "checkout.session", {})
    assert len(found) == calls


async def account_of(shop: Shop) -> str:
    from src.billing.models import ConnectedAccount

    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalar(
            select(ConnectedAccount.account_id).where(
                ConnectedAccount.tenant_id == shop.business.id
            )
        )
    assert found is not None
    return str(found)


async def test_a_party_of_three_costs_three_and_money_can_be_chosen_instead(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, _lot = await carl_with(shop)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(size="3", step="update")
    assert "Use 3 of 7 left" in shop.guest.page.text
    assert "€45.00" in shop.guest.page.text
    by_card = await shop.send(size="3", way="online")
    assert by_card.headers["location"].startswith(shop.stripe.base_url)
    assert await left(shop, customer_id) == 7
    shop.guest.page = None
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(size="3", step="update")
    await shop.send(size="3")
    assert await left(shop, customer_id) == 4


async def test_the_one_that_ends_first_is_offered_first_and_another_can_be_chosen(
    shop: Shop, clock: FrozenClock
) -> None:
    date = await a_date(shop)
    customer_id, forever = await carl_with(shop)
    soon = clock.now() + timedelta(days=30)
    _carl, ending = await a_lot(
        shop.services.uow_factory, shop.business.id, number=2, expires_at=soon
    )
    form = (await shop.guest.open(subject("session", date.id))).text
    assert form.index(key_of_lot(ending)) < form.index(key_of_lot(forever))
    await shop.send(way=key_of_lot(forever))
    (seat,) = await rows(shop, Seat)
    assert seat.credit_lot_id == forever
    assert await left(shop, customer_id) == 8


async def test_many_lots_are_listed_by_their_end_and_the_later_ones_folded(
    shop: Shop, clock: FrozenClock
) -> None:
    """What is chosen is never out of sight."""
    date = await a_date(shop)
    _carl, forever = await carl_with(shop)
    lots = [forever]
    for days in (60, 50, 40, 30, 20, 10):
        ends_at = clock.now() + timedelta(days=days)
        _carl, lot = await a_lot(
            shop.services.uow_factory, shop.business.id, number=2, expires_at=ends_at
        )
        lots.insert(0, lot)
    own = (await shop.guest.open("/b/lotus/me")).text
    shown, _summary, rest = own.partition("Show 3 more")
    assert [lot for lot in lots if f"credits-{lot}" in shown] == lots[:4]
    assert [lot for lot in lots if f"credits-{lot}" in rest] == lots[4:]
    places = [own.index(f"credits-{lot}") for lot in lots]
    assert places == sorted(places)
    form = (await shop.guest.open(subject("session", date.id))).text
    shown, _summary, rest = form.partition("Show 4 more")
    assert [lot for lot in lots if key_of_lot(lot) in shown] == lots[:3]
    assert [lot for lot in lots if key_of_lot(lot) in rest] == lots[3:]
    assert "<details open>" not in form
    again = await shop.send(step="update", way=key_of_lot(forever))
    assert "<details open>" in again.text


async def test_a_series_takes_one_for_each_remaining_date_where_it_takes_any(shop: Shop) -> None:
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id))
    customer_id, _lot = await carl_with(shop)
    form = await shop.guest.open(subject("series", term.series.id))
    assert "Use " not in form.text
    await change(shop, Series, takes_credits=True)
    form = await shop.guest.open(subject("series", term.series.id))
    assert "Use 3 of 7 left" in form.text
    await shop.send()
    assert await left(shop, customer_id) == 4
    assert len(await rows(shop, Seat)) == 3


async def test_a_stranger_sees_nothing_of_anybody_and_is_asked_to_sign_in(
    shop: Shop, mailer: RememberingMailer
) -> None:
    date = await a_date(shop)
    assert "Have credits?" not in (await shop.guest.open(subject("session", date.id))).text
    customer_id, _lot = await a_lot(shop.services.uow_factory, shop.business.id, number=7)
    form = await shop.guest.open(subject("session", date.id))
    assert "of 7 left" not in form.text
    assert "Have credits? Sign in to use them" in form.text
    shop.guest.page = await shop.send(step="update", size="2")
    assert "of 7 left" not in shop.guest.page.text, "the address is typed, not proved"
    away = await shop.send(step="sign-in", size="2", note="By the window")
    await shop.guest.open(away.headers["location"])
    await enter_from_here(shop, mailer)
    page = shop.guest.page
    assert page is not None
    assert str(page.url).endswith(subject("session", date.id))
    assert "Use 2 of 7 left" in page.text
    assert "By the window" in page.text
    await shop.send()
    assert await left(shop, customer_id) == 5


async def enter_from_here(shop: Shop, mailer: RememberingMailer) -> None:
    from tests.support.portal import code_in

    await shop.guest.submit({"email": "carl@example.com"}, to="/me/sign-in")
    await shop.work()
    await shop.guest.submit({"code": code_in(mailer.sent[-1])}, to="/me/code")


async def try_lot(shop: Shop, date: Session, lot_id: UUID) -> httpx.Response:
    return await shop.book(subject("session", date.id), way=key_of_lot(lot_id))


async def test_each_lot_that_cannot_pay_says_why(shop: Shop, clock: FrozenClock) -> None:
    factory = shop.services.uow_factory
    date = await a_date(shop)
    await carl_with(shop, 1)
    now = clock.now()
    elsewhere = Scope(tags=frozenset({"other"}))
    cases = [
        ({"expires_at": now - timedelta(days=1)}, "have ended"),
        ({"scope": elsewhere}, "are not for this"),
        ({"pending": True}, "is not paid yet"),
        ({"expires_at": now + timedelta(hours=1)}, "end before this takes place"),
    ]
    for more, sentence in cases:
        _carl, lot_id = await a_lot(factory, shop.business.id, number=5, **more)
        sent = await try_lot(shop, date, lot_id)
        assert sent.status_code == 422
        assert sentence in sent.text
        assert 'id="f-way-error"' in sent.text
    assert await rows(shop, Order) == []


async def test_somebody_elses_lot_looks_like_none(shop: Shop) -> None:
    factory = shop.services.uow_factory
    date = await a_date(shop)
    await carl_with(shop)
    other = await a_business(factory, "other", owner="Eve")
    dora, of_dora = await a_lot(factory, shop.business.id, "dora@example.com")
    _eve, of_another = await a_lot(factory, other.id)
    said = [
        (await try_lot(shop, date, lot_id)).text.count("There are no such credits.")
        for lot_id in (of_dora, of_another, new_id())
    ]
    assert said == [1, 1, 1]
    assert await left(shop, dora) == 10
    assert await rows(shop, Order) == []


async def test_without_signing_in_no_lot_is_taken(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, lot_id = await a_lot(shop.services.uow_factory, shop.business.id)
    sent = await try_lot(shop, date, lot_id)
    assert sent.status_code == 422
    assert "Please sign in to use your credits." in sent.text
    assert await left(shop, customer_id) == 10


async def test_two_tabs_spend_the_last_credit_once(shop: Shop) -> None:
    """Row 2-45: a package was used more often than it had credits."""
    date = await a_date(shop)
    customer_id, lot_id = await carl_with(shop, 1)
    url = subject("session", date.id)
    first, second = await shop.guest.open(url), await shop.guest.open(url)
    shop.guest.page = first
    assert (await shop.send()).status_code == 303
    shop.guest.page = second
    sent = await shop.send(way=key_of_lot(lot_id))
    assert sent.status_code == 422
    assert "All credits of" in sent.text
    assert await left(shop, customer_id) == 0
    assert len(await rows(shop, Order)) == 1


async def test_too_few_credits_are_explained_and_money_stays(shop: Shop) -> None:
    date = await a_date(shop)
    await carl_with(shop, 2)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(size="3", step="update", way=[])
    assert "Only 2 credits" in shop.guest.page.text
    assert "Pay €45.00" in shop.guest.page.text


async def test_a_date_for_credits_only_says_what_it_is_worth_and_how_to_get_in(
    shop: Shop,
) -> None:
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id), drop_in_allowed=True)
    await change(shop, Series, drop_in_pays=["credit"], drop_in_price_minor=1200)
    date = term.sessions[0]
    closed = (await shop.guest.open(subject("session", date.id))).text
    assert "only be booked with credits" in closed
    assert "One place is worth €12.00." in closed
    assert "/b/lotus/packages" in closed
    [way_in] = re.findall(r'href="(/b/lotus/me/sign-in\?next=[^"]+)"', closed)
    asked = (await shop.guest.open(unescape(way_in))).text
    assert "Then you are back where you were, and credits that you have can be used" in asked
    customer_id, _lot = await carl_with(shop)
    form = (await shop.guest.open(subject("session", date.id))).text
    assert "Use 1 of 7 left" in form
    assert 'value="online"' not in form
    await shop.send()
    assert await left(shop, customer_id) == 6


async def test_a_date_for_credits_only_says_why_the_chosen_ones_are_not_good(shop: Shop) -> None:
    factory = shop.services.uow_factory
    term = await a_series(factory, await a_service(factory, shop.business.id), drop_in_allowed=True)
    await change(shop, Series, drop_in_pays=["credit"], tags=["beginners"])
    customer_id, lot_id = await carl_with(shop, scope=Scope(tags=frozenset({"beginners"})))
    await shop.guest.open(subject("session", term.sessions[0].id))
    await change(shop, Series, tags=["advanced"])
    sent = await shop.send(way=key_of_lot(lot_id))
    assert sent.status_code == 409
    assert "only be booked with credits" in sent.text
    assert "The credits of “10 sessions” are not for this." in sent.text
    assert await left(shop, customer_id) == 7


async def test_what_is_bought_and_not_paid_yet_is_named_in_the_form(shop: Shop) -> None:
    date = await a_date(shop)
    await carl_with(shop, pending=True)
    waiting = "“10 sessions” is not paid yet, so its credits cannot be used."
    form = (await shop.guest.open(subject("session", date.id))).text
    assert waiting in form
    assert "Use 1 of" not in form
    await carl_with(shop, 3)
    form = (await shop.guest.open(subject("session", date.id))).text
    assert waiting not in form
    assert "Use 1 of 3 left" in form


async def test_a_coupon_is_dropped_with_credits(shop: Shop) -> None:
    from tests.support.coupons import a_coupon, uses

    date = await a_date(shop)
    await a_coupon(shop.services.uow_factory, shop.business.id)
    customer_id, _lot = await carl_with(shop)
    form = await shop.guest.open(subject("session", date.id))
    assert 'name="coupon"' not in form.text
    await shop.send(coupon="SPRING")
    assert await left(shop, customer_id) == 6
    assert await uses(shop.services.uow_factory, shop.business.id) == 0


async def test_what_was_given_back_counts_again(shop: Shop) -> None:
    date = await a_date(shop)
    customer_id, _lot = await carl_with(shop, source=LotSource.GOODWILL, bought=0, paid_minor=0)
    sent = await shop.book(subject("session", date.id))
    await shop.guest.open(sent.headers["location"])
    page = await shop.guest.open(f"{sent.headers['location']}/leave?date={date.id}")
    assert "Your credit of “10 sessions” comes back." in page.text
    await shop.guest.submit(to=f"/leave?date={date.id}")
    assert await left(shop, customer_id) == 7
    lots = await rows(shop, CreditLot)
    assert [lot.balance for lot in lots] == [7]


@pytest.mark.parametrize("keeps", [False, True], ids=["lost", "kept"])
async def test_late_it_is_said_whether_the_credit_is_lost(shop: Shop, keeps: bool) -> None:
    terms = LeavingTerms(tiers=(Tier(before=48, percent=100),), late_keeps_credit=keeps)
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=terms.document())
    date = await a_session(factory, service, in_days=1)
    customer_id, _lot = await carl_with(shop)
    sent = await shop.book(subject("session", date.id))
    page = await shop.guest.open(f"{sent.headers['location']}/leave?date={date.id}")
    lost = "It is late: the place is freed, but your credit does not come back."
    assert (lost in page.text) is not keeps
    assert ("Your credit of “10 sessions” comes back." in page.text) is keeps
    assert "nothing comes back." not in page.text
    done = await shop.guest.submit(to=f"/leave?date={date.id}")
    assert ("It is cancelled. Your credit does not come back." in done.text) is not keeps
    assert await left(shop, customer_id) == (7 if keeps else 6)


async def test_a_credit_that_never_comes_back_is_said_so_before_and_after(
    shop: Shop, mailer: RememberingMailer
) -> None:
    policy = RefundPolicy(credit=BuyerRule(gives=Gives.NOTHING))
    terms = LeavingTerms(policy=policy, moves_before=0)
    service = await a_service(shop.services.uow_factory, shop.business.id, leaving=terms.document())
    dates = [await a_session(shop.services.uow_factory, service, in_days=days) for days in (7, 8)]
    await carl_with(shop)
    nothing = "You can cancel until it starts, but nothing comes back."
    assert nothing in (await shop.guest.open(subject("session", dates[0].id))).text
    home = (await shop.send()).headers["location"]
    await shop.work()
    assert nothing in " ".join(mailer.sent[-1].body.split())
    for path in (
        f"{home}/leave?date={dates[0].id}",
        f"{home}/move?date={dates[0].id}&to={dates[1].id}",
    ):
        assert nothing in (await shop.guest.open(path)).text, path


async def test_signed_in_elsewhere_is_nobody_here(shop: Shop) -> None:
    factory = shop.services.uow_factory
    date = await a_date(shop)
    other = await a_business(factory, "other", owner="Eve")
    carl_there, _lot = await a_lot(factory, other.id)
    await a_lot(factory, shop.business.id)
    await sign_in_portal(shop.guest.client, shop.services, other.id, carl_there)
    assert "of 10 left" not in (await shop.guest.open(subject("session", date.id))).text
    async with factory(shop.business.id) as uow:
        await uow.session.execute(update(Session).values(title="x"))


async def test_what_came_back_of_two_credits_is_said_and_both_are_spoken_of_before(
    shop: Shop,
) -> None:
    date = await a_date(shop)
    await carl_with(shop)
    await shop.guest.open(subject("session", date.id))
    shop.guest.page = await shop.send(step="update", size="2")
    assert "your credits come back" in shop.guest.page.text
    sent = await shop.send(size="2", **{"names.2": "Kim"})
    home = sent.headers["location"]
    assert "2 credits of “10 sessions”, 5 left" in (await shop.guest.open(home)).text
    page = await shop.guest.open(f"{home}/leave?date={date.id}")
    (form,) = [form for form in forms_of(page) if "/leave" in form.action]
    gone = {**form.fields, "seat": form.fields["seat"][:1]}
    assert (await shop.guest.client.post(form.action, data=gone)).status_code == 303
    shown = (await shop.guest.open(home)).text
    assert "2 credits of “10 sessions”, 6 left; 1 of them came back" in shown


async def test_the_booking_and_another_date_speak_of_both_credits_of_two(shop: Shop) -> None:
    terms = LeavingTerms(tiers=(Tier(before=48, percent=100),), moves_before=0)
    factory = shop.services.uow_factory
    service = await a_service(factory, shop.business.id, leaving=terms.document())
    dates = [await a_session(factory, service, in_days=days) for days in (7, 8)]
    await carl_with(shop)
    await shop.guest.open(subject("session", dates[0].id))
    shop.guest.page = await shop.send(step="update", size="2")
    home = (await shop.send(size="2", **{"names.2": "Kim"})).headers["location"]
    for path in (home, f"{home}/move?date={dates[0].id}&to={dates[1].id}"):
        shown = (await shop.guest.open(path)).text
        assert "your credits come back" in shown, path
        assert "your credit comes back" not in shown, path


async def test_a_credit_goes_along_to_another_date_and_is_counted_once(shop: Shop) -> None:
    service = await a_service(
        shop.services.uow_factory,
        shop.business.id,
        leaving=LeavingTerms(moves_before=0).document(),
    )
    dates = [await a_session(shop.services.uow_factory, service, in_days=days) for days in (7, 8)]
    await carl_with(shop)
    home = (await shop.book(subject("session", dates[0].id))).headers["location"]
    page = await shop.guest.open(f"{home}/move?date={dates[0].id}&to={dates[1].id}")
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    assert (await shop.guest.client.post(form.action, data=form.fields)).status_code == 303
    assert "1 credit of “10 sessions”, 6 left" in (await shop.guest.open(home)).text


async def test_a_course_left_with_one_date_too_late_says_of_that_credit_that_it_is_lost(
    shop: Shop, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    day_before = (Tier(before=24, percent=100),)
    terms = LeavingTerms(tiers=day_before, whole_course=True)
    service = await a_service(shop.services.uow_factory, shop.business.id)
    term = await a_series(
        shop.services.uow_factory, service, leaving=terms.document(), takes_credits=True
    )
    await carl_with(shop)
    await shop.guest.open(subject("series", term.series.id))
    home = (await shop.send()).headers["location"]
    await shop.work()
    mailer.sent.clear()
    clock.at = term.sessions[0].starts_at - timedelta(hours=2)
    page = await shop.guest.open(f"{home}/leave")
    (form,) = [form for form in forms_of(page) if form.action.endswith("/leave")]
    assert (await shop.guest.client.post(form.action, data=form.fields)).status_code == 303
    lost = "1 of your credits does not come back."
    assert lost in (await shop.guest.open(home)).text
    await shop.work()
    [mail] = mailer.sent
    said = " ".join(mail.body.split())
    assert "2 credits of “10 sessions” come back" in said
    assert lost in said


async def test_who_cancels_a_date_reads_of_the_credits_that_paid_seats(shop: Shop) -> None:
    date = await a_date(shop)
    await carl_with(shop)
    await shop.book(subject("session", date.id))
    await as_owner(shop.guest.client, shop.services, shop.business)
    page = await shop.guest.open(f"/app/lotus/sessions/{date.id}/cancel")
    assert "1 seat was paid with a credit, which comes back" in page.text
    assert "none, credits paid for these seats" in page.text
