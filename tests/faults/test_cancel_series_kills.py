"""A worker dies while a course is cancelled with its money: each share goes back once."""

from collections import Counter
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from src.billing.models import ConnectedAccount, Order, Payment
from src.platform.ids import new_id
from src.platform.services import Services
from tests.booking.commands.test_book import a_wish
from tests.faults.test_kills import LAST_GUEST, program
from tests.support.builders import Business, a_business, a_series, a_service, as_guest
from tests.support.program import Program, eventually

__all__ = ["program"]
pytestmark = pytest.mark.faults
BUYERS, DATES, PRICE_MINOR = 600, 8, 8000


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
            account_id = await uow.session.scalar(select(ConnectedAccount.account_id))
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
        async with factory(business.id) as uow:
            for order in (await uow.session.scalars(select(Order))).all():
                order.paid_minor = order.total_minor
                uow.session.add(_paid(order, account_id or "", uow.clock.now()))
        return {"business": business, "series_id": term.series.id}

    found: dict[str, Any] = program.run(fill)
    return found


def _paid(order: Order, account_id: str, now: Any) -> Payment:
    return Payment(
        tenant_id=order.tenant_id,
        id=new_id(),
        order_id=order.id,
        account_id=account_id,
        payment_intent_id=f"pi_{order.id}",
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
    """Nothing is left but refunds, which the processor has no time for."""
    left = "SELECT count(*) AS n FROM outbox WHERE topic <> 'billing.refund_requested'"
    return bool(program.rows(left)[0]["n"] == 0)


@pytest.mark.slow
def test_a_worker_killed_while_a_course_is_cancelled_with_its_money(program: Program) -> None:
    made = sold(program)
    eventually(lambda: is_quiet(program), "the confirmations", 240)
    program.stripe_knob("api_faults", kind="rate_limit", times=1_000_000, path_contains="refunds")
    freed = "SELECT seats_freed AS n FROM cancellations"
    with program.holding(LAST_GUEST):
        cancel(program, made["business"], made["series_id"])
        eventually(lambda: 0 < program.rows(freed)[0]["n"] < BUYERS * DATES, "the middle of it")
        program.kill("worker")
    program.start("worker")
    eventually(
        lambda: program.rows("SELECT state FROM cancellations")[0]["state"] == "done",
        "the end of the cancellation",
        180,
    )
    eventually(lambda: is_quiet(program), "the mails", 300)
    assert program.rows(freed)[0]["n"] == BUYERS * DATES
    assert {row["seats_taken"] for row in program.rows("SELECT seats_taken FROM sessions")} == {0}
    share = PRICE_MINOR // DATES
    seats = program.rows("SELECT DISTINCT state, returned_minor FROM seats")
    assert [tuple(row) for row in seats] == [("cancelled", share)]
    refunds = program.rows(
        "SELECT order_id, count(*) AS n, sum(amount_minor) AS back FROM refunds GROUP BY 1"
    )
    assert len(refunds) == BUYERS
    assert {(row["n"], row["back"]) for row in refunds} == {(1, PRICE_MINOR)}
    told = Counter(m["recipients"] for m in program.mails() if m["subject"].startswith("Cancelled"))
    assert len(told) == BUYERS, "one mail for all eight dates"
