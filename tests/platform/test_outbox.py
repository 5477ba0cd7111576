"""What was promised in a transaction happens, once, whatever dies in between."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.platform.db.engine import make_engine
from src.platform.ids import new_id
from src.platform.jobs.context import JobContext, JobsTogether
from src.platform.jobs.delivery import FIRST_BACKOFF, Delivery
from src.platform.jobs.queue import (
    MOST_WAITING_ROWS,
    dispatcher,
    make_worker,
    open_queue,
    room_in,
    turn,
)
from src.platform.mail.queue import queue_mail
from src.platform.outbox.events import Event, registry
from src.platform.outbox.models import OutboxRow
from src.platform.outbox.relay import LEASE, MAX_FAILURES, MAX_LEASES, Claimed, Relay
from src.platform.outbox.retry import retry_parked
from src.sandbox.postgres import Role
from tests.conftest import Committing
from tests.platform.test_uow import a_mail
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work_together

pytestmark = pytest.mark.anyio


@pytest.fixture
async def relay_engine(committing: Committing):  # type: ignore[no-untyped-def]  # a fixture that yields
    engine = make_engine(committing.urls[Role.RELAY])
    yield engine
    await engine.dispose()


async def queued(committing: Committing) -> UUID:
    tenant = new_id()
    async with committing.uow_factory(tenant) as uow:
        await queue_mail(uow, a_mail(), host="seatline.example")
    return tenant


async def outbox(committing: Committing, tenant: UUID) -> list[tuple[int, bool]]:
    async with committing.uow_factory(tenant) as uow:
        found = await uow.session.execute(
            text("SELECT attempts, parked_at IS NOT NULL FROM outbox")
        )
        return [(row[0], row[1]) for row in found]


def delivery(committing: Committing) -> Delivery:
    services = committing.services
    return Delivery(registry, committing.uow_factory, services.clock, services)


class Hands:
    """Takes what the relay hands on."""

    def __init__(self) -> None:
        self.claimed: list[Claimed] = []

    async def take(self, rows: object) -> None:
        assert isinstance(rows, list)
        self.claimed += rows


async def test_a_queued_mail_is_sent_once_through_the_queue(
    committing: Committing, relay_engine: AsyncEngine, mailer: RememberingMailer
) -> None:
    tenant = await queued(committing)
    queue = await open_queue(committing.settings.redis_url)
    relay = Relay(relay_engine, committing.services.clock, dispatcher(queue))
    assert await relay.run_once() == 1
    assert await relay.run_once() == 0, "a row under lease is not handed on twice"
    worker = make_worker(committing.settings.redis_url, delivery(committing), [], burst=True)
    await worker.async_run()
    await worker.close()
    await queue.aclose()
    assert [message.to for message in mailer.sent] == [["carl@example.com"]]
    assert await outbox(committing, tenant) == []


async def test_a_row_whose_worker_died_is_due_again_after_its_lease(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock
) -> None:
    await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    await relay.run_once()
    clock.advance(LEASE + timedelta(seconds=1))
    await relay.run_once()
    assert [row.attempt for row in hands.claimed] == [1, 2]


async def test_a_refused_mail_waits_and_goes_out_later(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant = await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    mailer.refuse_next = 1
    await relay.run_once()
    await delivery(committing).deliver(*hands.claimed[-1])
    assert mailer.sent == []
    clock.advance(timedelta(seconds=10))
    await relay.run_once()
    await delivery(committing).deliver(*hands.claimed[-1])
    assert len(mailer.sent) == 1
    assert await outbox(committing, tenant) == []


async def test_a_row_that_has_failed_goes_behind_what_waited_meanwhile(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Thousands of refunds that the processor puts off must not hold up the mails."""
    tenant = new_id()
    async with committing.uow_factory(tenant) as uow:
        for number in range(2):
            await queue_mail(uow, a_mail(f"hello:{number}"), host="seatline.example")

    async def room_for_one() -> int:
        return 1

    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take, room_for_one)
    mailer.refuse_next = 1
    for _attempt in range(3):
        await relay.run_once()
        await delivery(committing).deliver(*hands.claimed[-1])
        clock.advance(timedelta(seconds=10))
    first, second, third = [row.outbox_id for row in hands.claimed]
    assert first == third != second
    assert await outbox(committing, tenant) == []


async def test_an_attempt_that_was_overtaken_does_nothing(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    await relay.run_once()
    clock.advance(LEASE + timedelta(seconds=1))
    await relay.run_once()
    late, current = hands.claimed
    await delivery(committing).deliver(*current)
    await delivery(committing).deliver(*late)
    await delivery(committing).deliver(*current)
    assert len(mailer.sent) == 1


async def test_after_the_last_failure_the_row_is_parked_until_a_person_retries(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant = await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    mailer.refuse_next = MAX_FAILURES
    for _ in range(MAX_FAILURES):
        await relay.run_once()
        await delivery(committing).deliver(*hands.claimed[-1])
        clock.advance(timedelta(hours=2))
    assert await outbox(committing, tenant) == [(MAX_FAILURES, True)]
    assert await relay.run_once() == 0
    assert await retry_parked(committing.urls[Role.MIGRATOR]) == 1
    assert await retry_parked(committing.urls[Role.MIGRATOR]) == 0
    assert await outbox(committing, tenant) == [(0, False)]


async def test_a_mail_that_may_have_arrived_is_retried_only_when_that_is_asked_for(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant = await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    mailer.doubts_next = 99
    for _ in range(2 * MAX_FAILURES):
        if await relay.run_once():
            await delivery(committing).deliver(*hands.claimed[-1])
        clock.advance(timedelta(hours=2))
    assert len(mailer.sent) == 2
    migrator = committing.urls[Role.MIGRATOR]
    assert await retry_parked(migrator) == 0
    assert [parked for _attempts, parked in await outbox(committing, tenant)] == [True]
    assert await retry_parked(migrator, in_doubt=True) == 1
    mailer.doubts_next = 0
    await relay.run_once()
    await delivery(committing).deliver(*hands.claimed[-1])
    assert len(mailer.sent) == 3
    assert await outbox(committing, tenant) == []


async def test_leases_without_any_worker_are_not_held_against_a_row(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant = await queued(committing)
    hands = Hands()
    relay = Relay(relay_engine, clock, hands.take)
    mailer.refuse_next = 1
    for _ in range(MAX_FAILURES + 1):
        await relay.run_once()
        clock.advance(LEASE + timedelta(seconds=1))
    await delivery(committing).deliver(*hands.claimed[-1])
    assert await outbox(committing, tenant) == [(MAX_FAILURES + 1, False)]
    clock.advance(2 * FIRST_BACKOFF)
    assert await relay.run_once() == 1, "its first failure waits no longer than a first one does"
    await delivery(committing).deliver(*hands.claimed[-1])
    assert len(mailer.sent) == 1


async def test_a_row_whose_workers_died_for_hours_is_parked_too(
    committing: Committing, relay_engine: AsyncEngine, clock: FrozenClock
) -> None:
    tenant = await queued(committing)
    relay = Relay(relay_engine, clock, Hands().take)
    async with committing.uow_factory(tenant) as uow:
        await uow.session.execute(text(f"UPDATE outbox SET attempts = {MAX_LEASES - 1}"))
    for _ in range(2):
        await relay.run_once()
        clock.advance(LEASE + timedelta(seconds=1))
    assert await outbox(committing, tenant) == [(MAX_LEASES, True)]


async def test_the_relay_sees_nothing_but_the_outbox(relay_engine: AsyncEngine) -> None:
    from sqlalchemy.exc import ProgrammingError

    async with relay_engine.connect() as connection:
        with pytest.raises(ProgrammingError, match="permission denied"):
            await connection.execute(text("SELECT * FROM mails"))


@pytest.mark.slow
async def test_what_the_queue_has_no_room_for_stays_in_the_outbox(
    committing: Committing, relay_engine: AsyncEngine, mailer: RememberingMailer
) -> None:
    tenant = new_id()
    async with committing.uow_factory(tenant) as uow:
        for number in range(MOST_WAITING_ROWS + 10):
            await queue_mail(uow, a_mail(f"hello:{number}"), host="seatline.example")
    queue = await open_queue(committing.settings.redis_url)
    relay = Relay(relay_engine, committing.services.clock, dispatcher(queue), room_in(queue))
    handed = [await relay.run_once() for _ in range(5)]
    assert sum(handed) == MOST_WAITING_ROWS
    assert handed[-1] == 0, "there is no room before the workers have been at it"
    worker = make_worker(committing.settings.redis_url, delivery(committing), [], burst=True)
    await worker.async_run()
    assert await relay.run_once() == 10
    await worker.async_run()
    await worker.close()
    await queue.aclose()
    assert len(mailer.sent) == MOST_WAITING_ROWS + 10
    assert await outbox(committing, tenant) == []


async def test_a_job_that_queued_a_mail_sends_it_itself(
    committing: Committing, mailer: RememberingMailer
) -> None:
    tenant = new_id()
    services = committing.services
    job = JobContext(tenant, new_id(), 1, services.clock, committing.uow_factory, services)
    async with job.unit_of_work() as uow:
        await queue_mail(uow, a_mail(), host="seatline.example")
    assert [row.event.topic for row in job.follow_ups] == ["platform.mail_queued"]
    assert await outbox(committing, tenant) == [(1, False)], "under a lease from the start"


async def test_what_was_rolled_back_is_not_followed_up(committing: Committing) -> None:
    services = committing.services
    job = JobContext(new_id(), new_id(), 1, services.clock, committing.uow_factory, services)
    with pytest.raises(ZeroDivisionError):
        async with job.unit_of_work() as uow:
            await queue_mail(uow, a_mail(), host="seatline.example")
            await uow.settle()
            raise ZeroDivisionError
    assert job.follow_ups == []


class Waved(Event, frozen=True, kw_only=True):
    """A fact for the test."""

    topic: ClassVar[str] = "tests.waved"
    hand: int


async def test_one_that_fails_is_tried_alone_and_spoils_no_other(committing: Committing) -> None:
    tenant, portions = new_id(), []

    async def wave(jobs: JobsTogether, events: Sequence[Waved]) -> None:
        portions.append([event.hand for event in events])
        async with jobs.unit_of_work(done=jobs.jobs):
            if any(event.hand == 2 for event in events):
                raise ZeroDivisionError

    registry.on_several(Waved, "tests.wave", wave)
    async with committing.uow_factory(tenant) as uow:
        for hand in range(1, 4):
            uow.record(Waved(hand=hand))
    await work_together(committing.services, tenant)
    assert portions == [[1, 2, 3], [1], [2], [3]]
    async with committing.uow_factory(tenant) as uow:
        (left,) = (await uow.session.scalars(select(OutboxRow))).all()
    assert (left.payload, left.failures) == ({"hand": 2}, 1)
    assert left.last_error is not None
    assert left.last_error.startswith("ZeroDivisionError")


class Dawdled(Event, frozen=True, kw_only=True):
    """Something whose consumer never comes to an end."""

    topic: ClassVar[str] = "test.dawdled"


async def test_an_attempt_that_takes_too_long_has_failed_and_says_so(
    committing: Committing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would be handed on under lease after lease, and run again beside itself."""

    async def dawdle(job: JobContext, event: Dawdled) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("src.platform.jobs.delivery.ATTEMPT_SECONDS", 0.05)
    registry.on(Dawdled, "test.dawdle", dawdle)
    tenant = new_id()
    async with committing.uow_factory(tenant) as uow:
        uow.record(Dawdled())
        await uow.settle()
        [outbox_id] = await uow.session.scalars(select(OutboxRow.id))
        await uow.session.execute(text("UPDATE outbox SET attempts = 1"))
    await delivery(committing).deliver(tenant, outbox_id, 1)
    async with committing.uow_factory(tenant) as uow:
        row = (await uow.session.execute(text("SELECT failures, last_error FROM outbox"))).one()
        assert (row.failures, row.last_error.split(":")[0]) == (1, "TimeoutError")


async def test_a_periodic_task_never_runs_beside_itself(committing: Committing) -> None:
    queue = await open_queue(committing.settings.redis_url)
    async with (
        turn(queue, "sweep") as first,
        turn(queue, "sweep") as second,
        turn(queue, "another") as other,
    ):
        assert (first, second, other) == (True, False, True)
    async with turn(queue, "sweep") as again:
        assert again, "the second one, who had no turn, has not ended the first one's"
    await queue.aclose()
