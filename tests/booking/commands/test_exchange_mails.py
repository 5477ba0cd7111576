"""What guests read of exchanges when much happens before the mail leaves."""

from datetime import timedelta

import pytest
from litestar_email import EmailMultiAlternatives

from src.booking.commands.cancel import cancel_session
from src.booking.commands.leave import leave_dates
from src.booking.models import Service
from src.platform.services import Services
from src.tenants.queries.tenants import tenant_snapshot
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_exchange import TERMS, a_single, move
from tests.booking.jobs.test_changes import change
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def test_who_still_comes_hears_of_the_move_though_another_one_left(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="on_site", leaving=TERMS.document())
    first = await a_session(factory, service)
    second = await a_session(factory, service, in_days=14)
    made = await booked(factory, lotus, a_wish("session", first.id, party=("Carl", "Kid")))
    await work(services, lotus.id)
    mailer.sent.clear()
    seats = [seat.id for seat in await seats_of(factory, lotus.id)]
    new = await move(services, lotus, made, seats, second, by="staff")
    async with factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, [new[0]])
    await work(services, lotus.id, rounds=5)
    [moved] = [mail for mail in mailer.sent if mail.subject.startswith("New date")]
    assert "Mar 15, 2027" in moved.body.split("Instead of")[0]
    assert len(mailer.sent) == 2


@pytest.mark.parametrize("is_told_between", [True, False])
async def test_a_date_nobody_heard_of_is_not_what_is_given_up(
    services: Services, lotus: Business, mailer: RememberingMailer, is_told_between: bool
) -> None:
    made, first, second = await a_single(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        service = await uow.session.get_one(Service, (lotus.id, first.service_id))
    third = await a_session(services.uow_factory, service, in_days=21)
    await work(services, lotus.id)
    mailer.sent.clear()
    [seat] = await seats_of(services.uow_factory, lotus.id)
    once = await move(services, lotus, made, [seat.id], second, by="staff")
    if is_told_between:
        await work(services, lotus.id, rounds=5)
        mailer.sent.clear()
    await move(services, lotus, made, once, third, by="staff")
    await work(services, lotus.id, rounds=5)
    [mail] = mailer.sent
    new, given_up = mail.body.split("Instead of")
    assert "Mar 22, 2027" in new
    assert ("Mar 15, 2027" if is_told_between else "Mar 8, 2027") in given_up


def said_of(mail: EmailMultiAlternatives) -> tuple[str, str]:
    """The date that ended, and what its guest was told before."""
    now, before = mail.body.split("Before: ")
    return now, before


async def test_a_date_that_moved_and_was_called_off_at_once_is_named_as_its_guest_knows_it(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    _made, first, _second = await a_single(services, lotus)
    await work(services, lotus.id)
    mailer.sent.clear()
    await change(services, lotus, first.id, by=timedelta(days=7))
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, first.id, reason="", undo_seconds=0)
    await work(services, lotus.id)
    now, before = said_of(mailer.sent[0])
    assert ("Mar 15, 2027" in now, "Mar 8, 2027" in before) == (True, True)
    assert len(mailer.sent) == 1


async def test_a_seat_that_moved_and_ended_at_once_is_named_as_its_guest_knows_it(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, _first, second = await a_single(services, lotus)
    await work(services, lotus.id)
    mailer.sent.clear()
    [seat] = await seats_of(services.uow_factory, lotus.id)
    new = await move(services, lotus, made, [seat.id], second, by="staff")
    async with services.uow_factory(lotus.id) as uow:
        tenant = await tenant_snapshot(uow, lotus.id, uow.clock.now())
        await leave_dates(uow, tenant, made.order_id, new)
    await work(services, lotus.id, rounds=5)
    now, before = said_of(mailer.sent[0])
    assert ("Mar 15, 2027" in now, "Mar 8, 2027" in before) == (True, True)
    assert len(mailer.sent) == 1


async def test_what_its_guest_has_heard_of_is_named_alone(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    made, _first, second = await a_single(services, lotus)
    await work(services, lotus.id)
    [seat] = await seats_of(services.uow_factory, lotus.id)
    await move(services, lotus, made, [seat.id], second, by="staff")
    await work(services, lotus.id)
    mailer.sent.clear()
    async with services.uow_factory(lotus.id) as uow:
        await cancel_session(uow, lotus.ctx, second.id, reason="", undo_seconds=0)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert "Before" not in mail.body
