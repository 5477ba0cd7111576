"""A worker dies while a course is cancelled with its money: each share goes back once."""

import asyncio
from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from src.billing.models import ConnectedAccount, Order, Payment
from src.billing.stripe_gateway import StripeGateway
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish
from tests.faults.test_kills import LAST_GUEST, program
from tests.support.builders import Business, a_business, a_series, a_service, as_guest
from tests.support.program import Program, eventually

__all__ = ["program"]
pytestmark = pytest.mark.faults
BUYERS, DATES, PRICE_MINOR = 2_000, 8, 8000
AT_ONCE = 8


def sold(program: Program) -> dict[str, Any]:
    """A series of eight dates that so many guests have bought and paid by card."""

    async def fill(services: Services) -> dict[str, Any]:
        from src.billing.commands.connect import connect_account, refresh_account
        from src.booking.commands.book import book
        from src.wiring import wire

        wire()
        factory = services.uow_factory
        business = await a_business(factory)
        back = f"{program.base_url}/app/{business.slug}/payments"
        link = await connect_account(services, business.ctx, refresh_url=back, return_url=back)
        async with httpx.AsyncClient() as browser:
            await browser.post(link, data={"decision": "finish"})
        await refresh_account(services, business.id)
        async with factory(None) as uow:
            account_id = await uow.session.scalar(select(ConnectedAccount.account_id)) or ""
        term = await a_series(
            factory,
            await a_service(factory, business.id),
            sessions=DATES,
            capacity=BUYERS,
            price_type="on_site",
            price_minor=PRICE_MINOR,
        )
        for number in range(BUYERS):
            wish = a_wish("series", term.series.id, guest_email=f"g{number}@example.com")
            async with factory(business.id) as uow:
                await book(uow, as_guest(business), wish)
        intents = await paid_intents(program, services.port(StripeGateway), account_id)
        async with factory(business.id) as uow:
            orders = (await uow.session.scalars(select(Order))).all()
            for order, intent in zip(orders, intents, strict=True):
                order.payment_mode, order.paid_minor = "online", order.total_minor
                uow.session.add(_paid(order, account_id, intent, uow.clock.now()))
        return {"business": business, "series_id": term.series.id}

    found: dict[str, Any] = program.run(fill)
    return found


async def paid_intents(program: Program, gateway: StripeGateway, account_id: str) -> list[str]:
    """So many payments by card at the stand-in, which tells nobody of them."""
    page = {
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": "eur",
                    "unit_amount": PRICE_MINOR,
                    "product_data": {"name": "Yoga"},
                },
            }
        ],
        "success_url": "http://127.0.0.1/thanks",
    }

    async def pay(number: int) -> str:
        made = await gateway.create_checkout_page(account_id, page, f"course-{number}")
        paid = await asyncio.to_thread(program.stripe_knob, "pay", session=made.id)
        intent: str = paid["session"]["payment_intent"]
        return intent

    program.stripe_knob("webhooks", drop=True)
    intents: list[str] = []
    for first in range(0, BUYERS, AT_ONCE):
        some = range(first, first + AT_ONCE)
        intents += await asyncio.gather(*(pay(number) for number in some))
    program.stripe_knob("reset_faults")
    return intents


def _paid(order: Order, account_id: str, intent: str, now: Any) -> Payment:
    return Payment(
        tenant_id=order.tenant_id,
        id=new_id(),
        order_id=order.id,
        account_id=account_id,
        payment_intent_id=intent,
        amount_minor=order.total_minor,
        currency=order.currency,
        method="card",
        received_at=now,
    )


def cancel(program: Program, business: Business, series_id: Any) -> None:
    async def ask(services: Services) -> None:
        from src.booking.commands.cancel_returns import MoneyWanted
        from src.booking.commands.cancel_series import cancel_series
        from src.booking.domain.cancelling import MoneyChoice

        money = MoneyWanted(choice=MoneyChoice.FULL)
        async with services.uow_factory(business.id) as uow:
            await cancel_series(
                uow, business.ctx, series_id, reason="Flood", undo_seconds=0, money=money
            )

    program.run(ask)


def is_quiet(program: Program) -> bool:
    return bool(program.rows("SELECT count(*) = 0 AS quiet FROM outbox")[0]["quiet"])


def progress(program: Program) -> tuple[int, int, int]:
    """Customers done, customers in all, seats freed."""
    [row] = program.rows("SELECT done, total, seats_freed FROM cancellations")
    return row["done"], row["total"], row["seats_freed"]


@pytest.mark.slow
def test_a_worker_killed_while_a_course_is_cancelled_with_its_money(program: Program) -> None:
    program.kill("worker")
    made = sold(program)
    program.rows("DELETE FROM outbox")  # Nobody reads the confirmations.
    program.start("worker")
    with program.holding(LAST_GUEST):
        cancel(program, made["business"], made["series_id"])
        eventually(lambda: 0 < progress(program)[0] < BUYERS, "the middle of it")
        program.kill("worker")
    done, total, freed = progress(program)
    assert (freed, total) == (done * DATES, BUYERS), "a chunk counts with its seats, or not at all"
    program.start("worker")
    eventually(
        lambda: program.rows("SELECT state FROM cancellations")[0]["state"] == "done",
        "the end of the cancellation",
        300,
    )
    assert progress(program) == (BUYERS, BUYERS, BUYERS * DATES), "it went on from there"
    eventually(lambda: is_quiet(program), "mails and refunds", 600)
    assert {row["seats_taken"] for row in program.rows("SELECT seats_taken FROM sessions")} == {0}
    check_money(program)
    check_mails(program)


def check_money(program: Program) -> None:
    """Each guest's money has gone back in one refund, and the processor has done no more."""
    seats = program.rows("SELECT DISTINCT state, returned_minor FROM seats")
    assert [tuple(row) for row in seats] == [("cancelled", PRICE_MINOR // DATES)]
    refunds = program.rows(
        "SELECT order_id, count(*) AS n, sum(amount_minor) AS back FROM refunds GROUP BY 1"
    )
    assert len(refunds) == BUYERS
    assert {(row["n"], row["back"]) for row in refunds} == {(1, PRICE_MINOR)}
    [account] = [one for one in program.stripe_state()["accounts"].values() if one["sums"]]
    assert account["counts"]["refund"] == {"succeeded": BUYERS}
    assert account["sums"]["eur"]["refunded_minor"] == BUYERS * PRICE_MINOR


def check_mails(program: Program) -> None:
    """One for all eight dates; what left twice around the kill is the same mail to its reader."""
    mails = [mail for mail in program.mails() if mail["subject"].startswith("Cancelled")]
    told = Counter(mail["recipients"] for mail in mails)
    assert len(told) == BUYERS
    assert len({mail["message_id"] for mail in mails}) == BUYERS
    assert sum(told.values()) - BUYERS <= 20, "at most what was between the yes and our mark"
