"""Erasing a person: no word of them is left in any table, and the books stay as they were."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.commands.credit_acts import change_end
from src.billing.commands.lot_users import set_users
from src.billing.domain.lot_users import LotUsers
from src.billing.models import (
    DisputeRow,
    Order,
    Payment,
    Refund,
)
from src.booking.commands.cancel import undo_cancellation
from src.booking.commands.cancel_seats import cancel_seats
from src.booking.commands.erase_customer import erase_customer
from src.booking.guest_links import booking_path, order_behind
from src.booking.models import (
    Booking,
    Seat,
    WaitlistEntry,
)
from src.booking.queries.erasing import preview_erasing
from src.booking.queries.person import find_person, read_person
from src.platform.db.uow import UnitOfWork
from src.platform.errors import Conflict, DomainError, InvalidInput, NotAllowed, NotFound
from src.platform.ids import new_id
from src.platform.mail.models import MailRow
from src.platform.services import Services
from src.tenants.commands.customer_care import add_note, set_tags
from src.tenants.commands.customers import find_or_add_customer
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.context import RequestContext
from src.tenants.domain.roles import Role
from src.tenants.models import AuditEntry, Customer, MailChoice
from tests.support.builders import Business, a_business, a_member
from tests.support.clock import FrozenClock
from tests.support.credits import a_lot
from tests.support.owner import as_who_signed_in
from tests.support.somebody import MAIL, WORDS, much_is_said, zora_books
from tests.support.work import work
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio


@pytest.fixture
async def lotus(services: Services) -> Business:
    return await a_business(services.uow_factory)


WAITS_BY_THE_HUNDRED = text(
    "INSERT INTO waitlist_entries (tenant_id, id, session_id, address, name, locale, party_size,"
    " state, joined_at, queued_at, ended_at, ended_by) SELECT s.tenant_id, gen_random_uuid(),"
    " s.id, :mail,"
    " 'Zora', 'en', 1, 'left', now(), now(), now(), 'guest'"
    " FROM sessions s, generate_series(1, 500)"
)
ENTRIES_BY_THE_THOUSAND = text(
    "INSERT INTO audit (tenant_id, id, actor_kind, actor_name, action, subject_kind, subject_id,"
    " detail, at) SELECT :tenant_id, gen_random_uuid(), 'user', 'Olive', 'seats.cancelled',"
    " 'session', gen_random_uuid(), jsonb_build_object('reason', 'ill', 'seats',"
    " jsonb_build_array(gen_random_uuid(), id, gen_random_uuid())), now()"
    " FROM (SELECT id FROM waitlist_entries"
    " UNION ALL SELECT gen_random_uuid() FROM generate_series(1, 4000)) s"
)


async def tables_that_tell(services: Services) -> set[str]:
    """Of any of her words, in any column of any table."""
    found = set()
    async with services.uow_factory(None) as uow, as_who_signed_in(uow):
        tables = await uow.session.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relkind = 'r'"
                " AND relnamespace = 'public'::regnamespace"
            )
        )
        for table in tables.all():
            for word in WORDS:
                told = text(f"SELECT EXISTS (SELECT 1 FROM {table} t WHERE t::text ILIKE :word)")
                if await uow.session.scalar(told, {"word": f"%{word}%"}):
                    found.add(table)
    return found


async def erase(
    services: Services, lotus: Business, customer_id: UUID, typed: str = "zq@quillfeather.test"
) -> None:
    async with services.uow_factory(lotus.id) as uow:
        await erase_customer(uow, lotus.ctx, customer_id, typed)


async def test_no_word_is_left_in_any_table_and_the_books_stay(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    await much_is_said(services, lotus, made)
    clock.advance(timedelta(days=30))
    told = await tables_that_tell(services)
    assert told == {
        "agreement_signatures",
        *("audit", "bookings", "broadcast_mails", "cancellations", "credit_entries"),
        *("customer_notes", "customer_tags", "customers", "fees", "handings_on"),
        *("leave_requests", "mails", "open_items", "orders", "outbox", "participants"),
        *("payment_pages", "seats", "voucher_entries", "vouchers", "waitlist_entries"),
        *("webhook_inbox", "worksheet_copies", "worksheet_files"),
    }
    async with services.uow_factory(lotus.id) as uow:
        before = await uow.session.get_one(Order, (lotus.id, made.order_id))
        money = (before.reference, before.total_minor, before.paid_minor, before.created_at)
        path = booking_path(services.settings, lotus.slug, before)
    await erase(services, lotus, made.order.customer_id)
    assert await tables_that_tell(services) == set()
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        assert (order.reference, order.total_minor, order.paid_minor, order.created_at) == money
        assert order.guest_name == "Erased customer"
        assert list(order.consents) == ["terms"]
        assert len((await uow.session.scalars(select(Payment))).all()) == 1
        assert len((await uow.session.scalars(select(Seat))).all()) == 2
        assert (await uow.session.scalars(select(MailChoice))).all() == []
        customer = await uow.session.get_one(Customer, (lotus.id, made.order.customer_id))
        assert customer.erased_at == clock.now()
        last = select(AuditEntry).order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(1)
        entry = (await uow.session.scalars(last)).one()
        assert (entry.action, entry.detail) == ("customer.erased", {})
    link = order_behind(services.settings, path.rsplit("/", 1)[-1], lotus.id, clock.now())
    assert link.version != order.link_version


async def test_the_log_keeps_no_reason_about_somebodys_credits_once_they_are_erased(
    services: Services, lotus: Business
) -> None:
    why, ended = "Was in hospital", services.clock.now()
    customer_id, lot_id = await a_lot(services.uow_factory, lotus.id, expires_at=ended)
    async with services.uow_factory(lotus.id) as uow:
        await change_end(uow, lotus.ctx, lot_id, None, why, new_id())
        await set_users(uow, lotus.ctx, lot_id, LotUsers(owner=True), why)
    await work(services, lotus.id)
    await erase(services, lotus, customer_id, "carl@example.com")
    async with services.uow_factory(lotus.id) as uow:
        said = await uow.session.execute(select(AuditEntry.action, AuditEntry.detail))
        assert [action for action, detail in said if detail.get("reason")] == []


@pytest.mark.slow
async def test_many_ids_are_found_in_a_long_log_in_time(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    clock.advance(timedelta(days=30))
    async with services.uow_factory(lotus.id) as uow, as_who_signed_in(uow):
        await uow.session.execute(WAITS_BY_THE_HUNDRED, {"mail": MAIL})
        await uow.session.execute(ENTRIES_BY_THE_THOUSAND, {"tenant_id": lotus.id})
    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(text("SET LOCAL statement_timeout = '5s'"))
        await erase_customer(uow, lotus.ctx, made.order.customer_id, MAIL)
    async with services.uow_factory(lotus.id) as uow:
        logged = select(AuditEntry.detail).where(AuditEntry.action == "seats.cancelled")
        told = list(await uow.session.scalars(logged))
    assert len(told) == 4500
    assert sum("reason" not in detail for detail in told) == 500


async def test_the_reason_of_places_whose_cancelling_was_undone_is_not_kept(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        seats = (await uow.session.scalars(select(Seat))).all()
        ids, session_id = [seat.id for seat in seats], seats[0].session_id
    async with services.uow_factory(lotus.id) as uow:
        why = "Quillfeather broke a leg"
        undone = await cancel_seats(uow, lotus.ctx, session_id, ids, reason=why, undo_seconds=10)
    async with services.uow_factory(lotus.id) as uow:
        await undo_cancellation(uow, lotus.ctx, undone)
    clock.advance(timedelta(days=30))
    await work(services, lotus.id)
    clock.advance(timedelta(days=3))
    await erase(services, lotus, made.order.customer_id, MAIL)
    assert await tables_that_tell(services) == set()


async def test_who_comes_again_is_somebody_new(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    clock.advance(timedelta(days=30))
    await erase(services, lotus, made.order.customer_id, MAIL.upper())
    async with services.uow_factory(lotus.id) as uow:
        again = await find_or_add_customer(uow, MAIL, "Zora", "", clock.now())
    assert again != made.order.customer_id
    for act in (add_note, set_tags):
        with pytest.raises(NotFound):
            async with services.uow_factory(lotus.id) as uow:
                await act(uow, lotus.ctx, made.order.customer_id, "late")
    with pytest.raises(NotFound):
        async with services.uow_factory(lotus.id) as uow:
            await merge_customers(uow, lotus.ctx, again, made.order.customer_id)
    with pytest.raises(NotFound):
        await erase(services, lotus, made.order.customer_id, MAIL)


async def _open(uow: UnitOfWork, order: Order, booking: Booking) -> None:
    order.state, order.hold_expires_at = "open", uow.clock.now()


async def _refund(uow: UnitOfWork, order: Order, booking: Booking) -> None:
    uow.session.add(
        Refund(
            tenant_id=uow.tenant,
            order_id=order.id,
            payment_id=await _payment(uow),
            amount_minor=1,
            cause="staff",
            cause_key="k",
            body={},
            created_at=uow.clock.now(),
        )
    )


async def _dispute(uow: UnitOfWork, order: Order, booking: Booking) -> None:
    uow.session.add(
        DisputeRow(
            tenant_id=uow.tenant,
            order_id=order.id,
            payment_id=await _payment(uow),
            processor_id="dp_1",
            amount_minor=1,
            currency="EUR",
            state="open",
            opened_at=uow.clock.now(),
        )
    )


async def _waiting(uow: UnitOfWork, order: Order, booking: Booking) -> None:
    now = uow.clock.now()
    uow.session.add(
        WaitlistEntry(
            tenant_id=uow.tenant,
            session_id=booking.session_id,
            address=MAIL,
            name="Zora",
            locale="en",
            party_size=1,
            joined_at=now,
            queued_at=now,
        )
    )


async def _mail(uow: UnitOfWork, order: Order, booking: Booking) -> None:
    uow.session.add(
        MailRow(
            tenant_id=uow.tenant,
            kind="k",
            to_address=MAIL,
            subject="s",
            text="t",
            html="h",
            message_id="<2@x>",
            dedupe_key="again",
            queued_at=uow.clock.now(),
        )
    )


async def _payment(uow: UnitOfWork) -> UUID:
    return (await uow.session.scalars(select(Payment.id))).one()


Bar = Callable[[UnitOfWork, Order, Booking], Awaitable[None]]


@pytest.mark.parametrize(
    ("bar", "sentence"),
    [
        (_open, "being paid for"),
        (_refund, "still to go back"),
        (_dispute, "disputes a payment"),
        (_waiting, "waiting list"),
        (_mail, "being done or sent"),
    ],
)
async def test_what_is_not_over_stands_against_it(
    services: Services, lotus: Business, clock: FrozenClock, bar: Bar, sentence: str
) -> None:
    made = await zora_books(services, lotus)
    clock.advance(timedelta(days=30))
    async with services.uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        await bar(uow, order, (await uow.session.scalars(select(Booking))).one())
    with pytest.raises(Conflict, match=sentence):
        await erase(services, lotus, made.order.customer_id, MAIL)
    assert "customers" in await tables_that_tell(services)


async def test_a_place_that_lies_ahead_stands_against_it(
    services: Services, lotus: Business
) -> None:
    made = await zora_books(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        person = await find_person(uow, made.order.customer_id)
        assert (await preview_erasing(uow, person)).bars == [
            "2 places of theirs lie ahead. Cancel them first."
        ]
    with pytest.raises(Conflict, match="2 places"):
        await erase(services, lotus, made.order.customer_id, MAIL)


async def test_only_an_owner_of_this_business_who_means_it(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    eves = await a_business(services.uow_factory, slug="eves")
    clock.advance(timedelta(days=30))
    mia = await a_member(services.uow_factory, lotus, "Mia", Role.MANAGER)
    refused: list[tuple[Business, RequestContext, str, type[DomainError]]] = [
        (lotus, mia, MAIL, NotAllowed),
        (lotus, lotus.ctx, "zora", InvalidInput),
        (eves, eves.ctx, MAIL, NotFound),
    ]
    for business, ctx, typed, refusal in refused:
        with pytest.raises(refusal):
            async with services.uow_factory(business.id) as uow:
                await erase_customer(uow, ctx, made.order.customer_id, typed)
    assert "orders" in await tables_that_tell(services)


async def test_another_business_keeps_what_it_knows_of_the_same_person(
    services: Services, lotus: Business, clock: FrozenClock
) -> None:
    made = await zora_books(services, lotus)
    eves = await a_business(services.uow_factory, slug="eves")
    hers = await a_customer(services.uow_factory, eves, name="Zora", email=MAIL)
    clock.advance(timedelta(days=30))
    await erase(services, lotus, made.order.customer_id, MAIL)
    async with services.uow_factory(eves.id) as uow:
        assert (await uow.session.get_one(Customer, (eves.id, hers))).email == MAIL
        kept = select(AuditEntry.detail).where(AuditEntry.subject_id == hers)
        assert (await uow.session.scalars(kept)).one() == {"name": "Zora"}


async def test_everything_that_is_kept_is_handed_over(services: Services, lotus: Business) -> None:
    made = await zora_books(services, lotus)
    await much_is_said(services, lotus, made)
    async with services.uow_factory(lotus.id) as uow:
        found = await read_person(uow, await find_person(uow, made.order.customer_id))
    assert {row["name"] for row in found["participants"]} >= {"Kim Quillfeather"}
    assert found["bookings"][0]["note"] == "Quillfeather is late"
    assert found["orders"][0]["guest_email"] == MAIL
    assert found["customer_notes"][0]["text"] == "Quillfeather is kind"
    assert found["agreement_signatures"][0]["name"] == "Zora Quillfeather"
    assert found["agreement_versions"][0]["text"], "what she signed, as it was"
    assert found["worksheet_copies"][0]["answers"][0]["values"] == ["quillfeathery"]
    assert found["worksheet_files"][0]["filename"] == "quillfeather.pdf"
    assert found["worksheet_versions"][0]["questions"], "what she was asked"
    assert {"mails", "payments", "seats", "sessions", "waitlist_entries"} <= found.keys()
    acts = {entry["action"] for entry in found["audit"]}
    assert acts >= {"customer.changed", "order.refund_failed"}, "also what was done to an order"
    texts = [mail["text"] for mail in found["mails"]]
    assert any("/b/lotus/bookings/…" in text for text in texts)
    assert not any(re.search(r"/bookings/[\w.]", text) for text in texts)
    assert "form_token" not in found["orders"][0]
