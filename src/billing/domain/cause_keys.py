"""Names of what causes a refund: money goes back once for each of them."""

from uuid import UUID

from src.billing.domain.kinds import RefundCause


def not_delivered_key(payment_id: UUID) -> str:
    """Parts that could not be delivered any more at the moment they were paid for."""
    return f"{RefundCause.NOT_DELIVERED}:{payment_id}"


def paid_meanwhile_key(cancellation_id: UUID, seat_id: UUID) -> str:
    """Parts that were paid for after their cancellation had been asked for, or that go back without
    being chosen, named by the first of them; the payment's id follows it, since each payment has a
    refund of its own.
    """
    return f"{RefundCause.NOT_DELIVERED}:{cancellation_id}:{seat_id}"


def credits_key(token: UUID, payment_id: UUID) -> str:
    """Credits that leave for their money, named by the act's token, which is the id of the first
    entry that it wrote.
    """
    return f"{RefundCause.CREDITS}:{token}:{payment_id}"


def token_of_credits(key: str) -> UUID:
    """The token in such a key."""
    return UUID(key.split(":")[1])


def handed_back_key(item_id: UUID, payment_id: UUID, number: int) -> str:
    """What the business handed back of a payment for an open item, which is opened again when more
    is to go back for the same: the `number`-th time.
    """
    return f"{of_handed_back(item_id, payment_id)}:{number}"


def of_handed_back(item_id: UUID, payment_id: UUID) -> str:
    """What all such keys begin with; those of before they had a number end here."""
    return f"hand_back:{item_id}:{payment_id}"


def cancelled_key(cancellation_id: UUID, seat_id: UUID) -> str:
    """Seats that staff cancelled, named by the first of them, which ends only once."""
    return f"{RefundCause.CANCELLED}:{cancellation_id}:{seat_id}"
