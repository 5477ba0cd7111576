"""From a course's date to a credit, to a date of another course: in two steps and in one."""

from dataclasses import dataclass

import httpx
import pytest
from sqlalchemy import select, update

from src.billing.models import CreditLot, Payment
from src.booking.domain.drop_in import PayWay
from src.booking.domain.leaving import LeavingTerms, Tier
from src.booking.domain.reasons import ReasonCode
from src.booking.errors import NotBookable
from src.booking.guest_links import booking_path
from src.booking.models import Seat, Service, Session
from src.booking.queries.seat_answers import get_guest_may
from src.platform.ids import new_id
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.booking.web.conftest import Shop
from tests.support.builders import Term, a_series, a_service
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.visitor import forms_of

pytestmark = pytest.mark.anyio


@dataclass
class Bought:
    """A paid course, its booking's page, and another course that takes credits."""

    own: str
    term: Term
    other: Term
    third: Term


async def a_course(shop: Shop) -> Bought:
    factory, business = shop.services.uow_factory, shop.business
    given = await a_refund_package(factory, business.id)
    yoga = await a_service(factory, business.id)
    term = await a_series(
        factory, yoga, price_type="on_site", leaving=leaving(course=gives_package(given))
    )
    pilates = await a_service(factory, business.id, slug="pilates", name="Pilates")
    terms = []
    for title, tag in (("Beginners", "beginners"), ("Advanced", "advanced")):
        other = await a_series(
            factory,
            pilates,
            title=title,
            tags=[tag],
            sessions=4,
            drop_in_allowed=True,
            drop_in_pays=["credit"],
        )
        terms.append(other)
    made = await booked(factory, business, a_wish("series", term.series.id))
    await paid_by_card(shop.services, business, made)
    own = booking_path(shop.services.settings, "lotus", made.order)
    return Bought(own, term, *terms)


async def press(shop: Shop, page: httpx.Response, action: str) -> httpx.Response:
    (form,) = [form for form in forms_of(page) if action in form.action]
    return await shop.guest.client.post(form.action, data=form.fields)


async def states(shop: Shop) -> list[tuple[str, str | None]]:
    async with shop.services.uow_factory(shop.business.id) as uow:
        found = await uow.session.scalars(select(Seat).order_by(Seat.id))
        return [(seat.state, seat.returned_as) for seat in found]


async def test_one_date_becomes_a_credit_that_its_tag_lets_in_elsewhere(shop: Shop) -> None:
    bought = await a_course(shop)
    first = bought.term.sessions[0]
    page = await shop.guest.open(f"{bought.own}/leave?date={first.id}")
    promise = "You get 1 credit for “Beginner classes”, valid until Friday, April 30, 2027."
    assert promise in page.text
    assert "nothing comes back." in page.text, "what late means"
    sent = await press(shop, page, "/leave")
    assert sent.status_code == 303, sent.text
    shown = await shop.guest.open(bought.own)
    assert promise in shown.text
    async with shop.services.uow_factory(shop.business.id) as uow:
        lot = (await uow.session.scalars(select(CreditLot))).one()
    by_credit = {"way": PayWay.CREDIT, "customer_id": lot.customer_id, "credit_lot_id": lot.id}
    factory, business = shop.services.uow_factory, shop.business
    with pytest.raises(NotBookable) as refusal:
        wish = a_wish("session", bought.third.sessions[0].id, **by_credit)
        await booked(factory, business, wish)
    assert [one.code for one in refusal.value.reasons] == [ReasonCode.CREDITS_OUT_OF_SCOPE]
    wish = a_wish("session", bought.other.sessions[0].id, **by_credit)
    assert (await booked(factory, business, wish)).order.month is None


async def test_the_mail_says_which_credit_it_is(shop: Shop) -> None:
    bought = await a_course(shop)
    await shop.work()
    shop.services.mailer.sent.clear()  # type: ignore[attr-defined]
    first = bought.term.sessions[0]
    page = await shop.guest.open(f"{bought.own}/leave?date={first.id}")
    await press(shop, page, "/leave")
    await shop.work()
    [mail] = shop.services.mailer.sent  # type: ignore[attr-defined]
    assert "You get 1 credit for “Beginner classes”, valid until" in mail.body


async def test_a_date_of_another_course_is_proposed_with_why_and_taken_in_one_step(
    shop: Shop,
) -> None:
    bought = await a_course(shop)
    first, target = bought.term.sessions[0], bought.other.sessions[1]
    page = await shop.guest.open(f"{bought.own}/move?date={first.id}")
    assert "These suit best" in page.text
    assert "Also on a Monday, about the same time" in page.text
    assert "Pilates · Beginners" in page.text
    assert "Advanced" not in page.text
    page = await shop.guest.open(f"{bought.own}/move?date={first.id}&to={target.id}")
    assert "A credit for “Beginner classes” pays it." in page.text
    assert "If you give the new place back in time" in page.text
    assert "no credit comes back" not in page.text
    for _press in range(2):
        sent = await press(shop, page, "/move")
        assert sent.status_code == 303, sent.text
        assert [state for state, _back in await states(shop)] == [
            "swapped",
            "confirmed",
            "confirmed",
            "confirmed",
        ]
    new = await shop.guest.open(sent.headers["location"])
    assert "Pilates" in new.text
    assert "Your new date is below" in new.text
    old = await shop.guest.open(bought.own)
    assert "Exchanged for Pilates · Beginners on" in old.text
    assert sent.headers["location"] in old.text


async def test_a_target_filled_meanwhile_changes_nothing_and_is_said(shop: Shop) -> None:
    bought = await a_course(shop)
    first, target = bought.term.sessions[0], bought.other.sessions[1]
    page = await shop.guest.open(f"{bought.own}/move?date={first.id}&to={target.id}")
    async with shop.services.uow_factory(shop.business.id) as uow:
        await uow.session.execute(
            update(Session).where(Session.id == target.id).values(seats_taken=Session.capacity)
        )
    refused = await press(shop, page, "/move")
    assert refused.status_code == 409
    assert 'role="alert"' in refused.text
    assert {state for state, _back in await states(shop)} == {"confirmed"}


async def test_a_forged_target_without_the_tag_is_refused(shop: Shop) -> None:
    bought = await a_course(shop)
    first, target = bought.term.sessions[0], bought.other.sessions[1]
    page = await shop.guest.open(f"{bought.own}/move?date={first.id}&to={target.id}")
    (form,) = [form for form in forms_of(page) if "/move" in form.action]
    for to, status in ((bought.third.sessions[1].id, 409), (new_id(), 404)):
        action = form.action.replace(str(target.id), str(to))
        refused = await shop.guest.client.post(action, data={**form.fields, "seen": "0"})
        assert refused.status_code == status, refused.text
    assert {state for state, _back in await states(shop)} == {"confirmed"}


async def test_the_owner_reads_what_the_guest_may_and_why_not(shop: Shop) -> None:
    bought = await a_course(shop)
    factory, business = shop.services.uow_factory, shop.business
    async with factory(business.id) as uow:
        order_id = (await uow.session.scalars(select(Seat.order_id))).first()
        assert order_id is not None
        may = await get_guest_may(uow, business.tenant, order_id)
    first = may.seats[0]
    assert "and gets a credit for another date." in first.leaving
    assert len(first.dates) == len(bought.other.sessions)
    async with factory(business.id) as uow:
        await uow.session.execute(update(Payment).values(refunded_minor=Payment.amount_minor))
        may = await get_guest_may(uow, business.tenant, order_id)
    [why] = may.seats[0].why_not_exchange
    assert "so there is no credit for it" in why.sentence


async def test_nothing_is_promised_of_a_new_place_that_brings_nothing_in_time(shop: Shop) -> None:
    bought = await a_course(shop)
    first, target = bought.term.sessions[0], bought.other.sessions[1]
    nothing = LeavingTerms(tiers=(Tier(before=0, percent=0),)).document()
    async with shop.services.uow_factory(shop.business.id) as uow:
        pilates = Service.slug == "pilates"
        await uow.session.execute(update(Service).where(pilates).values(leaving=nothing))
    page = await shop.guest.open(f"{bought.own}/move?date={first.id}&to={target.id}")
    assert "A credit for “Beginner classes” pays it." in page.text
    assert "no credit comes back" in page.text
    assert "in time" not in page.text
