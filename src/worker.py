"""The worker and the relay: what runs behind the pages."""

import asyncio
import contextlib
import os
import signal

import structlog

from src.platform.clock import SystemClock
from src.platform.config import load_settings
from src.platform.db.engine import make_engine
from src.platform.jobs.delivery import Delivery
from src.platform.jobs.queue import dispatcher, make_worker, open_queue, room_in
from src.platform.observability import configure_logging
from src.platform.outbox.events import registry
from src.platform.outbox.relay import Relay
from src.platform.tracing import trace_jobs
from src.running import open_services, settle_in
from src.wiring import periodic_tasks, wire

IDLE_SECONDS = 0.2
PAUSE_SECONDS = 0.05
log = structlog.get_logger(__name__)


async def run_worker() -> None:
    """Delivers outbox rows and runs periodic work until told to stop."""
    settings = load_settings(os.environ)
    configure_logging(settings)
    wire()
    trace_jobs(settings)
    running = open_services(settings)
    services = running.services
    delivery = Delivery(registry, services.uow_factory, services.clock, services)
    worker = make_worker(settings.redis_url, delivery, periodic_tasks(services))
    settle_in()
    log.info("worker_started")
    try:
        await worker.main()
    except asyncio.CancelledError:
        log.info("worker_stopping")
    finally:
        try:
            await worker.close()
        except asyncio.CancelledError:
            log.warning("worker_left_jobs_behind")
        finally:
            await running.close()


async def run_relay() -> None:
    """Hands due outbox rows to the workers until told to stop."""
    settings = load_settings(os.environ)
    configure_logging(settings)
    stopping = asyncio.Event()
    for kind in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(kind, stopping.set)
    engine = make_engine(settings.relay_database_url, pool_size=2)
    queue = await open_queue(settings.redis_url)
    relay = Relay(engine, SystemClock(), dispatcher(queue), room_in(queue))
    log.info("relay_started")
    try:
        while not stopping.is_set():
            await _one_round(relay, stopping)
    finally:
        await queue.aclose()
        await engine.dispose()


async def _one_round(relay: Relay, stopping: asyncio.Event) -> None:
    """A failing round is told and tried again: the relay outlives its database and its queue.

    There is a pause after a busy one too, so that rows gather and are handed on together.
    """
    try:
        handed = await relay.run_once()
    except Exception:
        log.exception("relay_round_failed")
        handed = 0
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stopping.wait(), PAUSE_SECONDS if handed else IDLE_SECONDS)
