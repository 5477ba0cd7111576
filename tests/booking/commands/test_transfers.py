"""A guest pays by bank transfer: places are held until it is due, and staff match the money."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from src.billing.commands.by_staff import RefundByHand, close_item_by_hand
from src.billing.commands.payment_settings import stop_transfers, take_transfers
from src.billing.commands.transfers import (
    Outcome,
    Received,
    TransferReceived,
    extend_transfer,
    mark_transfer_received,
)
from src.billing.commands.vouchers import refund_as_voucher
from src.billing.domain.kinds import NotHad
from src.billing.domain.transfers import TransferTerms
from src.billing.jobs.transfers import remind_of_transfers
from src.billing.models import OpenItem, Order, Payment, Refund, Voucher
from src.billing.open_item_words import open_item_sentence
from src.billing.queries.orders import OrderFilter, list_orders
from src.billing.queries.transfers import count_awaited
from src.billing.settlement import give_up_order, released_by
from src.billing.sweeper import sweep_holds
from src.booking.commands.book import Booked, book
from src.booking.commands.cancel import cancel_purchase
from src.booking.commands.cancel_returns import MoneyWanted
from src.booking.commands.leave import leave_dates
from src.booking.domain.cancelling import MoneyChoice
from src.booking.domain.drop_in import PayWay
from src.booking.domain.leaving import BeforeUnit, LeavingTerms, Tier
from src.booking.place import place_booking
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.mail.models import MailRow
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, seats_of, taken
from tests.support.builders import (
    Business,
    a_business,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.clock import FrozenClock
from tests.support.vouchers import CODE, a_voucher
from tests.support.work import work, work_through
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

IBAN = "DE89370400440532013000"
PRICE_MINOR = 1500


@pytest.fixture
async def lotus(services: Services) -> Business:
    business = await a_business(services.uow_factory)
    await takes_transfers(services, business)
    return business


async def takes_transfers(services: Services, business: Business, **more: Any) -> None:
    terms = TransferTerms(**{"holder": "Lotus Yoga", "iban": IBAN, **more})
    async with services.uow_factory(business.id) as uow:
        await take_transfers(uow, business.ctx, terms)


async def by_transfer(
    services: Services, business: Business, *, in_days: float = 14, **more: Any
) -> Booked:
    """A single date, booked by a guest who wants to pay by bank transfer."""
    service = await a_service(services.uow_factory, business.id, **more.pop("service", {}))
    session = await a_session(services.uow_factory, service, in_days=in_days, capacity=1)
    wish = a_wish("session", session.id, way=PayWay.TRANSFER, **more)
    async with services.uow_factory(business.id) as uow:
        return await book(uow, as_guest(business), wish)


async def receive(
    services: Services,
    business: Business,
    order_id: UUID,
    minor: int = PRICE_MINOR,
    token: UUID | None = None,
) -> Received:
    cmd = TransferReceived(
        order_id=order_id,
        amount_minor=minor,
        arrived_on=to_local(services.clock.now(), business.tenant.zone).date(),
        token=token or new_id(),
    )
    async with services.uow_factory(business.id) as uow:
        return await mark_transfer_received(uow, business.ctx, cmd)


async def the_order(services: Services, business: Business, order_id: UUID) -> Order:
    async with services.uow_factory(business.id) as uow:
        return await uow.session.get_one(Order, (business.id, order_id))


async def mails(services: Services, business: Business) -> list[str]:
    """The kinds of all mails, oldest first."""
    await work(services, business.id)
    async with services.uow_factory(business.id) as uow:
        return list(await uow.session.scalars(select(MailRow.kind).order_by(MailRow.id)))


async def items(services: Services, business: Business) -> Sequence[OpenItem]:
    async with services.uow_factory(business.id) as uow:
        found = await uow.session.scalars(select(OpenItem).where(OpenItem.closed_at.is_(None)))
        return found.all()


async def to_the_end(services: Services, clock: FrozenClock, order: Order) -> None:
    """Its time runs out, and the sweeper comes."""
    assert order.hold_expires_at is not None
    clock.advance(order.hold_expires_at - clock.now() + timedelta(seconds=1))
    await sweep_holds(services)


async def test_places_are_held_until_the_end_of_the_last_day_and_the_guest_hears_how_to_pay(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    order = booked.order
    assert (order.state, order.payment_mode) == ("open", "transfer")
    until = to_local(order.hold_expires_at, lotus.tenant.zone)
    made_on = to_local(order.created_at, lotus.tenant.zone).date()
    assert (until.date() - made_on, until.hour) == (timedelta(days=8), 0)
    assert {seat.state for seat in await seats_of(services.uow_factory, lotus.id)} == {"held"}
    assert await mails(services, lotus) == ["billing.transfer_awaited"]
    async with services.uow_factory(lotus.id) as uow:
        mail = (await uow.session.scalars(select(MailRow))).one()
        assert "DE89 3704 0044 0532 0130 00" in mail.text
        assert order.reference in mail.text
        assert (await count_awaited(uow)).orders == 1
        page = await list_orders(
            uow, lotus.tenant, OrderFilter(state="transfer"), services.clock.now()
        )
    assert [row.reference for row in page.rows] == [order.reference]


async def test_nobody_is_sent_to_a_payment_page(services: Services, lotus: Business) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, in_days=14)
    wish = a_wish("session", session.id, way=PayWay.TRANSFER)
    placed = await place_booking(services, as_guest(lotus), wish)
    assert placed.payment_url is None
    again = await place_booking(services, as_guest(lotus), wish)
    assert (again.order_id, again.again) == (placed.order_id, True)


@pytest.mark.parametrize(
    ("in_days", "service"), [(3, {}), (14, {"price_type": "on_site"}), (14, {"price_type": "free"})]
)
async def test_too_soon_and_what_is_not_paid_online_is_refused_at_the_way(
    services: Services, lotus: Business, in_days: float, service: dict[str, Any]
) -> None:
    if service.get("price_type") == "free":
        booked = await by_transfer(services, lotus, in_days=in_days, service=service)
        assert (booked.order.state, booked.order.payment_mode) == ("confirmed", "free")
        return
    with pytest.raises(InvalidInput) as refused:
        await by_transfer(services, lotus, in_days=in_days, service=service)
    assert refused.value.fields.keys() == {"way"}


async def test_who_takes_none_is_paid_none_but_still_gets_what_is_on_its_way(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await stop_transfers(uow, lotus.ctx)
    with pytest.raises(InvalidInput):
        await by_transfer(services, lotus, service={"slug": "other"})
    assert (await receive(services, lotus, booked.order_id)).outcome is Outcome.CONFIRMED


async def test_the_whole_sum_confirms_once_however_often_it_is_sent(
    services: Services, lotus: Business
) -> None:
    booked, token = await by_transfer(services, lotus), new_id()
    first = await receive(services, lotus, booked.order_id, token=token)
    second = await receive(services, lotus, booked.order_id, token=token)
    assert [first.outcome, second.outcome] == [Outcome.CONFIRMED, Outcome.KNOWN]
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor, order.payment_mode) == (
        "confirmed",
        PRICE_MINOR,
        "transfer",
    )
    assert await mails(services, lotus) == ["confirmed"]
    async with services.uow_factory(lotus.id) as uow:
        payment = (await uow.session.scalars(select(Payment))).one()
    assert (payment.method, payment.is_extra) == ("transfer", False)
    assert payment.arrived_on == to_local(services.clock.now(), lotus.tenant.zone).date()


async def test_a_part_is_kept_and_the_rest_is_waited_for(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    part = await receive(services, lotus, booked.order_id, 1000)
    assert part == Received(Outcome.PARTIAL, 500)
    assert (await the_order(services, lotus, booked.order_id)).state == "open"
    assert (await receive(services, lotus, booked.order_id, 500)).outcome is Outcome.CONFIRMED
    assert await items(services, lotus) == []


async def test_a_part_goes_back_by_hand_when_the_rest_does_not_come(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(services, lotus)
    await receive(services, lotus, booked.order_id, 1000)
    await to_the_end(services, clock, booked.order)
    [item] = await items(services, lotus)
    assert (item.kind, item.facts["amount_minor"]) == ("hand_back", 1000)
    async with services.uow_factory(lotus.id) as uow:
        await close_item_by_hand(uow, lotus.ctx, booked.order_id, item.id)
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor, order.refunded_minor) == ("expired", 1000, 1000)
    assert (await receive(services, lotus, booked.order_id)).outcome is Outcome.CONFIRMED


async def test_too_much_confirms_and_the_rest_goes_back_by_hand(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    assert await receive(services, lotus, booked.order_id, 2000) == Received(Outcome.TOO_MUCH, 500)
    [item] = await items(services, lotus)
    assert item.facts["amount_minor"] == 500
    twice = await receive(services, lotus, booked.order_id)
    assert twice == Received(Outcome.PAID_ALREADY, 2000)
    [item] = await items(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        written = await close_item_by_hand(uow, lotus.ctx, booked.order_id, item.id)
        left = await uow.session.scalar(
            select(func.sum(Payment.amount_minor - Payment.refunded_minor)).where(
                Payment.is_extra.is_(False)
            )
        )
    assert (written, left) == (2000, PRICE_MINOR)


@pytest.mark.parametrize("is_extra", [True, False])
async def test_what_was_transferred_goes_back_by_hand_and_not_as_a_voucher_besides(
    services: Services, lotus: Business, is_extra: bool
) -> None:
    made = await by_transfer(services, lotus)
    await receive(services, lotus, made.order_id, PRICE_MINOR + 500)
    with pytest.raises(NotFound):
        async with services.uow_factory(lotus.id) as uow:
            payment_id = await uow.session.scalar(
                select(Payment.id).where(Payment.is_extra.is_(is_extra))
            )
            assert payment_id is not None
            cmd = RefundByHand(
                order_id=made.order_id, payment_id=payment_id, amount_minor=500, token="once"
            )
            await refund_as_voucher(uow, lotus.ctx, cmd)
    async with services.uow_factory(lotus.id) as uow:
        items = (await uow.session.scalars(select(OpenItem))).all()
        assert [(one.facts["amount_minor"], one.closed_at) for one in items] == [(500, None)]
        assert (await uow.session.scalars(select(Refund))).all() == []
        assert (await uow.session.scalars(select(Voucher))).all() == []


async def test_what_does_not_come_frees_the_places_and_the_guest_hears_of_it(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(services, lotus)
    await mails(services, lotus)
    await to_the_end(services, clock, booked.order)
    assert (await the_order(services, lotus, booked.order_id)).state == "expired"
    assert await taken(services.uow_factory, lotus.id) == [0]
    assert await mails(services, lotus) == ["billing.transfer_awaited", "billing.transfer_over"]


async def test_late_money_gets_the_places_that_are_still_there(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(services, lotus)
    await to_the_end(services, clock, booked.order)
    assert (await receive(services, lotus, booked.order_id)).outcome is Outcome.CONFIRMED
    seats = await seats_of(services.uow_factory, lotus.id)
    assert {seat.state for seat in seats} == {"confirmed"}
    assert await items(services, lotus) == []


async def test_late_money_for_places_that_are_gone_goes_back_by_hand(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(services, lotus)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    await to_the_end(services, clock, booked.order)
    wish = a_wish("session", seat.session_id, guest_email="other@example.com")
    async with services.uow_factory(lotus.id) as uow:
        await book(uow, as_guest(lotus), wish)
    late = await receive(services, lotus, booked.order_id)
    assert late == Received(Outcome.TO_HAND_BACK, PRICE_MINOR, NotHad.GONE)
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor) == ("expired", PRICE_MINOR)
    again = await receive(services, lotus, booked.order_id)
    assert again == Received(Outcome.TO_HAND_BACK, 2 * PRICE_MINOR, NotHad.GONE)
    [item] = await items(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        await close_item_by_hand(uow, lotus.ctx, booked.order_id, item.id)
    order = await the_order(services, lotus, booked.order_id)
    assert order.refunded_minor == order.paid_minor == 2 * PRICE_MINOR


async def test_money_for_what_was_released_goes_back_by_hand(
    services: Services, lotus: Business
) -> None:
    booked = await by_transfer(services, lotus)
    await give_up_order(services, lotus.id, booked.order_id, released_by(lotus.ctx))
    assert await mails(services, lotus) == ["billing.transfer_over"]
    late = await receive(services, lotus, booked.order_id)
    assert late == Received(Outcome.TO_HAND_BACK, PRICE_MINOR, NotHad.ENDED)


async def test_why_nothing_is_had_with_late_money_is_told_apart(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    """A part alone, and all of it where a voucher that was to pay another was spent meanwhile."""
    await a_voucher(services.uow_factory, lotus.id, minor=500)
    booked = await by_transfer(services, lotus, coupon=CODE)
    await to_the_end(services, clock, booked.order)
    await by_transfer(services, lotus, service={"slug": "other"}, coupon=CODE)
    part = await receive(services, lotus, booked.order_id, 100)
    assert part == Received(Outcome.TO_HAND_BACK, 100, NotHad.PART)
    rest = await receive(services, lotus, booked.order_id, 900)
    assert rest == Received(Outcome.TO_HAND_BACK, 1000, NotHad.VOUCHER)


async def test_the_guest_is_reminded_once_and_only_while_the_money_is_missing(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    late = await by_transfer(services, lotus)
    paid = await by_transfer(services, lotus, service={"slug": "other"})
    await receive(services, lotus, paid.order_id)
    await mails(services, lotus)
    assert await remind_of_transfers(services) == 0
    assert late.order.hold_expires_at is not None
    clock.advance(late.order.hold_expires_at - timedelta(days=2) - clock.now())
    assert await remind_of_transfers(services) == 2
    assert await remind_of_transfers(services) == 0
    sent = await mails(services, lotus)
    assert sent.count("billing.transfer_reminder") == 1


async def test_staff_wait_longer_but_not_into_the_first_date(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    booked = await by_transfer(services, lotus)
    order, zone = booked.order, lotus.tenant.zone
    await mails(services, lotus)
    starts_on = to_local(clock.now() + timedelta(days=14), zone).date()

    async def extend(day: date) -> None:
        async with services.uow_factory(lotus.id) as uow:
            await extend_transfer(uow, lotus.ctx, order.id, day)

    with pytest.raises(InvalidInput):
        await extend(starts_on)
    await extend(starts_on - timedelta(days=1))
    await to_the_end(services, clock, order)
    later = await the_order(services, lotus, order.id)
    assert later.state == "open"
    assert await mails(services, lotus) == ["billing.transfer_awaited"] * 2
    await to_the_end(services, clock, later)
    assert (await the_order(services, lotus, order.id)).state == "expired"
    with pytest.raises(Conflict):
        await extend(starts_on - timedelta(days=1))


async def test_nonsense_is_refused_at_its_field(services: Services, lotus: Business) -> None:
    booked = await by_transfer(services, lotus)
    for minor in (0, -5, 10**10):
        with pytest.raises(InvalidInput) as refused:
            await receive(services, lotus, booked.order_id, minor)
        assert refused.value.fields.keys() == {"amount"}
    assert (await the_order(services, lotus, booked.order_id)).paid_minor == 0


async def test_transferred_money_goes_back_by_hand_when_the_business_cancels(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    term = await a_series(services.uow_factory, service, first_in_days=20)
    wish = a_wish("series", term.series.id, way=PayWay.TRANSFER)
    async with services.uow_factory(lotus.id) as uow:
        booked = await book(uow, as_guest(lotus), wish)
    await receive(services, lotus, booked.order_id, 6000)
    async with services.uow_factory(lotus.id) as uow:
        full = MoneyWanted(choice=MoneyChoice.FULL)
        await cancel_purchase(
            uow, lotus.ctx, booked.booking_id, reason="", undo_seconds=0, money=full
        )
    await work_through(services, clock, lotus.id, timedelta(minutes=1))
    [item] = await items(services, lotus)
    assert (item.facts["amount_minor"], item.facts["method"]) == (6000, "transfer")
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(func.count(Refund.id))) == 0


async def test_staff_book_for_a_guest_who_transfers(services: Services, lotus: Business) -> None:
    anna = await a_customer(services.uow_factory, lotus)
    service = await a_service(services.uow_factory, lotus.id, price_type="on_site")
    session = await a_session(services.uow_factory, service, in_days=14)
    more = {"customer_id": anna, "source": "staff", "pays": "transfer"}
    wish = a_wish("session", session.id, guest_email="anna@example.com", **more)
    async with services.uow_factory(lotus.id) as uow:
        booked = await book(uow, lotus.ctx, wish)
    assert (booked.order.state, booked.order.payment_mode) == ("open", "transfer")
    assert await mails(services, lotus) == ["billing.transfer_awaited"]
    soon = await a_session(services.uow_factory, service, in_days=2)
    with pytest.raises(InvalidInput) as refused:
        async with services.uow_factory(lotus.id) as uow:
            other = a_wish("session", soon.id, guest_email="anna@example.com", **more)
            await book(uow, lotus.ctx, other)
    assert refused.value.fields.keys() == {"pays"}


async def test_what_a_voucher_pays_is_not_waited_for(services: Services, lotus: Business) -> None:
    await a_voucher(services.uow_factory, lotus.id, minor=500)
    booked = await by_transfer(services, lotus, coupon=CODE)
    await mails(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        assert "€10.00" in (await uow.session.scalars(select(MailRow.text))).one()
    assert (await receive(services, lotus, booked.order_id, 1000)).outcome is Outcome.CONFIRMED
    order = await the_order(services, lotus, booked.order_id)
    assert (order.state, order.paid_minor) == ("confirmed", PRICE_MINOR)


async def test_who_leaves_in_time_gets_what_they_transferred_back_by_hand(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    terms = LeavingTerms(tiers=(Tier(before=1, unit=BeforeUnit.DAYS, percent=100),))
    booked = await by_transfer(services, lotus, service={"leaving": terms.document()})
    await receive(services, lotus, booked.order_id)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, clock.now())
        came = await leave_dates(uow, tenant, booked.order_id, [seat.id])
        assert came.back_minor == 0
    [item] = await items(services, lotus)
    assert (item.facts["amount_minor"], item.facts["method"]) == (PRICE_MINOR, "transfer")
    assert "send back" in open_item_sentence(item)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        texts = list(await uow.session.scalars(select(MailRow.text).order_by(MailRow.id)))
    assert "sends you €15.00 back that you transferred" in texts[-1]
