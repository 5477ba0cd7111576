"""Digests: what happened since the last one, once, to those who asked and still may read it."""

from datetime import timedelta

import pytest
from httpx import AsyncClient
from sqlalchemy import delete, select

from src.billing.cron import work_off
from src.billing.models import Order, Payment
from src.booking.commands.digests import DIGEST_DUE, choose_digests
from src.booking.domain.digests import DigestKind
from src.booking.jobs.digest import send_digest
from src.booking.models import Digest, Service
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.models import Due, Member, Performer
from tests.booking.jobs.test_changes import guests_of
from tests.booking.web.pages import send
from tests.support.builders import Business, a_business, a_member, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import work
from tests.tenants.web.signed_in import sign_in

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


async def ask(
    services: Services, business: Business, *kinds: DigestKind, by: RequestContext | None = None
) -> None:
    async with services.uow_factory(business.id) as uow:
        await choose_digests(uow, by or business.ctx, kinds)


async def tick(services: Services, clock: FrozenClock, business: Business, by: timedelta) -> None:
    clock.advance(by)
    for _round in range(2):
        await work_off(services, (DIGEST_DUE,), send_digest)
    await work(services, business.id)


async def test_an_owner_reads_each_morning_what_happened(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    await ask(services, lotus, DigestKind.DAILY)
    full = await a_session(services.uow_factory, yoga, capacity=2)
    await guests_of(services, lotus, full.id, "carl", "dora")
    async with services.uow_factory(lotus.id) as uow:
        order_id = await uow.session.scalar(select(Order.id).order_by(Order.id).limit(1))
        uow.session.add(
            Payment(
                tenant_id=lotus.id,
                id=new_id(),
                order_id=order_id,
                account_id="acct_lotus",
                payment_intent_id="pi_lotus",
                amount_minor=1250,
                currency="EUR",
                received_at=uow.clock.now(),
            )
        )
    mailer.sent.clear()
    await tick(services, clock, lotus, DAY)
    [mail] = mailer.sent
    assert mail.subject == "Your day at Lotus"
    assert mail.to == ["Olive <olive@lotus.example>"]
    assert "New bookings: 2" in mail.body
    assert "Paid online: €12.50" in mail.body
    assert "2 of 2 seats taken" in mail.body
    assert "/app/lotus/digests" in mail.body
    mailer.sent.clear()
    await tick(services, clock, lotus, DAY)
    assert mailer.sent == [], "nothing happened since"


async def test_what_happened_while_nothing_ran_is_in_the_next_one(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    await ask(services, lotus, DigestKind.WEEKLY)
    date = await a_session(services.uow_factory, yoga, in_days=60)
    await guests_of(services, lotus, date.id, "carl")
    mailer.sent.clear()
    await tick(services, clock, lotus, 6 * DAY)
    assert mailer.sent == []
    await tick(services, clock, lotus, 10 * DAY)
    [mail] = mailer.sent
    assert mail.subject == "Your week at Lotus"
    assert "New bookings: 1" in mail.body


async def test_an_instructor_gets_their_own_day_only(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    ivan = await a_member(services.uow_factory, lotus, "Ivan", Role.INSTRUCTOR)
    async with services.uow_factory(lotus.id) as uow:
        leads = Performer(
            tenant_id=lotus.id,
            id=new_id(),
            name="Ivan",
            user_id=ivan.user_id,
            created_at=uow.clock.now(),
        )
        uow.session.add(leads)
    await a_session(services.uow_factory, yoga, in_days=1.2, title="Mine", performer_id=leads.id)
    await a_session(services.uow_factory, yoga, in_days=1.2, title="Another's")
    await ask(services, lotus, DigestKind.MORNING, DigestKind.DAILY, by=ivan)
    await tick(services, clock, lotus, DAY)
    [mail] = mailer.sent
    assert mail.to == ["Ivan <ivan@example.com>"]
    assert "Mine" in mail.body
    assert "Another's" not in mail.body
    mailer.sent.clear()
    await tick(services, clock, lotus, DAY)
    assert mailer.sent == [], "a day off"


async def test_who_left_the_team_gets_no_more(
    services: Services,
    clock: FrozenClock,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
) -> None:
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    await ask(services, lotus, DigestKind.DAILY, by=mia)
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl")
    mailer.sent.clear()
    async with services.uow_factory(None) as uow:
        await uow.session.execute(delete(Member).where(Member.user_id == mia.user_id))
    await tick(services, clock, lotus, DAY)
    assert mailer.sent == []
    async with services.uow_factory(lotus.id) as uow:
        assert await uow.session.scalar(select(Digest.id)) is None
        assert await uow.session.scalar(select(Due.id).where(Due.kind == DIGEST_DUE)) is None


async def test_a_member_chooses_on_a_page(
    client: AsyncClient, services: Services, lotus: Business
) -> None:
    await sign_in(client, services, lotus.owner.id)
    page = "/app/lotus/digests"
    await send(client, page, {"summary": "weekly", "morning": "on"})
    async with services.uow_factory(lotus.id) as uow:
        assert set(await uow.session.scalars(select(Digest.kind))) == {"weekly", "morning"}
    await send(client, page, {"summary": "daily", "morning": None})
    async with services.uow_factory(lotus.id) as uow:
        assert list(await uow.session.scalars(select(Digest.kind))) == ["daily"]
        due = await uow.session.scalars(select(Due.ref).where(Due.kind == DIGEST_DUE))
        assert list(due) == list(await uow.session.scalars(select(Digest.id)))
