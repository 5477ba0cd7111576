"""What is due is worked off as it comes, however much of it falls due in the same minute."""

from datetime import timedelta
from uuid import UUID

import pytest

from src.billing.commands.due import add_due, drop_due, move_due
from src.billing.cron import work_off
from src.billing.domain.parts import PART_DUE
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.models import Due
from tests.billing.support import make_business
from tests.conftest import Committing
from tests.support.clock import FrozenClock

pytestmark = pytest.mark.anyio


async def _fall_due(services: Services, tenant_id: UUID, number: int) -> list[UUID]:
    """The first is the oldest."""
    refs = [new_id() for _ in range(number)]
    async with services.uow_factory(tenant_id) as uow:
        now = uow.clock.now()
        for age, ref in enumerate(reversed(refs), start=1):
            await add_due(uow, PART_DUE, ref, now - timedelta(seconds=age))
    return refs


async def test_one_run_works_off_several_batches(
    committing: Committing, clock: FrozenClock
) -> None:
    services = committing.services
    business = await make_business(services.uow_factory, clock.now())
    refs = await _fall_due(services, business.id, 5)
    worked: list[UUID] = []

    async def work(services: Services, due: Due) -> None:
        worked.append(due.ref)
        async with services.uow_factory(due.tenant_id) as uow:
            await drop_due(uow, due.ref)

    assert await work_off(services, (PART_DUE,), work, parallel=1, batch=2) == 5
    assert worked == refs
    assert await work_off(services, (PART_DUE,), work) == 0


async def test_what_is_due_again_at_once_waits_for_the_next_run(
    committing: Committing, clock: FrozenClock
) -> None:
    """Or a run would never end."""
    services = committing.services
    business = await make_business(services.uow_factory, clock.now())
    refs = await _fall_due(services, business.id, 3)
    worked: list[UUID] = []

    async def work(services: Services, due: Due) -> None:
        worked.append(due.ref)
        async with services.uow_factory(due.tenant_id) as uow:
            await move_due(uow, due.ref, uow.clock.now())

    assert await work_off(services, (PART_DUE,), work, parallel=1, batch=2) == 3
    assert sorted(worked) == sorted(refs)


async def test_a_run_begins_nothing_once_its_time_is_over(
    committing: Committing, clock: FrozenClock
) -> None:
    services = committing.services
    business = await make_business(services.uow_factory, clock.now())
    await _fall_due(services, business.id, 3)

    async def work(services: Services, due: Due) -> None:
        raise AssertionError("nothing is begun")

    assert await work_off(services, (PART_DUE,), work, seconds=0, batch=2) == 0
