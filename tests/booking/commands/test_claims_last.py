"""Whatever a payment page comes to: what others wait for is claimed by the last statements."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.engine import Engine

from src.billing.commands.due import add_due
from src.billing.commands.ending import expire_order
from src.billing.commands.settle import apply_page
from src.billing.domain.kinds import PageOutcome
from src.billing.domain.retries import PAGE_DUE
from src.billing.models import Order, PaymentPage, Refund
from src.billing.processor import PageStatus, ProcessorPage
from src.booking.commands.book import Booked
from src.booking.commands.cancel import cancel_session
from src.booking.models import Cancellation, Seat, Session
from src.platform.db.uow import UowFactory
from src.platform.ids import new_id
from tests.booking.commands.test_book import a_wish, booked, taken
from tests.support.builders import Business, Term, a_business, a_series, a_service

pytestmark = pytest.mark.anyio

CLAIMS = (
    "UPDATE sessions",
    "UPDATE coupons",
    "INSERT INTO coupon_customers",
    "UPDATE coupon_customers",
    "UPDATE vouchers",
    "SELECT id FROM sessions",
    "INSERT INTO booking_counters",
    "UPDATE booking_counters",
)
FRAMING = ("SAVEPOINT", "RELEASE", "SET LOCAL")


@pytest.fixture
async def lotus(uow_factory: UowFactory) -> Business:
    return await a_business(uow_factory)


@pytest.fixture
async def term(uow_factory: UowFactory, lotus: Business) -> Term:
    return await a_series(uow_factory, await a_service(uow_factory, lotus.id), capacity=1)


@contextmanager
def listened() -> Iterator[list[str]]:
    """The statements sent inside, those that frame a transaction left out."""
    sent: list[str] = []

    def remember(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(FRAMING):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", remember)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", remember)


def after_the_first_claim(sent: list[str]) -> list[str]:
    """What came between the first claim and COMMIT and is no claim itself."""
    is_claim = [any(claim in statement for claim in CLAIMS) for statement in sent]
    first = is_claim.index(True)
    return [sent[at] for at in range(first, len(sent)) if not is_claim[at]]


async def a_page(uow_factory: UowFactory, business: Business, order: Order) -> PaymentPage:
    page_id = new_id()
    async with uow_factory(business.id) as uow:
        now = uow.clock.now()
        page = PaymentPage(
            tenant_id=business.id,
            id=page_id,
            order_id=order.id,
            attempt=1,
            account_id="acct_1",
            idempotency_key=str(page_id),
            body={},
            expires_at=now + timedelta(minutes=31),
            created_at=now,
        )
        uow.session.add(page)
        await add_due(uow, PAGE_DUE, page_id, now)
    return page


def as_found(page: PaymentPage, order: Order, *, paid: bool = True) -> ProcessorPage:
    return ProcessorPage(
        id="cs_1",
        url=None,
        status=PageStatus.COMPLETE if paid else PageStatus.EXPIRED,
        is_paid=paid,
        has_failed=False,
        payment_intent_id="pi_1" if paid else None,
        amount_minor=order.to_pay_minor,
        currency=order.currency,
        fee_minor=0,
        method="card",
        metadata={"page_id": str(page.id)},
    )


Meanwhile = Callable[[UowFactory, Business, Term, Booked], Awaitable[None]]


async def nothing(
    uow_factory: UowFactory, business: Business, term: Term, made: Booked
) -> None: ...


async def a_session_is_being_freed(
    uow_factory: UowFactory, business: Business, term: Term, made: Booked
) -> None:
    async with uow_factory(business.id) as uow:
        cancellation_id = await cancel_session(
            uow, business.ctx, term.sessions[1].id, reason="", undo_seconds=10
        )
        found = await uow.session.get_one(Cancellation, (business.id, cancellation_id))
        found.state = "running"


async def its_hold_ended(
    uow_factory: UowFactory, business: Business, term: Term, made: Booked
) -> None:
    async with uow_factory(business.id) as uow:
        await uow.session.execute(update(PaymentPage).values(state="expired"))
        assert await expire_order(uow, made.order_id, "not_paid", uow.clock.now())


@pytest.mark.parametrize(
    ("meanwhile", "paid", "state", "seats"),
    [
        (nothing, False, "expired", [0, 0, 0]),
        (a_session_is_being_freed, True, "confirmed", [1, 0, 1]),
        (its_hold_ended, True, "confirmed", [1, 1, 1]),
    ],
)
async def test_a_page_that_is_applied_claims_last(
    uow_factory: UowFactory,
    lotus: Business,
    term: Term,
    meanwhile: Meanwhile,
    paid: bool,
    state: str,
    seats: list[int],
) -> None:
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    page = await a_page(uow_factory, lotus, made.order)
    await meanwhile(uow_factory, lotus, term, made)
    with listened() as sent:
        async with uow_factory(lotus.id) as uow:
            applied = await apply_page(uow, page.id, as_found(page, made.order, paid=paid))
    assert (applied.outcome is PageOutcome.PAID, applied.order_state) == (paid, state)
    assert after_the_first_claim(sent) == []
    assert await taken(uow_factory, lotus.id) == seats


async def test_the_share_of_a_lost_date_goes_back_although_it_is_written_first(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    page = await a_page(uow_factory, lotus, made.order)
    await a_session_is_being_freed(uow_factory, lotus, term, made)
    async with uow_factory(lotus.id) as uow:
        await apply_page(uow, page.id, as_found(page, made.order))
    async with uow_factory(lotus.id) as uow:
        lost = await uow.session.scalar(
            select(Seat.share_minor).where(Seat.session_id == term.sessions[1].id)
        )
        back = (await uow.session.scalars(select(Refund.amount_minor))).all()
        states = (await uow.session.scalars(select(Session.state))).all()
    assert back == [lost]
    assert sorted(states) == ["cancelling", "scheduled", "scheduled"]


async def test_late_money_that_gets_nothing_leaves_no_trace_of_the_try(
    uow_factory: UowFactory, lotus: Business, term: Term
) -> None:
    made = await booked(uow_factory, lotus, a_wish("series", term.series.id))
    page = await a_page(uow_factory, lotus, made.order)
    await its_hold_ended(uow_factory, lotus, term, made)
    await booked(uow_factory, lotus, a_wish("series", term.series.id))
    async with uow_factory(lotus.id) as uow:
        applied = await apply_page(uow, page.id, as_found(page, made.order))
    assert applied.order_state == "expired"
    async with uow_factory(lotus.id) as uow:
        order = await uow.session.get_one(Order, (lotus.id, made.order_id))
        back = (await uow.session.scalars(select(Refund.amount_minor))).all()
    assert (order.state, order.confirmed_at, order.closed_why) == ("expired", None, "not_paid")
    assert back == [order.total_minor]
    assert await taken(uow_factory, lotus.id) == [1, 1, 1]
