"""Staff give, add, remove, extend, shorten and roll over credits; once each, told and logged."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from src.billing.commands.credit_acts import (
    ChangeNumber,
    GiveCredits,
    add_credits,
    change_end,
    give_credits,
    remove_credits,
    roll_over,
)
from src.billing.commands.credit_ends import forfeit_ended
from src.billing.domain.credit_acts import CreditAct, end_of
from src.billing.domain.credits import LotState, Scope, lot_state
from src.billing.models import CreditEntry, CreditLot
from src.billing.queries.lots import lot_facts
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, InvalidInput, NotFound, PlanLimitReached
from src.platform.ids import new_id
from src.platform.localtime import to_local
from src.platform.mail.models import MailRow
from src.platform.services import Services
from src.tenants.models import AuditEntry
from tests.support.builders import Business, a_business
from tests.support.clock import FrozenClock
from tests.support.credits import ANYTHING
from tests.support.lots import a_customer, lose_packages, lot_of, the_lot
from tests.support.work import work

pytestmark = pytest.mark.anyio

WHY = "The hall was closed"


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def lot(uow_factory: UowFactory, clock: FrozenClock, lotus: Business) -> CreditLot:
    """Ten credits of Carl's that end in thirty days."""
    carl = await a_customer(uow_factory, lotus.id)
    ends_at = clock.now() + timedelta(days=30)
    return await lot_of(uow_factory, lotus.id, carl.id, expires_at=ends_at)


def change(lot: CreditLot, number: int, **more: Any) -> ChangeNumber:
    values = {"lot_id": lot.id, "number": number, "reason": WHY, "token": new_id(), **more}
    return ChangeNumber(**values)


async def entries(uow_factory: UowFactory, lotus: Business, lot_id: UUID) -> list[CreditEntry]:
    async with uow_factory(lotus.id) as uow:
        found = await uow.session.scalars(
            select(CreditEntry).where(CreditEntry.lot_id == lot_id).order_by(CreditEntry.id)
        )
        return list(found)


async def mails(services: Services, lotus: Business) -> list[MailRow]:
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        return list(await uow.session.scalars(select(MailRow).order_by(MailRow.id)))


async def test_credits_come_and_go_once_for_each_form_with_actor_and_reason(
    services: Services, lotus: Business, lot: CreditLot
) -> None:
    factory = services.uow_factory
    more, fewer = change(lot, 3), change(lot, 4)
    for _press in range(2):
        async with factory(lotus.id) as uow:
            await add_credits(uow, lotus.ctx, more)
        async with factory(lotus.id) as uow:
            await remove_credits(uow, lotus.ctx, fewer)
    assert (await the_lot(factory, lotus.id, lot.id)).balance == 9
    _grant, added, removed = await entries(factory, lotus, lot.id)
    assert (added.kind, added.credits, added.by, added.reason) == ("adjust", 3, "staff", WHY)
    assert (removed.credits, removed.actor_name) == (-4, "Olive")
    told = await mails(services, lotus)
    assert [mail.to_address for mail in told] == ["carl@example.com"] * 2
    assert "3 credits were added." in told[0].text
    assert WHY in told[0].text
    assert "4 credits were taken off." in told[1].text
    assert "Left: 9 credits" in told[1].text
    async with factory(lotus.id) as uow:
        acts = list(await uow.session.scalars(select(AuditEntry.action)))
    assert sorted(acts) == ["credits.added", "credits.removed"]


@pytest.mark.parametrize(
    ("number", "reason", "field"),
    [(0, WHY, "number"), (-1, WHY, "number"), (11, WHY, "number"), (1, "  ", "reason")],
)
async def test_what_cannot_be_removed_is_refused_at_its_field(
    uow_factory: UowFactory,
    lotus: Business,
    lot: CreditLot,
    number: int,
    reason: str,
    field: str,
) -> None:
    with pytest.raises(InvalidInput) as refused:
        async with uow_factory(lotus.id) as uow:
            await remove_credits(uow, lotus.ctx, change(lot, number, reason=reason))
    assert list(refused.value.fields) == [field]
    assert (await the_lot(uow_factory, lotus.id, lot.id)).balance == 10


async def test_anothers_credits_are_not_there(
    uow_factory: UowFactory, lotus: Business, lot: CreditLot
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    for act in (add_credits, remove_credits):
        with pytest.raises(NotFound):
            async with uow_factory(rival.id) as uow:
                await act(uow, rival.ctx, change(lot, 1))
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await change_end(uow, rival.ctx, lot.id, None, WHY, new_id())
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await roll_over(uow, rival.ctx, lot.id, None, WHY)


async def test_credits_nobody_paid_for_are_left_alone(
    uow_factory: UowFactory, lotus: Business, lot: CreditLot
) -> None:
    pending = await lot_of(uow_factory, lotus.id, lot.customer_id, pending=True)
    with pytest.raises(Conflict):
        async with uow_factory(lotus.id) as uow:
            await add_credits(uow, lotus.ctx, change(pending, 1))
    with pytest.raises(Conflict):
        async with uow_factory(lotus.id) as uow:
            await change_end(uow, lotus.ctx, pending.id, None, WHY, new_id())


async def test_an_end_moves_both_ways_but_never_before_today(
    services: Services, clock: FrozenClock, lotus: Business, lot: CreditLot
) -> None:
    factory, zone = services.uow_factory, lotus.tenant.zone
    today = to_local(clock.now(), zone).date()
    for days, act in ((60, CreditAct.EXTENDED), (60, None), (0, CreditAct.SHORTENED)):
        async with factory(lotus.id) as uow:
            on = today + timedelta(days=days)
            assert await change_end(uow, lotus.ctx, lot.id, on, WHY, new_id()) == act
    assert (await the_lot(factory, lotus.id, lot.id)).expires_at == end_of(today, zone)
    with pytest.raises(InvalidInput):
        async with factory(lotus.id) as uow:
            yesterday = today - timedelta(days=1)
            await change_end(uow, lotus.ctx, lot.id, yesterday, WHY, new_id())
    async with factory(lotus.id) as uow:
        assert await change_end(uow, lotus.ctx, lot.id, None, WHY, new_id()) == CreditAct.EXTENDED
    told = [mail.text for mail in await mails(services, lotus)]
    assert len(told) == 3
    assert "Good until: without an end" in told[2]


@pytest.mark.parametrize("is_written_off", [False, True])
async def test_extending_lets_expired_credits_live_again(
    uow_factory: UowFactory,
    clock: FrozenClock,
    lotus: Business,
    lot: CreditLot,
    is_written_off: bool,
) -> None:
    clock.advance(timedelta(days=31))
    now = clock.now()
    if is_written_off:
        async with uow_factory(lotus.id) as uow:
            await forfeit_ended(uow, 10)
    with pytest.raises(Conflict):
        async with uow_factory(lotus.id) as uow:
            await add_credits(uow, lotus.ctx, change(lot, 1))
    assert lot_state(lot_facts(lot), now) is LotState.EXPIRED
    async with uow_factory(lotus.id) as uow:
        on = to_local(now, lotus.tenant.zone).date()
        await change_end(uow, lotus.ctx, lot.id, on, WHY, new_id())
    assert (
        lot_state(lot_facts(await the_lot(uow_factory, lotus.id, lot.id)), now) is LotState.ACTIVE
    )


@pytest.mark.parametrize("is_written_off", [False, True])
async def test_expired_credits_roll_over_once_and_the_old_ones_are_gone(
    services: Services,
    clock: FrozenClock,
    lotus: Business,
    lot: CreditLot,
    is_written_off: bool,
) -> None:
    factory = services.uow_factory
    with pytest.raises(Conflict):
        async with factory(lotus.id) as uow:
            await roll_over(uow, lotus.ctx, lot.id, None, WHY)
    clock.advance(timedelta(days=31))
    if is_written_off:
        async with factory(lotus.id) as uow:
            await forfeit_ended(uow, 10)
    made = []
    for _press in range(2):
        async with factory(lotus.id) as uow:
            made.append(await roll_over(uow, lotus.ctx, lot.id, None, WHY))
    assert made[0] == made[1]
    new, old = [await the_lot(factory, lotus.id, one) for one in (made[0], lot.id)]
    assert (new.balance, new.source, new.rolled_from_id) == (10, "rollover", lot.id)
    assert (new.bought, new.paid_minor, new.value_minor) == (0, 0, 0)
    assert old.balance == 0
    async with factory(lotus.id) as uow:
        await change_end(uow, lotus.ctx, lot.id, None, WHY, new_id())
    assert (await the_lot(factory, lotus.id, lot.id)).balance == 0
    [told] = [mail.text for mail in await mails(services, lotus)]
    assert "You have 10 new credits. To use them, choose a date, sign in" in told


def given(lot: CreditLot, **more: Any) -> GiveCredits:
    values = {
        "customer_id": lot.customer_id,
        "name": "Sorry",
        "number": 2,
        "scope": ANYTHING,
        "ends_on": None,
        "reason": WHY,
        "token": new_id(),
        **more,
    }
    return GiveCredits(**values)


async def test_credits_are_given_once_and_are_worth_nothing_as_money(
    services: Services, lotus: Business, lot: CreditLot
) -> None:
    cmd = given(lot)
    for _press in range(2):
        async with services.uow_factory(lotus.id) as uow:
            assert await give_credits(uow, lotus.ctx, cmd) == cmd.token
    new = await the_lot(services.uow_factory, lotus.id, cmd.token)
    assert (new.balance, new.bought, new.source) == (2, 0, "goodwill")
    [mail] = await mails(services, lotus)
    assert "You have 2 new credits." in mail.text


async def test_what_cannot_be_given(
    uow_factory: UowFactory, lotus: Business, lot: CreditLot
) -> None:
    wrong = {"name": " ", "number": 0, "scope": Scope(), "reason": ""}
    for field, value in wrong.items():
        with pytest.raises(InvalidInput) as refused:
            async with uow_factory(lotus.id) as uow:
                await give_credits(uow, lotus.ctx, given(lot, **{field: value}))
        assert list(refused.value.fields) == [field]
    rival = await a_business(uow_factory, "rival", owner="Eve")
    with pytest.raises(NotFound):
        async with uow_factory(rival.id) as uow:
            await give_credits(uow, rival.ctx, given(lot))
    await lose_packages(uow_factory, lotus.id)
    with pytest.raises(PlanLimitReached):
        async with uow_factory(lotus.id) as uow:
            await give_credits(uow, lotus.ctx, given(lot))
    async with uow_factory(lotus.id) as uow:
        await add_credits(uow, lotus.ctx, change(lot, 1))
