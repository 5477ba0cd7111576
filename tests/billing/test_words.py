"""What people read for the processor's codes."""

import pytest

from src.billing.words import refund_cause, refund_failure


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (None, "The bank sent it back."),
        ("insufficient_funds", "Your balance at Stripe was too low."),
        ("balance_insufficient", "Your balance at Stripe was too low."),
        ("unknown", "The guest's bank or Stripe refused it without saying why."),
        ("No such charge.", "The guest's bank or Stripe refused it without saying why."),
        ("odd_code", "The guest's bank or Stripe refused it, with the code “odd_code”."),
    ],
)
def test_a_failed_refund_is_told_in_words_of_ours(why: str | None, said: str) -> None:
    assert refund_failure(why) == said


def test_a_refund_of_what_was_cancelled_does_not_read_as_cancelled() -> None:
    assert refund_cause("cancelled") != "cancelled"
    assert "what was booked" in refund_cause("cancelled")
