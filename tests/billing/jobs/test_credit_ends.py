"""Who owns credits is warned once of each end, and once told of what was lost; the date decides."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.credits import (
    GUEST,
    give_back_credits,
    insert_restorations,
    lock_lot,
    set_end,
    write_entry,
)
from src.billing.domain.credits import EntryKind, LotState, lot_state
from src.billing.jobs.credit_ends import look_at_due_credits
from src.billing.queries.lots import lot_facts
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Due, MailWording
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot, ledger_of
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


async def tick(services: Services, clock: FrozenClock, lotus: Business, by: timedelta) -> None:
    """The clock goes on, and business after business is looked at until nothing is due."""
    clock.advance(by)
    await work(services, lotus.id)
    for _round in range(3):
        await look_at_due_credits(services)
    await work(services, lotus.id)


async def state_of(services: Services, lotus: Business, lot_id: UUID) -> LotState:
    async with services.uow_factory(lotus.id) as uow:
        return lot_state(lot_facts(await lock_lot(uow, lot_id)), uow.clock.now())


async def extend(services: Services, lotus: Business, lot_id: UUID, days: int) -> None:
    async with services.uow_factory(lotus.id) as uow:
        lot = await lock_lot(uow, lot_id)
        set_end(uow, lot, uow.clock.now() + timedelta(days=days))


def subjects(mailer: RememberingMailer) -> list[str]:
    return [mail.subject for mail in mailer.sent]


async def test_a_warning_comes_seven_days_before_and_a_notice_at_the_end(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    _owner, lot_id = await a_lot(
        services.uow_factory, lotus.id, expires_at=clock.now() + timedelta(days=90)
    )
    await tick(services, clock, lotus, timedelta(days=83) - timedelta(seconds=1))
    assert subjects(mailer) == []
    await tick(services, clock, lotus, timedelta(hours=2))
    assert subjects(mailer) == ["10 credits of “10 sessions” will end soon"]
    assert "10 credits" in mailer.sent[0].body
    assert mailer.sent[0].to == ["Carl <carl@example.com>"]
    await tick(services, clock, lotus, timedelta(days=3))
    assert len(mailer.sent) == 1, "one warning for one end"
    assert await state_of(services, lotus, lot_id) is LotState.ACTIVE
    await tick(services, clock, lotus, timedelta(days=4))
    assert subjects(mailer)[1:] == ["“10 sessions” has ended"]
    assert await ledger_of(services.uow_factory, lotus.id) == [("grant", 10), ("expire", -10)]
    assert await state_of(services, lotus, lot_id) is LotState.EXPIRED
    await tick(services, clock, lotus, timedelta(days=40))
    assert len(mailer.sent) == 2


async def test_the_date_ends_it_before_any_job_has_run(
    services: Services, clock: FrozenClock, lotus: Business
) -> None:
    ends = clock.now() + timedelta(days=30)
    _owner, lot_id = await a_lot(services.uow_factory, lotus.id, expires_at=ends)
    clock.at = ends
    assert await state_of(services, lotus, lot_id) is LotState.ACTIVE
    clock.advance(timedelta(seconds=1))
    assert await state_of(services, lotus, lot_id) is LotState.EXPIRED


async def test_short_ones_are_warned_of_at_half_time(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    await a_lot(services.uow_factory, lotus.id, expires_at=clock.now() + timedelta(days=4))
    await tick(services, clock, lotus, timedelta(days=2) - timedelta(hours=3))
    assert subjects(mailer) == []
    await tick(services, clock, lotus, timedelta(hours=4))
    assert len(mailer.sent) == 1


async def test_an_extension_is_warned_of_again(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    _owner, lot_id = await a_lot(
        services.uow_factory, lotus.id, expires_at=clock.now() + timedelta(days=30)
    )
    await tick(services, clock, lotus, timedelta(days=24))
    await extend(services, lotus, lot_id, 30)
    await tick(services, clock, lotus, timedelta(days=10))
    assert len(mailer.sent) == 1, "the old end passes without a word"
    await tick(services, clock, lotus, timedelta(days=14))
    assert len(mailer.sent) == 2


async def test_nothing_is_told_of_what_is_used_up_or_never_ends(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    await a_lot(services.uow_factory, lotus.id)
    await tick(services, clock, lotus, timedelta(days=400))
    async with services.uow_factory(None) as uow:
        dues = (await uow.session.scalars(select(Due).where(Due.kind == "credits"))).all()
    assert (mailer.sent, dues) == ([], [])


async def test_what_comes_back_to_an_ended_lot_is_lost_without_a_second_mail(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    _owner, lot_id = await a_lot(
        services.uow_factory, lotus.id, expires_at=clock.now() + timedelta(days=1)
    )
    await tick(services, clock, lotus, timedelta(days=2))
    before = len(mailer.sent)
    async with services.uow_factory(lotus.id) as uow:
        insert_restorations(uow, {lot_id: [new_id()]}, None, GUEST, uow.clock.now())
        await give_back_credits(uow, {lot_id: 1})
    await tick(services, clock, lotus, timedelta(hours=2))
    assert await state_of(services, lotus, lot_id) is LotState.EXPIRED
    assert ("expire", -1) in await ledger_of(services.uow_factory, lotus.id)
    assert len(mailer.sent) == before


async def test_who_gets_a_credit_back_is_warned_though_all_were_spent_before(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    """An empty lot is not looked at, until something is in it again."""
    _owner, lot_id = await a_lot(
        services.uow_factory, lotus.id, number=1, expires_at=clock.now() + timedelta(days=60)
    )
    seat_id = new_id()
    async with services.uow_factory(lotus.id) as uow:
        await write_entry(uow, await lock_lot(uow, lot_id), EntryKind.REDEEM, -1, GUEST)
    await tick(services, clock, lotus, timedelta(hours=2))
    await tick(services, clock, lotus, timedelta(hours=2))
    async with services.uow_factory(lotus.id) as uow:
        insert_restorations(uow, {lot_id: [seat_id]}, None, GUEST, uow.clock.now())
        await give_back_credits(uow, {lot_id: 1})
    for _week in range(9):
        await tick(services, clock, lotus, timedelta(days=7))
    assert subjects(mailer) == [
        "1 credit of “10 sessions” will end soon",
        "“10 sessions” has ended",
    ]


async def test_a_business_words_the_warning_itself(
    services: Services, clock: FrozenClock, mailer: RememberingMailer, lotus: Business
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        uow.session.add(
            MailWording(
                tenant_id=lotus.id,
                kind="credits_warning",
                locale="en",
                subject="Quick, {sessions_remaining}!",
                body="{package_name} until {package_expiry}.",
                changed_at=uow.clock.now(),
            )
        )
    await a_lot(services.uow_factory, lotus.id, expires_at=clock.now() + timedelta(days=30))
    await tick(services, clock, lotus, timedelta(days=25))
    assert subjects(mailer) == ["Quick, 10 credits!"]
    assert "10 sessions until Wednesday, March 31, 2027." in mailer.sent[0].body
