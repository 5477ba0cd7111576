"""What nothing needs any more goes, tenant by tenant; what something needs stays."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.cron import work_off
from src.billing.models import InboxEvent
from src.booking.models import TimetableImport
from src.platform.config import ConfigError, load_settings
from src.platform.ids import new_id
from src.platform.mail.queue import Mail, queue_mail
from src.platform.services import Services
from src.tenants import pruning
from src.tenants.commands.accounts import NewUser
from src.tenants.commands.invitations import InviteMember, invite_member
from src.tenants.commands.pruning import PRUNE_DUE, begin_pruning
from src.tenants.commands.sign_ups import ask_to_sign_up
from src.tenants.commands.signup import NewBusiness, add_business
from src.tenants.domain.platform_tenant import PLATFORM_TENANT_ID
from src.tenants.domain.roles import Role
from src.tenants.models import Due
from src.tenants.pruning import prune_tenant
from tests.support.builders import a_business, a_service, a_user
from tests.support.clock import FrozenClock
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio


async def prune(services: Services) -> int:
    return await work_off(services, (PRUNE_DUE,), prune_tenant, parallel=1)


async def a_begun_business(services: Services, slug: str = "lotus") -> UUID:
    owner = await a_user(services.uow_factory, slug)
    new = NewBusiness(name=slug, slug=slug, timezone="Europe/London", currency="GBP", country="GB")
    async with services.uow_factory(None) as uow:
        await add_business(uow, owner.id, new)
        return uow.tenant


async def post(services: Services, tenant_id: UUID, key: str, *, to: str = "a@b.example") -> None:
    mail = Mail(kind="test", to_address=to, subject="Hi", text="t", html="h", dedupe_key=key)
    async with services.uow_factory(tenant_id) as uow:
        await queue_mail(uow, mail, host="seatline.example")


async def mails_of(services: Services, tenant_id: UUID) -> list[str]:
    async with services.uow_factory(tenant_id) as uow:
        found = await uow.session.execute(text("SELECT dedupe_key FROM mails ORDER BY 1"))
        return list(found.scalars())


async def next_look(services: Services, tenant_id: UUID) -> datetime:
    async with services.uow_factory(None) as uow:
        at: datetime | None = await uow.session.scalar(select(Due.at).where(Due.id == tenant_id))
    assert at is not None
    return at


async def test_a_sent_mail_goes_when_its_days_are_over_and_no_sooner(
    services: Services, clock: FrozenClock
) -> None:
    lotus, rival = [await a_begun_business(services, slug) for slug in ("lotus", "rival")]
    for tenant_id in (lotus, rival):
        await post(services, tenant_id, "old")
        await work(services, tenant_id)
    clock.advance(timedelta(days=179))
    await post(services, lotus, "young")
    await work(services, lotus)
    await prune(services)
    assert await mails_of(services, lotus) == ["old", "young"]
    clock.advance(timedelta(days=2))
    await prune(services)
    assert await mails_of(services, lotus) == ["young"]
    assert await mails_of(services, rival) == []


async def test_a_mail_that_has_not_left_stays(services: Services, clock: FrozenClock) -> None:
    lotus = await a_begun_business(services)
    await post(services, lotus, "waiting")
    clock.advance(timedelta(days=400))
    async with services.uow_factory(lotus) as uow:
        await uow.session.execute(text("DELETE FROM outbox"))
    await prune(services)
    assert await mails_of(services, lotus) == ["waiting"]


async def test_a_mails_key_stays_while_its_event_may_come_again(
    services: Services, clock: FrozenClock
) -> None:
    """A row parked before the mail was made may be tried again by a person at any time."""
    lotus = await a_begun_business(services)
    await post(services, lotus, "older")
    await work(services, lotus)
    clock.advance(timedelta(minutes=1))
    await post(services, lotus, "parked")
    async with services.uow_factory(lotus) as uow:
        await uow.session.execute(text("UPDATE outbox SET parked_at = now()"))
        await uow.session.execute(text("UPDATE mails SET sent_at = now()"))
    clock.advance(timedelta(days=400))
    await prune(services)
    assert await mails_of(services, lotus) == ["parked"]
    assert await waiting(services, lotus) == ["platform.send_mail"]


async def test_a_webhooks_id_is_known_for_as_long_as_it_may_be_sent_again(
    services: Services, clock: FrozenClock
) -> None:
    async with services.uow_factory(None) as uow:
        for name, handled_at in (("evt_done", clock.now()), ("evt_open", None)):
            uow.session.add(
                InboxEvent(
                    id=new_id(),
                    event_id=name,
                    endpoint="connect",
                    type="account.updated",
                    payload={},
                    received_at=clock.now(),
                    handled_at=handled_at,
                )
            )
    kept = []
    for days in (31, 60):
        clock.advance(timedelta(days=days))
        await prune(services)
        async with services.uow_factory(None) as uow:
            found = await uow.session.scalars(select(InboxEvent.event_id))
            kept.append(sorted(found))
    assert kept == [["evt_done", "evt_open"], ["evt_open"]]


async def test_a_timetable_file_goes_and_another_tenants_younger_one_stays(
    services: Services, clock: FrozenClock
) -> None:
    lotus, rival = [await a_begun_business(services, slug) for slug in ("lotus", "rival")]
    for tenant_id in (lotus, rival):
        service = await a_service(services.uow_factory, tenant_id)
        async with services.uow_factory(tenant_id) as uow:
            uow.session.add(
                TimetableImport(
                    tenant_id=tenant_id,
                    id=new_id(),
                    service_id=service.id,
                    filename="times.csv",
                    content=b"title,date,start,end\n",
                    options={},
                    digest="",
                    created_at=clock.now(),
                )
            )
        clock.advance(timedelta(days=20))
    await prune(services)
    counts = []
    for tenant_id in (lotus, rival):
        async with services.uow_factory(tenant_id) as uow:
            counts.append(await uow.session.scalar(text("SELECT count(*) FROM timetable_imports")))
    assert counts == [0, 1]


async def test_much_goes_in_portions_and_each_tenant_is_looked_at_daily(
    services: Services, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "CHUNK", 2)
    monkeypatch.setattr(pruning, "CHUNKS_AT_ONCE", 2)
    lotus = await a_begun_business(services)
    for number in range(5):
        await post(services, lotus, f"mail-{number}")
    await work(services, lotus)
    clock.advance(timedelta(days=181))
    await prune(services)
    assert len(await mails_of(services, lotus)) == 1
    assert await next_look(services, lotus) == clock.now() + timedelta(minutes=1)
    clock.advance(timedelta(minutes=1))
    assert await prune(services) == 1
    assert await mails_of(services, lotus) == []
    assert await next_look(services, lotus) == clock.now() + timedelta(days=1)
    assert await next_look(services, PLATFORM_TENANT_ID) > clock.now()


def test_a_webhook_cannot_be_kept_for_less_than_it_may_come_again() -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings({"KEEP_WEBHOOKS_DAYS": "30", "KEEP_MAILS_DAYS": "soon"})
    wrong = [problem for problem in refused.value.problems if "KEEP" in problem]
    assert wrong == [
        "KEEP_MAILS_DAYS must be a whole number from 30 to 3650.",
        "KEEP_WEBHOOKS_DAYS must be a whole number from 31 to 3650.",
    ]


async def test_what_nobody_answered_goes_after_its_time(
    services: Services, clock: FrozenClock
) -> None:
    business = await a_business(services.uow_factory, "heron")
    async with services.uow_factory(business.id) as uow:
        begin_pruning(uow)
        cmd = InviteMember(email="ivan@x.example", role=Role.INSTRUCTOR)
        await invite_member(uow, business.ctx, cmd)
    new = NewBusiness(
        name="Stork", slug="stork", timezone="Europe/London", currency="GBP", country="GB"
    )
    who = NewUser(name="Olive", email="olive@stork.example", password_hash="none")
    async with services.uow_factory(None) as uow:
        await ask_to_sign_up(uow, new_id(), who, new)
    left = []
    for days in (2, 2, 7 + 90 - 4, 1):
        clock.advance(timedelta(days=days))
        await prune(services)
        async with services.uow_factory(business.id) as uow:
            sign_ups = await uow.session.scalar(text("SELECT count(*) FROM sign_ups"))
            invitations = await uow.session.scalar(text("SELECT count(*) FROM invitations"))
        left.append((sign_ups, invitations))
    assert left == [(1, 1), (0, 1), (0, 1), (0, 0)]
