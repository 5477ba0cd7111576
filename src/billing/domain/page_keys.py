"""Names of attempts: the processor does a thing once for each of them."""

from uuid import UUID


def page_key(page_id: UUID) -> str:
    """Each attempt at a page is a row of its own, so the row names it."""
    return f"page-{page_id}"


def refund_key(refund_id: UUID, attempt: int) -> str:
    return f"refund-{refund_id}-{attempt}"
