from src.billing.commands.inbox import HANDLED_TYPES
from src.billing.jobs.processor_events import HANDLERS

MOST_TYPES_TO_ASK_FOR = 20


def test_what_is_let_in_is_what_can_be_handled() -> None:
    assert HANDLERS.keys() == HANDLED_TYPES


def test_all_of_them_can_be_asked_for_in_one_call() -> None:
    """The processor lists events of so many types at most."""
    assert len(HANDLED_TYPES) <= MOST_TYPES_TO_ASK_FOR
