"""Names of attempts: the processor does a thing once for each of them."""

from uuid import UUID


def page_key(page_id: UUID) -> str:
    """Each attempt at a page is a row of its own, so the row names it."""
    return f"page-{page_id}"


def confirm_key(page_id: UUID) -> str:
    """An attempt with a card asks for its money once."""
    return f"confirm-{page_id}"


def customer_key(row_id: UUID) -> str:
    return f"customer-{row_id}"


def setup_key(token: str) -> str:
    """A page that keeps a card, by the form that asked for it."""
    return f"setup-{token}"


def refund_key(refund_id: UUID, attempt: int) -> str:
    return f"refund-{refund_id}-{attempt}"
