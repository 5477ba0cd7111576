"""Erasing a person: what is kept about others, who are called or written to alike, stays."""

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Integer, Text, column, delete, func, select, values
from sqlalchemy.dialects.postgresql import array

from src.billing.events import ProcessorEventReceived
from src.billing.models import ConnectedAccount, InboxEvent
from src.booking.commands.erase_customer import erase_customer
from src.booking.events import SessionsChanged, WaiterRemoved
from src.booking.models import WaitlistEntry
from src.booking.queries.customer_history import list_history
from src.booking.queries.person import find_person, list_names, person_behind, read_person
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.mail.queue import Mail, queue_mail
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from src.tenants.commands.audit import audit
from src.tenants.commands.customer_care import CustomerDetails, change_customer
from src.tenants.models import AuditEntry
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.owner import as_who_signed_in
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


async def tim_and_joann(services: Services, lotus: Business) -> tuple[UUID, UUID]:
    """He is at ann@x.test, and she at joann@x.test."""
    tim = await a_customer(services.uow_factory, lotus, name="Tim", email="ann@x.test")
    return tim, await a_customer(services.uow_factory, lotus, name="Joann", email="joann@x.test")


async def erase(
    services: Services, lotus: Business, customer_id: UUID, typed: str = "ann@x.test"
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, customer_id, typed)


async def write(services: Services, lotus: Business, key: str, said: str, **more: Any) -> None:
    """A mail that waits to be sent, to the owner unless it says another address."""
    mail = {"to_address": lotus.owner.email, "kind": "digest", "html": "h", **more}
    async with services.uow_factory(lotus.id) as uow:
        made = Mail(subject="s", text=said, dedupe_key=key, **mail)
        await queue_mail(uow, made, host="seatline.example")


async def said_in_mails(services: Services, lotus: Business) -> dict[str, str]:
    async with services.uow_factory(lotus.id) as uow:
        found = await uow.session.execute(select(MailRow.dedupe_key, MailRow.text))
        return dict(found.tuples().all())


MATCHES = [
    ("It is sometimes full", "tim", False),
    ("TIM, and Tim's friend", "tim", True),
    ("see tim@y.test", "tim", False),
    ("to jo-ann@x.test", "ann@x.test", False),
    ("to ann@x.test.nl", "ann@x.test", False),
    ("<Ann@x.test>, or ann@x.test.", "ann@x.test", True),
    ("to annyx.test", "ann.x.test", False),
    ("with Zoë (René)", "zoë (rené)", True),
    ("cs_12", "cs_1", False),
    ("anything", "", False),
    ("call +31 20, 9", "+31 20", True),
]


async def test_words_are_found_where_they_stand_by_themselves(
    services: Services, lotus: Business
) -> None:
    ask = select(
        func.tells_of(column("told", Text), array([column("word", Text)])),
        func.tells_of(
            func.jsonb_build_array("so:\n" + column("told", Text)), array([column("word", Text)])
        ),
    ).select_from(
        values(
            column("place", Integer), column("told", Text), column("word", Text), name="asked"
        ).data([(place, told, word) for place, (told, word, _found) in enumerate(MATCHES)])
    )
    async with services.uow_factory(lotus.id) as uow:
        rows = (await uow.session.execute(ask.order_by(column("place")))).tuples().all()
    assert [tuple(row) for row in rows] == [(found, found) for *_asked, found in MATCHES]


async def test_mails_to_others_stay_unless_they_tell_of_them(
    services: Services, lotus: Business
) -> None:
    tim, _joann = await tim_and_joann(services, lotus)
    await write(services, lotus, "often", "Your sessions, sometimes full")
    await write(services, lotus, "hers", "You are joann@x.test", to_address="joann@x.test")
    await write(services, lotus, "reply", "New booking", reply_to="joann@x.test")
    await write(services, lotus, "his", "Tim has booked")
    await work(services, lotus.id)
    await write(services, lotus, "unsent", "You are joann@x.test", to_address="joann@x.test")
    before = await said_in_mails(services, lotus)
    await erase(services, lotus, tim)
    assert await said_in_mails(services, lotus) == {**before, "his": ""}


async def test_a_mail_about_them_leaves_first_or_never(services: Services, lotus: Business) -> None:
    """It is not sent empty."""
    tim, _joann = await tim_and_joann(services, lotus)
    await write(services, lotus, "his", "Tim has booked")
    with pytest.raises(Conflict, match="being done or sent"):
        await erase(services, lotus, tim)
    async with services.uow_factory(lotus.id) as uow:
        (row,) = await uow.session.scalars(select(OutboxRow))
        row.parked_at = uow.clock.now()
    await erase(services, lotus, tim)
    assert await said_in_mails(services, lotus) == {}


async def test_the_log_and_the_processors_events_of_others_stay(
    services: Services, lotus: Business
) -> None:
    tim, joann = await tim_and_joann(services, lotus)
    details = CustomerDetails(name="Jo", email="joann@x.test")
    async with services.uow_factory(lotus.id) as uow:
        await change_customer(uow, lotus.ctx, joann, details)
        now, account = uow.clock.now(), await connected(uow, lotus)
        for name, handled_at in (("joann", now), ("jo.ann", None), ("ann", now)):
            uow.session.add(an_event(uow, account, name, handled_at))
    await erase(services, lotus, tim)
    async with services.uow_factory(lotus.id) as uow:
        changed = select(AuditEntry.detail).where(AuditEntry.action == "customer.changed")
        assert (await uow.session.scalars(changed)).one()["was"] == {"name": "Joann"}
    async with services.uow_factory(None) as uow, as_who_signed_in(uow):
        found = await uow.session.execute(select(InboxEvent.event_id, InboxEvent.payload))
        assert dict(found.tuples().all()) == {
            "joann": {"mail": "joann@x.test"},
            "jo.ann": {"mail": "jo.ann@x.test"},
            "ann": {},
        }


async def test_what_was_typed_as_the_title_of_a_message_is_erased_where_it_names_them(
    services: Services, lotus: Business
) -> None:
    tim, _joann = await tim_and_joann(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        for action, title in (
            ("roster.messaged", "Tim, your mat"),
            ("roster.messaged", "Sometimes cold"),
            ("roster.exported", "Yoga with Tim"),
        ):
            await audit(uow, lotus.ctx, action, "session", new_id(), rows=2, title=title)
    await erase(services, lotus, tim)
    async with services.uow_factory(lotus.id) as uow:
        said = select(AuditEntry.detail).where(AuditEntry.action.startswith("roster."))
        told = (await uow.session.scalars(said.order_by(AuditEntry.at, AuditEntry.id))).all()
    assert [detail.get("title") for detail in told] == [None, "Sometimes cold", "Yoga with Tim"]
    assert {detail["rows"] for detail in told} == {2}


async def connected(uow: UnitOfWork, lotus: Business) -> str:
    now, account = uow.clock.now(), f"acct_{lotus.slug}"
    uow.session.add(
        ConnectedAccount(account_id=account, tenant_id=lotus.id, created_at=now, updated_at=now)
    )
    await uow.session.flush()
    return account


def an_event(uow: UnitOfWork, account: str, name: str, handled_at: datetime | None) -> InboxEvent:
    """Of the processor, about who is called so."""
    return InboxEvent(
        id=new_id(),
        event_id=name,
        endpoint="connect",
        type="t",
        account_id=account,
        payload={"mail": f"{name}@x.test"},
        received_at=uow.clock.now(),
        handled_at=handled_at,
    )


@pytest.mark.parametrize(
    ("is_parked", "sentence"), [(False, "in a few minutes"), (True, "those who run this service")]
)
async def test_an_event_of_the_processor_without_its_effect_says_who_can_help(
    services: Services, lotus: Business, sentence: str, *, is_parked: bool
) -> None:
    tim, _joann = await tim_and_joann(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        event = an_event(uow, await connected(uow, lotus), "ann", None)
        uow.session.add(event)
        uow.session.add(
            given_up(
                uow,
                ProcessorEventReceived.topic,
                {"inbox_id": str(event.id)},
                parked_at=uow.clock.now() if is_parked else None,
            )
        )
    with pytest.raises(Conflict, match=sentence):
        await erase(services, lotus, tim)


def given_up(uow: UnitOfWork, topic: str, payload: dict[str, Any], **more: Any) -> OutboxRow:
    now = uow.clock.now()
    said = {"created_at": now, "available_at": now, "parked_at": now, **more}
    return OutboxRow(tenant_id=uow.tenant, topic=topic, consumer="c", payload=payload, **said)


async def test_what_was_given_up_for_many_stays_where_it_ends_at_one_of_theirs(
    services: Services, lotus: Business
) -> None:
    tim, _joann = await tim_and_joann(services, lotus)
    about_many = {"action_id": str(new_id()), "after": str(tim)}
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(delete(OutboxRow))
        for topic, payload in (
            (SessionsChanged.topic, about_many),
            ("t", {"customer_id": str(tim)}),
            ("t", {"seat_ids": [str(new_id()), str(tim)]}),
            (WaiterRemoved.topic, {"entry_id": str(new_id())}),
        ):
            uow.session.add(given_up(uow, topic, payload))
    await erase(services, lotus, tim)
    async with services.uow_factory(lotus.id) as uow:
        left = (await uow.session.scalars(select(OutboxRow.topic))).all()
    assert sorted(left) == sorted([SessionsChanged.topic, WaiterRemoved.topic])


async def test_former_names_are_looked_for_too(services: Services, lotus: Business) -> None:
    tim, _joann = await tim_and_joann(services, lotus)
    details = CustomerDetails(name="Timothy", email="ann@x.test", phone="020 123")
    async with services.uow_factory(lotus.id) as uow:
        await change_customer(uow, lotus.ctx, tim, details)
        names = await list_names(uow, await person_behind(uow, tim))
    assert names == ["+3120123", "tim", "timothy"]


async def test_what_a_member_is_told_for_their_work_is_not_about_them_as_a_guest(
    services: Services, lotus: Business
) -> None:
    """Neither handed over nor erased, though the address is one and the same."""
    email = lotus.owner.email
    me = await a_customer(services.uow_factory, lotus, name=lotus.owner.name, email=email)
    for kind in ("digest", "confirmed", "billing.refunded"):
        await write(services, lotus, kind, f"Hello {lotus.owner.name}, about {kind}", kind=kind)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        found = await read_person(uow, await find_person(uow, me))
    assert [row["kind"] for row in found["mails"]] == ["confirmed", "billing.refunded"]
    await erase(services, lotus, me, email)
    assert await said_in_mails(services, lotus) == {
        "digest": f"Hello {lotus.owner.name}, about digest"
    }


async def test_at_an_address_that_was_a_mistake_somebody_else_stays(
    services: Services, lotus: Business
) -> None:
    """There, only what is under their name was theirs."""
    carl = await a_customer(services.uow_factory, lotus, name="Carl", email="s@x.test")
    session = await a_session(services.uow_factory, await a_service(services.uow_factory, lotus.id))
    for name in ("Carl", "Sue"):
        said = {"to_address": "s@x.test", "kind": "confirmed", "to_name": name}
        await write(services, lotus, name, f"Hello {name} at s@x.test", **said)
    await work(services, lotus.id)
    async with services.uow_factory(lotus.id) as uow:
        details = CustomerDetails(name="Karl", email="ann@x.test")
        await change_customer(uow, lotus.ctx, carl, details)
        waits = {"session_id": session.id, "address": "s@x.test", "name": "Sue"}
        now = uow.clock.now()
        uow.session.add(
            WaitlistEntry(
                tenant_id=lotus.id, locale="en", party_size=1, joined_at=now, queued_at=now, **waits
            )
        )
    async with services.uow_factory(lotus.id) as uow:
        found = await read_person(uow, await find_person(uow, carl))
        told = [line.kind for line in (await list_history(uow, carl)).lines]
    assert [row["to_name"] for row in found["mails"]] == ["Carl"]
    assert "waitlist_entries" not in found
    assert told.count("mail") == 1
    await erase(services, lotus, carl)
    assert await said_in_mails(services, lotus) == {"Sue": "Hello Sue at s@x.test"}
    async with services.uow_factory(lotus.id) as uow:
        assert (await uow.session.scalars(select(WaitlistEntry.name))).all() == ["Sue"]
