"""Stripe's answers: their failures sorted by whether something may have been done."""

from collections.abc import Awaitable
from typing import Any, TypeVar

import stripe
import structlog

from src.billing.processor import ACCOUNT_OUT_OF_REACH, DefinitiveFailure, Uncertain

T = TypeVar("T")

log = structlog.get_logger(__name__)

UNDECIDED_STATUSES = frozenset({401, 409, 429})
FORBIDDEN = 403


async def answer_of(call: Awaitable[T]) -> T:
    """The call's answer, its failures sorted by whether something may have been done."""
    try:
        return await call
    except stripe.StripeError as error:
        code, status = _code(error), error.http_status
        message = error.user_message or type(error).__name__
        log.warning("stripe_call_failed", status=status, code=code, request_id=error.request_id)
        if _is_undecided(error):
            raise Uncertain(message, code, answered=status is not None) from error
        raise DefinitiveFailure(message, code, param=_param(error)) from error


def _code(error: stripe.StripeError) -> str:
    """The library fills `code` for some kinds of errors only; the answer's body always has it."""
    return error.code or getattr(error.error, "code", None) or ""


def _param(error: stripe.StripeError) -> str:
    return str(getattr(error, "param", None) or getattr(error.error, "param", None) or "")


def _is_undecided(error: stripe.StripeError) -> bool:
    """Whether the answer leaves open what was done.

    A key reused with another body counts: something was done under it, we know not what. So does
    a refusal of our own credentials, which says nothing about a guest's money.
    """
    status = error.http_status
    if status is None or status >= 500 or status in UNDECIDED_STATUSES:
        return True
    if status == FORBIDDEN:
        return _code(error) != ACCOUNT_OUT_OF_REACH
    return isinstance(error, (stripe.IdempotencyError, stripe.RateLimitError))


def metadata_of(thing: Any) -> dict[str, str]:
    found = thing.metadata
    return {} if found is None else dict(found.to_dict())
