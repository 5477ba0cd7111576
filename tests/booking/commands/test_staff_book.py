"""Staff book for a guest: exempt from what keeps guests off, and never from the seats."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from src.billing.commands.ending import end_locked_order
from src.billing.commands.orders import get_order, lock_order
from src.billing.domain.kinds import OrderState
from src.booking.commands.book import BookCommand, Booked, book
from src.booking.errors import NotBookable
from src.booking.place import place_by_staff
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotAllowed, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry, Customer
from tests.booking.commands.test_book import a_wish, month_count, seats_of, taken
from tests.support.builders import (
    Business,
    a_business,
    a_member,
    a_series,
    a_service,
    a_session,
    as_guest,
)
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def anna(uow_factory: UowFactory, lotus: Business) -> UUID:
    return await a_customer(uow_factory, lotus)


def for_anna(kind: Any, subject_id: UUID, anna: UUID, **more: Any) -> BookCommand:
    typed = {
        "party": ("Anna",),
        "guest_name": "Anna",
        "guest_email": "anna@example.com",
        "customer_id": anna,
        "source": "staff",
        "pays": "on_site",
        **more,
    }
    return a_wish(kind, subject_id, **typed)


async def by_staff(uow_factory: UowFactory, business: Business, cmd: BookCommand) -> Booked:
    async with uow_factory(business.id) as uow:
        return await book(uow, business.ctx, cmd)


async def test_notice_horizon_and_join_policy_do_not_bind_staff(
    uow_factory: UowFactory, lotus: Business, anna: UUID, clock: FrozenClock
) -> None:
    strict = await a_service(
        uow_factory, lotus.id, min_notice_minutes=24 * 60, horizon_days=30, price_type="on_site"
    )
    soon = await a_session(uow_factory, strict, in_days=0.1)
    far = await a_session(uow_factory, strict, in_days=90)
    term = await a_series(uow_factory, strict, join_policy="before_start")
    clock.advance(timedelta(days=7, seconds=-3600))
    later = await a_session(uow_factory, strict, in_days=0.1)
    for kind, subject_id in (
        ("session", later.id),
        ("session", far.id),
        ("series", term.series.id),
    ):
        with pytest.raises(NotBookable):
            async with uow_factory(lotus.id) as uow:
                await book(uow, as_guest(lotus), a_wish(kind, subject_id))
        made = await by_staff(uow_factory, lotus, for_anna(kind, subject_id, anna))
        assert made.order.customer_id == anna
    with pytest.raises(NotBookable) as refused:
        await by_staff(uow_factory, lotus, for_anna("session", soon.id, anna))
    assert refused.value.code == "started"


async def test_a_full_session_is_full_for_staff_too(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    """Row 2-9: what staff did was checked by nothing."""
    service = await a_service(uow_factory, lotus.id, price_type="free")
    session = await a_session(uow_factory, service, capacity=1)
    await by_staff(uow_factory, lotus, for_anna("session", session.id, anna))
    with pytest.raises(NotBookable) as refused:
        await by_staff(uow_factory, lotus, for_anna("session", session.id, anna))
    assert refused.value.code == "full"
    assert refused.value.reasons[0].mend.startswith("Raise the session's capacity.")
    assert await taken(uow_factory, lotus.id) == [1]


async def test_it_counts_and_says_that_staff_did_it(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    made = await by_staff(uow_factory, lotus, for_anna("session", session.id, anna))
    assert await month_count(uow_factory, lotus.id) == 1
    [seat] = await seats_of(uow_factory, lotus.id)
    assert (seat.state, seat.changed_by, seat.share_minor) == ("confirmed", "staff", 1500)
    async with uow_factory(lotus.id) as uow:
        order = await get_order(uow, made.order_id)
        entry = await uow.session.scalar(
            select(AuditEntry).where(AuditEntry.action == "customer.booked")
        )
    assert (order.source, order.payment_mode, order.state) == ("staff", "on_site", "confirmed")
    assert entry is not None
    assert entry.subject_id == anna


async def test_a_place_can_be_given_away(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id))
    made = await by_staff(uow_factory, lotus, for_anna("series", term.series.id, anna, pays="free"))
    assert (made.total_minor, made.order.payment_mode) == (0, "free")
    assert [seat.share_minor for seat in await seats_of(uow_factory, lotus.id)] == [0, 0, 0]


async def test_a_link_by_mail_holds_the_places_for_a_day(
    services: Services, lotus: Business, anna: UUID, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id)
    session = await a_session(
        factory, service, mode="online", meeting_url="https://meet.example/secret"
    )
    made = await by_staff(factory, lotus, for_anna("session", session.id, anna, pays="link"))
    assert made.needs_payment
    assert made.order.hold_expires_at == services.clock.now() + timedelta(hours=24)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "anna@example.com" in str(mail.to)
    assert "/b/lotus/bookings/" in mail.body
    assert "€15.00" in mail.body
    assert "secret" not in mail.body


async def test_a_link_needs_an_address_and_an_account(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    with pytest.raises(InvalidInput) as refused:
        cmd = for_anna("session", session.id, anna, pays="link", guest_email="")
        await by_staff(uow_factory, lotus, cmd)
    assert list(refused.value.fields) == ["pays"]
    poor = await a_business(uow_factory, "poor", owner="Pat", payments_ready=False)
    theirs = await a_session(uow_factory, await a_service(uow_factory, poor.id))
    bea = await a_customer(uow_factory, poor)
    with pytest.raises(NotBookable) as closed:
        await by_staff(uow_factory, poor, for_anna("session", theirs.id, bea, pays="link"))
    assert closed.value.code == "payments_not_ready"
    await by_staff(uow_factory, poor, for_anna("session", theirs.id, bea, pays="on_site"))


async def test_the_plan_and_its_month_hold_for_staff(uow_factory: UowFactory) -> None:
    small = await a_business(uow_factory, "small", plan="starter")
    bea = await a_customer(uow_factory, small)
    session = await a_session(uow_factory, await a_service(uow_factory, small.id))
    with pytest.raises(PlanLimitReached):
        await by_staff(uow_factory, small, for_anna("session", session.id, bea))


async def test_a_hidden_series_is_refused_with_the_reason(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    term = await a_series(uow_factory, await a_service(uow_factory, lotus.id), visibility="hidden")
    with pytest.raises(NotBookable) as refused:
        await by_staff(uow_factory, lotus, for_anna("series", term.series.id, anna))
    assert refused.value.reasons[0].owner_sentence == "The series is hidden from guests."


async def test_only_those_who_run_the_business_are_staff(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    ivan = await a_member(uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    for ctx in (ivan, as_guest(lotus)):
        with pytest.raises(NotAllowed):
            async with uow_factory(lotus.id) as uow:
                await book(uow, ctx, for_anna("session", session.id, anna))
    with pytest.raises(NotFound):
        await by_staff(uow_factory, lotus, for_anna("session", session.id, new_id()))


async def test_a_form_sent_twice_books_once(
    services: Services, lotus: Business, anna: UUID
) -> None:
    service = await a_service(services.uow_factory, lotus.id)
    session = await a_session(services.uow_factory, service, capacity=1)
    cmd = for_anna("session", session.id, anna)
    first = await place_by_staff(services, lotus.ctx, cmd)
    again = await place_by_staff(services, lotus.ctx, cmd)
    assert (first.order_id, first.booking_id) == (again.order_id, again.booking_id)
    assert await taken(services.uow_factory, lotus.id) == [1]


async def test_the_guest_name_in_the_order_does_not_change_the_customer(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    await by_staff(uow_factory, lotus, for_anna("session", session.id, anna, party=("Kim", "Lee")))
    async with uow_factory(lotus.id) as uow:
        stored = await uow.session.get_one(Customer, (lotus.id, anna))
    assert stored.name == "Anna"


async def test_a_changed_form_books_nothing_more_and_says_so(
    services: Services, lotus: Business, anna: UUID
) -> None:
    factory = services.uow_factory
    session = await a_session(factory, await a_service(factory, lotus.id, price_type="free"))
    wish = for_anna("session", session.id, anna)
    await place_by_staff(services, lotus.ctx, wish)
    with pytest.raises(Conflict) as refused:
        changed = msgspec.structs.replace(wish, party=("Anna", "Bob"))
        await place_by_staff(services, lotus.ctx, changed)
    assert refused.value.code == "already_submitted"
    assert len(await seats_of(factory, lotus.id)) == 1


async def test_a_form_whose_hold_has_lapsed_books_anew(
    services: Services, lotus: Business, anna: UUID
) -> None:
    factory = services.uow_factory
    session = await a_session(factory, await a_service(factory, lotus.id))
    wish = for_anna("session", session.id, anna, pays="link")
    first = await place_by_staff(services, lotus.ctx, wish)
    async with factory(lotus.id) as uow:
        order = await lock_order(uow, first.order_id)
        await end_locked_order(uow, order, OrderState.EXPIRED, "not_paid", uow.clock.now())
    again = await place_by_staff(services, lotus.ctx, wish)
    assert again.order_id != first.order_id
    assert await taken(factory, lotus.id) == [1]


@pytest.mark.parametrize(("hours", "held"), [(1.2, 1.2), (0.1, 0.6), (90, 24)])
async def test_a_link_holds_no_places_into_the_session(
    uow_factory: UowFactory, lotus: Business, anna: UUID, hours: float, held: float
) -> None:
    session = await a_session(
        uow_factory, await a_service(uow_factory, lotus.id), in_days=hours / 24
    )
    made = await by_staff(uow_factory, lotus, for_anna("session", session.id, anna, pays="link"))
    assert made.order.hold_expires_at is not None
    assert made.order.hold_expires_at - made.order.created_at == timedelta(hours=held)


async def test_staff_look_again_when_price_or_dates_changed_meanwhile(
    uow_factory: UowFactory, lotus: Business, anna: UUID
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    for quoted in ({"quoted_minor": 1400}, {"quoted_dates": "other"}):
        with pytest.raises(Conflict):
            await by_staff(uow_factory, lotus, for_anna("session", session.id, anna, **quoted))
