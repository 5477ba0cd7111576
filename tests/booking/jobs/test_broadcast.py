"""A mail to many: each person once, nobody without consent to news, later ones where wanted."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.cron import work_off
from src.booking.commands.broadcasts import BROADCAST_DUE, send_broadcast
from src.booking.domain.broadcasting import Audience, AudienceKind, BroadcastDraft
from src.booking.events import BroadcastWaiting
from src.booking.jobs import broadcast as job
from src.booking.models import Broadcast, Service
from src.platform.errors import Conflict, InvalidInput, NotFound
from src.platform.ids import new_id
from src.platform.services import Services
from src.tenants.commands.mail_choices import choose_mails
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import Customer, CustomerTag, Due, Tenant
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.jobs.test_changes import guests_of
from tests.support.builders import Business, a_business, a_series, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.mail import RememberingMailer
from tests.support.work import waiting, work

pytestmark = pytest.mark.anyio
AGREED = {"marketing": {"accepted_at": "2027-03-01T09:00:00Z"}}


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory, contact_email="hello@lotus.example")


@pytest.fixture
async def yoga(services: Services, lotus: Business) -> Service:
    return await a_service(services.uow_factory, lotus.id, price_type="free")


def session(session_id: UUID) -> Audience:
    return Audience(kind=AudienceKind.SESSION, subject_id=session_id)


async def send(services: Services, business: Business, audience: Audience, **more: Any) -> UUID:
    broadcast_id = more.pop("broadcast_id", new_id())
    draft = BroadcastDraft(
        **{
            "audiences": (audience,),
            "is_marketing": False,
            "to_later": False,
            "subject": "Bring a mat, {customer_name}",
            "body": "Hello {customer_name},\n\nsee you at {business}.",
            **more,
        }
    )
    async with services.uow_factory(business.id) as uow:
        await send_broadcast(uow, business.ctx, broadcast_id, draft)
    return broadcast_id


async def the(services: Services, business: Business, broadcast_id: UUID) -> Broadcast:
    async with services.uow_factory(business.id) as uow:
        return await uow.session.get_one(Broadcast, (business.id, broadcast_id))


def told(mailer: RememberingMailer) -> list[str]:
    return sorted(str(mail.to[0]) for mail in mailer.sent)


async def test_everybody_with_a_place_gets_it_once(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In several chunks, each of them delivered twice."""
    monkeypatch.setattr(job, "CHUNK_PEOPLE", 2)
    date = await a_session(services.uow_factory, yoga)
    other = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", "carl", "dora", "emil", "fay", "gus")
    await guests_of(services, lotus, other.id, "hal")
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            text(
                "UPDATE seats SET state = 'cancelled' WHERE order_id IN"
                " (SELECT id FROM orders WHERE guest_email = 'gus@example.com')"
            )
        )
    mailer.sent.clear()
    broadcast_id = await send(services, lotus, session(date.id))
    async with services.uow_factory(lotus.id) as uow:
        uow.record(BroadcastWaiting(broadcast_id=broadcast_id))
    await work(services, lotus.id)
    expected = [f"{name.title()} <{name}@example.com>" for name in ("carl", "dora", "emil", "fay")]
    assert told(mailer) == expected
    [carls] = [mail for mail in mailer.sent if "carl" in mail.to[0]]
    assert carls.subject == "Bring a mat, Carl"
    assert carls.body == "Hello Carl,\n\nsee you at Lotus.\n\nLotus\n"
    assert "List-Unsubscribe" not in carls.headers
    done = await the(services, lotus, broadcast_id)
    assert (done.state, done.total, done.done) == ("sent", 4, 4)
    assert await waiting(services, lotus.id) == []


async def test_a_suspended_business_writes_the_rest_when_it_is_back(
    services: Services,
    mailer: RememberingMailer,
    lotus: Business,
    yoga: Service,
    clock: FrozenClock,
) -> None:
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl")
    mailer.sent.clear()
    broadcast_id = await send(services, lotus, session(date.id))
    await be(services, lotus, "suspended")
    await work(services, lotus.id)
    assert (await the(services, lotus, broadcast_id)).state != "sent"
    await be(services, lotus, "active")
    clock.advance(timedelta(seconds=job.NOT_NOW_SECONDS))
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>"]
    assert (await the(services, lotus, broadcast_id)).state == "sent"


async def be(services: Services, business: Business, status: str) -> None:
    async with services.uow_factory(business.id) as uow:
        (await uow.session.get_one(Tenant, business.id)).status = status


async def test_the_same_form_again_sends_nothing_more(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl")
    mailer.sent.clear()
    broadcast_id = await send(services, lotus, session(date.id))
    await work(services, lotus.id)
    await send(services, lotus, session(date.id), broadcast_id=broadcast_id)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1


async def test_a_job_that_dies_leaves_neither_mail_nor_claim(
    services: Services,
    mailer: RememberingMailer,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", "dora")
    mailer.sent.clear()
    queue, died = job.queue_mails, []

    async def die_once(*args: Any, **more: Any) -> Any:
        found = await queue(*args, **more)
        if not died:
            died.append(True)
            raise RuntimeError("killed")
        return found

    monkeypatch.setattr(job, "queue_mails", die_once)
    broadcast_id = await send(services, lotus, session(date.id))
    await work(services, lotus.id)
    assert (await the(services, lotus, broadcast_id)).done == 0
    assert mailer.sent == []
    clock.advance(timedelta(minutes=5))
    await work(services, lotus.id)
    assert len(mailer.sent) == 2


async def test_news_need_consent_until_the_mail_leaves_and_carry_a_way_out(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", "dora", consents=AGREED)
    await guests_of(services, lotus, date.id, "emil")
    mailer.sent.clear()
    await send(services, lotus, session(date.id), is_marketing=True)
    async with services.uow_factory(lotus.id) as uow:
        dora = await uow.session.scalar(
            select(Customer.id).where(Customer.email == "dora@example.com")
        )
        assert dora is not None
        await choose_mails(uow, dora, MailTopic.MARKETING, wants=False)
    await work(services, lotus.id)
    [mail] = mailer.sent
    assert mail.to == ["Carl <carl@example.com>"]
    assert mail.headers["List-Unsubscribe"].strip("<>") in mail.body
    mailer.sent.clear()
    await guests_of(services, lotus, date.id, "dora", consents=AGREED)
    mailer.sent.clear()
    await send(services, lotus, session(date.id), is_marketing=True)
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>"], "no form takes a choice back"


async def test_a_tag_is_written_to_with_consent_only(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    date = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", consents=AGREED)
    await guests_of(services, lotus, date.id, "dora")
    async with services.uow_factory(lotus.id) as uow:
        for customer_id in (await uow.session.scalars(select(Customer.id))).all():
            uow.session.add(
                CustomerTag(tenant_id=lotus.id, id=new_id(), customer_id=customer_id, word="member")
            )
    mailer.sent.clear()
    members = Audience(kind=AudienceKind.TAG, word="member")
    with pytest.raises(InvalidInput) as refused:
        await send(services, lotus, members)
    assert list(refused.value.fields) == ["is_marketing"]
    await send(services, lotus, members, is_marketing=True)
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>"]


async def test_who_is_in_several_audiences_gets_it_once(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    first = await a_session(services.uow_factory, yoga)
    second = await a_session(services.uow_factory, yoga)
    third = await a_session(services.uow_factory, yoga)
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    await guests_of(services, lotus, first.id, "carl", "dora")
    await guests_of(services, lotus, second.id, "carl", "emil")
    await guests_of(services, lotus, third.id, "fay")
    gina = a_wish("series", term.series.id, guest_email="gina@example.com", guest_name="Gina")
    await booked(services.uow_factory, lotus, gina)
    await work(services, lotus.id)
    mailer.sent.clear()
    series = Audience(kind=AudienceKind.SERIES, subject_id=term.series.id)
    both = (session(first.id), session(second.id), series)
    broadcast_id = await send(services, lotus, both[0], audiences=both)
    await work(services, lotus.id)
    names = [to.partition(" ")[0] for to in told(mailer)]
    assert names == ["Carl", "Dora", "Emil", "Gina"]
    assert (await the(services, lotus, broadcast_id)).total == 4


async def test_who_left_a_course_is_not_written_to_until_it_is_over(
    services: Services,
    mailer: RememberingMailer,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
) -> None:
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    made = {}
    for name in ("carl", "emil"):
        email = f"{name}@example.com"
        wish = a_wish("series", term.series.id, guest_email=email, guest_name=name.title())
        made[name] = await booked(services.uow_factory, lotus, wish)
    clock.advance(term.sessions[0].ends_at - clock.now())
    leaving = {"tenant_id": lotus.id, "order_id": made["emil"].order_id, "now": clock.now()}
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(
            text(
                "UPDATE seats SET state = 'cancelled' WHERE tenant_id = :tenant_id"
                " AND order_id = :order_id AND session_id IN"
                " (SELECT id FROM sessions WHERE tenant_id = :tenant_id AND ends_at > :now)"
            ),
            leaving,
        )
    await work(services, lotus.id)
    mailer.sent.clear()
    series = Audience(kind=AudienceKind.SERIES, subject_id=term.series.id)
    await send(services, lotus, series)
    clock.advance(term.sessions[-1].ends_at - clock.now())
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>"], "though it was over when it left"
    mailer.sent.clear()
    await send(services, lotus, series, subject="Thank you")
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>", "Emil <emil@example.com>"]


async def test_a_tag_beside_a_date_needs_consent_of_all(
    services: Services, mailer: RememberingMailer, lotus: Business, yoga: Service
) -> None:
    date = await a_session(services.uow_factory, yoga)
    other = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", consents=AGREED)
    await guests_of(services, lotus, date.id, "dora")
    await guests_of(services, lotus, other.id, "emil", consents=AGREED)
    async with services.uow_factory(lotus.id) as uow:
        emil = await uow.session.scalar(
            select(Customer.id).where(Customer.email == "emil@example.com")
        )
        uow.session.add(
            CustomerTag(tenant_id=lotus.id, id=new_id(), customer_id=emil, word="member")
        )
    mailer.sent.clear()
    both = (session(date.id), Audience(kind=AudienceKind.TAG, word="member"))
    with pytest.raises(InvalidInput) as refused:
        await send(services, lotus, both[0], audiences=both)
    assert list(refused.value.fields) == ["is_marketing"]
    await send(services, lotus, both[0], audiences=both, is_marketing=True, to_later=True)
    await work(services, lotus.id)
    assert told(mailer) == ["Carl <carl@example.com>", "Emil <emil@example.com>"]


async def test_later_ones_get_it_too_where_that_was_asked_for(
    services: Services,
    mailer: RememberingMailer,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
) -> None:
    term = await a_series(services.uow_factory, yoga, price_type="free", price_minor=0)
    await booked(services.uow_factory, lotus, a_wish("series", term.series.id))
    await work(services, lotus.id)
    mailer.sent.clear()
    series = Audience(kind=AudienceKind.SERIES, subject_id=term.series.id)
    await send(services, lotus, series, to_later=True)
    await work(services, lotus.id)
    assert len(mailer.sent) == 1
    later = a_wish("series", term.series.id, guest_email="dora@example.com", guest_name="Dora")
    await booked(services.uow_factory, lotus, later)
    await work(services, lotus.id)
    mailer.sent.clear()
    for _turn in range(3):
        clock.advance(timedelta(minutes=15))
        await work_off(services, (BROADCAST_DUE,), job.write_to_later)
        await work(services, lotus.id)
    assert told(mailer) == ["Dora <dora@example.com>"]
    clock.advance(timedelta(days=40))
    await work_off(services, (BROADCAST_DUE,), job.write_to_later)
    async with services.uow_factory(None) as uow:
        due = await uow.session.scalar(select(Due.id).where(Due.kind == BROADCAST_DUE))
        assert due is None, "nobody joins what is over"


async def test_a_tag_given_later_is_no_place(
    services: Services,
    mailer: RememberingMailer,
    clock: FrozenClock,
    lotus: Business,
    yoga: Service,
) -> None:
    date = await a_session(services.uow_factory, yoga)
    other = await a_session(services.uow_factory, yoga)
    await guests_of(services, lotus, date.id, "carl", consents=AGREED)
    await guests_of(services, lotus, other.id, "dora", consents=AGREED)
    both = (session(date.id), Audience(kind=AudienceKind.TAG, word="member"))
    await send(services, lotus, both[0], audiences=both, is_marketing=True, to_later=True)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        dora = await uow.session.scalar(
            select(Customer.id).where(Customer.email == "dora@example.com")
        )
        uow.session.add(
            CustomerTag(tenant_id=lotus.id, id=new_id(), customer_id=dora, word="member")
        )
    await guests_of(services, lotus, date.id, "emil", consents=AGREED)
    mailer.sent.clear()
    clock.advance(timedelta(minutes=15))
    await work_off(services, (BROADCAST_DUE,), job.write_to_later)
    await work(services, lotus.id)
    assert told(mailer) == ["Emil <emil@example.com>"]


async def test_what_cannot_be_sent_is_refused(
    services: Services, lotus: Business, yoga: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    date = await a_session(services.uow_factory, yoga)
    with pytest.raises(InvalidInput):
        await send(services, lotus, session(date.id))
    await guests_of(services, lotus, date.id, "carl")
    with pytest.raises(InvalidInput) as refused:
        await send(services, lotus, session(date.id), body="Dear {first_name}")
    assert "{first_name}" in refused.value.fields["body"]
    eves = await a_business(services.uow_factory, "rival", owner="Eve")
    with pytest.raises(NotFound):
        await send(services, eves, session(date.id))
    for none_or_many in ((), tuple(session(new_id()) for _n in range(21))):
        with pytest.raises((InvalidInput, NotFound)):
            await send(services, lotus, session(date.id), audiences=none_or_many)
    monkeypatch.setattr("src.booking.commands.broadcasts.MOST_A_DAY", 1)
    await send(services, lotus, session(date.id))
    with pytest.raises(Conflict):
        await send(services, lotus, session(date.id))
