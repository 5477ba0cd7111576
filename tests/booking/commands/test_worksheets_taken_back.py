"""Staff take back what a guest has not sent, and close what they opened again."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.booking.commands.worksheet_copies import (
    ask_for_orders,
    give_worksheet,
    reopen_copy,
    take_back_copy,
)
from src.booking.domain.worksheets import AskedRule, CopyState
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, Gone, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_worksheets import fill, given
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.support.worksheets import a_file, a_worksheet, copies_of, files_of

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def take_back(
    factory: UowFactory, lotus: Business, worksheet_id: UUID, copy_id: UUID
) -> CopyState:
    async with factory(lotus.id) as uow:
        return await take_back_copy(uow, lotus.ctx, worksheet_id, copy_id)


async def test_what_was_saved_goes_and_nothing_can_be_filled_in_any_more(
    services: Services, lotus: Business
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    copy_id = await given(factory, lotus, worksheet_id)
    await fill(factory, lotus, copy_id, files={"q3": a_file()}, is_sending=False)
    for _press in range(2):
        became = await take_back(factory, lotus, worksheet_id, copy_id)
        assert became is CopyState.TAKEN_BACK
    (copy,) = await copies_of(factory, lotus)
    assert (copy.state, copy.answers) == ("taken_back", [])
    assert await files_of(factory, lotus) == []
    with pytest.raises(Gone, match="taken back"):
        await fill(factory, lotus, copy_id)
    async with factory(lotus.id) as uow:
        entry = await uow.session.scalar(
            AuditEntry.__table__.select()
            .with_only_columns(AuditEntry.detail)
            .where(AuditEntry.action == "worksheet.taken_back")
        )
    assert entry == {"title": "Health"}
    with pytest.raises(NotFound):
        await take_back(factory, lotus, new_id(), copy_id)


async def test_a_mail_that_has_not_left_does_not_leave_for_what_was_taken_back(
    services: Services, lotus: Business, mailer: RememberingMailer
) -> None:
    factory = services.uow_factory
    worksheet_id = await a_worksheet(factory, lotus)
    copy_id = await given(factory, lotus, worksheet_id)
    await take_back(factory, lotus, worksheet_id, copy_id)
    await work(services, lotus.id)
    assert mailer.sent == []
    # Given once more it is another copy, with a mail of its own.
    (taken,) = await copies_of(factory, lotus)
    async with factory(lotus.id) as uow:
        assert await give_worksheet(uow, lotus.ctx, new_id(), worksheet_id, taken.customer_id)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
    assert sorted(one.state for one in await copies_of(factory, lotus)) == ["asked", "taken_back"]


async def test_what_was_sent_stays(uow_factory: UowFactory, lotus: Business) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    copy_id = await given(uow_factory, lotus, worksheet_id)
    await fill(uow_factory, lotus, copy_id, files={"q3": a_file()})
    with pytest.raises(Conflict, match="sent by now"):
        await take_back(uow_factory, lotus, worksheet_id, copy_id)
    (copy,) = await copies_of(uow_factory, lotus)
    assert (copy.state, copy.answers[0]["values"]) == ("sent", ["Yes"])
    assert len(await files_of(uow_factory, lotus)) == 1


async def test_what_was_opened_again_closes_as_it_was_sent_unless_its_guest_has_changed_it(
    uow_factory: UowFactory, lotus: Business, clock: FrozenClock
) -> None:
    worksheet_id = await a_worksheet(uow_factory, lotus)
    copy_id = await given(uow_factory, lotus, worksheet_id)
    await fill(uow_factory, lotus, copy_id, files={"q3": a_file()})
    for has_changed in (False, True):
        clock.advance(timedelta(hours=1))
        async with uow_factory(lotus.id) as uow:
            await reopen_copy(uow, lotus.ctx, worksheet_id, copy_id, "Which knee?")
        if has_changed:
            await fill(uow_factory, lotus, copy_id, typed={"q1": [""]}, is_sending=False)
            with pytest.raises(Conflict, match="begun to correct"):
                await take_back(uow_factory, lotus, worksheet_id, copy_id)
            continue
        assert await take_back(uow_factory, lotus, worksheet_id, copy_id) is CopyState.SENT
        (copy,) = await copies_of(uow_factory, lotus)
        assert (copy.state, copy.reopened_why) == ("sent", "")
        assert copy.answers[0]["values"] == ["Yes"]
        assert len(await files_of(uow_factory, lotus)) == 1
    (copy,) = await copies_of(uow_factory, lotus)
    assert copy.state == "reopened"


@pytest.mark.parametrize("rule", list(AskedRule))
async def test_the_same_order_does_not_ask_again_and_the_next_one_does(
    services: Services, lotus: Business, rule: AskedRule
) -> None:
    factory = services.uow_factory
    service = await a_service(factory, lotus.id, price_type="free")
    worksheet_id = await a_worksheet(factory, lotus, rule=rule, service_ids=[service.id])
    orders = []
    for days in (7, 14):
        session = await a_session(factory, service, in_days=days)
        orders.append((await booked(factory, lotus, a_wish("session", session.id))).order_id)
        if days == 7:
            await work(services, lotus.id)
            (copy,) = await copies_of(factory, lotus)
            await take_back(factory, lotus, worksheet_id, copy.id)
            async with factory(lotus.id) as uow:
                assert await ask_for_orders(uow, orders) == {}
    await work(services, lotus.id)
    found = {one.order_id: one.state for one in await copies_of(factory, lotus)}
    assert found == {orders[0]: "taken_back", orders[1]: "asked"}
