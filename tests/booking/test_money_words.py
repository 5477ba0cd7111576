"""What was paid and is to be paid on site, as mails say it."""

from typing import Any

import pytest

from src.billing.models import Order
from src.booking.models import Booking, Seat, Service, Session
from src.booking.money_words import back_line, money_line
from src.booking.queries.mail_facts import BookingFacts, SeatFacts

IN_ALL = "In all, €14.40 is to be paid on site."


def an_order(**more: Any) -> Order:
    values: dict[str, Any] = {
        "payment_mode": "on_site",
        "currency": "EUR",
        "locale": "en",
        "total_minor": 2880,
        "discount_minor": 0,
        "paid_minor": 0,
    }
    return Order(**{**values, **more})


@pytest.mark.parametrize(
    ("more", "owed", "said"),
    [
        ({}, 2880, "To pay on site: €28.80"),
        ({"paid_minor": 2880}, 0, "Paid: €28.80"),
        ({"paid_minor": 1000}, 1880, "Paid: €10.00 · To pay on site: €18.80"),
        ({}, 0, "Nothing to pay"),
        (
            {"discount_minor": 320},
            2880,
            "To pay on site: €28.80 · Discount, taken off already: €3.20",
        ),
        (
            {"discount_minor": 320},
            1440,
            "To pay on site: €14.40 · Discount, taken off already: €1.60",
        ),
        ({"discount_minor": 320}, 0, "Nothing to pay"),
        (
            {"discount_minor": 320, "payment_mode": "online", "paid_minor": 2880},
            0,
            "Paid: €28.80 · Discount, taken off already: €3.20",
        ),
        ({"total_minor": 0, "payment_mode": "free"}, 0, "Free of charge"),
        (
            {"total_minor": 0, "discount_minor": 900, "payment_mode": "free"},
            0,
            "Free of charge · Discount, taken off already: €9.00",
        ),
    ],
)
def test_what_is_paid_and_to_be_paid(more: dict[str, Any], owed: int, said: str) -> None:
    assert money_line(an_order(**more), owed) == said


@pytest.mark.parametrize(
    ("state", "returned", "by_hand", "owed", "said"),
    [
        ("cancelled", 0, 0, 0, "Nothing was paid for it, so nothing comes back."),
        (
            "cancelled",
            0,
            0,
            1440,
            "Nothing was paid for it, so nothing comes back. In all, €14.40 is to be paid on site.",
        ),
        ("late_cancelled", 0, 0, 1900, "It was cancelled late, so €19.00 stays due."),
        (
            "late_cancelled",
            0,
            0,
            3800,
            "It was cancelled late, so €19.00 stays due. In all, €38.00 is to be paid on site.",
        ),
        ("cancelled", 1900, 0, 0, "€19.00 is on its way back to you; it takes a few days."),
        (
            "cancelled",
            0,
            1900,
            1440,
            "The business gives you €19.00 back that you paid on site. " + IN_ALL,
        ),
    ],
)
def test_what_comes_back_and_what_stays_due_in_all(
    state: str, returned: int, by_hand: int, owed: int, said: str
) -> None:
    seat = Seat(state=state, returned_minor=returned, share_minor=1900)
    seats = [SeatFacts(seat, Session(), None)]
    facts = BookingFacts(an_order(), Booking(), Service(), None, seats)
    assert back_line([facts], by_hand, owed) == said
