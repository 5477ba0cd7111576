"""A guest of whom every table that holds words says something."""

from typing import Any

from sqlalchemy import select, text

from src.billing.models import (
    ConnectedAccount,
    CreditEntry,
    CreditLot,
    Fee,
    InboxEvent,
    OpenItem,
    PaymentPage,
    Voucher,
    VoucherEntry,
)
from src.booking.commands.book import Booked
from src.booking.commands.readdress import correct_customer
from src.booking.models import (
    AgreementSignature,
    AgreementVersion,
    Booking,
    BroadcastMail,
    Cancellation,
    HandingOn,
    LeaveRequest,
    Seat,
    WaitlistEntry,
)
from src.platform.db.uow import UnitOfWork
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.outbox.models import OutboxRow
from src.platform.services import Services
from src.tenants.commands.customer_care import CustomerDetails, add_note, set_tags
from src.tenants.commands.mail_choices import choose_mails
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.domain.mail_topics import MailTopic
from src.tenants.models import AuditEntry
from tests.booking.commands.test_book import a_wish, booked
from tests.booking.commands.test_leave import paid_by_card
from tests.support.agreements import an_agreement, versions_of
from tests.support.builders import Business, a_service, a_session
from tests.support.work import work
from tests.support.worksheets import a_sent_copy, a_worksheet
from tests.tenants.commands.test_customer_care import a_customer

MAIL = "zora@quillfeather.test"
WORDS = ("quillfeather", "209998877")
KNEE = {"key": "q1", "label": "Any injuries?", "kind": "text"}
EACH = {**KNEE, "key": "q2", "per_person": True}


async def zora_books(services: Services, lotus: Business, **more: Any) -> Booked:
    """For two, of whom one is another of her name; paid by card."""
    service = await a_service(
        services.uow_factory, lotus.id, price_type="on_site", questions=[KNEE, EACH]
    )
    session = await a_session(services.uow_factory, service)
    wish = {
        "party": ("Zora Quillfeather", "Kim Quillfeather"),
        "guest_name": "Zora Quillfeather",
        "guest_email": MAIL,
        "guest_phone": "+31209998877",
        "answers": {"q1": "the quillfeather knee"},
        "people": ({"q2": "Quillfeather"}, {"q2": "no quillfeather"}),
        "note": "Quillfeather is late",
        "consents": {"terms": {"sha256": "0" * 64}, "marketing": {}},
        **more,
    }
    made = await booked(services.uow_factory, lotus, a_wish("session", session.id, **wish))
    await paid_by_card(services, lotus, made)
    await work(services, lotus.id)
    return made


async def much_is_said(services: Services, lotus: Business, made: Booked) -> None:
    """Of her, in every table that holds words."""
    customer_id = made.order.customer_id
    other = await a_customer(
        services.uow_factory, lotus, name="Z. Quillfeather", email="z@quillfeather.test"
    )
    async with services.uow_factory(lotus.id) as uow:
        await merge_customers(uow, lotus.ctx, other, customer_id)
    async with services.uow_factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, customer_id, "Quillfeather is kind")
        await set_tags(uow, lotus.ctx, customer_id, "quillfeathers")
        await choose_mails(uow, customer_id, MailTopic.REMINDERS, wants=False)
        details = CustomerDetails(name="Zora Quillfeather", email="zq@quillfeather.test")
        await correct_customer(uow, lotus.ctx, customer_id, details)
    await an_agreement(services.uow_factory, lotus)
    (version,) = await versions_of(services.uow_factory, lotus)
    worksheet_id = await a_worksheet(services.uow_factory, lotus)
    async with services.uow_factory(lotus.id) as uow:
        words = {"key": "q1", "label": "Knees?", "kind": "short", "values": ["quillfeathery"]}
        said = {
            "state": "reopened",
            "answers": [words],
            "draft": [{**words, "values": ["quillfeathers"]}],
            "reopened_why": "Quillfeather forgot one",
        }
        await a_sent_copy(uow, lotus, worksheet_id, customer_id, **said)
        uow.session.add(_signature(uow, lotus, made, version))
        booking = (await uow.session.scalars(select(Booking))).one()
        seat = (await uow.session.scalars(select(Seat).limit(1))).one()
        seat.changed_why = "Quillfeather asked"
        for row in _rows(uow, lotus, made, booking, seat):
            uow.session.add(row)
        for row in await _rows_of_credits_and_vouchers(uow, lotus, made, seat):
            uow.session.add(row)
        uow.session.add(_handed_on(uow, lotus, made, seat))
        await uow.session.flush()
        seat.cancellation_id = lotus.id
        await uow.session.execute(
            text(
                "INSERT INTO broadcasts (tenant_id, id, audiences, is_marketing, to_later, subject,"
                " body, state, total, done, sent_by, sent_at) VALUES (:tenant_id, :id,"
                """ '["tag:x"]', false, false, 's', 'b', 'sent', 1, 1, 'O', now())"""
            ),
            {"tenant_id": lotus.id, "id": made.order_id},
        )
        uow.session.add(
            BroadcastMail(
                tenant_id=lotus.id,
                broadcast_id=made.order_id,
                customer_id=customer_id,
                address="old@quillfeather.test",
                name="Zora Quillfeather",
                written_at=uow.clock.now(),
            )
        )


def _signature(
    uow: UnitOfWork, lotus: Business, made: Booked, version: AgreementVersion
) -> AgreementSignature:
    return AgreementSignature(
        tenant_id=lotus.id,
        version_id=version.id,
        customer_id=made.order.customer_id,
        order_id=made.order_id,
        name="Zora Quillfeather",
        address="the quillfeather house",
        browser="Quillfeather on a phone",
        how="booking",
        is_proved=False,
        signed_at=uow.clock.now(),
    )


def _rows(
    uow: UnitOfWork, lotus: Business, made: Booked, booking: Booking, seat: Seat
) -> list[Any]:
    now, key = uow.clock.now(), {"tenant_id": lotus.id}
    mail = {"html": "", "queued_at": now, "sent_at": now, "kind": "digest"}
    return [
        LeaveRequest(
            **key,
            booking_id=booking.id,
            reason="Quillfeather moves away",
            answer="Dear Quillfeather",
            state="declined",
            asked_at=now,
            decided_at=now,
        ),
        Cancellation(
            **key,
            id=lotus.id,
            scope="seats",
            subject_id=booking.session_id,
            state="done",
            reason="Quillfeather broke a leg",
            requested_at=now,
            starts_at=now,
        ),
        AuditEntry(
            **key,
            id=new_id(),
            actor_kind="user",
            actor_name="Olive",
            action="seats.cancelled",
            subject_kind="session",
            subject_id=booking.session_id,
            detail={"seats": [str(seat.id)], "reason": "Quillfeather broke a leg"},
            at=now,
        ),
        Cancellation(
            **key,
            scope="purchase",
            subject_id=booking.id,
            state="undone",
            reason="Quillfeather is ill",
            requested_at=now,
            starts_at=now,
        ),
        WaitlistEntry(
            **key,
            session_id=booking.session_id,
            address=MAIL,
            name="Zora Quillfeather",
            locale="en",
            party_size=1,
            state="left",
            joined_at=now,
            queued_at=now,
            ended_at=now,
        ),
        MailRow(
            **key,
            **mail,
            to_address=lotus.owner.email,
            subject="New: Zora Quillfeather",
            text="Zora Quillfeather has booked",
            message_id="<1@x>",
            dedupe_key="to-owner",
            reply_to=MAIL,
        ),
        OutboxRow(
            **key,
            topic="t",
            consumer="c",
            payload={"order_id": str(made.order_id), "why": "Quillfeather"},
            created_at=now,
            available_at=now,
            parked_at=now,
        ),
        OpenItem(
            **key,
            kind="hand_back",
            subject_id=made.order_id,
            order_id=made.order_id,
            facts={
                "guest": "Zora Quillfeather",
                "reference": "R",
                "amount_minor": 1,
                "currency": "EUR",
            },
            created_at=now,
            closed_at=now,
        ),
        PaymentPage(
            **key,
            order_id=made.order_id,
            attempt=1,
            account_id="acct_1",
            idempotency_key="k",
            body={"customer_email": MAIL},
            state="complete",
            processor_id="cs_1",
            url="https://pay.test/quillfeather",
            expires_at=now,
            created_at=now,
        ),
        ConnectedAccount(
            account_id=f"acct_{lotus.slug}", tenant_id=lotus.id, created_at=now, updated_at=now
        ),
        AuditEntry(
            **key,
            actor_kind="system",
            actor_name="system",
            action="order.refund_failed",
            subject_kind="order",
            subject_id=made.order_id,
            detail={
                "refund": str(made.order_id),
                "amount_minor": 500,
                "currency": "EUR",
                "why": "quillfeather's card",
            },
            at=now,
        ),
        InboxEvent(
            event_id="evt_1",
            endpoint="connect",
            type="checkout.session.completed",
            account_id=f"acct_{lotus.slug}",
            payload={"id": "cs_1", "customer_details": {"name": "Zora Quillfeather"}},
            received_at=now,
            handled_at=now,
        ),
    ]


async def _rows_of_credits_and_vouchers(
    uow: UnitOfWork, lotus: Business, made: Booked, seat: Seat
) -> list[Any]:
    """What hangs on a lot and on a voucher, which are written before it."""
    now, key = uow.clock.now(), {"tenant_id": lotus.id}
    theirs = {**key, "customer_id": made.order.customer_id, "currency": "EUR"}
    lot = CreditLot(
        **theirs,
        id=new_id(),
        source="goodwill",
        state="active",
        name="One",
        balance=1,
        created_at=now,
    )
    voucher = Voucher(
        **theirs,
        id=new_id(),
        code="ZZZZ-1111",
        state="active",
        source="sold",
        initial_minor=1000,
        recipient_name="Kim Quillfeather",
        recipient_email="kim@quillfeather.test",
        message="To my dear Quillfeather",
        created_at=now,
    )
    uow.session.add_all([lot, voucher])
    await uow.session.flush()
    entry = {**key, "actor_name": "Olive", "at": now}
    return [
        CreditEntry(
            **entry,
            lot_id=lot.id,
            kind="adjust",
            credits=1,
            by="staff",
            reason="Quillfeather was in hospital",
        ),
        AuditEntry(
            **entry,
            actor_kind="user",
            action="credits.extended",
            subject_kind="credit_lot",
            subject_id=lot.id,
            detail={"name": "One", "reason": "Quillfeather was in hospital"},
        ),
        VoucherEntry(**entry, voucher_id=voucher.id, kind="grant", amount_minor=1000),
        VoucherEntry(
            **entry,
            voucher_id=voucher.id,
            kind="adjust",
            amount_minor=-1000,
            reason="Quillfeather has spent it",
        ),
        Fee(
            **theirs,
            order_id=made.order_id,
            subject_id=seat.id,
            kind="no_show",
            amount_minor=500,
            state="forgiven",
            what="Yoga",
            starts_at=now,
            why="Quillfeather was in hospital",
            at=now,
            by="staff",
            chargeable_at=now,
        ),
    ]


def _handed_on(uow: UnitOfWork, lotus: Business, made: Booked, seat: Seat) -> HandingOn:
    now = uow.clock.now()
    return HandingOn(
        tenant_id=lotus.id,
        seat_id=seat.id,
        order_id=made.order_id,
        participant_id=seat.participant_id,
        address="kim@quillfeather.test",
        was="Zora Quillfeather",
        was_calendar_id=new_id(),
        was_sequence=0,
        by="guest",
        at=now,
        told_at=now,
    )
