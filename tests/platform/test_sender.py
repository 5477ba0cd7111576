"""One run at a time speaks to the mail server about a mail, and never for longer than a lease."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import anyio
import pytest
from aiosmtpd.smtp import SMTP, Envelope
from aiosmtplib import SMTPRecipientRefused, SMTPServerDisconnected
from anyio.abc import SocketAttribute, SocketStream
from litestar_email import EmailMultiAlternatives
from sqlalchemy import text

from src.platform.ids import new_id
from src.platform.jobs.context import JobContext, JobsTogether
from src.platform.mail.queue import MailQueued, queue_mail
from src.platform.mail.sender import (
    CARRIED,
    HANDED_OVER_TWICE,
    BeingSent,
    send_queued_mails,
)
from src.platform.mail.smtp import DIALOGUE_SECONDS, MailInDoubt, MailRefused, SmtpMailer
from src.platform.outbox.relay import LEASE
from src.platform.outbox.writer import FollowUp
from src.platform.services import Services
from tests.conftest import Committing
from tests.platform.test_uow import a_mail
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work, work_together

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
    monkeypatch.setattr("src.platform.mail.smtp.DIALOGUE_SECONDS", 0.2)
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


class CountingServer:
    """A mail server that counts its guests and can hang up on them."""

    def __init__(self) -> None:
        self.connections: list[SMTP] = []
        self.taken: list[str] = []
        self.says_no = ""
        self.no = "550 5.7.1 Not today"
        self.hangs_up_after = ""
        self.thinks: asyncio.Event | None = None

    def __call__(self) -> SMTP:
        loop = asyncio.get_running_loop()
        connection = SMTP(self, hostname="mail.example", loop=loop)
        self.connections.append(connection)
        return connection

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Envelope, recipient: str, options: list[str]
    ) -> str:
        if recipient == self.says_no:
            return self.no
        if self.hangs_up_after == "recipient":
            self._hang_up(server)
        envelope.rcpt_tos.append(recipient)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        self.taken += envelope.rcpt_tos
        if self.thinks is not None:
            await self.thinks.wait()
        if self.hangs_up_after == "data":
            self._hang_up(server)
        return "250 OK"

    def _hang_up(self, server: SMTP) -> None:
        assert server.transport is not None
        server.transport.abort()
        raise asyncio.CancelledError

    async def hang_up(self) -> None:
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.close()
        await anyio.wait_all_tasks_blocked()


@pytest.fixture
async def server() -> CountingServer:
    return CountingServer()


@pytest.fixture
async def smtp(server: CountingServer) -> AsyncIterator[SmtpMailer]:
    listening = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", "bookings@seatline.example")
    yield mailer
    mailer.close()
    await server.hang_up()
    listening.close()
    await listening.wait_closed()


def to(recipient: str) -> EmailMultiAlternatives:
    return EmailMultiAlternatives(subject="Hi", body="Hello", to=[recipient])


async def test_mails_that_follow_go_through_the_same_connection(
    smtp: SmtpMailer, server: CountingServer
) -> None:
    people = [f"guest{number}@example.com" for number in range(5)]
    for person in people:
        await smtp.send(to(person))
    assert server.taken == people
    assert len(server.connections) == 1


async def test_a_server_that_has_hung_up_meanwhile_is_called_again(
    smtp: SmtpMailer, server: CountingServer
) -> None:
    await smtp.send(to("carl@example.com"))
    await server.hang_up()
    await smtp.send(to("mia@example.com"))
    assert server.taken == ["carl@example.com", "mia@example.com"]
    assert len(server.connections) == 2


async def test_a_refused_mail_leaves_nothing_behind_for_the_next(
    smtp: SmtpMailer, server: CountingServer
) -> None:
    server.says_no = "nobody@example.com"
    await smtp.send(to("carl@example.com"))
    with pytest.raises(SMTPRecipientRefused):
        await smtp.send(to(server.says_no))
    await smtp.send(to("mia@example.com"))
    assert server.taken == ["carl@example.com", "mia@example.com"]


async def test_connections_that_nobody_uses_are_let_go(
    smtp: SmtpMailer, server: CountingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.platform.mail.smtp.KEPT_SECONDS", 0)
    await smtp.send(to("carl@example.com"))
    with anyio.fail_after(5):
        while server.connections[0].transport is not None:
            await anyio.wait_all_tasks_blocked()


@pytest.mark.parametrize(
    ("answer", "is_for_good"),
    [
        ("550 Nobody of that name", True),
        ("550 5.1.1 No such user", True),
        ("553 5.1.3 Bad address", True),
        ("550 5.7.1 Relaying denied", False),
        ("554 We do not like you", False),
        ("451 Try later", False),
    ],
)
async def test_only_what_is_wrong_with_the_address_is_for_good(
    smtp: SmtpMailer, server: CountingServer, answer: str, is_for_good: bool
) -> None:
    server.says_no, server.no = "nobody@example.com", answer
    with pytest.raises(MailRefused if is_for_good else SMTPRecipientRefused):
        await smtp.send(to(server.says_no))


async def test_no_answer_to_a_whole_mail_is_doubt_and_none_before_is_not(
    smtp: SmtpMailer, server: CountingServer
) -> None:
    server.hangs_up_after = "data"
    with pytest.raises(MailInDoubt):
        await smtp.send(to("carl@example.com"))
    server.hangs_up_after = "recipient"
    with pytest.raises(SMTPServerDisconnected):
        await smtp.send(to("carl@example.com"))


async def test_a_server_that_takes_too_long_over_a_whole_mail_leaves_it_in_doubt(
    smtp: SmtpMailer, server: CountingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("src.platform.mail.smtp.DIALOGUE_SECONDS", 0.3)
    server.thinks = asyncio.Event()
    with anyio.fail_after(5), pytest.raises(MailInDoubt):
        await smtp.send(to("carl@example.com"))
    server.thinks.set()


async def test_a_mail_in_doubt_goes_out_twice_at_most_and_then_waits_for_a_person(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """A server that never answers kept it each time: twelve copies would be the worst of mails."""
    tenant_id = await queued(services)
    mailer.doubts_next = 99
    for _try in range(40):
        await work(services, tenant_id)
        clock.advance(timedelta(minutes=1))
    assert len(mailer.sent) == 2
    assert len({mail.headers["Message-ID"] for mail in mailer.sent}) == 1
    async with services.uow_factory(tenant_id) as uow:
        row = (await uow.session.execute(text("SELECT parked_at, last_error FROM outbox"))).one()
        assert row.parked_at is not None
        assert row.last_error.startswith("NoAnswer")


async def test_a_mail_in_doubt_that_the_server_takes_at_last_is_sent(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant_id = await queued(services)
    mailer.doubts_next = 1
    for _try in range(3):
        await work(services, tenant_id)
        clock.advance(timedelta(minutes=1))
    async with services.uow_factory(tenant_id) as uow:
        row = (await uow.session.execute(text("SELECT sent_at, refused FROM mails"))).one()
        assert (row.sent_at is not None, row.refused) == (True, None)
    assert await waiting(services, tenant_id) == []


async def test_whoever_takes_over_a_claim_is_the_second_and_there_is_no_third(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    """Runs that die between the server's yes and the mark, again and again."""
    tenant_id = await queued(services)
    await claimed(services, tenant_id, clock.now() - timedelta(minutes=5))
    mailer.refuse_next = 1
    await work(services, tenant_id)
    async with services.uow_factory(tenant_id) as uow:
        assert await uow.session.scalar(text("SELECT refused FROM mails")) == HANDED_OVER_TWICE
    await claimed(services, tenant_id, clock.now() - timedelta(minutes=5))
    clock.advance(timedelta(minutes=1))
    await work(services, tenant_id)
    assert mailer.sent == []
    async with services.uow_factory(tenant_id) as uow:
        row = (await uow.session.execute(text("SELECT parked_at, last_error FROM outbox"))).one()
    assert row.parked_at is not None
    assert row.last_error.startswith("NoAnswer")


async def test_an_address_that_nobody_has_is_written_to_once(
    services: Services, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    tenant_id = await queued(services)
    mailer.refuses_for_good = "550 5.1.1 No such user"
    for _try in range(3):
        await work(services, tenant_id)
        clock.advance(timedelta(hours=1))
    assert mailer.asked == 1
    assert await waiting(services, tenant_id) == []
    async with services.uow_factory(tenant_id) as uow:
        row = (await uow.session.execute(text("SELECT sent_at, refused FROM mails"))).one()
        assert (row.sent_at, row.refused) == (None, "550 5.1.1 No such user")


async def many_queued(services: Services, count: int) -> UUID:
    tenant_id = new_id()
    async with services.uow_factory(tenant_id) as uow:
        for number in range(count):
            await queue_mail(uow, a_mail(f"hello:{number}"), host="seatline.example")
    return tenant_id


async def test_what_the_server_refuses_holds_up_no_other_mail(
    committing: Committing, clock: FrozenClock, mailer: RememberingMailer
) -> None:
    services = committing.services
    tenant_id = await many_queued(services, 4)
    mailer.refuse_next = 1
    await work_together(services, tenant_id)
    assert len(mailer.sent) == 3
    async with services.uow_factory(tenant_id) as uow:
        marked = await uow.session.execute(
            text("SELECT count(sent_at), count(claimed_at) FROM mails")
        )
        assert tuple(marked.one()) == (3, 3), "the refused one is free again"
    clock.advance(timedelta(seconds=3))
    await work_together(services, tenant_id)
    assert len({message.headers["Message-ID"] for message in mailer.sent}) == 4
    assert await waiting(services, tenant_id) == []


_LOSE_ROW_OF = text(
    "DELETE FROM outbox WHERE payload ->> 'mail_id' ="
    " (SELECT cast(id AS text) FROM mails WHERE message_id = :message_id)"
)


async def test_a_row_that_somebody_else_finished_spoils_no_other(
    committing: Committing, mailer: RememberingMailer, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = committing.services
    tenant_id = await many_queued(services, 3)
    send = mailer.send

    async def send_and_lose_a_row(message: EmailMultiAlternatives) -> None:
        await send(message)
        if len(mailer.sent) == 3:
            # Its own row: those of the others may be gone, or going, at this moment.
            sent = {"message_id": message.headers["Message-ID"]}
            async with services.uow_factory(tenant_id) as uow:
                await uow.session.execute(_LOSE_ROW_OF, sent)

    monkeypatch.setattr(mailer, "send", send_and_lose_a_row)
    await work_together(services, tenant_id)
    assert len(mailer.sent) == 3
    assert await waiting(services, tenant_id) == []
    async with services.uow_factory(tenant_id) as uow:
        assert await uow.session.scalar(text("SELECT count(sent_at) FROM mails")) == 2


def a_job(services: Services, tenant_id: UUID) -> JobContext:
    return JobContext(tenant_id, new_id(), 1, services.clock, services.uow_factory, services)


def following(services: Services, tenant_id: UUID, left: FollowUp) -> JobsTogether:
    job = replace(a_job(services, tenant_id), outbox_id=left.outbox_id, carried=left.carried)
    return JobsTogether([job])


async def test_a_job_stores_the_claim_with_the_mail_and_sends_it(
    services: Services, mailer: RememberingMailer
) -> None:
    tenant_id = new_id()
    job = a_job(services, tenant_id)
    async with job.unit_of_work() as uow:
        mail_id = await queue_mail(uow, a_mail(), host="seatline.example")
    assert mail_id is not None
    (left,) = job.follow_ups
    async with services.uow_factory(tenant_id) as uow:
        assert await uow.session.scalar(text("SELECT claimed_at FROM mails")) is not None
        await uow.session.execute(text("UPDATE mails SET subject = 'read again'"))
    together = following(services, tenant_id, left)
    await send_queued_mails(together, [MailQueued(mail_id=mail_id)])
    assert [message.subject for message in mailer.sent] == [a_mail().subject]
    assert together.failed == []
    assert await waiting(services, tenant_id) == []


@pytest.mark.parametrize(("claimed_again", "is_sent"), [(False, True), (True, False)])
async def test_a_job_that_comes_late_asks_whether_the_claim_is_still_its_own(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    claimed_again: bool,
    is_sent: bool,
) -> None:
    tenant_id = new_id()
    job = a_job(services, tenant_id)
    async with job.unit_of_work() as uow:
        mail_id = await queue_mail(uow, a_mail(), host="seatline.example")
    assert mail_id is not None
    (left,) = job.follow_ups
    clock.advance(CARRIED)
    if claimed_again:
        await claimed(services, tenant_id, clock.now())
    together = following(services, tenant_id, left)
    await send_queued_mails(together, [MailQueued(mail_id=mail_id)])
    assert len(mailer.sent) == is_sent
    assert [type(error) for _job, error in together.failed] == ([] if is_sent else [BeingSent])


def test_claim_and_dialogue_end_within_a_lease() -> None:
    assert CARRIED + timedelta(seconds=DIALOGUE_SECONDS) < LEASE
