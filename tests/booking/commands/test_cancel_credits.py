"""A cancelled date gives credits where that is chosen, and those that paid it always come back."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.credit_refunds import RefundCredits, refund_credits
from src.billing.domain.credits import LotSource
from src.billing.models import CreditLot, Order, Package, Payment
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.domain.cancelling import MoneyChoice, mark_of
from src.booking.domain.drop_in import PayWay
from src.booking.guest_links import booking_path
from src.booking.jobs.cancel_revoke import revoke_credits
from src.booking.models import Cancellation, Seat, Series, Session
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.own_credits import get_own_lots
from src.booking.queries.returns import get_money_back
from src.platform.errors import InvalidInput
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_cancel_money import UNDO, buys, cancels
from tests.booking.commands.test_leave import TERMS, leave, refunds
from tests.support.builders import (
    Business,
    Term,
    a_business,
    a_series,
    a_service,
    a_session,
)
from tests.support.cancelling import seats_taken_back
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, ledger_of
from tests.support.mail import RememberingMailer
from tests.support.policies import a_refund_package, gives_package, leaving
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def given(services: Services, lotus: Business) -> Package:
    return await a_refund_package(services.uow_factory, lotus.id)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    service = await a_service(services.uow_factory, lotus.id)
    return await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)


async def lots(services: Services, lotus: Business) -> list[CreditLot]:
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(CreditLot).order_by(CreditLot.id)))


async def returned_as(services: Services, lotus: Business) -> list[str | None]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(Seat.returned_as).where(Seat.state == "cancelled").order_by(Seat.id)
        )
        return list(found)


@pytest.mark.slow
async def test_a_credit_for_each_paid_place_instead_of_money(
    services: Services,
    lotus: Business,
    term: Term,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await buys(services, lotus, term, "carl")
    await buys(services, lotus, term, "dora", by_card=False)
    wish = a_wish("series", term.series.id, guest_email="unpaid@example.com")
    await booked(services.uow_factory, lotus, wish)
    await work(services, lotus.id)
    mailer.sent.clear()
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id)
    cancellation_id = await cancels(services, lotus, term, money)
    assert await lots(services, lotus) == [], "nothing happens while it can be undone"
    await work_through(services, clock, lotus.id, UNDO)
    made = await lots(services, lotus)
    assert [(lot.source, lot.value_minor, lot.balance) for lot in made] == [
        (LotSource.SEAT, 2000, 1)
    ] * 2
    assert sorted(map(str, await returned_as(services, lotus))) == ["None", "credit", "credit"]
    assert await refunds(services, lotus.id) == []
    said = [mail.body for mail in mailer.sent if "You get 1 credit for" in mail.body]
    assert len(said) == 2
    assert all("To use it, choose a date, sign in with this e-mail address" in one for one in said)
    async with services.uow_factory(lotus.id) as uow:
        back = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert back is not None
    assert (back.credits, back.credited_people) == (2, 2)
    assert (back.people, back.goes_back_minor) == (0, 0)


async def test_who_gets_an_amount_of_their_own_gets_no_credit_besides(
    services: Services, lotus: Business, term: Term, given: Package, clock: FrozenClock
) -> None:
    made = await buys(services, lotus, term, "carl")
    await buys(services, lotus, term, "dora")
    money = MoneyWanted(choice=MoneyChoice.CREDIT, package_id=given.id, own={made.order_id: 500})
    cancellation_id = await cancels(services, lotus, term, money)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [500]
    assert len(await lots(services, lotus)) == 1
    async with services.uow_factory(lotus.id) as uow:
        back = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert back is not None
    assert (back.people, back.goes_back_minor) == (1, 500)
    assert (back.credited_people, back.credits) == (1, 1)


async def test_without_a_package_it_is_asked_for(
    services: Services, lotus: Business, term: Term
) -> None:
    await buys(services, lotus, term, "carl")
    with pytest.raises(InvalidInput) as refusal:
        await cancels(services, lotus, term, MoneyWanted(choice=MoneyChoice.CREDIT))
    assert list(refusal.value.fields) == ["package"]


async def test_by_their_terms_guests_get_the_credit_that_these_give(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory,
        service,
        price_type="on_site",
        leaving=leaving(course=gives_package(given)),
    )
    await buys(services, lotus, term, "carl")
    async with services.uow_factory(lotus.id) as uow:
        people = await list_returnable(uow, lotus.tenant, [Seat.session_id == term.sessions[1].id])
        assert (await uow.session.get_one(Series, (lotus.id, term.series.id))).id
    assert [(len(one.terms_ids), one.terms_minor) for one in people] == [(1, 0)]
    await cancels(
        services, lotus, term, MoneyWanted(choice=MoneyChoice.TERMS, seen=mark_of(people))
    )
    # Judged when it was chosen: the deadline may pass in the time to undo it.
    await work_through(services, clock, lotus.id, UNDO)
    [lot] = await lots(services, lotus)
    assert lot.name == "Beginner classes"


async def test_money_for_a_date_that_was_moved_takes_no_credit_from_the_others(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    course = leaving(course=gives_package(given))
    term = await a_series(services.uow_factory, service, price_type="on_site", leaving=course)
    made = await buys(services, lotus, term, "carl")
    async with services.uow_factory(lotus.id) as uow:
        last = await uow.session.get_one(Session, (lotus.id, term.sessions[2].id))
        last.sequence = last.moved_sequence = 1
    await cancels_purchase(services, lotus, made.booking_id, choice=MoneyChoice.TERMS)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [2000]
    assert [lot.value_minor for lot in await lots(services, lotus)] == [2000, 2000]
    seats = await seats_of(services.uow_factory, lotus.id)
    by_date = {seat.session_id: seat.returned_as for seat in seats}
    assert [by_date[one.id] for one in term.sessions] == ["credit", "credit", "money"]


async def test_a_credit_that_has_ended_meanwhile_comes_back_with_time_to_use_it(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    other = await a_series(
        services.uow_factory,
        await a_service(services.uow_factory, lotus.id, slug="pilates"),
        drop_in_allowed=True,
    )
    ends_at = other.sessions[0].starts_at + timedelta(minutes=1)
    customer_id, lot_id = await a_lot(services.uow_factory, lotus.id, number=1, expires_at=ends_at)
    wish = a_wish(
        "session",
        other.sessions[0].id,
        way=PayWay.CREDIT,
        customer_id=customer_id,
        credit_lot_id=lot_id,
    )
    await booked(services.uow_factory, lotus, wish)
    async with services.uow_factory(lotus.id) as uow:
        lot = await uow.session.get_one(CreditLot, (lotus.id, lot_id))
        lot.expires_at = clock.now() + timedelta(hours=1)
    clock.advance(timedelta(hours=2))
    await cancels(services, lotus, other, MoneyWanted(choice=MoneyChoice.NOTHING), date=0)
    await work_through(services, clock, lotus.id, UNDO)
    old, new = await lots(services, lotus)
    assert (old.balance, new.balance, new.source, new.value_minor) == (0, 1, LotSource.SEAT, 0)
    zone = lotus.tenant.zone
    assert new.expires_at is not None
    assert to_local(new.expires_at, zone).date() == to_local(clock.now(), zone).date() + timedelta(
        days=30
    )
    assert await returned_as(services, lotus) == ["credit"]


async def a_course_with_a_credit(
    services: Services, lotus: Business, given: Package
) -> tuple[Booked, UUID, UUID]:
    """Three dates for 60 paid by card, of which the first has become a credit. Returns the booking
    with the order's and the lot's id.
    """
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(
        services.uow_factory,
        service,
        price_type="on_site",
        leaving=leaving(course=gives_package(given)),
    )
    made = await buys(services, lotus, term, "carl")
    [first, *_rest] = await seats_of(services.uow_factory, lotus.id)
    await leave(services, lotus, made, [first])
    [lot] = await lots(services, lotus)
    return made, made.booking_id, lot.id


async def test_a_credit_given_for_a_place_leads_to_the_booking_and_not_to_a_purchase(
    services: Services, lotus: Business, given: Package
) -> None:
    made, _booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    [lot] = await lots(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        own = await get_own_lots(uow, lotus.tenant, services.settings, lot.customer_id)
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        path = booking_path(services.settings, lotus.slug, order)
    [shown] = own.current
    assert (shown.href, shown.is_for_place) == (path, True)


async def test_one_that_came_instead_of_an_ended_one_leads_to_the_booking_too(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """It is of the order that had bought the ended one, which has a page of its own."""
    service = await a_service(services.uow_factory, lotus.id, slug="pilates")
    session = await a_session(services.uow_factory, service)
    paid = await booked(services.uow_factory, lotus, a_wish("session", session.id))
    customer_id, lot_id = await a_lot(
        services.uow_factory, lotus.id, number=1, order_id=paid.order_id
    )
    wish = a_wish(
        "session",
        session.id,
        way=PayWay.CREDIT,
        customer_id=customer_id,
        credit_lot_id=lot_id,
        party=("Kim",),
    )
    made = await booked(services.uow_factory, lotus, wish)
    async with services.uow_factory(lotus.id) as uow:
        lot = await uow.session.get_one(CreditLot, (lotus.id, lot_id))
        lot.expires_at = clock.now() - timedelta(hours=1)
    seats = await seats_of(services.uow_factory, lotus.id)
    theirs = [seat.id for seat in seats if seat.order_id == made.order_id]
    await seats_taken_back(services.uow_factory, lotus, theirs)
    async with services.uow_factory(lotus.id) as uow:
        own = await get_own_lots(uow, lotus.tenant, services.settings, customer_id)
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        path = booking_path(services.settings, lotus.slug, order)
    [shown] = own.current
    assert (shown.href, shown.is_for_place) == (path, True)


async def cancels_purchase(
    services: Services, lotus: Business, booking_id: UUID, **money: Any
) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_purchase(
            uow,
            lotus.ctx,
            booking_id,
            reason="Moves away",
            undo_seconds=10,
            money=MoneyWanted(**money),
        )


async def test_unspent_credits_are_taken_back_with_their_purchase_and_their_worth_goes_back(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    _made, booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    assert [lot.balance for lot in await lots(services, lotus)] == [1], "it can be undone"
    await work_through(services, clock, lotus.id, UNDO)
    [lot] = await lots(services, lotus)
    assert (lot.id, lot.balance, lot.value_minor) == (lot_id, 0, 0)
    assert sorted(await refunds(services, lotus.id)) == [2000, 4000]
    assert [kind for kind, _n in await ledger_of(services.uow_factory, lotus.id)] == [
        "grant",
        "adjust",
    ]


@pytest.mark.parametrize(
    "money", [{"choice": MoneyChoice.NOTHING}, {"choice": MoneyChoice.TERMS}, {"own": 4000}]
)
async def test_credits_stay_where_their_worth_does_not_go_back_as_money(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
    money: dict[str, Any],
) -> None:
    made, booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    if "own" in money:
        money = {"own": {made.order_id: money["own"]}}
    await cancels_purchase(services, lotus, booking_id, revokes_credits=True, **money)
    await work_through(services, clock, lotus.id, UNDO)
    by_id = {lot.id: (lot.balance, lot.value_minor) for lot in await lots(services, lotus)}
    assert by_id[lot_id] == (1, 2000)
    assert not [mail for mail in mailer.sent if "taken off" in mail.body]


async def test_terms_give_no_money_that_lies_in_a_credit(
    services: Services, lotus: Business, given: Package
) -> None:
    """60 were paid, 20 lie in a credit that stays and 20 went back, so 20 are left of it."""
    made, _booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
        payment.refunded_minor = 2000
        for session in await uow.session.scalars(select(Session)):
            session.sequence = session.moved_sequence = 1
    async with services.uow_factory(lotus.id) as uow:
        which = [Seat.order_id == made.order_id, Seat.state == "confirmed"]
        [one] = await list_returnable(uow, lotus.tenant, which, {made.order_id: {new_id(): 2000}})
    assert (one.full_minor, one.terms_minor) == (4000, 2000)


async def test_who_loses_credits_with_a_purchase_is_told_once(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    cancellation_id = await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    await work(services, lotus.id)
    mailer.sent.clear()
    await work_through(services, clock, lotus.id, UNDO)
    for _again in range(2):
        async with services.uow_factory(lotus.id) as uow:
            cancellation = await uow.session.get_one(Cancellation, (lotus.id, cancellation_id))
            await revoke_credits(uow, cancellation)
        await work(services, lotus.id)
    said = [mail for mail in mailer.sent if "1 credit was taken off." in mail.body]
    assert [mail.to for mail in said] == [["carl <carl@example.com>"]]
    assert "Left" not in said[0].body, "nothing is"


async def test_credits_that_stay_are_no_news(
    services: Services,
    lotus: Business,
    given: Package,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    _made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(services, lotus, booking_id, choice=MoneyChoice.FULL)
    await work_through(services, clock, lotus.id, UNDO)
    assert not [mail for mail in mailer.sent if "taken off" in mail.body]


async def test_kept_credits_keep_their_worth(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    made, booking_id, _lot_id = await a_course_with_a_credit(services, lotus, given)
    with pytest.raises(InvalidInput):
        await cancels_purchase(services, lotus, booking_id, own={made.order_id: 4001})
    await cancels_purchase(services, lotus, booking_id, choice=MoneyChoice.FULL)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [4000]
    [lot] = await lots(services, lotus)
    assert (lot.balance, lot.value_minor) == (1, 2000)


async def test_a_credit_spent_in_the_time_to_undo_stays_spent_and_brings_no_money(
    services: Services, lotus: Business, given: Package, clock: FrozenClock
) -> None:
    _made, booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    await cancels_purchase(
        services, lotus, booking_id, choice=MoneyChoice.FULL, revokes_credits=True
    )
    other = await a_series(
        services.uow_factory,
        await a_service(services.uow_factory, lotus.id, slug="pilates"),
        drop_in_allowed=True,
        tags=["beginners"],
    )
    [lot] = await lots(services, lotus)
    wish = a_wish(
        "session",
        other.sessions[0].id,
        way=PayWay.CREDIT,
        customer_id=lot.customer_id,
        credit_lot_id=lot_id,
    )
    await booked(services.uow_factory, lotus, wish)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [4000]


async def test_staff_turn_a_credit_into_money_within_its_worth_and_once(
    services: Services, lotus: Business, given: Package
) -> None:
    _made, _booking_id, lot_id = await a_course_with_a_credit(services, lotus, given)
    token = new_id()

    async def turn(amount_minor: int) -> object:
        cmd = RefundCredits(
            lot_id=lot_id, amount_minor=amount_minor, seen=1, reason="Moves", token=token
        )
        async with services.uow_factory(lotus.id) as uow:
            return await refund_credits(uow, lotus.ctx, cmd)

    with pytest.raises(InvalidInput):
        await turn(2001)
    assert await turn(1500) is not None
    assert await turn(1500) is None
    assert await refunds(services, lotus.id) == [1500]
    [lot] = await lots(services, lotus)
    assert (lot.balance, lot.refunded_minor) == (0, 1500)
