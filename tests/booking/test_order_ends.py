"""An order that ended without money is told of by how it ended, wherever it is told."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from src.billing.domain.kinds import OrderEnd, order_end
from src.billing.models import Order
from src.billing.queries.timeline import History, timeline
from src.booking.views.customers import HistoryLine, HistoryPage
from src.booking.web.customer_history import history_view

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)

ENDS = [
    ("expired", "not_paid", "The time to pay ended", "Did not pay in time for Yoga"),
    ("cancelled", "released", "Released; the places are free again", "Released unpaid: Yoga"),
    ("cancelled", "given_up", "Given up; the places were freed", "Gave up Yoga"),
    ("cancelled", "not_payable", "No payment could be started", "No payment could be started"),
    ("cancelled", "cancelled", "Cancelled by the business", "Cancelled by the business"),
    ("cancelled", "a word of before", "Cancelled by the business", "Cancelled by the business"),
]


@pytest.mark.parametrize(("state", "why", "of_order", "of_customer"), ENDS)
def test_the_order_and_its_customer_are_told_alike(
    state: str, why: str, of_order: str, of_customer: str
) -> None:
    order = Order(state=state, created_at=AT, closed_at=AT, closed_why=why, guest_name="Anna")
    history = History(order=order, pages=(), payments=(), refunds=(), items=(), audit=())
    assert timeline(history)[-1].text.startswith(of_order)
    facts = {"what": "Yoga", "state": state, "why": why}
    line = HistoryLine(at=AT, kind="order_ended", ref=None, who="", facts=facts)
    page = HistoryPage(lines=[line], number=1, has_more=False)
    [moment] = history_view(page, "/app/lotus", "/app/lotus/customers/1", ZoneInfo("UTC")).moments
    assert moment.text.startswith(of_customer)


def test_every_end_is_among_them() -> None:
    assert {order_end(state, why) for state, why, _order, _customer in ENDS} == set(OrderEnd)
