"""What staff choose to give back goes back with the seats: so much, once, and to whom it is due."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from src.billing.commands.by_staff import (
    RefundByHand,
    close_item_by_hand,
    mark_paid_on_site,
    refund_by_hand,
)
from src.billing.commands.orders import lock_order
from src.billing.commands.refunds import fail_refund
from src.billing.models import Order, Payment, Refund
from src.billing.queries.order_page import get_order_page
from src.billing.queries.orders import list_open_items
from src.billing.queries.refund_failures import list_waiting_refunds
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_purchase, cancel_session, undo_cancellation
from src.booking.commands.cancel_dates import cancel_dates
from src.booking.commands.cancel_returns import NOTHING, MoneyWanted
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.cancel_series import cancel_series
from src.booking.commands.hand_back import note_handed_back
from src.booking.domain.cancelling import MoneyChoice, mark_of
from src.booking.models import Cancellation, CancellationReturn, Seat
from src.booking.queries.cancellation_money import list_returnable
from src.booking.queries.returns import get_money_back
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_leave import TERMS, paid_by_card, refunds
from tests.support.builders import Business, Term, a_business, a_series, a_service
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work, work_through

pytestmark = pytest.mark.anyio
UNDO = timedelta(seconds=30)
FULL, BY_TERMS = (MoneyWanted(choice=choice) for choice in (MoneyChoice.FULL, MoneyChoice.TERMS))


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def term(services: Services, lotus: Business) -> Term:
    """Three weekly dates at EUR 60; up to 48 hours before all comes back, up to 24 half."""
    service = await a_service(services.uow_factory, lotus.id)
    return await a_series(services.uow_factory, service, price_type="on_site", leaving=TERMS)


async def buys(
    services: Services, lotus: Business, term: Term, guest: str, *, by_card: bool = True
) -> Booked:
    wish = a_wish("series", term.series.id, guest_name=guest, guest_email=f"{guest}@example.com")
    made = await booked(services.uow_factory, lotus, wish)
    if by_card:
        await paid_by_card(services, lotus, made)
    else:
        async with services.uow_factory(lotus.id) as uow:
            await mark_paid_on_site(uow, lotus.ctx, made.order_id)
    return made


async def cancels(
    services: Services,
    lotus: Business,
    term: Term,
    money: MoneyWanted,
    *,
    date: int = 1,
    undo_seconds: int = 10,
) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_session(
            uow,
            lotus.ctx,
            term.sessions[date].id,
            reason="Flood",
            undo_seconds=undo_seconds,
            money=money,
        )


async def returned(services: Services, lotus: Business) -> list[tuple[str, int]]:
    seats = await seats_of(services.uow_factory, lotus.id)
    return [(seat.state, seat.returned_minor) for seat in seats]


async def test_all_of_what_was_paid_for_the_date_goes_back_with_it_and_no_more(
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    await buys(services, lotus, term, "carl")
    await work(services, lotus.id)
    mailer.sent.clear()
    await cancels(services, lotus, term, FULL)
    assert await refunds(services, lotus.id) == [], "nothing moves while it can be undone"
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [2000]
    assert await returned(services, lotus) == [
        ("confirmed", 0),
        ("cancelled", 2000),
        ("confirmed", 0),
    ]
    [mail] = [mail for mail in mailer.sent if mail.subject.startswith("Cancelled")]
    assert "€20.00 is on its way back to you" in mail.body


async def test_by_the_terms_each_gets_what_they_would_get_by_leaving_now(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await buys(services, lotus, term, "carl")
    clock.advance(timedelta(days=12, hours=22))
    cancellation_id = await cancels(services, lotus, term, BY_TERMS)
    clock.advance(timedelta(days=1))
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [1000], "as it was when it was chosen"
    async with services.uow_factory(lotus.id) as uow:
        back = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert back is not None
    assert (back.people, back.goes_back_minor, back.pending_minor) == (1, 1000, 1000)


async def test_single_guests_get_another_amount_and_nobody_more_than_their_share(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    carl, dora, eva = [await buys(services, lotus, term, one) for one in ("carl", "dora", "eva")]
    own = {carl.order_id: 500, dora.order_id: 0}
    await cancels(services, lotus, term, MoneyWanted(choice=MoneyChoice.FULL, own=own))
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [500, 2000]
    too_much = MoneyWanted(choice=MoneyChoice.NOTHING, own={eva.order_id: 2001})
    with pytest.raises(InvalidInput) as refused:
        await cancels(services, lotus, term, too_much, date=2)
    assert refused.value.fields == {f"back.{eva.order_id}": "At most €20.00 can go back here."}
    with pytest.raises(InvalidInput):
        await cancels(
            services,
            lotus,
            term,
            MoneyWanted(choice=MoneyChoice.NOTHING, own={lotus.id: 1}),
            date=2,
        )


async def test_it_is_never_chosen_in_silence_nor_on_amounts_that_have_changed(
    services: Services, lotus: Business, term: Term
) -> None:
    await buys(services, lotus, term, "carl")
    with pytest.raises(InvalidInput) as refused:
        await cancels(services, lotus, term, MoneyWanted())
    assert set(refused.value.fields) == {"money"}
    async with services.uow_factory(lotus.id) as uow:
        which = [Seat.session_id == term.sessions[1].id]
        seen = mark_of(await list_returnable(uow, lotus.tenant, which))
    await buys(services, lotus, term, "dora")
    with pytest.raises(InvalidInput, match="just changed"):
        await cancels(services, lotus, term, MoneyWanted(choice=MoneyChoice.FULL, seen=seen))


async def test_what_went_back_by_hand_before_does_not_go_back_again(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    """I4: refunds never exceed what was paid, whoever asks for them first."""
    made = await buys(services, lotus, term, "carl")
    await cancels(services, lotus, term, FULL)
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        cmd = RefundByHand(
            order_id=made.order_id, payment_id=payment_id, amount_minor=4500, token="t"
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [1500, 4500]
    assert (await returned(services, lotus))[1] == ("cancelled", 1500)


@pytest.mark.parametrize("as_voucher", [False, True])
async def test_a_cancellation_that_leaves_nothing_of_a_payment_ends_its_failures(
    services: Services, lotus: Business, term: Term, clock: FrozenClock, *, as_voucher: bool
) -> None:
    made = await buys(services, lotus, term, "carl")
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        cmd = RefundByHand(
            order_id=made.order_id, payment_id=payment_id, amount_minor=4500, token="t"
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
        order = await lock_order(uow, made.order_id)
        asked = (await uow.session.scalars(select(Refund))).one()
        await fail_refund(uow, order, asked, "declined")
        cmd = RefundByHand(
            order_id=made.order_id, payment_id=payment_id, amount_minor=4000, token="u"
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
        assert len(await list_waiting_refunds(uow, payment_id)) == 1
    await cancels(services, lotus, term, msgspec.structs.replace(FULL, as_voucher=as_voucher))
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [2000, 4000, 4500]
    async with services.uow_factory(lotus.id) as uow:
        assert await list_waiting_refunds(uow, payment_id) == []


async def cancels_all(
    services: Services, lotus: Business, made: Booked, money: MoneyWanted
) -> UUID:
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_purchase(
            uow, lotus.ctx, made.booking_id, reason="", undo_seconds=10, money=money
        )


async def cancels_a_place(
    services: Services, lotus: Business, term: Term, money: MoneyWanted
) -> UUID:
    """The guest's on the second date."""
    date = term.sessions[1].id
    seats = await seats_of(services.uow_factory, lotus.id)
    seat_ids = [seat.id for seat in seats if seat.session_id == date]
    async with services.uow_factory(lotus.id) as uow:
        return await cancel_seats(
            uow, lotus.ctx, date, seat_ids, reason="", undo_seconds=10, money=money
        )


async def refusal(act: Awaitable[object]) -> str:
    """Its code, "" where it went through."""
    try:
        await act
    except Conflict as refused:
        return refused.code
    return ""


async def cancels_series(services: Services, lotus: Business, term: Term) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await cancel_series(uow, lotus.ctx, term.series.id, reason="", undo_seconds=10, money=FULL)


async def cancels_dates(services: Services, lotus: Business, term: Term) -> None:
    async with services.uow_factory(lotus.id) as uow:
        dates = [one.id for one in term.sessions]
        await cancel_dates(uow, lotus.ctx, dates, reason="", undo_seconds=10, money=FULL)


@pytest.mark.parametrize(("first", "given"), [(NOTHING, [3000]), (FULL, [2000, 3000])])
async def test_what_goes_back_for_a_place_is_chosen_in_one_cancellation(
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    first: MoneyWanted,
    given: list[int],
) -> None:
    """All that would reach it waits until that is over, and then is about the others alone."""
    made = await buys(services, lotus, term, "carl")
    own = MoneyWanted(choice=MoneyChoice.NOTHING, own={made.order_id: 3000})
    await cancels_a_place(services, lotus, term, first)
    for act in (
        cancels_all(services, lotus, made, own),
        cancels(services, lotus, term, FULL),
        cancels_series(services, lotus, term),
        cancels_dates(services, lotus, term),
    ):
        assert await refusal(act) == "places_being_cancelled"
    assert await refusal(cancels(services, lotus, term, NOTHING, date=2, undo_seconds=60)) == ""
    assert await refusal(cancels_all(services, lotus, made, own)) == "places_being_cancelled"
    async with services.uow_factory(lotus.id) as uow:
        newest = select(Cancellation.id).order_by(Cancellation.id.desc()).limit(1)
        await undo_cancellation(uow, lotus.ctx, (await uow.session.scalars(newest)).one())
    await work_through(services, clock, lotus.id, UNDO)
    await cancels_all(services, lotus, made, own)
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == given


async def test_what_is_promised_elsewhere_is_not_left_to_be_chosen_again(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    """EUR 25 of 60 are left, of which a place that is being cancelled gets 20."""
    made = await buys(services, lotus, term, "carl")
    async with services.uow_factory(lotus.id) as uow:
        payment_id = await uow.session.scalar(select(Payment.id))
        assert payment_id is not None
        cmd = RefundByHand(
            order_id=made.order_id, payment_id=payment_id, amount_minor=3500, token="t"
        )
        await refund_by_hand(uow, lotus.ctx, cmd)
    await cancels_a_place(services, lotus, term, FULL)
    with pytest.raises(InvalidInput) as refused:
        own = MoneyWanted(choice=MoneyChoice.NOTHING, own={made.order_id: 501})
        await cancels(services, lotus, term, own, date=0)
    assert refused.value.fields == {f"back.{made.order_id}": "At most €5.00 can go back here."}
    await cancels(services, lotus, term, FULL, date=0)
    await work_through(services, clock, lotus.id, UNDO)
    assert sorted(await refunds(services, lotus.id)) == [500, 2000, 3500]


async def test_a_date_is_called_off_once_nothing_else_is_chosen_for_its_places(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    made = await buys(services, lotus, term, "carl")
    everything = await cancels_all(services, lotus, made, FULL)
    assert await refusal(cancels(services, lotus, term, NOTHING)) == "places_being_cancelled"
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, everything)
    await cancels(services, lotus, term, NOTHING)
    await work_through(services, clock, lotus.id, UNDO)
    await cancels_all(services, lotus, made, FULL)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == [4000]
    found = await returned(services, lotus)
    assert found == [("cancelled", 2000), ("cancelled", 0), ("cancelled", 2000)]


async def test_undone_nothing_goes_back_and_the_next_time_is_chosen_anew(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    await buys(services, lotus, term, "carl")
    cancellation_id = await cancels(services, lotus, term, FULL)
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, cancellation_id)
    await cancels(services, lotus, term, MoneyWanted(choice=MoneyChoice.NOTHING))
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == []
    assert (await returned(services, lotus))[1] == ("cancelled", 0)


async def test_money_taken_on_site_is_listed_to_be_handed_back_and_noted_once(
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    mailer: RememberingMailer,
) -> None:
    made = await buys(services, lotus, term, "carl", by_card=False)
    await work(services, lotus.id)
    mailer.sent.clear()
    cancellation_id = await cancels(services, lotus, term, FULL)
    with pytest.raises(NotFound):
        async with services.uow_factory(lotus.id) as uow:
            await note_handed_back(uow, lotus.ctx, cancellation_id, made.order_id)
    await work_through(services, clock, lotus.id, UNDO)
    assert await refunds(services, lotus.id) == []
    assert "gives you €20.00 back that you paid on site" in mailer.sent[0].body
    async with services.uow_factory(lotus.id) as uow:
        owed = await get_order_page(uow, lotus.tenant, made.order_id)
    asked = (
        f"You cancelled places of carl in order {owed.reference}."
        " Please give back €20.00 of what you took on site."
    )
    assert [(one.sentence, one.page) for one in owed.open_items] == [
        (asked, f"cancellations/{cancellation_id}")
    ]
    assert owed.to_hand_back_minor == 2000
    for written in (2000, 0):
        async with services.uow_factory(lotus.id) as uow:
            assert await note_handed_back(uow, lotus.ctx, cancellation_id, made.order_id) == written
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        back = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert (order.paid_minor, order.refunded_minor) == (6000, 2000)
    assert back is not None
    assert back.still_by_hand_minor == 0
    async with services.uow_factory(lotus.id) as uow:
        given = await get_order_page(uow, lotus.tenant, made.order_id)
    assert (given.open_items, given.to_hand_back_minor) == ([], 0)
    ended = next(one for one in given.timeline if "cancelled" in one.text)
    assert ended.page == f"cancellations/{cancellation_id}"


async def test_what_is_taken_on_site_while_it_is_being_cancelled_is_to_be_handed_back(
    services: Services, lotus: Business, term: Term, clock: FrozenClock
) -> None:
    wish = a_wish("series", term.series.id)
    made = await booked(services.uow_factory, lotus, wish)
    cancellation_id = await cancels(services, lotus, term, MoneyWanted(choice=MoneyChoice.NOTHING))
    clock.advance(timedelta(seconds=1))
    async with services.uow_factory(lotus.id) as uow:
        assert (await mark_paid_on_site(uow, lotus.ctx, made.order_id)).amount_minor == 6000
    await work_through(services, clock, lotus.id, UNDO)
    async with services.uow_factory(lotus.id) as uow:
        back = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert back is not None
    assert back.still_by_hand_minor == 2000
    async with services.uow_factory(lotus.id) as uow:
        (item,) = await list_open_items(uow)
    async with services.uow_factory(lotus.id) as uow:
        assert await close_item_by_hand(uow, lotus.ctx, made.order_id, item.id) == 2000
    async with services.uow_factory(lotus.id) as uow:
        given = await get_money_back(uow, lotus.tenant, cancellation_id)
    assert given is not None
    assert given.still_by_hand_minor == 0


Kill = Callable[..., Awaitable[Any]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "point",
    ["give_money_back", "_mark_cancelled", "_progress", "give_back_seats", "_finish"],
)
async def test_a_run_that_dies_anywhere_is_carried_on_to_the_same_end(
    services: Services,
    lotus: Business,
    term: Term,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    """Each seat ends once, each share is asked for once, and each row says so."""
    for guest in ("carl", "dora", "eva"):
        await buys(services, lotus, term, guest)
    monkeypatch.setattr("src.booking.jobs.cancel.CHUNK_CUSTOMERS", 1)
    name = f"src.booking.jobs.cancel.{point}"
    real: Kill = getattr(__import__("src.booking.jobs.cancel", fromlist=[point]), point)
    runs = 0

    async def dies_at_the_second(*args: Any, **more: Any) -> Any:
        nonlocal runs
        runs += 1
        done = await real(*args, **more)
        if runs == (1 if point == "_finish" else 2):
            raise RuntimeError("killed")
        return done

    monkeypatch.setattr(name, dies_at_the_second)
    await cancels(services, lotus, term, FULL)
    for _again in range(3):
        await work_through(services, clock, lotus.id, timedelta(minutes=5))
    assert runs > 1
    assert await refunds(services, lotus.id) == [2000] * 3
    async with services.uow_factory(lotus.id) as uow:
        rows = (await uow.session.scalars(select(CancellationReturn))).all()
    assert [row.asked_minor for row in rows] == [2000] * 3
    assert (
        sorted(await returned(services, lotus))
        == [("cancelled", 2000)] * 3 + [("confirmed", 0)] * 6
    )
