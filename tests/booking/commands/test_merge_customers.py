"""Two customers who are one person: all of it moves, nothing of it changes."""

from uuid import UUID

import pytest
from sqlalchemy import select, text

from src.billing.models import Order
from src.booking.guest_links import booking_path, order_behind
from src.booking.models import Booking, Seat
from src.platform.db.uow import UowFactory
from src.platform.errors import Conflict, NotFound
from src.platform.services import Services
from src.tenants.commands.customer_care import add_note, set_tags
from src.tenants.commands.customers import find_or_add_customer, keep_customer
from src.tenants.commands.merge_customers import merge_customers
from src.tenants.customer_rows import customer_rows
from src.tenants.models import AuditEntry, Customer, CustomerNote, CustomerTag, Participant
from src.tenants.queries.merging import preview_merge
from tests.booking.commands.test_book import a_wish, booked, seats_of
from tests.booking.commands.test_cards_of_customers import keeps
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.coupons import a_coupon
from tests.support.groups import a_group, a_group_member
from tests.support.somebody import much_is_said, zora_books
from tests.tenants.commands.test_customer_care import a_customer

pytestmark = pytest.mark.anyio

REFER_TO_CUSTOMERS = (
    "SELECT conrelid::regclass::text FROM pg_constraint"
    " WHERE contype = 'f' AND confrelid = 'customers'::regclass"
)


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


async def merge(uow_factory: UowFactory, business: Business, gone_id: UUID, kept_id: UUID) -> None:
    async with uow_factory(business.id) as uow:
        await merge_customers(uow, business.ctx, gone_id, kept_id)


async def test_every_table_that_refers_to_customers_is_moved(uow_factory: UowFactory) -> None:
    """A new one is registered as `CustomerRows`, or its rows would stay with a signpost."""
    async with uow_factory(None) as uow:
        referring = set((await uow.session.execute(text(REFER_TO_CUSTOMERS))).scalars())
    registered = {rows.table.name for rows in customer_rows()}
    assert referring == registered | {"customers", "customer_tags"}


async def test_bookings_seats_and_money_go_over_with_their_ids(
    uow_factory: UowFactory, lotus: Business, services: Services
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    theirs = await booked(uow_factory, lotus, a_wish("session", session.id))
    own = await booked(
        uow_factory, lotus, a_wish("session", session.id, guest_email="karl@example.com")
    )
    before = {(seat.id, seat.participant_id) for seat in await seats_of(uow_factory, lotus.id)}
    path = booking_path(services.settings, lotus.slug, theirs.order)
    gone_id, kept_id = theirs.order.customer_id, own.order.customer_id
    await merge(uow_factory, lotus, gone_id, kept_id)
    assert before == {
        (seat.id, seat.participant_id) for seat in await seats_of(uow_factory, lotus.id)
    }
    async with uow_factory(lotus.id) as uow:
        for model in (Order, Booking, Participant):
            owners = set(await uow.session.scalars(select(model.customer_id)))  # type: ignore[attr-defined]  # each of these models has it
            assert owners == {kept_id}, model
        order = await uow.session.get_one(Order, (lotus.id, theirs.order_id))
        live = (await uow.session.scalars(select(Seat.state))).all()
    assert live == ["held", "held"]
    assert booking_path(services.settings, lotus.slug, order) == path
    token = path.rsplit("/", 1)[-1]
    now = services.clock.now()
    assert order_behind(services.settings, token, lotus.id, now).order_id == theirs.order_id


async def test_notes_and_tags_of_both_are_kept(uow_factory: UowFactory, lotus: Business) -> None:
    gone = await a_customer(uow_factory, lotus)
    kept = await a_customer(uow_factory, lotus, email="ann@example.com")
    async with uow_factory(lotus.id) as uow:
        await add_note(uow, lotus.ctx, gone, "Left knee.")
        await set_tags(uow, lotus.ctx, gone, "vip, board")
        await set_tags(uow, lotus.ctx, kept, "vip")
    await merge(uow_factory, lotus, gone, kept)
    async with uow_factory(lotus.id) as uow:
        tags = (await uow.session.execute(select(CustomerTag.customer_id, CustomerTag.word))).all()
        note = (await uow.session.scalars(select(CustomerNote))).one()
    assert sorted(tags, key=lambda row: row[1]) == [(kept, "board"), (kept, "vip")]
    assert note.customer_id == kept


async def test_the_log_keeps_what_moved_and_what_the_other_was_like(
    uow_factory: UowFactory, lotus: Business
) -> None:
    session = await a_session(uow_factory, await a_service(uow_factory, lotus.id))
    made = await booked(uow_factory, lotus, a_wish("session", session.id))
    kept = await a_customer(uow_factory, lotus, email="ann@example.com")
    await merge(uow_factory, lotus, made.order.customer_id, kept)
    async with uow_factory(lotus.id) as uow:
        entry = (
            await uow.session.scalars(
                select(AuditEntry).where(AuditEntry.action == "customer.merged")
            )
        ).one()
    assert entry.subject_id == kept
    assert entry.detail["moved"]["orders"] == [str(made.order_id)]
    assert entry.detail["moved"]["bookings"] == [str(made.booking_id)]
    assert entry.detail["gone"]["id"] == str(made.order.customer_id)
    assert entry.detail["gone"]["email"] == "carl@example.com"


async def test_the_address_of_who_is_gone_leads_to_who_is_left(
    uow_factory: UowFactory, lotus: Business
) -> None:
    first = await a_customer(uow_factory, lotus, email="a@example.com")
    second = await a_customer(uow_factory, lotus, email="b@example.com")
    third = await a_customer(uow_factory, lotus, email="c@example.com")
    await merge(uow_factory, lotus, first, second)
    await merge(uow_factory, lotus, second, third)
    async with uow_factory(lotus.id) as uow:
        now = uow.clock.now()
        for address in ("a@example.com", "b@example.com", "c@example.com"):
            assert await find_or_add_customer(uow, address, "X", "", now) == third
        assert await keep_customer(uow, first) == third


async def test_who_is_left_gets_the_address_and_number_they_lack(
    uow_factory: UowFactory, lotus: Business
) -> None:
    gone = await a_customer(uow_factory, lotus, phone="020 555 0134", is_established=True)
    kept = await a_customer(uow_factory, lotus, email="", phone="+31201112222", name="A. Bakker")
    await merge(uow_factory, lotus, gone, kept)
    async with uow_factory(lotus.id) as uow:
        left = await uow.session.get_one(Customer, (lotus.id, kept))
        sign = await uow.session.get_one(Customer, (lotus.id, gone))
        assert await find_or_add_customer(uow, "anna@example.com", "X", "", left.created_at) == kept
    assert (left.email, left.name, left.phone) == ("anna@example.com", "A. Bakker", "+31201112222")
    assert left.is_established
    assert (sign.email, sign.merged_into) == (None, kept)


async def test_oneself_twice_and_another_business_are_refused(
    uow_factory: UowFactory, lotus: Business
) -> None:
    rival = await a_business(uow_factory, "rival", owner="Eve")
    anna = await a_customer(uow_factory, lotus)
    bea = await a_customer(uow_factory, lotus, email="bea@example.com")
    eves = await a_customer(uow_factory, rival)
    with pytest.raises(Conflict) as refused:
        await merge(uow_factory, lotus, anna, anna)
    assert refused.value.code == "same_customer"
    for pair in ((anna, eves), (eves, anna)):
        with pytest.raises(NotFound):
            await merge(uow_factory, lotus, *pair)
    await merge(uow_factory, lotus, anna, bea)
    for pair in ((anna, bea), (bea, anna)):
        with pytest.raises(Conflict) as refused:
            await merge(uow_factory, lotus, *pair)
        assert refused.value.code == "already_merged"


async def test_what_a_merge_says_moves_is_counted_kind_by_kind(
    uow_factory: UowFactory, lotus: Business, services: Services
) -> None:
    """All that a customer can have, once or more; the tally of a coupon's uses, and who they are at
    the processor, are no such things.
    """
    await a_coupon(uow_factory, lotus.id)
    made = await zora_books(services, lotus, coupon="SPRING")
    await much_is_said(services, lotus, made)
    gone, kept = made.order.customer_id, await a_customer(uow_factory, lotus, name="Ann")
    await keeps(uow_factory, lotus, gone, "zora", "one")
    await a_group_member(uow_factory, lotus, await a_group(uow_factory, lotus), gone)
    async with uow_factory(lotus.id) as uow:
        before = await preview_merge(uow, gone, kept)
        assert (await preview_merge(uow, kept, gone)).moves == []
    assert sorted(before.moves) == [
        "1 booking",
        "1 card kept",
        "1 choice about mails",
        "1 coupon used",
        "1 fee",
        "1 file",
        "1 lot of credits",
        "1 membership of a group",
        "1 message to many",
        "1 note",
        "1 order",
        "1 signature",
        "1 voucher",
        "1 worksheet",
        "2 participants",
    ]
    async with uow_factory(lotus.id) as uow:
        moved = await merge_customers(uow, lotus.ctx, gone, kept)
    apart = {"calendar_feeds", "coupon_customers", "processor_customers"}
    assert {name for name, ids in moved.items() if not ids} - apart == set()
    assert len(before.moves) == len(moved.keys() - apart)
    assert {len(ids) for name, ids in moved.items() if name == "participants"} == {2}
    assert [rows.words(1) for rows in customer_rows() if rows.words(1) == rows.words(2)] == []
