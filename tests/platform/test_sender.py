"""One run at a time speaks to the mail server about a mail, and never for longer than a lease."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from litestar_email import EmailMultiAlternatives
from sqlalchemy import text

from src.platform.ids import new_id
from src.platform.mail.queue import queue_mail
from src.platform.mail.sender import DIALOGUE_SECONDS, SmtpMailer
from src.platform.outbox.relay import LEASE
from src.platform.services import Services
from tests.platform.test_uow import a_mail
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work

pytestmark = pytest.mark.anyio


@pytest.fixture
async def chatty_server() -> AsyncIterator[int]:
    """The port of a mail server whose greeting never ends, though it never falls silent."""

    async def greet(stream: SocketStream) -> None:
        async with stream:
            try:
                while True:
                    await stream.send(b"220-Please hold the line.\r\n")
                    await anyio.wait_all_tasks_blocked()
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, greet)
        yield listener.extra(SocketAttribute.local_port)
        group.cancel_scope.cancel()
    await listener.aclose()


async def claimed(services: Services, tenant_id: UUID, at: datetime | None) -> None:
    async with services.uow_factory(tenant_id) as uow:
        await uow.session.execute(text("UPDATE mails SET claimed_at = :at"), {"at": at})


async def queued(services: Services) -> UUID:
    tenant_id = new_id()
    async with services.uow_factory(tenant_id) as uow:
        await queue_mail(uow, a_mail(), host="seatline.example")
    return tenant_id


async def test_a_server_that_talks_on_is_left_in_time(
    chatty_server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timedelta(seconds=DIALOGUE_SECONDS) < LEASE
    monkeypatch.setattr("src.platform.mail.sender.DIALOGUE_SECONDS", 0.2)
    mailer = SmtpMailer(f"smtp://127.0.0.1:{chatty_server}", "bookings@seatline.example")
    message = EmailMultiAlternatives(subject="Hi", body="Hello", to=["carl@example.com"])
    with anyio.fail_after(5), pytest.raises(TimeoutError):
        await mailer.send(message)


async def test_a_mail_that_another_run_is_sending_waits(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant_id = await queued(services)
    await claimed(services, tenant_id, clock.now() - timedelta(seconds=DIALOGUE_SECONDS - 1))
    await work(services, tenant_id)
    assert mailer.sent == []
    clock.advance(timedelta(seconds=5))
    await work(services, tenant_id)
    assert len(mailer.sent) == 1, "whoever claimed it has died"


async def test_a_refusal_lets_go_of_the_mail(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant_id = await queued(services)
    mailer.refuse_next = 1
    await work(services, tenant_id)
    clock.advance(timedelta(seconds=3))
    await work(services, tenant_id)
    assert len(mailer.sent) == 1
