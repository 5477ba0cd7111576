"""The customer's page tells all that happened, newest first, a page at a time."""

import re
from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from src.billing.models import Coupon, CouponUse, Order
from src.booking.held_places import release_held
from src.booking.queries.customer_history import PAGE_SIZE, list_history
from src.platform.mail.models import MailRow
from src.platform.services import Services
from tests.booking.web.pages import as_owner
from tests.booking.web.test_held_places import held, words_of
from tests.support.builders import Business, a_business, a_service, a_session
from tests.support.clock import FrozenClock
from tests.support.coupons import a_coupon
from tests.support.owner import as_who_signed_in
from tests.support.somebody import MAIL, much_is_said, zora_books

pytestmark = pytest.mark.anyio

OTHERS_MAILS = text(
    "INSERT INTO mails (tenant_id, id, kind, to_address, to_name, from_name, unsubscribe_url,"
    " subject, text, html, attachments, message_id, dedupe_key, queued_at, sent_at)"
    " SELECT :t, gen_random_uuid(), 'k', n || '@y.test', '', '', '', 's', 't', 'h', '[]',"
    " n::text, 'k' || n, :now, :now FROM generate_series(1, 2000) n"
)
OTHERS_LOG = text(
    "INSERT INTO audit"
    " (tenant_id, id, actor_kind, actor_name, action, subject_kind, subject_id, detail, at)"
    " SELECT :t, gen_random_uuid(), 'user', 'O', 'customer.changed', 'customer',"
    " gen_random_uuid(), '{}', :now FROM generate_series(1, 2000)"
)


async def a_code_was_used(services: Services, business: Business, order: Order) -> None:
    coupon: Coupon = await a_coupon(services.uow_factory, business.id)
    async with services.uow_factory(business.id) as uow:
        uow.session.add(
            CouponUse(
                tenant_id=business.id,
                coupon_id=coupon.id,
                order_id=order.id,
                customer_id=order.customer_id,
                discount_minor=150,
                created_at=uow.clock.now(),
                returned_at=uow.clock.now(),
            )
        )


async def test_it_is_whole(client: AsyncClient, services: Services, clock: FrozenClock) -> None:
    lotus = await a_business(services.uow_factory)
    made = await zora_books(services, lotus)
    clock.advance(timedelta(minutes=1))
    await much_is_said(services, lotus, made)
    await a_code_was_used(services, lotus, made.order)
    await as_owner(client, services, lotus)
    shown = (await client.get(f"/app/lotus/customers/{made.order.customer_id}")).text
    for words in (
        "Booked Yoga",
        "paid",
        "Mail “You",
        f"to {MAIL}",
        "Message to many: “s”",
        "Joined the waiting list: Yoga · ",
        "Left the waiting list: Yoga · ",
        "Asks to leave a course",
        "Asked to leave a course; declined",
        "Used the code SPRING: €1.50 off",
        "The code SPRING may be used again",
        "Ended reminders by mail",
        "Changed a customer",
        "First seen",
    ):
        assert words in shown, words
    history = shown[shown.index('id="history"') :]
    assert history.index("Changed a customer") < history.index("Booked Yoga"), "newest first"
    assert " · Seatline" in history
    assert " · system" not in history, "who it was is in the reader's words"


async def test_what_nobody_paid_ended_when_it_ended_and_by_whom_it_did(
    client: AsyncClient, services: Services, clock: FrozenClock
) -> None:
    lotus = await a_business(services.uow_factory)
    service = await a_service(services.uow_factory, lotus.id)
    made = await held(services, lotus, await a_session(services.uow_factory, service, in_days=2))
    clock.advance(timedelta(hours=3))
    await release_held(services, lotus.ctx, made.order_id)
    async with services.uow_factory(lotus.id) as uow:
        page = await list_history(uow, made.order.customer_id)
    told = {line.kind: line for line in page.lines}
    assert told["order_ended"].at - told["order"].at == timedelta(hours=3)
    assert told["order_ended"].who == lotus.owner.name
    acts = [line.facts["action"] for line in page.lines if line.kind == "log"]
    assert "order.released" not in acts, "it is told once"
    await as_owner(client, services, lotus)
    shown = words_of(await client.get(f"/app/lotus/customers/{made.order.customer_id}"))
    assert "Ordered Yoga" in shown
    assert "Released unpaid: Yoga" in shown
    assert "Gave up" not in shown


async def test_another_customers_mails_and_lists_are_not_theirs(services: Services) -> None:
    lotus = await a_business(services.uow_factory)
    made = await zora_books(services, lotus)
    async with services.uow_factory(lotus.id) as uow:
        before = await list_history(uow, made.order.customer_id)
        uow.session.add(a_mail(lotus, "carl@example.com", 1, uow.clock))
    async with services.uow_factory(lotus.id) as uow:
        assert await list_history(uow, made.order.customer_id) == before


def a_mail(business: Business, to: str, number: int, clock: FrozenClock) -> MailRow:
    now = clock.now()
    return MailRow(
        tenant_id=business.id,
        kind="reminder",
        to_address=to,
        subject=f"Reminder {number}",
        text="t",
        html="h",
        message_id=f"<{number}@x>",
        dedupe_key=f"reminder {number}",
        queued_at=now - timedelta(days=number),
        sent_at=now,
    )


async def test_no_table_of_the_whole_business_is_gone_through(
    services: Services, rolled_back: AsyncEngine
) -> None:
    """The log and the mails are looked up in their indexes, not read from end to end."""
    lotus = await a_business(services.uow_factory)
    made = await zora_books(services, lotus)
    asked: list[tuple[str, Any]] = []
    others = {"t": lotus.id, "now": made.order.created_at}

    def note(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        asked.append((statement, values))

    async with services.uow_factory(lotus.id) as uow:
        await uow.session.execute(OTHERS_MAILS, others)
        await uow.session.execute(OTHERS_LOG, others)
        async with as_who_signed_in(uow):
            await uow.session.execute(text("ANALYZE mails, audit"))
        event.listen(rolled_back.sync_engine, "before_cursor_execute", note)
        try:
            await list_history(uow, made.order.customer_id)
        finally:
            event.remove(rolled_back.sync_engine, "before_cursor_execute", note)
        statement, values = asked[-1]
        connection = await uow.session.connection()
        found = await connection.exec_driver_sql(f"EXPLAIN (COSTS OFF) {statement}", values)
        plan = "\n".join(found.scalars())
    for index, column in (("ix_mails_to", "to_address"), ("ix_audit_subject", "subject_id")):
        assert re.search(rf"{index}\b.*\n *Index Cond: .*\({column} = ANY", plan), plan


@pytest.mark.slow
async def test_it_has_pages_and_asks_no_more_for_a_long_one(
    client: AsyncClient, services: Services, rolled_back: AsyncEngine
) -> None:
    lotus = await a_business(services.uow_factory)
    made = await zora_books(services, lotus)
    path = f"/app/lotus/customers/{made.order.customer_id}"
    await as_owner(client, services, lotus)
    await client.get(path)  # What holds for everybody is asked for once, and then remembered.
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    counts = []
    for is_long in (False, True):
        if is_long:
            async with services.uow_factory(lotus.id) as uow:
                for number in range(1, 41):
                    uow.session.add(a_mail(lotus, MAIL, number, uow.clock))
        event.listen(rolled_back.sync_engine, "before_cursor_execute", note)
        try:
            first = (await client.get(path)).text
        finally:
            event.remove(rolled_back.sync_engine, "before_cursor_execute", note)
        counts.append(len(asked))
        asked.clear()
    assert counts[0] == counts[1] > 0
    second = (await client.get(f"{path}?history=2")).text
    numbers = [re.findall(r"Reminder (\d+)”", page) for page in (first, second)]
    assert [int(number) for page in numbers for number in page] == list(range(1, 41))
    assert first.count("Reminder") < PAGE_SIZE
    assert 'href="/app/lotus/customers/' in first
    assert "?history=2#history" in first
    assert "?history=1#history" in second
    assert "?history=3" not in second
    assert (await client.get(f"{path}?history=x")).status_code == 200
